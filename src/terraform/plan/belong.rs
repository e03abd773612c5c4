//! Whether a source is that of a plan: what the plan tells of its configuration, held against the blocks of the source.
//!
//! Told are the addresses of all blocks, the sources of calls, constants, and the names that an expression refers to. Not
//! told are locals, `dynamic` blocks, the text around references, and what a function without any makes.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashSet;
use serde_json::value::RawValue;
use smol_str::{SmolStr, format_smolstr};

use crate::eval::{self, Mode as EvalMode, Scope};
use crate::hcl::ast::{Attribute, Block, Body, Expr, ExprKind};
use crate::input::json::Document;
use crate::source::FileId;
use crate::terraform::source::Definition;
use crate::terraform::source::module::{Declared, Module};
use crate::value::{Truth, Type, Value, convert, equal};

use super::config::{BlockConfig, Call, Configuration, ModuleConfig};
use super::expression::{Leaf, Node};
use super::names::{Names, base};
use super::wire::join;

/// Arguments that say nothing of the resource.
const META: [&str; 7] =
    ["count", "for_each", "depends_on", "provider", "lifecycle", "provisioner", "connection"];

/// Arguments of a call that are no values of variables.
const CALL_META: [&str; 6] = ["source", "version", "count", "for_each", "depends_on", "providers"];

/// Modules nested deeper are not compared.
const MAX_DEPTH: usize = 64;

/// How far a source is that of a plan.
#[derive(Debug, Default)]
pub struct Fit {
    /// Blocks, calls and modules' variables that are the same in both, by address without keys.
    pub same: HashSet<SmolStr>,
    /// What is not, and why, in the order of addresses.
    pub other: BTreeMap<SmolStr, String>,
    /// How many resource blocks the plan has, where the source can tell: not in modules that are not installed.
    pub blocks: usize,
    /// How many of them are the same.
    pub same_blocks: usize,
}

impl Fit {
    /// Whether nothing is known to differ.
    pub fn is_exact(&self) -> bool {
        self.other.is_empty()
    }

    /// Whether it is the source, if perhaps of another revision: most is the same.
    pub fn belongs(&self) -> bool {
        self.same_blocks * 2 >= self.blocks && (self.blocks > 0 || self.is_exact())
    }
}

/// Compares the configuration of a plan with the definitions of a source, of which the first is the root module's.
pub(super) fn compare(
    document: Document<'_>,
    configuration: &Configuration<'_>,
    definitions: &[Definition<'_>],
) -> Fit {
    let mut comparison = Comparison { document, definitions, fit: Fit::default() };
    if let Some(root) = definitions.first() {
        comparison.modules(&configuration.root_module, root, "", 0);
    }
    comparison.fit
}

struct Comparison<'x, 'a> {
    document: Document<'a>,
    definitions: &'x [Definition<'x>],
    fit: Fit,
}

impl<'x, 'a> Comparison<'x, 'a> {
    /// Takes down what is said of the block at `address`: why it is another one, if it is.
    fn note(&mut self, address: SmolStr, why: Option<String>) -> bool {
        let is_same = why.is_none();
        match why {
            None => {
                self.fit.same.insert(address);
            }
            Some(why) => {
                self.fit.other.insert(address, why);
            }
        }
        is_same
    }

