//! What grants take from each other: a binding says who has a role on something and nobody else, a policy which roles
//! there are on it and no other. Which of two that differ stands last nobody can say: each apply takes the other away.

use foldhash::HashMap;
use smol_str::SmolStr;

use crate::graph::NodeId;
use crate::value::{Cause, Value};

use super::{Grant, Holder, Kind, Place, Role, from};

/// Notes of every grant what else in the configuration takes it away.
pub(super) fn settle(all: &mut [Grant]) {
    let ruling = Ruling::of(all);
    let doubts = all.iter().map(|grant| Some(doubt(all.get(ruling.taken_by(grant)?)?)));
    let doubts: Vec<Option<Cause>> = doubts.collect();
    for (grant, doubt) in all.iter_mut().zip(doubts) {
        grant.doubt = doubt.or_else(|| grant.doubt.take());
    }
}

/// What is said of a grant that the other leaves out.
fn doubt(other: &Grant) -> Cause {
    let why = match other.role {
        Role::Unknown(_) => {
            format!(
                "whether `{}`, which says all who have a role there, keeps this is not known",
                other.address
            )
        }
        _ => format!("`{}` says all who have a role there, and leaves this out", other.address),
    };
    Cause::Other(why.into())
}

/// The bindings and policies, each by what it says all of. Grants are numbered in their order.
#[derive(Default)]
struct Ruling<'g> {
    /// The first policy of each place.
    policies: HashMap<Where<'g>, usize>,
    /// Those of a kind that say who has a role.
    lists: HashMap<(Kind, Said<'g>), List<'g>>,
}

/// A place that surely is the same as one that is equal.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Where<'g> {
    /// By its name, or by what that is computed from.
    Project(SmolStr),
    Above(&'g str),
    Nodes(&'g [NodeId]),
    Names(&'g [SmolStr]),
}

/// A role at a place, under a condition, that surely is the same as one that is equal.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Said<'g> {
    place: Where<'g>,
    /// Whether the configuration defines it, and its name.
    role: (bool, &'g str),
    condition: Option<&'g str>,
}

/// Who has it, by all that say so.
#[derive(Default)]
struct List<'g> {
    /// The first that says so.
    first: usize,
    /// One of them may name more.
    is_open: bool,
    /// Who is named, and by which, sorted.
    holders: HashMap<&'g Holder, Vec<usize>>,
}

impl<'g> Ruling<'g> {
    fn of(all: &'g [Grant]) -> Self {
        let mut this = Self::default();
        for (at, grant) in all.iter().enumerate() {
            if !matches!(grant.kind, Kind::Binding | Kind::Policy) {
                continue;
            }
            if let (Kind::Policy, Some(place)) = (grant.kind, Where::of(&grant.place)) {
                this.policies.entry(place).or_insert(at);
            }
            let Some(said) = Said::of(grant) else { continue };
            let new = || List { first: at, ..List::default() };
            let list = this.lists.entry((grant.kind, said)).or_insert_with(new);
            list.is_open |= grant.more.is_some();
            for holder in &grant.holders {
                list.holders.entry(holder).or_default().push(at);
            }
        }
        this
    }

    /// The first that says all that the grant is one of, all who have that role or all roles, if none of them keeps it.
    fn taken_by(&self, grant: &Grant) -> Option<usize> {
        let kinds = match grant.kind {
            Kind::Member => &[Kind::Binding, Kind::Policy][..],
            Kind::Binding => &[Kind::Policy],
            Kind::Policy | Kind::List => return None,
        };
        let said = Said::of(grant);
        let lists = || {
            let said = said.as_ref();
            kinds.iter().filter_map(move |kind| Some((*kind, self.lists.get(&(*kind, said?.clone()))?)))
        };
        if lists().any(|(_, list)| list.keeps(&grant.holders)) {
            return None;
        }
        let bindings = lists().filter(|(kind, _)| *kind == Kind::Binding).map(|(_, list)| list.first);
        let policy = Where::of(&grant.place).and_then(|place| self.policies.get(&place).copied());
        bindings.chain(policy).min()
    }
}

impl List<'_> {
    /// Whether one of those that say so names all of these, or may.
    fn keeps(&self, holders: &[Holder]) -> bool {
        let Some((first, others)) = holders.split_first().filter(|_| !self.is_open) else { return true };
        let named_by = |holder| self.holders.get(holder).map(Vec::as_slice).unwrap_or_default();
        let names = |at: &usize| others.iter().all(|it| named_by(it).binary_search(at).is_ok());
        named_by(first).iter().any(names)
    }
}

impl<'g> Said<'g> {
    fn of(grant: &'g Grant) -> Option<Self> {
        let role = match &grant.role {
            Role::Named(name) => (false, name.as_str()),
            Role::Custom(name, ..) => (true, name.as_str()),
            Role::Unknown(_) => return None,
        };
        Some(Self { place: Where::of(&grant.place)?, role, condition: grant.condition.as_deref() })
    }
}

