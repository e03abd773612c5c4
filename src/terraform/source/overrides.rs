//! Override files: what they declare is merged into what the other files declare, as Terraform does it.
//!
//! Arguments are replaced whole, and so are all nested blocks of a type if the overriding block has one of it. Both keep
//! the file they are written in.

use bumpalo::Bump;

use crate::diagnostic::Diagnostic;
use crate::hcl::ast::{Block, Body, ExprKind, Item};

use super::module::{Declared, Module, check_header};

/// The one argument that Terraform does not let override files set. It changes no value.
const DEPENDS_ON: &str = "depends_on";

/// Merges a block of an override file into the module.
pub(super) fn merge<'a>(
    module: &mut Module<'a>,
    over: Declared<'a>,
    arena: &'a Bump,
    diagnostics: &mut Vec<Diagnostic>,
) {
    if let Err(diagnostic) = check_header(over) {
        return diagnostics.push(diagnostic);
    }
    let labels: Vec<&'a str> = over.block.labels.iter().map(|label| label.text).collect();
    let kind = over.block.ident.text;
    let base = match (kind, labels.as_slice()) {
        ("variable", &[name]) => module.variables.get_mut(name),
        ("output", &[name]) => module.outputs.get_mut(name),
        ("module", &[name]) => module.calls.get_mut(name),
        ("resource", &[kind, name]) => module.resources.get_mut(&(kind, name)),
        ("data", &[kind, name]) => module.data.get_mut(&(kind, name)),
        ("provider", &[_]) => {
            let same = |base: &&mut Declared<'a>| provider(base) == provider(&over);
            match module.providers.iter_mut().find(same) {
                Some(base) => Some(base),
                // A configuration that nobody wrote is an empty one.
                None if provider(&over).1.is_none() => return module.providers.push(over),
                None => None,
            }
        }
        ("locals", _) => return locals(module, over, diagnostics),
        // They change no attribute.
        ("terraform" | "ephemeral" | "action", _) => return,
        _ => {
            let message = format!("a `{kind}` block cannot stand in an override file; it is not analysed");
            return diagnostics.push(Diagnostic::warning(message).at(over.site()));
        }
    };
    let Some(base) = base else {
        let what = [&[kind], labels.as_slice()].concat().join(".");
        return diagnostics.push(nothing_to_override(&what).at(over.site()));
    };
    base.block = arena.alloc(Block { body: body(base.body(), over.body(), arena), ..*base.block });
}

/// A provider's name, and the alias of its configuration.
fn provider<'a>(declared: &Declared<'a>) -> (Option<&'a str>, Option<&'a str>) {
    let name = declared.block.labels.first().map(|label| label.text);
    let alias = match declared.body().attribute("alias").map(|attribute| attribute.value.kind) {
        Some(ExprKind::String(alias)) => Some(alias),
        _ => None,
    };
    (name, alias)
}

fn locals<'a>(module: &mut Module<'a>, over: Declared<'a>, diagnostics: &mut Vec<Diagnostic>) {
    for attribute in over.body().attributes() {
        let name = attribute.name;
        match module.locals.get_mut(name.text) {
            Some(base) => *base = (attribute.file, attribute),
            None => {
                let what = format!("local.{}", name.text);
                diagnostics.push(nothing_to_override(&what).at(name.span.at(attribute.file)));
            }
        }
    }
}

fn nothing_to_override(what: &str) -> Diagnostic {
    Diagnostic::warning(format!("there is no `{what}` to override; it is not analysed"))
        .help("an override file changes what other files declare; declare it in one of those")
}

/// The items of `base`, with those of `over` in their place.
fn body<'a>(base: Body<'a>, over: Body<'a>, arena: &'a Bump) -> Body<'a> {
    let is_kept = |item: &&Item<'a>| match **item {
        Item::Attribute(attribute) => attribute.name.text == DEPENDS_ON || !sets(over, attribute.name.text),
        Item::Block(block) => is_settings(block) || !sets(over, block_type(block)),
    };
    let mut items: Vec<Item<'a>> = base.items.iter().filter(is_kept).copied().collect();
    for &item in over.items {
        match item {
            Item::Attribute(attribute) if attribute.name.text == DEPENDS_ON => {}
            Item::Block(block) if is_settings(block) => merge_settings(&mut items, block, arena),
            item => items.push(item),
        }
    }
    Body { items: arena.alloc_slice_copy(&items), span: base.span }
}

/// Whether the body has an argument or a block of this name. Some attributes can be written either way.
fn sets(body: Body<'_>, name: &str) -> bool {
    body.attribute(name).is_some() || body.blocks().any(|block| block_type(block) == name)
}

/// The type of a block; of a `dynamic` one that of the blocks it makes.
fn block_type<'a>(block: &Block<'a>) -> &'a str {
    match (block.ident.text, block.labels) {
        ("dynamic", [label, ..]) => label.text,
        (name, _) => name,
    }
}

/// `lifecycle` is Terraform's own, and merged argument by argument.
fn is_settings(block: &Block<'_>) -> bool {
    block.ident.text == "lifecycle"
}

fn merge_settings<'a>(items: &mut Vec<Item<'a>>, over: &'a Block<'a>, arena: &'a Bump) {
    let base = items.iter_mut().find_map(|item| match item {
        Item::Block(block) if is_settings(block) => Some(block),
        _ => None,
    });
    match base {
        Some(base) => *base = arena.alloc(Block { body: body(base.body, over.body, arena), ..**base }),
        None => items.push(Item::Block(over)),
    }
}
