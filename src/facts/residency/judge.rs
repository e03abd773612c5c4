//! Whether what leaves a resource stays where it may be, and the words that say so.

use smol_str::SmolStr;

use crate::facts::Facts;
use crate::facts::choice::of_each;
use crate::graph::NodeId;
use crate::residency::{self as places, FlowKind, Names, Region};
use crate::value::{Cause, Truth, Value};

use super::{Allowed, Flow, Place, Target, flows_of};

/// More flows than this are not told in one message.
const MAX_TOLD: usize = 3;

/// What conditions call a flow to anywhere of a model, which has rules of its own.
const TO_ANYWHERE: &str = "global";

/// Whether a place is where data may be, and why it cannot be told.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Is it?
    pub truth: Truth,
    /// Why that cannot be told.
    pub cause: Option<Cause>,
}

/// The flows that a condition asks for.
#[derive(Copy, Clone)]
enum Asked {
    /// Those of a kind; of a model, without what goes anywhere.
    Kind(FlowKind),
    /// Those of a model that go anywhere.
    Anywhere,
}

impl Asked {
    fn parse(name: &str) -> Option<Self> {
        if name == TO_ANYWHERE { Some(Self::Anywhere) } else { FlowKind::parse(name).map(Self::Kind) }
    }

    fn kind(self) -> FlowKind {
        match self {
            Self::Kind(kind) => kind,
            Self::Anywhere => FlowKind::Model,
        }
    }

    /// Whether it is the other rule's to speak of this place.
    fn leaves_to_other(self, to: &Place) -> bool {
        match self {
            Self::Kind(FlowKind::Model) => matches!(to, Place::Anywhere),
            Self::Kind(_) => false,
            Self::Anywhere => !matches!(to, Place::Anywhere | Place::Untold(_)),
        }
    }
}

/// Whether conditions can ask for flows by this name.
pub fn is_asked(name: &str) -> bool {
    Asked::parse(name).is_some()
}

/// The condition function `stays`: whether all of these flows from a resource of the region `own` that are of a kind stay in
/// the places where its data may be.
pub(in crate::facts) fn stays(
    flows: &[Flow],
    kind: &str,
    own: &Value,
    allowed: &Allowed,
) -> Result<Value, String> {
    let asked = asked(kind)?;
    Ok(match &allowed.known {
        Some(places) => all_stay(flows, own, places, asked),
        None => of_each(&allowed.places, |places| match known(places) {
            Ok(places) => all_stay(flows, own, &places, asked),
            Err(unknown) => unknown,
        }),
    })
}

fn all_stay(flows: &[Flow], own: &Value, allowed: &[SmolStr], asked: Asked) -> Value {
    let mut unsure = None;
    for flow in flows.iter().filter(|flow| flow.rule.kind == asked.kind()) {
        let verdict = judge(flow, own, allowed, asked);
        match verdict.truth {
            Truth::Yes => {}
            Truth::No => return Value { origin: flow.origin, via: flow.via.clone(), ..Value::bool(false) },
            Truth::Maybe => unsure = unsure.or(Some((flow, verdict))),
        }
    }
    match unsure {
        Some((flow, verdict)) => {
            let cause = verdict.cause.unwrap_or_else(|| Cause::Other("it may not be there".into()));
            Value { origin: flow.origin, via: flow.via.clone(), ..Value::unknown(cause) }
        }
        None => Value::bool(true),
    }
}

