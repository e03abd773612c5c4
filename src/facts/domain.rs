//! The names and functions that rule conditions see beside Terraform's own. `docs/rule-language.md` is their manual.

use std::borrow::Cow;
use std::cell::OnceCell;

use smol_str::SmolStr;

use crate::catalog;
use crate::eval::Scope;
use crate::graph::{NodeId, ResourceGraph};
use crate::program::{InputKind, Mode, Resource};
use crate::residency as regions;
use crate::value::{Cause, Kind, Partial, Times, Truth, Type, Value};

use super::choice::of_each;
use super::residency::{Allowed, Flow, Ways};
use super::tags::Layers;
use super::{Facts, bucket, has_below, related, residency, secrets, tags};
use crate::iam::Text;

/// The names of a condition about one resource.
pub struct ConditionScope<'f, 'g> {
    /// The facts.
    pub facts: &'f Facts<'g>,
    /// `self`
    pub node: NodeId,
    resource: Option<&'g Resource>,
    /// An attribute of `self` that is taken to be another one.
    instead: Option<(SmolStr, Value)>,
    /// The account and region that it stands for, where those are not its own.
    place: Option<(Option<usize>, Value)>,
    // What several names and functions ask is found once.
    tags: OnceCell<Layers<'g>>,
    region: OnceCell<Cow<'g, Value>>,
    allowed: OnceCell<Allowed>,
    flows: OnceCell<Vec<Flow>>,
}

/// The partitions that have policies of AWS.
const PARTITIONS: [&str; 3] = ["aws", "aws-cn", "aws-us-gov"];

/// Functions and names that are told alike: [`Scope::is_alike`].
const ALIKE: [&str; 9] = [
    "geography_within",
    "holds_secret",
    "is_aws_policy",
    "is_customer_managed_key",
    "model_geography",
    "policy",
    "refers_to",
    "secret_entries",
    "told",
];

impl Scope for ConditionScope<'_, '_> {
    fn lookup(&self, root: &str, attrs: &[&str]) -> Result<(Value, usize), String> {
        match (root, attrs) {
            ("self", [attr, ..]) => {
                if let Some((_, value)) = self.instead.as_ref().filter(|(name, _)| name == attr) {
                    return Ok((value.clone(), 1));
                }
                // One attribute, not a copy of the whole object, and an absent one is null.
                match self.resource.and_then(|resource| resource.after.as_ref()) {
                    Some(after) if after.is_unknown() => Ok((after.clone(), 0)),
                    Some(after) => Ok((after.get(attr).cloned().unwrap_or(Value::NULL), 1)),
                    None => Ok((Value::NULL, 1)),
                }
            }
            ("self", []) => {
                let after = self.resource.and_then(|resource| resource.after.clone());
                Ok((after.unwrap_or(Value::NULL), 0))
            }
            ("facts", [name, rest @ ..]) => {
                let state = rest.first().filter(|_| *name == "bucket");
                match state.and_then(|state| bucket::state(self.facts, self.node, state)) {
                    Some(state) => Ok((state, 2)),
                    None => Ok((self.fact(name)?, 1)),
                }
            }
            ("policy", ["residency", "allowed", ..]) => Ok((self.facts.allowed_places.places.clone(), 2)),
            ("policy", ["tags", "required", ..]) => Ok((self.facts.required_tags.clone(), 2)),
            _ => {
                Err(format!("`{root}` means nothing in a condition; there are `self`, `facts` and `policy`"))
            }
        }
    }

