//! The roles and users of a configuration, with all policies that bear on each: the path principal → policy.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use petgraph::Direction;
use smol_str::{SmolStr, format_smolstr};

use crate::catalog::LinkKind;
use crate::graph::NodeId;
use crate::iam::effective::{Decision, Held, Kind, Request, Way, Who, may, ways};
use crate::iam::escalation::{self, Actions};
use crate::iam::{Document, Effect, Policy, Services, Statement, Text, managed};
use crate::program::{Mode, Resource};
use crate::source::Site;
use crate::value::{Cause, Kind as ValueKind, Value};

use super::super::{Facts, is_left_to_the_provider, presence};
use super::analyses::Surest;
use super::{Read, organisation};

/// A role or a user, and the policies that bear on it.
#[derive(Debug)]
pub struct Identity {
    /// Its resource.
    pub node: NodeId,
    /// The policies, in the order in which they are found: its own, attached ones, those of its groups, what limits it.
    pub holdings: Vec<Holding>,
    /// Of all that its policies may allow.
    services: Services,
    /// Those of every identity with policies that say the same.
    answers: Arc<Answers>,
}

/// What was asked of a set of policies. Of what is not known at all it is no matter why it is not: where that is told, the number
/// of the policy stands for it ([`stand_in`]), and each identity has its own reason.
#[derive(Debug, Default)]
struct Answers {
    /// By action, in which ways it is allowed on any resource.
    ways: Mutex<BTreeMap<SmolStr, Arc<[Way]>>>,
    administers: OnceLock<bool>,
    /// By category.
    escalations: [OnceLock<Option<Surest>>; escalation::CATEGORIES.len()],
}

/// A policy that bears on an identity.
#[derive(Clone, Debug)]
pub struct Holding {
    /// How it bears on it.
    pub kind: Kind,
    /// What it says.
    pub policy: Arc<Policy>,
    /// What it is called: an address, or the name of a policy that AWS manages.
    pub name: SmolStr,
    /// The resource that joins the two, if that is not the policy itself.
    pub by: Option<SmolStr>,
    /// Where it is written, if it is in the input.
    pub site: Option<Site>,
    /// The resource that holds it.
    pub node: Option<NodeId>,
    /// Why it may not be there.
    pub doubt: Option<Cause>,
}

impl Identity {
    /// Whether it may do what is asked by its own policies.
    pub fn may(&self, request: &Request) -> Decision {
        let no: &dyn Fn(&Statement) -> Result<bool, Cause> = &|_| Ok(false);
        may(&self.held(), request, &Who { names: no, delegates: no })
    }

    /// Every way in which its own policies allow the action on some resource, each computed once. Why one cannot be told is told
    /// by [`Identity::causes`].
    pub fn ways(&self, action: &str) -> Arc<[Way]> {
        if !self.services.may_hold(action) {
            return Arc::default();
        }
        if let Some(known) = self.answers.ways().get(action) {
            return known.clone();
        }
        let no: &dyn Fn(&Statement) -> Result<bool, Cause> = &|_| Ok(false);
        let request = Request { action: Text::Known(action.into()), resource: Text::Known("*".into()) };
        let shared: Vec<_> = self.holdings.iter().enumerate().map(|(at, it)| it.as_shared(at)).collect();
        let held: Vec<Held<'_>> = shared.iter().map(Holding::held).collect();
        let found: Arc<[Way]> = ways(&held, &request, &Who { names: no, delegates: no }).into();
        self.answers.ways().insert(action.into(), found.clone());
        found
    }

    /// Why one of its ways cannot be told, of the causes that this has.
    pub fn causes(&self, of_way: &[String]) -> Vec<String> {
        let mut causes: Vec<String> = Vec::with_capacity(of_way.len());
        for cause in of_way {
            let own = stood_for(cause).and_then(|(at, is_doubt)| {
                let Holding { policy, doubt, .. } = self.holdings.get(at)?;
                if is_doubt { doubt.as_ref() } else { policy.alternatives.first()?.unread.as_ref() }
            });
            let cause = own.map_or_else(|| cause.clone(), ToString::to_string);
            if !causes.contains(&cause) {
                causes.push(cause);
            }
        }
        causes
    }

    /// Whether its policies make it an administrator, as `find` finds once.
    pub(super) fn administers(&self, find: impl FnOnce() -> bool) -> bool {
        *self.answers.administers.get_or_init(find)
    }