/// The condition function `leaves`, for messages: the ways out by flows of a kind that are not allowed, or cannot be told.
pub(in crate::facts) fn leaves(
    facts: &Facts<'_>,
    node: NodeId,
    kind: &str,
    own: &Value,
    places: &Value,
) -> Result<Value, String> {
    let asked = asked(kind)?;
    let mut flows = flows_of(facts, node);
    flows.retain(|flow| flow.rule.kind == asked.kind());
    let allowed = places.choices().iter().find_map(|places| known(places).ok()).unwrap_or_default();
    let told = |truth: Truth| -> Vec<String> {
        let is_it = |flow: &&Flow| judge(flow, own, &allowed, asked).truth == truth;
        let mut told: Vec<String> = flows.iter().filter(is_it).map(|flow| words(flow, asked)).collect();
        told.dedup();
        told
    };
    let mut told =
        [told(Truth::No), told(Truth::Maybe)].into_iter().find(|told| !told.is_empty()).unwrap_or_default();
    let more = told.len().saturating_sub(MAX_TOLD);
    told.truncate(MAX_TOLD);
    if more > 0 {
        told.push(format!("{more} more"));
    }
    if let Some(region) = own.as_str().and_then(|name| places::region("aws", name)) {
        told.insert(0, format!("data at rest is in {} ({})", region.name, region.jurisdiction));
    }
    Ok(Value::string(told.join(", ")))
}

fn asked(kind: &str) -> Result<Asked, String> {
    Asked::parse(kind).ok_or_else(|| {
        let kinds: Vec<&str> = FlowKind::ALL.iter().map(|kind| kind.name()).collect();
        format!("`{kind}` is no kind of flow; there are {} and {TO_ANYWHERE}", kinds.join(", "))
    })
}

/// The places of a list; an unknown with the reason if one is not known or is none.
pub(super) fn known(places: &Value) -> Result<Vec<SmolStr>, Value> {
    if !places.is_wholly_known() {
        return Err(places.clone());
    }
    let items = places.items().unwrap_or_default();
    let all: Vec<SmolStr> = items.iter().filter_map(|place| Some(SmolStr::from(place.as_str()?))).collect();
    match all.iter().find(|place| !places::is_place(place)) {
        Some(_) if places.holds_sensitive() => Err(Value::unknown(no_place("(sensitive)"))),
        Some(odd) => Err(Value::unknown(no_place(odd))),
        None => Ok(all),
    }
}

/// Why a promise that names it means nothing.
pub(in crate::facts) fn no_place(word: &str) -> Cause {
    let meant = places::suggestion(word).map_or(String::new(), |meant| format!(" ({meant} may be meant)"));
    Cause::Other(format!("`{word}` is not a jurisdiction that airgate knows{meant}").into())
}

/// Whether a flow stays within the places; of a resource in `own`.
pub fn of_flow(flow: &Flow, own: &Value, allowed: &Value) -> Verdict {
    let judged = |places: &Value| match known(places) {
        Ok(allowed) => groups(flow, own, &allowed, |_| false),
        Err(unknown) => untold(super::flow::cause(&unknown)),
    };
    agreed(allowed.choices().iter().map(judged))
}

/// Whether a region is within the places.
pub fn of_region(own: &Value, allowed: &Value) -> Verdict {
    let one = |own: &Value, places: &Value| match (known(places), own.as_str()) {
        (Err(unknown), _) => untold(super::flow::cause(&unknown)),
        (Ok(_), None) if own.is_null() => Verdict { truth: Truth::Yes, cause: None },
        (Ok(_), None) => untold(super::flow::cause(own)),
        (Ok(allowed), Some(name)) => match places::region("aws", name) {
            Some(region) => Verdict { truth: region.within(&allowed).into(), cause: None },
            None => untold(Cause::Other("the region is not in the table of regions".into())),
        },
    };
    agreed(
        own.choices()
            .iter()
            .flat_map(|own| allowed.choices().into_iter().map(move |places| one(own, &places))),
    )
}

fn judge(flow: &Flow, own: &Value, allowed: &[SmolStr], asked: Asked) -> Verdict {
    groups(flow, own, allowed, |to| asked.leaves_to_other(to))
}

