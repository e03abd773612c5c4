//! Quoted strings, heredocs, interpolations and directives. What strings become was checked with Terraform 1.11.

use bumpalo::Bump;

use super::super::ast::{ExprKind, Item};
use super::{error, expr, file_id, template, value};

#[test]
fn escapes() {
    assert_eq!(expr(r#""a\tb\nc\rd\"e\\""#), r#""a\tb\nc\rd\"e\\""#);
    assert_eq!(expr(r#""\u00e9 \U0001F600""#), "\"é 😀\"");
    assert_eq!(expr(r#""$${a} %%{b} $ $$ % %% {}""#), r#""${a} %{b} $ $$ % %% {}""#);
    assert_eq!(expr(r#""$$${a}""#), r#""$${a}""#, "the last two dollars make the escape");
    assert_eq!(error(r#"x = "a\qb""#), (r"`\q` is not an escape sequence".to_owned(), r"\q".to_owned()));
    for wrong in [r#"x = "\u12""#, r#"x = "\uD800""#, r#"x = "\u12é""#] {
        assert_eq!(error(wrong).0, r"`\u` needs the 4 hexadecimal digits of a Unicode character");
    }
    assert_eq!(error(r#"x = "\U00110000""#).1, r"\U");
}

#[test]
fn interpolations() {
    assert_eq!(expr(r#""${a}""#), "(template a)");
    assert_eq!(expr(r#""a${b.c[0]}d""#), r#"(template "a" b.c[0] "d")"#);
    assert_eq!(expr(r#""$${a}${b}\n""#), r#"(template "${a}" b "\n")"#);
    assert_eq!(expr(r#""${"${"a"}"}""#), r#"(template (template "a"))"#);
    assert_eq!(expr(r#""${ {a = "}"} }""#), r#"(template (object a "}"))"#);
    assert_eq!(value("\"${\n f(\n a) # c\n}\""), "(template (call f a))", "line ends mean nothing inside");
    assert_eq!(expr(r#""$${${a}%{if b}%%{%{endif}""#), r#"(template "${" a (if b "%{" else))"#);
}

#[test]
fn strip_markers() {
    assert_eq!(expr(r#""a \n ${~ b ~} \n c""#), r#"(template "a" b "c")"#);
    assert_eq!(expr(r#"" ${~ b}""#), r#"(template "" b)"#, "not `b` alone: the result is a string");
    assert_eq!(expr(r#""${a ~}${b} c""#), r#"(template a b " c")"#, "only what follows at once is stripped");
    assert_eq!(
        expr(r#""x %{~ if a ~} y %{~ else ~} z %{~ endif ~} w""#),
        r#"(template "x" (if a "y" else "z") "w")"#
    );
}

#[test]
fn directives() {
    assert_eq!(expr(r#""%{ if a }b%{ else }c%{ endif }""#), r#"(template (if a "b" else "c"))"#);
    assert_eq!(expr(r#""%{if a}b%{endif}c""#), r#"(template (if a "b" else) "c")"#);
    assert_eq!(expr(r#""%{for x in xs}${x},%{endfor}""#), r#"(template (for x xs x ","))"#);
    assert_eq!(
        expr(r#""%{for k, v in m}%{if v}${k}%{else}-%{endif}%{endfor}""#),
        r#"(template (for k,v m (if v k else "-")))"#
    );
    let message = |text: &str| error(&format!("x = \"{text}\"\n"));
    assert_eq!(message("%{if a}b").0, "this directive is never closed with `%{endif}`");
    assert_eq!(message("%{if a}b").1, "%{if a}");
    assert_eq!(message("%{for a in b}%{if c}%{endif}").0, "this directive is never closed with `%{endfor}`");
    assert_eq!(message("%{ endif }").0, "`%{endif}` has no `%{if}` before it to belong to");
    assert_eq!(message("%{if a}%{endfor}").0, "`%{endfor}` has no `%{for}` before it to belong to");
    assert_eq!(message("%{if a}%{else}%{else}%{endif}").1, "%{else}");
    assert_eq!(message("%{when a}").0, "expected `if`, `else`, `endif`, `for` or `endfor`, found `when`");
    assert_eq!(message("%{endif x}").0, "expected `}`, found `x`");
    assert_eq!(message("${a b}").0, "expected `}`, found `b`");
    assert_eq!(message("${}").0, "expected an expression, found `}`");
}

#[test]
fn quoted_strings_end_on_their_line() {
    let (message, place) = error("x = \"abc\ny = 1\n");
    assert_eq!((message.as_str(), place.as_str()), ("this string is not closed on its line", "\"abc"));
    assert_eq!(error("x = \"a${b}c\n").1, "\"a${b}c");
    assert_eq!(error("x = \"a\\\n").0, "this string is not closed on its line");
    assert_eq!(error("x = \"a").0, "this string is not closed on its line");
}

#[test]
fn heredocs() {
    assert_eq!(value("<<EOT\na\n  b\nEOT\n"), r#""a\n  b\n""#);
    assert_eq!(value("<<EOT\nEOT\n"), r#""""#);
    assert_eq!(value("<<EOT\n  a\n  EOT \n"), r#""  a\n""#, "the marker may be indented, the text stays");
    assert_eq!(value("<<EOT\nEOTX\nEOT x\n${a}EOT\nEOT\n"), r#"(template "EOTX\nEOT x\n" a "EOT\n")"#);
    assert_eq!(value("<<EOT\n\\n \"x\" $${a} %%{b}\nEOT\n"), r#""\\n \"x\" ${a} %{b}\n""#);
    assert_eq!(value("[<<A\na\nA\n, <<B\nb\nB\n]"), r#"(tuple "a\n" "b\n")"#);
    assert_eq!(value("{\n a = <<A\nx\nA\n b = 1\n}"), r#"(object a "x\n" b 1)"#);
    assert_eq!(value("<<A\n${<<B\n${c}\nB\n}\nA\n"), r#"(template (template c "\n") "\n")"#);
    assert_eq!(value("<<É-1\na\nÉ-1\n"), r#""a\n""#);
}

#[test]
fn indented_heredocs() {
    assert_eq!(value("<<-EOT\n    a\n      b\n  EOT\n"), r#""a\n  b\n""#);
    assert_eq!(
        value("<<-EOT\n    a\n\n   \n      b\n  EOT\n"),
        r#""a\n\n   \n  b\n""#,
        "blank lines do not count"
    );
    assert_eq!(value("<<-EOT\na\n  b\nEOT\n"), r#""a\n  b\n""#);
    assert_eq!(value("<<-EOT\n\u{a0}\ta\n\u{a0} b\n  EOT\n"), r#""a\nb\n""#, "characters count, not bytes");
    assert_eq!(value("<<-EOT\n   \n  EOT\n"), r#""   \n""#);
    assert_eq!(value("<<-EOT\n    a ${b}\n      ${c}\n  EOT\n"), r#"(template "a " b "\n  " c "\n")"#);
    assert_eq!(value("<<-EOT\n    a\n${b}\n  EOT\n"), r#"(template "    a\n" b "\n")"#);
}

#[test]
fn strip_markers_work_line_by_line_in_heredocs() {
    assert_eq!(
        value("<<-EOT\n      %{ if true ~}\n        foo\n      %{ endif ~}\n    bar\n  EOT\n"),
        r#"(template "" (if true "        foo\n" else) "    bar\n")"#,
        "a line whose start was joined to another keeps its indentation"
    );
    assert_eq!(
        value("<<EOT\nx\n   %{~ if true }\n   y\n%{~ endif }\nz\nEOT\n"),
        r#"(template "x\n" (if true "\n   y" else) "\nz\n")"#,
    );
    assert_eq!(
        value("<<-EOT\n    foo\n      ${~ a ~} q\n     bar\n  EOT\n"),
        r#"(template "    foo\n" a "q\n     bar\n")"#,
        "a line whose start was stripped has no indentation, and then none has"
    );
}

#[test]
fn line_ends_in_heredocs_stay_as_they_are() {
    assert_eq!(value("<<-EOT\r\n   a\r\n   b\r\n  EOT\r\n"), r#""a\r\nb\r\n""#);
    assert_eq!(value("<<EOT\r\n${a}\r\nEOT\r\n"), r#"(template a "\r\n")"#);
    let (message, place) = error("x = <<EOT\n$${a}\rb\nEOT\n");
    assert_eq!(
        (message.as_str(), place.as_str()),
        ("a carriage return without a line feed is not a line end", "\r")
    );
}

#[test]
fn a_heredoc_must_be_closed_by_a_whole_line() {
    for text in ["x = <<EOT\na\n", "x = <<EOT\na\nEOT", "x = <<EOT\n${a}\nEOT", "x = <<EOT\na\nEOT )\n"] {
        assert_eq!(error(text), ("this heredoc is never closed".to_owned(), "<<EOT".to_owned()));
    }
    let (message, place) = error("x = <<EOT  # c\na\nEOT\ny = 1\n");
    assert_eq!(message, "expected the end of the line after the name of a heredoc");
    assert_eq!(place, "  # c");
    assert_eq!(error("x = << EOT\n").0, "expected an expression, found `<<`");
}

#[test]
fn bare_templates() {
    assert_eq!(template(""), r#""""#);
    assert_eq!(template("a \"b\" \\n\n$${c}"), r#""a \"b\" \\n\n${c}""#);
    assert_eq!(template("${a}"), "(template a)");
    assert_eq!(template("%{ for x in xs ~}\n  - ${x}\n%{ endfor ~}\nend"), {
        r#"(template (for x xs "  - " x "\n") "end")"#
    });
    let arena = Bump::new();
    let (broken, diagnostics) = super::super::parse_template("a ${b", file_id(), &arena);
    assert_eq!(diagnostics[0].message, "this is never closed with `}`");
    assert!(matches!(broken.kind, ExprKind::Invalid));
}

#[test]
fn plain_strings_borrow_the_text() {
    let text = "a = \"plain $5 100%\"\nb = <<E\nx\ny\nE\nc = \"a\\n\"\nd = <<-E\n x\n E\n";
    let arena = Bump::new();
    let (body, _) = super::super::parse(text, file_id(), &arena);
    let borrowed: Vec<bool> = body
        .items
        .iter()
        .map(|item| match item {
            Item::Attribute(attribute) => match attribute.value.kind {
                ExprKind::String(value) => text.as_bytes().as_ptr_range().contains(&value.as_ptr()),
                _ => panic!("a string"),
            },
            Item::Block(_) => panic!("an attribute"),
        })
        .collect();
    assert_eq!(borrowed, [true, true, false, false]);
}
