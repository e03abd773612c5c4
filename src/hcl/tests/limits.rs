//! Depth, length and count limits: what passes them is a diagnostic, and nothing overflows.

use super::super::ast::{Expr, ExprKind, Item, Part, Step};
use super::super::{MAX_DEPTH, MAX_DIAGNOSTICS};
use super::{error, errors, file, file_id, good};
use bumpalo::Bump;

/// Nodes on the longest path below and with `expr`.
fn height(expr: &Expr<'_>) -> usize {
    let most = |heights: &mut dyn Iterator<Item = usize>| heights.max().unwrap_or(0);
    1 + match expr.kind {
        ExprKind::Tuple(items) => most(&mut items.iter().map(height)),
        ExprKind::Object(items) => most(&mut items.iter().flat_map(|i| [height(&i.key), height(&i.value)])),
        ExprKind::Access { base, steps } => height(base).max(steps_height(steps)),
        ExprKind::Call(call) => most(&mut call.args.iter().map(height)),
        ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => height(inner),
        ExprKind::Binary(_, left, right) => height(left).max(height(right)),
        ExprKind::Conditional(c) => height(&c.condition).max(height(&c.then)).max(height(&c.otherwise)),
        ExprKind::For(f) => height(&f.collection).max(height(&f.value)),
        ExprKind::Template(parts) => parts_height(parts),
        _ => 0,
    }
}

