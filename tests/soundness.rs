//! What extended mode knows more than Terraform: properties of thousands of generated expressions.
//!
//! *Projection*: without what is partly known, extended mode knows what strict mode knows, and alike. *Soundness*: whatever
//! the unknowns turn out to be, the value that strict mode then gives is one that the extended value admits.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail the test")]

use std::collections::BTreeMap;

use airgate::eval::Mode;
use airgate::value::json::{self, Dialect};
use airgate::value::{Element, Kind, Map, Partial, Piece, Times, Truth, Type, Value, equal};

use expressions::{Names, evaluate, show, unknowns};

#[path = "common/expressions.rs"]
mod expressions;

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    /// One of the templates, with each `@S`, `@N`, `@B`, `@L` and `@O` replaced by an expression of that type.
    fn fill(&mut self, of: &[&str], depth: usize) -> String {
        let mut parts = of[self.roll(of.len())].split('@');
        let mut out = parts.next().unwrap().to_owned();
        for part in parts {
            let (kind, after) = part.split_at(1);
            out.push_str(&match (kind, depth) {
                ("S", 0) => self.fill(STRING_LEAVES, 0),
                ("S", _) => self.fill(STRINGS, depth - 1),
                ("N", 0) => self.fill(&["1", "2", "n1", "10"], 0),
                ("N", _) => self.fill(NUMBERS, depth - 1),
                ("B", 0) => self.fill(&["b1", "b2", "true"], 0),
                ("B", _) => self.fill(BOOLS, depth - 1),
                ("L", 0) => self.fill(&["l1", r#"["a", u1]"#, "tolist([u2])", "[]"], 0),
                ("L", _) => self.fill(LISTS, depth - 1),
                ("O", 0) => self.fill(&["o1", r#"{ a = "x", b = 1 }"#, "{ a = u1, b = n1 }"], 0),
                _ => self.fill(OBJECTS, depth.saturating_sub(1)),
            });
            out.push_str(after);
        }
        out
    }
}

const STRING_LEAVES: &[&str] =
    &["u1", "u2", "u3", r#""a""#, r#""b-c""#, r#""x/""#, r#""é""#, "\"\"", "any", "null"];

const STRINGS: &[&str] = &[
    r#""${@S}-${@S}""#,
    r#""x/${@S}""#,
    r#""${@S}:y""#,
    r#""e${@S}é${@N}""#,
    r#""  ${@S} ""#,
    r#""%{ if @B }p${@S}%{ else }q%{ endif }z""#,
    r#""%{ for x in @L }${x},%{ endfor }""#,
    "(@B ? @S : @S)",
    "(@B ? @S : @S)",
    "upper(@S)",
    "lower(@S)",
    "title(@S)",
    "trimspace(@S)",
    "chomp(@S)",
    r#"trim(@S, "xz-")"#,
    r#"trimprefix(@S, "x/")"#,
    "trimprefix(@S, @S)",
    r#"trimsuffix(@S, "z")"#,
    r#"replace(@S, "-", "_")"#,
    r#"replace(@S, "b-", "/")"#,
    r#"join("-", @L)"#,
    "join(@S, [@S, @S], @L)",
    r#"format("%s/%s", @S, @S)"#,
    r#"format("a%v-%q%03d%%", @S, @S, @N)"#,
    "coalesce(@S, @S)",
    "coalesce(null, @S, @S)",
    "try(@S, @S)",
    "try(@L[@N], @S, @S)",
    "lookup({ a = @S, b-c = @S }, @S, @S)",
    "lookup({ a = @S, b = @S }, @S)",
    "{ a = @S, x = @S }[@S]",
    "element(@L, @N)",
    "@L[@N]",
    "@O.a",
    "tostring(@N)",
    "tostring(@B)",
    "substr(@S, 0, 2)",
    "jsonencode(@S)",
    "jsonencode([@S, @N, @O])",
    "jsonencode({ k = @S, l = @L, m = @B })",
    "jsonencode(@O)",
    "jsondecode(jsonencode({ k = @S, l = @L })).k",
    r#"jsondecode("{\"k\": \"-${u1}\", \"l\": [\"${u2}\", 1]}").l[0]"#,
    r#"jsondecode("{\"k\": \"${@B ? u1 : u2}/x\", \"l\": [${@N}]}").k"#,
    r#"jsondecode("{\"k\": [\"x\", ${n1}], \"${u2}\": \"e${u3}é\", \"l\": \"${@B ? u1 : u2}\"}")["l"]"#,
    r#"jsondecode("[{\"${u1}\": 1}, [${n1}], ${jsonencode(@S)}, \"é${u2}\"]")[3]"#,
    "base64encode(@S)",
    "sha256(@S)",
    "one([@S])",
    "one(@L)",
    "[@S, @S][@N]",
    "@S",
];

const NUMBERS: &[&str] = &[
    "@N + @N",
    "-@N",
    "@N * 2",
    "length(@S)",
    "length(@L)",
    "(@B ? @N : @N)",
    "@O.b",
    "max(@N, @N)",
    "tonumber(@S)",
    "index(@L, @S)",
    "length(@O)",
    "try(@N, 3)",
    "@N",
];

const BOOLS: &[&str] = &[
    "(@S == @S)",
    "(@S != @S)",
    r#"(@S == "a")"#,
    r#"(@S == "x/a")"#,
    "(@S == null)",
    "(@N < @N)",
    "(@N == @N)",
    "(@L == @L)",
    "((b1 ? [any, 1] : [2]) == @L)",
    r#"((b1 ? { a = any, b = 1 } : { a = 1, b = @N }) == { a = "x", b = @N })"#,
    r#"((b2 ? { a = [any, 1] } : { a = [2] }) == { a = tolist(["x"]) })"#,
    "(@O == @O)",
    "(!@B)",
    "(@B && @B)",
    "(@B || @B)",
    "(@B ? @B : @B)",
    r#"startswith(@S, "x/")"#,
    "startswith(@S, @S)",
    r#"endswith(@S, "z")"#,
    r#"strcontains(@S, "-")"#,
    "contains(@L, @S)",
    r#"contains(["a", "x/a"], @S)"#,
    "can(tonumber(@S))",
    "alltrue([@B, @B])",
    "anytrue([for x in @L : x == @S])",
    r#"alltrue([for x in @L : x != "a"])"#,
    "anytrue([@B, @B])",
    r#"anytrue([for x in flatten([@L, [split("-", u1)]]) : x == "a"])"#,
    "@B",
];

const LISTS: &[&str] = &[
    "[@S, @S]",
    "tolist([@S, @S])",
    "[@S]",
    "(@B ? @L : @L)",
    "(b1 ? [any, @N] : [@N])",
    "(b2 ? [any, @S] : l1)",
    "concat(@L, @L)",
    "[for x in @L : x]",
    r#"[for x in @L : "${x}-" if @B]"#,
    "[for x in @L : x if x != @S]",
    "[for x in toset(@L) : x if x != u3]",
    r#"[for x in concat(@L, split("-", u1)) : "${x}/"]"#,
    r#"concat(split("-", u2), @L)"#,
    r#"formatlist("%s/*", @L)"#,
    r#"formatlist("%s:%s", @S, @L)"#,
    r#"split("-", @S)"#,
    "([@O, @O][*].a)",
    "((@B ? [@O] : [])[*].a)",
    "reverse(@L)",
    "slice(@L, 0, 1)",
    "compact(@L)",
    "distinct(@L)",
    "sort(@L)",
    "flatten([@L, @L])",
    r#"flatten([@L, split("-", u1), [[@S], @S]])"#,
    r#"flatten([for x in concat(@L, split("-", u1)) : concat([x], split("-", u2))])"#,
    "values({ x = @S, y = @S })",
    "try(@L, [])",
    "tolist(toset(@L))",
    "jsondecode(jsonencode(@L))",
    r#"jsondecode("[{\"${u1}\": 1}, [${n1}], ${jsonencode(@S)}, \"é${u2}\"]")"#,
    r#"jsondecode("[${jsonencode(@L)}, [\"a\", ${n1}], ${n1}]")[@N]"#,
    "@L",
];

const OBJECTS: &[&str] = &[
    "{ a = @S, b = @N }",
    "(@B ? @O : @O)",
    "(b1 ? { a = any, b = @N } : { a = @N, b = @N })",
    "merge(@O, { a = @S })",
    "[@O, @O][@N]",
    "jsondecode(jsonencode(@O))",
    r#"jsondecode("{\"a\": \"x${u1}\", \"b\": ${@N}}")"#,
    "try(@O, { a = @S, b = 1 })",
    "lookup({ x = @O }, @S, @O)",
    "@O",
];

/// What the unknowns may turn out to be.
fn concrete(dice: &mut Dice) -> Names {
    let string = |dice: &mut Dice| {
        const TEXTS: &[&str] =
            &["", "a", "b-c", "x/y", "Prod z", " pad ", "\u{301}x", "é", "1", "true", "x/", "-", "z", "A"];
        Value::string(TEXTS[dice.roll(TEXTS.len())])
    };
    let number = |dice: &mut Dice| Value::int(i64::try_from(dice.roll(4)).unwrap());
    let list = (0..dice.roll(4)).map(|_| string(dice)).collect::<Vec<_>>();
    let mut names: BTreeMap<&'static str, Value> = [
        ("l1", Value::list(list)),
        ("n1", number(dice)),
        ("b1", Value::bool(dice.roll(2) == 0)),
        ("b2", Value::bool(dice.roll(2) == 0)),
        ("o1", Value::object([("a".into(), string(dice)), ("b".into(), number(dice))])),
    ]
    .into();
    names.extend(["u1", "u2", "u3"].map(|name| (name, string(dice))));
    let any = match dice.roll(7) {
        0 => number(dice),
        1 => Value::NULL,
        2 => Value::bool(dice.roll(2) == 0),
        3 => Value::tuple([string(dice), number(dice)]),
        4 => Value::object([("a".into(), number(dice))]),
        _ => string(dice),
    };
    names.insert("any", any);
    // An empty list of a type, which no constructor tells.
    if names["l1"].items().is_some_and(<[Value]>::is_empty) {
        names.insert("l1", Value::list([]));
    }
    Names(names)
}

/// Whether a value that is known may be what another one turns out to be.
fn admits(value: &Value, concrete: &Value) -> bool {
    let Kind::Unknown(unknown) = &value.kind else { return is_structure_of(value, concrete, admits) };
    if concrete.is_null() {
        let null = |all: &[Value]| all.iter().any(|value| admits(value, concrete));
        return !unknown.not_null && unknown.alternatives().is_none_or(null);
    }
    if unknown.ty.conflicts(&Type::of(concrete)) {
        return false;
    }
    let text = concrete.as_str();
    text.is_none_or(|text| text.starts_with(unknown.prefix.as_str()))
        && match &unknown.partial {
            None => true,
            Some(Partial::Choice(all)) => all.iter().any(|value| admits(value, concrete)),
            Some(Partial::Template(pieces)) => text.is_some_and(|text| spells(pieces, 0, text)),
            Some(Partial::Elements(all)) => concrete.items().is_some_and(|items| collects(all, items)),
            Some(Partial::Json(json)) => text
                .and_then(|text| json::read(text, Dialect::Terraform).ok())
                .is_some_and(|text| writes(json, &text)),
        }
}

/// Whether the elements may be those of a list, in any order. What is there once more is another one, and two that are
/// there may be one.
fn collects(elements: &[Element], items: &[Value]) -> bool {
    /// Whether each item can have an element of its own.
    fn all_have_one(elements: &[&Element], items: &[Value]) -> bool {
        let Some((item, rest)) = items.split_first() else { return true };
        elements.iter().enumerate().filter(|(_, element)| admits(&element.value, item)).any(
            |(at, element)| {
                let mut left = elements.to_vec();
                if element.times != Times::Any {
                    left.remove(at);
                }
                all_have_one(&left, rest)
            },
        )
    }
    let mut certain = elements.iter().filter(|element| element.times == Times::Once);
    certain.all(|element| items.iter().any(|item| admits(&element.value, item)))
        && all_have_one(&elements.iter().collect::<Vec<_>>(), items)
}

/// Whether the parts of two values that are known at the top are `alike`.
fn is_structure_of(value: &Value, concrete: &Value, alike: fn(&Value, &Value) -> bool) -> bool {
    match (value.map(), concrete.map(), value.items(), concrete.items()) {
        (Some(a), Some(b), ..) => {
            a.keys().eq(b.keys()) && a.values().zip(b.values()).all(|(a, b)| alike(a, b))
        }
        // What is not known may be equal to another element.
        (_, _, Some(a), Some(b)) if matches!(value.kind, Kind::Set(_)) => {
            b.iter().all(|b| a.iter().any(|a| alike(a, b))) && a.iter().all(|a| b.iter().any(|b| alike(a, b)))
        }
        (_, _, Some(a), Some(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b)),
        _ => equal(value, concrete) == Truth::Yes,
    }
}

/// Whether `json`, written, may be the document `text`.
fn writes(json: &Value, text: &Value) -> bool {
    match &json.kind {
        Kind::Unknown(unknown) if unknown.ty.is_primitive() => admits(json, text),
        Kind::Unknown(unknown) => match unknown.alternatives() {
            Some(all) => all.iter().any(|value| writes(value, text)),
            None => !(unknown.not_null && text.is_null()),
        },
        _ => is_structure_of(json, text, writes),
    }
}

/// Whether the pieces after `at` may make `text`.
fn spells(pieces: &[Piece], at: usize, text: &str) -> bool {
    let Some(piece) = pieces.get(at) else { return text.is_empty() };
    // What an accent in a hole may change belongs to the hole.
    let many = pieces.len() > 1;
    match piece {
        Piece::Text(_) => {
            let sure = piece.sure(many && at > 0, at + 1 < pieces.len());
            text.strip_prefix(sure).is_some_and(|rest| spells(pieces, at + 1, rest))
        }
        Piece::Hole(_) => {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|end| spells(pieces, at + 1, &text[end..]))
        }
    }
}

/// Whether `extended` says all that `strict` says.
fn knows_no_less(strict: &Value, extended: &Value) -> bool {
    match (&strict.kind, &extended.kind) {
        (Kind::Unknown(strict), Kind::Unknown(extended)) => {
            (extended.not_null || !strict.not_null) && extended.prefix.starts_with(strict.prefix.as_str())
        }
        (Kind::Unknown(strict), Kind::Null) => !strict.not_null,
        (Kind::Unknown(strict), Kind::String(text)) => text.starts_with(strict.prefix.as_str()),
        (Kind::Unknown(_), _) => true,
        _ if extended.is_unknown() => false,
        _ => {
            // That a branch of a conditional is a list may be known only now.
            is_structure_of(strict, extended, knows_no_less)
        }
    }
}

/// Counts what is partly known in a value, by kind.
fn count(value: &Value, counts: &mut BTreeMap<&'static str, usize>) {
    if let Some(partial) = value.as_unknown().and_then(|unknown| unknown.partial.as_ref()) {
        let name = match partial {
            Partial::Template(_) => "template",
            Partial::Json(_) => "json",
            Partial::Choice(_) => "choice",
            Partial::Elements(_) => "elements",
        };
        *counts.entry(name).or_default() += 1;
    }
    let held = value.items().unwrap_or_default().iter().chain(value.map().into_iter().flat_map(Map::values));
    held.for_each(|item| count(item, counts));
}

#[test]
fn extended_mode_is_sound_and_knows_no_less_than_terraform() {
    let mut dice = Dice(0x2545_F491_4F6C_DD1D);
    let unknowns = unknowns();
    let mut counts = BTreeMap::new();
    let (mut substituted, mut more) = (0, 0);
    for _ in 0..CASES {
        let depth = 1 + dice.roll(3);
        let text = dice.fill(&["@S", "@S", "@S", "@B", "@L", "@N", "@O"], depth);
        let [strict, extended] = [Mode::Strict, Mode::Extended].map(|mode| evaluate(&text, &unknowns, mode));
        let Ok(strict) = strict else { continue };
        let mut in_strict = BTreeMap::new();
        count(&strict, &mut in_strict);
        assert!(in_strict.is_empty(), "{text}\n{}", show(&strict));
        if let Ok(extended) = &extended {
            assert!(knows_no_less(&strict, extended), "{text}\n{strict:?}\n{extended:?}");
            assert!(knows_no_less(&strict, &extended.without_partial()), "{text}");
            let mut plain = BTreeMap::new();
            count(&extended.without_partial(), &mut plain);
            assert!(plain.is_empty(), "{text}");
            count(extended, &mut counts);
            more += usize::from(extended.is_wholly_known() && !strict.is_wholly_known());
        }
        for _ in 0..4 {
            let names = concrete(&mut dice);
            let Ok(concrete) = evaluate(&text, &names, Mode::Strict) else { continue };
            // Terraform itself promises too much now and then: a branch in error that is not taken has no type, and of what
            // it knows no type beside a number it says that it is one.
            if !concrete.is_wholly_known() || !admits(&strict, &concrete) {
                continue;
            }
            substituted += 1;
            let context = || {
                format!(
                    "{text}\nwith {:?}\ngives {}",
                    names.0.iter().map(|(k, v)| (k, show(v))).collect::<Vec<_>>(),
                    show(&concrete)
                )
            };
            match &extended {
                Ok(extended) => {
                    assert!(admits(extended, &concrete), "{}\nnot {}", context(), show(extended));
                }
                Err(message) => panic!("{}\nbut {message}", context()),
            }
        }
    }
    let kinds: Vec<_> = counts.values().copied().collect();
    assert!(substituted > CASES && more > 50, "{substituted} substituted, {more} known at once");
    assert!(kinds.len() == 4 && kinds.iter().all(|count| *count > 50), "{counts:?}");
}

const CASES: usize = 4_000;
