//! What takes away what is allowed: statements that deny; boundaries, policies of sessions and allow lists of organisations
//! that do not allow.

use super::document::{Effect, Statement};
use super::effective::{By, Held, Kind, Request, Terms, Who, of_statements};
use super::index::Service;
use super::questions::has_effect;
use super::text::Text;
use super::told::{Told, both};
use super::work;
use crate::value::Cause;

/// What may take away what is allowed of one request, with what is said of its action: that is the same for every resource.
pub(super) struct Limits<'h> {
    denies: Vec<Deny<'h>>,
    /// Of each boundary the statements that may allow the action, and why it may not be there.
    boundaries: Vec<Boundary<'h>>,
}

/// Statements of a boundary, each with whether it allows the action; and what it is.
type Boundary<'h> = (Vec<(&'h Statement, Told)>, &'h Held<'h>);

/// A statement that may deny the action.
struct Deny<'h> {
    by: By,
    held: &'h Held<'h>,
    statement: &'h Statement,
    /// Whether it denies, and speaks of the principal.
    speaks: Told,
    /// Whether it speaks of every action that is asked for, and of some.
    every: Told,
    some: Told,
    /// It was noted among those that deny a part.
    is_noted: bool,
}

impl<'h> Limits<'h> {
    pub(super) fn of(held: &'h [Held<'h>], request: &Request, who: &Who<'_>) -> Self {
        let service = Service::of(&request.action);
        let mut denies = Vec::new();
        for (policy, it) in held.iter().enumerate().filter(|(_, it)| it.kind != Kind::ResourceInPart) {
            for document in &it.policy.alternatives {
                let entries = document.index().denies.about(service, None);
                for (number, statement, entries) in of_statements(document, &entries) {
                    let every = statement.every_action_of(entries, &request.action);
                    let some = statement.some_action_of(entries, &request.action);
                    if (&every, &some) == (&Ok(false), &Ok(false)) {
                        continue;
                    }
                    // A statement of which nothing is known was counted among those that may allow: it says why nothing is
                    // sure.
                    let speaks = both(has_effect(statement, Effect::Deny), || match it.kind {
                        Kind::Resource | Kind::Key => (who.names)(statement),
                        _ => Ok(true),
                    });
                    let by = By { policy, statement: number, denies: true };
                    denies.push(Deny { by, held: it, statement, speaks, every, some, is_noted: false });
                }
            }
        }
        let mut boundaries = Vec::new();
        for it in held.iter().filter(|it| limits(it.kind)) {
            let mut statements = Vec::new();
            for document in &it.policy.alternatives {
                let entries = document.index().allows.about(service, None);
                for (_, statement, entries) in of_statements(document, &entries) {
                    let told = both(has_effect(statement, Effect::Allow), || {
                        statement.some_action_of(entries, &request.action)
                    });
                    if told != Ok(false) {
                        statements.push((statement, told));
                    }
                }
            }
            boundaries.push((statements, it));
        }
        Self { denies, boundaries }
    }

    /// What takes the resource away: a boundary that does not allow it, a statement that denies it. What may do so becomes a
    /// term.
    pub(super) fn take(
        &mut self,
        resource: &Text,
        terms: &mut Terms,
        less: &mut Vec<By>,
    ) -> Result<(), Option<By>> {
        for deny in &mut self.denies {
            let Deny { by, held: it, statement, .. } = deny;
            if let Some(cause) = work::Question::is_cut_off() {
                terms.because(&cause);
                return Ok(());
            }
            work::count_covering();
            let covered =
                both(deny.speaks.clone(), || both(deny.every.clone(), || statement.every_resource(resource)));
            match covered {
                Ok(false) => {
                    let some = || both(deny.some.clone(), || statement.parts(resource).0);
                    if !deny.is_noted && deny.speaks == Ok(true) && some() != Ok(false) {
                        deny.is_noted = true;
                        less.push(by.clone());
                    }
                }
                Err(cause) => terms.because(&cause),
                Ok(true) => {
                    let sure = it.doubt.is_none() && it.policy.alternatives.len() == 1;
                    match statement.condition.is_empty() {
                        Ok(true) if it.kind == Kind::Organisation => terms.only_if(
                            "the account is not below the target of the organisation's policy".to_owned(),
                        ),
                        Ok(true) if sure => return Err(Some(by.clone())),
                        Ok(true) => {
                            terms.because(it.doubt.as_ref().unwrap_or(&Cause::Other("not known".into())));
                        }
                        _ => terms.subject_to(statement, "not ", it.policy.sensitive),
                    }
                }
            }
        }
        for (statements, it) in &self.boundaries {
            let is_list = it.kind == Kind::AllowList;
            // Of a list it is why it may limit nobody.
            let doubt = it.doubt.as_ref().filter(|_| !is_list);
            let mut allowed: Option<Terms> = None;
            for (statement, told) in statements {
                if allowed.as_ref().is_some_and(|allowed| allowed.rank() == 0) {
                    break;
                }
                let mut these = Terms::default();
                if let Some(cause) = work::Question::is_cut_off() {
                    these.because(&cause);
                    allowed.get_or_insert(these);
                    break;
                }
                work::count_covering();
                match both(told.clone(), || statement.parts(resource).0) {
                    Ok(false) => continue,
                    Ok(true) => {}
                    Err(cause) => these.because(&cause),
                }
                these.subject_to(statement, "", it.policy.sensitive);
                if let Some(doubt) = doubt {
                    these.because(doubt);
                }
                if allowed.as_ref().is_none_or(|allowed| these.rank() < allowed.rank()) {
                    allowed = Some(these);
                }
            }
            if is_list {
                outside(terms, allowed, it.doubt.as_ref());
                continue;
            }
            match (allowed, doubt) {
                (Some(these), _) => {
                    these.conditions.into_iter().for_each(|it| terms.also_if(it));
                    these.causes.into_iter().for_each(|it| terms.also_because(it));
                }
                (None, Some(doubt)) => terms.because(doubt),
                (None, None) => return Err(None),
            }
        }
        Ok(())
    }
}

/// Whether what a policy of the kind does not allow is taken away.
fn limits(kind: Kind) -> bool {
    matches!(kind, Kind::Boundary | Kind::UserBoundary | Kind::Session | Kind::AllowList)
}

/// The account is another, or the list of the organisation allows it as far as `allowed` says.
fn outside(terms: &mut Terms, allowed: Option<Terms>, doubt: Option<&Cause>) {
    const OTHER: &str = "the account is not below the target of the organisation's allow list";
    if allowed.as_ref().is_some_and(|allowed| allowed.rank() == 0) {
        return;
    }
    match (doubt, allowed) {
        (Some(doubt), _) => terms.because(doubt),
        (None, None) => terms.only_if(OTHER.to_owned()),
        (None, Some(allowed)) => {
            allowed.conditions.into_iter().for_each(|it| terms.only_if(format!("{it}, or {OTHER}")));
            allowed.causes.into_iter().for_each(|it| terms.also_because(it));
        }
    }
}
