//! One rule of one resource: what it comes to, and how that is told.

use std::sync::Arc;

use smol_str::{SmolStr, format_smolstr};

use super::memo::{Condition, Memo, Memos};
use super::{Causes, Result, Rules, covers, display, via};
use crate::eval::{self, Mode as EvalMode};
use crate::facts::Facts;
use crate::facts::domain::ConditionScope;
use crate::facts::iam::{Query, analysis};
use crate::facts::tier;
use crate::finding::{Subject, Verdict, Via};
use crate::graph::NodeId;
use crate::hcl::ast::{Expr, ExprKind, Part};
use crate::program::Resource;
use crate::rules::{CompiledRule, Test};
use crate::source::{FileId, Site};
use crate::value::{Kind, Step, Truth, Value};

/// What a condition comes to, or a rule.
#[derive(Clone, Debug)]
pub(super) struct Decision {
    pub(super) truth: Truth,
    pub(super) causes: Causes,
    /// Where the deciding value was written.
    pub(super) site: Option<Site>,
    /// The way that it came.
    pub(super) way: Option<Arc<Step>>,
}

impl Decision {
    const YES: Self = Self { truth: Truth::Yes, causes: None, site: None, way: None };

    pub(super) const fn verdict(&self) -> Verdict {
        match self.truth {
            Truth::Yes => Verdict::Pass,
            Truth::No => Verdict::Fail,
            Truth::Maybe => Verdict::Undetermined,
        }
    }

    /// This of a rule of which it was decided whether it applies: where that cannot be told, it does not fail.
    pub(super) fn if_applies(self, applies: Self) -> Self {
        if self.truth == Truth::No && applies.truth == Truth::Maybe {
            return Self { truth: Truth::Maybe, causes: applies.causes, way: applies.way, ..self };
        }
        self
    }
}

/// What rule number `index` says of a resource of one of its types; [`None`] where it does not apply.
pub(super) fn ask_rule(facts: &Facts<'_>, rules: &Rules<'_>, index: usize, node: NodeId) -> Option<Result> {
    let scope = ConditionScope::new(facts, node);
    tell(rules, index, &scope, decide_rule(rules, index, &scope, None)?, None)
}

/// [`ask_rule`] with what is remembered of other resources.
pub(super) fn ask_remembered(
    facts: &Facts<'_>,
    rules: &Rules<'_>,
    memos: &Memos<'_>,
    index: usize,
    node: NodeId,
) -> Option<Result> {
    memos.of_resource(facts, node, |memo, scope| {
        let decided = decide_rule(rules, index, scope, Some(memo))?;
        tell(rules, index, scope, decided, Some(memo))
    })
}

/// What rule number `index` comes to for the resource of a scope, with what is remembered of other resources; [`None`] where it
/// does not apply.
pub(super) fn decide_rule(
    rules: &Rules<'_>,
    index: usize,
    scope: &ConditionScope<'_, '_>,
    mut memo: Option<&mut Memo>,
) -> Option<Decision> {
    let rule = rules.compiled.get(index)?;
    let mut decide = |part, condition: &Expr<'_>| {
        let evaluate = |scope: &dyn eval::Scope| decide(condition, rules.file, scope);
        match &mut memo {
            Some(memo) => memo.decide((index, part, condition), rules.file, scope, evaluate),
            None => evaluate(scope),
        }
    };
    let applies = rule.when.as_ref().map_or(Decision::YES, |when| decide(Condition::When, when));
    if applies.truth == Truth::No {
        return None;
    }
    let decision = match &rule.test {
        Test::Require(require) => decide(Condition::Require, require),
        Test::Analysis { name, args } => {
            let outcome = analysis(name)?(scope.facts, scope.node, Query { args, words: false })?;
            let causes = (!outcome.causes.is_empty()).then(|| outcome.causes.into());
            Decision { truth: outcome.holds, causes, site: outcome.site, way: None }
        }
        // Only the change decides: see `removal`.
        Test::Removal => Decision { truth: Truth::No, ..Decision::YES },
    };
    Some(decision.if_applies(applies))
}

