//! The graph before a change: the same resources with their earlier objects, those that are created left out; and the graph
//! without what the source of a plan tells. They share all values with the graph after the change.

use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::{HashMap, HashSet};
use petgraph::graph::DiGraph;
use smol_str::{SmolStr, format_smolstr};

use super::{ResourceGraph, STEPS};
use crate::program::{Action, InputKind, Link, Mode, Resource};
use crate::value::{Kind, Map, Truth, Value, equal};

/// What an input tells of the time before.
#[derive(Debug)]
pub enum Before {
    /// Nothing: it is no plan and no preview, or one that does not say what it does to each resource.
    Untold,
    /// The change leaves everything as it is.
    Same,
    /// This was there.
    Other(Box<ResourceGraph>),
}

impl ResourceGraph {
    /// The graph before the change.
    pub fn before(&self) -> Before {
        let any = |is: fn(Action) -> bool| {
            let mut all = self.graph.node_weights();
            all.any(|resource| resource.mode == Mode::Managed && is(resource.action))
        };
        let tells = matches!(self.kind, InputKind::TerraformPlan | InputKind::PulumiPreview)
            || any(|action| action != Action::None);
        if !tells || any(|action| action == Action::None) {
            return Before::Untold;
        }
        if !any(Action::is_change_of_values) {
            return Before::Same;
        }
        Before::Other(Box::new(self.with(self.graph.node_weights().filter_map(earlier))))
    }

    /// The types of its resources: those that the change deletes too, and those that are only in the state as stored.
    pub fn types(&self) -> HashSet<&str> {
        let all = self.graph.node_weights().chain(&self.stored);
        all.map(|resource| resource.type_name.as_str()).collect()
    }

    /// The graph as the plan alone tells it; [`None`] if its source tells nothing more.
    pub fn untold(&self) -> Option<Self> {
        let all = self.graph.node_weights();
        let mut told = all.filter_map(|it| it.untold.as_deref().zip(it.after.as_ref())).peekable();
        told.peek()?;
        let alone = |resource: &Resource| {
            let after = resource.untold.as_deref().or(resource.after.as_ref()).cloned();
            Resource { after, untold: None, ..resource.clone() }
        };
        if told.any(|(untold, after)| tells_text(untold, after)) {
            return Some(self.with(self.graph.node_weights().map(alone)));
        }
        // What an expression names is told by the configuration, and only texts lead elsewhere: the edges are the same.
        Some(Self {
            graph: self.graph.map(|_, resource| alone(resource), |_, edge| edge.clone()),
            by_address: self.by_address.clone(),
            by_block: self.by_block.clone(),
            first_of_block: self.first_of_block.clone(),
            by_type: self.by_type.clone(),
            removed: self.removed.clone(),
            ..self.without_resources()
        })
    }

    /// What is not of its resources.
    fn without_resources(&self) -> Self {
        Self {
            providers: self.providers.clone(),
            unfollowed: self.unfollowed.clone(),
            calls: self.calls.clone(),
            kind: self.kind,
            document: self.document,
            ..Self::default()
        }
    }

    /// The graph with these resources instead, which are complete.
    fn with(&self, resources: impl Iterator<Item = Resource>) -> Self {
        // Of a plan that only creates there was nothing.
        let mut graph = DiGraph::with_capacity(resources.size_hint().0, 0);
        for resource in resources {
            graph.add_node(resource);
        }
        let mut this = Self { graph, ..self.without_resources() };
        // What the first steps settle and complete is so: they look at both sides of the change.
        for step in STEPS.iter().skip(2) {
            step(&mut this);
        }
        this
    }

    /// The graph of the state as it was stored, if refreshing it found something changed or gone: that is `before` with the
    /// objects as stored.
    pub fn stored(&self, before: &Before) -> Option<Self> {
        let refreshed = match before {
            Before::Untold => return None,
            Before::Same => self,
            Before::Other(before) => before,
        };
        if self.stored.is_empty() {
            return None;
        }
        let stored: HashMap<&str, &Resource> =
            self.stored.iter().map(|resource| (resource.address.as_str(), resource)).collect();
        let known =
            refreshed.graph.node_weights().map(|resource| match stored.get(resource.address.as_str()) {
                Some(stored) => as_stored(resource, stored),
                None => Resource { action: Action::None, ..resource.clone() },
            });
        // What was gone when the state was refreshed.
        let gone = self.stored.iter().filter(|gone| refreshed.by_address(&gone.address).is_none());
        let gone = gone.map(|gone| {
            let now = self.by_address(&gone.address).and_then(|node| self.resource(node));
            as_stored(now.unwrap_or(gone), gone)
        });
        Some(self.with(known.chain(gone)))
    }
}