    /// The surest way of a category that its policies leave open, as `find` finds it once among those that they may.
    pub(super) fn escalation(
        &self,
        category: usize,
        find: impl FnOnce(Actions) -> Option<Surest>,
    ) -> Option<Surest> {
        let found =
            || find(grants(&self.holdings).map(Document::escalating).fold(Actions::default(), Actions::and));
        self.answers.escalations.get(category)?.get_or_init(found).clone()
    }

    /// The services of the actions that its policies may allow.
    pub fn services(&self) -> Services {
        self.services
    }

    /// How many questions were asked of its policies, of this identity or another with the same.
    pub fn questions(&self) -> usize {
        self.answers.ways().len()
    }

    /// What it is where something else limits it too.
    pub(super) fn limited(&self, limits: impl IntoIterator<Item = Holding>) -> Self {
        let holdings = self.holdings.iter().cloned().chain(limits).collect();
        Self { node: self.node, holdings, services: self.services, answers: Arc::default() }
    }

    /// Its policies as the engine takes them.
    pub fn held(&self) -> Vec<Held<'_>> {
        self.holdings.iter().map(Holding::held).collect()
    }
}

impl Answers {
    fn ways(&self) -> MutexGuard<'_, BTreeMap<SmolStr, Arc<[Way]>>> {
        // Nobody panics while holding the lock.
        self.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Holding {
    /// As the engine takes it.
    pub fn held(&self) -> Held<'_> {
        Held { policy: &self.policy, kind: self.kind, doubt: self.doubt.clone() }
    }

    fn place(&self) -> usize {
        Arc::as_ptr(&self.policy).addr()
    }

    fn said(&self) -> Said {
        let perhaps = self.doubt.is_some();
        match self.policy.effect_if_unknown() {
            Some(effect) => Said::Unknown { effect: effect.map(|it| it as u8), perhaps },
            None if perhaps => Said::Perhaps(self.place()),
            None => Said::This(self.place()),
        }
    }

    /// It with stand-ins for why something of it is not known; it is the policy of number `at`.
    fn as_shared(&self, at: usize) -> Self {
        let policy = match self.policy.effect_if_unknown() {
            Some(effect) => Arc::new(Policy::unknown(stand_in(at, false), effect)),
            None => self.policy.clone(),
        };
        let doubt = self.doubt.as_ref().map(|_| stand_in(at, true));
        Self { policy, doubt, ..self.clone() }
    }
}

/// What stands for why the policy of number `at` is not known, or may not be there: a text that nothing else says.
fn stand_in(at: usize, is_doubt: bool) -> Cause {
    let sign = if is_doubt { DOUBT } else { UNKNOWN };
    Cause::Other(format_smolstr!("{sign}{at}"))
}

/// What [`stand_in`] stands for.
fn stood_for(cause: &str) -> Option<(usize, bool)> {
    let is_doubt = cause.starts_with(DOUBT);
    Some((cause.strip_prefix([DOUBT, UNKNOWN])?.parse().ok()?, is_doubt))
}

const DOUBT: char = '\u{1}';
const UNKNOWN: char = '\u{2}';

/// The documents that grant.
fn grants(holdings: &[Holding]) -> impl Iterator<Item = &Document> {
    holdings.iter().filter(|it| it.kind == Kind::Identity).flat_map(|it| &it.policy.alternatives)
}

/// A set of policies: each with its kind.
type Set = Vec<(Said, u8)>;

/// What a policy says, as far as it can be compared.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    /// What the policy at a place in memory says.
    This(usize),
    /// This too, if it is there.
    Perhaps(usize),
    /// Nothing is known of it, but perhaps what its statements do; it may be there, or is.
    Unknown { effect: Option<u8>, perhaps: bool },
}

/// The roles and users of a configuration, each found when it is first asked for.
#[derive(Debug)]
pub(in super::super) struct Found {
    /// In the order of their nodes.
    all: Vec<(NodeId, OnceLock<Identity>)>,
    /// What bears on each.
    shared: Vec<Holding>,
    /// By what the policies say.
    answers: Mutex<BTreeMap<Set, Arc<Answers>>>,
}

impl Found {
    /// Those that the configuration makes; none is looked at yet.
    pub(in super::super) fn new(facts: &Facts<'_>) -> Self {
        let graph = facts.graph;
        let ours = |&&node: &&NodeId| graph.resource(node).is_some_and(Resource::is_ours);
        let types = ["aws_iam_role", "aws_iam_user"];
        let nodes = types.iter().flat_map(|name| graph.by_type(name)).filter(ours);
        let mut all: Vec<_> = nodes.map(|&node| (node, OnceLock::new())).collect();
        all.sort_unstable_by_key(|(node, _)| *node);
        let shared = Finder::shared(facts);
        Self { all, shared, answers: Mutex::default() }
    }

