//! JSON syntax gives the tree of native syntax, at its own places.

use std::collections::BTreeMap;

use bumpalo::Bump;

use super::super::ast::{Body, Expr, ExprKind, Item, Part};
use super::super::json::{self, Property, Reading};
use super::{file_id, write_body};
use crate::hcl::{MAX_DIAGNOSTICS, MAX_NESTING};
use crate::source::Span;

/// `b0`, `b1`, `b2` are blocks with so many labels, `e` is an expression, `l` a literal, all else a template.
#[derive(Copy, Clone)]
struct Test;

impl json::Schema for Test {
    fn property(self, name: &str) -> Property {
        match name {
            "b0" => Property::Block(0),
            "b1" => Property::Block(1),
            "b2" => Property::Block(2),
            "e" => Property::Argument(Reading::Expression),
            "l" => Property::Argument(Reading::Literal),
            _ => Property::Argument(Reading::Template),
        }
    }

    fn block(self, _: &str, _: &[&str]) -> Self {
        Self
    }
}

/// The tree of a file, and its messages with the text they point at.
fn file(text: &str) -> (String, Vec<(String, String)>) {
    let arena = Bump::new();
    let (body, diagnostics) = json::parse(text, file_id(), &arena, Test);
    let mut out = String::new();
    write_body(&mut out, &body);
    let found =
        diagnostics.into_iter().map(|d| (d.message, slice(text, d.site.expect("a place").span).to_owned()));
    (out, found.collect())
}

fn slice(text: &str, span: Span) -> &str {
    text.get(span.start as usize..span.end as usize).expect("a place is within the text")
}

fn good(text: &str) -> String {
    let (tree, messages) = file(text);
    assert_eq!(messages, [], "{text}");
    tree
}

fn messages(text: &str) -> (String, Vec<String>) {
    let (tree, found) = file(text);
    (tree, found.into_iter().map(|(message, at)| format!("{message} @ {at}")).collect())
}

