//! Rules about absence: asked once for each provider configuration and region that holds a resource of their types, since what
//! they ask for is set up once for an account and region. And rules of scope *provider*: asked of every resource of their types,
//! and told once for each provider configuration.
//!
//! What an account needs is often in another configuration than its AI. The user may declare that (`[provided]`); and where a
//! rule expects it (`elsewhere`), absence is undetermined, unless it was here and the change takes it away.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashMap;
use rayon::prelude::*;
use smol_str::{SmolStr, format_smolstr};

use super::ask::{ask_remembered, decide_rule};
use super::callers;
use super::memo::Memos;
use super::places::{Here, Places, address, first, is_once};
use super::results::Results;
use super::{Place, Result, Rules, places, words};
use crate::config::{Config, Provider};
use crate::facts::Facts;
use crate::facts::iam::callers::Call;
use crate::finding::{Provided, Verdict};
use crate::graph::NodeId;
use crate::rules::{CompiledRule, Scope};

/// A resource that does not pass a rule of scope *provider*.
#[derive(Copy, Clone, Debug)]
pub(super) struct Broken {
    pub(super) node: NodeId,
    pub(super) verdict: Verdict,
    /// The account that it is in.
    pub(super) account: Option<usize>,
}

/// What the rules say, those that pass too, and what of that the configuration declares provided elsewhere. `places` are those of
/// the types that they are about, and `broken` is, by rule, what does not pass those of scope *provider*.
pub(super) fn ask(
    facts: &Facts<'_>,
    rules: &Rules<'_>,
    memos: &Memos<'_>,
    places: &Places<'_>,
    broken: &[Vec<Broken>],
) -> (Vec<Box<Result>>, Vec<Provided>) {
    let once = Once { facts, rules, memos, places };
    let rules_once = rules.compiled.iter().enumerate().filter(|(_, rule)| is_once(rule.scope));
    let rules_once: Vec<_> = rules_once.collect();
    let of_rule = |(index, rule): &(usize, &CompiledRule<'_>)| {
        once.of_rule(*index, rule, broken.get(*index).map_or(&[], Vec::as_slice))
    };
    let told: Vec<(Vec<_>, Vec<_>)> = rules_once.par_iter().with_max_len(1).map(of_rule).collect();
    let (results, provided): (Vec<_>, Vec<_>) = told.into_iter().unzip();
    (results.into_iter().flatten().collect(), provided.into_iter().flatten().collect())
}

/// Rules that are asked once of a place.
struct Once<'a, 'f, 'r> {
    facts: &'a Facts<'f>,
    rules: &'a Rules<'r>,
    memos: &'a Memos<'r>,
    places: &'a Places<'r>,
}

impl Once<'_, '_, '_> {
    /// What one rule says.
    fn of_rule(
        &self,
        index: usize,
        rule: &CompiledRule<'_>,
        broken: &[Broken],
    ) -> (Vec<Box<Result>>, Vec<Provided>) {
        let Self { facts, rules, memos, places } = self;
        let each = rule.scope == Scope::Provider;
        let declared = rule.provided.and_then(|name| match facts.config.provided.get(name)? {
            Provider::Other(by) => Some((name, by)),
            Provider::Nothing => None,
        });
        let ask = |node: NodeId| ask_remembered(facts, rules, memos, index, node).map(Box::new);
        let mut groups = groups(rule, places);
        let roles = callers::of_rule(facts, rule, places);
        // Where something else tells that the place is used, that is asked.
        let callers: BTreeMap<_, _> =
            roles.into_iter().filter(|(place, _)| !groups.contains_key(place)).collect();
        let called = |calls: &Vec<Call>| Here::new(facts, calls.iter().map(|call| call.node).collect());
        let called: BTreeMap<_, _> = callers.iter().map(|(place, calls)| (place, called(calls))).collect();
        groups.extend(called.iter().map(|(place, here)| ((*place).clone(), vec![here])));
        let mut of_accounts: HashMap<Option<usize>, Vec<&Broken>> = HashMap::default();
        for one in broken {
            of_accounts.entry(one.account).or_default().push(one);
        }
        let (mut results, mut provided) = (Vec::new(), Vec::new());
        for (place, group) in groups {
            let all = || {
                let mut all: Vec<NodeId> = group.iter().flat_map(|here| &here.all).copied().collect();
                all.sort_by_key(|&node| address(facts, node));
                all
            };
            // The first by address stands for all, whatever the order of the input.
            let mut first = first(facts, group.iter().flat_map(|here| &here.first).copied());
            let result = if each {
                let here = of_accounts.remove(&place.0).unwrap_or_default();
                if let Some(worst) = here.iter().map(|it| it.verdict).min() {
                    let worst = here.iter().filter(|it| it.verdict == worst).map(|it| it.node);
                    first = places::first(facts, worst);
                    first.first().copied().and_then(ask)
                } else {
                    let passes = first.iter().copied().find_map(ask);
                    passes.or_else(|| all().into_iter().skip(first.len()).find_map(ask))
                }
            } else {
                first.first().and_then(|&node| {
                    match callers.get(&place).into_iter().flatten().find(|call| call.node == node) {
                        Some(call) => callers::ask(facts, rules, index, call, &place),
                        None => ask(node),
                    }
                })
            };
            let Some(mut result) = result else { continue };
            // What becomes of it from here on is not what the rule found.
            let mut words = words::take(facts, rules, &mut result);
            if result.verdict != Verdict::Pass {
                let too = if each { "fares alike" } else { "is in the same account and region" };
                let others = first.iter().skip(1).filter_map(|&node| facts.graph.resource(node));
                words.related.extend(
                    others.filter_map(|other| Some((other.site?, format!("`{}` {too}", other.address)))),
                );
                if let Some((control, by)) = declared {
                    result.verdict = Verdict::Pass;
                    result.message = SmolStr::default();
                    provided.push(Provided {
                        rule: index,
                        control: control.to_owned(),
                        by: by.clone(),
                        // All that are protected elsewhere are told.
                        resources: all().iter().filter_map(|&node| address(facts, node)).cloned().collect(),
                    });
                }
            }
            result.words = Some(Box::new(words));
            result.place = Some(place);
            results.push(result);
        }
        (results, provided)
    }
}

