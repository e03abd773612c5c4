//! Which part of the value that a rule looks at decides.
//!
//! A rule looks at an attribute, and that may be many blocks, of which one is wrong, or a large object, of which one attribute
//! is. What decides is found by asking again: of blocks each alone, of an object with one attribute after the other unknown.
//! Where nothing but one part matters, the finding points at that one.

use std::sync::Arc;

use smol_str::SmolStr;

use super::ask::{decide, entry};
use super::display::shown;
use super::words::{DECIDES, Words, says_more};
use super::{Result, Rules, via};
use crate::facts::Facts;
use crate::facts::domain::ConditionScope;
use crate::finding::Verdict;
use crate::graph::NodeId;
use crate::hcl::ast::Expr;
use crate::rules::{CompiledRule, Test};
use crate::source::Site;
use crate::value::{Cause, Kind, Step, Truth, Value};

/// Of more blocks, or of an object with more attributes, none is looked for.
const MAX_PARTS: usize = 64;

/// Blocks and attributes are not looked into any deeper.
const MAX_DEPTH: usize = 8;

/// The part that decides.
#[derive(Clone, Debug)]
struct Part {
    /// Its dotted path, without indexes.
    path: String,
    value: Value,
    /// The way that it came.
    way: Option<Arc<Step>>,
    /// Where its block is written, if that is not the first of its kind.
    block: Option<Site>,
}

/// One step into a value.
#[derive(Clone, Debug)]
enum Down {
    Element(usize),
    Entry(SmolStr),
}

/// Points a failure at the part of the attribute that decides, and tells the dotted path of that, without indexes.
pub(super) fn apply(
    facts: &Facts<'_>,
    rules: &Rules<'_>,
    rule: &CompiledRule<'_>,
    result: &mut Result,
    words: &mut Words,
) -> Option<String> {
    let (Test::Require(require), Some(at)) = (&rule.test, rule.at) else { return None };
    if result.verdict != Verdict::Fail || rule.rule.front().family == "secrets" {
        return None;
    }
    let resource = facts.graph.resource(result.node)?;
    let part = find(facts, rules, require, result.node, at)?;
    let exact = resource.places.get(part.path.as_str()).copied().filter(|_| part.block.is_none());
    let here = resource.after.as_ref().and_then(|after| after.at_path(&part.path));
    let entry = here.and_then(|value| entry(resource, value)).filter(|_| part.block.is_none());
    result.site = exact.or(entry).or(part.block).or(result.site);
    let is_attribute = part.value.is_absent() || part.value.items().is_none() && part.value.map().is_none();
    words.actual = Some(match part.path.rsplit_once('.') {
        // No line with its name is shown.
        Some((_, name)) if exact.is_none() && is_attribute => format!("{name} = {}", shown(&part.value)),
        _ => shown(&part.value),
    });
    let origin = part.value.origin.filter(|_| !part.value.sensitive);
    words.related.retain(|(_, what)| what != DECIDES);
    if let Some(origin) = origin.filter(|origin| says_more(facts, resource, result.site, *origin)) {
        words.related.insert(0, (origin, DECIDES.to_owned()));
    }
    if let Some(way) = part.way {
        result.subject.iter_mut().for_each(|subject| subject.via = via(&way, origin));
    }
    Some(part.path)
}

/// The way that what is at `path` came in another instance that fares alike.
pub(super) fn way(facts: &Facts<'_>, path: Option<&str>, node: NodeId) -> Option<Arc<Step>> {
    facts.graph.resource(node)?.after.as_ref()?.way_at(path?)
}

