//! Where nodes are. That spans nest and cut no character is tested on all fixtures in `tests/differential`.

use bumpalo::Bump;

use super::super::ast::{Block, Expr, ExprKind, Item, Part, Step};
use super::file_id;
use crate::source::Span;

fn slice(text: &str, span: Span) -> &str {
    &text[span.start as usize..span.end as usize]
}

/// Runs `check` on the first block of a file.
fn with_block(text: &str, check: impl Fn(&Block<'_>)) {
    let arena = Bump::new();
    let (body, _) = super::super::parse(text, file_id(), &arena);
    assert_eq!(slice(text, body.span), text);
    let block = body.blocks().next().expect("a block");
    check(block);
}

/// Runs `check` on the value of the first attribute of a file.
fn with_value(text: &str, check: impl Fn(&Expr<'_>)) {
    let arena = Bump::new();
    let (body, diagnostics) = super::super::parse(text, file_id(), &arena);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let Some(Item::Attribute(attribute)) = body.items.first() else { panic!("an attribute") };
    check(&attribute.value);
}

#[test]
fn blocks_and_attributes() {
    let text = "\u{feff}# c\nré \"a\\\"b\" c { # d\n  x  =  1  # e\n} # f\n";
    with_block(text, |block| {
        assert_eq!(slice(text, block.ident.span), "ré");
        assert_eq!(slice(text, block.header), "ré \"a\\\"b\" c");
        assert_eq!(slice(text, block.labels[0].span), "\"a\\\"b\"");
        assert_eq!(slice(text, block.labels[1].span), "c");
        assert_eq!(slice(text, block.body.span), " # d\n  x  =  1  # e\n");
        assert_eq!(slice(text, block.span), "ré \"a\\\"b\" c { # d\n  x  =  1  # e\n}");
        let attribute = block.body.attribute("x").expect("x");
        assert_eq!(slice(text, attribute.span), "x  =  1");
        assert_eq!(slice(text, attribute.name.span), "x");
        assert_eq!(slice(text, attribute.value.span), "1");
    });
    let text = "a {\n b = 1\n";
    with_block(text, |block| {
        assert_eq!(slice(text, block.header), "a");
        assert_eq!(slice(text, block.span), "a {\n b = 1", "an unclosed block ends with its last item");
        assert_eq!(slice(text, block.body.span), "\n b = 1");
    });
}

#[test]
fn expressions() {
    for text in [
        "[ 1 , 2 ]",
        "{ a = 1 }",
        "{\n a = 1\n}",
        "( 1 )",
        "f ( 1, 2... )",
        "a::b(1)",
        "[for a in b : a]",
        "{for a in b : a => a}",
        "\"a${b}c\"",
        "\"a\"",
        "1 + 2",
        "- 1",
        "!a",
        "a ? b : c",
        "a . b [ 0 ]",
        "a[*].b",
        "a.*.b",
        "a.*",
        "(a).b",
        "null",
        "1.5e3",
        "(a) + (b)",
        "\"${a}\"",
        "<<A\n x\n A",
        "<<-A\n x ${a}\n A",
        "a.0",
        "\"\\n\"",
    ] {
        let file = format!("x = {text} # c\n");
        let file = if text.starts_with("<<") { format!("x = {text}  \ny = 1\n") } else { file };
        with_value(&file, |value| assert_eq!(slice(&file, value.span), text));
    }
}

#[test]
fn steps_and_operands() {
    let text = "x = a.b [ 0 ] [*] . c\n";
    with_value(text, |value| {
        let ExprKind::Access { base, steps: [attr, index, splat] } = value.kind else { panic!("{value:?}") };
        assert_eq!(slice(text, base.span), "a");
        let (Step::Attr(name), Step::Index(key, brackets)) = (attr, index) else { panic!("{value:?}") };
        assert_eq!(
            (slice(text, name.span), slice(text, key.span), slice(text, *brackets)),
            ("b", "0", "[ 0 ]")
        );
        let Step::Splat { each: [Step::Attr(name)], span, .. } = splat else { panic!("{value:?}") };
        assert_eq!((slice(text, *span), slice(text, name.span)), ("[*] . c", "c"));
    });
    let text = "x = 1 + 2 * 3 - 4\n";
    with_value(text, |value| {
        let ExprKind::Binary(_, left, _) = value.kind else { panic!("{value:?}") };
        let ExprKind::Binary(_, _, product) = left.kind else { panic!("{value:?}") };
        assert_eq!((slice(text, left.span), slice(text, product.span)), ("1 + 2 * 3", "2 * 3"));
    });
}

#[test]
fn parts_of_templates() {
    let text = "x = \"a\\t${ b }c$${d}${~ e}\"\n";
    with_value(text, |value| {
        let ExprKind::Template(
            [Part::Literal(first, a), Part::Interpolation(b), Part::Literal(second, c), _],
        ) = value.kind
        else {
            panic!("{value:?}")
        };
        assert_eq!((*first, slice(text, *a)), ("a\t", "a\\t"));
        assert_eq!(slice(text, b.span), "b");
        assert_eq!((*second, slice(text, *c)), ("c${d}", "c$${d}"));
    });
    let text = "x = <<-A\n    a\n      b ${c} d\n  A\n";
    with_value(text, |value| {
        let ExprKind::Template([Part::Literal(first, a), _, Part::Literal(_, d)]) = value.kind else {
            panic!("{value:?}")
        };
        assert_eq!(
            (*first, slice(text, *a)),
            ("a\n  b ", "a\n      b "),
            "lines are joined, indentation is left out"
        );
        assert_eq!(slice(text, *d), " d\n");
    });
}

#[test]
fn names_of_functions_span_their_namespaces() {
    let text = "x = a :: b(1)\n";
    with_value(text, |value| {
        let ExprKind::Call(call) = value.kind else { panic!("{value:?}") };
        assert_eq!((call.name.text, slice(text, call.name.span)), ("a::b", "a :: b"));
    });
}
