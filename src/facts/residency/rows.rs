//! What the residency report says of each resource.

use crate::catalog::{Ai, Catalog, LinkKind};
use crate::facts::Facts;
use crate::graph::NodeId;
use crate::program::Resource;
use crate::residency::{self as places, FlowKind, flows};
use crate::value::{Cause, Truth, Value};

use super::judge::{name, of_flow, of_region, way};
use super::{By, Place, allowed, flows_of, is_global, region};

/// The residency report.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What was analysed.
    pub inputs: Vec<InputRows>,
    /// What could not be read: the report is not whole then.
    pub unsure: Vec<String>,
}

/// What the report says of one input.
#[derive(Clone, Debug)]
pub struct InputRows {
    /// Its path, as the user gave it.
    pub path: String,
    /// The resources that hold or process data, by address.
    pub rows: Vec<Row>,
}

/// A resource in the report.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its address.
    pub address: String,
    /// Its type, as the user wrote it.
    pub type_name: String,
    /// Where its data may be; [`None`] if nothing is promised, or it cannot be told.
    pub allowed: Option<Vec<String>>,
    /// Who says so.
    pub allowed_by: String,
    /// Where its data is at rest; [`None`] of a global service, or if it cannot be told.
    pub region: Option<String>,
    /// The jurisdiction of that region.
    pub jurisdiction: Option<&'static str>,
    /// Its service is in no region.
    pub global: bool,
    /// Whether its data is at rest where it may be.
    pub at_rest: Truth,
    /// Why that cannot be told.
    pub cause: Option<String>,
    /// What leaves it.
    pub leaves: Vec<Leaving>,
}

/// What leaves a resource.
#[derive(Clone, Debug)]
pub struct Leaving {
    /// The kind of flow.
    pub kind: FlowKind,
    /// What goes: `prompts and answers`.
    pub what: &'static str,
    /// The attribute that says so.
    pub attribute: &'static str,
    /// The ways, one for each place it may go to.
    pub ways: Vec<String>,
    /// The regions it may go to, sorted.
    pub regions: Vec<&'static str>,
    /// Whether that is where it may be.
    pub stays: Truth,
    /// Why that cannot be told.
    pub cause: Option<String>,
}

impl Row {
    /// The worst of all that is said of it; [`None`] if nothing is promised.
    pub fn verdict(&self) -> Option<Truth> {
        if self.allowed.is_none() && self.allowed_by.is_empty() {
            return None;
        }
        let all = || self.leaves.iter().map(|leaving| leaving.stays).chain([self.at_rest]);
        let has = |truth| all().any(|it| it == truth);
        Some(if has(Truth::No) {
            Truth::No
        } else if has(Truth::Maybe) {
            Truth::Maybe
        } else {
            Truth::Yes
        })
    }
}

/// The rows of all resources that hold or process data and are in scope, sorted by address.
pub fn rows(facts: &Facts<'_>) -> Vec<Row> {
    let nodes = facts.graph.graph.node_indices();
    let mut rows: Vec<Row> = nodes.filter_map(|node| row(facts, node)).collect();
    rows.sort_by(|a, b| a.address.cmp(&b.address));
    rows
}

fn row(facts: &Facts<'_>, node: NodeId) -> Option<Row> {
    let resource = facts.graph.resource(node)?;
    if !facts.is_subject(node) || !holds_data(resource) {
        return None;
    }
    let allowed = allowed(facts, node);
    let own = region(facts, node);
    let promised = !allowed.places.is_null();
    let at_rest = of_region(&own, &allowed.places);
    let leaves = flows_of(facts, node).into_iter().map(|flow| {
        let targets = || flow.targets.iter().flatten();
        let mut ways: Vec<String> = targets().map(way).collect();
        ways.dedup();
        let mut regions: Vec<&str> = targets()
            .flat_map(|target| match &target.to {
                Place::Regions(regions) => regions.iter().map(|region| region.name).collect(),
                _ => Vec::new(),
            })
            .collect();
        regions.sort_unstable();
        regions.dedup();
        let verdict = of_flow(&flow, &own, &allowed.places);
        Leaving {
            kind: flow.rule.kind,
            what: flow.rule.what,
            attribute: flow.rule.path,
            ways,
            regions,
            stays: if promised { verdict.truth } else { Truth::Yes },
            cause: verdict.cause.filter(|_| promised).as_ref().map(Cause::to_string),
        }
    });
    let leaves: Vec<Leaving> = leaves.filter(|leaving| !stays_by_nature(leaving)).collect();
    let text = own.as_str().filter(|_| !own.sensitive).map(str::to_owned);
    let told = text.as_deref().and_then(|name| places::region("aws", name));
    Some(Row {
        address: resource.address.to_string(),
        type_name: resource.native_type.clone().unwrap_or_else(|| resource.type_name.clone()).to_string(),
        allowed: list(&allowed.places),
        allowed_by: by(facts, allowed.by),
        jurisdiction: told.map(|region| region.jurisdiction),
        region: text,
        global: is_global(&resource.type_name),
        at_rest: if promised { at_rest.truth } else { Truth::Yes },
        cause: at_rest.cause.filter(|_| promised).as_ref().map(Cause::to_string),
        leaves,
    })
}

/// Whether the resource holds or processes data: it is AI, a store, a key, or has a flow.
fn holds_data(resource: &Resource) -> bool {
    let info = Catalog::get().kind(&resource.type_name);
    let is_store = |edge| matches!(edge, LinkKind::Data | LinkKind::Key);
    info.is_some_and(|info| info.ai == Ai::Direct || is_store(info.edge))
        || !flows(&resource.type_name).is_empty()
}

/// A model in its own region is no news.
fn stays_by_nature(leaving: &Leaving) -> bool {
    let here = name(&Place::Here);
    leaving.stays == Truth::Yes
        && leaving.regions.is_empty()
        && leaving.ways.iter().all(|way| way.ends_with(&here) && !way.contains("aws_"))
}

fn list(places: &Value) -> Option<Vec<String>> {
    if places.holds_sensitive() {
        return Some(vec!["(sensitive)".to_owned()]);
    }
    let items = places.items().filter(|_| places.is_wholly_known())?;
    Some(items.iter().filter_map(|place| Some(place.as_str()?.to_owned())).collect())
}

fn by(facts: &Facts<'_>, by: By) -> String {
    match by {
        By::Tag => "tag data-residency".to_owned(),
        By::TagOf(owner) => {
            let address = facts.graph.resource(owner).map_or("", |owner| owner.address.as_str());
            format!("tag data-residency of {address}")
        }
        By::Classification => "configuration, by classification".to_owned(),
        By::Configuration => "configuration".to_owned(),
        By::Nobody => String::new(),
    }
}