impl<'g> Where<'g> {
    fn of(place: &'g Place) -> Option<Self> {
        match place {
            Place::Project(project) => key(project).map(Self::Project),
            Place::Above(name) => (!name.ends_with('?')).then_some(Self::Above(name)),
            Place::Resource(nodes, _) if !nodes.is_empty() => Some(Self::Nodes(nodes)),
            Place::Resource(_, names) => (!names.is_empty()).then_some(Self::Names(names)),
        }
    }
}

/// A project by its name, or by what that is computed from.
pub(super) fn key(project: &Value) -> Option<SmolStr> {
    let named = || from(project).map(|it| it.resource.clone());
    project.as_str().filter(|_| !project.sensitive).map(SmolStr::from).or_else(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(number: usize, kind: Kind, place: Place, role: Role, holders: &[usize]) -> Grant {
        let holder = |at: &usize| Holder {
            name: format!("user:{at}@example.com").into(),
            account: None,
            is_doubtful: false,
        };
        Grant {
            node: NodeId::new(number),
            address: format!("g{number}").into(),
            site: None,
            place,
            role,
            holders: holders.iter().map(holder).collect(),
            more: None,
            condition: None,
            kind,
            doubt: None,
            through: None,
        }
    }

    fn named(number: usize) -> Role {
        Role::Named(format!("roles/{number}").into())
    }

    /// Whether one says all that the other is one of, said once more, of two grants alone.
    fn is_over(one: &Grant, other: &Grant) -> bool {
        let place = Where::of(&one.place).is_some_and(|place| Where::of(&other.place) == Some(place));
        place
            && match (one.kind, other.kind) {
                (Kind::Policy, Kind::Member | Kind::Binding) => true,
                (Kind::Binding, Kind::Member) => Said::of(one).is_some_and(|it| Some(it) == Said::of(other)),
                _ => false,
            }
    }

    fn keeps(one: &Grant, other: &Grant) -> bool {
        Said::of(one).is_some_and(|it| Some(it) == Said::of(other))
            && (one.more.is_some() || other.holders.iter().all(|it| one.holders.contains(it)))
    }

    #[test]
    fn by_index_it_is_as_of_every_two() {
        let mut seed = 7_usize;
        let mut below = |most: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % most
        };
        let mut taken = 0;
        for _ in 0..300 {
            let mut all: Vec<Grant> = (0..12)
                .map(|number| {
                    let place = match below(4) {
                        0 => Place::Project(Value::string("acme")),
                        1 => Place::Above("folder ?".to_owned()),
                        2 => Place::Resource(vec![NodeId::new(below(2))], vec!["a".into()]),
                        _ => Place::Resource(Vec::new(), vec!["a".into()]),
                    };
                    let role = match below(4) {
                        0 => Role::Unknown(Cause::Plan),
                        1 => Role::Custom("roles/0".into(), Vec::new(), None),
                        number => named(number % 2),
                    };
                    let kind = [Kind::Member, Kind::Binding, Kind::Policy, Kind::List][below(4)];
                    let holders: Vec<usize> = (0..below(3)).map(|_| below(3)).collect();
                    let more = (below(8) == 0).then_some(Cause::Plan);
                    let condition = (below(4) == 0).then(|| "request".to_owned());
                    Grant { more, condition, ..grant(number, kind, place, role, &holders) }
                })
                .collect();
            let each = all.iter().map(|grant| {
                let over: Vec<&Grant> = all.iter().filter(|other| is_over(other, grant)).collect();
                let is_kept = over.iter().any(|other| keeps(other, grant));
                over.first().filter(|_| !is_kept).map(|other| doubt(other))
            });
            let expected: Vec<Option<Cause>> = each.collect();
            settle(&mut all);
            let found: Vec<Option<Cause>> = all.iter().map(|grant| grant.doubt.clone()).collect();
            assert_eq!(found, expected, "{all:#?}");
            taken += found.iter().flatten().count();
        }
        assert!(taken > 100, "{taken}");
    }

    /// Two of each other would be ten thousand million.
    #[test]
    fn many_grants_of_one_place_are_not_held_against_each_other() {
        const MANY: usize = 50_000;
        let place = || Place::Project(Value::string("acme"));
        let member = |at: usize| grant(at, Kind::Member, place(), named(at % 2), &[at]);
        let binding = |at: usize| grant(at + MANY, Kind::Binding, place(), named(at % 2), &[at ^ 1]);
        let mut all: Vec<Grant> = (0..MANY).map(member).chain((0..MANY).map(binding)).collect();
        settle(&mut all);
        let doubts: Vec<&Grant> = all.iter().filter(|grant| grant.doubt.is_some()).collect();
        assert_eq!(doubts.len(), MANY, "each of the members is named with the other role");
    }
}
