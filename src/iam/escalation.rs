//! Ways from some permissions to others: `rules/iam/escalations.csv`, each a set of actions that must all be allowed.

use std::sync::LazyLock;

use super::index::Services;

/// A way.
#[derive(Debug)]
pub struct Escalation {
    /// `sagemaker-notebook`
    pub id: &'static str,
    /// `pass-role`: with any role; `take-over`: with the role of what is there; `credentials`, `tampering`.
    pub category: &'static str,
    /// The service that a role is passed to; empty if none is.
    pub passed_to: &'static str,
    /// All must be allowed, of each one of the alternatives.
    pub actions: Vec<Vec<&'static str>>,
    /// Of each of the actions the services that the alternatives are of.
    pub services: Vec<Services>,
    /// What can be done then.
    pub what: &'static str,
}

static ALL: LazyLock<Vec<Escalation>> = LazyLock::new(|| {
    let one = |line: &'static str| {
        let mut columns = line.splitn(5, ',');
        let (id, category, passed_to) = (columns.next()?, columns.next()?, columns.next()?);
        let actions: Vec<Vec<_>> =
            columns.next()?.split(" + ").map(|group| group.split('|').collect()).collect();
        let services = actions.iter().map(|group| Services::of(group)).collect();
        Some(Escalation { id, category, passed_to, actions, services, what: columns.next()? })
    };
    include_str!("../../rules/iam/escalations.csv").lines().skip(1).filter_map(one).collect()
});

/// The ways of the categories, in the order of the table.
pub fn of(categories: &[&str]) -> impl Iterator<Item = &'static Escalation> {
    ALL.iter().filter(|it| categories.contains(&it.category))
}

/// Those that whoever may do something with these services alone may go. Most have nothing to do with most services.
pub fn within(services: Services) -> impl Iterator<Item = &'static Escalation> {
    ALL.iter().filter(move |it| it.services.iter().all(|its| services.share(*its)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_whole() {
        assert!(ALL.len() >= 48);
        for it in ALL.iter() {
            assert!(
                ["pass-role", "take-over", "credentials", "tampering"].contains(&it.category),
                "{}",
                it.id
            );
            assert_eq!(
                it.actions.first() == Some(&vec!["iam:PassRole"]),
                !it.passed_to.is_empty(),
                "{}",
                it.id
            );
            for action in it.actions.iter().flatten() {
                let (service, name) = action.split_once(':').expect("an action");
                assert!(service.is_ascii() && name.bytes().all(|b| b.is_ascii_alphanumeric()), "{action}");
            }
            assert!(!it.what.contains(','), "{}", it.id);
        }
    }
}
