//! The smallest grant that suffices, in the words of a policy: told only where the configuration says all that is needed for
//! it. A workload of a kind that is not understood here, a model that is not known, an account that nobody names: then
//! nothing is told.

use std::collections::BTreeMap;

use foldhash::HashMap;
use petgraph::Direction;
use smol_str::SmolStr;

use crate::catalog::LinkKind;
use crate::graph::{NodeId, ResourceGraph};
use crate::iam::{AI_SERVICE_PRINCIPALS, Text, pattern, questions};
use crate::program::Resource;
use crate::value::Value;

use super::super::{Facts, residency};

/// More of anything makes a grant that nobody reads.
const MAX: usize = 6;

/// What a workload needs of one service.
struct Need {
    actions: &'static [&'static str],
    on: Vec<String>,
}

/// Service principal → the roles of the configuration that it may assume, as they are spelled.
pub(in crate::facts) type Passable = BTreeMap<&'static str, Vec<NodeId>>;

/// Services that roles are passed to: those of AI, and those of `rules/iam/escalations.csv`.
const PASSED_TO: [&str; 8] = [
    "cloudformation.amazonaws.com",
    "codebuild.amazonaws.com",
    "ec2.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "elasticmapreduce.amazonaws.com",
    "glue.amazonaws.com",
    "lambda.amazonaws.com",
    "states.amazonaws.com",
];

/// The roles that services may assume.
pub(in crate::facts) fn passable(facts: &Facts<'_>) -> Passable {
    let mut out = Passable::new();
    for &node in facts.graph.by_type("aws_iam_role") {
        let ours = facts.graph.resource(node).is_some_and(Resource::is_ours);
        let trust = facts.policies(node).and_then(|it| it.trust.as_ref()).filter(|_| ours);
        for service in trust.into_iter().flat_map(|_| AI_SERVICE_PRINCIPALS.iter().chain(&PASSED_TO)) {
            if trust.is_some_and(|read| questions::trusts(&read.policy, &[service]) == Ok(true)) {
                out.entry(service).or_default().push(node);
            }
        }
    }
    out
}

/// `iam:PassRole` on the roles that the service may assume, and to no other service. Of none of a name: of the AI services.
pub(super) fn pass(facts: &Facts<'_>, node: NodeId, service: Option<&str>) -> Option<String> {
    let is_it = |name: &str| service.map_or_else(|| AI_SERVICE_PRINCIPALS.contains(&name), |it| it == name);
    let mut roles: Vec<NodeId> = Vec::new();
    let mut services: Vec<String> = Vec::new();
    for (name, its) in facts.passable().iter().filter(|(name, _)| is_it(name)) {
        services.push(quoted(name));
        roles.extend(its);
    }
    roles.sort_unstable();
    roles.dedup();
    if roles.is_empty() || roles.len() > MAX {
        return None;
    }
    let on: Vec<String> = roles.into_iter().map(|role| arn(facts, node, role, "arn", "")).collect();
    Some(format!(
        "{{ Effect = \"Allow\", Action = \"iam:PassRole\", Resource = {}, Condition = {{ StringEquals = {{ \"iam:PassedToService\" = {} }} }} }}",
        list(on),
        list(services)
    ))
}

/// A condition on the source of a service's request, for the role's trust or the resource's policy.
pub(super) fn source(facts: &Facts<'_>, node: NodeId) -> Option<String> {
    let resource = facts.graph.resource(node)?;
    let account = account(facts, resource)?;
    let inside = account.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    let inside = inside.map_or_else(|| format!("${{{account}}}"), ToOwned::to_owned);
    let mut kinds: Vec<String> = Vec::new();
    for (_, user) in
        facts.graph.edges(node, Direction::Incoming).filter(|(edge, _)| edge.kind == LinkKind::Identity)
    {
        let user = facts.graph.resource(user)?;
        let kind = match user.type_name.as_str() {
            "aws_bedrockagent_agent" => "agent",
            "aws_bedrockagent_knowledge_base" => "knowledge-base",
            "aws_bedrockagent_flow" => "flow",
            // The ARN of its requests is not written down here.
            _ => {
                kinds.clear();
                break;
            }
        };
        let region = residency::region_of(facts.graph, user);
        let region = region.as_str().filter(|_| !region.sensitive).unwrap_or("*");
        kinds.push(format!("\"arn:{}:bedrock:{region}:{inside}:{kind}/*\"", partition(region)));
    }
    kinds.sort();
    kinds.dedup();
    let arns = match kinds.len() {
        1..=MAX => format!(", ArnLike = {{ \"aws:SourceArn\" = {} }}", list(kinds)),
        _ => String::new(),
    };
    Some(format!("Condition = {{ StringEquals = {{ \"aws:SourceAccount\" = {account} }}{arns} }}"))
}

