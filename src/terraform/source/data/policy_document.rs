//! `data "aws_iam_policy_document"`: its arguments to the document.
//!
//! Terraform reads it while planning, without AWS, if all its arguments are known; so what it says is known here too. With
//! `depends_on` Terraform may wait until apply; the document is the same then, and is told here at once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::document::{
    Document, Identifiers, Statement, Wrong, checksum, conditions, one_or_list, principals, reverse_sorted,
};
use super::holes::{Holes, is_marked, may_replace};
use super::{Block, text};
use crate::value::{Cause, Field, Map, Partial, Type, Value, convert};

/// Its arguments in the order they are evaluated in, then what it computes.
pub(super) const ATTRIBUTES: &[&str] = &[
    "statement",
    "source_policy_documents",
    "override_policy_documents",
    "version",
    "policy_id",
    "source_json",
    "override_json",
    "json",
    "minified_json",
    "id",
];

/// Newer documents may have policy variables, `${aws:username}`.
const OLD: &str = "2008-10-17";

/// More bytes of text than this make no policy: AWS takes 20 KiB at most. Documents of documents could double for ever.
const MAX_TEXT: usize = 1 << 20;

/// More documents are not merged where not all of them are known.
const MAX_DOCUMENTS: usize = 100;

/// The version of a document that sets none.
const VERSION: &str = "2012-10-17";

/// The attribute `name`, that the configuration does not set.
pub(super) fn computed(name: &str, block: &Block<'_, '_>) -> Option<Value> {
    match name {
        "version" => return Some(Value::string(VERSION)),
        "policy_id" | "source_json" | "override_json" => return Some(Value::NULL),
        "source_policy_documents" | "override_policy_documents" => return Some(Value::NULL),
        "json" | "minified_json" | "id" => {}
        _ => return None,
    }
    let arguments = Arguments::read(block);
    let all =
        [&arguments.statement, &arguments.sources, &arguments.overrides, &arguments.version, &arguments.id];
    if !all.iter().all(|value| value.is_wholly_known()) {
        let unknown = Value::unknown_from(&all, Type::String);
        let json = if name == "id" { None } else { arguments.partly() };
        return Some(unknown.with_partial(json.and_then(Partial::json)));
    }
    if all.iter().try_fold(MAX_TEXT, |left, value| left_of(left, value)).is_none() {
        return Some(Value::unknown(Cause::Limit("size of a policy document".into())));
    }
    let rendered = arguments.document().and_then(|document| document.render());
    let value = match rendered {
        Ok(rendered) => Value::string(match name {
            "json" => rendered.json,
            "minified_json" => rendered.minified,
            _ => rendered.id,
        }),
        Err(wrong) => block.refuse(&format!("the policy document is wrong: {wrong}")),
    };
    // Terraform takes the mark away; what a message may show must not depend on that.
    Some(value.mark(all.iter().any(|value| value.holds_sensitive())))
}

/// What is left of `bytes` after all texts of a value, [`None`] if they are more; each element takes one more.
fn left_of(bytes: usize, value: &Value) -> Option<usize> {
    let own = 1 + value.as_str().map_or(0, str::len);
    let items = value.items().into_iter().flatten();
    let mut inside = items.chain(value.map().into_iter().flat_map(Map::values));
    inside.try_fold(bytes.checked_sub(own)?, left_of)
}

struct Arguments {
    statement: Value,
    sources: Value,
    overrides: Value,
    version: Value,
    id: Value,
}

impl Arguments {
    fn read(block: &Block<'_, '_>) -> Self {
        Self {
            statement: block.argument("statement"),
            sources: block.argument("source_policy_documents"),
            overrides: block.argument("override_policy_documents"),
            version: block.argument("version"),
            id: block.argument("policy_id"),
        }
    }

    /// The documents it is made of, merged.
    fn document(&self) -> Result<Document, Wrong> {
        let mut merged = Document::default();
        let mut sids = Sids::default();
        for source in documents(&self.sources)? {
            source.statements.iter().try_for_each(|statement| sids.add(statement))?;
            merged.merge(source);
        }
        merged.merge(self.own()?);
        for document in documents(&self.overrides)? {
            merged.merge(document);
        }
        Ok(merged)
    }