/// What all values that an attribute may have agree on; of one value every place counts.
fn groups(flow: &Flow, own: &Value, allowed: &[SmolStr], skip: impl Fn(&Place) -> bool) -> Verdict {
    let own = own.as_str().filter(|_| flow.rule.names != Names::Itself);
    let group = |targets: &Vec<Target>| {
        let of = targets
            .iter()
            .filter(|target| !skip(&target.to))
            .map(|target| place(&target.to, flow.rule.kind, own, allowed));
        of.fold(Verdict { truth: Truth::Yes, cause: None }, worse)
    };
    let verdict = agreed(flow.targets.iter().map(group));
    match verdict.truth {
        Truth::No if !flow.sure => untold(Cause::Other("the block that says it may not be there".into())),
        _ => verdict,
    }
}

fn worse(a: Verdict, b: Verdict) -> Verdict {
    let rank = |verdict: &Verdict| match verdict.truth {
        Truth::Yes => 0,
        Truth::Maybe => 1,
        Truth::No => 2,
    };
    if rank(&b) > rank(&a) { b } else { a }
}

fn agreed(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    let mut all = verdicts;
    let Some(first) = all.next() else { return Verdict { truth: Truth::Yes, cause: None } };
    all.fold(first, |agreed, next| {
        if agreed.truth == next.truth {
            return agreed;
        }
        let one_of = || Cause::Other("it is one of several, and not all are allowed".into());
        untold(agreed.cause.or(next.cause).unwrap_or_else(one_of))
    })
}

fn untold(cause: Cause) -> Verdict {
    Verdict { truth: Truth::Maybe, cause: Some(cause) }
}

fn place(to: &Place, kind: FlowKind, own: Option<&str>, allowed: &[SmolStr]) -> Verdict {
    if places::allow_anywhere(allowed) {
        return Verdict { truth: Truth::Yes, cause: None };
    }
    let truth = match to {
        Place::Here => Truth::Yes,
        // Where the resource itself is has a rule of its own.
        Place::Regions(regions) => regions
            .iter()
            .filter(|region| Some(region.name) != own)
            .all(|region| region.within(allowed))
            .into(),
        // What comes from somebody was there before: it is no news to them.
        Place::Party(party) if kind == FlowKind::Source => {
            return untold(Cause::Other(format!("nothing says where {party} keeps them").into()));
        }
        Place::Anywhere | Place::Party(_) => Truth::No,
        Place::Untold(cause) => return untold(cause.clone()),
    };
    Verdict { truth, cause: None }
}

/// The ways of a flow: `prompts → aws_bedrock_inference_profile.p → us.model → us-east-1, us-west-2 (US)`.
fn words(flow: &Flow, asked: Asked) -> String {
    let told = flow.targets.iter().flatten().filter(|target| !asked.leaves_to_other(&target.to));
    let mut ways: Vec<String> = told.map(way).collect();
    ways.dedup();
    let more = ways.len().saturating_sub(MAX_TOLD);
    ways.truncate(MAX_TOLD);
    let more = if more > 0 { format!(" or {more} more") } else { String::new() };
    format!("{} → {}{more}", flow.rule.what, ways.join(" or "))
}

/// The way to a place.
pub(super) fn way(target: &Target) -> String {
    let mut way = target.steps.clone();
    way.push(name(&target.to).into());
    way.join(" → ")
}

/// A place in words.
pub(super) fn name(to: &Place) -> String {
    match to {
        Place::Here => "the same region".to_owned(),
        Place::Regions(regions) => in_words(regions),
        Place::Anywhere => "any region of the world".to_owned(),
        Place::Party(party) => format!("{party} (a third party)"),
        Place::Untold(_) => "a place that cannot be told".to_owned(),
    }
}

/// Regions with their jurisdictions: `eu-central-1, eu-west-2 (EU, UK)`.
fn in_words(regions: &[&Region]) -> String {
    let names: Vec<&str> = regions.iter().map(|region| region.name).collect();
    let mut jurisdictions: Vec<&str> = regions.iter().map(|region| region.jurisdiction).collect();
    jurisdictions.sort_unstable();
    jurisdictions.dedup();
    format!("{} ({})", names.join(", "), jurisdictions.join(", "))
}