    /// Where is kept what was asked of policies that say the same.
    fn answers(&self, holdings: &[Holding]) -> Arc<Answers> {
        let key = holdings.iter().map(|it| (it.said(), it.kind as u8)).collect();
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone()
    }
}

/// Every role and user that the configuration makes, in the order of their nodes.
#[derive(Copy, Clone, Debug)]
pub struct Identities<'f> {
    pub(in super::super) facts: &'f Facts<'f>,
    pub(in super::super) found: &'f Found,
}

impl<'f> Identities<'f> {
    /// The role or user that is the node.
    pub fn get(self, node: &NodeId) -> Option<&'f Identity> {
        // Whoever waits for another finds no work of its own in between: threads of one pool would wait for themselves.
        let at = self.found.all.binary_search_by_key(node, |(node, _)| *node).ok()?;
        let (_, cell) = self.found.all.get(at)?;
        Some(cell.get_or_init(|| identity(self.facts, *node, self.found)))
    }

    /// The nodes.
    pub fn keys(self) -> impl ExactSizeIterator<Item = &'f NodeId> {
        self.found.all.iter().map(|(node, _)| node)
    }

    /// All of them.
    pub fn values(self) -> impl Iterator<Item = &'f Identity> {
        self.keys().filter_map(move |node| self.get(node))
    }

    /// How many there are.
    pub fn len(self) -> usize {
        self.found.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.found.all.is_empty()
    }
}

fn identity(facts: &Facts<'_>, node: NodeId, found: &Found) -> Identity {
    let mut finder = Finder { facts, subject: node, holdings: Vec::new() };
    finder.own(node, Kind::Identity, None);
    finder.attached(node);
    let is_user = facts.graph.resource(node).is_some_and(|it| it.type_name == "aws_iam_user");
    if is_user {
        finder.groups();
    }
    finder.named_by(node, "managed_policy_arns", Kind::Identity, None, None);
    let boundary = if is_user { Kind::UserBoundary } else { Kind::Boundary };
    finder.named_by(node, "permissions_boundary", boundary, None, None);
    for call in facts.unfollowed_users(node).take(1) {
        let cause = Cause::Module(call.into());
        finder.push(
            Kind::Identity,
            Arc::new(Policy::unknown(cause, Some(Effect::Allow))),
            call.into(),
            None,
            None,
        );
    }
    let mut holdings = finder.holdings;
    holdings.extend(found.shared.iter().cloned());
    let services = grants(&holdings).map(Document::services).fold(Services::default(), Services::and);
    let answers = found.answers(&holdings);
    Identity { node, holdings, services, answers }
}

/// The policies whose ARNs the attribute of a resource holds.
pub(super) fn named(facts: &Facts<'_>, node: NodeId, attribute: &str, kind: Kind) -> Vec<Holding> {
    let mut finder = Finder { facts, subject: node, holdings: Vec::new() };
    finder.named_by(node, attribute, kind, Some(node), None);
    finder.holdings
}

/// More policies of one kind that may be anybody's are not looked at.
pub(super) const MAX_SHARED: usize = 20;

struct Finder<'f, 'g> {
    facts: &'f Facts<'g>,
    subject: NodeId,
    holdings: Vec<Holding>,
}

