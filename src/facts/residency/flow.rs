//! What leaves a resource: the values of the attributes in the table of flows, and the places that they name.

use std::borrow::Cow;
use std::sync::Arc;

use petgraph::Direction;
use smol_str::SmolStr;

use crate::facts::Facts;
use crate::graph::{NodeId, ResourceGraph};
use crate::iam::Text;
use crate::program::{Mode, Resource};
use crate::residency::{self as places, FlowRule, HOLE, Names, Region, Route};
use crate::source::Site;
use crate::value::{Cause, Step, Times, Unknown, Value};

use super::{model, region, region_of, region_of_arn, region_of_zone};

/// More values of one attribute are not looked at.
const MAX_VALUES: usize = 256;

/// Data of a resource that goes somewhere.
#[derive(Clone, Debug)]
pub struct Flow {
    /// The line of the table.
    pub rule: &'static FlowRule,
    /// It is there whenever the resource is.
    pub sure: bool,
    /// Where it goes: for each value that the attribute may have, all places that it names.
    pub targets: Vec<Vec<Target>>,
    /// Where the value was written that decides.
    pub origin: Option<Site>,
    /// The way that the value came.
    pub via: Option<Arc<Step>>,
}

/// A place that data may go to, and the way to it.
#[derive(Clone, Debug)]
pub struct Target {
    /// Addresses and ids on the way, nearest first.
    pub steps: Vec<SmolStr>,
    /// The place.
    pub to: Place,
}

/// Where data goes.
#[derive(Clone, Debug)]
pub enum Place {
    /// It stays in the region of the resource.
    Here,
    /// One of these regions.
    Regions(Cow<'static, [&'static Region]>),
    /// Any region of the cloud.
    Anywhere,
    /// A third party, who knows where.
    Party(&'static str),
    /// It cannot be told.
    Untold(Cause),
}

/// Whether the ways are told, or only where they end: to tell them takes longer.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::facts) enum Ways {
    Told,
    Untold,
}

/// What leaves the resource by the table of flows, in its order.
pub fn flows_of(facts: &Facts<'_>, node: NodeId) -> Vec<Flow> {
    flows_by(facts, node, Ways::Told)
}

/// [`flows_of`] a resource.
pub(in crate::facts) fn flows_by(facts: &Facts<'_>, node: NodeId, ways: Ways) -> Vec<Flow> {
    let (Some(resource), Some(of_type)) = (facts.graph.resource(node), facts.of_type(node)) else {
        return Vec::new();
    };
    let Some(after) = &resource.after else { return Vec::new() };
    let (mut flows, mut found) = (Vec::new(), Vec::new());
    for rule in of_type.flows {
        values(after, &rule.steps, true, &mut found);
        for (value, sure) in found.drain(..) {
            let is_exception = !rule.except.is_empty() && value.as_str() == Some(rule.except);
            // What nobody set sends nothing.
            if is_exception || of_type.is_unset(resource, rule.path, value) {
                continue;
            }
            let mut origin = value.origin.filter(|_| !value.sensitive);
            let mut to = |one: &Value| target(facts, (node, resource), rule, one, (&mut origin, ways));
            let targets: Vec<_> = match value.as_unknown().and_then(Unknown::alternatives) {
                Some(_) => value.choices().iter().map(to).collect(),
                None => vec![to(value)],
            };
            if targets.iter().any(|group| !group.is_empty()) {
                flows.push(Flow { rule, sure, targets, origin, via: value.via.clone() });
            }
        }
    }
    flows
}

