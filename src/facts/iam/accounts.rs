//! Whether the accounts that a role trusts are others': those of vendors, and those outside of the organisation.
//!
//! Whoever serves many customers with one account acts for each of them with the role that the customer names. Without an
//! external id in the condition any customer can name the role of another.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html>

use std::collections::BTreeSet;

use smol_str::SmolStr;

use crate::graph::{NodeId, ResourceGraph};
use crate::iam::document::{Effect, List, Principal};
use crate::iam::questions::has_effect;
use crate::iam::told::{self, Told};
use crate::iam::{Document, Statement, Text, vendors};
use crate::program::Mode;
use crate::value::{Cause, Piece, Truth, Value};

use super::super::Facts;
use super::{Outcome, Query, place};

/// Conditions that hold an account of others to one customer, or everybody to one organisation.
const HOLDING: [&str; 6] = [
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceOrgID",
    "sts:ExternalId",
];
/// The account that a provider configuration works in.
const CALLER: &str = "aws_caller_identity";
/// An account that is made.
const MADE: &str = "aws_organizations_account";
/// The organisation, as it is made or read.
const ORGANISATION: &str = "aws_organizations_organization";
/// The types whose values tell accounts and nothing else.
pub const TELLING: [&str; 3] = [CALLER, MADE, ORGANISATION];

/// What the input tells of accounts.
#[derive(Debug, Default)]
pub struct Accounts {
    /// Those that it works in, and makes.
    own: BTreeSet<SmolStr>,
    /// All of the organisation, if it tells them.
    organisation: Option<BTreeSet<SmolStr>>,
}

/// Whose a principal is.
enum Whose {
    /// Of an account by its number.
    Account(SmolStr),
    /// Of this configuration.
    Ours,
    /// A service, everybody, or nobody that can be told.
    Nobody,
    /// Not known, and why.
    Unknown(Cause),
}

impl Accounts {
    /// Those of a graph.
    pub(in super::super) fn of_graph(graph: &ResourceGraph) -> Self {
        let mut out = Self::default();
        for node in graph.graph.node_indices() {
            let Some(resource) = graph.resource(node) else { continue };
            let Some(after) = resource.after.as_ref() else { continue };
            match (resource.type_name.as_str(), resource.mode) {
                (CALLER, Mode::Data) => out.add(after.get("account_id")),
                (MADE, Mode::Managed) => out.add(after.get("id")),
                (ORGANISATION, _) => out.organisation = accounts(after).or(out.organisation),
                (name, Mode::Managed) if name.starts_with("aws") => {
                    let arn = after.get("arn").and_then(Value::as_str);
                    out.own.extend(arn.and_then(account_of_arn));
                }
                _ => {}
            }
        }
        out
    }

    fn add(&mut self, id: Option<&Value>) {
        self.own.extend(id.and_then(Value::as_str).filter(|id| is_account(id)).map(SmolStr::from));
    }
}

/// The accounts of an organisation, if all of them are told.
fn accounts(organisation: &Value) -> Option<BTreeSet<SmolStr>> {
    let each = organisation.get("accounts")?.items()?.iter();
    let ids: Option<BTreeSet<SmolStr>> = each.map(|it| it.get("id")?.as_str().map(SmolStr::from)).collect();
    ids.filter(|ids| !ids.is_empty())
}

/// Whether it is the number of an account.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The account of an ARN, also of a part of one that is known as far as that.
fn account_of_arn(text: &str) -> Option<SmolStr> {
    let account = text.strip_prefix("arn:")?.split(':').nth(3)?;
    is_account(account).then(|| account.into())
}

/// May an account of others assume the role for whoever asks it to? It does not apply to a role that trusts no account.
pub(super) fn trusts_others(facts: &Facts<'_>, node: NodeId, _query: Query<'_>) -> Option<Outcome> {
    let read = facts.policies(node)?.trust.as_ref()?;
    let outcome = |holds, causes| Outcome { causes, site: read.site, ..Outcome::of(holds) };
    let mut open: Option<Cause> = None;
    let mut any = false;
    for document in &read.policy.alternatives {
        for (number, statement, principal) in named(document) {
            let lets = lets_in(statement);
            if lets == Ok(false) {
                continue;
            }
            any = true;
            let (told, who) = match principal {
                Ok(principal) => is_open_to_others(facts, statement, principal),
                Err(cause) => (told::both(is_open(statement), || Err(cause)), String::new()),
            };
            match told::both(lets, || told) {
                Ok(false) => {}
                Ok(true) if read.policy.alternatives.len() == 1 => {
                    let name = statement.name(number);
                    let actual = format!("{who} in `{name}`");
                    return Some(Outcome {
                        actual: (!read.policy.sensitive).then_some(actual),
                        statement: place::of_statement(facts.graph, facts.sources, read, statement, number),
                        ..outcome(Truth::No, Vec::new())
                    });
                }
                Ok(true) => open = open.or_else(|| read.policy.choice.clone()).or(Some(Cause::Plan)),
                Err(cause) => open = open.or(Some(cause)),
            }
        }
    }
    match open {
        Some(cause) => Some(outcome(Truth::Maybe, vec![cause.to_string()])),
        None => any.then(|| outcome(Truth::Yes, Vec::new())),
    }
}