    fn call(&self, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
        let result = match (name, args) {
            ("is_set", [path]) => self.is_set(path),
            ("is_customer_managed_key", [key]) => Ok(is_customer_managed_key(self.facts.graph, key)),
            ("tag", [name]) => match name.as_str() {
                Some(name) => Ok(self.tag(name).into_owned()),
                None => Err("`tag` takes the name of a tag".to_owned()),
            },
            ("is_aws_policy", [arn, names]) => Ok(of_each(arn, |arn| self.is_aws_policy(arn, names))),
            ("model_geography", [model]) => Ok(of_each(model, |model| self.model_geography(model))),
            ("geography_within", [place, list]) => Ok(self.geography_within(place, list)),
            ("refers_to", [value, type_name]) => {
                Ok(of_each(value, |value| Value::bool(self.refers_to(value, type_name))))
            }
            ("stays", [kind]) => {
                let kind = kind.as_str().unwrap_or_default();
                residency::stays(self.flows(), kind, self.region(), self.allowed())
            }
            ("leaves", [kind]) => {
                let kind = kind.as_str().unwrap_or_default();
                residency::leaves(self.facts, self.node, kind, self.region(), &self.allowed().places)
            }
            ("declared", [type_name]) => self.of_type(type_name, related::declared),
            ("beside", [type_name]) => self.of_type(type_name, related::beside),
            ("related", [route]) => self.related(route),
            ("holds_secret", [value]) => Ok(secrets::holds_secret(value)),
            ("secret_entries", [map]) => Ok(secrets::secret_entries(map)),
            ("told", [list]) => Ok(told(list)),
            (
                "is_set"
                | "is_customer_managed_key"
                | "tag"
                | "model_geography"
                | "declared"
                | "stays"
                | "leaves"
                | "beside"
                | "related"
                | "told",
                _,
            ) => Err(format!("`{name}` takes one argument")),
            ("geography_within" | "is_aws_policy" | "refers_to", _) => {
                Err(format!("`{name}` takes two arguments"))
            }
            _ => return None,
        };
        // What a function makes of a secret tells of it.
        Some(result.map(|value| value.mark(args.iter().any(Value::holds_sensitive))))
    }

    fn is_alike(&self, name: &str, attrs: &[&str]) -> bool {
        match (name, attrs) {
            ("facts", ["role_tags", ..]) => true,
            ("facts", ["tag_faults", ..]) => {
                self.facts.of_type(self.node).is_some_and(|of_type| of_type.no_faults.is_some())
            }
            _ => ALIKE.contains(&name),
        }
    }
}

impl<'f, 'g> ConditionScope<'f, 'g> {
    /// The names of a condition about a resource.
    pub fn new(facts: &'f Facts<'g>, node: NodeId) -> Self {
        Self {
            facts,
            node,
            resource: facts.graph.resource(node),
            instead: None,
            place: None,
            tags: OnceCell::new(),
            region: OnceCell::new(),
            allowed: OnceCell::new(),
            flows: OnceCell::new(),
        }
    }

    /// This scope, in which the attribute of `self` has that value. What facts and functions say of it stays as it is.
    #[must_use]
    pub fn with(self, attribute: SmolStr, value: Value) -> Self {
        Self { instead: Some((attribute, value)), ..self }
    }

    /// This scope, in which what is declared is looked for in that account and region.
    #[must_use]
    pub fn in_place(self, account: Option<usize>, region: Value) -> Self {
        Self { place: Some((account, region)), ..self }
    }