    /// What is known of the document where not all is; [`None`] if nothing is, or if the provider would refuse it.
    fn partly(&self) -> Option<Value> {
        let mut holes = Holes::default();
        let hidden = Self {
            statement: holes.hide(&self.statement, &Type::set(statement_type()))?,
            version: holes.hide(&self.version, &Type::String)?,
            id: holes.hide(&self.id, &Type::String)?,
            sources: Value::NULL,
            overrides: Value::NULL,
        };
        let mut documents = holes.documents(&self.sources)?;
        documents.push(hidden.own().ok()?);
        documents.extend(holes.documents(&self.overrides)?);
        if documents.len() > MAX_DOCUMENTS || may_replace(&documents) {
            return None;
        }
        let mut merged = Document::default();
        for document in documents {
            merged.merge(document);
        }
        holes.show(&merged)
    }

    /// What its own arguments say.
    fn own(&self) -> Result<Document, Wrong> {
        let version = if self.version.is_null() { VERSION.to_owned() } else { text(&self.version)? };
        if version != VERSION && version != OLD && !is_marked(&version) {
            return Err(format!("`version` must be {VERSION:?} or {OLD:?}"));
        }
        let id = if self.id.is_null() { String::new() } else { text(&self.id)? };
        let ty = statement_type();
        let mut sids = Sids::default();
        let statements = self.statement.items().unwrap_or_default().iter().map(|given| {
            has_only(given, &ty)?;
            let statement = statement(&convert(given, &ty)?, &version)?;
            sids.add(&statement)?;
            Ok(statement)
        });
        let statements = statements.collect::<Result<_, Wrong>>()?;
        Ok(Document { version, id, statements })
    }
}

/// The ids of statements that must differ.
#[derive(Default)]
struct Sids(BTreeSet<String>);

impl Sids {
    fn add(&mut self, statement: &Statement) -> Result<(), Wrong> {
        if !statement.sid.is_empty() && !self.0.insert(statement.sid.clone()) {
            return Err("two statements have the same `sid`".to_owned());
        }
        Ok(())
    }
}

/// The documents of a list of texts; the provider skips one that is empty.
fn documents(list: &Value) -> Result<Vec<Document>, Wrong> {
    let texts = texts(&convert(list, &Type::list(Type::String))?)?;
    texts.iter().filter(|text| !text.is_empty()).map(|text| Document::parse(text)).collect()
}

fn field(name: &str, ty: Type, optional: bool) -> Field {
    Field { name: name.into(), ty, optional, default: None }
}

/// The type of a `statement` block.
fn statement_type() -> Type {
    let texts = || Type::set(Type::String);
    let principals = Type::set(Type::Object(
        [field("identifiers", texts(), false), field("type", Type::String, false)].into(),
    ));
    let condition = Type::Object(
        [
            field("test", Type::String, false),
            field("values", Type::list(Type::String), false),
            field("variable", Type::String, false),
        ]
        .into(),
    );
    Type::Object(
        [
            field("actions", texts(), true),
            field("condition", Type::set(condition), true),
            field("effect", Type::String, true),
            field("not_actions", texts(), true),
            field("not_principals", principals.clone(), true),
            field("not_resources", texts(), true),
            field("principals", principals, true),
            field("resources", texts(), true),
            field("sid", Type::String, true),
        ]
        .into(),
    )
}

/// Conversion drops what is no argument; Terraform refuses it, and a document without it would be another one.
fn has_only(given: &Value, ty: &Type) -> Result<(), Wrong> {
    let fields: &[Field] = match ty {
        Type::Object(fields) => fields,
        Type::Set(of) => {
            return given.items().unwrap_or_default().iter().try_for_each(|item| has_only(item, of));
        }
        _ => return Ok(()),
    };
    given.map().into_iter().flat_map(Map::iter).try_for_each(|(name, value)| {
        match fields.iter().find(|field| field.name == *name) {
            Some(field) => has_only(value, &field.ty),
            None => Err(format!("`{name}` is no argument of it")),
        }
    })
}

