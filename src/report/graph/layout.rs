//! Where things stand in a drawing: columns by what names what, a band for each module.
//!
//! Whoever names stands left of what is named, as far as there is no circle. Within a band and a column nodes stand by the
//! middle of their neighbours, found by a few sweeps.

use super::Picture;
use crate::catalog::LinkKind;

/// Sweeps that order the columns.
const SWEEPS: usize = 6;
/// A node stands no further right than this many columns: a chain of a thousand would be no picture.
const MAX_COLUMNS: usize = 24;

/// Where each node stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// By node: its column and its row in the band of its module.
    pub(super) places: Vec<(usize, usize)>,
    /// How many columns there are.
    pub(super) columns: usize,
    /// By module, in order: how many rows its band has.
    pub(super) rows: Vec<usize>,
    /// By module and column: how many nodes stand there.
    pub(super) stacks: Vec<Vec<usize>>,
}

/// Lays a picture out.
pub(super) fn layout(picture: &Picture) -> Layout {
    let count = picture.nodes.len();
    let lines = picture.lines();
    // What only names another pulls weakly, but what nothing else joins should not stand anywhere.
    let edges: Vec<(usize, usize)> = lines.iter().map(|&(source, target, _)| (source, target)).collect();
    let strong = lines.iter().filter(|(_, _, kind)| *kind != LinkKind::Reference);
    let columns = columns(count, &strong.map(|&(source, target, _)| (source, target)).collect::<Vec<_>>());
    let modules = picture.modules();
    let mut rows_of = vec![0.0_f64; count];
    let mut bands = Vec::with_capacity(modules.len());
    for (_, nodes) in &modules {
        let width = nodes.clone().filter_map(|at| columns.get(at)).max().map_or(0, |last| last + 1);
        let mut stacks: Vec<Vec<usize>> = vec![Vec::new(); width];
        for at in nodes.clone() {
            if let Some(stack) = columns.get(at).and_then(|&column| stacks.get_mut(column)) {
                set(&mut rows_of, at, count_of(stack.len()));
                stack.push(at);
            }
        }
        bands.push(stacks);
    }
    let mut beside: Vec<Vec<usize>> = vec![Vec::new(); count];
    for &(source, target) in &edges {
        if let (Some(a), true) = (beside.get_mut(source), source != target) {
            a.push(target);
        }
        if let Some(b) = beside.get_mut(target).filter(|_| source != target) {
            b.push(source);
        }
    }
    for sweep in 0..SWEEPS {
        for stacks in &mut bands {
            let order: Vec<usize> =
                if sweep % 2 == 0 { (0..stacks.len()).collect() } else { (0..stacks.len()).rev().collect() };
            for column in order {
                let Some(stack) = stacks.get_mut(column) else { continue };
                let middle = |&at: &usize| {
                    let others = beside.get(at).map_or(&[][..], Vec::as_slice);
                    let sum: f64 = others.iter().filter_map(|&other| rows_of.get(other)).sum();
                    let own = rows_of.get(at).copied().unwrap_or_default();
                    if others.is_empty() { own } else { sum / count_of(others.len()) }
                };
                let mut sorted: Vec<(f64, usize)> = stack.iter().map(|at| (middle(at), *at)).collect();
                sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                *stack = sorted.into_iter().map(|(_, at)| at).collect();
                for (row, &at) in stack.iter().enumerate() {
                    set(&mut rows_of, at, count_of(row));
                }
            }
        }
    }
    let mut places = vec![(0, 0); count];
    for stacks in &bands {
        for (column, stack) in stacks.iter().enumerate() {
            for (row, &at) in stack.iter().enumerate() {
                if let Some(place) = places.get_mut(at) {
                    *place = (column, row);
                }
            }
        }
    }
    let stacks: Vec<Vec<usize>> = bands.iter().map(|stacks| stacks.iter().map(Vec::len).collect()).collect();
    let rows = stacks.iter().map(|stacks| stacks.iter().copied().max().unwrap_or_default()).collect();
    Layout { columns: columns.iter().max().map_or(0, |last| last + 1), rows, places, stacks }
}

fn set(rows: &mut [f64], at: usize, row: f64) {
    if let Some(slot) = rows.get_mut(at) {
        *slot = row;
    }
}

/// A small count as a number.
fn count_of(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The column of each node: one more than the furthest of those that name it. An edge that closes a circle does not count.
fn columns(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); count];
    for &(source, target) in edges {
        if let Some(next) = next.get_mut(source).filter(|_| source != target) {
            next.push(target);
        }
    }
    // Depth first without recursion; a node is done after all that it names: their reverse is an order.
    let mut state = vec![State::New; count];
    let mut order = Vec::with_capacity(count);
    let mut kept = Vec::with_capacity(edges.len());
    for start in 0..count {
        if state.get(start) != Some(&State::New) {
            continue;
        }
        let mut stack = vec![(start, 0)];
        mark(&mut state, start, State::Open);
        while let Some((node, done)) = stack.pop() {
            let Some(&target) = next.get(node).and_then(|next| next.get(done)) else {
                mark(&mut state, node, State::Done);
                order.push(node);
                continue;
            };
            stack.push((node, done + 1));
            match state.get(target) {
                Some(State::Open) => {}
                Some(State::New) => {
                    kept.push((node, target));
                    mark(&mut state, target, State::Open);
                    stack.push((target, 0));
                }
                _ => kept.push((node, target)),
            }
        }
    }
    let mut forward: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (source, target) in kept {
        if let Some(forward) = forward.get_mut(source) {
            forward.push(target);
        }
    }
    let mut columns = vec![0; count];
    for node in order.into_iter().rev() {
        let column = columns.get(node).copied().unwrap_or_default();
        for &target in forward.get(node).map_or(&[][..], Vec::as_slice) {
            if let Some(slot) = columns.get_mut(target) {
                *slot = (*slot).max(column + 1).min(MAX_COLUMNS - 1);
            }
        }
    }
    columns
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
}

fn mark(state: &mut [State], node: usize, to: State) {
    if let Some(slot) = state.get_mut(node) {
        *slot = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_names_stands_left_also_of_two_ways() {
        assert_eq!(columns(4, &[(0, 1), (1, 2), (0, 2), (2, 3)]), [0, 1, 2, 3]);
    }

    #[test]
    fn a_circle_and_a_long_chain_come_to_an_end() {
        assert_eq!(columns(3, &[(0, 1), (1, 2), (2, 0), (1, 1)]), [0, 1, 2]);
        let chain: Vec<_> = (0..1000).map(|at| (at, at + 1)).collect();
        assert_eq!(columns(1001, &chain).last(), Some(&(MAX_COLUMNS - 1)));
    }
}
