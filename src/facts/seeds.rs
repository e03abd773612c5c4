//! What is AI by itself, and why: by its type, as an identity whose documents name AI services, as a machine with an
//! accelerator, as the way into a network to an AI service, or because its tags say so.

use smol_str::{SmolStr, format_smolstr};

use crate::catalog::{self, Ai, Catalog};
use crate::config::{AiScope, Config, TagPattern};
use crate::graph::ResourceGraph;
use crate::iam::questions::names;
use crate::iam::{AI_ACTION_PREFIXES, Statement};
use crate::program::{Mode, Resource};
use crate::value::json::{self, Dialect};
use crate::value::{Map, Value};

use super::iam::{Policies, azure, google, is_about_regions};
use super::tags::means;

/// Why a resource is AI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seed {
    /// Its type is.
    Type,
    /// Its documents name AI services.
    Policy,
    /// A policy of an organisation that says where requests of every service may go.
    Regions,
    /// It hands on what happens in AI services.
    Events,
    /// It runs on this: `p4d.24xlarge`.
    Accelerator(SmolStr),
    /// It is the way to this service: `com.amazonaws.eu-west-1.bedrock-runtime`.
    Endpoint(SmolStr),
    /// A tag says so: `ai-risk-tier = high`.
    Tag(SmolStr),
}

impl Seed {
    /// Whether it is AI of itself; else somebody only says that it belongs to AI.
    pub(super) fn is_direct(&self) -> bool {
        !matches!(self, Self::Tag(_) | Self::Regions | Self::Events)
    }

    /// In words, where the type does not say it.
    pub(super) fn reason(&self) -> Option<SmolStr> {
        Some(match self {
            Self::Type => return None,
            Self::Policy => SmolStr::new_static("its documents name AI services"),
            Self::Regions => SmolStr::new_static("it says in which regions services may be used"),
            Self::Events => SmolStr::new_static("its pattern names events of AI services"),
            Self::Accelerator(machine) => format_smolstr!("it runs on an accelerator: {machine}"),
            Self::Endpoint(service) => format_smolstr!("it leads to {service}"),
            Self::Tag(tag) => format_smolstr!("its tags say so: {tag}"),
        })
    }

    /// That of a resource, if it is one.
    pub(super) fn of(config: &Config, resource: &Resource, held: Option<&Policies>) -> Option<Self> {
        if Catalog::get().kind(&resource.type_name).is_some_and(|info| info.ai == Ai::Direct) {
            return Some(Self::Type);
        }
        if is_manifest_of_ai(resource) || is_chart_of_ai(resource) || azure::is_made_ai(resource) {
            return Some(Self::Type);
        }
        if held.is_some_and(Policies::name_ai)
            || attaches_policy_of_ai(resource)
            || azure::names_ai(resource)
            || google::names_ai(resource)
        {
            return Some(Self::Policy);
        }
        if let Some(seed) = held.filter(|_| resource.type_name == ORGANISATION).and_then(of_organisation) {
            return Some(seed);
        }
        let after = resource.after.as_ref().filter(|_| resource.mode == Mode::Managed)?;
        if hands_on_events_of_ai(&resource.type_name, after) {
            return Some(Self::Events);
        }
        machine(&resource.type_name, after)
            .map(Self::Accelerator)
            .or_else(|| endpoint(&resource.type_name, after).map(Self::Endpoint))
            .or_else(|| {
                // Its own: a tag that the provider gives to all says nothing of any one of them.
                let tag = tagged(config, [after.get("tags")], &config.ai_scope.include)?;
                // A tier that says there is none brings nothing in.
                (!tag.ends_with("= none")).then_some(Self::Tag(tag))
            })
    }
}

/// What a policy of an organisation says of AI: services by name, or the regions of all.
const ORGANISATION: &str = "aws_organizations_policy";

fn of_organisation(held: &Policies) -> Option<Seed> {
    let names_ai = |statement: &Statement| names(statement, &AI_ACTION_PREFIXES);
    let is_named = held.of_organisation().any(names_ai).then_some(Seed::Policy);
    is_named.or_else(|| held.of_organisation().any(is_about_regions).then_some(Seed::Regions))
}

/// The tag by which the configuration leaves a resource out of AI scope, also one that the provider gives to all.
pub(super) fn left_out(graph: &ResourceGraph, config: &Config, resource: &Resource) -> Option<SmolStr> {
    let AiScope { exclude, .. } = &config.ai_scope;
    let after = resource.after.as_ref().filter(|_| !exclude.is_empty())?;
    let provider = resource.provider.and_then(|at| graph.providers.get(at));
    let defaults = provider.map(|provider| &provider.default_tags);
    tagged(config, [after.get("tags"), after.get("tags_all"), defaults], exclude)
}