/// The part of the attribute at `at` that makes `require` fail, if that is one and not all of it.
fn find(facts: &Facts<'_>, rules: &Rules<'_>, require: &Expr<'_>, node: NodeId, at: &str) -> Option<Part> {
    let (attribute, inner) = at.split_once('.').unwrap_or((at, ""));
    let whole = facts.graph.resource(node)?.after.as_ref()?.get(attribute)?;
    let truth = |instead: Value| {
        let scope = ConditionScope::new(facts, node).with(attribute.into(), instead);
        decide(require, rules.file, &scope).truth
    };
    // What is replaced in it, and the way to what is looked at.
    let mut around = whole.clone();
    let mut way = steps(whole, inner)?;
    let mut part = Part { path: at.to_owned(), value: step_to(whole, &way)?.clone(), way: None, block: None };
    // An attribute that decides, as long as it is not told which of its blocks does.
    let mut open = None;
    let mut is_smaller = false;
    for _ in 0..MAX_DEPTH {
        let value = part.value.clone();
        if value.sensitive {
            break;
        }
        if let Some(items) = value.items() {
            let alone = |items: &[Value]| replaced(&around, &way, &with_items(&value, items));
            let wrong = match items {
                [] => None,
                [_] => Some(0),
                items if items.len() > MAX_PARTS => break,
                // Where it fails without any block, one that is right was asked for, and none is to blame.
                _ if truth(alone(&[])?) != Truth::Yes => break,
                items => items.iter().position(|item| {
                    alone(std::slice::from_ref(item)).is_some_and(|instead| truth(instead) == Truth::No)
                }),
            };
            let Some(item) = wrong.and_then(|wrong| items.get(wrong)) else { break };
            if items.len() > 1 {
                is_smaller = true;
                part.block = item.origin.filter(|_| wrong > Some(0) && value.origin.is_none());
            }
            around = alone(std::slice::from_ref(item))?;
            way.push(Down::Element(0));
            part.value = item.clone();
        } else if let Some(map) = value.map().filter(|map| map.len() <= MAX_PARTS) {
            let unknown = Value::unknown(Cause::Other("it is asked whether this matters".into()));
            let matters = |key: &SmolStr| {
                let mut to = way.clone();
                to.push(Down::Entry(key.clone()));
                replaced(&around, &to, &unknown).is_some_and(|instead| truth(instead) != Truth::No)
            };
            let mut that_matter = map.iter().map(|(key, _)| key).filter(|key| matters(key));
            let (Some(key), None) = (that_matter.next(), that_matter.next()) else { break };
            let entry = map.get(key)?.clone();
            let path = format!("{}.{key}", part.path);
            way.push(Down::Entry(key.clone()));
            if entry.items().is_some_and(|items| items.len() > 1) {
                open = Some(part.clone());
            }
            part = Part { path, value: entry, ..part };
            is_smaller = true;
        } else {
            break;
        }
    }
    if part.value.items().is_some_and(|items| items.len() > 1) {
        part = open.filter(|_| is_smaller)?;
    }
    part.way = around.way_at(part.path.get(attribute.len() + 1..).unwrap_or_default());
    is_smaller.then_some(part)
}

/// The steps of a dotted path, through lists of one block.
fn steps(value: &Value, path: &str) -> Option<Vec<Down>> {
    let (mut value, mut steps) = (value, Vec::new());
    for name in path.split('.').filter(|name| !name.is_empty()) {
        if let Some([only]) = value.items() {
            steps.push(Down::Element(0));
            value = only;
        }
        steps.push(Down::Entry(name.into()));
        value = value.get(name)?;
    }
    Some(steps)
}

fn step_to<'v>(value: &'v Value, way: &[Down]) -> Option<&'v Value> {
    way.iter().try_fold(value, |value, step| match step {
        Down::Element(at) => value.items()?.get(*at),
        Down::Entry(name) => value.get(name),
    })
}

/// The value with another part at the end of the way.
fn replaced(value: &Value, way: &[Down], part: &Value) -> Option<Value> {
    let Some((step, rest)) = way.split_first() else { return Some(part.clone()) };
    let mut value = value.clone();
    match (step, &mut value.kind) {
        (Down::Element(at), Kind::List(items) | Kind::Set(items) | Kind::Tuple(items)) => {
            let item = Arc::make_mut(items).get_mut(*at)?;
            *item = replaced(item, rest, part)?;
        }
        (Down::Entry(name), Kind::Map(map) | Kind::Object(map)) => {
            let entry = Arc::make_mut(map).get_mut(name)?;
            *entry = replaced(entry, rest, part)?;
        }
        _ => return None,
    }
    Some(value)
}

/// A list, set or tuple with other elements.
fn with_items(value: &Value, items: &[Value]) -> Value {
    let kind = match &value.kind {
        Kind::Set(_) => Kind::Set(items.into()),
        Kind::Tuple(_) => Kind::Tuple(items.into()),
        _ => Kind::List(items.into()),
    };
    Value { kind, ..value.clone() }
}
