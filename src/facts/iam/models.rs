//! Whether the policies of an organisation limit which models may be called.
//!
//! The guide's two ways: a deny of the models that are not wanted, or of all that `NotResource` does not list.
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_bedrock.html>
//! Calls are made by `InvokeModel` and `InvokeModelWithResponseStream`, those of the Converse API too, so who denies a model
//! denies both. <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html>

use smol_str::SmolStr;

use crate::graph::NodeId;
use crate::iam::condition::{Compare, Test};
use crate::iam::cover::{self, Of};
use crate::iam::questions::{has_effect, names};
use crate::iam::told::{self, Told};
use crate::iam::{Effect, Statement, Text};
use crate::value::{Cause, Truth};

use super::super::Facts;
use super::organisation::{ATTACHMENT, POLICY, type_of};
use super::principals::MAX_SHARED;
use super::{Outcome, Query, Read, place};

/// The models of AWS, in whatever partition and region.
const MODELS: &str = "arn:*:bedrock:*:*:foundation-model/*";
/// Profiles of inference that lead to them.
const PROFILE: &str = "bedrock:InferenceProfileArn";
/// Keys that leave somebody out of a deny, and so say nothing of models.
const OF_CALLERS: &str = "aws:principal";
/// Keys that say from where or how a call is made, not of what.
const OF_WAYS: [&str; 10] = [
    "aws:MultiFactorAuthPresent",
    "aws:RequestedRegion",
    "aws:SecureTransport",
    "aws:SourceIp",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:ViaAWSService",
    "aws:VpcSourceIp",
    "bedrock:BearerTokenType",
    "bedrock:GuardrailIdentifier",
];

/// A service control policy of the configuration.
struct Control<'f> {
    address: &'f SmolStr,
    read: &'f Read,
    /// Why it may not count.
    doubt: Option<Cause>,
}

/// Is every one of the query's actions limited to some models by the service control policies here? It does not apply where
/// none of them speaks of Bedrock: then nobody was told that they govern it.
pub(super) fn limited(facts: &Facts<'_>, _node: NodeId, query: Query<'_>) -> Option<Outcome> {
    let controls = controls(facts);
    let statements = || {
        let documents = controls.iter().flat_map(|it| &it.read.policy.alternatives);
        let statements = documents.flat_map(|document| &document.statements);
        statements.filter(|it| !it.action.is_empty() && names(it, &["bedrock"]))
    };
    statements().next()?;
    let actions: Vec<Text> = query.args.iter().map(|action| Text::Known(action.as_str().into())).collect();
    let of_calls = |statement: &Statement| {
        let is_one =
            |item: &Text| told::any(actions.iter().map(|it| cover::intersects(item, it, Of::Actions)));
        statement.action.any(is_one).0 == Ok(true)
    };
    let mut held: Option<(&String, &Control<'_>, usize)> = None;
    let mut open: Option<&String> = None;
    for (action, text) in query.args.iter().zip(&actions) {
        let told = told::any(controls.iter().map(|it| it.limits(text)));
        match told {
            Ok(true) => held = held.or_else(|| first(&controls, action, text)),
            Ok(false) => open = open.or(Some(action)),
            Err(cause) => {
                return Some(Outcome { causes: vec![cause.to_string()], ..Outcome::of(Truth::Maybe) });
            }
        }
    }
    let Some(open) = open else { return Some(Outcome::of(Truth::Yes)) };
    if let Some(call) = facts.graph.unfollowed.first() {
        let cause = Cause::Module(call.address.clone()).to_string();
        return Some(Outcome { causes: vec![cause], ..Outcome::of(Truth::Maybe) });
    }
    let Some((action, control, number)) = held else {
        if statements().any(of_calls) {
            return Some(Outcome::of(Truth::No));
        }
        // Who governs keys and guardrails here may govern calls elsewhere.
        let cause = "no policy of the organization here speaks of calls of models, and another configuration may have one";
        return Some(Outcome { causes: vec![cause.to_owned()], ..Outcome::of(Truth::Maybe) });
    };
    let statement = control.read.policy.statement(number);
    let name = statement.map_or_else(|| Statement::number(number), |it| it.name(number));
    let actual = format!("`{name}` of `{}` limits `{action}`, and nothing limits `{open}`", control.address);
    let at = |it| place::of_statement(facts.graph, facts.sources, control.read, it, number);
    Some(Outcome {
        actual: (!control.read.policy.sensitive).then_some(actual),
        site: control.read.site,
        statement: statement.and_then(at),
        ..Outcome::of(Truth::No)
    })
}

/// The service control policies of the configuration.
fn controls<'f>(facts: &'f Facts<'_>) -> Vec<Control<'f>> {
    let graph = facts.graph;
    let mut out = Vec::new();
    for &node in graph.by_type(POLICY).iter().take(MAX_SHARED) {
        let resource = graph.resource(node).filter(|it| it.is_ours());
        let Some(resource) = resource else { continue };
        if type_of(resource).is_some_and(|ty| ty != "SERVICE_CONTROL_POLICY") {
            continue;
        }
        let is_attached = graph.attachments(node, ATTACHMENT).next().is_some();
        let doubt = (!is_attached).then(|| {
            Cause::Other(
                format!("to what `{}` is attached is not in the configuration", resource.address).into(),
            )
        });
        let reads = facts.policies(node).into_iter().flat_map(|it| &it.others);
        out.extend(reads.map(|read| Control { address: &resource.address, read, doubt: doubt.clone() }));
    }
    out
}

/// The first statement that limits an action for certain.
fn first<'c, 'f, 'a>(
    controls: &'c [Control<'f>],
    action: &'a String,
    text: &Text,
) -> Option<(&'a String, &'c Control<'f>, usize)> {
    controls.iter().find_map(|control| {
        let document = control.read.policy.alternatives.first()?;
        let at = document.statements.iter().position(|it| limits(it, text) == Ok(true))?;
        Some((action, control, at + 1))
    })
}

