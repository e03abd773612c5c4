//! What the comparison with Terraform cannot see: marks, places, references, causes, extended mode and limits.

use std::sync::Arc;

use bumpalo::Bump;

use super::*;
use crate::hcl::{parse_expression, parse_template};
use crate::source::Sources;
use crate::value::{Cause, Kind, Reference, Truth, Type, Unknown, equal};

/// `secret` is sensitive; `id` is an unknown attribute, `known` a known one, `all` every instance of a resource, `missing`
/// a variable without a value, `null_one` null.
struct Names;

fn reference(resource: &str, attribute: &str) -> Arc<Reference> {
    Arc::new(Reference { resource: resource.into(), attribute: attribute.into() })
}

fn unknown_attribute(resource: &str, attribute: &str, ty: Type) -> Value {
    let reference = reference(resource, attribute);
    let unknown = Unknown { ty, not_null: true, ..Unknown::new(Cause::Resource(Arc::clone(&reference))) };
    Value { reference: Some(reference), ..Value::from_unknown(unknown) }
}

impl Scope for Names {
    fn lookup(&self, root: &str, attrs: &[&str]) -> Result<(Value, usize), String> {
        let value = match (root, attrs) {
            ("secret", _) => Value::string("hunter2").mark(true),
            ("flag", _) => Value::bool(true).mark(true),
            ("id", _) => unknown_attribute("aws_s3_bucket.b", "id", Type::String),
            ("any", _) => unknown_attribute("aws_x.y", "config", Type::Any),
            ("all", _) => unknown_attribute("aws_x.all", "", Type::Any),
            ("known", _) => {
                let block = Value::object([("image".into(), Value::string("latest"))]);
                Value { reference: Some(reference("aws_x.y", "box")), ..Value::tuple([block]) }
            }
            ("missing", _) => Value::unknown(Cause::Variable("missing".into())),
            ("null_one", _) => Value::NULL,
            ("var", ["a", ..]) => return Ok((Value::object([("b".into(), Value::int(1))]), 1)),
            _ => return Err(format!("`{root}` is not declared")),
        };
        Ok((value, 0))
    }

    fn call(&self, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
        (name == "count_args").then(|| Ok(Value::number(args.len())))
    }
}

fn evaluated(text: &str, mode: Mode) -> Result<Value, EvalError> {
    let mut sources = Sources::default();
    let file = sources.add("x.tf", text);
    let arena = Bump::new();
    let (expr, diagnostics) = parse_expression(text, file, &arena);
    assert_eq!(diagnostics, [], "{text}");
    try_evaluate(&expr, file, &Names, mode)
}

#[track_caller]
fn strict(text: &str) -> Value {
    evaluated(text, Mode::Strict).unwrap()
}

#[track_caller]
fn extended(text: &str) -> Value {
    evaluated(text, Mode::Extended).unwrap()
}

#[track_caller]
fn same(value: &Value, expected: &str) {
    let expected = strict(expected);
    assert_eq!(equal(value, &expected), Truth::Yes, "{value:?}");
}