    /// Compares the module at the path `prefix`, which ends with a dot.
    fn modules(&mut self, plan: &ModuleConfig<'a>, source: &Definition<'x>, prefix: &str, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        let module = source.module;
        let mut told: BTreeSet<(bool, &str, &str)> = BTreeSet::new();
        for block in &plan.resources {
            let is_data = match block.mode.as_deref() {
                Some("managed") | None => false,
                Some("data") => true,
                // What is ephemeral is in no change.
                Some(_) => continue,
            };
            let (kind, name) = (block.type_name.as_str(), block.name.as_str());
            told.insert((is_data, kind, name));
            let declared = if is_data { &module.data } else { &module.resources }.get(&(kind, name));
            let why = match declared {
                Some(declared) => self.block(block, *declared),
                // It may be in a `check` block.
                None if is_data => continue,
                None => Some("it is not in the source".to_owned()),
            };
            self.fit.blocks += 1;
            if self.note(address(prefix, is_data, kind, name), why) {
                self.fit.same_blocks += 1;
            }
        }
        let data = module.data.keys().map(|&(kind, name)| (true, kind, name));
        let resources = module.resources.keys().map(|&(kind, name)| (false, kind, name));
        for (is_data, kind, name) in resources.chain(data).filter(|id| !told.contains(id)) {
            self.note(address(prefix, is_data, kind, name), Some("it is not in the plan".to_owned()));
        }
        self.variables(plan, module, prefix);
        for (&name, _) in module.calls.iter().filter(|(name, _)| !plan.module_calls.contains_key(**name)) {
            self.note(format_smolstr!("{prefix}module.{name}"), Some("it is not in the plan".to_owned()));
        }
        for (name, call) in &plan.module_calls {
            let path = format_smolstr!("{prefix}module.{name}");
            let Some(declared) = module.calls.get(name.as_str()) else {
                self.fit.blocks += count(&call.module, depth);
                self.note(path, Some("it is not in the source".to_owned()));
                continue;
            };
            let why = self.call(call, *declared);
            self.note(path.clone(), why);
            let target = source.calls.get(name.as_str()).and_then(|target| target.as_ref().ok());
            let definitions = self.definitions;
            if let Some(definition) = target.and_then(|&at| definitions.get(at)) {
                self.modules(&call.module, definition, &format!("{path}."), depth + 1);
            }
        }
    }

    /// Those of the root have their values in the plan. What is left out of a call has the default.
    fn variables(&mut self, plan: &ModuleConfig<'a>, module: &Module<'x>, prefix: &str) {
        for (name, told) in &plan.variables {
            let why = match module.variables.get(name.as_str()) {
                None => Some("it is not in the source".to_owned()),
                Some(_) if prefix.is_empty() => None,
                Some(declared) => {
                    let written = declared.body().attribute("default");
                    let is_same = match (told.default, written) {
                        (Some(raw), Some(written)) => self.is_constant(raw, written),
                        // What is null is left out.
                        (None, Some(written)) => matches!(written.value.kind, ExprKind::Null),
                        (told, None) => told.is_none(),
                    };
                    (!is_same).then(|| "its default is another one".to_owned())
                }
            };
            self.note(format_smolstr!("{prefix}var.{name}"), why);
        }
        for &name in module.variables.keys().filter(|name| !plan.variables.contains_key(**name)) {
            self.note(format_smolstr!("{prefix}var.{name}"), Some("it is not in the plan".to_owned()));
        }
    }

    /// Terraform has converted it to the type of the variable: only texts, numbers and truths can be compared.
    fn is_constant(&self, raw: &'a RawValue, written: &Attribute<'_>) -> bool {
        let text = |value: &Value| convert(value, &Type::String).ok()?.as_str().map(str::to_owned);
        match (self.document.decode_plain(raw), literal(&written.value, written.file)) {
            (Ok(told), Some(written)) => match (text(&told), text(&written)) {
                (Some(told), Some(written)) => told == written,
                _ => true,
            },
            _ => true,
        }
    }

    /// Why the call is another one.
    fn call(&self, call: &Call<'a>, declared: Declared<'_>) -> Option<String> {
        let body = declared.body();
        let source = match body.attribute("source").map(|attribute| attribute.value.kind) {
            Some(ExprKind::String(text)) => Some(text),
            _ => None,
        };
        if let (Some(told), Some(source)) = (&call.source, source)
            && !is_same_source(told, source)
        {
            return Some("its `source` is another one".to_owned());
        }
        let repetition = self.repetition(call.count_expression, call.for_each_expression, body);
        let told = call.expressions.0.iter();
        let told =
            told.filter_map(|(name, raw)| Some((SmolStr::new(&name.0), Node::Leaf(Leaf::parse(raw)?))));
        repetition.or_else(|| self.body(&told.collect::<Vec<_>>(), body, "", &CALL_META))
    }

