//! The resources that rules about absence are asked of, by where they are: gathered while each is at hand for other rules.

use std::collections::BTreeMap;

use foldhash::HashMap;
use rayon::prelude::*;
use smol_str::SmolStr;

use super::{Place, Rules};
use crate::facts::{Facts, residency};
use crate::graph::NodeId;
use crate::program::Resource;
use crate::rules::Scope;

/// More places than this are not told for one finding.
const MAX_RELATED: usize = 10;

/// The resources of types, by where they are.
pub(super) type Places<'r> = HashMap<&'r str, BTreeMap<Place, Here>>;

/// Resources of a type in one place.
#[derive(Debug, Default)]
pub(super) struct Here {
    /// In the order of the graph.
    pub(super) all: Vec<NodeId>,
    /// [`first`]
    pub(super) first: Vec<NodeId>,
}

/// Resources by the number of their type and where they are.
#[derive(Debug, Default)]
pub(super) struct Gathered(Vec<(usize, Place, Here)>);

impl Here {
    /// Some resources.
    pub(super) fn new(facts: &Facts<'_>, all: Vec<NodeId>) -> Self {
        let first = first(facts, all.iter().copied());
        Self { all, first }
    }

    /// With those of another, which come behind.
    fn extend(&mut self, facts: &Facts<'_>, other: Self) {
        self.all.extend(other.all);
        other.first.into_iter().for_each(|node| put(facts, &mut self.first, node));
    }
}

impl Gathered {
    /// Adds a resource.
    pub(super) fn add(&mut self, facts: &Facts<'_>, number: usize, node: NodeId) {
        let Some(resource) = facts.graph.resource(node) else { return };
        let place = of(facts, node, resource);
        let known = self.0.iter().rposition(|(of, at, _)| *of == number && *at == place);
        let at = known.unwrap_or_else(|| {
            self.0.push((number, place, Here::default()));
            self.0.len() - 1
        });
        if let Some((.., here)) = self.0.get_mut(at) {
            here.all.push(node);
            put(facts, &mut here.first, node);
        }
    }

    /// Those that were gathered, in order, by the names of the types.
    pub(super) fn join<'r>(
        facts: &Facts<'_>,
        types: &[&'r str],
        gathered: impl IntoIterator<Item = Self>,
    ) -> Places<'r> {
        let mut places = Places::default();
        for (number, place, here) in gathered.into_iter().flat_map(|it| it.0) {
            let Some(name) = types.get(number) else { continue };
            places.entry(name).or_default().entry(place).or_default().extend(facts, here);
        }
        places
    }
}

/// Whether rules of the scope are asked once of a place.
pub(super) const fn is_once(scope: Scope) -> bool {
    matches!(scope, Scope::Provider | Scope::ProviderRegion)
}

/// Which of the types, all that rules are about and sorted, such rules are about.
pub(super) fn are_wanted(rules: &Rules<'_>, types: &[&str]) -> Vec<bool> {
    let mut wanted = vec![false; types.len()];
    let once = rules.compiled.iter().filter(|rule| is_once(rule.scope));
    for name in once.flat_map(|rule| rule.types) {
        let number = types.binary_search(&name.as_ref()).ok();
        number.and_then(|number| wanted.get_mut(number)).into_iter().for_each(|it| *it = true);
    }
    wanted
}

/// Those of a graph of the types that are wanted, of all that rules are about.
pub(super) fn of_graph<'r>(facts: &Facts<'_>, rules: &Rules<'r>, types: &[&'r str]) -> Places<'r> {
    let of_type = |(number, (name, _)): (usize, (&&str, bool))| {
        let mut gathered = Gathered::default();
        let nodes = facts.graph.by_type(name).iter().copied().filter(|&node| facts.is_subject(node));
        nodes.for_each(|node| gathered.add(facts, number, node));
        gathered
    };
    let all = types.par_iter().zip(are_wanted(rules, types)).enumerate().with_max_len(1);
    let gathered: Vec<_> = all.filter(|(_, (_, is_wanted))| *is_wanted).map(of_type).collect();
    Gathered::join(facts, types, gathered)
}

/// Where a resource is. The Cloud Control provider is where that of AWS is which it stands beside, unless it says otherwise.
fn of(facts: &Facts<'_>, node: NodeId, resource: &Resource) -> Place {
    let account = facts.graph.account(resource);
    let beside = account.filter(|_| account != resource.provider);
    let beside = beside.and_then(|at| facts.graph.providers.get(at));
    let own = residency::region(facts, node);
    let region = own.as_str().or_else(|| beside?.region.as_str());
    (account, region.map(SmolStr::from))
}

/// Those that are told: the first by their addresses, sorted. Of inputs that are sorted, as plans are, each is looked at once.
pub(super) fn first(facts: &Facts<'_>, nodes: impl Iterator<Item = NodeId>) -> Vec<NodeId> {
    let mut first = Vec::new();
    nodes.for_each(|node| put(facts, &mut first, node));
    first
}

/// Adds a resource to those that are told, if it is one of them.
fn put(facts: &Facts<'_>, first: &mut Vec<NodeId>, node: NodeId) {
    let own = address(facts, node);
    if first.get(MAX_RELATED).is_none_or(|&last| own < address(facts, last)) {
        first.insert(first.partition_point(|&known| address(facts, known) <= own), node);
        first.truncate(MAX_RELATED + 1);
    }
}

/// The address of a resource.
pub(super) fn address<'g>(facts: &Facts<'g>, node: NodeId) -> Option<&'g SmolStr> {
    facts.graph.resource(node).map(|resource| &resource.address)
}
