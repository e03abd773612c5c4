//! What extended mode knows more than Terraform, case by case. `soundness.rs` holds what is true of all cases.

use airgate::eval::Mode;
use airgate::value::{Partial, Value};

use expressions::{evaluate, show, unknowns};

#[path = "common/expressions.rs"]
mod expressions;

fn shown(text: &str) -> String {
    evaluate(text, &unknowns(), Mode::Extended).as_ref().map_or_else(Clone::clone, show)
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    let wrong = cases.iter().filter(|(text, expected)| shown(text) != *expected);
    let wrong: Vec<_> =
        wrong.map(|(text, expected)| format!("{text}\n  {}\n  {expected}", shown(text))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn strings_keep_their_pieces() {
    check(&[
        (r#""a-${u1}-b""#, "'a-${u1}-b'"),
        (r#""${u1}""#, "u1"),
        (r#""a${"-${u1}/"}b""#, "'a-${u1}/b'"),
        (r#""${"a${u1}"}${"b"}c${n1}""#, "'a${u1}bc${?}'"),
        (r#"join("/", ["a", u1, "b"])"#, "'a/${u1}/b'"),
        (r#"join("/", l1)"#, "?"),
        (r#"format("arn:%s:%s/%d%%", "aws", u1, 5)"#, "'arn:aws:${u1}/5%'"),
        (r#"format("%q-%s", u1, u2)"#, "'${?}-${?}'"),
        (r#"formatlist("%s/*", [u1, "x"])"#, "['${u1}/*', 'x/*']"),
        (r#"upper("a-${u1}-b")"#, "'A-${?}-B'"),
        (r#"title("ab ${u1}cd ef")"#, "'Ab ${?}d Ef'"),
        (r#"trimspace("  a ${u1}b  ")"#, "'a ${u1}b'"),
        (r#"trimspace("  a ${u1}  ")"#, "'a${?}'"),
        (r#"trimspace("${u1}  ${u2} b ")"#, "'${?}b'"),
        (r#"chomp("a${u1}\n")"#, "'a${?}'"),
        (r#"trimprefix("arn:${u1}", "arn:")"#, "'${u1}'"),
        (r#"trimprefix("${u1}-", "a")"#, "?"),
        (r#"trimsuffix("${u1}/*", "/*")"#, "'${u1}'"),
        (r#"replace("a:${u1}:b", ":", "/")"#, "'a/${?}/b'"),
        (r#"replace("a:${u1}:b", "a:", "/")"#, "?"),
        (r#"base64encode("a-${u1}")"#, "?"),
        (r#"tostring("a-${u1}")"#, "'a-${u1}'"),
        (r#""a-%{ for x in l1 }${x}%{ endfor }""#, "'a-${?}'"),
    ]);
}

#[test]
fn what_may_be_another_one_is_perhaps_among_the_distinct() {
    check(&[
        (r#"length(distinct(["a", "b-${u1}", "a"]))"#, "2"),
        (r#"anytrue([for x in distinct(["a", u1]) : x == "a"])"#, "true"),
        (r#"alltrue([for x in distinct(["a", "b-${u1}"]) : x != "c"])"#, "true"),
        (r#"alltrue([for x in distinct(["a", u1]) : x == "a"])"#, "?"),
        (r#"length(distinct(["a", u1]))"#, "(1 | 2)"),
    ]);
}

#[test]
fn an_unknown_condition_leaves_a_choice() {
    check(&[
        (r#"b1 ? "a" : "b""#, "('a' | 'b')"),
        (r#"b1 ? "a" : b2 ? "b" : "a""#, "('a' | 'b')"),
        (r#"b1 ? "a" : null"#, "('a' | null)"),
        (r#"b1 ? 1 : "b""#, "('1' | 'b')"),
        (r#"b1 ? u1 : "b""#, "(u1 | 'b')"),
        (r#"b1 ? { k = 1, l = "x" } : { k = 1, l = "y" }"#, "{k: 1, l: ('x' | 'y')}"),
        (r#"b1 ? ["a"] : []"#, "(['a'] | [])"),
        ("b1 ? true : false", "?"),
        (r#"{ a = "x", b = "y" }[u1]"#, "('x' | 'y')"),
        (r#"["a", "b", "c"][n1]"#, "('a' | 'b' | 'c')"),
        (r#"element(["a", "b"], n1)"#, "('a' | 'b')"),
        (r#"lookup({ a = "x" }, u1, "d")"#, "('x' | 'd')"),
        (r#"coalesce(u1, "d")"#, "(u1 | 'd')"),
        (r#"coalesce("a${u1}", "d")"#, "'a${u1}'"),
        (r#"try(u2, "d")"#, "(? | 'd')"),
        ("[1, 2, 3, 4, 5, 6, 7, 8, 9][n1]", "?"),
        (r#""x%{ if b1 }-a%{ else }-b%{ endif }""#, "('x-a' | 'x-b')"),
        (r#""x%{ if b1 }${u1}%{ endif }-y""#, "('x${u1}-y' | 'x-y')"),
    ]);
}

#[test]
fn what_is_computed_of_a_choice_is_a_choice() {
    let one = |text: &str| shown(&text.replace('C', r#"(b1 ? "a" : "b")"#));
    for (text, expected) in [
        ("upper(C)", "('A' | 'B')"),
        (r#""x-${C}""#, "('x-a' | 'x-b')"),
        (r#""${C}${C}""#, "('aa' | 'ab' | 'ba' | 'bb')"),
        (r#""${C}-${u1}""#, "('a-${u1}' | 'b-${u1}')"),
        (r#""${C}${C}${C}${C}""#, "'${('a' | 'b')}${('a' | 'b')}${('a' | 'b')}${('a' | 'b')}'"),
        ("length(C)", "1"),
        ("{ a = 1, b = 2 }[C]", "(1 | 2)"),
        ("{ a = 1, c = 2 }[C]", "1"),
        ("{ a = { k = 1 }, b = { k = 2 } }[C].k", "(1 | 2)"),
        ("[for x in (b1 ? [1] : [2, 3]) : x + 1]", "([2] | [3, 4])"),
        ("(b1 ? 1 : 2) + (b2 ? 10 : 20)", "(11 | 21 | 12 | 22)"),
        ("-(b1 ? 1 : 2)", "(-1 | -2)"),
        (r#"C == "c""#, "false"),
        (r#"C != "c""#, "true"),
        (r#"C == "a""#, "?"),
        (r#"contains(["c", "d"], C)"#, "false"),
        (r#"contains(["a", "b"], C)"#, "true"),
        (r#"contains(["a", "c"], C)"#, "?"),
        ("(b1 ? 1 : 2) < 3", "true"),
        ("jsonencode({ k = C })", "json {k: ('a' | 'b')}"),
        (r#"(b1 ? "a" : null) == null"#, "?"),
    ] {
        assert_eq!(one(text), expected, "{text}");
    }
}

#[test]
fn what_may_not_exist_is_not_the_only_one() {
    check(&[
        (r#"["a"][n1]"#, "'a'"),
        (r#"try(["a"][n1], "b")"#, "('a' | 'b')"),
        (r#"try({ k = tonumber(u2) }, "b")"#, "({k: ?} | 'b')"),
        (r#"try({ k = u1 }.k, "b")"#, "u1"),
        (r#"can(["a"][n1])"#, "?"),
        (r#"can("a${u1}")"#, "?"),
    ]);
}

#[test]
fn strings_with_holes_are_compared() {
    check(&[
        (r#""arn:${u1}" == "x""#, "false"),
        (r#""arn:${u1}" == "arn:1""#, "?"),
        (r#""${u1}-dev" == "a-prod""#, "false"),
        (r#""a-${u1}-b-${u2}-c" == "a-x-c""#, "false"),
        (r#""a-${u1}" == "b-${u2}""#, "false"),
        (r#""${u1}-a" != "${u2}-b""#, "true"),
        (r#"startswith("arn:${u1}", "arn:")"#, "true"),
        (r#"startswith("arn:${u1}", "x")"#, "false"),
        (r#"endswith("${u1}/*", "*")"#, "true"),
        (r#"endswith("${u1}/*", "x")"#, "false"),
        (r#"endswith("${u1}/*", "ab/*")"#, "?"),
        (r#"strcontains("${u1}:root:${u2}", "root")"#, "true"),
        (r#"strcontains("${u1}:root", "admin")"#, "?"),
        // An accent at the beginning of a hole would change the letter before it.
        (r#""e${u1}" == "f""#, "?"),
        (r#""-e${u1}" == "f""#, "false"),
    ]);
}

#[test]
fn json_keeps_its_structure() {
    check(&[
        (r#"jsonencode({ a = u1, b = [1, "x-${u2}"] })"#, "json {a: u1, b: [1, 'x-${?}']}"),
        (r#"jsondecode(jsonencode({ a = u1, b = tolist(["x"]) }))"#, "{a: u1, b: ['x']}"),
        (
            r#"jsondecode("{\"a\": \"x-${u1}\", \"b\": ${n1}, \"c\": [1, true, null]}")"#,
            "{a: 'x-${u1}', b: ?, c: [1, true, null]}",
        ),
        (r#"jsondecode("{\"a\": ${jsonencode([u1])}}")"#, "{a: [u1]}"),
        (r#"jsondecode("[1, ${u1}]")"#, "?"),
        (r#"jsondecode("{\"${u1}\": 1}")"#, "?"),
        (r#"jsondecode("{${u1}}")"#, "?"),
        ("jsondecode(u1)", "?"),
    ]);
}

#[test]
fn marks_cover_what_is_partly_known() {
    let mut names = unknowns();
    names.0.insert("secret", Value::string("hunter2").mark(true));
    let value = evaluate(r#""${u1}-${b1 ? secret : "x"}""#, &names, Mode::Extended).unwrap();
    assert!(value.sensitive && value.as_unknown().unwrap().partial.is_some());
    assert!(!airgate::check::display(&value).contains("hunter2"));
    let length = evaluate(r#"length(b1 ? secret : "hunter3")"#, &names, Mode::Extended).unwrap();
    assert!(length.sensitive && !length.is_unknown());
}

#[test]
fn partly_known_values_read_well() {
    let display = |text: &str| airgate::check::display(&evaluate(text, &unknowns(), Mode::Extended).unwrap());
    assert_eq!(display(r#""arn:aws:s3:::${u1}/*""#), r#""arn:aws:s3:::${t.u.u1}/*""#);
    assert_eq!(display(r#""${u2}-${l1[0]}""#), r#""${var.u2}-${var.l1}""#);
    assert_eq!(display(r#"b1 ? "a" : null"#), r#""a" or (not set)"#);
    assert_eq!(display("jsonencode({ a = u1 })"), "jsonencode({ a = t.u.u1 })");
}

#[test]
fn what_is_partly_known_is_bounded() {
    // Each doubles: as text it would be longer than any memory.
    let mut names = unknowns();
    for (name, seed) in [("t", r#""a${u1}""#), ("c", r#"b1 ? ["a"] : []"#), ("j", "jsonencode([u1])")] {
        let mut value = evaluate(seed, &names, Mode::Extended).unwrap();
        for _ in 0..100 {
            names.0.insert("it", value);
            let twice = match name {
                "t" => r#""${it}${it}""#,
                "c" => "b1 ? [it, it] : []",
                _ => "jsonencode([it, it])",
            };
            value = evaluate(twice, &names, Mode::Extended).unwrap();
            let partial = value.as_unknown().unwrap().partial.as_ref();
            assert!(partial.is_none_or(|partial| partial.parts() < Partial::MAX_PARTS));
        }
    }
}