/// Whether there is text in `told` where `untold`, which is the same else, is unknown.
fn tells_text(untold: &Value, told: &Value) -> bool {
    match (untold.map(), told.map(), untold.items(), told.items()) {
        (Some(untold), Some(told), ..) => told.iter().any(|(name, value)| {
            untold.get(name).map_or(has_text(value), |untold| tells_text(untold, value))
        }),
        (.., Some(untold), Some(told)) if untold.len() == told.len() => {
            untold.iter().zip(told).any(|(untold, told)| tells_text(untold, told))
        }
        _ => untold.is_unknown() && has_text(told),
    }
}

/// Whether some text in the value is known, or some of one.
fn has_text(value: &Value) -> bool {
    match (&value.kind, value.items(), value.map()) {
        (Kind::String(_), ..) => true,
        (Kind::Unknown(unknown), ..) => unknown.partial.is_some() || !unknown.prefix.is_empty(),
        (_, Some(items), _) => items.iter().any(has_text),
        (_, _, Some(map)) => map.values().any(has_text),
        _ => false,
    }
}

/// The resource with the object that the state had of it.
fn as_stored(resource: &Resource, stored: &Resource) -> Resource {
    let mut resource = Resource {
        before: stored.after.clone(),
        references: stored.references.clone(),
        untold: None,
        action: Action::None,
        ..resource.clone()
    };
    resource.configured = configured(&resource);
    let object = resource.before.take();
    resource.after = object.map(|object| {
        super::complete_object(&resource.type_name, object, false, resource.configured.as_deref())
    });
    resource
}

/// The resource as it was before the change, if it was there.
fn earlier(resource: &Resource) -> Option<Resource> {
    let object = resource.earlier()?.clone();
    let mut earlier = Resource { before: None, untold: None, action: Action::None, ..resource.clone() };
    if resource.action.is_change_of_values() {
        earlier.configured = configured(resource);
        // What the configuration names now it named before, as far as that gave the same.
        let is_same = |link: &Link| {
            let after = resource.after.as_ref().and_then(|after| after.at_path(&link.path));
            after.zip(object.at_path(&link.path)).is_some_and(|(a, b)| equal(a, b) == Truth::Yes)
        };
        earlier.references.retain(is_same);
    }
    earlier.after = Some(object);
    Some(earlier)
}

/// Paths that the configuration set before the change. There is only the configuration after it: what that sets, and what
/// has been taken out or changed by somebody, as the values show.
pub(super) fn configured(resource: &Resource) -> Option<Arc<BTreeSet<SmolStr>>> {
    let configured = resource.configured.as_ref()?;
    let (Some(before), Some(after)) = (&resource.before, &resource.after) else {
        return Some(Arc::clone(configured));
    };
    let mut more = BTreeSet::new();
    for (name, value) in before.map().into_iter().flat_map(Map::iter) {
        let is_changed = after.get(name).is_some_and(|now| equal(now, value) == Truth::No);
        if is_changed && !configured.contains(name) {
            collect(value, name, &mut more);
        }
    }
    if more.is_empty() {
        return Some(Arc::clone(configured));
    }
    Some(Arc::new(configured.iter().cloned().chain(more).collect()))
}

/// The paths of `value`, which is at `path`, and of all in it that is not empty.
fn collect(value: &Value, path: &SmolStr, paths: &mut BTreeSet<SmolStr>) {
    if value.is_absent() {
        return;
    }
    paths.insert(path.clone());
    for object in value.items().unwrap_or(std::slice::from_ref(value)) {
        for (name, value) in object.map().into_iter().flat_map(Map::iter) {
            collect(value, &format_smolstr!("{path}.{name}"), paths);
        }
    }
}
