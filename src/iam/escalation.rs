//! Ways from some permissions to others: `rules/iam/escalations.csv`, each a set of actions that must all be allowed.

use std::sync::LazyLock;

use smol_str::SmolStr;

use super::cover::{self, Of};
use super::index::Service;
use super::text::Text;
use super::work;

/// A way.
#[derive(Debug)]
pub struct Escalation {
    /// `sagemaker-notebook`
    pub id: &'static str,
    /// One of [`CATEGORIES`].
    pub category: &'static str,
    /// The service that a role is passed to; empty if none is.
    pub passed_to: &'static str,
    /// All must be allowed, of each one of the alternatives.
    pub actions: Vec<Vec<&'static str>>,
    /// What can be done then.
    pub what: &'static str,
    /// Of each of the actions the alternatives.
    needs: Vec<Actions>,
}

/// `pass-role`: with any role; `take-over`: with the role of what is there; `credentials`, `tampering`. In the order of the
/// table.
pub const CATEGORIES: [&str; 4] = ["pass-role", "take-over", "credentials", "tampering"];

/// Some of the actions that ways need: a bit stands for each.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions(u128);

static TABLE: &str = include_str!("../../rules/iam/escalations.csv");

/// The actions that ways need, sorted by their services.
static ACTIONS: LazyLock<Vec<(Option<Service>, Text)>> = LazyLock::new(|| {
    let columns = TABLE.lines().skip(1).filter_map(|line| line.split(',').nth(3));
    let actions = columns.flat_map(|column| column.split(" + ")).flat_map(|group| group.split('|'));
    let mut actions: Vec<_> = actions.map(|action| (Service::of_prefix(action), action)).collect();
    actions.sort_unstable();
    actions.dedup();
    let text = |action| Text::Known(SmolStr::new_static(action));
    actions.into_iter().map(|(service, action)| (service, text(action))).collect()
});

static ALL: LazyLock<Vec<Escalation>> = LazyLock::new(|| {
    let one = |line: &'static str| {
        let mut columns = line.splitn(5, ',');
        let (id, category, passed_to) = (columns.next()?, columns.next()?, columns.next()?);
        let actions: Vec<Vec<_>> =
            columns.next()?.split(" + ").map(|group| group.split('|').collect()).collect();
        let needs = actions.iter().map(|group| Actions::of(group)).collect();
        Some(Escalation { id, category, passed_to, actions, what: columns.next()?, needs })
    };
    TABLE.lines().skip(1).filter_map(one).collect()
});

impl Actions {
    const ALL: Self = Self(u128::MAX);

    fn of(actions: &[&str]) -> Self {
        let is_one = |action: &Text| action.as_str().is_some_and(|action| actions.contains(&action));
        Self::where_(ACTIONS.iter().enumerate(), is_one)
    }

    /// Those that a pattern of actions may have something in common with, if all that it covers are of the service; all, if
    /// there is no pattern.
    pub(super) fn met_by(pattern: Option<&Text>, service: Option<Service>) -> Self {
        let Some(pattern) = pattern else { return Self::ALL };
        let first = service.map_or(0, |_| ACTIONS.partition_point(|(its, _)| *its < service));
        let of_service = ACTIONS.iter().enumerate().skip(first);
        let of_service = of_service.take_while(|(_, (its, _))| service.is_none() || *its == service);
        if let Some(literal) = pattern.as_literal() {
            let is_it = |action: &Text| action.as_str().is_some_and(|it| it.eq_ignore_ascii_case(literal));
            return Self::where_(of_service, is_it);
        }
        Self::where_(of_service, |action| {
            work::Question::is_cut_off().is_some()
                || cover::intersects(pattern, action, Of::Actions) != Ok(false)
        })
    }

    fn where_<'a>(
        actions: impl Iterator<Item = (usize, &'a (Option<Service>, Text))>,
        is_one: impl Fn(&Text) -> bool,
    ) -> Self {
        let bit = |(at, (_, action)): (usize, &(Option<Service>, Text))| u128::from(is_one(action)) << at;
        Self(actions.map(bit).fold(0, |all, bit| all | bit))
    }

    /// These and those.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

/// The ways of the categories, in the order of the table.
pub fn of(categories: &[&str]) -> impl Iterator<Item = &'static Escalation> {
    ALL.iter().filter(|it| categories.contains(&it.category))
}

/// Those of the category that need no other actions than these.
pub fn within(actions: Actions, category: &str) -> impl Iterator<Item = &'static Escalation> {
    let is_open = move |it: &&Escalation| it.needs.iter().all(|needed| needed.0 & actions.0 != 0);
    ALL.iter().filter(move |it| it.category == category).filter(is_open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::Policy;
    use crate::value::Value;

    #[test]
    fn a_document_tells_the_actions_that_it_may_allow() {
        let of = |action: &str| {
            let text = format!(r#"{{"Statement":[{{"Effect":"Allow",{action},"Resource":"*"}}]}}"#);
            Policy::read(&Value::string(text)).alternatives.remove(0).escalating()
        };
        let all = |is_one: &dyn Fn(&str) -> bool| {
            let actions: Vec<&str> = ACTIONS.iter().filter_map(|(_, action)| action.as_str()).collect();
            Actions::of(&actions.into_iter().filter(|action| is_one(action)).collect::<Vec<_>>())
        };
        assert_eq!(of(r#""Action":"IAM:passrole""#), all(&|action| action == "iam:PassRole"));
        assert_eq!(of(r#""Action":["iam:PassRole2","iam:assRole","s3:*"]"#), Actions::default());
        assert_eq!(of(r#""Action":"sagemaker:*model""#), all(&|action| action == "sagemaker:CreateModel"));
        assert_eq!(of(r#""Action":"bedrock:*""#), all(&|action| action.starts_with("bedrock:")));
        let variable = r#""Action":"glue:Create${aws:username}""#;
        assert_eq!(of(variable), all(&|action| action.starts_with("glue:Create")), "it may be any of them");
        for open in [r#""Action":"*""#, r#""NotAction":"iam:*""#] {
            assert_eq!(within(of(open), "take-over").count(), super::of(&["take-over"]).count(), "{open}");
        }
    }

    #[test]
    fn every_way_is_whole() {
        assert!(ALL.len() >= 48);
        assert!((80..=128).contains(&ACTIONS.len()), "each has a bit");
        let category = |it: &Escalation| CATEGORIES.iter().position(|category| *category == it.category);
        assert!(ALL.is_sorted_by_key(category), "categories are told in this order");
        for it in ALL.iter() {
            assert!(category(it).is_some() && it.needs.iter().all(|needed| needed.0 != 0), "{}", it.id);
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
