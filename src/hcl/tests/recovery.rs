//! One mistake costs one item, is reported once and where it is.

use bumpalo::Bump;

use super::super::ast::{ExprKind, Item};
use super::{error, errors, file, file_id};

#[test]
fn a_wrong_value_keeps_its_attribute() {
    let (tree, messages) = file("a {\n b = [1, 2\n}\nc = 1\n");
    assert_eq!(tree, "a {b=INVALID}; c=1");
    assert_eq!(messages, ["expected `,` or `]`, found `}`"]);
    let (tree, messages) = file("a = 1 +\nb = 2\nc = 'x'\nd = 3\n");
    assert_eq!((tree.as_str(), messages.len()), ("a=INVALID; b=2; c=INVALID; d=3", 2));
}

#[test]
fn the_place_of_a_wrong_value_ends_with_it() {
    let text = "a = [1 2,\n  3]  \nb =   \n";
    let arena = Bump::new();
    let (body, _) = super::super::parse(text, file_id(), &arena);
    let places: Vec<&str> = body
        .items
        .iter()
        .map(|item| match item {
            Item::Attribute(attribute) => {
                assert!(matches!(attribute.value.kind, ExprKind::Invalid));
                &text[attribute.span.start as usize..attribute.span.end as usize]
            }
            Item::Block(_) => panic!("an attribute"),
        })
        .collect();
    assert_eq!(places, ["a = [1 2,\n  3]", "b ="]);
}

#[test]
fn an_item_is_skipped_with_its_brackets_and_strings() {
    let (tree, messages) = file("a = { b 1, c = \"}\\\"\", d = [\"${ {} }\"] # }\n}\ne = 1\n");
    assert_eq!((tree.as_str(), messages.len()), ("a=INVALID; e=1", 1));
    let (tree, messages) = file("a = [b c, <<EOT\n}}} ]\nEOT\n]\ne = 1\n");
    assert_eq!((tree.as_str(), messages.len()), ("a=INVALID; e=1", 1));
    let (tree, messages) = file("x {\n a b c = {\n  d = 1\n }\n e = 1\n}\nf = 1\n");
    assert_eq!((tree.as_str(), messages.len()), ("x {e=1}; f=1", 1));
    let (tree, messages) = file("a = b /* {\n*/ c\nd = 1\n");
    assert_eq!((tree.as_str(), messages.len()), ("a=INVALID; d=1", 1));
    let (tree, messages) = file("x {\n a = [{ b = (1 }]\n c = 1\n}\nd = 1\n");
    assert_eq!((tree.as_str(), messages.len()), ("x {a=INVALID; c=1}; d=1", 1));
}

#[test]
fn a_stray_brace_is_passed() {
    assert_eq!(error("a {\n}\n}\nb = 1\n"), ("this `}` closes nothing".to_owned(), "}".to_owned()));
    assert_eq!(file("a {}\n}\nb = 1\n").0, "a {}; b=1");
    assert_eq!(errors("}}}\n}").len(), 4);
    assert_eq!(file("}\n)]\na = 1\n").0, "a=1");
}

#[test]
fn an_unclosed_block_is_reported_at_its_brace_and_ends_before_the_next_one() {
    let text = "resource \"a\" \"b\" {\n x = 1\n tags {\n  y = 2\n}\n\nresource \"c\" \"d\" {\n z = 3\n}\n";
    assert_eq!(file(text).0, "resource \"a\" \"b\" {x=1; tags {y=2}}; resource \"c\" \"d\" {z=3}");
    let text = "a {\n b {\n  c = 1\n\nlocals {\n d = 2\n}\n";
    let (tree, messages) = file(text);
    assert_eq!(tree, "a {b {c=1}}; locals {d=2}");
    assert_eq!(messages, ["this block is never closed"], "once for all that end here");
    assert_eq!(error("a {\n b = 1\n"), ("this block is never closed".to_owned(), "{".to_owned()));
}

#[test]
fn top_level_words_mean_nothing_in_a_whole_file() {
    let (tree, messages) = file("check \"x\" {\ndata \"a\" \"b\" {\nresource = 1\n}\n}\n");
    assert_eq!((tree.as_str(), messages.len()), ("check \"x\" {data \"a\" \"b\" {resource=1}}", 0));
    let (tree, messages) = file("check \"x\" {\ndata \"a\" \"b\" {\nresource = [1 2]\n}\n}\nc = 1\n");
    assert_eq!(tree, "check \"x\" {data \"a\" \"b\" {resource=INVALID}}; c=1");
    assert_eq!(messages.len(), 1, "nor in one with other errors");
}