impl<'g> Finder<'_, 'g> {
    /// What bears on every identity: what an organisation denies, and what is attached to nobody knows whom.
    fn shared(facts: &Facts<'g>) -> Vec<Holding> {
        let graph = facts.graph;
        let mut out = organisation::holdings(facts);
        let attachments =
            ["aws_iam_role_policy_attachment", "aws_iam_role_policy", "aws_iam_policy_attachment"];
        for name in attachments {
            let unplaced = graph.by_type(name).iter().filter(|&&node| is_unplaced(facts, node));
            for &node in unplaced.take(MAX_SHARED) {
                let Some(resource) = graph.resource(node) else { continue };
                let doubt =
                    Cause::Other(format!("whom `{}` is given to is not known", resource.address).into());
                let mut finder = Finder { facts, subject: node, holdings: Vec::new() };
                finder.own(node, Kind::Identity, None);
                finder.named_by(node, "policy_arn", Kind::Identity, Some(node), None);
                out.extend(
                    finder.holdings.into_iter().map(|it| Holding { doubt: Some(doubt.clone()), ..it }),
                );
            }
        }
        out
    }

    fn push(
        &mut self,
        kind: Kind,
        policy: Arc<Policy>,
        name: SmolStr,
        by: Option<NodeId>,
        doubt: Option<Cause>,
    ) {
        let by = by.and_then(|node| self.facts.graph.resource(node));
        let site = by.and_then(|it| it.site);
        let by = by.map(|it| it.address.clone());
        let context = &self.facts.context;
        let policy = if context.is_empty() { policy } else { Arc::new(context.apply(&policy)) };
        self.holdings.push(Holding { kind, policy, name, by, site, node: None, doubt });
    }

    /// The policies that a resource itself has.
    fn own(&mut self, node: NodeId, kind: Kind, by: Option<NodeId>) {
        let Some(resource) = self.facts.graph.resource(node) else { return };
        let Some(policies) = self.facts.policies(node).filter(|it| !it.grants.is_empty()) else { return };
        let doubt =
            self.doubt(resource).or_else(|| by.and_then(|by| self.doubt(self.facts.graph.resource(by)?)));
        for read in &policies.grants {
            let mut holding = Holding::of(kind, read, node, resource, doubt.clone());
            holding.by = by.and_then(|by| self.facts.graph.resource(by)).map(|it| it.address.clone());
            self.holdings.push(holding);
        }
    }

    /// What configures `node`: inline policies, attachments.
    fn attached(&mut self, node: NodeId) {
        let graph = self.facts.graph;
        let mut sources: Vec<NodeId> = graph
            .edges(node, Direction::Incoming)
            .filter(|(edge, _)| edge.kind == LinkKind::Attachment)
            .map(|(_, source)| source)
            .collect();
        sources.sort_unstable();
        sources.dedup();
        for source in sources {
            let Some(resource) = graph.resource(source).filter(|it| !it.is_deleted()) else { continue };
            match resource.type_name.as_str() {
                "aws_iam_role_policy" | "aws_iam_user_policy" | "aws_iam_group_policy" => {
                    self.own(source, Kind::Identity, None);
                }
                "aws_iam_role_policy_attachment"
                | "aws_iam_user_policy_attachment"
                | "aws_iam_group_policy_attachment"
                | "aws_iam_policy_attachment" => {
                    let doubt = self.doubt(resource);
                    self.named_by(source, "policy_arn", Kind::Identity, Some(source), doubt);
                }
                "aws_iam_role_policy_attachments_exclusive" => {
                    let doubt = self.doubt(resource);
                    self.named_by(source, "policy_arns", Kind::Identity, Some(source), doubt);
                }
                _ => {}
            }
        }
    }

    /// The policies of the groups that a user is in.
    fn groups(&mut self) {
        let graph = self.facts.graph;
        let memberships: Vec<NodeId> = graph
            .edges(self.subject, Direction::Incoming)
            .map(|(_, source)| source)
            .filter(|&source| {
                graph.resource(source).is_some_and(|it| {
                    matches!(
                        it.type_name.as_str(),
                        "aws_iam_user_group_membership" | "aws_iam_group_membership"
                    )
                })
            })
            .collect();
        for membership in memberships {
            let mut groups: Vec<NodeId> = graph
                .edges(membership, Direction::Outgoing)
                .map(|(_, target)| target)
                .filter(|&target| graph.resource(target).is_some_and(|it| it.type_name == "aws_iam_group"))
                .collect();
            groups.sort_unstable();
            groups.dedup();
            for group in groups {
                self.attached(group);
            }
        }
    }

    /// The policies whose ARNs the attribute of `node` holds.
    fn named_by(
        &mut self,
        node: NodeId,
        attribute: &str,
        kind: Kind,
        by: Option<NodeId>,
        doubt: Option<Cause>,
    ) {
        let graph = self.facts.graph;
        let Some(after) = graph.resource(node).and_then(|it| it.after.as_ref()) else { return };
        let Some(value) = after.get(attribute).filter(|value| !value.is_null()) else { return };
        if is_left_to_the_provider(value) && value.reference.is_none() {
            return;
        }
        // A plan's values tell no references, its edges do.
        let mut targets: Vec<NodeId> = graph
            .edges(node, Direction::Outgoing)
            .filter(|(edge, _)| edge.path == attribute)
            .map(|(_, target)| target)
            .filter(|&target| graph.resource(target).is_some_and(|it| it.type_name == "aws_iam_policy"))
            .collect();
        targets.sort_unstable();
        targets.dedup();
        let mut open = 0;
        for one in value.items().unwrap_or(std::slice::from_ref(value)) {
            match self.arn(one) {
                // Its name would be told with what it allows.
                Arn::Managed(..) if value.sensitive || one.sensitive => open += 1,
                Arn::Managed(name, why) => {
                    self.push(kind, managed::policy(&name), name, by.or(Some(node)), why.or(doubt.clone()));
                }
                Arn::Other => open += 1,
            }
        }
        let mut resolved = 0;
        let before = self.holdings.len();
        for target in targets {
            match graph.resource(target) {
                Some(policy) if policy.is_ours() => {
                    self.own(target, kind, by.or(Some(node)));
                    let held = self.holdings.get_mut(before..).unwrap_or_default();
                    for it in held {
                        it.doubt = it.doubt.take().or_else(|| doubt.clone());
                    }
                    resolved += 1;
                }
                _ => {}
            }
        }
        // Each that is not one of AWS is one that an edge leads to, or one that is not here.
        if open > resolved {
            let (cause, name) = match value.as_str() {
                Some(_) if value.sensitive => {
                    let cause = "a policy whose name is sensitive is not in the configuration";
                    (Cause::Other(cause.into()), SmolStr::new_static("(sensitive)"))
                }
                Some(arn) => {
                    (Cause::Other(format!("`{arn}` is not in the configuration").into()), arn.into())
                }
                None => (value.first_cause().cloned().unwrap_or(Cause::Plan), SmolStr::new_static("?")),
            };
            let policy = Arc::new(Policy::unknown(cause, None));
            self.push(kind, policy, name, by.or(Some(node)), doubt);
        }
    }

    /// What an ARN of a policy is.
    fn arn(&self, value: &Value) -> Arn {
        const HOLE: char = '~';
        if let Some(reference) = &value.reference
            && let Some(resource) = self.facts.graph.named(&reference.resource)
            && resource.type_name == "aws_iam_policy"
            && resource.mode == Mode::Data
        {
            let name = resource.after.as_ref().and_then(|after| after.get("name")).and_then(Value::as_str);
            return match name.filter(|name| managed::Managed::named(name).is_some()) {
                Some(name) => {
                    let why = format!("a policy of the account may be called `{name}` too");
                    Arn::Managed(name.into(), Some(Cause::Other(why.into())))
                }
                None => Arn::Other,
            };
        }
        let holed = || Some(Cow::Owned(Text::of_value(value)?.with_holes(HOLE)));
        let Some(text) = value.as_str().map(Cow::Borrowed).or_else(holed) else { return Arn::Other };
        match managed::name_of(&text).filter(|name| !name.contains(HOLE)) {
            Some(name) => Arn::Managed(name.into(), None),
            None => Arn::Other,
        }
    }

    fn doubt(&self, resource: &Resource) -> Option<Cause> {
        presence::doubt(self.facts.graph, resource, self.facts.graph.resource(self.subject)?)
    }
}

enum Arn {
    Managed(SmolStr, Option<Cause>),
    Other,
}

impl Holding {
    pub(super) fn of(
        kind: Kind,
        read: &Read,
        node: NodeId,
        resource: &Resource,
        doubt: Option<Cause>,
    ) -> Self {
        let (policy, name) = (read.policy.clone(), resource.address.clone());
        Self { kind, policy, name, by: None, site: read.site.or(resource.site), node: Some(node), doubt }
    }
}

/// Whether it cannot be told whom the policy or attachment is for.
fn is_unplaced(facts: &Facts<'_>, node: NodeId) -> bool {
    let graph = facts.graph;
    let Some(resource) = graph.resource(node).filter(|it| it.is_ours()) else {
        return false;
    };
    let unknown = |name: &str| {
        let value = resource.after.as_ref().and_then(|after| after.get(name));
        value.is_some_and(|value| {
            matches!(value.kind, ValueKind::Unknown(_)) && !is_left_to_the_provider(value)
        })
    };
    let placed = graph
        .edges(node, Direction::Outgoing)
        .any(|(edge, _)| matches!(edge.path.as_str(), "role" | "roles" | "users" | "groups"));
    !placed && (unknown("role") || unknown("roles"))
}