    /// Why the resource or data source is another one.
    fn block(&self, block: &BlockConfig<'a>, declared: Declared<'_>) -> Option<String> {
        let body = declared.body();
        let repetition = self.repetition(block.count_expression, block.for_each_expression, body);
        let told = block.expressions.map(Node::parse_body).unwrap_or_default();
        repetition.or_else(|| self.body(&told, body, "", &META))
    }

    fn repetition(
        &self,
        count: Option<&'a RawValue>,
        for_each: Option<&'a RawValue>,
        body: Body<'_>,
    ) -> Option<String> {
        [("count", count), ("for_each", for_each)].into_iter().find_map(|(name, told)| {
            match (told, body.attribute(name)) {
                (Some(raw), Some(written)) => {
                    let leaf = Leaf::parse(raw)?;
                    self.leaf(&leaf, &written.value, written.file, name)
                }
                (None, None) => None,
                // What neither names anything nor is a constant is not told.
                (None, Some(written)) => is_told(&written.value).then(|| differs(name)),
                (Some(_), None) => Some(differs(name)),
            }
        })
    }

    /// Why what is told of a body is not what is written in it.
    fn body(
        &self,
        told: &[(SmolStr, Node<'a>)],
        body: Body<'_>,
        around: &str,
        meta: &[&str],
    ) -> Option<String> {
        let is_meta = |name: &str| around.is_empty() && meta.contains(&name);
        for (name, node) in told {
            let path = join(around, name);
            let attribute = body.attribute(name);
            let blocks: Vec<&Block<'_>> = body.blocks().filter(|block| block.ident.text == *name).collect();
            let why = match (node, attribute) {
                (Node::Leaf(leaf), Some(written)) => self.leaf(leaf, &written.value, written.file, &path),
                (Node::Blocks(told), None) if told.len() != blocks.len() => Some(differs(&path)),
                (Node::Blocks(told), None) => told.iter().zip(&blocks).find_map(|(node, block)| match node {
                    Node::Body(told) => self.body(told, block.body, &path, &[]),
                    Node::Leaf(_) | Node::Blocks(_) => None,
                }),
                (Node::Body(told), None) => match blocks.as_slice() {
                    [block] => self.body(told, block.body, &path, &[]),
                    [] => Some(differs(&path)),
                    _ => None,
                },
                (Node::Leaf(leaf), None) if blocks.is_empty() => {
                    let is_empty = leaf.constant.is_none() && leaf.references.is_empty();
                    (!is_empty && dynamic(body, name).is_none()).then(|| differs(&path))
                }
                // Blocks in the syntax of attributes, and the other way round.
                (Node::Leaf(_), None) | (Node::Blocks(_) | Node::Body(_), Some(_)) => None,
            };
            if why.is_some() {
                return why;
            }
        }
        let is_known = |name: &str| told.iter().any(|(known, _)| known == name) || is_meta(name);
        let mut attributes = body.attributes().filter(|attribute| !is_known(attribute.name.text));
        let more =
            attributes.find(|attribute| is_told(&attribute.value)).map(|attribute| attribute.name.text);
        let mut blocks = body.blocks().map(|block| block.ident.text).filter(|name| *name != "dynamic");
        let more = more.or_else(|| blocks.find(|name| !is_known(name)));
        more.map(|name| differs(&join(around, name)))
    }

    /// Why what is told of an expression is not what is written.
    fn leaf(&self, leaf: &Leaf<'a>, written: &Expr<'_>, file: FileId, path: &str) -> Option<String> {
        let told: BTreeSet<SmolStr> = leaf.references.iter().map(|reference| base(&reference.0)).collect();
        if told != Names::of(written).things {
            return Some(differs(path));
        }
        let constant = self.document.decode_plain(leaf.constant?).ok()?;
        let written = literal(written, file)?;
        (equal(&constant, &written) == Truth::No).then(|| differs(path))
    }
}

fn differs(path: &str) -> String {
    format!("its `{path}` is another one")
}

/// How many resource blocks there are in a module and below.
fn count(module: &ModuleConfig<'_>, depth: usize) -> usize {
    if depth > MAX_DEPTH {
        return 0;
    }
    let below: usize = module.module_calls.values().map(|call| count(&call.module, depth + 1)).sum();
    module.resources.len() + below
}

fn address(prefix: &str, is_data: bool, kind: &str, name: &str) -> SmolStr {
    let mode = if is_data { "data." } else { "" };
    format_smolstr!("{prefix}{mode}{kind}.{name}")
}

fn dynamic<'a>(body: Body<'a>, name: &str) -> Option<&'a Block<'a>> {
    let is_it = |block: &&Block<'_>| {
        block.ident.text == "dynamic" && block.labels.first().is_some_and(|label| label.text == name)
    };
    body.blocks().find(is_it)
}