fn path(value: &Value) -> String {
    value.reference.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn sources(value: &Value) -> Vec<String> {
    value.as_unknown().unwrap().references().map(ToString::to_string).collect()
}

#[test]
fn what_is_made_of_a_secret_is_sensitive() {
    for text in [
        "secret",
        "(secret)",
        "\"${secret}\"",
        "\"x-${secret}\"",
        "\"%{if flag}a%{endif}\"",
        "\"%{for x in [secret]}${x}%{endfor}\"",
        "secret == \"hunter2\"",
        "{ a = [secret] } == { a = [\"x\"] }",
        "secret == id",
        "!flag",
        "flag && true",
        "flag && missing",
        "flag ? 1 : 2",
        "missing ? secret : \"a\"",
        "{ a = secret }.a",
        "[secret][0]",
        "{ (secret) = 1 }",
        "[for x in [1]: x if flag]",
        "{ for x in [secret]: x => 1 }",
        "[\"a\"][flag ? 0 : 1]",
        "toset([secret])[*]",
        "try(secret)",
    ] {
        assert!(strict(text).holds_sensitive(), "{text}");
        assert!(extended(text).holds_sensitive(), "{text} in extended mode");
    }
    for text in ["{ a = secret, b = 1 }.b", "true ? 1 : secret", "[secret, 1][1]", "[for x in [secret]: 1]"] {
        assert!(!strict(text).holds_sensitive(), "{text}");
    }
}

#[test]
fn no_message_shows_a_secret() {
    for text in [
        "secret + 1",
        "secret.a",
        "secret[0]",
        "{ a = 1 }[secret]",
        "[1][secret]",
        "secret ? 1 : 2",
        "[for x in secret: x]",
        "{ for x in [secret, secret]: x => 1 }",
        "tonumber(secret)",
        "try(tonumber(secret))",
    ] {
        let error = evaluated(text, Mode::Strict).unwrap_err();
        assert!(!error.message.contains("hunter2"), "{text}: {}", error.message);
    }
}

#[test]
fn an_attribute_stays_itself_where_it_is_only_passed_on() {
    for text in ["id", "(id)", "\"${id}\"", "true ? id : \"a\"", "[id][0]", "{ a = id }.a", "try(id, \"a\")"]
    {
        assert_eq!(path(&strict(text)), "aws_s3_bucket.b.id", "{text}");
    }
    for text in ["\"${id}x\"", "[id]", "missing ? id : \"a\"", "id == \"a\""] {
        assert_eq!(strict(text).reference, None, "{text}");
    }
}

#[test]
fn steps_into_an_attribute_extend_its_path() {
    for (text, expected) in [
        ("any.a", "aws_x.y.config.a"),
        ("any[0].image", "aws_x.y.config[0].image"),
        ("any.0.image", "aws_x.y.config[0].image"),
        ("any[\"k\\\"\"]", "aws_x.y.config[\"k\\\"\"]"),
        ("any[missing]", "aws_x.y.config[?]"),
        ("all[0].arn", "aws_x.all[0].arn"),
        ("all[\"a\"].arn", "aws_x.all[\"a\"].arn"),
        ("all[missing].arn", "aws_x.all[?].arn"),
        ("all.arn", "aws_x.all.arn"),
        ("known[0].image", "aws_x.y.box[0].image"),
        ("[for x in known: x.image][0]", "aws_x.y.box[0].image"),
        ("known[*].image[0]", ""),
        ("known.*.image[0]", "aws_x.y.box[0].image"),
    ] {
        let Ok(value) = evaluated(text, Mode::Strict) else {
            assert_eq!(expected, "", "{text}");
            continue;
        };
        assert_eq!(path(&value), expected, "{text}");
        if let Some(unknown) = value.as_unknown() {
            assert_eq!(unknown.cause.to_string(), format!("`{expected}` is known after apply"), "{text}");
        }
    }
    same(&strict("known[0].image"), "\"latest\"");
}

#[test]
fn unknown_results_say_what_they_are_computed_from_and_why() {
    let url = strict("\"s3://${id}/${any.path}/${missing}\"");
    assert_eq!(sources(&url), ["aws_s3_bucket.b.id", "aws_x.y.config.path"]);
    let unknown = url.as_unknown().unwrap();
    assert_eq!(unknown.prefix, "s3://");
    assert_eq!(unknown.cause, Cause::Resource(reference("aws_s3_bucket.b", "id")));
    assert!(unknown.not_null && unknown.ty == Type::String);

    assert_eq!(sources(&strict("all[*].arn")), ["aws_x.all[?].arn"]);
    assert_eq!(sources(&strict("missing ? id : any.a")), ["aws_s3_bucket.b.id", "aws_x.y.config.a"]);
    assert_eq!(
        sources(&strict("{ a = id, b = any.a }[missing]")),
        ["aws_s3_bucket.b.id", "aws_x.y.config.a"]
    );
    assert_eq!(sources(&strict("{ (missing) = id }")), ["aws_s3_bucket.b.id"]);
    let choice = strict("missing ? \"a\" : \"b\"");
    assert_eq!(choice.as_unknown().unwrap().cause, Cause::Variable("missing".into()));
    // What is computed from an attribute is not the attribute: a step into it leaves the attribute's path alone.
    let decoded = strict("jsondecode(id).a");
    assert_eq!((sources(&decoded), path(&decoded)), (vec!["aws_s3_bucket.b.id".to_owned()], String::new()));
}

#[test]
fn values_know_where_they_were_written() {
    let text = "true ? { a = [1, \"x\"], b = -2 } : null";
    let value = strict(text);
    let written = |value: &Value| {
        let span = value.origin.unwrap().span;
        text.get(span.start as usize..span.end as usize).unwrap()
    };
    assert_eq!(written(&value), "{ a = [1, \"x\"], b = -2 }");
    assert_eq!(written(value.get("b").unwrap()), "-2");
    let items = value.get("a").unwrap();
    assert_eq!(written(items), "[1, \"x\"]");
    assert_eq!(items.items().unwrap().iter().map(written).collect::<Vec<_>>(), ["1", "\"x\""]);
}

#[test]
fn extended_mode_knows_what_one_side_decides() {
    same(&extended("false && missing"), "false");
    same(&extended("missing && false"), "false");
    same(&extended("true || missing"), "true");
    same(&extended("missing || true"), "true");
    for text in ["true && missing", "missing && missing", "missing || false", "missing && null_one.a == 1"] {
        assert!(extended(text).is_unknown(), "{text}");
    }
    assert!(strict("false && missing").is_unknown());
    // The right side is not looked at.
    same(&extended("null_one != null && null_one.a == 1"), "false");
    assert!(evaluated("null_one != null && null_one.a == 1", Mode::Strict).is_err());
    assert!(evaluated("true && null_one.a == 1", Mode::Extended).is_err());
    let cause = extended("missing && id == \"a\"");
    assert_eq!(cause.as_unknown().unwrap().cause, Cause::Variable("missing".into()));
}

#[test]
fn extended_mode_knows_that_an_attribute_equals_itself() {
    same(&extended("id == id"), "true");
    same(&extended("any.a != any.a"), "false");
    assert!(extended("any.a == any.b").is_unknown());
    assert!(extended("any[missing] == any[missing]").is_unknown(), "the index may be another one");
    assert!(strict("id == id").is_unknown());
}

#[test]
fn extended_mode_keeps_what_both_branches_share() {
    let value = extended("missing ? { a = 1, b = [\"x\", 1] } : { a = 1, b = [\"x\", 2] }");
    same(value.get("a").unwrap(), "1");
    let [first, second] = value.get("b").unwrap().items().unwrap() else { panic!("{value:?}") };
    same(first, "\"x\"");
    assert_eq!(second.as_unknown().unwrap().cause, Cause::Variable("missing".into()));
    assert_eq!(extended("missing ? \"arn:a\" : \"arn:b\"").as_unknown().unwrap().prefix, "arn:");
    same(&extended("missing ? \"a\" : \"a\""), "\"a\"");
    same(&extended("[\"a\", \"a\"][missing]"), "\"a\"");
    assert_eq!(path(&extended("missing ? id : id")), "aws_s3_bucket.b.id");
    assert!(strict("missing ? \"a\" : \"a\"").is_unknown());
    assert!(extended("missing ? null : \"a\"").as_unknown().is_some_and(|unknown| !unknown.not_null));
}

#[test]
fn extended_mode_sees_through_prefixes() {
    same(&extended("\"a-${\"b-${id}\"}\" == \"a-c\""), "false");
    same(&extended("\"a%{if true}-b-${id}%{endif}\" == \"a-c\""), "false");
    assert!(extended("\"a-b${id}\" == \"a-c\"").is_unknown(), "a letter may still take an accent");
}

#[test]
fn errors_that_need_no_evaluation_are_not_caught() {
    for text in ["try(nosuch, 1)", "try(nosuch_function(), 1)", "can(nosuch)", "true ? 1 : nosuch"] {
        assert!(evaluated(text, Mode::Strict).unwrap_err().is_static, "{text}");
    }
    assert!(!evaluated("{ a = 1 }.b", Mode::Strict).unwrap_err().is_static);
}

#[test]
fn what_is_not_evaluated_never_falls_back() {
    let value = strict("try(provider::aws::other(\"x\").account, \"fallback\")");
    assert_eq!(value.as_unknown().unwrap().cause, Cause::Function("provider::aws::other".into()));
    assert!(strict("can(provider::x::y())").is_unknown());
}

#[test]
fn a_value_is_converted_to_a_type_that_is_written() {
    same(&strict("convert([\"1\", 2], list(number))[0]"), "1");
    same(&strict("convert({}, object({ a = optional(string, \"x\") })).a"), "\"x\"");
    assert!(!evaluated("convert(\"x\", number)", Mode::Strict).unwrap_err().is_static);
    assert!(evaluated("convert(\"x\", nosuch)", Mode::Strict).unwrap_err().is_static);
}

#[test]
fn a_function_that_is_written_wrong_is_told_what_was_meant() {
    let message = |text| evaluated(text, Mode::Strict).unwrap_err().message;
    assert!(message("jsonencod(1)").contains("did you mean `jsonencode`?"));
    assert!(!message("nothing_like_it(1)").contains("did you mean"));
}

#[test]
fn a_null_is_no_list_with_elements() {
    let value = evaluated("coalescelist(tolist(null), [], [\"a\"])", Mode::Strict).unwrap();
    assert_eq!(value.items().unwrap().len(), 1);
    assert!(evaluated("coalescelist(tolist(null), [])", Mode::Strict).is_err());
}

#[test]
fn what_may_be_no_element_may_be_caught() {
    let extended = |text| evaluated(text, Mode::Extended).unwrap();
    assert_eq!(extended("[\"a\"][missing]").as_str(), Some("a"));
    for text in ["try([\"a\"][missing], \"b\")", "try(upper({ k = \"a\" }[id]), 1)", "can([\"a\"][missing])"]
    {
        assert!(extended(text).is_unknown(), "{text}");
    }
    assert_eq!(extended("try([for n in [try([\"a\"][missing], 1)] : 2], 3)").items().unwrap().len(), 1);
    assert!(extended("try(slice(missing, 0, 2), [])").is_unknown());
}

#[test]
fn a_part_of_a_list_that_is_not_known_has_known_elements() {
    let extended = |text| evaluated(text, Mode::Extended).unwrap();
    let zones = extended("slice(any, 1, 3)");
    let references = zones.items().unwrap().iter().map(|zone| zone.reference.as_ref().unwrap().to_string());
    assert_eq!(references.collect::<Vec<_>>(), ["aws_x.y.config[1]", "aws_x.y.config[2]"]);
    for text in ["slice(any, 0, 1000)", "slice(any, 2, 1)", "slice(any, 0, missing)", "slice(id, 0, 1)"] {
        assert!(!evaluated(text, Mode::Extended).is_ok_and(|value| value.items().is_some()), "{text}");
    }
    assert!(evaluated("slice(any, 1, 3)", Mode::Strict).unwrap().is_unknown());
}

#[test]
fn scopes_bring_names_and_functions() {
    same(&strict("count_args(1, [2, 3]...)"), "3");
    same(&strict("var.a.b"), "1");
    same(&strict("[for secret in [1]: secret][0]"), "1");
    let error = evaluated("1 + nosuch.x.y", Mode::Strict).unwrap_err();
    assert_eq!((error.message.as_str(), error.span), ("`nosuch` is not declared", Span::new(4, 14)));
}

#[test]
fn strings_are_normalised() {
    same(&strict("\"an\u{303}os\" == \"a\u{f1}os\""), "true");
    same(&strict("{ \"n\u{303}\" = 1 }[\"\u{f1}\"]"), "1");
    same(&strict("\"${\"n\"}\u{303}\" == \"\u{f1}\""), "true");
}

#[test]
fn templates_are_rendered_from_values() {
    struct Text;
    impl Scope for Text {
        fn lookup(&self, root: &str, _: &[&str]) -> Result<(Value, usize), String> {
            match root {
                "t" => Ok((Value::string("%{for x in xs}<${x}>%{endfor}"), 0)),
                "u" => Ok((Value::string("${nosuch}"), 0)),
                "s" => Ok((Value::string("${hunter2} ${").mark(true), 0)),
                _ => Err("not declared".to_owned()),
            }
        }
    }
    let render = |text: &str| {
        let mut sources = Sources::default();
        let file = sources.add("x.tf", text);
        let arena = Bump::new();
        let (expr, _) = parse_expression(text, file, &arena);
        try_evaluate(&expr, file, &Text, Mode::Strict)
    };
    let value = render("templatestring(t, { xs = [1, \"a\"] })").unwrap();
    assert_eq!(value.as_str(), Some("<1><a>"));
    let message = |text: &str| render(text).unwrap_err().message;
    assert_eq!(message("templatestring(u, {})"), "templatestring: the template has no variable `nosuch`");
    assert_eq!(message("templatestring(s, {})"), "templatestring: it is wrong, and sensitive");
    assert!(render("templatestring(\"x\", {})").is_err());
}

#[test]
fn a_broken_expression_is_a_diagnostic_and_an_unknown() {
    let mut sources = Sources::default();
    let text = "1 + [2]";
    let file = sources.add("x.tf", text);
    let arena = Bump::new();
    let (expr, _) = parse_expression(text, file, &arena);
    let mut diagnostics = Vec::new();
    let value = evaluate(&expr, file, &Names, Mode::Strict, &mut diagnostics);
    assert!(matches!(&value.as_unknown().unwrap().cause, Cause::Error(_)));
    let [diagnostic] = diagnostics.as_slice() else { panic!("{diagnostics:?}") };
    assert_eq!(diagnostic.message, "this operand does not fit: number required");
    assert_eq!(diagnostic.site.unwrap().span, Span::new(4, 7));
}

#[test]
fn limits_make_a_value_unknown() {
    let limit = |text: &str| match strict(text).as_unknown().map(|unknown| unknown.cause.clone()) {
        Some(Cause::Limit(which)) => which.to_string(),
        other => panic!("{text}: {other:?}"),
    };
    let many = "[for a in range(1000): [for b in range(1000): [for c in range(1000): 0]]]";
    assert_eq!(limit(&format!("try({many}, 1)")), "a value is too large or too deep");
    let long = "[for a in range(1000): length([for b in range(1000): length([for c in range(1000): 0])])]";
    assert_eq!(limit(&format!("try({long}, 1)")), "evaluation takes too many steps");
    let long = "[for a in [join(\"\", [for x in range(1000): \"0123456789\"])]: \
                \"%{for b in range(1000)}%{for c in range(1000)}${a}%{endfor}%{endfor}\"]";
    assert_eq!(limit(long), "a string is too long");
    let chain = vec!["1"; 400].join(" + ");
    same(&strict(&chain), "400");
}

/// A scope in which `local.x` is `local.x` of the next scope, and so on without end.
struct Endless(std::cell::Cell<usize>);

impl Scope for Endless {
    fn lookup(&self, _: &str, _: &[&str]) -> Result<(Value, usize), String> {
        self.0.set(self.0.get() + 1);
        let mut sources = Sources::default();
        let file = sources.add("x.tf", "[local.x]");
        let arena = Bump::new();
        let (expr, _) = parse_expression("[[local.x]]", file, &arena);
        try_evaluate(&expr, file, self, Mode::Strict).map(|value| (value, 1)).map_err(|error| error.message)
    }
}

#[test]
fn nesting_is_bounded_through_scopes_too() {
    let scope = Endless(std::cell::Cell::new(0));
    let (value, _) = scope.lookup("local", &["x"]).unwrap();
    assert!(matches!(value.first_cause(), Some(Cause::Limit(_))));
    assert!((40..200).contains(&scope.0.get()), "{}", scope.0.get());
}

#[test]
fn what_the_parser_lets_through_fits_on_the_stack() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("!(", ")"),
        ("upper(", ")"),
        ("true ? 1 : (", ")"),
        ("\"${", "}\""),
        ("[for x in [1]: ", "]"),
    ] {
        for depth in [50, 150, 199, 400] {
            let text = format!("{}true{}", open.repeat(depth), close.repeat(depth));
            let mut sources = Sources::default();
            let file = sources.add("x.tf", text.as_str());
            let arena = Bump::new();
            let (expr, diagnostics) = parse_expression(&text, file, &arena);
            let value = evaluate(&expr, file, &Names, Mode::Extended, &mut Vec::new());
            assert!(depth > 50 || diagnostics.is_empty() && value.is_wholly_known(), "{open} {depth}");
        }
    }
}

