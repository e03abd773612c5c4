//! What the `ai-risk-tier` of a system does to how severe it is that a rule fails: `docs/configuration.md` tells it to users.

use std::borrow::Cow;

use smol_str::{SmolStr, format_smolstr};

use crate::config::RiskTier;
use crate::finding::Severity;
use crate::graph::NodeId;
use crate::value::Value;

use super::{Facts, tags};

/// Whether the controls of a family are there because of what a system may do to people: record, watch, hold back, answer
/// for. A public bucket or a model outside its jurisdiction is as bad in a system of any tier.
fn is_about_people(family: &str) -> bool {
    matches!(family, "logging" | "monitoring" | "guardrails" | "governance")
}

/// The tag that tells the tier.
pub const TAG: &str = "ai-risk-tier";

/// How severe it is that a rule of `family` fails of the resource, and what moved that from `severity`, if anything did.
///
/// The resource's own tag moves it both ways. That of the AI resource that its path begins at only raises: others, of a higher
/// tier, may use it too.
///
/// `own` gives the resource's own tag.
pub fn severity<'v>(
    facts: &Facts<'_>,
    node: NodeId,
    own: impl FnOnce() -> Cow<'v, Value>,
    family: &str,
    severity: Severity,
) -> (Severity, Option<SmolStr>) {
    let asked = facts.config.severity.risk_tier;
    if asked == RiskTier::Off || !is_about_people(family) {
        return (severity, None);
    }
    let moved = |to: Severity, why: SmolStr| if to == severity { (severity, None) } else { (to, Some(why)) };
    match tier(&own()) {
        Some(Tier::High) => moved(severity.raised(), format_smolstr!("raised: {TAG} = high")),
        Some(Tier::Minimal) if asked == RiskTier::Both => {
            moved(severity.lowered(), format_smolstr!("lowered: {TAG} = minimal"))
        }
        Some(_) => (severity, None),
        None => match facts.scope().origin(node).filter(|origin| *origin != node) {
            Some(origin) if tier(&tags::tag(facts, origin, TAG)) == Some(Tier::High) => {
                let of = facts.graph.resource(origin).map_or("", |resource| resource.address.as_str());
                moved(severity.raised(), format_smolstr!("raised: {TAG} = high of {of}"))
            }
            _ => (severity, None),
        },
    }
}

/// What a tag says of the tier.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Tier {
    High,
    Minimal,
    /// One that moves nothing.
    Other,
}

/// The tier, if it is known and the tag says something.
fn tier(tag: &Value) -> Option<Tier> {
    let text = tag.as_str().map(str::trim).filter(|text| !tag.sensitive && !text.is_empty())?;
    Some(match text {
        _ if text.eq_ignore_ascii_case("high") => Tier::High,
        _ if text.eq_ignore_ascii_case("minimal") => Tier::Minimal,
        _ => Tier::Other,
    })
}
