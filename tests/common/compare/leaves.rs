//! The leaves of one instance: ours against the plan's.

use std::collections::BTreeSet;

use airgate::value::{Cause, Kind, Map, Value};
use serde_json::Value as Json;
use smol_str::SmolStr;

/// What comparing leaves has found. Of those that nobody wrote only the known ones count: a provider decides the others.
#[derive(Debug, Default)]
pub(crate) struct Leaves {
    /// Leaves that the configuration sets, known to both and equal.
    pub(crate) equal: usize,
    /// Leaves that the configuration does not set and that are equal: defaults and nulls.
    pub(crate) filled: usize,
    /// Leaves that neither knows.
    pub(crate) neither: usize,
    /// Leaves that we alone know: Terraform reads a data source at apply that airgate evaluates itself, or airgate sees more
    /// in an expression, and by Terraform's own rules does not know the leaf either.
    pub(crate) ahead: usize,
    /// Leaves that the plan of this provider says in its own way: [`PROVIDER`].
    pub(crate) provider: usize,
    /// Values that the plan alone knows.
    pub(crate) unknown: Vec<Unknown>,
    /// Leaves that we know and that the plan says are something else, or unknown.
    pub(crate) different: Vec<Different>,
}

/// A value that the plan alone knows.
#[derive(Debug)]
pub(crate) struct Unknown {
    pub(crate) address: String,
    pub(crate) path: String,
    /// Why we do not know it.
    pub(crate) cause: String,
    /// How many leaves it has in the plan.
    pub(crate) leaves: usize,
}

/// A leaf that is wrong.
#[derive(Debug)]
pub(crate) struct Different {
    pub(crate) address: String,
    pub(crate) path: String,
    /// For people: no sensitive content.
    pub(crate) ours: String,
    /// As above.
    pub(crate) plan: String,
}

type Says = fn(&Value, &Json) -> bool;

/// What the provider plans that is not what the configuration says, where airgate keeps to the configuration: type,
/// path without indexes, and whether the plan may say this instead of ours.
const PROVIDER: &[(&str, &str, Says)] = &[
    // To an application load balancer, which always does so, it makes no difference, and what makes none is left out.
    ("aws_lb", "enable_cross_zone_load_balancing", |ours, plan| {
        ours.as_bool() == Some(true) && plan.is_null()
    }),
    // So is the class that a table has anyway.
    ("aws_dynamodb_table", "table_class", |ours, plan| ours.as_str() == Some("STANDARD") && plan.is_null()),
    // The digest is planned; rules see more in the text.
    ("aws_instance", "user_data", |ours, plan| {
        ours.as_str().is_some() && plan.as_str().is_some_and(|digest| digest.len() == 40)
    }),
];

/// A value in the plan, with what is unknown and what is sensitive of it.
#[derive(Copy, Clone)]
pub(super) struct Planned<'j> {
    pub(super) after: &'j Json,
    pub(super) unknown: &'j Json,
    pub(super) sensitive: &'j Json,
}

/// What a configuration says of an instance.
pub(super) struct Written<'a> {
    /// What it sets: dotted paths without indexes; [`None`], and so all, where that is not told.
    pub(super) paths: Option<&'a BTreeSet<SmolStr>>,
    /// What is computed from data sources that Terraform reads at apply.
    pub(super) deferred: BTreeSet<&'a str>,
}

/// Where comparing is.
pub(super) struct At<'a> {
    address: &'a str,
    type_name: &'a str,
    path: String,
    /// The path without indexes.
    plain: String,
    /// Whether the catalog knows the type: then our collections are those of the provider.
    is_typed: bool,
    written: &'a Written<'a>,
    /// The instance by Terraform's own rules: what is unknown in it airgate knows because it sees more.
    strict: Option<&'a Value>,
}

impl<'a> At<'a> {
    pub(super) fn top(
        address: &'a str,
        type_name: &'a str,
        is_typed: bool,
        written: &'a Written<'a>,
        strict: Option<&'a Value>,
    ) -> Self {
        Self { address, type_name, path: String::new(), plain: String::new(), is_typed, written, strict }
    }

