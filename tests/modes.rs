//! Extended mode may only know more: what strict mode knows of an expression, extended mode knows as well, and alike.
//! Also that no expression of thousands panics, and that no message shows what is sensitive.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail the test")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use airgate::eval::{Mode, Scope, try_evaluate};
use airgate::hcl::parse_expression;
use airgate::source::Sources;
use airgate::value::{Cause, Map, Reference, Truth, Type, Unknown, Value, equal};

/// `unk` is an unknown attribute, `any` a variable without type and value, `secret` is sensitive.
struct Names;

impl Scope for Names {
    fn lookup(&self, root: &str, _: &[&str]) -> Result<(Value, usize), String> {
        let value = match root {
            "unk" => {
                let reference = Arc::new(Reference { resource: "t.unk".into(), attribute: "id".into() });
                let cause = Cause::Resource(Arc::clone(&reference));
                let unknown = Unknown { ty: Type::String, not_null: true, ..Unknown::new(cause) };
                Value { reference: Some(reference), ..Value::from_unknown(unknown) }
            }
            "any" => Value::unknown(Cause::Variable("any".into())),
            "secret" => Value::string("hunter2").mark(true),
            _ => return Err(format!("`{root}` is not declared")),
        };
        Ok((value, 0))
    }
}

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        &of[usize::try_from(self.0 % of.len() as u64).unwrap()]
    }
}

fn expressions() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/truth");
    let text = fs::read_to_string(folder.join("operators.txt")).unwrap();
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(str::to_owned).collect()
}

fn combined(dice: &mut Dice, all: &[String]) -> String {
    let mut text = dice.pick(all).clone();
    for _ in 0..*dice.pick(&[1, 2, 3]) {
        let other = dice.pick(all);
        match dice.pick(&[0, 1, 2, 3]) {
            0 => {
                let operator = dice.pick(&["==", "!=", "&&", "||", "+", "/", "%", "<"]);
                text = format!("({text}) {operator} ({other})");
            }
            1 => text = format!("any == 1 ? {text} : {other}"),
            2 => {
                let step = dice.pick(&["", "[0]", "[*].a", "[any]"]);
                text = format!("[for x in [{text}, {other}]: x]{step}");
            }
            _ => {
                let hole = dice.pick(&["unk", "any", "secret", "null", "[]", "{}", "(unk == \"a\")"]);
                text = text.replacen(|c: char| c.is_ascii_digit(), hole, 1);
            }
        }
    }
    text
}

/// Whether anything in a value is partly known.
fn has_partial(value: &Value) -> bool {
    let mut held = value.items().into_iter().flatten().chain(value.map().into_iter().flat_map(Map::values));
    value.as_unknown().is_some_and(|unknown| unknown.partial.is_some()) || held.any(has_partial)
}

#[test]
fn extended_mode_never_contradicts_strict_mode() {
    let all = expressions();
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let (mut compared, mut told_more, mut partial) = (0, 0, 0);
    for _ in 0..20_000 {
        let text = combined(&mut dice, &all);
        let mut sources = Sources::default();
        let file = sources.add("x.tf", text.as_str());
        let arena = bumpalo::Bump::new();
        let (expr, diagnostics) = parse_expression(&text, file, &arena);
        if !diagnostics.is_empty() {
            continue;
        }
        let [strict, extended] =
            [Mode::Strict, Mode::Extended].map(|mode| try_evaluate(&expr, file, &Names, mode));
        for error in [&strict, &extended].into_iter().filter_map(|result| result.as_ref().err()) {
            assert!(!error.message.contains("hunter2"), "{text}: {}", error.message);
        }
        // Knowing more may also mean to know of an error that Terraform finds at apply.
        let (Ok(strict), Ok(extended)) = (strict, extended) else { continue };
        // What extended mode knows more is told apart, and strict mode knows nothing of it.
        assert!(!has_partial(&strict), "{text}\n{strict:?}");
        assert!(!has_partial(&extended.without_partial()), "{text}");
        partial += usize::from(has_partial(&extended));
        if strict.is_wholly_known() {
            assert_eq!(equal(&strict, &extended), Truth::Yes, "{text}\n{strict:?}\n{extended:?}");
            compared += 1;
        } else if extended.is_wholly_known() {
            told_more += 1;
        }
    }
    assert!(compared > 1_000 && told_more > 50, "{compared} compared, {told_more} told more");
    assert!(partial > 1_000, "{partial} partly known");
}
