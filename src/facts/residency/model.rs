//! From the id of a model or profile to the regions that process its prompts: through application profiles, routers and
//! data sources.

use smol_str::SmolStr;

use crate::facts::Facts;
use crate::graph::{NodeId, ResourceGraph};
use crate::iam::Text;
use crate::program::{Mode, Resource};
use crate::residency::{self as places, HOLE, UNCLASSIFIED};
use crate::source::Site;
use crate::value::{Cause, Value};

use super::flow::{Place, Target, Ways, cause, in_region, named, to_destinations, values};
use super::{region_of, region_of_arn};

/// A profile is copied from another one, and that from no third: this is more than enough.
const MAX_STEPS: usize = 8;
/// A prompt router has a handful of models.
const MAX_TARGETS: usize = 64;

/// Resources that stand for the models that other attributes of them name.
const STANDS_FOR: [(&str, &[&str]); 3] = [
    ("aws_bedrock_inference_profile", &["model_source.copy_from"]),
    ("awscc_bedrock_application_inference_profile", &["model_source.copy_from"]),
    ("awscc_bedrock_intelligent_prompt_router", &["models.model_arn", "fallback_model.model_arn"]),
];

/// Resources that are a model, in their own region.
const MODELS: [&str; 6] = [
    "aws_bedrock_custom_model",
    "aws_bedrock_custom_models",
    "aws_bedrock_foundation_model",
    "aws_bedrock_foundation_models",
    "aws_bedrock_provisioned_model_throughput",
    "aws_bedrock_marketplace_model_endpoint",
];

/// Where the id of a model sends prompts; [`None`] if what decides is in a part that is not known.
pub(in crate::facts) type OfModel = Option<Place>;

/// Where prompts go by a value that names a model. `origin` becomes the place where it is written what decides.
pub(super) fn targets(
    facts: &Facts<'_>,
    node: NodeId,
    path: &str,
    value: &Value,
    (origin, ways): (&mut Option<Site>, Ways),
) -> Vec<Target> {
    let mut walk = Walk { facts, origin, ways, targets: Vec::new() };
    walk.value(node, path, value, &mut Vec::new());
    walk.targets
}

/// Whether a value that may be anything can name a model: it is text with a known part, or one of the resources that do.
pub(super) fn may_be_one(graph: &ResourceGraph, value: &Value) -> bool {
    let named = value.reference.as_ref().and_then(|reference| graph.named(&reference.resource));
    let is_profile = |resource: &Resource| STANDS_FOR.iter().any(|(name, _)| *name == resource.type_name);
    if let Some(resource) = named {
        return is_profile(resource);
    }
    let Some(text) = Text::of_value(value) else { return false };
    matches!(places::partial_model_geography(&text.with_holes(HOLE)), Ok(Some(it)) if it != UNCLASSIFIED)
}

struct Walk<'w, 'g> {
    facts: &'w Facts<'g>,
    origin: &'w mut Option<Site>,
    ways: Ways,
    targets: Vec<Target>,
}

impl Walk<'_, '_> {
    fn value(&mut self, node: NodeId, path: &str, value: &Value, steps: &mut Vec<SmolStr>) {
        if self.targets.len() >= MAX_TARGETS {
            return;
        }
        // A text around the id of a model may name another region; one around a profile is that profile.
        let is_it = |resource: &&Resource| {
            is_model(resource)
                && (value.reference.is_some() || !MODELS.contains(&resource.type_name.as_str()))
        };
        match named(self.facts.graph, node, path, value).filter(is_it) {
            Some(resource) if steps.len() < MAX_STEPS => {
                steps.push(resource.address.clone());
                self.resource(resource, value, steps);
                steps.pop();
            }
            _ => self.text(value, steps),
        }
    }