    /// Whether Terraform need not know this: it is not known by its own rules either.
    fn is_ahead(&self) -> bool {
        let mut strict = self.strict;
        // Of a set it is not known which element is which.
        for step in self.path.split('.').take_while(|step| *step != "*") {
            strict = match strict {
                Some(value) if value.is_unknown() => break,
                Some(value) => match value.items() {
                    Some(items) => step.parse().ok().and_then(|index: usize| items.get(index)),
                    None => value.get(step),
                },
                None => break,
            };
        }
        strict.is_some_and(|strict| !strict.is_wholly_known()) || self.written.is_deferred(&self.plain)
    }

    /// Whether the provider is known to plan `after` for `ours`.
    fn is_of_provider(&self, ours: &Value, after: &Json) -> bool {
        PROVIDER.iter().any(|(type_name, path, says)| {
            (*type_name, *path) == (self.type_name, self.plain.as_str()) && says(ours, after)
        })
    }

    fn below(&self, step: &str, is_name: bool) -> Self {
        let join = |path: &str| if path.is_empty() { step.to_owned() } else { format!("{path}.{step}") };
        let plain = if is_name { join(&self.plain) } else { self.plain.clone() };
        Self { path: join(&self.path), plain, ..*self }
    }
}

impl Written<'_> {
    /// Whether the leaf at `path` is set: by its own name, or in an object that is set as a whole.
    fn has(&self, path: &str) -> bool {
        let Some(paths) = self.paths else { return true };
        let ends = path.match_indices('.').map(|(end, _)| end).chain([path.len()]);
        let known = ends.rev().filter_map(|end| path.get(..end)).find(|above| paths.contains(*above));
        known.is_some_and(|known| known == path || !paths.iter().any(|other| is_below(other, known)))
    }

    /// Whether the leaf at `path` waits for what is read at apply.
    fn is_deferred(&self, path: &str) -> bool {
        self.deferred.iter().any(|of| *of == path || is_below(path, of))
    }
}

fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.starts_with('.'))
}

impl Planned<'_> {
    fn name(self, name: &str) -> Self {
        Self {
            after: &self.after[name],
            unknown: &self.unknown[name],
            sensitive: inherit(self.sensitive, &self.sensitive[name]),
        }
    }

    fn index(self, index: usize) -> Self {
        Self {
            after: &self.after[index],
            unknown: &self.unknown[index],
            sensitive: inherit(self.sensitive, &self.sensitive[index]),
        }
    }

    /// For people.
    fn show(self) -> String {
        match (self.unknown, self.sensitive) {
            (Json::Bool(true), _) => "(known after apply)".to_owned(),
            (_, marks) if is_marked(marks) => SENSITIVE.to_owned(),
            _ => self.after.to_string(),
        }
    }
}

/// What is said of a sensitive value.
const SENSITIVE: &str = "(sensitive)";

/// A mark covers all that a value holds.
fn inherit<'j>(around: &'j Json, own: &'j Json) -> &'j Json {
    if *around == Json::Bool(true) { around } else { own }
}

fn is_marked(marks: &Json) -> bool {
    match marks {
        Json::Bool(mark) => *mark,
        Json::Array(items) => items.iter().any(is_marked),
        Json::Object(map) => map.values().any(is_marked),
        _ => false,
    }
}

impl Leaves {
    /// How many leaves that the configuration sets the plan knows.
    pub(crate) fn known_to_plan(&self) -> usize {
        self.equal + self.provider + self.unknown_leaves() + self.different.len()
    }

    /// How many leaves the plan alone knows.
    pub(crate) fn unknown_leaves(&self) -> usize {
        self.unknown.iter().map(|unknown| unknown.leaves).sum()
    }

    /// How much of what the plan knows we know, in percent.
    #[expect(clippy::cast_precision_loss, reason = "no plan has so many leaves")]
    pub(crate) fn percent(&self) -> f64 {
        let total = self.known_to_plan();
        if total == 0 { 100.0 } else { 100.0 * (total - self.unknown_leaves()) as f64 / total as f64 }
    }

