//! Expressions outside templates.

use super::{error, expr, good, value};

#[test]
fn literals() {
    assert_eq!(expr("[null, true, false, 1, 1.50, 1e3, 2.5E-3, 1e400, \"s\"]"), {
        "(tuple null true false 1 1.50 1e3 2.5E-3 1e400 \"s\")"
    });
    assert_eq!(expr("123456789012345678901234567890.1"), "123456789012345678901234567890.1");
    assert_eq!(expr("1.e5"), "1.e5", "as Terraform reads it");
}

#[test]
fn precedence_and_associativity() {
    assert_eq!(expr("1 + 2 * 3 - 4 / 5 % 6"), "(- (+ 1 (* 2 3)) (% (/ 4 5) 6))");
    assert_eq!(expr("10 - 5 - 2"), "(- (- 10 5) 2)");
    assert_eq!(expr("a || b && c == d < e + f"), "(|| a (&& b (== c (< d (+ e f)))))");
    assert_eq!(expr("a + b < c == d && e || f"), "(|| (&& (== (< (+ a b) c) d) e) f)");
    assert_eq!(expr("a <= b != c >= d"), "(!= (<= a b) (>= c d))");
    assert_eq!(expr("-a.b + !c == - -d"), "(== (+ (- a.b) (! c)) (- (- d)))");
    assert_eq!(expr("-(1 + 2) * 3"), "(* (- (paren (+ 1 2))) 3)");
    assert_eq!(expr("1+2*3==7&&t"), "(&& (== (+ 1 (* 2 3)) 7) t)");
}

#[test]
fn a_dash_continues_a_name() {
    assert_eq!(expr("a-b - c"), "(- a-b c)");
    assert_eq!(expr("1-b"), "(- 1 b)");
}

#[test]
fn conditionals() {
    assert_eq!(expr("a ? b : c ? d : e"), "(? a b (? c d e))");
    assert_eq!(expr("a ? b ? 1 : 2 : 3"), "(? a (? b 1 2) 3)");
    assert_eq!(expr("a == b ? c + 1 : d"), "(? (== a b) (+ c 1) d)");
    assert_eq!(value("(\n a\n ? b\n : c\n)"), "(paren (? a b c))");
}

#[test]
fn accesses() {
    assert_eq!(expr("a.b.c[0][\"k\"].d"), "a.b.c[0][\"k\"].d");
    assert_eq!(expr("a[b[c.d]]"), "a[b[c.d]]");
    assert_eq!(expr("a.0.b.12"), "a.0.b.12");
    assert_eq!(expr("f(x).y"), "(call f x).y");
    assert_eq!(expr("{ a = 1 }.a"), "(object a 1).a");
    assert_eq!(expr("(a.b).c"), "(paren a.b).c");
    assert_eq!(expr("a . b [ 0 ]"), "a.b[0]");
    assert_eq!(value("a[\n0\n]"), "a[0]");
    assert_eq!(expr("a.for.null"), "a.for.null");
}

#[test]
fn splats() {
    assert_eq!(expr("a[*]"), "a[*]<>");
    assert_eq!(expr("a[*].b[0].c"), "a[*]<.b[0].c>", "all steps apply to each element");
    assert_eq!(expr("a[*].b[*].c"), "a[*]<.b[*]<.c>>");
    assert_eq!(expr("a.*.b.0.c"), "a.*<.b.0.c>");
    assert_eq!(expr("a.*.b[0].c"), "a.*<.b>[0].c", "an index ends the steps for each element");
    assert_eq!(expr("f(a.*...)"), "(call f a.*<>)...");
    assert_eq!(expr("f(a[*]...)"), "(call f a[*]<>)...");
}

#[test]
fn calls() {
    assert_eq!(expr("f()"), "(call f)");
    assert_eq!(expr("f(1, g(2),)"), "(call f 1 (call g 2))");
    assert_eq!(expr("f(a, b...)"), "(call f a b)...");
    assert_eq!(expr("provider::aws::arn_parse(x)"), "(call provider::aws::arn_parse x)");
    assert_eq!(expr("a :: b (x)"), "(call a::b x)");
    assert_eq!(value("f(\n1,\n# c\n2\n)"), "(call f 1 2)");
}

#[test]
fn collections() {
    assert_eq!(expr("[]"), "(tuple)");
    assert_eq!(value("[\n1,\n2,\n]"), "(tuple 1 2)");
    assert_eq!(expr("{}"), "(object)");
    assert_eq!(expr("{ a = 1, \"b\" : 2 }"), "(object a 1 \"b\" 2)");
    assert_eq!(value("{\n\n a = 1 # c\n\n b = 2,\n (c) = 3\n}"), "(object a 1 b 2 (paren c) 3)");
    assert_eq!(value("{ a = 1\n b = 2 }"), "(object a 1 b 2)");
    assert_eq!(expr("{ a = 1, a = 2 }"), "(object a 1 a 2)", "the evaluator lets the last one win");
    assert_eq!(expr("{ a.b = 1, true = 2, 3 = 4 }"), "(object a.b 1 true 2 3 4)");
}