/// The first of these tags that a pattern names, as `name = value`. The stronger layers come first.
fn tagged<'v>(
    config: &Config,
    layers: impl IntoIterator<Item = Option<&'v Value>>,
    patterns: &[TagPattern],
) -> Option<SmolStr> {
    let mut seen: Vec<&str> = Vec::new();
    for (key, value) in layers.into_iter().flatten().filter_map(Value::map).flat_map(Map::iter) {
        // The strongest layer says what the tag is.
        if seen.contains(&key.as_str()) {
            continue;
        }
        let Some(text) = value.as_str() else { continue };
        let is_named = |pattern: &TagPattern| means(&config.tags, key, &pattern.name) && pattern.takes(text);
        if !value.sensitive && patterns.iter().any(is_named) {
            return Some(format_smolstr!("{key} = {text}"));
        }
        seen.push(key);
    }
    None
}

/// Whether a manifest makes an object of a kind that is AI: `kubernetes_manifest[ray.io/v1 RayCluster]` in the catalog, in
/// whatever version of its API.
fn is_manifest_of_ai(resource: &Resource) -> bool {
    const MANIFEST: &str = "kubernetes_manifest";
    let manifest = resource.after.as_ref().filter(|_| resource.type_name == MANIFEST);
    let text = |name: &str| manifest?.get("manifest")?.get(name)?.as_str();
    let (Some(version), Some(kind)) = (text("apiVersion"), text("kind")) else { return false };
    let group = version.split('/').next().unwrap_or_default();
    Catalog::get().kinds_of(MANIFEST).any(|(of, info)| {
        let is_it = |(other, its): (&str, &str)| its == kind && other.split('/').next() == Some(group);
        info.ai == Ai::Direct && of.split_once(' ').is_some_and(is_it)
    })
}

/// Whether it installs a chart that is AI: `helm_release[qdrant]` in the catalog. A chart may be named with its repository.
fn is_chart_of_ai(resource: &Resource) -> bool {
    const RELEASE: &str = "helm_release";
    let after = resource.after.as_ref().filter(|_| resource.type_name == RELEASE);
    let Some(chart) = after.and_then(|after| after.get("chart")?.as_str()) else { return false };
    let chart = chart.rsplit('/').next().unwrap_or(chart);
    Catalog::get().kinds_of(RELEASE).any(|(of, info)| info.ai == Ai::Direct && of == chart)
}

/// Whether it attaches a policy that AWS manages for an AI service: `AmazonBedrockFullAccess`.
fn attaches_policy_of_ai(resource: &Resource) -> bool {
    const SERVICES: [&str; 9] = [
        "Bedrock",
        "SageMaker",
        "Comprehend",
        "Kendra",
        "Lex",
        "QBusiness",
        "Rekognition",
        "Textract",
        "Transcribe",
    ];
    let attaches = matches!(
        resource.type_name.as_str(),
        "aws_iam_policy_attachment"
            | "aws_iam_role_policy_attachment"
            | "aws_iam_user_policy_attachment"
            | "aws_iam_group_policy_attachment"
    );
    let arn =
        resource.after.as_ref().filter(|_| attaches).and_then(|after| after.get("policy_arn")?.as_str());
    let name =
        arn.and_then(|arn| arn.split_once(":iam::aws:policy/")).and_then(|(_, name)| name.rsplit('/').next());
    let name = name.map(|name| name.strip_prefix("Amazon").unwrap_or(name));
    name.is_some_and(|name| SERVICES.iter().any(|service| name.starts_with(service)))
}

/// Whether it is a rule of EventBridge for what AI services tell of themselves: `"source": ["aws.bedrock"]`.
fn hands_on_events_of_ai(type_name: &str, after: &Value) -> bool {
    if type_name != "aws_cloudwatch_event_rule" {
        return false;
    }
    let pattern = after.get("event_pattern").and_then(|text| json::told(text, Dialect::Terraform));
    let sources = pattern.as_ref().and_then(|pattern| pattern.get("source")?.items()).unwrap_or_default();
    sources.iter().filter_map(|source| source.as_str()?.strip_prefix("aws.")).any(is_service_of_ai)
}

/// Whether it is the name of an AI service, or of a part of one: `bedrock-runtime`.
fn is_service_of_ai(name: &str) -> bool {
    let rest = |ai: &str| name.strip_prefix(ai).map(|rest| rest.is_empty() || rest.starts_with('-'));
    AI_ACTION_PREFIXES.iter().any(|ai| rest(ai) == Some(true))
}

