//! Reads of resources ahead what questions look at.
//!
//! The resources of a large input lie all over a memory that no cache holds. Whoever asks one after the other waits for each
//! of its values anew; who only looks at the values of several at once, level by level, waits for all of them together.

use std::hint::black_box;

use crate::graph::{NodeId, ResourceGraph};
use crate::program::Resource;
use crate::value::{Kind, Map, Value};

/// So many resources are read ahead: all that is looked at of them stays in a cache until it is asked for.
pub(super) const BATCH: usize = 16;
/// Values in values, so deep: a block in a block.
const DEPTH: usize = 3;

/// Reads ahead what is nearest to some resources.
pub(super) fn read(graph: &ResourceGraph, nodes: impl Iterator<Item = NodeId>) {
    let resources: Vec<&Resource> = nodes.filter_map(|node| graph.resource(node)).collect();
    let mut seen = 0;
    for resource in &resources {
        // One look for each part that lies in another line of the memory.
        seen += usize::from(resource.after.is_some()) + usize::from(resource.address.is_empty());
        seen += usize::from(resource.configured.is_some()) + resource.references.len();
    }
    let objects = resources.iter().filter_map(|resource| resource.after.as_ref());
    let mut level: Vec<&[Value]> = objects.map(std::slice::from_ref).collect();
    for _ in 0..DEPTH {
        for values in &level {
            seen += values.iter().map(|value| usize::from(value.sensitive)).sum::<usize>();
        }
        let (mut maps, mut below): (Vec<&Map>, Vec<&[Value]>) = (Vec::new(), Vec::new());
        for value in level.into_iter().flatten() {
            match &value.kind {
                Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => below.push(items),
                Kind::Map(map) | Kind::Object(map) => maps.push(map),
                _ => {}
            }
        }
        seen += maps.iter().map(|map| map.len()).sum::<usize>();
        below.extend(maps.into_iter().map(Map::as_values));
        level = below;
    }
    // Nobody wants to know; without this, nothing would be looked at.
    black_box(seen);
}