impl Control<'_> {
    /// Whether it limits the models that the action may be done with.
    fn limits(&self, action: &Text) -> Told {
        let policy = &self.read.policy;
        let each = policy
            .alternatives
            .iter()
            .map(|document| told::any(document.statements.iter().map(|statement| limits(statement, action))));
        let told = match each.reduce(|one, other| if one == other { one } else { Err(Cause::Plan) }) {
            Some(Err(Cause::Plan)) => Err(policy.choice.clone().unwrap_or(Cause::Plan)),
            Some(told) => told,
            None => Ok(false),
        };
        told::both(told, || self.doubt.clone().map_or(Ok(true), Err))
    }
}

/// Whether a statement limits the models that the action may be done with.
fn limits(statement: &Statement, action: &Text) -> Told {
    let denies = told::both(has_effect(statement, Effect::Deny), || {
        told::both(statement.every_action(action), || leaves_models(statement))
    });
    told::either(denies, || {
        // The ways around: a list of what is allowed counts once AWS's own policy is taken off, and who may not subscribe to
        // a model of others in the marketplace may not call it.
        let lists = told::both(has_effect(statement, Effect::Allow), || {
            let models = Text::Known(SmolStr::new_static(MODELS));
            let leaves = || statement.every_resource(&models).map(|all| !all);
            let speaks = told::both(statement.every_action(action), leaves);
            told::both(speaks, || {
                unclear("whether `p-FullAWSAccess` is attached beside a list of models is not known")
            })
        });
        told::either(lists, || {
            let subscribes = Text::Known(SmolStr::new_static("aws-marketplace:Subscribe"));
            let denies =
                told::both(has_effect(statement, Effect::Deny), || statement.every_action(&subscribes));
            told::both(denies, || {
                unclear("a policy limits subscriptions, which some models need and others do not")
            })
        })
    })
}

fn unclear(why: &'static str) -> Told {
    Err(Cause::Other(why.into()))
}

/// Whether a deny is of some models and not of others, or of all for whoever is not excepted.
fn leaves_models(statement: &Statement) -> Told {
    let models = Text::Known(SmolStr::new_static(MODELS));
    let all = statement.every_resource(&models)?;
    let mut some = statement.resource.items.iter().map(|it| cover::intersects(it, &models, Of::Resources));
    let excepts_all = || {
        let covers = |it: &Text| cover::contains(it, &models, Of::Resources);
        statement.not_resource.any(covers).0
    };
    let is_of_models = if statement.not_resource.is_empty() {
        told::any(some.by_ref())
    } else {
        excepts_all().map(|is| !is)
    };
    told::both(is_of_models, || by_condition(statement, all))
}

/// What its condition leaves of a deny of all models, or of some.
fn by_condition(statement: &Statement, all: bool) -> Told {
    let open = || match &statement.condition.more {
        Some(cause) => Err(cause.as_ref().clone()),
        None => unclear("a condition may limit what a policy of the organization denies"),
    };
    let is_of_caller = |it: &&Test| it.key.to_ascii_lowercase().starts_with(OF_CALLERS);
    let tests = statement.condition.tests.iter().filter(|it| !is_of_caller(it));
    let tests: Vec<&Test> = tests.collect();
    let excepts = statement.condition.tests.len() > tests.len();
    if statement.condition.more.is_some() {
        return open();
    }
    match (tests.as_slice(), all) {
        // Who may call may call every model.
        ([], true) if excepts => open(),
        ([], _) => Ok(true),
        ([only], true) if only.is_of(PROFILE) => by_profile(only),
        (tests, true) if tests.iter().all(|it| OF_WAYS.iter().any(|key| it.is_of(key))) => Ok(false),
        _ => open(),
    }
}

/// Whether a deny of what comes by some profiles, or by none of some, leaves a choice of models.
fn by_profile(test: &Test) -> Told {
    let is_wide = |value: &Text| {
        let text = value.suffix();
        Ok(text.ends_with("-profile/*") || text.ends_with("/global.*") || text == "*")
    };
    match test.means {
        Some(means) if means.compare == Compare::Null => Ok(false),
        Some(_) => match test.values.any(is_wide).0 {
            Ok(true) => Ok(false),
            told => told::both(told.map(|_| true), || {
                unclear("which models a policy's profiles lead to is not known")
            }),
        },
        None => unclear("a policy of the organization has a condition that is none"),
    }
}
