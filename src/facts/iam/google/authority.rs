//! What grants take from each other: a binding says who has a role on something and nobody else, a policy which roles
//! there are on it and no other. Which of two that differ stands last nobody can say: each apply takes the other away.

use smol_str::SmolStr;

use super::{Grant, Kind, Place, Role, from};
use crate::value::{Cause, Value};

/// Notes of every grant what else in the configuration takes it away.
pub(super) fn settle(all: &mut [Grant]) {
    let mut doubts: Vec<(usize, Cause)> = Vec::new();
    let ruling: Vec<usize> = (0..).zip(all.iter()).filter(|(_, it)| it.rules()).map(|(at, _)| at).collect();
    for (at, grant) in all.iter().enumerate() {
        let over = ruling.iter().filter_map(|&other| all.get(other)).filter(|other| other.is_over(grant));
        let over: Vec<&Grant> = over.collect();
        let Some(first) = over.first() else { continue };
        let keeps = |other: &&&Grant| {
            other.role.is_same(&grant.role)
                && other.condition == grant.condition
                && (other.more.is_some() || grant.holders.iter().all(|it| other.holders.contains(it)))
        };
        if over.iter().any(|it| keeps(&it)) {
            continue;
        }
        let why = match first.role {
            Role::Unknown(_) => format!(
                "whether `{}`, which says all who have a role there, keeps this is not known",
                first.address
            ),
            _ => format!("`{}` says all who have a role there, and leaves this out", first.address),
        };
        doubts.push((at, Cause::Other(why.into())));
    }
    for (at, cause) in doubts {
        if let Some(grant) = all.get_mut(at) {
            grant.doubt = Some(cause);
        }
    }
}

impl Grant {
    /// Whether it says more than what it grants.
    fn rules(&self) -> bool {
        matches!(self.kind, Kind::Binding | Kind::Policy)
    }

    /// Whether it says all that the other is one of: all who have that role, or all roles.
    fn is_over(&self, other: &Self) -> bool {
        self.node != other.node
            && self.place.is_same(&other.place)
            && match (self.kind, other.kind) {
                (Kind::Policy, Kind::Member | Kind::Binding) => true,
                (Kind::Binding, Kind::Member) => {
                    self.role.is_same(&other.role) && self.condition == other.condition
                }
                _ => false,
            }
    }
}

impl Role {
    /// Whether it surely is the same.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Named(one), Self::Named(other)) => one == other,
            (Self::Custom(one, ..), Self::Custom(other, ..)) => one == other,
            _ => false,
        }
    }
}

impl Place {
    /// Whether it surely is the same.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Project(one), Self::Project(other)) => key(one).is_some_and(|one| Some(one) == key(other)),
            (Self::Above(one), Self::Above(other)) => one == other && !one.ends_with('?'),
            (Self::Resource(one, names), Self::Resource(other, others)) => {
                if one.is_empty() && other.is_empty() {
                    !names.is_empty() && names == others
                } else {
                    one == other
                }
            }
            _ => false,
        }
    }
}

/// A project by its name, or by what that is computed from.
pub(super) fn key(project: &Value) -> Option<SmolStr> {
    let named = || from(project).map(|it| it.resource.clone());
    project.as_str().filter(|_| !project.sensitive).map(SmolStr::from).or_else(named)
}
