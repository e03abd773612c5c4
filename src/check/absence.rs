//! Rules about absence: asked once for each provider configuration and region that holds a resource of their types, since what
//! they ask for is set up once for an account and region. And rules of scope *provider*: asked of every resource of their types,
//! and told once for each provider configuration.
//!
//! What an account needs is often in another configuration than its AI. The user may declare that (`[provided]`); and where a
//! rule expects it (`elsewhere`), absence is undetermined, unless it was here and the change takes it away.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use rayon::prelude::*;
use smol_str::{SmolStr, format_smolstr};

use super::memo::Memos;
use super::{Actual, Place, Result, Rules, ask_remembering};
use crate::config::{Config, Provider};
use crate::facts::domain::ConditionScope;
use crate::facts::iam::callers::{self, Call};
use crate::facts::{Facts, residency};
use crate::finding::{Provided, Verdict};
use crate::graph::NodeId;
use crate::program::Resource;
use crate::rules::{CompiledRule, Scope};
use crate::value::{Cause, Value};

/// More places than this are not told for one finding.
const MAX_RELATED: usize = 10;

/// What counts where it calls.
const ROLE: &str = "aws_iam_role";

/// What the rules say, those that pass too, and what of that the configuration declares provided elsewhere.
pub(super) fn ask(
    facts: &Facts<'_>,
    rules: &Rules<'_>,
    nodes: &[NodeId],
    memos: &Memos,
    keep_pass: bool,
) -> (Vec<Box<Result>>, Vec<Provided>) {
    let (mut results, mut provided) = (Vec::new(), Vec::new());
    let once = |rule: &CompiledRule<'_>| matches!(rule.scope, Scope::Provider | Scope::ProviderRegion);
    let rules_once = || rules.compiled.iter().enumerate().filter(|(_, rule)| once(rule));
    // Several rules are about a type, and many resources are of one.
    let types: HashSet<&str> = rules_once().flat_map(|(_, rule)| rule.types).map(AsRef::as_ref).collect();
    let mut places: HashMap<&str, BTreeMap<Place, Vec<NodeId>>> = HashMap::new();
    for &node in nodes {
        let Some(resource) = facts.graph.resource(node) else { continue };
        if types.contains(resource.type_name.as_str()) {
            let of_type = places.entry(resource.type_name.as_str()).or_default();
            of_type.entry(place_of(facts, node, resource)).or_default().push(node);
        }
    }
    for (index, rule) in rules_once() {
        let each = rule.scope == Scope::Provider;
        let mut groups: BTreeMap<Place, Vec<NodeId>> = BTreeMap::new();
        // A role is in no region: those that count do where they call.
        let is_placed = |name: &&Cow<'_, str>| rule.callers.is_empty() || *name != ROLE;
        for ((provider, region), nodes) in
            rule.types.iter().filter(is_placed).filter_map(|name| places.get(name.as_ref())).flatten()
        {
            let region = region.clone().filter(|_| !each);
            groups.entry((*provider, region)).or_default().extend(nodes);
        }
        let mut calls = calls_of(facts, rule, &places);
        calls.retain(|place, _| !groups.contains_key(place));
        for (place, calls) in &calls {
            groups.insert(place.clone(), calls.iter().map(|call| call.node).collect());
        }
        let declared = rule.provided.and_then(|name| match facts.config.provided.get(name)? {
            Provider::Other(by) => Some((name, by)),
            Provider::Nothing => None,
        });
        for (place, mut group) in groups {
            let address = |node: NodeId| facts.graph.resource(node).map(|resource| &resource.address);
            // The first by address stands for all, whatever the order of the input.
            let by_address = |a: &NodeId, b: &NodeId| address(*a).cmp(&address(*b));
            if !each && declared.is_none() && group.len() > MAX_RELATED {
                // So many are told.
                group.select_nth_unstable_by(MAX_RELATED, by_address);
                group.truncate(MAX_RELATED + 1);
            }
            group.sort_by(by_address);
            let asked = group.get(..if each { group.len() } else { 1 }).unwrap_or_default();
            let ask = |&node: &NodeId| {
                if let Some(call) = calls.get(&place).into_iter().flatten().find(|call| call.node == node) {
                    return ask_caller(facts, rules, index, call, &place, keep_pass);
                }
                memos.with(|memos| {
                    let memo = memos.of(&facts.graph.resource(node)?.type_name);
                    memo.turn();
                    let scope = ConditionScope::new(facts, node);
                    ask_remembering(rules, index, &scope, keep_pass, Some(memo))
                })
            };
            let mut answers: Vec<Box<Result>> = asked.par_iter().filter_map(ask).map(Box::new).collect();
            // A stable sort: of those that fare alike still the first by address.
            answers.sort_by_key(|result| result.verdict);
            let alike = answers.first().map(|first| first.verdict);
            let mut those = answers.into_iter().take_while(|result| Some(result.verdict) == alike);
            let Some(mut result) = those.next() else { continue };
            if result.verdict != Verdict::Pass {
                let others: Vec<NodeId> = if each {
                    those.map(|other| other.node).collect()
                } else {
                    group.iter().copied().skip(1).collect()
                };
                let too = if each { "fares alike" } else { "is in the same account and region" };
                let others = others.iter().filter_map(|&node| facts.graph.resource(node)).take(MAX_RELATED);
                result.related.extend(
                    others.filter_map(|other| Some((other.site?, format!("`{}` {too}", other.address)))),
                );
                if let Some((control, by)) = declared {
                    result.verdict = Verdict::Pass;
                    result.message = SmolStr::default();
                    provided.push(Provided {
                        rule: index,
                        control: control.to_owned(),
                        by: by.clone(),
                        resources: group.iter().filter_map(|&node| address(node).cloned()).collect(),
                    });
                }
            }
            result.place = Some(place);
            results.push(result);
        }
    }
    (results, provided)
}