    fn layers(&self) -> Layers<'g> {
        *self.tags.get_or_init(|| tags::effective(self.facts, self.node))
    }

    /// The value of a tag of it: see [`tags::tag`].
    pub fn tag(&self, name: &str) -> Cow<'g, Value> {
        self.layers().tag(&self.facts.config.tags, name)
    }

    fn region(&self) -> &Value {
        self.region.get_or_init(|| residency::region(self.facts, self.node))
    }

    /// Where its data may be.
    fn allowed(&self) -> &Allowed {
        let tag = || self.tag(residency::TAG);
        self.allowed.get_or_init(|| residency::allowed_by_tag(self.facts, self.node, &tag()))
    }

    /// What leaves it.
    fn flows(&self) -> &[Flow] {
        self.flows.get_or_init(|| residency::flows_by(self.facts, self.node, Ways::Untold))
    }

    fn fact(&self, name: &str) -> Result<Value, String> {
        let (facts, node) = (self.facts, self.node);
        Ok(match name {
            "ai" => Value::bool(facts.scope().is_direct(node)),
            "reached_by" => {
                let types = facts.scope().reached_by(facts.graph, node);
                tags::strings(types.into_iter().map(SmolStr::as_str))
            }
            "region" => self.region().clone(),
            "residency" => self.allowed().places.clone(),
            "bucket" => bucket::object(facts, node),
            "production" => self.production(),
            "environments" => tags::environments(facts, node, &self.tag(tags::ENVIRONMENT)),
            "role_tags" => facts.of_type(node).map_or(Value::NULL, |of_type| of_type.role_tags.clone()),
            "tag_faults" => tags::faults(facts, node, || self.layers()),
            _ => return Err(format!("there is no fact `{name}`")),
        })
    }

    /// A geography of inference, or a region of the cloud that the resource is in.
    fn geography_within(&self, place: &Value, list: &Value) -> Value {
        let type_name = self.resource.map_or("", |resource| resource.type_name.as_str());
        let cloud = type_name.split('_').next().unwrap_or(type_name);
        within(place, list, |place, allowed| match place.and_then(|place| regions::region(cloud, place)) {
            Some(region) => Truth::from(region.within(allowed)),
            None => regions::geography_within(place, allowed),
        })
    }

    fn refers_to(&self, value: &Value, type_name: &Value) -> bool {
        let named =
            value.reference.as_ref().and_then(|reference| self.facts.graph.named(&reference.resource));
        named.is_some_and(|named| {
            named.mode == Mode::Managed && Some(named.type_name.as_str()) == type_name.as_str()
        })
    }

    /// Whether `arn` is that of a policy of AWS with one of the names.
    fn is_aws_policy(&self, arn: &Value, names: &Value) -> Value {
        let Some(names) = names.items().filter(|_| names.is_wholly_known()) else { return names.clone() };
        let names = || names.iter().filter_map(Value::as_str);
        let located = |truth: bool| Value { origin: arn.origin, ..Value::bool(truth) };
        let named = arn.reference.as_ref().and_then(|reference| self.facts.graph.named(&reference.resource));
        match named.filter(|resource| resource.type_name == "aws_iam_policy") {
            Some(Resource { mode: Mode::Managed, .. }) => return located(false),
            Some(Resource { mode: Mode::Data, after: Some(after), .. }) => {
                // A policy of the account may have the name of one of AWS.
                let name = after.get("name").and_then(Value::as_str);
                if name.is_some_and(|name| !names().any(|other| other == name)) {
                    return located(false);
                }
            }
            _ => {}
        }
        let Some(text) = Text::of_value(arn) else {
            return if arn.is_null() { located(false) } else { arn.clone() };
        };
        if names().any(|name| text.suffix().ends_with(&format!(":iam::aws:policy/{name}"))) {
            return located(true);
        }
        let may_be = |name: &str| {
            PARTITIONS.iter().any(|it| text.is(&format!("arn:{it}:iam::aws:policy/{name}")) != Ok(false))
        };
        if names().any(may_be) { arn.clone() } else { located(false) }
    }

    fn model_geography(&self, model: &Value) -> Value {
        let named =
            model.reference.as_ref().and_then(|reference| self.facts.graph.named(&reference.resource));
        if named.is_some_and(|resource| resource.type_name == "aws_bedrock_foundation_model") {
            return Value::NULL;
        }
        let Some(text) = Text::of_value(model) else {
            return model.clone();
        };
        match regions::partial_model_geography(&text.with_holes(regions::HOLE)) {
            Ok(Some(geography)) => Value { origin: model.origin, ..Value::string(geography) },
            Ok(None) => Value::NULL,
            Err(regions::Hidden) => Value::unknown(text.cause()),
        }
    }

    fn is_set(&self, path: &Value) -> Result<Value, String> {
        let Some(path) = path.as_str() else { return Err("`is_set` takes a path as text".to_owned()) };
        let Some(resource) = self.resource else { return Ok(Value::bool(false)) };
        let Some(configured) = &resource.configured else {
            return Ok(Value::unknown(Cause::Other(
                "the input does not tell what the configuration sets".into(),
            )));
        };
        let value = resource.after.as_ref().and_then(|after| after.at_path(path));
        // What is null, or left to the provider, is what nobody set. Of what is kept nowhere nobody can tell.
        let is_nothing = |value: &Value| {
            value.is_null() && !catalog::is_write_only(path)
                || value.as_unknown().is_some_and(|unknown| unknown.cause == Cause::Provider)
        };
        if configured.contains(path) {
            // A `dynamic` block that may make nothing sets nothing then.
            let perhaps = value.filter(|block| block.may_be_empty());
            return Ok(match perhaps {
                Some(block) => Value::unknown_from(&[block], Type::Bool),
                None => Value::bool(!value.is_some_and(is_nothing)),
            });
        }
        let Some(value) = value.filter(|value| !is_nothing(value)) else { return Ok(Value::bool(false)) };
        let mut blocks = path.rmatch_indices('.').map(|(end, _)| path.get(..end).unwrap_or_default());
        let Some(set) = blocks.find(|block| configured.contains(*block)) else {
            // The configuration in a plan leaves out what `dynamic` blocks make.
            let is_there = value.items().is_some_and(|items| !items.is_empty());
            return Ok(if is_there && self.facts.graph.kind == InputKind::TerraformPlan {
                Value::unknown(Cause::Other(
                    format!("the plan does not tell whether the configuration sets `{path}`").into(),
                ))
            } else {
                Value::bool(false)
            });
        };
        // An object that is set as a whole does not tell what is in it.
        Ok(if has_below(configured, set) {
            Value::bool(false)
        } else {
            Value::unknown(Cause::Other(format!("the input does not tell whether `{path}` is set").into()))
        })
    }

    /// Asks of a type that is given as text.
    fn of_type(
        &self,
        type_name: &Value,
        ask: fn(&Facts<'_>, related::At<'_>, &str) -> Value,
    ) -> Result<Value, String> {
        let type_name = type_name.as_str().ok_or("a type is given as text")?;
        let Some(here) = self.facts.graph.resource(self.node) else { return Ok(Value::NULL) };
        let (account, region) = match &self.place {
            Some((account, region)) => (*account, region),
            None => (self.facts.graph.account(here), self.region()),
        };
        Ok(ask(self.facts, related::At { here, account, region }, type_name))
    }

    fn related(&self, route: &Value) -> Result<Value, String> {
        let route = related::route(route.as_str().ok_or("`related` takes a route as text")?)?;
        Ok(related::related(self.facts, self.node, &route))
    }

    /// Whether the environment that its tag tells is production.
    fn production(&self) -> Value {
        const NAMES: [&str; 4] = ["prod", "production", "prd", "live"];
        of_each(&self.tag(tags::ENVIRONMENT), |tag| match (tag.as_str(), tag.is_null()) {
            (Some(text), _) => Value {
                origin: tag.origin,
                via: tag.via.clone(),
                ..Value::bool(NAMES.iter().any(|name| text.eq_ignore_ascii_case(name)))
            },
            (None, true) => Value::unknown(Cause::Other("no `environment` tag says where it runs".into())),
            (None, false) => tag.clone(),
        })
    }
}