    /// Takes in what another comparison found.
    pub(crate) fn add(&mut self, other: Self) {
        self.equal += other.equal;
        self.filled += other.filled;
        self.neither += other.neither;
        self.ahead += other.ahead;
        self.provider += other.provider;
        self.unknown.extend(other.unknown);
        self.different.extend(other.different);
    }

    /// Compares one value and all that it holds.
    pub(super) fn compare(&mut self, ours: &Value, plan: &Planned<'_>, at: &At<'_>) {
        // Without a schema it is not known what the provider makes of null.
        if ours.is_null() && !at.is_typed {
            let is_null = plan.after.is_null() && *plan.unknown != Json::Bool(true);
            return if is_null {
                self.same(at);
            };
        }
        if *plan.unknown == Json::Bool(true) {
            // A provider may take a set or map with one unknown element for wholly unknown.
            return match ours.is_wholly_known() {
                false => self.neither += 1,
                true if at.is_ahead() => self.ahead += 1,
                true => self.differ(ours, *plan, at),
            };
        }
        match (&ours.kind, plan.after) {
            (Kind::Unknown(unknown), after) => {
                // What nobody set the provider decides, and often it does so in the plan.
                if unknown.cause != Cause::Provider {
                    let (address, path) = (at.address.to_owned(), at.path.clone());
                    let (cause, leaves) = (unknown.cause.to_string(), count(after));
                    self.unknown.push(Unknown { address, path, cause, leaves });
                }
            }
            // Providers say null of an empty collection.
            (_, Json::Null) if is_empty(ours) => self.same(at),
            (Kind::Set(items), Json::Array(others)) => self.sets(items, others.len(), *plan, at),
            (Kind::List(items) | Kind::Tuple(items), Json::Array(others)) => {
                let in_order = items.len() == others.len();
                if !at.is_typed {
                    self.untyped(items, others.len(), *plan, at);
                } else if in_order {
                    self.in_order(items, *plan, at);
                } else {
                    self.differ(ours, *plan, at);
                }
            }
            // A block that the provider has once: no schema of ours says so.
            (Kind::Tuple(items), Json::Object(_)) if !at.is_typed && items.len() == 1 => {
                items.iter().for_each(|item| self.compare(item, plan, at));
            }
            (Kind::Map(map) | Kind::Object(map), Json::Object(others)) => {
                for (name, item) in map.iter() {
                    self.compare(item, &plan.name(name), &at.below(name, true));
                }
                // Of a resource we need not know all; of a map all keys must be there.
                if let (Kind::Map(_), Some(key)) =
                    (&ours.kind, others.keys().find(|key| map.get(key).is_none()))
                {
                    self.differ(&Value::NULL, plan.name(key), &at.below(key, true));
                }
            }
            (_, after) if same(ours, after, at.is_typed) => self.same(at),
            // Inside of blocks, older providers say the zero of a type for null.
            (Kind::Null, zero) if is_zero(zero) && at.path.contains('.') => self.same(at),
            (_, after) if at.is_of_provider(ours, after) => self.provider += 1,
            _ => self.differ(ours, *plan, at),
        }
    }

    fn same(&mut self, at: &At<'_>) {
        *(if at.written.has(&at.plain) { &mut self.equal } else { &mut self.filled }) += 1;
    }

    fn in_order(&mut self, items: &[Value], plan: Planned<'_>, at: &At<'_>) {
        for (index, item) in items.iter().enumerate() {
            self.compare(item, &plan.index(index), &at.below(&index.to_string(), false));
        }
    }

    /// A list of which it is not known whether the provider has it as a set.
    fn untyped(&mut self, items: &[Value], others: usize, plan: Planned<'_>, at: &At<'_>) {
        let mut ordered = Self::default();
        ordered.in_order(items, plan, at);
        if items.len() == others && ordered.different.is_empty() {
            self.add(ordered);
        } else {
            self.sets(items, others, plan, at);
        }
    }

