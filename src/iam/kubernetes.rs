//! Roles of Kubernetes and what one allows.
//!
//! A rule allows each of its verbs on each of its resources in each of its API groups. `*` stands for all of one of the
//! three, and nothing else is a pattern, but `*/exec` of a subresource; `pods` is not `pods/exec`. Nothing denies.
//! <https://kubernetes.io/docs/reference/access-authn-authz/rbac/>

use std::sync::{Arc, LazyLock};

use smol_str::SmolStr;

use super::document::List;
use super::text::Text;
use super::told::{Told, any, both};
use crate::value::Cause;

/// The table; `rules/iam/README.md` says what its columns are.
const TABLE: &str = include_str!("../../rules/iam/kubernetes-roles.tsv");

/// Cluster roles that other cluster roles add to.
const AGGREGATED: [&str; 3] = ["admin", "edit", "view"];

/// Verbs of requests, beside `*`.
const VERBS: [&str; 14] = [
    "approve",
    "bind",
    "create",
    "delete",
    "deletecollection",
    "escalate",
    "get",
    "impersonate",
    "list",
    "patch",
    "sign",
    "update",
    "use",
    "watch",
];

/// The API groups of common resources; all others that are named without one are asked of every group.
const GROUPS: [(&str, &[&str]); 6] = [
    (
        "",
        &[
            "configmaps",
            "endpoints",
            "events",
            "groups",
            "limitranges",
            "namespaces",
            "nodes",
            "persistentvolumeclaims",
            "persistentvolumes",
            "pods",
            "replicationcontrollers",
            "resourcequotas",
            "secrets",
            "serviceaccounts",
            "services",
            "users",
        ],
    ),
    ("apps", &["controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"]),
    ("batch", &["cronjobs", "jobs"]),
    ("ray.io", &["rayclusters", "rayjobs", "rayservices"]),
    ("rbac.authorization.k8s.io", &["clusterrolebindings", "clusterroles", "rolebindings", "roles"]),
    ("serving.kserve.io", &["inferenceservices", "servingruntimes"]),
];

/// What a role or cluster role allows.
#[derive(Clone, Debug, Default)]
pub struct Role {
    /// What it is called.
    pub name: SmolStr,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
    /// Why it may have more of them.
    pub more: Option<Cause>,
}

/// One rule of a role.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    /// `get`, `*`
    pub verbs: List,
    /// `apps`; the empty one is the core.
    pub groups: List,
    /// `pods`, `pods/exec`, `*`
    pub resources: List,
    /// If there are any, only resources of these names.
    pub names: List,
}

/// What is asked: a verb on a resource; `*` is any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `get`
    pub verb: SmolStr,
    /// `secrets`, `pods/exec`
    pub resource: SmolStr,
    /// `apps`; [`None`] is any.
    pub group: Option<SmolStr>,
}

/// Whether a role allows what is asked, and by which rule.
#[derive(Clone, Debug)]
pub struct Allowed {
    /// Whether it does.
    pub told: Told,
    /// The number of the rule, from 1; 0 if it is none that is known.
    pub rule: usize,
    /// The names that it is limited to; empty if it is not.
    pub names: Vec<String>,
}

impl Request {
    /// `get:secrets`, `create:deployments.apps`, `create:pods/exec`, `*:*`; [`None`] if it has not that form.
    pub fn parse(text: &str) -> Option<Self> {
        let (verb, resource) = text.split_once(':')?;
        if verb != "*" && !VERBS.contains(&verb) || resource.is_empty() || resource.contains(':') {
            return None;
        }
        let (main, sub) = resource.split_once('/').unwrap_or((resource, ""));
        let (kind, group) = match main.split_once('.') {
            Some((kind, group)) => (kind, Some(SmolStr::from(group))),
            None => (main, group_of(main)),
        };
        let resource = if sub.is_empty() { kind.into() } else { format!("{kind}/{sub}").into() };
        Some(Self { verb: verb.into(), resource, group })
    }
}