#[test]
fn values_are_expressions() {
    assert_eq!(good(r#"{"a": [null, true, -1.5e+3, 0, "x"]}"#), "a=(tuple null true (- 1.5e+3) 0 \"x\")");
    assert_eq!(
        good(r#"{"a": {"b": 1, "//": 2, "${c}": {}}}"#),
        "a=(object \"b\" 1 \"//\" 2 (template c) (object))"
    );
    assert_eq!(good(r#"{"a": "${b.c}"}"#), "a=(template b.c)");
    assert_eq!(good(r#"{"a": "x${b}%{ if c }y%{ endif }"}"#), r#"a=(template "x" b (if c "y" else))"#);
    assert_eq!(good(r#"{"a": "$${b} %%{c} $d %"}"#), r#"a="${b} %{c} $d %""#);
    assert_eq!(
        good(r#"{"l": {"k${b}": ["${b}", "$${c}"]}}"#),
        r#"l=(object "k${b}" (tuple "${b}" "$${c}"))"#
    );
    assert_eq!(
        good(r#"{"e": ["a.b", {"aws.x": "list(string)"}, 1]}"#),
        r#"e=(tuple a.b (object "aws.x" (call list string)) 1)"#
    );
    assert_eq!(good("\u{feff} { } \n"), "");
}

#[test]
fn escapes_are_those_of_json_and_then_those_of_templates() {
    let text = r#"{"a": "q\" b\\ s\/ n\n t\t \u00e9 \ud83d\ude00 \ud83d $\u0024{x}"}"#;
    assert_eq!(good(text), "a=\"q\\\" b\\\\ s/ n\\n t\\t é 😀 \u{fffd} ${x}\"");
    assert_eq!(good(r#"{"a": "${f(\"x\\n\")}"}"#), r#"a=(template (call f "x\n"))"#);
    assert_eq!(good(r#"{"e\u0065": 1}"#), "ee=1");
}

#[test]
fn blocks_have_objects_for_labels_and_lists_for_several() {
    assert_eq!(good(r#"{"b0": {"x": 1}}"#), "b0 {x=1}");
    assert_eq!(good(r#"{"b0": [{"x": 1}, {}, [{"x": 2}, {"y": 3}]]}"#), "b0 {x=1}; b0 {}; b0 {x=2; y=3}");
    assert_eq!(good(r#"{"b0": null, "b1": null, "b2": {"n": null, "m": []}}"#), "");
    let blocks = "b2 \"t\" \"a\" {x=1}; b2 \"t\" \"b\" {x=2}; b2 \"t\" \"b\" {x=3}";
    assert_eq!(good(r#"{"b2": {"t": {"a": {"x": 1}, "b": [{"x": 2}, {"x": 3}]}}}"#), blocks);
    assert_eq!(
        good(r#"{"b2": [{"t": {"a": {"x": 1}}}, {"t": [{"b": {"x": 2}}, {"b": {"x": 3}}]}]}"#),
        blocks
    );
    assert_eq!(good(r#"[{"b0": {"x": 1}, "//": "c"}, {"b0": {"//": [], "x": 2}}]"#), "b0 {x=1}; b0 {x=2}");
    assert_eq!(good(r#"{"b0": {"b0": {"b1": {"n": {}}}}}"#), "b0 {b0 {b1 \"n\" {}}}");
}

#[test]
fn what_is_not_the_right_value_costs_only_itself() {
    assert_eq!(
        messages(r#"{"b0": 1, "b1": {"n": "x"}, "b2": ["y"], "a": 1}"#),
        (
            "a=1".to_owned(),
            [r"1", r#""x""#, r#""y""#].map(|at| format!("expected a JSON object @ {at}")).into()
        )
    );
    let twice =
        |name: &str| format!("`{name}` is set twice in this object; the first value is used @ \"{name}\"");
    assert_eq!(messages(r#"{"a": 1, "a": 2}"#), ("a=1".to_owned(), vec![twice("a")]));
    assert_eq!(messages(r#"{"x": {"a": 1, "a": 2}}"#), ("x=(object \"a\" 1)".to_owned(), vec![twice("a")]));
    assert_eq!(
        messages(r#"{"a": "${1 +}", "b": 2}"#),
        ("a=INVALID; b=2".to_owned(), vec!["expected an expression, found `}` @ }".to_owned()])
    );
    assert_eq!(messages("7").1, ["expected a JSON object @ 7"]);
    assert_eq!(messages(" ").1, ["expected a JSON object, found the end of the file @ "]);
}

#[test]
fn mistakes_of_syntax_are_told_and_the_rest_is_read() {
    for (text, tree, message) in [
        (r#"{"a": 1 "b": 2}"#, "a=1; b=2", "expected `,` or `}`, found a string @ \""),
        (r#"{"a": 1, "b": 2,}"#, "a=1; b=2", "expected an item after the comma @ }"),
        (r#"{"a": , "b": 2}"#, "a=INVALID; b=2", "expected a JSON value, found `,` @ ,"),
        (r#"{"a": tru, "b": 2}"#, "a=INVALID; b=2", "expected a JSON value, found a word @ t"),
        (r#"{"a": 'x', "b": 2}"#, "a=INVALID; b=2", "expected a JSON value, found a single quote @ '"),
        (r#"{"a" = 1, "b": 2}"#, "a=1; b=2", "expected `:`, found `=` @ ="),
        (r#"{a: 1, "b": 2}"#, "b=2", "expected a property name in quotes, found a word @ a"),
        ("{\"a\": 1, // c\n\"b\": 2}", "a=1; b=2", "expected a JSON value, found a comment @ /"),
        (r#"{"a": 01, "b": 2}"#, "a=INVALID; b=2", "this is not a number in JSON @ 01"),
        (
            r#"{"a": "\x", "b": 2}"#,
            r#"a="\\x"; b=2"#,
            "this backslash begins no escape sequence of JSON @ \\",
        ),
        ("{\"a\": \"x\n, \"b\": 2}", "a=INVALID; b=2", "this string is not closed on its line @ \"x"),
        (r#"{"a": [1, 2, "b": 2}"#, "a=(tuple 1 2 \"b\" INVALID)", ""),
        (r#"{"a": [1, 2}"#, "a=(tuple 1 2)", "expected `]`, found `}` @ }"),
        (r#"{"a": 1], "b": 2}"#, "a=1; b=2", "expected `}`, found `]` @ ]"),
        (r#"{"b0": {"a": 1"#, "b0 {a=1}", "this bracket is never closed @ {"),
        (r#"{"a": 1} {"b": 2}"#, "a=1", "expected the end of the file, found `{` @ {"),
    ] {
        let (ours, found) = messages(text);
        assert_eq!(ours, tree, "{text}: {found:?}");
        assert!(!found.is_empty(), "{text}");
        assert!(message.is_empty() || found[0] == message, "{text}: {found:?}");
    }
}

#[test]
fn no_beginning_and_no_change_of_a_file_leads_astray() {
    let text =
        r#"{"b1": {"n": [{"a": "x${y[\"k\"]}\u00e9", "e": "f(1)", "é": [1, {"k": null}]}]}, "//": -1.5}"#;
    for at in (0..text.len()).filter(|&at| text.is_char_boundary(at)) {
        let (before, after) = text.split_at(at);
        assert!(at == 0 || !file(before).1.is_empty(), "{before}");
        for other in ["{", "}", "[", "]", "\"", "\\", ",", ":", "/*", "#", "\n", "\u{0}", "é", "${", "%{"] {
            // That it comes back, and that all places are in the text, is what is asked here.
            let (tree, _) = file(&format!("{before}{other}{after}"));
            assert!(tree.len() < 10 * text.len());
        }
    }
}

#[test]
fn nesting_and_mistakes_have_a_limit() {
    let deep =
        |levels: u32| format!("{{\"a\": {}1{}}}", "[".repeat(levels as usize), "]".repeat(levels as usize));
    assert_eq!(file(&deep(MAX_NESTING - 1)).1, []);
    let blocks = |levels: usize| format!("{}{}", "{\"b0\": [".repeat(levels), "]}".repeat(levels));
    assert_eq!(file(&blocks(MAX_NESTING as usize / 2)).1, []);
    assert_eq!(file(&blocks(50_000)).1.len(), 1);
    let (_, found) = file(&deep(50_000));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0.contains("nests deeper"), "{found:?}");
    let (_, found) = file(&format!("[{}", "\u{1},".repeat(100_000)));
    assert_eq!(found.len(), MAX_DIAGNOSTICS + 1);
    assert!(found[MAX_DIAGNOSTICS].0.contains("the rest of this file is not read"));
}

/// The text of each named attribute's parts: of all interpolations and literals in it.
fn parts(text: &str) -> BTreeMap<String, Vec<String>> {
    fn walk(text: &str, expr: &Expr<'_>, out: &mut Vec<String>) {
        if let ExprKind::Template(parts) = expr.kind {
            for part in parts {
                match part {
                    Part::Literal(_, span) => out.push(slice(text, *span).to_owned()),
                    Part::Interpolation(inner) => {
                        out.push(slice(text, inner.span).to_owned());
                        if let ExprKind::Call(call) = inner.kind {
                            out.extend(call.args.iter().map(|arg| slice(text, arg.span).to_owned()));
                        }
                    }
                    Part::If { .. } | Part::For { .. } => {}
                }
            }
        }
    }
    let arena = Bump::new();
    let (body, _): (Body<'_>, _) = json::parse(text, file_id(), &arena, Test);
    let attributes = body.items.iter().filter_map(|item| match item {
        Item::Attribute(attribute) => Some(attribute),
        Item::Block(_) => None,
    });
    attributes
        .map(|attribute| {
            let mut out =
                vec![slice(text, attribute.span).to_owned(), slice(text, attribute.value.span).to_owned()];
            walk(text, &attribute.value, &mut out);
            (attribute.name.text.to_owned(), out)
        })
        .collect()
}

#[test]
fn places_are_those_of_the_file_with_and_without_escapes() {
    let text = r#"{ "plain": "ä ${b.c} d", "escaped": "\u00e4\t ${f("x", y)} \"d\"" }"#
        .replace(r#"f("x""#, r#"f(\"x\""#);
    let parts = parts(&text);
    assert_eq!(parts["plain"], [r#""plain": "ä ${b.c} d""#, r#""ä ${b.c} d""#, "ä ", "b.c", " d"]);
    let whole = r#""\u00e4\t ${f(\"x\", y)} \"d\"""#;
    assert_eq!(
        parts["escaped"],
        [
            &format!("\"escaped\": {whole}"),
            whole,
            r"\u00e4\t ",
            r#"f(\"x\", y)"#,
            r#"\"x\""#,
            "y",
            r#" \"d\""#
        ]
    );
}

#[test]
fn the_header_of_a_block_is_its_own() {
    let text = r#"{"b2": {"t": {"a": {}, "b": [{ }, { "x": 1 }]}}, "b0": {}}"#;
    let arena = Bump::new();
    let (body, _) = json::parse(text, file_id(), &arena, Test);
    let headers: Vec<&str> = body.blocks().map(|block| slice(text, block.header)).collect();
    assert_eq!(headers, ["\"a\"", "{", "{", "\"b0\""]);
    let last = body.blocks().nth(2).expect("three");
    assert_eq!(slice(text, last.span), r#"{ "x": 1 }"#);
    assert_eq!(slice(text, last.body.attribute("x").expect("x").span), r#""x": 1"#);
}
