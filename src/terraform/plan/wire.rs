//! What a block of the configuration gives to its attributes: the shape of its body, and what each argument is computed from.

use std::collections::BTreeSet;
use std::sync::Arc;

use smol_str::{SmolStr, format_smolstr};

use crate::input::json::Document;
use crate::value::{Map, Value};

use super::config::{BlockConfig, Index, ModuleId};
use super::expression::{Leaf, Node};
use super::resolve::{self, Place, Sources};

/// No provider nests objects as deep.
const MAX_OBJECTS: usize = 32;

/// What all instances of a block share.
pub(super) struct Block {
    /// Dotted paths of what is set, see [`crate::program::Resource::configured`].
    pub(super) configured: Arc<BTreeSet<SmolStr>>,
    /// The arguments of the block and of the blocks in it.
    pub(super) arguments: Vec<Argument>,
    pub(super) body: Vec<(SmolStr, Wire)>,
}

/// An argument with an expression.
pub(super) struct Argument {
    /// Its dotted path.
    pub(super) path: SmolStr,
    /// What it is computed from, references resolved.
    pub(super) sources: Sources,
}

/// What a block gives to an attribute or nested block.
pub(super) enum Wire {
    /// An index into [`Block::arguments`].
    Leaf {
        argument: usize,
        constant: Option<Value>,
    },
    Body(Vec<(SmolStr, Wire)>),
    Blocks(Vec<Wire>),
}

struct Builder<'x, 'c, 'a> {
    document: Document<'a>,
    index: &'x Index<'c, 'a>,
    place: Place<'x>,
    configured: BTreeSet<SmolStr>,
    arguments: Vec<Argument>,
}

impl Block {
    pub(super) fn new<'a>(
        document: Document<'a>,
        index: &Index<'_, 'a>,
        module: ModuleId,
        config: &BlockConfig<'a>,
    ) -> Self {
        let place = Place { module, for_each: None };
        let for_each = config
            .for_each_expression
            .and_then(Leaf::parse)
            .map(|leaf| resolve::resolve(index, &leaf, place));
        let place = Place { module, for_each: for_each.as_ref() };
        let mut builder =
            Builder { document, index, place, configured: BTreeSet::new(), arguments: Vec::new() };
        let body = builder.body(config.expressions.map(Node::parse_body).unwrap_or_default(), "");
        Self { configured: Arc::new(builder.configured), arguments: builder.arguments, body }
    }
}

impl<'a> Builder<'_, '_, 'a> {
    fn body(&mut self, body: Vec<(SmolStr, Node<'a>)>, around: &str) -> Vec<(SmolStr, Wire)> {
        let wire = |(name, node): (SmolStr, Node<'a>)| {
            let path = join(around, &name);
            let is_set = !matches!(&node, Node::Leaf(leaf) if leaf.is_null());
            let wire = self.wire(node, &path);
            if is_set {
                self.configured.insert(path);
            }
            (name, wire)
        };
        body.into_iter().map(wire).collect()
    }

    fn wire(&mut self, node: Node<'a>, path: &SmolStr) -> Wire {
        match node {
            Node::Leaf(leaf) => {
                let sources = resolve::resolve(self.index, &leaf, self.place);
                self.arguments.push(Argument { path: path.clone(), sources });
                let constant = leaf.constant.and_then(|raw| self.document.decode_plain(raw).ok());
                if let Some(constant) = &constant {
                    self.members(constant, path, MAX_OBJECTS);
                }
                Wire::Leaf { argument: self.arguments.len() - 1, constant }
            }
            Node::Body(body) => Wire::Body(self.body(body, path)),
            Node::Blocks(blocks) => {
                Wire::Blocks(blocks.into_iter().map(|block| self.wire(block, path)).collect())
            }
        }
    }
}

impl Builder<'_, '_, '_> {
    /// Takes down what the objects in a constant set.
    fn members(&mut self, value: &Value, around: &SmolStr, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        value.items().unwrap_or_default().iter().for_each(|item| self.members(item, around, depth));
        for (name, value) in value.map().into_iter().flat_map(Map::iter).filter(|(_, it)| !it.is_null()) {
            let path = join(around, name);
            self.members(value, &path, depth);
            self.configured.insert(path);
        }
    }
}

/// The dotted path of `name` in `around`.
pub(super) fn join(around: &str, name: &str) -> SmolStr {
    if around.is_empty() { name.into() } else { format_smolstr!("{around}.{name}") }
}