/// Of a list that is known in part what a message can tell: the elements that are certainly in it, else those that may be.
fn told(list: &Value) -> Value {
    let Some(Partial::Elements(all)) = list.as_unknown().and_then(|unknown| unknown.partial.as_ref()) else {
        return list.clone();
    };
    let certain = || all.iter().filter(|element| element.times == Times::Once);
    let all = || all.iter().filter(|element| element.times != Times::Any);
    let elements: Vec<_> = if certain().next().is_some() { certain().collect() } else { all().collect() };
    Value::tuple(elements.into_iter().map(|element| element.value.clone()))
}

/// Whether the change deletes the key of that ARN or id: what goes on naming it is left with none.
fn is_deleted_key(graph: &ResourceGraph, text: &str) -> bool {
    ["aws_kms_key", "aws_kms_replica_key"].iter().any(|type_name| graph.removes(type_name, text))
}

/// Whether a value names a customer-managed KMS key.
///
/// A reference to a key, replica or alias resource is one, known or not; one to a data source is what that looks up. A
/// literal is one unless it is an alias of a service (`alias/aws/…`).
pub fn is_customer_managed_key(graph: &ResourceGraph, value: &Value) -> Value {
    of_each(value, |value| is_one_customer_managed_key(graph, value))
}

fn is_one_customer_managed_key(graph: &ResourceGraph, value: &Value) -> Value {
    let located = |truth: bool| Value { origin: value.origin, via: value.via.clone(), ..Value::bool(truth) };
    let named = value.reference.as_ref().and_then(|reference| graph.named(&reference.resource));
    if let Some(key) = named.filter(|resource| resource.type_name.starts_with("aws_kms_")) {
        return match (key.mode, key.after.as_ref()) {
            (Mode::Managed, _) => located(true),
            (Mode::Data, Some(after)) => {
                let looked_up = ["key_id", "name"].iter().find_map(|name| after.get(name)?.as_str());
                looked_up.map_or_else(|| value.clone(), |text| located(!is_service_alias(text)))
            }
            (Mode::Data, None) => value.clone(),
        };
    }
    match &value.kind {
        Kind::Null => located(false),
        Kind::String(text) if is_deleted_key(graph, text) => located(false),
        Kind::String(text) => located(!text.is_empty() && !is_service_alias(text)),
        Kind::Unknown(_) => partly_known_key(value).map_or_else(|| value.clone(), located),
        _ => Value::unknown(Cause::Other("a key is a string".into())),
    }
}