/// What rule number `index` came to for the resource of a scope, but for its words.
pub(super) fn tell(
    rules: &Rules<'_>,
    index: usize,
    scope: &ConditionScope<'_, '_>,
    decision: Decision,
    memo: Option<&mut Memo>,
) -> Option<Result> {
    let &ConditionScope { facts, node, .. } = scope;
    let rule = rules.compiled.get(index)?;
    let resource = facts.graph.resource(node)?;
    let verdict = decision.verdict();
    let Decision { causes, site: mut decided_at, mut way, .. } = decision;
    let attribute = rule.at.and_then(|at| resource.after.as_ref()?.at_path(at));
    let value = attribute.filter(|value| decides(verdict, value));
    let is_it = |value: &Value| decided_at.is_none_or(|site| value.origin == Some(site));
    if way.is_none() && value.is_some_and(is_it) {
        way = resource.after.as_ref().zip(rule.at).and_then(|(after, at)| after.way_at(at));
    }
    if let Test::Require(_) = &rule.test {
        decided_at = decided_at.or(value.filter(|value| !value.sensitive).and_then(|value| value.origin));
    }
    let front = rule.rule.front();
    let mut result = Result {
        site: locate(resource, rule.at.unwrap_or_default(), attribute),
        // Nobody asks where that was written which holds.
        decided_at: decided_at.filter(|_| verdict != Verdict::Pass),
        causes,
        // Asked here, where what they look at is at hand.
        severity: tier::severity(facts, node, || scope.tag(tier::TAG), &front.family, front.severity),
        ..Result::of_verdict(index, node, verdict)
    };
    let way = way.filter(|_| verdict != Verdict::Pass);
    let via = way.map_or_else(Vec::new, |way| via(&way, decided_at));
    result.subject = Some(subject(facts, node, resource, via));
    if verdict != Verdict::Pass {
        let message = |scope: &dyn eval::Scope| SmolStr::from(message(rule, rules.file, scope));
        let is_told = verdict == Verdict::Fail;
        let message = |scope: &dyn eval::Scope| {
            let message = message(scope);
            if is_told { message } else { format_smolstr!("cannot tell whether {message}") }
        };
        result.message = match memo {
            Some(memo) => memo.tell((index, verdict), scope, message),
            None => message(scope),
        };
    }
    Some(result)
}

/// A resource as findings tell it.
pub(super) fn subject(facts: &Facts<'_>, node: NodeId, resource: &Resource, via: Vec<Via>) -> Subject {
    Subject {
        address: resource.address.clone(),
        moved_from: facts.graph.moved.get(&resource.address).cloned(),
        unit: None,
        type_name: resource.native_type.clone().unwrap_or_else(|| resource.type_name.clone()),
        path: facts.scope().path(facts.graph, node),
        via,
    }
}

/// Whether the value of the attribute that a rule is about may be what decides: what is not known yet is not what fails.
pub(super) fn decides(verdict: Verdict, value: &Value) -> bool {
    verdict == Verdict::Undetermined || !value.is_unknown()
}

/// Evaluates a condition to a yes, a no, or why neither.
pub(super) fn decide(condition: &Expr<'_>, file: FileId, scope: &dyn eval::Scope) -> Decision {
    let maybe =
        |cause: String, way| Decision { truth: Truth::Maybe, causes: Some([cause].into()), site: None, way };
    match eval::try_evaluate(condition, file, scope, EvalMode::Extended) {
        Ok(value) => match &value.kind {
            Kind::Bool(truth) => {
                // A fact tells where what decides was written; a literal of the rule itself does not.
                let site = value.origin.filter(|site| site.file != file && !value.sensitive);
                let way = site.and(value.via);
                Decision { truth: Truth::from(*truth), causes: None, site, way }
            }
            Kind::Unknown(unknown) => maybe(unknown.cause.to_string(), value.via.clone()),
            _ => maybe("the value that decides is null".to_owned(), None),
        },
        Err(error) => maybe(error.message, None),
    }
}

/// The deepest place of the dotted path that the input has: the attribute, which has this value, else the block around it, else
/// the resource.
fn locate(resource: &Resource, at: &str, value: Option<&Value>) -> Option<Site> {
    let (mut path, mut value) = (at, value);
    while !path.is_empty() {
        if let Some(site) = resource.places.get(path).copied().or_else(|| entry(resource, value?)) {
            return Some(site);
        }
        path = path.rsplit_once('.').map_or("", |(rest, _)| rest);
        value = resource.after.as_ref().and_then(|after| after.at_path(path));
    }
    resource.site
}

/// Where an attribute with this value is in an input of JSON: in the resource's own entry. The value of an attribute in HCL may
/// come from anywhere, so its origin tells nothing here.
pub(super) fn entry(resource: &Resource, value: &Value) -> Option<Site> {
    let origin = value.origin?;
    covers(resource.site, origin).then_some(origin)
}

/// The rule's message with its interpolations.
fn message(rule: &CompiledRule<'_>, file: FileId, scope: &dyn eval::Scope) -> String {
    let mut text = String::new();
    match &rule.message.kind {
        ExprKind::String(literal) => text.push_str(literal),
        ExprKind::Template(parts) => {
            for part in *parts {
                match part {
                    Part::Literal(literal, _) => text.push_str(literal),
                    Part::Interpolation(expr) => {
                        let value =
                            eval::try_evaluate(expr, file, scope, EvalMode::Extended).unwrap_or(Value::NULL);
                        text.push_str(&match (value.as_str(), value.sensitive) {
                            (Some(known), false) => known.to_owned(),
                            _ => display(&value),
                        });
                    }
                    Part::If { .. } | Part::For { .. } => {}
                }
            }
        }
        _ => {}
    }
    text
}