fn group_of(kind: &str) -> Option<SmolStr> {
    let of =
        |(group, kinds): &(&'static str, &[&str])| kinds.contains(&kind).then(|| SmolStr::new_static(group));
    GROUPS.iter().find_map(of)
}

impl Role {
    /// A role of which nothing is known.
    pub fn unknown(name: impl Into<SmolStr>, cause: Cause) -> Self {
        Self { name: name.into(), rules: Vec::new(), more: Some(cause) }
    }

    /// Whether it allows what is asked, or some of it where that says `*`.
    pub fn allows(&self, request: &Request) -> Allowed {
        self.ask(request, |text, asked| text == "*" || asked == "*" || text == asked)
    }

    /// Whether one of its rules allows all of what is asked.
    pub fn allows_all(&self, request: &Request) -> Allowed {
        self.ask(request, |text, asked| text == "*" || text == asked)
    }

    fn ask(&self, request: &Request, meets: fn(&str, &str) -> bool) -> Allowed {
        let rules = (1..).zip(&self.rules).map(|(number, rule)| {
            let names = rule.names.items.iter().map(ToString::to_string).collect();
            let told = match (rule.allows(request, meets), rule.names.more.as_deref()) {
                (Ok(true), Some(cause)) if rule.names.items.is_empty() => Err(cause.clone()),
                (told, _) => told,
            };
            Allowed { told, rule: number, names }
        });
        let more = self.more.clone().map(|cause| Allowed { told: Err(cause), rule: 0, names: Vec::new() });
        // What is sure and has no condition says most.
        let rank = |it: &Allowed| match it.told {
            Ok(true) => usize::from(!it.names.is_empty()),
            Err(_) => 2,
            Ok(false) => 3,
        };
        let none = Allowed { told: Ok(false), rule: 0, names: Vec::new() };
        rules.chain(more).min_by_key(rank).unwrap_or(none)
    }
}

impl Rule {
    /// `meets` says whether what the rule has is what is asked.
    fn allows(&self, request: &Request, meets: fn(&str, &str) -> bool) -> Told {
        let sub = |it: &str| {
            it.strip_prefix("*/").is_some_and(|sub| request.resource.ends_with(&format!("/{sub}")))
        };
        let group = request.group.as_deref().unwrap_or("*");
        both(has(&self.verbs, |it| meets(it, &request.verb)), || {
            both(has(&self.resources, |it| meets(it, &request.resource) || sub(it)), || {
                has(&self.groups, |it| meets(it, group))
            })
        })
    }
}

/// Whether one of the list is what `is` says.
fn has(list: &List, is: impl Fn(&str) -> bool) -> Told {
    let known = any(list.items.iter().map(|it| it.as_str().map(&is).ok_or_else(|| it.cause())));
    match (list.more.as_deref(), known) {
        (Some(cause), Ok(false)) => Err(cause.clone()),
        (_, known) => known,
    }
}

static BUILT_IN: LazyLock<Vec<Arc<Role>>> = LazyLock::new(|| {
    let mut roles: Vec<Role> = Vec::new();
    for line in TABLE.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [name, verbs, group, resources] = columns.as_slice() else { continue };
        let list = |texts: &str| List {
            items: texts.split(',').map(|text| Text::Known(text.into())).collect(),
            more: None,
        };
        let rule = Rule {
            verbs: list(verbs),
            groups: list(group),
            resources: list(resources),
            names: List::default(),
        };
        if let Some(last) = roles.last_mut().filter(|last| last.name == *name) {
            last.rules.push(rule);
            continue;
        }
        let cause = format!("other cluster roles may add to `{name}`");
        let more = AGGREGATED.contains(name).then(|| Cause::Other(cause.into()));
        roles.push(Role { name: (*name).into(), rules: vec![rule], more });
    }
    roles.into_iter().map(Arc::new).collect()
});