    fn resource(&mut self, resource: &Resource, value: &Value, steps: &mut Vec<SmolStr>) {
        let graph = self.facts.graph;
        if MODELS.contains(&resource.type_name.as_str()) {
            let region = region_of(graph, resource);
            // Where even this is not known, it is that of who uses it: no model is used across regions.
            return self.push(steps, region.as_str().map_or(Place::Here, in_region));
        }
        let Some(after) = &resource.after else { return self.push(steps, Place::Untold(cause(value))) };
        // What the service says of a profile that is there is exact.
        let mut models = Vec::new();
        values(after, &["models", "model_arn"], true, &mut models);
        let regions: Option<Vec<_>> = models
            .iter()
            .map(|(arn, _)| places::region("aws", region_of_arn(arn.as_str()?)?))
            .collect::<Option<Vec<_>>>()
            .filter(|regions| !regions.is_empty());
        if let Some(regions) = regions.filter(|_| !resource.type_name.starts_with("awscc_")) {
            return self.push(steps, Place::Regions(regions.into()));
        }
        if resource.mode == Mode::Data {
            let id = ["inference_profile_id", "inference_profile_arn"].into_iter();
            let mut id = id.filter_map(|name| after.get(name)).filter(|id| Text::of_value(id).is_some());
            return match id.next() {
                Some(id) => self.text(id, steps),
                None => self.push(steps, Place::Untold(cause(value))),
            };
        }
        let paths = STANDS_FOR.iter().find(|(name, _)| *name == resource.type_name).map(|(_, paths)| *paths);
        let Some(node) = graph.by_address(&resource.address) else { return };
        for path in paths.into_iter().flatten() {
            let mut copied = Vec::new();
            values(after, &path.split('.').collect::<Vec<_>>(), true, &mut copied);
            for (value, _) in copied {
                *self.origin = value.origin.filter(|_| !value.sensitive).or(*self.origin);
                for one in value.choices() {
                    self.value(node, path, &one, steps);
                }
            }
        }
    }

    fn text(&mut self, value: &Value, steps: &[SmolStr]) {
        let Some(text) = Text::of_value(value) else {
            return self.push(steps, Place::Untold(cause(value)));
        };
        let place = match text.as_str() {
            Some("") => return,
            // The same few models are used everywhere.
            Some(id) => self.facts.models.get(id, of_id),
            None => of_id(&text.with_holes(HOLE)),
        };
        let place = place.unwrap_or_else(|| Place::Untold(text.cause()));
        if self.ways == Ways::Told {
            let steps = [steps, &[shown(value, &text.with_holes(HOLE)).into()]].concat();
            return self.push(&steps, place);
        }
        self.push(steps, place);
    }

    fn push(&mut self, steps: &[SmolStr], to: Place) {
        let steps = if self.ways == Ways::Told { steps.to_vec() } else { Vec::new() };
        self.targets.push(Target { steps, to });
    }
}

/// Where the id or ARN of a model, profile or guardrail sends prompts. Parts of it may be [`HOLE`]s.
fn of_id(id: &str) -> OfModel {
    Some(match places::partial_model_geography(id).ok()? {
        Some(geography) => to_geography(id, geography),
        None => match region_of_arn(id) {
            Some(region) if !region.contains(HOLE) => in_region(region),
            None if !id.starts_with("arn:") && !id.contains('.') => {
                Place::Untold(Cause::Other("the id does not tell which model it is".into()))
            }
            _ => Place::Here,
        },
    })
}

/// Whether the resource is a model or stands for models.
fn is_model(resource: &Resource) -> bool {
    let name = resource.type_name.as_str();
    MODELS.contains(&name)
        || STANDS_FOR.iter().any(|(known, _)| *known == name)
        || name == "aws_bedrock_inference_profiles"
}

fn to_geography(id: &str, geography: &str) -> Place {
    let service = if id.contains(".guardrail.") { "guardrail" } else { "model" };
    match places::route(service, geography) {
        Some(route) => to_destinations(route),
        None => Place::Untold(Cause::Other("the id does not tell where its requests go".into())),
    }
}

/// An id as a step of a way: without what stands before its name in an ARN.
fn shown(value: &Value, id: &str) -> String {
    if value.sensitive {
        return "(sensitive)".to_owned();
    }
    let name = if id.starts_with("arn:") { id.rsplit(['/', ':']).next().unwrap_or(id) } else { id };
    // Versions of models are written with a colon.
    let name = id
        .find("profile/")
        .or_else(|| id.find("-model/"))
        .map_or(name, |at| id.get(at..).and_then(|rest| rest.split_once('/')).map_or(name, |(_, name)| name));
    name.replace(HOLE, "…")
}