fn steps_height(steps: &[Step<'_>]) -> usize {
    let each = steps.iter().map(|step| match step {
        Step::Index(key, _) => height(key),
        Step::Splat { each, .. } => 1 + steps_height(each),
        Step::Attr(_) | Step::LegacyIndex(_) => 0,
    });
    each.max().unwrap_or(0)
}

fn parts_height(parts: &[Part<'_>]) -> usize {
    let each = parts.iter().map(|part| match *part {
        Part::Literal(..) => 0,
        Part::Interpolation(expr) => height(expr),
        Part::If { condition, then, otherwise } => {
            1 + height(condition).max(parts_height(then)).max(parts_height(otherwise))
        }
        Part::For { collection, body, .. } => 1 + height(collection).max(parts_height(body)),
    });
    each.max().unwrap_or(0)
}

/// Texts that nest ever deeper, each in its own way.
fn nests(n: usize) -> Vec<String> {
    let around = |open: &str, middle: &str, close: &str| open.repeat(n) + middle + &close.repeat(n);
    let mut nests = vec![
        around("(", "1", ")"),
        around("[", "1", "]"),
        around("{a=", "1", "}"),
        around("f(", "1", ")"),
        around("a[", "1", "]"),
        around("\"${", "1", "}\""),
        around("[for a in b: ", "1", "]"),
        around("{for a in b: a => ", "1", "}"),
        around("c ? 1 : ", "1", ""),
        around("c ? ", "1", " : 1"),
        around("!", "a", ""),
        around("-", "a", ""),
        around("", "a", "[*]"),
        around("1 || 1 && 1 == 1 < 1 + 1 * (", "1", ")"),
        around("", "1", " + 1"),
        around("", "1", " + 1 * 2"),
        around("f(1 + 1 + ", "1", ")"),
    ];
    nests.push(format!("\"{}{}\"", "%{if a}".repeat(n), "%{endif}".repeat(n)));
    nests.push(format!("\"{}", "%{endif}${\"%{endif}%{endif}".repeat(n)));
    nests.push(format!("\"{}{}\"", "%{if a}${\"".repeat(n), "\"}%{endif}".repeat(n)));
    nests.push("<<A\n${".repeat(n));
    nests.push("(".repeat(n) + &"]".repeat(n) + &"}".repeat(n));
    nests.push("[{(".repeat(n) + &"]".repeat(n));
    nests
}

#[test]
fn deep_nesting_is_a_diagnostic() {
    for text in nests(200_000) {
        let start: String = text.chars().take(20).collect();
        let (_, messages) = file(&format!("x = {text}\ny = 1\n"));
        assert!(
            messages.iter().any(|m| m.contains("nests deeper") || m.contains("in a row")),
            "{start}: {messages:?}"
        );
        assert!(messages.len() < 3, "{start}: {messages:?}");
    }
}

#[test]
fn no_path_of_a_tree_is_longer_than_the_limit() {
    let mut accepted = 0;
    for n in [
        10, 50, 60, 66, 98, 99, 100, 120, 160, 190, 197, 198, 199, 200, 201, 249, 250, 330, 498, 499, 500,
        501,
    ] {
        for text in nests(n).into_iter().chain([format!("{}1", "(1 + 1 + 1 + ".repeat(n)) + &")".repeat(n)]) {
            let arena = Bump::new();
            let (expr, diagnostics) = super::super::parse_expression(&text, file_id(), &arena);
            assert!(height(&expr) <= MAX_DEPTH as usize, "{}", height(&expr));
            accepted += usize::from(diagnostics.is_empty());
        }
    }
    assert!(accepted > 100, "{accepted} texts were within the limit");
}

#[test]
fn generated_lists_of_conditions_are_within_the_limit() {
    let list = vec!["var.a == \"x\""; 400].join(" || ");
    assert!(good(&format!("x = {list}")).starts_with("x=(|| (||"));
    let chain = "a ? b : ".repeat(190) + "c";
    assert!(good(&format!("x = {chain}")).starts_with("x=(? a b (? a b"));
}

#[test]
fn deep_blocks_are_a_diagnostic_and_unclosed_ones_only_one() {
    let (message, place) = error(&format!("{}{}", "a {\n".repeat(300), "}\n".repeat(300)));
    assert_eq!(message, "this nests deeper than 200 levels");
    assert_eq!(place, "a ");
    let messages = errors(&"a {\n".repeat(200_000));
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert_eq!(messages.last().map(|m| m.0.as_str()), Some("this block is never closed"));
}

#[test]
fn a_file_full_of_errors_is_given_up() {
    let text = "a b c = 1\n".repeat(1000);
    let messages = errors(&text);
    assert_eq!(messages.len(), MAX_DIAGNOSTICS + 1);
    assert_eq!(messages.last().unwrap().0, "the rest of this file is not read: it has more than 50 errors");
    let text = "a = <<A\n".repeat(20_000);
    assert!(errors(&text).len() <= MAX_DIAGNOSTICS + 1);
}

#[test]
fn openings_that_are_never_closed_are_searched_for_once() {
    for text in ["/* ", "\"${", "<<A\n", "<<A ", "<<A # \n", "\"\n", "[\n", "{\n", "a = [\n", "a {\n", "}\n"]
    {
        let text = format!("x = [ {}", text.repeat(300_000));
        // Searched for once each, this is over at once; searched for again at each opening, it would not end.
        assert!((1..=MAX_DIAGNOSTICS + 1).contains(&errors(&text).len()), "{:?}", &text[..20]);
    }
}

#[test]
fn many_attributes_are_checked_for_duplicates_without_comparing_all_pairs() {
    let names: Vec<String> = (0..100_000).map(|i| format!("a{i} = 1")).collect();
    let text = names.join("\n") + "\na7 = 2\na99999 = 3\n";
    let messages = errors(&text);
    let places: Vec<&str> = messages.iter().map(|m| m.1.as_str()).collect();
    assert_eq!(places, ["a7", "a99999"]);
}

#[test]
fn long_lists_are_not_deep() {
    let arena = Bump::new();
    let text = format!("x = [{}]", "{ a = [1], b = \"${c}\" }, ".repeat(50_000));
    let (body, diagnostics) = super::super::parse(&text, file_id(), &arena);
    assert!(diagnostics.is_empty());
    let Some(Item::Attribute(attribute)) = body.items.first() else { panic!("one attribute") };
    assert_eq!(height(&attribute.value), 4);
}
