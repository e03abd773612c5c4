//! Rules about absence: asked once for each provider configuration and region that holds a resource of their types, since what
//! they ask for is set up once for an account and region. And rules of scope *provider*: asked of every resource of their types,
//! and told once for each provider configuration.
//!
//! What an account needs is often in another configuration than its AI. The user may declare that (`[provided]`); and where a
//! rule expects it (`elsewhere`), absence is undetermined, unless it was here and the change takes it away.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rayon::prelude::*;
use smol_str::{SmolStr, format_smolstr};

use super::ask::{decide_rule, tell};
use super::callers;
use super::memo::Memos;
use super::{Place, Result, Rules};
use crate::config::{Config, Provider};
use crate::facts::{Facts, residency};
use crate::finding::{Provided, Verdict};
use crate::graph::NodeId;
use crate::program::Resource;
use crate::rules::{CompiledRule, Scope};

/// More places than this are not told for one finding.
const MAX_RELATED: usize = 10;

/// The resources of types, by where they are.
pub(super) type Places<'r> = HashMap<&'r str, BTreeMap<Place, Vec<NodeId>>>;

/// What the rules say, those that pass too, and what of that the configuration declares provided elsewhere. `told` is what those
/// of scope *provider* say of resources that do not pass.
pub(super) fn ask(
    facts: &Facts<'_>,
    rules: &Rules<'_>,
    memos: &Memos<'_>,
    told: Vec<Box<Result>>,
) -> (Vec<Box<Result>>, Vec<Provided>) {
    let mut of_accounts: HashMap<(usize, Option<usize>), Vec<Box<Result>>> = HashMap::new();
    for result in told {
        let Some(resource) = facts.graph.resource(result.node) else { continue };
        of_accounts.entry((result.rule, facts.graph.account(resource))).or_default().push(result);
    }
    let once = |rule: &CompiledRule<'_>| matches!(rule.scope, Scope::Provider | Scope::ProviderRegion);
    let rules_once = || rules.compiled.iter().enumerate().filter(|(_, rule)| once(rule));
    // Several rules are about a type, and many resources are of one.
    let types: BTreeSet<&str> = rules_once().flat_map(|(_, rule)| rule.types).map(AsRef::as_ref).collect();
    let places: Places<'_> = types.into_par_iter().map(|name| (name, places(facts, name))).collect();
    let (mut results, mut provided) = (Vec::new(), Vec::new());
    for (index, rule) in rules_once() {
        let each = rule.scope == Scope::Provider;
        let declared = rule.provided.and_then(|name| match facts.config.provided.get(name)? {
            Provider::Other(by) => Some((name, by)),
            Provider::Nothing => None,
        });
        let ask = |node: NodeId| ask_one(facts, rules, memos, index, node);
        let address = |node: NodeId| facts.graph.resource(node).map(|resource| &resource.address);
        let mut groups = groups(rule, &places);
        let roles = callers::of_rule(facts, rule, &places);
        // Where something else tells that the place is used, that is asked.
        let callers: BTreeMap<_, _> =
            roles.into_iter().filter(|(place, _)| !groups.contains_key(place)).collect();
        groups.extend(
            callers
                .iter()
                .map(|(place, calls)| (place.clone(), calls.iter().map(|call| call.node).collect())),
        );
        for (place, mut group) in groups {
            // The first by address stands for all, whatever the order of the input.
            let (result, others) = if each {
                let mut told = of_accounts.remove(&(index, place.0)).unwrap_or_default();
                let worst = told.iter().map(|result| result.verdict).min();
                told.retain(|result| Some(result.verdict) == worst);
                keep_first(&mut told, |result| address(result.node));
                let others = told.iter().skip(1).map(|other| other.node).collect();
                let passes = || {
                    group.sort_by_key(|&node| address(node));
                    group.iter().find_map(|&node| ask(node))
                };
                (told.into_iter().next().or_else(passes), others)
            } else {
                // All that are protected elsewhere are told.
                match declared {
                    Some(_) => group.sort_by_key(|&node| address(node)),
                    None => keep_first(&mut group, |&node| address(node)),
                }
                let others = group.iter().copied().skip(1).collect();
                let first = group.first().and_then(|&node| {
                    match callers.get(&place).into_iter().flatten().find(|call| call.node == node) {
                        Some(call) => callers::ask(facts, rules, index, call, &place),
                        None => ask(node),
                    }
                });
                (first, others)
            };
            let (Some(mut result), others): (_, Vec<NodeId>) = (result, others) else { continue };
            if result.verdict != Verdict::Pass {
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

/// What one rule says of one resource.
fn ask_one(
    facts: &Facts<'_>,
    rules: &Rules<'_>,
    memos: &Memos<'_>,
    rule: usize,
    node: NodeId,
) -> Option<Box<Result>> {
    memos.of_resource(facts, node, |memo, scope| {
        let decided = decide_rule(rules, rule, scope, Some(memo))?;
        tell(rules, rule, scope, decided, Some(memo)).map(Box::new)
    })
}

/// What rules of scope *provider* say of the resources that do not pass, where no other rule is asked.
pub(super) fn of_accounts(facts: &Facts<'_>, rules: &Rules<'_>, memos: &Memos) -> Vec<Box<Result>> {
    let of_rule = |(index, rule): (usize, &CompiledRule<'_>)| -> Vec<Box<Result>> {
        let nodes = rule.types.iter().flat_map(|name| facts.graph.by_type(name));
        let asked = nodes.filter(|&&node| facts.is_subject(node));
        let told = asked.filter_map(|&node| ask_one(facts, rules, memos, index, node));
        told.filter(|result| result.verdict != Verdict::Pass).collect()
    };
    let each = rules.compiled.par_iter().enumerate().filter(|(_, rule)| rule.scope == Scope::Provider);
    each.flat_map_iter(of_rule).collect()
}

/// The resources that a rule is about, by the account and region that it is asked of once, or by the account.
fn groups(rule: &CompiledRule<'_>, places: &Places<'_>) -> BTreeMap<Place, Vec<NodeId>> {
    let mut groups: BTreeMap<Place, Vec<NodeId>> = BTreeMap::new();
    let types = rule.types.iter().filter(|name| !callers::is_placed(rule, name));
    for ((account, region), nodes) in types.filter_map(|name| places.get(name.as_ref())).flatten() {
        let region = region.clone().filter(|_| rule.scope == Scope::ProviderRegion);
        groups.entry((*account, region)).or_default().extend(nodes);
    }
    groups
}

/// Those that are told: the first by their addresses, sorted.
fn keep_first<T, K: Ord>(all: &mut Vec<T>, address: impl Fn(&T) -> K) {
    if all.len() > MAX_RELATED + 1 {
        all.select_nth_unstable_by_key(MAX_RELATED, &address);
        all.truncate(MAX_RELATED + 1);
    }
    all.sort_by_key(address);
}

/// The resources of a type that rules are asked of, by where they are.
fn places(facts: &Facts<'_>, type_name: &str) -> BTreeMap<Place, Vec<NodeId>> {
    let mut places: BTreeMap<Place, Vec<NodeId>> = BTreeMap::new();
    for &node in facts.graph.by_type(type_name).iter().filter(|&&node| facts.is_subject(node)) {
        let Some(resource) = facts.graph.resource(node) else { continue };
        places.entry(place_of(facts, node, resource)).or_default().push(node);
    }
    places
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