#[test]
fn constraints_are_types() {
    let constraint = |text: &str| {
        let mut sources = Sources::default();
        let file = sources.add("x.tf", text);
        let arena = Bump::new();
        let (expr, _) = parse_expression(text, file, &arena);
        Type::from_expr(&expr, Some(file))
    };
    let text = "map(object({ a = optional(list(string), [1]), b = tuple([any, bool]), c = set(number) }))";
    let ty = constraint(text).unwrap();
    assert_eq!(
        ty.to_string(),
        "map(object({ a = optional(list(string)), b = tuple([any, bool]), c = set(number) }))"
    );
    let given = strict("{ x = { b = [null, \"true\"], c = [2, \"1\"], d = 4 } }");
    let value = crate::value::convert(&given, &ty).unwrap();
    same(&value, "tomap({ x = { a = tolist([\"1\"]), b = [null, true], c = toset([1, 2]) } })");
    assert_eq!(constraint("list").unwrap(), Type::list(Type::Any));
    assert_eq!(constraint("\"string\"").unwrap(), Type::String);
    for (text, message) in [
        ("strin", "there is no type named `strin`"),
        ("list()", "`list` takes one argument"),
        ("optional(string)", "`optional` is only for attributes of an object"),
        ("object({ a = optional(number, \"x\") })", "the default of `a` does not fit: a number is required"),
        ("object({ a = optional(string, var.x) })", "a default cannot refer to `var`"),
        ("1", "a type is a name such as `string` or a call such as `list(string)`"),
        ("string(1)", "`string` takes no argument"),
    ] {
        assert_eq!(constraint(text).unwrap_err(), message, "{text}");
    }
}

#[test]
fn a_template_file_is_text_without_quotes() {
    let mut sources = Sources::default();
    let file = sources.add("x", "a ${1 + 1} \"b\"");
    let arena = Bump::new();
    let (expr, diagnostics) = parse_template("a ${1 + 1} \"b\"", file, &arena);
    assert_eq!(diagnostics, []);
    let value = try_evaluate(&expr, file, &Names, Mode::Strict).unwrap();
    assert!(matches!(&value.kind, Kind::String(text) if text == "a 2 \"b\""));
}
