//! Which rules run: selectors are ids, prefixes of ids, families, names and `ALL`.

use super::{Rule, RuleError, RuleSet, Status};

/// What a selector says of a rule.
#[derive(PartialEq, Eq)]
enum Match {
    No,
    /// It is in a group that is named.
    Group,
    /// It is named itself.
    Itself,
}

impl RuleSet {
    /// The rules that `select` names, without those that `ignore` names. An empty `select` is `ALL`. A rule in preview
    /// runs only if its id or name itself is selected.
    pub fn select(&self, select: &[String], ignore: &[String]) -> Result<Self, RuleError> {
        for selector in select.iter().chain(ignore) {
            if !self.iter().any(|rule| matches(selector, rule) != Match::No) && selector != "ALL" {
                return Err(self.unknown(selector));
            }
        }
        let wanted = |rule: &Rule| {
            let is_preview = rule.front().status == Status::Preview;
            let all = select.is_empty() && !is_preview;
            all || select.iter().any(|selector| match matches(selector, rule) {
                Match::Itself => true,
                Match::Group => !is_preview,
                Match::No => false,
            })
        };
        let ignored = |rule: &Rule| ignore.iter().any(|selector| matches(selector, rule) != Match::No);
        Ok(self.filter(|rule| wanted(rule) && !ignored(rule)))
    }

    /// That each of `names` is a control that a rule asks for: `provided` in its front matter.
    pub fn know_controls<'n>(&self, mut names: impl Iterator<Item = &'n str>) -> Result<(), RuleError> {
        let known = || self.iter().filter_map(|rule| rule.front().provided.as_deref());
        match names.find(|name| !known().any(|control| control == *name)) {
            Some(name) => {
                let suggestions = nearest(name, known());
                Err(RuleError::UnknownControl { name: name.to_owned(), suggestions })
            }
            None => Ok(()),
        }
    }

    /// The error for a selector or name that matches nothing, with what comes nearest.
    pub fn unknown(&self, selector: &str) -> RuleError {
        let names = self.iter().flat_map(|rule| {
            let front = rule.front();
            let prefixes = front.id.match_indices('-').filter_map(|(at, _)| front.id.get(..at));
            [front.id.as_ref(), &front.name, &front.family].into_iter().chain(prefixes)
        });
        RuleError::UnknownSelector { selector: selector.to_owned(), suggestions: nearest(selector, names) }
    }
}

/// The three of `names` that are nearest to what was typed, nearest first; fewer if others are too far.
pub fn nearest<'n>(typed: &str, names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let typed = typed.to_lowercase();
    let mut near: Vec<(usize, &str)> = names
        .map(|name| (distance(&typed, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= name.len() / 3)
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

fn matches(selector: &str, rule: &Rule) -> Match {
    let is_prefix = || rule.id().strip_prefix(selector).is_some_and(|rest| rest.starts_with('-'));
    if rule.is_called(selector) {
        Match::Itself
    } else if selector == "ALL" || rule.front().family == selector || is_prefix() {
        Match::Group
    } else {
        Match::No
    }
}

/// How many characters must be inserted, deleted or replaced to make one text the other.
pub(super) fn distance(from: &str, to: &str) -> usize {
    /// No name is as long; a longer selector is compared by its beginning.
    const LONGEST: usize = 64;
    let to: Vec<char> = to.chars().take(LONGEST).collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().take(LONGEST).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(&to) {
            let above = *cell;
            left = (diagonal + usize::from(a != *b)).min(above + 1).min(left + 1);
            diagonal = above;
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