/// What asks who one is, the first of each module and provider configuration.
pub(in super::super) type Askers = HashMap<(SmolStr, Option<usize>), NodeId>;

/// What the configuration asks who it is by.
pub(in super::super) fn askers(graph: &ResourceGraph) -> Askers {
    let mut askers = Askers::default();
    for &node in graph.by_type("aws_caller_identity") {
        if let Some(resource) = graph.resource(node) {
            askers.entry((resource.module.clone(), resource.provider)).or_insert(node);
        }
    }
    askers
}

/// The account, where the configuration asks who it is in the same module.
fn account(facts: &Facts<'_>, of: &Resource) -> Option<String> {
    let &caller = facts.askers().get(&(of.module.clone(), of.provider))?;
    let caller = facts.graph.resource(caller)?;
    let id = caller.after.as_ref().and_then(|after| after.get("account_id"));
    Some(match id.filter(|id| !id.sensitive).and_then(Value::as_str) {
        Some(id) => quoted(id),
        None => format!("{}.account_id", local(caller, of)),
    })
}

/// The calls of models that stay under the one guardrail that there is.
pub(super) fn guarded(facts: &Facts<'_>, node: NodeId, actions: &[String]) -> Option<String> {
    let ours = |node: &&NodeId| facts.graph.resource(**node).is_some_and(Resource::is_ours);
    let mut all = facts.graph.by_type("aws_bedrock_guardrail").iter().filter(ours);
    let (Some(&guardrail), None) = (all.next(), all.next()) else { return None };
    let actions = actions.iter().map(|it| quoted(it)).collect();
    Some(format!(
        "{{ Effect = \"Deny\", Action = {}, Resource = \"*\", Condition = {{ StringNotEquals = {{ \"bedrock:GuardrailIdentifier\" = {} }} }} }}",
        list(actions),
        arn(facts, node, guardrail, "guardrail_arn", "")
    ))
}

/// What the workloads of a policy need in place of what it allows: of the services that `asked` are actions of.
pub(super) fn of_workloads(facts: &Facts<'_>, node: NodeId, asked: &[String]) -> Option<String> {
    let mut statements: Vec<String> = Vec::new();
    let roles = holders(facts, node)?;
    let mut any = false;
    for role in roles {
        let workloads = workloads(facts, role);
        if workloads.is_empty() {
            return None;
        }
        for workload in workloads {
            any = true;
            for need in needs(facts, node, workload)? {
                let is_asked =
                    |action: &&&str| asked.iter().any(|pattern| pattern::action_covers(pattern, action));
                let actions: Vec<String> =
                    need.actions.iter().filter(is_asked).map(|it| quoted(it)).collect();
                if actions.is_empty() || need.on.is_empty() {
                    continue;
                }
                let text = format!(
                    "{{ Effect = \"Allow\", Action = {}, Resource = {} }}",
                    list(actions),
                    list(need.on)
                );
                if !statements.contains(&text) {
                    statements.push(text);
                }
            }
        }
    }
    (any && !statements.is_empty() && statements.len() <= MAX).then(|| statements.join(", "))
}

/// The buckets that a knowledge base reads from, and no other.
pub(super) fn own_sources(facts: &Facts<'_>, node: NodeId) -> Option<String> {
    let needs = needs(facts, node, node)?;
    let of_buckets = needs.into_iter().filter(|it| it.actions.iter().any(|action| action.starts_with("s3:")));
    let statements: Vec<String> = of_buckets
        .map(|need| {
            let actions = need.actions.iter().map(|it| quoted(it)).collect();
            format!("{{ Effect = \"Allow\", Action = {}, Resource = {} }}", list(actions), list(need.on))
        })
        .collect();
    (1..=MAX).contains(&statements.len()).then(|| statements.join(", "))
}