/// What does not pass rules of scope *provider*, by rule, where no other rule is asked.
pub(super) fn broken(facts: &Facts<'_>, rules: &Rules<'_>, memos: &Memos<'_>) -> Vec<Vec<Broken>> {
    let of_rule = |(index, rule): (usize, &CompiledRule<'_>)| -> Vec<Broken> {
        let nodes = rule.types.iter().flat_map(|name| facts.graph.by_type(name)).copied();
        let nodes = nodes.filter(|&node| rule.scope == Scope::Provider && facts.is_subject(node));
        let verdict = |node| {
            memos.of_resource(facts, node, |memo, scope| {
                Some(decide_rule(rules, index, scope, Some(memo))?.verdict())
            })
        };
        let told = nodes.filter_map(|node| Some((node, verdict(node)?)));
        told.filter_map(|(node, verdict)| Broken::new(facts, node, verdict)).collect()
    };
    rules.compiled.par_iter().enumerate().map(of_rule).collect()
}

impl Broken {
    /// The resource, if it does not pass.
    pub(super) fn new(facts: &Facts<'_>, node: NodeId, verdict: Verdict) -> Option<Self> {
        let account = facts.graph.account(facts.graph.resource(node)?);
        (verdict != Verdict::Pass).then_some(Self { node, verdict, account })
    }
}

/// The resources that a rule is about, by the account and region that it is asked of once, or by the account.
fn groups<'p>(rule: &CompiledRule<'_>, places: &'p Places<'_>) -> BTreeMap<Place, Vec<&'p Here>> {
    let mut groups: BTreeMap<Place, Vec<&Here>> = BTreeMap::new();
    let types = rule.types.iter().filter(|name| !callers::is_placed(rule, name));
    for ((account, region), here) in types.filter_map(|name| places.get(name.as_ref())).flatten() {
        let region = region.clone().filter(|_| rule.scope == Scope::ProviderRegion);
        groups.entry((*account, region)).or_default().push(here);
    }
    groups
}

/// Of a control that is often elsewhere its absence here tells nothing, unless it was here: `was` is what rules said before.
pub(super) fn soften(config: &Config, rules: &Rules<'_>, results: &mut Results, was: Option<&Results>) {
    for (index, rule) in rules.compiled.iter().enumerate().filter(|(_, rule)| rule.elsewhere) {
        let Some(control) = rule.provided else { continue };
        if config.provided.get(control) == Some(&Provider::Nothing) {
            continue;
        }
        let passed = was.map_or(&[][..], |was| was.of(index)).iter();
        let passed: BTreeSet<_> =
            passed.filter(|old| old.verdict == Verdict::Pass).map(|old| old.place.as_ref()).collect();
        // What somebody took away outside of the code was here too.
        let here = |result: &Result| result.drift || passed.contains(&result.place.as_ref());
        let absent = results.of_mut(index).iter_mut().filter(|result| result.verdict == Verdict::Fail);
        for result in absent.filter(|result| !here(result)) {
            result.verdict = Verdict::Undetermined;
            result.message = format_smolstr!("cannot tell whether {}", result.message);
            let cause = format!(
                "it is not in this configuration, and another may have it: name that as `{control}` below `[provided]`"
            );
            result.causes = Some([cause].into());
        }
    }
}
