//! Rules about absence in places that only roles tell of: who calls models uses them where it calls.

use std::collections::BTreeMap;

use smol_str::format_smolstr;

use super::ask::{decide_rule, tell};
use super::places::Places;
use super::words::words;
use super::{Place, Result, Rules};
use crate::facts::Facts;
use crate::facts::domain::ConditionScope;
use crate::facts::iam::callers::{self, Call};
use crate::finding::Verdict;
use crate::graph::NodeId;
use crate::rules::CompiledRule;
use crate::value::{Cause, Value};

/// What counts where it calls.
const ROLE: &str = "aws_iam_role";

/// Whether resources of the type count where they call: a role is in no region.
pub(super) fn is_placed(rule: &CompiledRule<'_>, type_name: &str) -> bool {
    !rule.callers.is_empty() && type_name == ROLE
}

/// The roles that count for a rule, by the place that they call.
pub(super) fn of_rule(
    facts: &Facts<'_>,
    rule: &CompiledRule<'_>,
    places: &Places<'_>,
) -> BTreeMap<Place, Vec<Call>> {
    if rule.callers.is_empty() {
        return BTreeMap::new();
    }
    let roles: Vec<NodeId> =
        places.get(ROLE).into_iter().flat_map(BTreeMap::values).flat_map(|here| &here.all).copied().collect();
    callers::by_place(facts, &roles, &actions(rule))
}

fn actions<'r>(rule: &'r CompiledRule<'_>) -> Vec<&'r str> {
    rule.callers.iter().map(AsRef::as_ref).collect()
}

/// What a rule says of a place of which only roles tell that it is used.
pub(super) fn ask(
    facts: &Facts<'_>,
    rules: &Rules<'_>,
    index: usize,
    call: &Call,
    place: &Place,
) -> Option<Box<Result>> {
    let ask = |region: Value| {
        let scope = ConditionScope::new(facts, call.node).in_place(place.0, region);
        let decided = decide_rule(rules, index, &scope, None)?;
        tell(rules, index, &scope, decided, None).map(Box::new)
    };
    let mut result = ask(callers::region(place))?;
    if result.verdict == Verdict::Pass {
        return Some(result);
    }
    let mut words = words(facts, rules, &result);
    let untold = Cause::Other("the policy does not say which region it calls".into());
    let mut doubt = call.doubt.clone();
    // What there is in another region may be where it calls.
    if call.is_any_region && ask(Value::unknown(untold.clone()))?.verdict != Verdict::Fail {
        doubt.get_or_insert_with(|| untold.to_string());
    }
    if let Some(doubt) = doubt.filter(|_| result.verdict == Verdict::Fail) {
        result.verdict = Verdict::Undetermined;
        result.message = format_smolstr!("cannot tell whether {}", result.message);
        result.causes = Some([doubt].into());
    }
    let by = callers::way(facts, call.node, &actions(rules.compiled.get(index)?));
    let (actual, statement) = by.map_or((None, None), |by| (by.actual, by.statement));
    words.actual = actual;
    words.related.extend(statement.map(|site| (site, "the statement that lets it call models".to_owned())));
    let workload = call.workload.and_then(|node| facts.graph.resource(node));
    words.related.extend(workload.and_then(|it| Some((it.site?, format!("`{}` runs as it", it.address)))));
    result.words = Some(Box::new(words));
    Some(result)
}