/// Whether a key is customer-managed of which something is known: the ARN of a key in an account that is not known, or an
/// alias with a name that does not begin as those of services do.
fn partly_known_key(value: &Value) -> Option<bool> {
    let text = Text::of_value(value)?.with_holes(regions::HOLE);
    let Some((_, alias)) = text.split_once("alias/") else { return text.contains(":key/").then_some(true) };
    let known = alias.split(regions::HOLE).next().unwrap_or_default();
    if known.starts_with("aws/") {
        return Some(false);
    }
    (known.len() == alias.len() || !"aws/".starts_with(known)).then_some(true)
}

fn is_service_alias(key: &str) -> bool {
    key.contains("alias/aws/")
}

/// Asks of a place and the jurisdictions that it must be in; unknown in, unknown out.
fn within(place: &Value, list: &Value, ask: impl Fn(Option<&str>, &[&str]) -> Truth) -> Value {
    of_each(place, |place| of_each(list, |list| one_within(place, list, &ask)))
}

fn one_within(place: &Value, list: &Value, ask: impl Fn(Option<&str>, &[&str]) -> Truth) -> Value {
    if let Some(unknown) = [place, list].into_iter().find(|value| !value.is_wholly_known()) {
        return unknown.clone();
    }
    let allowed: Vec<&str> = list.items().unwrap_or_default().iter().filter_map(Value::as_str).collect();
    if let Some(odd) = allowed.iter().find(|place| !regions::is_place(place)) {
        let odd = if list.holds_sensitive() { "(sensitive)" } else { odd };
        return Value::unknown(residency::no_place(odd));
    }
    match ask(place.as_str(), &allowed) {
        Truth::Yes => Value::bool(true),
        Truth::No => Value { origin: place.origin, via: place.via.clone(), ..Value::bool(false) },
        Truth::Maybe => Value::unknown(Cause::Other("the place is not in the table of regions".into())),
    }
}