    /// Each of our elements is one of theirs, and there are as many.
    fn sets(&mut self, items: &[Value], others: usize, plan: Planned<'_>, at: &At<'_>) {
        let at = at.below("*", false);
        let mut left: Vec<usize> = (0..others).collect();
        for item in items {
            let attempts = left.iter().enumerate().filter_map(|(place, &index)| {
                let mut attempt = Self::default();
                attempt.compare(item, &plan.index(index), &at);
                attempt.different.is_empty().then_some((attempt.unknown_leaves(), place, attempt))
            });
            match attempts.min_by_key(|(unknown, place, _)| (*unknown, *place)) {
                Some((_, place, attempt)) => {
                    left.remove(place);
                    self.add(attempt);
                }
                None => self.differ(item, plan, &at),
            }
        }
        if let Some(&index) = left.first() {
            self.differ(&Value::NULL, plan.index(index), &at);
        }
    }

    fn differ(&mut self, ours: &Value, plan: Planned<'_>, at: &At<'_>) {
        let is_secret = is_marked(plan.sensitive);
        let ours = if is_secret && !ours.is_unknown() { SENSITIVE.to_owned() } else { show(ours) };
        let (address, path) = (at.address.to_owned(), at.path.clone());
        self.different.push(Different { address, path, ours, plan: plan.show() });
    }
}

/// How many leaves a value has; an empty collection is one.
fn count(json: &Json) -> usize {
    let inside = match json {
        Json::Array(items) => items.iter().map(count).sum(),
        Json::Object(map) => map.values().map(count).sum(),
        _ => 1,
    };
    inside.max(1)
}

/// Whether two leaves, or two empty collections, are the same.
fn same(ours: &Value, plan: &Json, is_typed: bool) -> bool {
    match (&ours.kind, plan) {
        (Kind::Null, plan) => plan.is_null(),
        (Kind::Bool(ours), Json::Bool(plan)) => ours == plan,
        (Kind::Number(ours), Json::Number(plan)) => {
            let (ours, plan) = (ours.to_f64(), plan.as_f64().unwrap_or(f64::NAN));
            (ours - plan).abs() <= plan.abs() * 1e-12
        }
        (Kind::String(ours), Json::String(plan)) => ours == plan || same_json(ours, plan),
        // The provider's type, which the catalog does not know, converts it.
        (Kind::String(ours), Json::Bool(_) | Json::Number(_)) if !is_typed => *ours == plan.to_string(),
        (Kind::Bool(ours), Json::String(plan)) if !is_typed => ours.to_string() == *plan,
        (Kind::Number(ours), Json::String(plan)) if !is_typed => ours.to_string() == *plan,
        _ => false,
    }
}

fn is_zero(plan: &Json) -> bool {
    plan.as_str() == Some("")
        || plan.as_bool() == Some(false)
        || plan.as_f64() == Some(0.0)
        || plan.as_array().is_some_and(Vec::is_empty)
}

fn is_empty(ours: &Value) -> bool {
    ours.items().is_some_and(<[Value]>::is_empty) || ours.map().is_some_and(Map::is_empty)
}

/// Providers write JSON documents in their own order.
fn same_json(ours: &str, plan: &str) -> bool {
    let parse = |text: &str| serde_json::from_str::<Json>(text).ok();
    let of = parse(ours).filter(|json| json.is_object() || json.is_array());
    of.is_some_and(|ours| Some(ours) == parse(plan))
}

/// As text for the person who reads of a difference.
fn show(value: &Value) -> String {
    if value.sensitive && !value.is_unknown() {
        return SENSITIVE.to_owned();
    }
    match &value.kind {
        Kind::Null => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Number(value) => value.to_string(),
        Kind::String(value) => format!("{value:?}"),
        Kind::Unknown(unknown) => format!("unknown ({})", unknown.cause),
        Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
            format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", "))
        }
        Kind::Map(map) | Kind::Object(map) => {
            let entries = map.iter().map(|(key, value)| format!("{key}: {}", show(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}