/// The accelerated machine that it runs on, as far as its configuration says.
fn machine(type_name: &str, after: &Value) -> Option<SmolStr> {
    let controls = Catalog::get().controls(type_name).iter();
    let mut paths =
        controls.filter(|control| control.name == "instance-type").map(|control| control.attribute);
    let mut found = Vec::new();
    paths
        .find_map(|path| {
            after.each_at(path, &mut |value| found.extend(value.as_str()));
            found.drain(..).find(|text| catalog::accelerator(text).is_some() || is_accelerated_image(text))
        })
        .map(SmolStr::from)
        .or_else(|| google_machine(type_name, after))
        .or_else(|| asks_for_gpu(type_name, after).then(|| SmolStr::new_static("GPU")))
        .or_else(|| type_name.starts_with("kubernetes_").then(|| pod_device(after, 0)).flatten())
}

/// The accelerator that a machine of Google has: one that is added to it, or that its family comes with.
fn google_machine(type_name: &str, after: &Value) -> Option<SmolStr> {
    const FAMILIES: [&str; 11] =
        ["a2-", "a3-", "a4-", "a4x-", "ct3-", "ct4p-", "ct5l-", "ct5lp-", "ct5p-", "ct6e-", "g2-"];
    let node = match type_name {
        "google_container_cluster" | "google_container_node_pool" => "node_config.",
        "google_compute_instance" | "google_compute_instance_template" => "",
        _ => return None,
    };
    let mut found = Vec::new();
    after.each_at(&format!("{node}guest_accelerator.type"), &mut |value| found.extend(value.as_str()));
    let is_added = !found.is_empty();
    if !is_added {
        after.each_at(&format!("{node}machine_type"), &mut |value| found.extend(value.as_str()));
        found.retain(|machine| FAMILIES.iter().any(|family| machine.starts_with(family)));
    }
    found.first().copied().map(SmolStr::from)
}

/// An image of EKS nodes: `AL2023_x86_64_NVIDIA`.
fn is_accelerated_image(text: &str) -> bool {
    ["_GPU", "_NVIDIA", "_NEURON"].iter().any(|end| text.ends_with(end))
}

/// Whether a container asks for a GPU, or for a device of Inferentia or Trainium.
fn asks_for_gpu(type_name: &str, after: &Value) -> bool {
    let attribute = match type_name {
        "aws_ecs_task_definition" => "container_definitions",
        "aws_batch_job_definition" => "container_properties",
        _ => return false,
    };
    let document = after.get(attribute).and_then(|text| json::told(text, Dialect::Terraform));
    let Some(document) = document else { return false };
    let containers = document.items().unwrap_or(std::slice::from_ref(&document));
    containers.iter().any(|container| {
        let list = |value: Option<&'_ Value>| value.and_then(Value::items).unwrap_or_default().to_vec();
        let is = |value: &Value, name: &str, wanted: &dyn Fn(&str) -> bool| {
            value.get(name).and_then(Value::as_str).is_some_and(wanted)
        };
        list(container.get("resourceRequirements")).iter().any(|item| is(item, "type", &|text| text == "GPU"))
            || list(container.get("linuxParameters").and_then(|parameters| parameters.get("devices")))
                .iter()
                .any(|item| is(item, "hostPath", &|text| text.starts_with("/dev/neuron")))
    })
}

/// Devices that a container of Kubernetes asks for by name, and what they begin with where they come in parts.
const DEVICES: [&str; 6] = [
    "amd.com/gpu",
    "aws.amazon.com/neuron",
    "google.com/tpu",
    "gpu.intel.com/",
    "habana.ai/gaudi",
    "nvidia.com/",
];

/// No object of Kubernetes is deeper.
const MAX_DEPTH: usize = 16;

/// The device that a container somewhere in an object of Kubernetes asks for.
fn pod_device(value: &Value, depth: usize) -> Option<SmolStr> {
    if depth == MAX_DEPTH {
        return None;
    }
    let inner = value.items().into_iter().flatten().find_map(|item| pod_device(item, depth + 1));
    inner.or_else(|| {
        value.map()?.iter().find_map(|(key, item)| {
            let asked =
                || item.map()?.keys().find(|name| DEVICES.iter().any(|it| name.starts_with(it))).cloned();
            let own = if matches!(key.as_str(), "limits" | "requests") { asked() } else { None };
            own.or_else(|| pod_device(item, depth + 1))
        })
    })
}

/// The AI service that a VPC endpoint leads to.
fn endpoint(type_name: &str, after: &Value) -> Option<SmolStr> {
    if type_name != "aws_vpc_endpoint" {
        return None;
    }
    let name = after.get("service_name")?.as_str()?;
    // `com.amazonaws.eu-west-1.bedrock-runtime`, `aws.sagemaker.eu-west-1.notebook`
    name.split('.').any(is_service_of_ai).then(|| SmolStr::from(name))
}