/// The values at a dotted path, through lists and maps, each with whether it is certainly there; without what is null.
pub(super) fn values<'v>(value: &'v Value, path: &[&str], sure: bool, out: &mut Vec<(&'v Value, bool)>) {
    if out.len() >= MAX_VALUES || value.is_null() {
        return;
    }
    if let Some(items) = value.items() {
        return items.iter().for_each(|item| values(item, path, sure, out));
    }
    if let Some(elements) = value.elements() {
        let each =
            |element: &'v crate::value::Element| (&element.value, sure && element.times == Times::Once);
        return elements.iter().map(each).for_each(|(value, sure)| values(value, path, sure, out));
    }
    let Some((step, rest)) = path.split_first().filter(|_| !value.is_unknown()) else {
        let all = value.as_unknown().and_then(Unknown::alternatives).filter(|_| !path.is_empty());
        return match all {
            Some(all) => all.iter().for_each(|one| values(one, path, false, out)),
            None => out.push((value, sure)),
        };
    };
    match value.map() {
        Some(map) if *step == "*" => map.values().for_each(|entry| values(entry, rest, sure, out)),
        Some(map) => map.get(step).into_iter().for_each(|entry| values(entry, rest, sure, out)),
        None => {}
    }
}

/// Where one value sends data; nothing if it names no place.
fn target(
    facts: &Facts<'_>,
    (node, resource): (NodeId, &Resource),
    rule: &FlowRule,
    value: &Value,
    (origin, ways): (&mut Option<Site>, Ways),
) -> Vec<Target> {
    let graph = facts.graph;
    let one = |steps: Vec<SmolStr>, to: Place| vec![Target { steps, to }];
    if value.is_null() || value.as_str() == Some("") {
        return Vec::new();
    }
    match rule.names {
        Names::Model => model::targets(facts, node, rule.path, value, (origin, ways)),
        Names::ModelIfClear => {
            let clear = |target: &Target| !matches!(target.to, Place::Untold(_) | Place::Here);
            let named = |target: &Target| target.steps.len() > 1 || clear(target);
            let mut targets = if model::may_be_one(graph, value) {
                model::targets(facts, node, rule.path, value, (origin, Ways::Told))
            } else {
                Vec::new()
            };
            targets.retain(named);
            targets
        }
        Names::Region => one(Vec::new(), by_name(value, whole)),
        Names::Zone => one(Vec::new(), by_name(value, region_of_zone)),
        Names::Itself => one(Vec::new(), by_name(&region(facts, node), whole)),
        Names::Party(party) => one(Vec::new(), Place::Party(party)),
        Names::PartyByType => match value.as_str() {
            Some(text) => party(text).map_or_else(Vec::new, |party| one(Vec::new(), Place::Party(party))),
            None => one(Vec::new(), Place::Untold(cause(value))),
        },
        Names::Service(service) => one(Vec::new(), of_service(service, &region(facts, node))),
        Names::Arn | Names::Bucket => {
            let (steps, to) = of_resource(graph, node, resource, rule, value);
            one(steps, to)
        }
    }
}

/// The region that a text names.
fn by_name(value: &Value, region: fn(&str) -> Option<&str>) -> Place {
    match value.as_str() {
        Some(text) => match region(text) {
            Some(name) => in_region(name),
            None if value.sensitive => {
                Place::Untold(Cause::Other("a sensitive value names no region".into()))
            }
            None => Place::Untold(Cause::Other(format!("`{text}` names no region").into())),
        },
        None => Place::Untold(cause(value)),
    }
}

/// The name of a region is all of the text.
#[expect(clippy::unnecessary_wraps, reason = "it stands beside functions that find a region in a text")]
fn whole(text: &str) -> Option<&str> {
    Some(text)
}

/// The region of that name.
pub(super) fn in_region(name: &str) -> Place {
    match places::region("aws", name) {
        Some(region) => Place::Regions(Cow::Owned(vec![region])),
        None => Place::Untold(Cause::Other("the region is not in the table of regions".into())),
    }
}

/// The third party that a kind of store or of source stands for.
fn party(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "PINECONE" => "Pinecone",
        "MONGO_DB_ATLAS" => "MongoDB Atlas",
        "REDIS_ENTERPRISE_CLOUD" => "Redis Enterprise Cloud",
        "CONFLUENCE" => "Confluence",
        "SALESFORCE" => "Salesforce",
        "SHAREPOINT" => "SharePoint",
        "WEB" => "web sites",
        _ => return None,
    })
}

