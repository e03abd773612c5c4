//! What the `ai-risk-tier` of a system does to how severe it is that a rule fails: `docs/configuration.md` tells it to users.

use smol_str::{SmolStr, format_smolstr};

use crate::config::RiskTier;
use crate::finding::Severity;
use crate::graph::NodeId;

use super::{Facts, tags};

/// Whether the controls of a family are there because of what a system may do to people: record, watch, hold back, answer
/// for. A public bucket or a model outside its jurisdiction is as bad in a system of any tier.
fn is_about_people(family: &str) -> bool {
    matches!(family, "logging" | "monitoring" | "guardrails" | "governance")
}

const TAG: &str = "ai-risk-tier";

/// How severe it is that a rule of `family` fails of the resource, and what moved that from `severity`, if anything did.
///
/// The resource's own tag moves it both ways. That of the AI resource that its path begins at only raises: others, of a higher
/// tier, may use it too.
pub fn severity(
    facts: &Facts<'_>,
    node: NodeId,
    family: &str,
    severity: Severity,
) -> (Severity, Option<SmolStr>) {
    let asked = facts.config.severity.risk_tier;
    if asked == RiskTier::Off || !is_about_people(family) {
        return (severity, None);
    }
    let moved = |to: Severity, why: SmolStr| if to == severity { (severity, None) } else { (to, Some(why)) };
    match tier(facts, node).as_deref() {
        Some("high") => moved(severity.raised(), format_smolstr!("raised: {TAG} = high")),
        Some("minimal") if asked == RiskTier::Both => {
            moved(severity.lowered(), format_smolstr!("lowered: {TAG} = minimal"))
        }
        Some(_) => (severity, None),
        None => match facts.scope().origin(node).filter(|origin| *origin != node) {
            Some(origin) if tier(facts, origin).as_deref() == Some("high") => {
                let of = facts.graph.resource(origin).map_or("", |resource| resource.address.as_str());
                moved(severity.raised(), format_smolstr!("raised: {TAG} = high of {of}"))
            }
            _ => (severity, None),
        },
    }
}

/// The tier, if it is known and says something.
fn tier(facts: &Facts<'_>, node: NodeId) -> Option<String> {
    let tag = tags::tag(facts, node, TAG);
    let text = tag.as_str()?.trim();
    (!tag.sensitive && !text.is_empty()).then(|| text.to_ascii_lowercase())
}