/// A statement of the type [`statement_type`].
fn statement(given: &Value, version: &str) -> Result<Statement, Wrong> {
    let get = |name| given.get(name).unwrap_or(&Value::NULL);
    let optional = |name, default: &str| match get(name) {
        value if value.is_null() => Ok(default.to_owned()),
        value => text(value),
    };
    let effect = optional("effect", "Allow")?;
    if effect != "Allow" && effect != "Deny" && !is_marked(&effect) {
        return Err("`effect` must be \"Allow\" or \"Deny\"".to_owned());
    }
    let actions = |name| -> Result<Option<Json>, Wrong> {
        let texts = texts(get(name))?;
        Ok((!texts.is_empty()).then(|| one_or_list(reverse_sorted(texts))))
    };
    let resources = |name| -> Result<Option<Json>, Wrong> {
        let texts = texts(get(name))?;
        Ok((!texts.is_empty()).then_some(one_or_list(with_variables(reverse_sorted(texts), version)?)))
    };
    Ok(Statement {
        sid: optional("sid", "")?,
        effect,
        action: actions("actions")?,
        not_action: actions("not_actions")?,
        resource: resources("resources")?,
        not_resource: resources("not_resources")?,
        principal: principal_blocks(get("principals"), version)?,
        not_principal: principal_blocks(get("not_principals"), version)?,
        condition: condition_blocks(get("condition"), version)?,
    })
}

fn principal_blocks(blocks: &Value, version: &str) -> Result<Option<Json>, Wrong> {
    let mut all = BTreeMap::new();
    for block in blocks.items().unwrap_or_default() {
        let kind = required(block, "type")?;
        let identifiers = texts(block.get("identifiers").unwrap_or(&Value::NULL))?;
        let keyed: BTreeMap<_, _> =
            identifiers.iter().map(|text| (hash(&format!("{text};")), text.as_str())).collect();
        let hashed = serialized(keyed.into_values());
        let mut identifiers = with_variables(identifiers, version)?;
        let identifiers = match (identifiers.pop(), identifiers.is_empty()) {
            (Some(only), true) => Identifiers::One(only),
            (last, _) => {
                identifiers.extend(last);
                Identifiers::Many(identifiers)
            }
        };
        all.entry(hash(&format!("identifiers:{{{hashed}}};type:{kind};"))).or_insert((kind, identifiers));
    }
    Ok(principals(all.into_values().collect()))
}

fn condition_blocks(blocks: &Value, version: &str) -> Result<Option<Json>, Wrong> {
    let mut all = BTreeMap::new();
    for block in blocks.items().unwrap_or_default() {
        let (test, variable) = (required(block, "test")?, required(block, "variable")?);
        let values = texts(block.get("values").unwrap_or(&Value::NULL))?;
        let hashed = serialized(values.iter().map(String::as_str));
        let key = hash(&format!("test:{test};values:({hashed});variable:{variable};"));
        all.entry(key).or_insert((test, variable, with_variables(values, version)?));
    }
    Ok(conditions(all.into_values().collect()))
}

/// The key that the provider's SDK gives an element of a set. The set's order is that of the keys as text, and where blocks
/// are merged it decides the order of what they say.
fn hash(serialized: &str) -> String {
    checksum(serialized.as_bytes()).to_string()
}

/// The elements of a collection as they are hashed.
fn serialized<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    texts.flat_map(|text| [text, ";"]).collect()
}

/// `&{…}` stands for a policy variable, because `${…}` is Terraform's own.
fn with_variables(texts: Vec<String>, version: &str) -> Result<Vec<String>, Wrong> {
    if version == OLD && texts.iter().any(|text| text.contains("&{")) {
        return Err(format!("version {OLD:?} has no policy variables (`&{{`)"));
    }
    Ok(texts.into_iter().map(|text| text.replace("&{", "${")).collect())
}

fn required(block: &Value, name: &str) -> Result<String, Wrong> {
    text(block.get(name).unwrap_or(&Value::NULL)).map_err(|_| format!("`{name}` is required"))
}

/// The texts of a list or set; none if it is not set. The provider refuses a null among them.
fn texts(list: &Value) -> Result<Vec<String>, Wrong> {
    list.items().unwrap_or_default().iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_of_no_statement_are_refused() {
        let condition = Value::object([("tset".into(), Value::string("Bool"))]);
        let given = Value::object([("condition".into(), Value::tuple([condition]))]);
        assert_eq!(has_only(&given, &statement_type()).unwrap_err(), "`tset` is no argument of it");
    }
}