#[test]
fn brackets_that_are_never_closed_end_before_the_next_block() {
    for open in ["[1,", "(1 +", "{ a = 1,", "f(1,", "\"${a", "<<EOT\nx", "\"%{if a", "1 /* a", "[<<A\nB"] {
        let text = format!(
            "a = 1\nresource \"x\" \"y\" {{\n b = {open}\n c = 2\n}}\n\nmodule \"m\" {{\n d = 3\n}}\n"
        );
        let (tree, messages) = file(&text);
        assert!(tree.starts_with("a=1; resource \"x\" \"y\" {b="), "{open}: {tree}");
        assert!(tree.ends_with("}; module \"m\" {d=3}"), "{open}: {tree}");
        assert!(messages.len() <= 2, "{open}: {messages:?}");
    }
}

#[test]
fn a_forgotten_bracket_does_not_cost_the_next_item() {
    let (tree, messages) = file("x {\n a = [1, 2\n b = 3\n c = 4\n}\n");
    assert_eq!((tree.as_str(), messages.len()), ("x {a=INVALID; b=3; c=4}", 1));
    let (tree, messages) = file("a = f(1\nb = 3\nc \"d\" {\n}\n");
    assert_eq!((tree.as_str(), messages.len()), ("a=INVALID; b=3; c \"d\" {}", 1));
}

#[test]
fn a_brace_on_the_next_line_still_opens_the_block() {
    let (tree, messages) = file("a \"b\"\n{\n c = 1\n}\nd = 1\n");
    assert_eq!(tree, "a \"b\" {c=1}; d=1");
    assert_eq!(messages, ["expected `{`, found the end of the line"]);
}

#[test]
fn broken_one_line_blocks_end_where_they_should() {
    let (tree, messages) = file("a { b = 1, c = 2 }\nd = 1\n");
    assert_eq!((tree.as_str(), messages.len()), ("a {b=INVALID}; d=1", 1));
    let (tree, messages) = file("a { b {} }\nd = 1\n");
    assert_eq!((tree.as_str(), messages.len()), ("a {}; d=1", 1));
    let (tree, messages) = file("a { b = 1\n c = 2\n}\nd = 1\n");
    assert_eq!((tree.as_str(), messages.len()), ("a {b=INVALID; c=2}; d=1", 1));
    let (tree, messages) = file("a {} b {}\nc = 1\n");
    assert_eq!((tree.as_str(), messages.len()), ("a {}; c=1", 1));
}

#[test]
fn several_mistakes_are_several_messages() {
    let text = "a = 1 2\nb: 3\n\"c\" = 4\nd {\n e = )\n f g\n}\nh = 5\n";
    let messages: Vec<String> = errors(text).into_iter().map(|(message, _)| message).collect();
    assert_eq!(
        messages,
        [
            "expected the end of the line after the value of `a`, found `2`",
            "expected `=` or `{`, found `:`",
            "expected an attribute or a block, found a quoted string",
            "expected an expression, found `)`",
            "expected `{`, found the end of the line",
        ]
    );
    assert_eq!(file(text).0, "a=INVALID; d {e=INVALID}; h=5");
}

#[test]
fn help_says_what_to_do() {
    let arena = Bump::new();
    let help = |text: &str| {
        let arena = Bump::new();
        let (_, diagnostics) = super::super::parse(text, file_id(), &arena);
        diagnostics.first().and_then(|d| d.help.clone()).unwrap_or_default()
    };
    assert_eq!(help("a: 1\n"), "attributes are set with `=`");
    assert_eq!(help("a = 10.0.0.0/8\n"), "an IP address or a version is a string and needs quotes");
    assert_eq!(help("a = 'b'\n"), "strings are written in double quotes");
    assert_eq!(help("a = { b => 1 }\n"), "`=>` belongs to `for` expressions");
    let (_, diagnostics) = super::super::parse("a = <<EOT\nx\nEOT", file_id(), &arena);
    assert_eq!(
        diagnostics[0].help.as_deref(),
        Some("a line with nothing but `EOT` ends it, and that line must end with a line break")
    );
}
