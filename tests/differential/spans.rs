//! Every node of a tree lies within its parent and behind its elder sibling, and within the text; nothing cuts a
//! character, and so it is with the places of messages.

use airgate::hcl::ast::{Body, Expr, ExprKind, Item, Part, Step};
use airgate::source::Span;
use bumpalo::Bump;

use super::file_id;

/// Checks the tree of a text, broken or not; returns how many spans it has.
pub(crate) fn check(text: &str) -> usize {
    let arena = Bump::new();
    let (tree, diagnostics) = airgate::hcl::parse(text, file_id(), &arena);
    for diagnostic in &diagnostics {
        let site = diagnostic.site.expect("a syntax error has a place");
        assert!(slice(text, site.span).is_some(), "{diagnostic:?}\n{text}");
    }
    assert_eq!(slice(text, tree.span), Some(text));
    let mut nodes = 0;
    let mut file = Nodes { text, parent: tree.span, last: 0, count: &mut nodes };
    file.body(&tree);
    nodes
}

fn slice(text: &str, span: Span) -> Option<&str> {
    text.get(span.start as usize..span.end as usize)
}

/// The children of one node, visited in their order.
struct Nodes<'t> {
    text: &'t str,
    parent: Span,
    last: u32,
    count: &'t mut usize,
}

impl Nodes<'_> {
    /// The next child; returns its own children.
    fn child(&mut self, span: Span) -> Nodes<'_> {
        let Nodes { text, parent, last, .. } = *self;
        assert!(slice(text, span).is_some(), "{span:?} is no part of the text\n{text}");
        assert!(parent.start <= span.start && span.end <= parent.end, "{span:?} leaves {parent:?}\n{text}");
        assert!(last <= span.start, "{span:?} overlaps what ends at {last}\n{text}");
        self.last = span.end;
        *self.count += 1;
        Nodes { text, parent: span, last: span.start, count: self.count }
    }

    /// A child that is a word of the text.
    fn word(&mut self, span: Span, word: &str) {
        assert_eq!(slice(self.text, span), Some(word));
        self.child(span);
    }

    fn body(&mut self, body: &Body<'_>) {
        for item in body.items {
            match item {
                Item::Attribute(attribute) => {
                    let mut attribute_nodes = self.child(attribute.span);
                    attribute_nodes.word(attribute.name.span, attribute.name.text);
                    attribute_nodes.expr(&attribute.value);
                }
                Item::Block(block) => {
                    let mut block_nodes = self.child(block.span);
                    let mut header = block_nodes.child(block.header);
                    header.word(block.ident.span, block.ident.text);
                    for label in block.labels {
                        header.child(label.span);
                    }
                    block_nodes.child(block.body.span).body(&block.body);
                }
            }
        }
    }

    fn expr(&mut self, expr: &Expr<'_>) {
        let text = self.text;
        let mut nodes = self.child(expr.span);
        match expr.kind {
            ExprKind::Null | ExprKind::Bool(_) | ExprKind::String(_) | ExprKind::Invalid => {}
            ExprKind::Number(word) | ExprKind::Variable(word) => {
                assert_eq!(slice(text, expr.span), Some(word));
            }
            ExprKind::Template(parts) => nodes.parts(parts),
            ExprKind::Tuple(items) => items.iter().for_each(|item| nodes.expr(item)),
            ExprKind::Object(items) => {
                for item in items {
                    nodes.expr(&item.key);
                    nodes.expr(&item.value);
                }
            }
            ExprKind::Access { base, steps } => {
                assert!(!matches!(base.kind, ExprKind::Access { .. }) && !steps.is_empty());
                nodes.expr(base);
                nodes.steps(steps);
            }
            ExprKind::Call(call) => {
                nodes.child(call.name.span);
                call.args.iter().for_each(|argument| nodes.expr(argument));
            }
            ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => nodes.expr(inner),
            ExprKind::Binary(_, left, right) => {
                nodes.expr(left);
                nodes.expr(right);
            }
            ExprKind::Conditional(conditional) => {
                nodes.expr(&conditional.condition);
                nodes.expr(&conditional.then);
                nodes.expr(&conditional.otherwise);
            }
            ExprKind::For(f) => {
                f.key_var.iter().for_each(|key| nodes.word(key.span, key.text));
                nodes.word(f.value_var.span, f.value_var.text);
                nodes.expr(&f.collection);
                f.key.iter().for_each(|key| nodes.expr(key));
                nodes.expr(&f.value);
                f.condition.iter().for_each(|condition| nodes.expr(condition));
            }
        }
    }

    fn steps(&mut self, steps: &[Step<'_>]) {
        for step in steps {
            match *step {
                Step::Attr(name) | Step::LegacyIndex(name) => self.word(name.span, name.text),
                Step::Index(ref key, span) => self.child(span).expr(key),
                Step::Splat { each, span, .. } => self.child(span).steps(each),
            }
        }
    }

    fn parts(&mut self, parts: &[Part<'_>]) {
        for part in parts {
            match *part {
                Part::Literal(_, span) => {
                    self.child(span);
                }
                Part::Interpolation(expr) => self.expr(expr),
                Part::If { condition, then, otherwise } => {
                    self.expr(condition);
                    self.parts(then);
                    self.parts(otherwise);
                }
                Part::For { key_var, value_var, collection, body } => {
                    if let Some(key) = key_var {
                        self.word(key.span, key.text);
                    }
                    self.word(value_var.span, value_var.text);
                    self.expr(collection);
                    self.parts(body);
                }
            }
        }
    }
}
