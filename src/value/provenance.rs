//! The way a value came: from the attribute that has it, through locals, module arguments and variables, to where it is
//! written.
//!
//! A part of a collection has only its own way; whoever takes it out puts the collection's before that
//! ([`Value::handing_on`]). No comparison of values looks at ways.

use std::ops::ControlFlow;
use std::sync::Arc;

use smol_str::SmolStr;

use super::Value;
use crate::source::Site;

/// A name that a value went through, and those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What handed the value on: `local.region`, `var.region`, `module.a.region` (an output), `default of var.region`.
    pub what: SmolStr,
    /// Where that gets its value: the local's expression, the module argument, the line in a variable file, the default.
    pub site: Site,
    /// Where that had it from; [`None`] if it is written at `site`.
    pub next: Option<Arc<Step>>,
}

impl Step {
    /// A chain has no more steps. Of a longer one those in its middle are left out: its end is where to change the value.
    pub const MAX: usize = 20;

    /// This step and all that it had the value from, in that order: nearest to the attribute first.
    pub fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |step| step.next.as_deref())
    }

    /// `steps` before `end`.
    fn prepend<'s>(
        steps: impl DoubleEndedIterator<Item = &'s Self>,
        end: Option<Arc<Self>>,
    ) -> Option<Arc<Self>> {
        let link = |next, step: &Self| Some(Arc::new(Self { next, ..step.alone() }));
        let chain = steps.rfold(end, link)?;
        if chain.chain().count() <= Self::MAX {
            return Some(chain);
        }
        let last = chain.chain().last().map(|last| Arc::new(last.alone()));
        let nearest: Vec<&Self> = chain.chain().take(Self::MAX - 1).collect();
        nearest.into_iter().rfold(last, link)
    }

    fn alone(&self) -> Self {
        Self { what: self.what.clone(), site: self.site, next: None }
    }

    /// One way and then the other.
    fn join(first: Option<&Arc<Self>>, then: Option<&Arc<Self>>) -> Option<Arc<Self>> {
        match (first, then) {
            (Some(first), Some(_)) => {
                Self::prepend(first.chain().collect::<Vec<_>>().into_iter(), then.cloned())
            }
            (way, None) | (None, way) => way.cloned(),
        }
    }
}

impl Value {
    /// This value, handed on by `what`, which has it from `site`.
    #[must_use]
    pub fn through(mut self, what: impl Into<SmolStr>, site: Site) -> Self {
        let step = Step { what: what.into(), site, next: None };
        self.via = Step::prepend(std::iter::once(&step), self.via.take());
        self
    }

    /// A part of this collection, which came the collection's way before its own.
    #[must_use]
    pub fn handing_on(&self, mut part: Self) -> Self {
        if self.via.is_some() {
            part.via = Step::join(self.via.as_ref(), part.via.as_ref());
        }
        part
    }

    /// This value, computed from `operands`. It is written where it is computed; what it is not known for, or the one name
    /// that everything in it came through, tells more.
    #[must_use]
    pub fn computed_from<'v>(mut self, operands: impl IntoIterator<Item = &'v Self>) -> Self {
        if self.via.is_none() {
            let mut operands = operands.into_iter();
            self.via = if self.is_unknown() {
                let mut way = None;
                operands.any(|operand| operand.find_unknown(&mut way));
                way
            } else {
                let mut ways = Ways::default();
                operands.for_each(|operand| ways.add(operand));
                ways.only()
            };
        }
        self
    }

    /// Whether there is an unknown in it; `way` becomes that of the first, the one that [`Value::first_cause`] tells the cause
    /// of.
    fn find_unknown(&self, way: &mut Option<Arc<Step>>) -> bool {
        if self.is_unknown() {
            way.clone_from(&self.via);
            return true;
        }
        let found = match (self.items(), self.map()) {
            (Some(items), _) => items.iter().any(|item| item.find_unknown(way)),
            (None, Some(map)) => map.values().any(|item| item.find_unknown(way)),
            (None, None) => false,
        };
        if found {
            *way = Step::join(self.via.as_ref(), way.as_ref());
        }
        found
    }

    /// The way of what [`Value::at_path`] gives.
    pub fn way_at(&self, path: &str) -> Option<Arc<Step>> {
        let mut way = None;
        self.walk(path, |value| way = Step::join(way.as_ref(), value.via.as_ref()))?;
        way
    }
}