/// The roles that hold a policy; [`None`] if somebody else may hold it too.
pub(super) fn holders(facts: &Facts<'_>, node: NodeId) -> Option<Vec<NodeId>> {
    let graph = facts.graph;
    let type_of = |node: NodeId| graph.resource(node).map_or("", |it| it.type_name.as_str());
    let roles_from = |node: NodeId| {
        graph
            .edges(node, Direction::Outgoing)
            .map(|(_, target)| target)
            .filter(move |&it| type_of(it) == "aws_iam_role")
    };
    if facts.unfollowed_users(node).next().is_some() {
        return None;
    }
    let mut roles: Vec<NodeId> = match type_of(node) {
        "aws_iam_role" => vec![node],
        "aws_iam_role_policy" => roles_from(node).collect(),
        "aws_iam_policy" => {
            let mut roles = Vec::new();
            for (_, source) in graph.edges(node, Direction::Incoming) {
                match type_of(source) {
                    "aws_iam_role" => roles.push(source),
                    "aws_iam_role_policy_attachment" | "aws_iam_role_policy_attachments_exclusive" => {
                        roles.extend(roles_from(source));
                    }
                    _ => return None,
                }
            }
            roles
        }
        _ => return None,
    };
    roles.sort_unstable();
    roles.dedup();
    (1..=MAX).contains(&roles.len()).then_some(roles)
}

/// What runs as a role.
fn workloads(facts: &Facts<'_>, role: NodeId) -> Vec<NodeId> {
    let edges = facts.graph.edges(role, Direction::Incoming);
    let mut all: Vec<NodeId> =
        edges.filter(|(edge, _)| edge.kind == LinkKind::Identity).map(|(_, source)| source).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// What a workload needs, of the services that documents name; [`None`] of a kind that is not understood, or where a part
/// is not known. From the pages on service roles of agents and of knowledge bases in the user guide of Bedrock.
fn needs(facts: &Facts<'_>, of: NodeId, workload: NodeId) -> Option<Vec<Need>> {
    const CALL: &[&str] = &["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"];
    let graph = facts.graph;
    let resource = graph.resource(workload)?;
    if facts.unfollowed_users(workload).next().is_some() {
        return None;
    }
    let mut needs = Vec::new();
    let around = |type_name: &'static str| {
        let sources =
            graph.edges(workload, Direction::Incoming).filter(|(edge, _)| edge.kind == LinkKind::Attachment);
        sources.map(|(_, source)| source).filter(move |&it| {
            graph.resource(it).is_some_and(|it| it.type_name == type_name && !it.is_deleted())
        })
    };
    let to = |node: NodeId, type_name: &'static str| {
        let targets = graph.edges(node, Direction::Outgoing).map(|(_, target)| target);
        targets.filter(move |&it| graph.resource(it).is_some_and(|it| it.type_name == type_name))
    };
    match resource.type_name.as_str() {
        "aws_bedrockagent_agent" => {
            needs.push(Need { actions: CALL, on: models(facts, of, resource, "foundation_model")? });
            let guardrails = to(workload, "aws_bedrock_guardrail");
            let on: Vec<_> = guardrails.map(|it| arn(facts, of, it, "guardrail_arn", "")).collect();
            if on.is_empty() && is_set(resource, "guardrail_configuration") {
                return None;
            }
            needs.push(Need { actions: &["bedrock:ApplyGuardrail"], on });
            for it in around("aws_bedrockagent_agent_knowledge_base_association") {
                let on: Vec<_> = to(it, "aws_bedrockagent_knowledge_base")
                    .map(|it| arn(facts, of, it, "arn", ""))
                    .collect();
                if on.is_empty() {
                    return None;
                }
                needs.push(Need { actions: &["bedrock:Retrieve"], on });
            }
            for it in around("aws_bedrockagent_agent_action_group") {
                let on = to(it, "aws_s3_bucket").map(|it| arn(facts, of, it, "arn", "/*")).collect();
                needs.push(Need { actions: &["s3:GetObject"], on });
            }
            // It calls others, and what they are is not looked at.
            if around("aws_bedrockagent_agent_collaborator").next().is_some() {
                return None;
            }
        }
        "aws_bedrockagent_knowledge_base" => {
            let model =
                "knowledge_base_configuration.vector_knowledge_base_configuration.embedding_model_arn";
            needs.push(Need { actions: &["bedrock:InvokeModel"], on: models(facts, of, resource, model)? });
            for it in around("aws_bedrockagent_data_source") {
                let buckets: Vec<NodeId> = to(it, "aws_s3_bucket").collect();
                let [bucket] = buckets.as_slice() else { return None };
                needs
                    .push(Need { actions: &["s3:ListBucket"], on: vec![arn(facts, of, *bucket, "arn", "")] });
                needs.push(Need {
                    actions: &["s3:GetObject"],
                    on: vec![arn(facts, of, *bucket, "arn", "/*")],
                });
            }
            let secrets = to(workload, "aws_secretsmanager_secret");
            let on = secrets.map(|it| arn(facts, of, it, "arn", "")).collect();
            needs.push(Need { actions: &["secretsmanager:GetSecretValue"], on });
        }
        _ => return None,
    }
    Some(needs)
}