/// The principals of accounts that a document names, each with its statement; and why there may be more.
fn named(document: &Document) -> impl Iterator<Item = (usize, &Statement, Result<&Text, Cause>)> {
    (1..).zip(&document.statements).flat_map(|(number, statement)| {
        let (lists, open): (Vec<&List>, Option<&Cause>) = match &statement.principal {
            Principal::Map(kinds) => {
                (kinds.iter().filter(|(kind, _)| kind == "AWS").map(|(_, list)| list).collect(), None)
            }
            Principal::Unknown(cause) => (Vec::new(), Some(cause)),
            Principal::None | Principal::Text(_) => (Vec::new(), None),
        };
        let open = open.or_else(|| lists.iter().find_map(|list| list.more.as_deref()));
        let known = lists.iter().flat_map(|list| &list.items).map(Ok);
        let all: Vec<_> = known.chain(open.cloned().map(Err)).collect();
        all.into_iter().map(move |principal| (number, statement, principal))
    })
}

/// Whether the statement lets somebody assume the role.
fn lets_in(statement: &Statement) -> Told {
    let assume = Text::Known(SmolStr::new_static("sts:AssumeRole"));
    told::both(has_effect(statement, Effect::Allow), || statement.every_action(&assume))
}

/// Whether the principal is somebody else's and nothing holds it to one customer; and in words, who.
fn is_open_to_others(facts: &Facts<'_>, statement: &Statement, principal: &Text) -> (Told, String) {
    let account = match whose(facts.graph, principal) {
        Whose::Ours | Whose::Nobody => return (Ok(false), String::new()),
        Whose::Unknown(cause) => {
            let told = told::both(is_open(statement), || Err(cause));
            return (told, String::new());
        }
        Whose::Account(account) => account,
    };
    let known = facts.accounts();
    if known.own.contains(&account) {
        return (Ok(false), String::new());
    }
    let others = || match (vendors::of_account(&account), &known.organisation) {
        (Some(_), _) => Ok(true),
        (None, Some(all)) => Ok(!all.contains(&account)),
        (None, None) => Err(Cause::Other(format!("whose account {account} is, is not known").into())),
    };
    let who = match vendors::of_account(&account) {
        Some(vendor) => format!("`{account}`, an account of {vendor},"),
        None => format!("`{account}`, which is not of the organization,"),
    };
    (told::both(is_open(statement), others), who)
}

/// Whether its conditions leave the principal whom it acts for.
fn is_open(statement: &Statement) -> Told {
    match statement.condition.narrows_one_of(&HOLDING) {
        Ok(true) => Ok(false),
        Err(cause) => Err(cause),
        Ok(false) => match statement.condition.is_empty() {
            Ok(false) if !only_of_holding(statement) => {
                Err(Cause::Other("a condition may limit who of the account assumes the role".into()))
            }
            Ok(false) => Ok(true),
            told => told,
        },
    }
}

/// Whether all that it tests are keys that hold somebody, by a test that does not.
fn only_of_holding(statement: &Statement) -> bool {
    let mut tests = statement.condition.tests.iter();
    statement.condition.more.is_none() && tests.all(|test| HOLDING.iter().any(|key| test.is_of(key)))
}

/// Whose a principal is: `111122223333`, an ARN, or one of which a part is not known.
fn whose(graph: &ResourceGraph, principal: &Text) -> Whose {
    let pieces = match principal {
        Text::Known(known) if is_account(known) => return Whose::Account(known.clone()),
        Text::Known(known) => return account_of_arn(known).map_or(Whose::Nobody, Whose::Account),
        Text::Holed(pieces) => pieces,
    };
    let mut colons = 0;
    for piece in pieces.iter() {
        match piece {
            Piece::Text(text) => {
                // The account is the fifth part; one that begins and ends in this piece is whole.
                let mut parts = text.split(':');
                let fifth = 4_usize.checked_sub(colons).filter(|at| *at > 0);
                let account = fifth.and_then(|at| parts.nth(at)).filter(|it| is_account(it));
                if let Some(account) = account.filter(|_| parts.next().is_some()) {
                    return Whose::Account(account.into());
                }
                colons += text.matches(':').count();
            }
            // The partition comes before the account and says nothing of it.
            Piece::Hole(value) if (1..4).contains(&colons) && value.reference.is_some() => {}
            Piece::Hole(_) if colons > 4 => return Whose::Nobody,
            Piece::Hole(value) => return whose_is(graph, value),
        }
    }
    Whose::Nobody
}

/// Whose the account in a part that is not known is: of what is made or read here, it is ours.
fn whose_is(graph: &ResourceGraph, value: &Value) -> Whose {
    let named = value.reference.as_ref().and_then(|it| graph.named(&it.resource));
    let ours =
        |name: &str| name.starts_with("aws_iam_") || name == CALLER || name.starts_with("aws_organizations_");
    match named {
        Some(resource) if ours(&resource.type_name) => Whose::Ours,
        _ => Whose::Unknown(value.first_cause().cloned().unwrap_or(Cause::Plan)),
    }
}