/// The ways that operands came.
#[derive(Debug, Default)]
pub struct Ways {
    only: Option<Arc<Step>>,
    several: bool,
}

impl Ways {
    /// Adds that of an operand. One that is written in place counts for nothing: `-x` in `"${var.name}-x"`. In a collection it
    /// does count, for a part of a document is no more than that: whoever asks may mean what is written beside it.
    pub fn add(&mut self, operand: &Value) {
        if operand.via.is_some() || operand.items().is_some() || operand.map().is_some() {
            self.several |= self.walk(operand).is_break();
        }
    }

    /// The way, if there is one and no other.
    pub fn only(self) -> Option<Arc<Step>> {
        self.only.filter(|_| !self.several)
    }

    /// Breaks where there is another way, or none.
    fn walk(&mut self, value: &Value) -> ControlFlow<()> {
        match (&value.via, &self.only, value.items(), value.map()) {
            (Some(way), None, ..) => self.only = Some(Arc::clone(way)),
            (Some(way), Some(only), ..) if way == only => {}
            (None, _, Some(items), _) => items.iter().try_for_each(|item| self.walk(item))?,
            (None, _, None, Some(map)) => map.values().try_for_each(|item| self.walk(item))?,
            _ => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Sources, Span};
    use crate::value::{Cause, Truth, equal};

    fn site(line: u32) -> Site {
        Span::new(line, line + 1).at(Sources::default().add("a.tf", ""))
    }

    fn names(value: &Value) -> Vec<&str> {
        value.via.iter().flat_map(|step| step.chain()).map(|step| step.what.as_str()).collect()
    }

    fn through(names: &[&str]) -> Value {
        names.iter().rev().fold(Value::int(1), |value, name| value.through(*name, site(0)))
    }

    #[test]
    fn a_part_comes_the_way_of_the_whole_before_its_own() {
        let whole = Value::object([("a".into(), through(&["var.a"])), ("b".into(), through(&[]))])
            .through("local.x", site(1))
            .through("local.y", site(2));
        let part = |key: &str| whole.handing_on(whole.get(key).cloned().unwrap());
        assert_eq!(names(&part("a")), ["local.y", "local.x", "var.a"]);
        assert_eq!(names(&part("b")), ["local.y", "local.x"]);
        let after = Value::object([("list".into(), Value::tuple([whole]))]);
        let way = Value { via: after.way_at("list.a"), ..Value::NULL };
        assert_eq!(names(&way), ["local.y", "local.x", "var.a"]);
        assert!(after.way_at("list.c").is_none() && after.way_at("list").is_none());
    }

    #[test]
    fn a_long_way_keeps_its_end() {
        let mut value = Value::int(1).through("var.end", site(0));
        for at in 1..10_000 {
            value = value.through(format!("local.l{at}"), site(at));
        }
        let names = names(&value);
        assert_eq!(names.len(), Step::MAX);
        assert_eq!((names[0], names[18], names[19]), ("local.l9999", "local.l9981", "var.end"));
    }

    #[test]
    fn what_is_computed_keeps_the_way_of_what_it_is_not_known_for() {
        let (a, b) = (through(&["var.a"]), Value::unknown(Cause::Plan).through("var.b", site(0)));
        let list = Value::tuple([a.clone(), b]).through("local.l", site(0));
        let unknown = Value::unknown(Cause::Plan).computed_from([&a, &list]);
        assert_eq!(names(&unknown), ["local.l", "var.b"]);
    }

    #[test]
    fn what_is_computed_of_one_name_keeps_its_way() {
        let (a, b) = (through(&["local.a", "var.a"]), through(&["var.b"]));
        let computed =
            |operands: &[&Value]| names(&Value::int(2).computed_from(operands.iter().copied())).len();
        assert_eq!(computed(&[&Value::int(1), &Value::tuple([a.clone()]), &a]), 2);
        assert_eq!(computed(&[&a, &Value::tuple([b])]), 0, "it is not told which");
        assert_eq!(computed(&[&Value::tuple([Value::int(1), a.clone()])]), 0, "it is a part of a document");
        assert_eq!(names(&through(&["var.c"]).computed_from([&a])), ["var.c"], "it is no new value");
    }

    #[test]
    fn equality_does_not_look_at_the_way() {
        assert_eq!(equal(&through(&["var.a"]), &Value::int(1)), Truth::Yes);
        let set = Value::set([through(&["var.a"]), through(&["var.b"])]);
        assert_eq!(set.items().map(<[Value]>::len), Some(1));
    }
}