/// Whether two sources of a module are one: Terraform writes that of a registry with its host.
fn is_same_source(told: &str, written: &str) -> bool {
    let told = told.trim_start_matches("registry.terraform.io/").trim_start_matches("registry.opentofu.org/");
    let written =
        written.trim_start_matches("registry.terraform.io/").trim_start_matches("registry.opentofu.org/");
    let is_local = |source: &str| source.starts_with("./") || source.starts_with("../");
    let plain = |source: &str| source.trim_start_matches("./").trim_end_matches('/').to_owned();
    match (is_local(told), is_local(written)) {
        (true, true) => plain(told) == plain(written),
        (false, false) => {
            // `github.com/a/b` is `git::https://github.com/a/b.git`: what both say is the end of the path, and the revision.
            let last = |source: &str| {
                let (path, query) = source.split_once('?').unwrap_or((source, ""));
                let path = path.trim_end_matches('/').trim_end_matches(".git");
                (path.rsplit(['/', ':']).next().unwrap_or_default().to_owned(), query.to_owned())
            };
            told == written || (told.contains("://") && last(told) == last(written))
        }
        _ => false,
    }
}

/// Whether a plan tells anything of the expression: it names something, or is made of literals alone.
fn is_told(expr: &Expr<'_>) -> bool {
    let names = Names::of(expr);
    !names.things.is_empty() || !names.calls
}

/// The value of an expression that names nothing and calls no function.
fn literal(expr: &Expr<'_>, file: FileId) -> Option<Value> {
    struct Nothing;
    impl Scope for Nothing {
        fn lookup(&self, _: &str, _: &[&str]) -> Result<(Value, usize), String> {
            Err(String::new())
        }
    }
    let names = Names::of(expr);
    if names.calls || !names.things.is_empty() {
        return None;
    }
    let value = eval::try_evaluate(expr, file, &Nothing, EvalMode::Strict).ok()?;
    value.is_wholly_known().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_modules_are_told_apart() {
        for (told, written) in [
            ("./modules/a", "./modules/a/"),
            ("registry.terraform.io/acme/store/aws", "acme/store/aws"),
            ("git::https://github.com/acme/store.git?ref=v1", "github.com/acme/store?ref=v1"),
        ] {
            assert!(is_same_source(told, written), "{told} and {written}");
        }
        for (told, written) in [
            ("./modules/a", "./modules/b"),
            ("./modules/a", "acme/a/aws"),
            ("registry.terraform.io/acme/store/aws", "acme/store/google"),
            ("github.com/acme/store?ref=v1", "github.com/acme/store?ref=v2"),
        ] {
            assert!(!is_same_source(told, written), "{told} and {written}");
        }
    }
}
