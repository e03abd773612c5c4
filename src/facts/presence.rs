//! Whether one resource is there whenever another is. Of a block whose instances cannot be told there may be none, and
//! what protects another resource does so only where it is there, and only those instances that it names.

use crate::graph::ResourceGraph;
use crate::program::{Key, Repeated, Resource};
use crate::value::Cause;

/// Why `other` may not be there for every instance of `subject`; [`None`] if it certainly is.
pub(super) fn doubt(graph: &ResourceGraph, other: &Resource, subject: &Resource) -> Option<Cause> {
    // Most inputs tell how many there are, and what protects something is often declared beside it.
    let is_counted = |resource: &Resource| resource.key != Some(Key::Any);
    if is_counted(other) && is_counted(subject) && other.module == subject.module {
        return None;
    }
    let theirs = repetitions(graph, other);
    let ours = repetitions(graph, subject);
    let absent = theirs.iter().find(|a| !ours.iter().any(|b| a.makes_as_many_as(b)));
    if let Some(Repetition { address, made: by, .. }) = absent {
        let why = by.map_or_else(String::new, |by| format!(": {}", by.cause));
        return Some(Cause::Other(format!("`{address}` may not be there{why}").into()));
    }
    // What is made once for all instances can name but one of them.
    let many = ours.iter().find(|a| {
        !theirs.iter().any(|b| b.makes_as_many_as(a)) && !a.made.is_some_and(|made| made.at_most_once)
    })?;
    Some(Cause::Other(format!("`{}` may be there for one of `{}` only", other.address, many.address).into()))
}

/// What makes the resource, or a module around it, if that stands for any instance.
pub fn repeated<'g>(graph: &'g ResourceGraph, resource: &'g Resource) -> impl Iterator<Item = &'g Repeated> {
    // Most inputs tell how many there are of everything.
    let resource = (!graph.repeated.is_empty()).then_some(resource);
    let all = resource.map(|resource| repetitions(graph, resource));
    all.into_iter().flatten().filter_map(|repetition| repetition.made)
}

/// An instance that stands for any, of a resource or of a module around it.
struct Repetition<'g> {
    /// `module.a[?]`, `module.a[?].aws_s3_bucket.b[?]`
    address: &'g str,
    /// The module that its block stands in.
    module: &'g str,
    made: Option<&'g Repeated>,
}

impl Repetition<'_> {
    /// Whether the two are made by the same expression, or one by the other.
    fn makes_as_many_as(&self, other: &Self) -> bool {
        if self.address == other.address {
            return true;
        }
        let (Some(a), Some(b)) = (self.made, other.made) else { return false };
        self.module == other.module && (a.by == b.by || self.is_made_by(other) || other.is_made_by(self))
    }

    /// `for_each = aws_s3_bucket.b`
    fn is_made_by(&self, other: &Self) -> bool {
        let by = self.made.map_or("", |made| made.by.as_str());
        let block = other.address.strip_suffix("[?]").unwrap_or(other.address);
        let name = block.strip_prefix(other.module).unwrap_or(block);
        !by.is_empty() && by == name.strip_prefix('.').unwrap_or(name)
    }
}

/// The resource, if it stands for any, and the modules around it that do.
fn repetitions<'g>(graph: &'g ResourceGraph, resource: &'g Resource) -> Vec<Repetition<'g>> {
    let module = resource.module.as_str();
    let mut out = Vec::new();
    if resource.key != Some(Key::Any) && !module.contains('?') {
        return out;
    }
    let mut around = "";
    for (at, any) in module.match_indices("[?]") {
        let address = module.get(..at + any.len()).unwrap_or(module);
        // The module around the call: all before its own `module.name`.
        let call = address.rfind("module.").unwrap_or_default();
        around = address.get(..call.saturating_sub(1)).unwrap_or(around);
        out.push(Repetition { address, module: around, made: graph.repeated.get(address) });
    }
    if resource.key == Some(Key::Any) {
        let address = resource.address.as_str();
        out.push(Repetition { address, module, made: graph.repeated.get(address) });
    }
    out
}
