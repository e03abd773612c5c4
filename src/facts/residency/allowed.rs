//! Where the data of a resource may be, and who says so.

use std::sync::Arc;

use petgraph::Direction;
use smol_str::SmolStr;

use crate::catalog::LinkKind;
use crate::facts::choice::of_each;
use crate::facts::{Facts, tags};
use crate::graph::NodeId;
use crate::value::Value;

use super::judge::known;

/// Of this many resources that one configures the promise is looked for.
const MAX_OWNERS: usize = 16;

/// The tag that says where data may be.
pub(in crate::facts) const TAG: &str = "data-residency";

/// What is promised for the data of a resource.
#[derive(Clone, Debug)]
pub struct Allowed {
    /// The places, a list of strings; null if nothing is promised.
    pub places: Value,
    /// Who says so.
    pub by: By,
    /// The places, where they are one list that is known: see [`known`].
    pub(super) known: Option<Arc<[SmolStr]>>,
}

/// Places that are written out in a tag or in the configuration.
#[derive(Clone, Debug)]
pub(in crate::facts) struct Promise {
    /// The list.
    pub(in crate::facts) places: Value,
    /// [`None`] if one of them is no place.
    known: Option<Arc<[SmolStr]>>,
}

impl Promise {
    /// The promise of these places.
    pub(in crate::facts) fn new<'p>(places: impl Iterator<Item = &'p str>) -> Self {
        let places = tags::strings(places);
        let known = known(&places).ok().map(Arc::from);
        Self { places, known }
    }

    /// What a tag says. Several jurisdictions stand in one with any separator that tag values allow; names have blanks.
    fn of_tag(text: &str) -> Self {
        let whole = crate::residency::is_place(text.trim());
        let separators: &[char] = if whole { &[] } else { &[',', ' ', '+', '/', ':'] };
        Self::new(text.split(separators).map(str::trim).filter(|item| !item.is_empty()))
    }

    fn by(self, by: By) -> Allowed {
        Allowed { places: self.places, by, known: self.known }
    }
}

/// Who says where data may be: the first of these that says anything counts.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The resource's own `data-residency` tag.
    Tag,
    /// The tag of what it configures or is a copy of.
    TagOf(NodeId),
    /// The configuration, for the value of its `data-classification` tag.
    Classification,
    /// `[residency] allowed` in the configuration.
    Configuration,
    /// Nobody.
    Nobody,
}

/// The jurisdictions that the data of the resource may be in: of its `data-residency` tag, of that of what it configures,
/// of the configuration for its classification, or of the configuration.
pub fn allowed(facts: &Facts<'_>, node: NodeId) -> Allowed {
    allowed_by_tag(facts, node, &tags::tag(facts, node, TAG))
}

/// [`allowed`] for a resource with this value of [`TAG`].
pub(in crate::facts) fn allowed_by_tag(facts: &Facts<'_>, node: NodeId, own: &Value) -> Allowed {
    if !own.is_null() {
        return said(facts, node, own, By::Tag);
    }
    for owner in owners(facts, node) {
        let theirs = tags::tag(facts, owner, TAG);
        if !theirs.is_null() {
            return said(facts, owner, &theirs, By::TagOf(owner));
        }
    }
    by_configuration(facts, node)
}

/// What a `data-residency` tag says. What is one of a few may be null in one of them.
fn said(facts: &Facts<'_>, node: NodeId, tag: &Value, by: By) -> Allowed {
    if let Some(text) = tag.as_str().filter(|_| !tag.sensitive) {
        let mut promise = facts.promises.get(text, Promise::of_tag);
        promise.places.origin = tag.origin;
        return promise.by(by);
    }
    let places = of_each(tag, |tag| match tag.as_str() {
        None if tag.is_null() => by_configuration(facts, node).places,
        None => tag.clone(),
        Some(text) => {
            let places = Promise::of_tag(text).places;
            let mut list = Value { origin: tag.origin, ..places }.mark(tag.sensitive);
            list.spread_sensitive();
            list
        }
    });
    Allowed { places, by, known: None }
}

fn by_configuration(facts: &Facts<'_>, node: NodeId) -> Allowed {
    let residency = &facts.config.residency;
    if !residency.classification.is_empty() {
        let list = |places: &[String]| match places {
            [] => Value::NULL,
            places => tags::strings(places.iter().map(String::as_str)),
        };
        let class_of = |node| tags::tag(facts, node, "data-classification");
        let mut class = class_of(node);
        let mut theirs = owners(facts, node);
        while class.is_null()
            && let Some(owner) = theirs.pop()
        {
            class = class_of(owner);
        }
        let found = of_each(&class, |class| {
            let Some(text) = class.as_str() else {
                return if class.is_null() { list(&residency.allowed) } else { class.clone() };
            };
            let named = residency.classification.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
            list(named.map_or(&residency.allowed, |(_, places)| &places.0))
        });
        let names = |text: &str| residency.classification.keys().any(|name| name.eq_ignore_ascii_case(text));
        if class.is_unknown() || class.as_str().is_some_and(names) {
            return Allowed { places: found, by: By::Classification, known: None };
        }
    }
    if residency.allowed.is_empty() {
        return Allowed { places: Value::NULL, by: By::Nobody, known: Some(Arc::default()) };
    }
    facts.allowed_places.clone().by(By::Configuration)
}

/// What the resource configures, or is a copy of.
fn owners(facts: &Facts<'_>, node: NodeId) -> Vec<NodeId> {
    let copied = facts.of_type(node).and_then(|of_type| of_type.copy_of);
    let edges = facts.graph.edges(node, Direction::Outgoing);
    let owns = |edge: &crate::graph::Edge| {
        edge.kind == LinkKind::Attachment || copied.is_some_and(|path| path == edge.path)
    };
    let mut owners: Vec<NodeId> =
        edges.filter(|(edge, _)| owns(edge)).map(|(_, owner)| owner).take(MAX_OWNERS).collect();
    owners.sort_unstable();
    owners.dedup();
    owners
}