/// Where a resource is. The Cloud Control provider is where that of AWS is which it stands beside, unless it says otherwise.
fn place_of(facts: &Facts<'_>, node: NodeId, resource: &Resource) -> Place {
    let account = facts.graph.account(resource);
    let beside = account.filter(|_| account != resource.provider);
    let beside = beside.and_then(|at| facts.graph.providers.get(at));
    let own = residency::region(facts, node);
    let region = own.as_str().or_else(|| beside?.region.as_str());
    (account, region.map(SmolStr::from))
}

/// The roles that count for a rule, by the place that they call.
fn calls_of(
    facts: &Facts<'_>,
    rule: &CompiledRule<'_>,
    places: &HashMap<&str, BTreeMap<Place, Vec<NodeId>>>,
) -> BTreeMap<Place, Vec<Call>> {
    if rule.callers.is_empty() {
        return BTreeMap::new();
    }
    let roles: Vec<NodeId> =
        places.get(ROLE).into_iter().flat_map(BTreeMap::values).flatten().copied().collect();
    callers::by_place(facts, &roles, &actions(rule))
}

fn actions<'r>(rule: &'r CompiledRule<'_>) -> Vec<&'r str> {
    rule.callers.iter().map(AsRef::as_ref).collect()
}

/// What a rule says of a place of which only roles tell that it is used.
fn ask_caller(
    facts: &Facts<'_>,
    rules: &Rules<'_>,
    index: usize,
    call: &Call,
    place: &Place,
    keep_pass: bool,
) -> Option<Result> {
    let ask = |region: Value| {
        let scope = ConditionScope::new(facts, call.node).in_place(place.0, region);
        ask_remembering(rules, index, &scope, keep_pass, None)
    };
    let mut result = ask(callers::region(place))?;
    if result.verdict == Verdict::Pass {
        return Some(result);
    }
    let untold = Cause::Other("the policy does not say which region it calls".into());
    let mut doubt = call.doubt.clone();
    // What there is in another region may be where it calls.
    if call.is_any_region && ask(Value::unknown(untold.clone()))?.verdict != Verdict::Fail {
        doubt.get_or_insert_with(|| untold.to_string());
    }
    if let Some(doubt) = doubt.filter(|_| result.verdict == Verdict::Fail) {
        result.verdict = Verdict::Undetermined;
        result.message = format_smolstr!("cannot tell whether {}", result.message);
        result.causes = vec![doubt];
    }
    let by = callers::way(facts, call.node, &actions(rules.compiled.get(index)?));
    let (actual, statement) = by.map_or((None, None), |by| (by.actual, by.statement));
    result.actual = actual.map(Actual::Told);
    result.related.extend(statement.map(|site| (site, "the statement that lets it call models".to_owned())));
    let workload = call.workload.and_then(|node| facts.graph.resource(node));
    result.related.extend(workload.and_then(|it| Some((it.site?, format!("`{}` runs as it", it.address)))));
    Some(result)
}

/// Of a control that is often elsewhere its absence here tells nothing, unless it was here: `was` is what rules said before.
pub(super) fn soften(config: &Config, rules: &Rules<'_>, results: &mut [Box<Result>], was: &[Box<Result>]) {
    let was_here = |result: &Result| {
        was.iter()
            .any(|old| old.rule == result.rule && old.place == result.place && old.verdict == Verdict::Pass)
    };
    // What somebody took away outside of the code was here too.
    for result in results.iter_mut().filter(|result| result.verdict == Verdict::Fail && !result.drift) {
        let Some(rule) = rules.compiled.get(result.rule).filter(|rule| rule.elsewhere) else { continue };
        let Some(control) = rule.provided.filter(|_| !was_here(result)) else { continue };
        if config.provided.get(control) == Some(&Provider::Nothing) {
            continue;
        }
        result.verdict = Verdict::Undetermined;
        result.message = format_smolstr!("cannot tell whether {}", result.message);
        result.causes = vec![format!(
            "it is not in this configuration, and another may have it: name that as `{control}` below `[provided]`"
        )];
    }
}
