//! Whether a policy of an organisation that holds requests to regions holds calls of models to them too.
//!
//! A call by a global inference profile is asked for three times: twice in the region that it comes from, and once without a
//! region, when `aws:RequestedRegion` is `unspecified`. Whoever denies that denies the call.
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html>

use crate::graph::NodeId;
use crate::iam::context::Context;
use crate::iam::document::Document;
use crate::iam::questions::{has_effect, names};
use crate::iam::{Effect, Statement, Text, told};
use crate::value::{Cause, Truth};

use super::super::Facts;
use super::{Outcome, Query, place};

const KEY: &str = "aws:RequestedRegion";
/// The region of a request that may be processed in any.
const ANY_REGION: &str = "unspecified";

/// Whether a statement says in which regions something may be done.
pub(in crate::facts) fn is_about_regions(statement: &Statement) -> bool {
    statement.condition.tests.iter().any(|test| test.is_of(KEY))
}

/// Does a policy that denies requests elsewhere deny calls of models without a region? The query's are the actions. It does not
/// apply to a policy that says nothing of regions, or of the regions of other services alone.
pub(super) fn confine_models(facts: &Facts<'_>, node: NodeId, query: Query<'_>) -> Option<Outcome> {
    let read = facts.policies(node)?.others.first()?;
    let mut request = Context::default();
    request.add(KEY, ANY_REGION);
    let outcome = |holds| Outcome { site: read.site, ..Outcome::of(holds) };
    let open = |cause: &Cause| Outcome { causes: vec![cause.to_string()], ..outcome(Truth::Maybe) };
    let [document] = read.policy.alternatives.as_slice() else {
        return Some(open(read.policy.choice.as_ref().unwrap_or(&Cause::Plan)));
    };
    let guards: Vec<(usize, &Statement)> =
        (1..).zip(&document.statements).filter(|(_, statement)| is_guard(statement, query.args)).collect();
    let Some(&(number, guard)) = guards.first() else {
        // What is not known may say something of regions, but nobody was told so.
        return None;
    };
    // Others of the organisation may deny what this one leaves out.
    let others = facts.graph.by_type("aws_organizations_policy").iter().filter(|&&it| it != node);
    let others = others.filter_map(|&it| facts.policies(it)).flat_map(|it| &it.others);
    let others: Vec<&Document> = others.flat_map(|it| &it.policy.alternatives).collect();
    let missing = query.args.iter().map(|action| {
        let action_text = Text::Known(action.as_str().into());
        let here = denies(document, &action_text, &request);
        let elsewhere = || told::any(others.iter().map(|it| denies(it, &action_text, &request)));
        (action, told::either(here, elsewhere))
    });
    let missing: Vec<_> = missing.filter(|(_, denied)| *denied != Ok(true)).collect();
    let is_told = !read.policy.sensitive;
    let Some((action, denied)) = missing.iter().min_by_key(|(_, denied)| denied.is_err()) else {
        return Some(outcome(Truth::Yes));
    };
    if let Err(cause) = denied {
        return Some(open(cause));
    }
    let why = if guard.every_action(&Text::Known(action.as_str().into())) == Ok(false) {
        "is not among what it denies"
    } else {
        "is not denied where the region is `unspecified`"
    };
    let name = guard.name(number);
    Some(Outcome {
        actual: is_told.then(|| format!("`{action}` {why}, by `{name}`")),
        statement: place::of_statement(facts.graph, facts.sources, read, guard, number),
        ..outcome(Truth::No)
    })
}

/// Whether a statement denies requests by their region, of services at large or of the models'.
fn is_guard(statement: &Statement, actions: &[String]) -> bool {
    let services = actions.iter().filter_map(|action| action.split_once(':').map(|(service, _)| service));
    let services: Vec<&str> = services.collect();
    let is_wide = !statement.not_action.is_empty() || statement.action.any(|text| text.is("*")).0 == Ok(true);
    has_effect(statement, Effect::Deny) == Ok(true)
        && is_about_regions(statement)
        && (is_wide || names(statement, &services))
}

/// Whether a statement of the document denies the action where the region is any. Other tests leave somebody out: a role that
/// may do it, or profiles that are not global.
fn denies(document: &Document, action: &Text, request: &Context) -> told::Told {
    told::any(document.statements.iter().map(|statement| {
        let of_region = statement.condition.tests.iter().filter(|test| test.is_of(KEY));
        let regions = of_region.map(|test| {
            let open = || Cause::Other(format!("which regions `{KEY}` is compared with is not known").into());
            request.holds(test, document.has_variables).ok_or_else(open)
        });
        let regions = told::all(regions);
        told::both(has_effect(statement, Effect::Deny), || {
            told::both(statement.every_action(action), || match statement.condition.more.as_deref() {
                Some(cause) => told::both(regions, || Err(cause.clone())),
                None => regions,
            })
        })
    }))
}