/// Where a service that routes on its own processes what starts in a region.
fn of_service(service: &str, start: &Value) -> Place {
    let Some(name) = start.as_str() else { return Place::Untold(cause(start)) };
    if let Some(route) = places::route_from(service, name) {
        return to_destinations(route);
    }
    let name = if start.sensitive { "a region that is sensitive" } else { name };
    let text = format!("AWS does not say where the service processes what starts in {name}");
    Place::Untold(Cause::Other(text.into()))
}

/// Where a route leads.
pub(super) fn to_destinations(route: &'static Route) -> Place {
    route.destinations().map_or(Place::Anywhere, |regions| Place::Regions(Cow::Borrowed(regions)))
}

/// The region of the resource that a value names: of one that is managed here, or of its ARN.
fn of_resource(
    graph: &ResourceGraph,
    node: NodeId,
    resource: &Resource,
    rule: &FlowRule,
    value: &Value,
) -> (Vec<SmolStr>, Place) {
    let text = Text::of_value(value).map(|text| text.with_holes(HOLE));
    let of_arn = text.as_deref().and_then(region_of_arn).filter(|region| !region.contains(HOLE));
    if let Some(other) = named(graph, node, rule.path, value) {
        let steps = vec![other.address.clone()];
        let region = region_of(graph, other);
        if let Some(name) = region.as_str() {
            return (steps, in_region(name));
        }
        if let Some(name) = of_arn {
            return (steps, in_region(name));
        }
        // Whichever region it is, it is the same.
        let is_same = other.mode == Mode::Managed && other.provider == resource.provider;
        let own = region_of(graph, resource);
        if is_same && own.is_unknown() && region.is_unknown() && region.is_same(&own) {
            return (steps, Place::Here);
        }
        return (steps, Place::Untold(cause(&region)));
    }
    if let Some(name) = of_arn {
        return (Vec::new(), in_region(name));
    }
    let why = match (rule.names, value.as_str()) {
        // Such an ARN has no region: not of something that data is sent to.
        (Names::Arn, Some(_)) => return (Vec::new(), Place::Here),
        (_, Some(_)) => {
            Cause::Other("the bucket is not managed here, and its name does not tell its region".into())
        }
        (_, None) => cause(value),
    };
    (Vec::new(), Place::Untold(why))
}

/// The resource that a value at an attribute names, by reference or because a literal is its name.
pub(super) fn named<'g>(
    graph: &'g ResourceGraph,
    node: NodeId,
    path: &str,
    value: &Value,
) -> Option<&'g Resource> {
    let by_reference = |reference: &Arc<crate::value::Reference>| graph.named(&reference.resource);
    let direct = value.reference.as_ref().and_then(by_reference);
    let computed = || {
        let mut from = value.as_unknown()?.references().filter_map(by_reference);
        let first = from.next()?;
        // A text of several says of none that it is named.
        from.all(|other| other.address == first.address).then_some(first)
    };
    direct.or_else(computed).or_else(|| {
        let text = value.as_str()?;
        let edges = graph.edges(node, Direction::Outgoing).filter(|(edge, _)| edge.path == path);
        let mut ends = edges.filter_map(|(_, end)| graph.resource(end)).filter(|end| answers_to(end, text));
        let first = ends.next()?;
        ends.next().is_none().then_some(first)
    })
}

/// Whether a text is the ARN, id or name of a resource, or holds its name as ARNs and `s3://` URIs do.
fn answers_to(resource: &Resource, text: &str) -> bool {
    let is = |name: &str| {
        text == name
            || text.strip_prefix("s3://").is_some_and(|rest| rest.split('/').next() == Some(name))
            || text
                .strip_prefix("arn:")
                .and_then(|rest| rest.rsplit(':').next())
                .is_some_and(|tail| tail == name || tail.split('/').any(|part| part == name))
    };
    let after = resource.after.as_ref();
    let known = ["arn", "bucket", "id", "name"].into_iter();
    known.filter_map(|name| after?.get(name)?.as_str()).any(|name| !name.is_empty() && is(name))
}

/// Why a value is not known.
pub(super) fn cause(value: &Value) -> Cause {
    let unknown = || value.causes().into_iter().next().cloned();
    unknown().unwrap_or_else(|| Cause::Other("the value is not the name of a place".into()))
}
