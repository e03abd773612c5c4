//! Edges that only a literal proves: a name, an ARN, an id or an `s3://` URI that equals another resource's, as far as both
//! are known.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use foldhash::HashMap;
use smol_str::SmolStr;

use crate::catalog::Catalog;
use crate::value::{Kind, Partial, Piece, Unknown, Value};

use super::{Edge, NodeId, ResourceGraph};

/// A literal that more resources answer to is no proof of the others.
const MAX_NAMESAKES: usize = 64;

/// The resources that answer to a name, by the path of their module instance.
pub(super) type Namesakes = BTreeMap<SmolStr, Vec<NodeId>>;

/// Joins resources by the links of the catalog where the attribute is a string of which enough is known.
pub(super) fn connect(this: &mut ResourceGraph) {
    if this.graph.node_count() == 0 {
        return; // Nothing asks for the table of links.
    }
    let names = names(this);
    this.connect_all(|_, _, resource| {
        let Some(value) = &resource.after else { return Vec::new() };
        let mut found = Vec::new();
        let mut texts = Vec::new();
        // What one attribute may name is of several types, which stand together.
        for links in Catalog::get().links(&resource.type_name).chunk_by(|a, b| a.attribute == b.attribute) {
            let Some(first) = links.first() else { continue };
            if !links.iter().any(|link| names.contains_key(link.target_type)) {
                continue;
            }
            strings(value, first.attribute, &mut texts);
            for (link, text) in links.iter().flat_map(|link| texts.iter().map(move |text| (link, text))) {
                let Some(names) = names.get(link.target_type) else { continue };
                for name in candidates(text) {
                    let Some(namesakes) = names.get(name) else { continue };
                    let edge = || Edge { kind: link.kind, path: SmolStr::new_static(link.attribute) };
                    found.extend(nearest(namesakes, &resource.module).map(|target| (target, edge())));
                }
            }
            texts.clear();
        }
        found
    });
}

/// Those in the same module instance if there are any: instances of one module often give their resources the same names.
pub(super) fn nearest<'n>(namesakes: &'n Namesakes, module: &str) -> impl Iterator<Item = NodeId> + 'n {
    let near = namesakes.get(module);
    let far = near.is_none().then(|| namesakes.values().flatten());
    near.into_iter().flatten().chain(far.into_iter().flatten()).copied().take(MAX_NAMESAKES)
}

/// Known values of the attributes that links look at, by target type.
fn names(this: &ResourceGraph) -> BTreeMap<&'static str, HashMap<SmolStr, Namesakes>> {
    let mut all: BTreeMap<&'static str, HashMap<SmolStr, Namesakes>> = BTreeMap::new();
    for (type_name, nodes) in &this.by_type {
        let Some((&target_type, attributes)) = targets().get_key_value(type_name.as_str()) else { continue };
        let names = all.entry(target_type).or_default();
        for attribute in attributes {
            for &node in nodes {
                let Some(resource) = this.resource(node) else { continue };
                let value = resource.after.as_ref().and_then(|after| after.at_path(attribute));
                if let Some(text) = value.and_then(text) {
                    let namesakes = names.entry(text).or_default();
                    let here = namesakes.entry(resource.module.clone()).or_default();
                    if here.len() < MAX_NAMESAKES && !here.contains(&node) {
                        here.push(node);
                    }
                }
            }
        }
    }
    all
}

/// The types that links lead to, and the attributes that name one of them.
fn targets() -> &'static BTreeMap<&'static str, Vec<&'static str>> {
    static TARGETS: OnceLock<BTreeMap<&'static str, Vec<&'static str>>> = OnceLock::new();
    TARGETS.get_or_init(|| {
        let mut targets: BTreeMap<&'static str, Vec<&'static str>> = BTreeMap::new();
        for link in Catalog::get().all_links() {
            let known = targets.entry(link.target_type).or_default();
            for attribute in link.target_attributes() {
                if !known.contains(&attribute) {
                    known.push(attribute);
                }
            }
        }
        targets
    })
}

/// The texts at a dotted path, through lists.
fn strings(value: &Value, path: &str, out: &mut Vec<SmolStr>) {
    if let Some(items) = value.items() {
        return items.iter().for_each(|item| strings(item, path, out));
    }
    if let Some(Unknown { partial: Some(Partial::Choice(values)), .. }) = value.as_unknown() {
        return values.iter().for_each(|value| strings(value, path, out));
    }
    if let Some(elements) = value.elements() {
        return elements.iter().for_each(|element| strings(&element.value, path, out));
    }
    if path.is_empty() {
        // A map of texts, as the environment of a function is.
        return match value.map() {
            Some(map) => map.values().for_each(|item| out.extend(text(item))),
            None => out.extend(text(value)),
        };
    }
    let (step, rest) = path.split_once('.').unwrap_or((path, ""));
    if let Some(value) = value.get(step) {
        strings(value, rest, out);
    }
}

/// Around what stands in a text for an attribute that is not known. It is no character.
const HOLE: char = '\u{fdd0}';
/// Stands for what is not even an attribute.
const UNTOLD: char = '\u{fdd1}';

/// A string that is not empty. Of one that is partly known each hole is written as the attribute that it is: two texts with
/// the same attributes in the same places are the same text. A hole that is no attribute is like no other.
pub(super) fn text(value: &Value) -> Option<SmolStr> {
    if let Kind::String(text) = &value.kind {
        return Some(text).filter(|text| !text.is_empty()).cloned();
    }
    let Some(Partial::Template(pieces)) = &value.as_unknown()?.partial else { return None };
    let mut out = String::new();
    for piece in pieces.iter() {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Hole(hole) => match &hole.reference {
                Some(reference) => out.extend([HOLE.into(), reference.to_string(), HOLE.into()]),
                None => out.push(UNTOLD),
            },
        }
    }
    Some(out.into())
}

/// Whether a name that was cut from a text names one thing: each hole in it is an attribute, and one that is told apart.
fn is_name(name: &str) -> bool {
    let mut holes = name.split(HOLE).skip(1).step_by(2);
    !name.contains(UNTOLD)
        && name.matches(HOLE).count().is_multiple_of(2)
        && holes.all(|hole| !hole.is_empty() && !hole.contains('?'))
}

/// What a literal may name: itself, the bucket of an `s3://` URI, the last part of an ARN.
fn candidates(text: &str) -> impl Iterator<Item = &str> {
    let bucket = text.strip_prefix("s3://").map(|rest| rest.split('/').next().unwrap_or(rest));
    let arn = text.strip_prefix("arn:").and_then(|rest| rest.splitn(5, ':').nth(4));
    let tail = arn.map(|name| {
        if text.contains(":s3:::") { name.split('/').next() } else { name.rsplit(['/', ':']).next() }
    });
    let names = [Some(text), bucket, tail.flatten()].into_iter().flatten();
    names.filter(|name| is_name(name))
}