#[test]
fn for_expressions() {
    assert_eq!(expr("[for x in xs : x.id]"), "(for x xs x.id)");
    assert_eq!(expr("[for i, x in xs : x if i > 0]"), "(for i,x xs x (> i 0))");
    assert_eq!(expr("{for k, v in m : k => v}"), "(for k,v m k v)");
    assert_eq!(expr("{for k, v in m : k => v... if v}"), "(for k,v group m k v v)");
    assert_eq!(
        value("{\n for k, v in m :\n k =>\n v == null\n ? 1\n : 2\n if k\n != null\n}"),
        "(for k,v m k (? (== v null) 1 2) (!= k null))",
        "line ends mean nothing in the body"
    );
    assert_eq!(
        value("{ for k, v in m : k => {\n a = 1\n b = 2\n} }"),
        "(for k,v m k (object a 1 b 2))",
        "but in an object in it they do"
    );
}

#[test]
fn comments_are_white_space() {
    assert_eq!(value("/* a */ 1 /* b\n c */ + 2 # d"), "(+ 1 2)");
    assert_eq!(value("[ # a\n 1, // b\n /* c */ 2\n]"), "(tuple 1 2)");
}

#[test]
fn names_are_unicode() {
    assert_eq!(good("größe = 変数.é-à"), "größe=変数.é-à");
}

#[test]
fn what_is_wrong_says_what_was_expected() {
    let message = |text: &str| error(&format!("x = {text}\n"));
    let pair = |message: &str, place: &str| (message.to_owned(), place.to_owned());
    assert_eq!(message(""), pair("expected an expression, found the end of the line", ""));
    assert_eq!(message("1 +"), pair("expected an expression, found the end of the line", ""));
    assert_eq!(message("'a'"), pair("expected an expression, found `'`", "'"));
    assert_eq!(message("[1 2]"), pair("expected `,` or `]`, found `2`", "2"));
    assert_eq!(message("f(1 2)"), pair("expected `,` or `)`, found `2`", "2"));
    assert_eq!(message("f(a... b)"), pair("expected `)` after `...`, found `b`", "b"));
    assert_eq!(message("{ a 1 }"), pair("expected `=` or `:` after the key, found `1`", "1"));
    assert_eq!(message("{ a => 1 }"), pair("expected `=` or `:`, found `=>`", "=>"));
    assert_eq!(
        message("{ a = 1 b = 2 }"),
        pair("expected `,`, the end of the line or `}` after the value, found `b`", "b")
    );
    assert_eq!(
        message("a ? b"),
        pair("expected `:` and the value for when the condition is false, found the end of the line", "")
    );
    assert_eq!(message("a.[0]"), pair("expected an attribute name after `.`, found `[`", "["));
    assert_eq!(message("a.0.1"), pair("`.0.1` reads as a fraction, not as two indexes", "0.1"));
    assert_eq!(message("10.0.0.0"), pair("`10.0.0.0` is not a number", "10.0.0.0"));
    assert_eq!(message("1e5e5"), pair("`1e5e5` is not a number", "1e5e5"));
    assert_eq!(
        message("a::b"),
        pair("expected `(` after the function's name, found the end of the line", "")
    );
    assert_eq!(message("[for in y : z]"), pair("expected `in` after the names of `for`, found `y`", "y"));
    assert_eq!(message("[for a b]"), pair("expected `in` after the names of `for`, found `b`", "b"));
    assert_eq!(message("[for a in b]"), pair("expected `:` after the collection of `for`, found `]`", "]"));
    assert_eq!(
        message("{for a in b : a}"),
        pair("expected `=>` after the key: `{for …}` makes an object, found `}`", "}")
    );
    assert_eq!(
        message("[for a in b : a => a]"),
        pair("expected `if` or `]`: a tuple has no keys, found `=>`", "=>")
    );
    assert_eq!(
        message("[for a in b : a...]"),
        pair("expected `if` or `]`: only objects can be grouped, found `...`", "...")
    );
    assert_eq!(
        message("1 /* a"),
        pair(
            "expected the end of the line after the value of `x`, found a comment that is never closed",
            "/*"
        )
    );
    assert_eq!(message("1 & 2"), pair("expected the end of the line after the value of `x`, found `&`", "&"));
    assert_eq!(message("\u{7}"), pair("expected an expression, found the character U+0007", "\u{7}"));
}

#[test]
fn a_lone_expression_is_the_whole_text() {
    use bumpalo::Bump;
    let arena = Bump::new();
    assert_eq!(expr("\u{feff} 1 +\n2 # c\n"), "(+ 1 2)", "line ends mean nothing");
    let (_, diagnostics) = super::super::parse_expression("1 2", super::file_id(), &arena);
    assert_eq!(diagnostics[0].message, "expected the end of the expression, found `2`");
    let (broken, diagnostics) = super::super::parse_expression("", super::file_id(), &arena);
    assert_eq!(diagnostics[0].message, "expected an expression, found the end of the file");
    assert!(matches!(broken.kind, super::super::ast::ExprKind::Invalid));
}