fn is_set(resource: &Resource, attribute: &str) -> bool {
    resource.after.as_ref().and_then(|after| after.get(attribute)).is_some_and(|it| !it.is_absent())
}

/// The resources that a call of the model at `path` is made on.
fn models(facts: &Facts<'_>, of: NodeId, resource: &Resource, path: &str) -> Option<Vec<String>> {
    const HOLE: char = '\u{1}';
    let mut values: Vec<&Value> = Vec::new();
    resource.after.as_ref()?.each_at(path, &mut |value| values.push(value));
    let [value] = values.as_slice() else { return None };
    if value.sensitive {
        return None;
    }
    let region = residency::region_of(facts.graph, resource);
    let region = region.as_str().filter(|_| !region.sensitive).unwrap_or("*");
    let of_reference = || {
        let reference = value.reference.as_ref()?;
        let model = facts.graph.named(&reference.resource)?;
        let is_model = matches!(
            model.type_name.as_str(),
            "aws_bedrock_foundation_model"
                | "aws_bedrock_custom_model"
                | "aws_bedrock_provisioned_model_throughput"
        );
        let spelled = format!("{}.{}", local(model, facts.graph.resource(of)?), reference.attribute);
        (is_model && reference.attribute.ends_with("arn")).then_some(vec![spelled])
    };
    let Some(text) = Text::of_value(value) else {
        return of_reference();
    };
    let id = text.with_holes(HOLE);
    let (head, name) = if id.starts_with("arn:") {
        let (head, name) = id.split_once('/')?;
        (head.replace(HOLE, "*"), name)
    } else {
        (String::new(), id.as_str())
    };
    if name.is_empty()
        || name.contains([HOLE, '*', '?', '/'])
        || head.contains("application-inference-profile")
    {
        return None;
    }
    let partition = partition(region);
    let geography =
        name.split_once('.').filter(|(first, rest)| GEOGRAPHIES.contains(first) && rest.contains('.'));
    Some(match geography {
        // A call through a profile is also one of the model, wherever it runs.
        Some((_, model)) => {
            let profile = if head.is_empty() {
                format!("arn:{partition}:bedrock:{region}:*:inference-profile")
            } else {
                head
            };
            vec![
                quoted(&format!("{profile}/{name}")),
                quoted(&format!("arn:{partition}:bedrock:*::foundation-model/{model}")),
            ]
        }
        None if head.is_empty() => {
            vec![quoted(&format!("arn:{partition}:bedrock:{region}::foundation-model/{name}"))]
        }
        None => vec![quoted(&format!("{head}/{name}"))],
    })
}

/// What the ids of profiles begin with that AWS makes.
const GEOGRAPHIES: [&str; 8] = ["apac", "au", "ca", "eu", "global", "jp", "us", "us-gov"];

fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

/// An ARN as the policy at `of` would have it: known, or as a reference, with what is below it.
fn arn(facts: &Facts<'_>, of: NodeId, target: NodeId, attribute: &str, below: &str) -> String {
    let (Some(of), Some(target)) = (facts.graph.resource(of), facts.graph.resource(target)) else {
        return String::new();
    };
    let value = target.after.as_ref().and_then(|after| after.get(attribute)).filter(|it| !it.sensitive);
    match value.and_then(Value::as_str) {
        Some(known) => quoted(&format!("{known}{below}")),
        None if below.is_empty() => format!("{}.{attribute}", local(target, of)),
        None => format!("\"${{{}.{attribute}}}{below}\"", local(target, of)),
    }
}

/// The address as it is written in the module of `of`.
fn local(resource: &Resource, of: &Resource) -> String {
    let inner =
        resource.address.strip_prefix(resource.module.as_str()).filter(|_| resource.module == of.module);
    inner.map_or(resource.address.as_str(), |it| it.trim_start_matches('.')).to_owned()
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// One text, or a list of them.
fn list(items: Vec<String>) -> String {
    match <[String; 1]>::try_from(items) {
        Ok([one]) => one,
        Err(items) => format!("[{}]", items.join(", ")),
    }
}