/// The cluster role of that name that every cluster has.
pub fn built_in(name: &str) -> Option<Arc<Role>> {
    BUILT_IN.iter().find(|it| it.name == name).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(texts: &[&str]) -> List {
        List { items: texts.iter().map(|text| Text::Known((*text).into())).collect(), more: None }
    }

    fn role(verbs: &[&str], groups: &[&str], resources: &[&str], names: &[&str]) -> Role {
        let rule =
            Rule { verbs: list(verbs), groups: list(groups), resources: list(resources), names: list(names) };
        Role { rules: vec![rule], ..Role::default() }
    }

    fn told(role: &Role, asked: &str) -> Told {
        role.allows(&Request::parse(asked).unwrap()).told
    }

    #[test]
    fn what_is_asked_has_a_form_that_no_other_cloud_has() {
        let request = Request::parse("create:deployments.apps/scale").unwrap();
        assert_eq!(
            (request.resource.as_str(), request.group.as_deref()),
            ("deployments/scale", Some("apps"))
        );
        assert_eq!(Request::parse("get:secrets").unwrap().group.as_deref(), Some(""));
        assert_eq!(Request::parse("get:widgets").unwrap().group, None);
        for other in
            ["s3:GetObject", "bedrock:InvokeModel", "get", "get:", "Microsoft.Search/x/read", "get:a:b"]
        {
            assert!(Request::parse(other).is_none(), "{other}");
        }
    }

    #[test]
    fn a_resource_is_not_its_subresource() {
        let pods = role(&["create"], &[""], &["pods"], &[]);
        assert_eq!(told(&pods, "create:pods"), Ok(true));
        assert_eq!(told(&pods, "create:pods/exec"), Ok(false));
        assert_eq!(told(&role(&["create"], &[""], &["*/exec"], &[]), "create:pods/exec"), Ok(true));
        assert_eq!(told(&role(&["create"], &[""], &["pods/*"], &[]), "create:pods/exec"), Ok(false));
        assert_eq!(told(&role(&["*"], &["*"], &["*"], &[]), "create:pods/exec"), Ok(true));
    }

    #[test]
    fn the_group_decides_where_it_is_known() {
        let apps = role(&["*"], &["apps"], &["*"], &[]);
        assert_eq!(told(&apps, "get:secrets"), Ok(false));
        assert_eq!(told(&apps, "get:deployments"), Ok(true));
        assert_eq!(told(&apps, "get:deployments.extensions"), Ok(false));
    }

    #[test]
    fn all_of_something_is_more_than_some_of_it() {
        let all = Request::parse("*:*").unwrap();
        let secrets = role(&["*"], &[""], &["secrets"], &[]);
        assert_eq!((secrets.allows(&all).told, secrets.allows_all(&all).told), (Ok(true), Ok(false)));
        assert_eq!(role(&["*"], &["*"], &["*"], &[]).allows_all(&all).told, Ok(true));
        assert_eq!(secrets.allows_all(&Request::parse("get:secrets").unwrap()).told, Ok(true));
    }

    #[test]
    fn names_limit_and_what_is_not_known_is_no_answer() {
        let named = role(&["get"], &[""], &["secrets"], &["hf-token"]);
        let allowed = named.allows(&Request::parse("get:secrets").unwrap());
        assert_eq!((allowed.told, allowed.rule, allowed.names), (Ok(true), 1, vec!["hf-token".to_owned()]));
        let mut open = role(&[], &[""], &["secrets"], &[]);
        open.rules[0].verbs.more = Some(Box::new(Cause::Plan));
        assert!(told(&open, "get:secrets").is_err());
        assert_eq!(told(&open, "get:pods"), Ok(false));
    }

    #[test]
    fn what_every_cluster_has_is_known_and_may_be_added_to() {
        let told = |name: &str, asked: &str| told(&built_in(name).unwrap(), asked);
        assert_eq!(told("cluster-admin", "escalate:clusterroles"), Ok(true));
        assert_eq!(told("edit", "get:secrets"), Ok(true));
        assert_eq!(told("edit", "create:serviceaccounts/token"), Ok(true));
        assert_eq!(told("edit", "impersonate:serviceaccounts"), Ok(true));
        assert_eq!(told("admin", "create:rolebindings"), Ok(true));
        assert!(told("view", "get:secrets").is_err(), "another role may add it");
        assert!(built_in("mine").is_none());
    }
}
