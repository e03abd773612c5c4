//! Questions to policies of which parts are not known, and the law that holds for all of them.

use std::sync::Arc;

use super::document::Policy;
use super::questions::{Answer, allows_on_every_resource, allows_whole_service, trusts_without_source};
use crate::value::{Cause, Partial, Piece, Reference, Truth, Type, Unknown, Value, json};

/// A string of `text`, in which `{}` is a hole that may be anything and `{address.attribute}` one that is an attribute.
fn holed(text: &str) -> Value {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("{}").into_iter().chain(rest.find("{aws_")).min() {
        let (known, hole) = rest.split_at(start);
        let (hole, after) = hole[1..].split_once('}').unwrap();
        if !known.is_empty() {
            pieces.push(Piece::Text(known.into()));
        }
        let reference = hole.rsplit_once('.').map(|(resource, attribute)| {
            Arc::new(Reference { resource: resource.into(), attribute: attribute.into() })
        });
        let cause = match &reference {
            Some(reference) => Cause::Resource(reference.clone()),
            None => Cause::Variable("x".into()),
        };
        pieces.push(Piece::Hole(Value { reference, ..Value::unknown(cause) }));
        rest = after;
    }
    if pieces.is_empty() {
        return Value::string(text);
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.into()));
    }
    partial(Partial::Template(pieces.into()))
}

fn partial(partial: Partial) -> Value {
    let unknown = Unknown::new(Cause::Variable("x".into()));
    Value::from_unknown(Unknown { ty: Type::String, not_null: true, partial: Some(partial), ..unknown })
}

/// A policy of these statements, as a heredoc.
fn policy(statements: &str) -> Policy {
    Policy::read(&holed(&format!("{{\"Statement\": {statements}}}")))
}

fn truth(answer: &Answer<'_>) -> Truth {
    answer.told.clone().map_or(Truth::Maybe, Truth::from)
}

fn passes_roles(statements: &str) -> Truth {
    truth(&allows_on_every_resource(&policy(statements), &["iam:PassRole"], &["iam:PassedToService"]))
}

fn is_whole(statements: &str) -> Truth {
    truth(&allows_whole_service(&policy(statements), &["bedrock", "s3"]))
}

#[test]
fn wide_allow_is_yes_scoped_is_no_and_a_condition_is_maybe() {
    let condition = |key: &str| {
        format!(
            r#"{{"Effect":"Allow","Action":"iam:*","Resource":"*","Condition":{{"StringEquals":{{"{key}":"x"}}}}}}"#
        )
    };
    for (statements, expected) in [
        (r#"{"Effect":"Allow","Action":"iam:*","Resource":"*"}"#, Truth::Yes),
        (r#"{"Effect":"Allow","Action":"iam:pass*","Resource":"arn:aws:iam::1:role/*"}"#, Truth::Yes),
        (r#"{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::1:role/x"}"#, Truth::No),
        (r#"{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}"#, Truth::Yes),
        (r#"{"Effect":"Allow","NotAction":["iam:*"],"Resource":"*"}"#, Truth::No),
        (&condition("iam:PassedToService"), Truth::No),
        (&condition("aws:RequestedRegion"), Truth::Maybe),
        (
            r#"[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"iam:*","Resource":"*"}]"#,
            Truth::No,
        ),
        (r#"{"effect":"Allow","action":"iam:*","resource":"*"}"#, Truth::Yes),
    ] {
        assert_eq!(passes_roles(statements), expected, "{statements}");
    }
}

#[test]
fn a_wildcard_beside_an_unknown_resource_is_seen() {
    for (statements, expected) in [
        (r#"{"Effect":"Allow","Action":"*","Resource":["{aws_s3_bucket.b.arn}/*","*"]}"#, Truth::Yes),
        (r#"{"Effect":"Allow","Action":"*","Resource":"{aws_s3_bucket.b.arn}/*"}"#, Truth::No),
        (
            r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:bedrock:{}::foundation-model/*"}"#,
            Truth::Yes,
        ),
        (r#"{"Effect":"Allow","Action":"*","Resource":"{}"}"#, Truth::Maybe),
        (r#"{"Effect":"Allow","Action":"*","Resource":{}}"#, Truth::Maybe),
        (r#"{"Effect":"Allow","Action":["s3:Get*",{}],"Resource":"*"}"#, Truth::Maybe),
        (r#"{"Effect":"Allow","Action":["bedrock:*",{}],"Resource":"*"}"#, Truth::Yes),
        (r#"{"Effect":"Allow","Action":["s3:Get{}"],"Resource":"*"}"#, Truth::No),
        (r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":{}}"#, Truth::No),
        (r#"[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{}]"#, Truth::Maybe),
        (r#"[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"},{}]"#, Truth::Maybe),
        ("{}", Truth::Maybe),
        (r#"{"Effect":"{}","Action":"s3:*","Resource":"*"}"#, Truth::Maybe),
        (r#"{"Effect":"{}","Action":"s3:Get*","Resource":"*"}"#, Truth::No),
        (r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{}}"#, Truth::Maybe),
    ] {
        assert_eq!(is_whole(statements), expected, "{statements}");
    }
}

#[test]
fn a_deny_takes_away_what_it_covers_and_an_unknown_one_may() {
    let with = |deny: &str| {
        format!(
            r#"[{{"Effect":"Allow","Action":"*","Resource":"*"}},{{"Effect":"Deny","Resource":"*",{deny}}}]"#
        )
    };
    for (deny, expected) in [
        (r#""Action":"*""#, Truth::No),
        (r#""Action":["bedrock:*","s3:*"]"#, Truth::No),
        // The other service is still whole.
        (r#""Action":"s3:*""#, Truth::Yes),
        (r#""Action":"{}""#, Truth::Maybe),
        (r#""Action":"iam:{}""#, Truth::Yes),
        (r#""NotAction":"iam:*""#, Truth::No),
        (r#""Action":"*","Condition":{"Bool":{"a":"b"}}"#, Truth::Yes),
        (r#""Action":"*","Condition":{}"#, Truth::Maybe),
    ] {
        assert_eq!(is_whole(&with(deny)), expected, "{deny}");
    }
    let narrow = r#"[{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":"*","Resource":["{aws_s3_bucket.b.arn}","{aws_s3_bucket.b.arn}/*"]}]"#;
    assert_eq!(is_whole(narrow), Truth::Yes);
}

#[test]
fn trust_without_source_is_told_only_of_roles_that_are_trusted() {
    let ask = |statement: &str| {
        trusts_without_source(&policy(statement), &["bedrock.amazonaws.com"]).map(|answer| truth(&answer))
    };
    let trust = |service: &str, condition: &str| {
        format!(
            r#"{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"Service":"{service}"}}{condition}}}"#
        )
    };
    assert_eq!(ask(&trust("lambda.amazonaws.com", "")), None);
    assert_eq!(ask(&trust("bedrock.amazonaws.com", "")), Some(Truth::Yes));
    let condition = r#","Condition":{"StringEquals":{"AWS:SourceAccount":"{}"}}"#;
    assert_eq!(ask(&trust("bedrock.amazonaws.com", condition)), Some(Truth::No));
    let condition = r#","Condition":{"StringEquals":{}}"#;
    assert_eq!(ask(&trust("bedrock.amazonaws.com", condition)), Some(Truth::Maybe));
    assert_eq!(ask(&trust("{}.amazonaws.com", "")), Some(Truth::Maybe));
    assert_eq!(ask(&trust("edge{}.amazonaws.com", "")), None);
    let account = r#"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"{}"}}"#;
    assert_eq!(ask(account), None);
}

#[test]
fn what_is_no_policy_is_not_told_and_not_shown() {
    for text in [
        "",
        "[]",
        "hunter2",
        r#"{"Statement": "hunter2"}"#,
        r#"{"Statement": [{"Effect": "hunter2", "Action": "*"}]}"#,
        r#"{"Statement": [{"Action": "*"}]}"#,
        r#"{"Statement": [{"Effect": "Allow", "Action": {"hunter2": 1}}]}"#,
        r#"{"Statement": [{"Effect": "Allow", "Action": "a", "action": "b"}]}"#,
    ] {
        let policy = Policy::read(&Value::string(text));
        let answer = allows_whole_service(&policy, &["s3"]);
        let cause = answer.told.unwrap_err().to_string();
        assert!(cause.contains("not a policy") && !cause.contains("hunter2"), "{text}: {cause}");
        assert_eq!(answer.what, None, "{text}");
    }
}

#[test]
fn the_deciding_words_are_shown_with_their_holes() {
    let statement = r#"{"Sid":"Models","Effect":"Allow","Action":["{}","s3:*"],
        "Resource":"arn:aws:bedrock:{aws_region.r.name}::foundation-model/*"}"#;
    let policy = policy(statement);
    let answer = allows_whole_service(&policy, &["s3"]);
    assert_eq!(answer.told, Ok(true));
    assert_eq!(answer.statement(), "Models");
    assert_eq!(answer.what.as_deref(), Some("s3:*"));
    assert_eq!(answer.on.as_deref(), Some("arn:aws:bedrock:${aws_region.r.name}::foundation-model/*"));
}

#[test]
fn documents_that_it_may_be_must_agree() {
    let document = |action: &str| {
        Value::string(format!(r#"{{"Statement":{{"Effect":"Allow","Action":"{action}","Resource":"*"}}}}"#))
    };
    let ask = |values: &[Value]| {
        truth(&allows_whole_service(&Policy::read(&partial(Partial::Choice(values.into()))), &["s3"]))
    };
    assert_eq!(ask(&[document("*"), document("s3:*")]), Truth::Yes);
    assert_eq!(ask(&[document("s3:Get*"), document("s3:Put*")]), Truth::No);
    assert_eq!(ask(&[document("s3:Get*"), document("s3:*")]), Truth::Maybe);
    assert_eq!(ask(&[document("s3:Get*"), Value::unknown(Cause::Plan)]), Truth::Maybe);
    let action = partial(Partial::Choice([Value::string("s3:*"), Value::string("*")].into()));
    let json = Value::object([(
        "Statement".into(),
        Value::object([
            ("Effect".into(), Value::string("Allow")),
            ("Action".into(), Value::tuple([action])),
            ("Resource".into(), Value::string("*")),
        ]),
    )]);
    let policy = Policy::read(&partial(Partial::Json(json)));
    assert_eq!(truth(&allows_whole_service(&policy, &["s3"])), Truth::Yes);
}

#[test]
fn a_sensitive_part_makes_the_policy_sensitive() {
    let secret = Value::string("s3:*").mark(true);
    let json = Value::object([(
        "Statement".into(),
        Value::object([("Effect".into(), Value::string("Allow")), ("Action".into(), Value::tuple([secret]))]),
    )]);
    assert!(Policy::read(&partial(Partial::Json(json))).sensitive);
    assert!(!policy("{}").sensitive);
}

/// Whatever fills the holes, an answer that was told before stays.
mod law {
    use super::*;

    /// Numbers that look random and are the same in every run.
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap() % sides
        }

        fn of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
            texts[self.roll(texts.len())]
        }
    }

    const ACTIONS: [&str; 12] = [
        "*",
        "s3:*",
        "s3:GetObject",
        "bedrock:{}",
        "{}:*",
        "{}",
        "s3:Get{}",
        "bedrock:InvokeModel",
        "b{}",
        "iam:PassRole",
        "bedrock:*{}",
        "iam:{}Role",
    ];
    const RESOURCES: [&str; 13] = [
        "*",
        "{}",
        "{}/*",
        "arn:aws:s3:::{}/*",
        "arn:aws:s3:::b-{}",
        "arn:aws:iam::{1}:role/*",
        "arn:aws:{1}:::*",
        "arn:aws:bedrock:{1}::foundation-model/{}",
        "arn:aws:bedrock:{1}::foundation-model/*",
        "{2}",
        "{2}/*",
        "arn:aws:s3:::{3}/*",
        "x{}y*",
    ];
    /// What a hole may become: `{}` anything, `{1}` a part of an ARN, `{2}` a bucket's ARN, `{3}` its name.
    const ANY: [&str; 14] = [
        "",
        "*",
        "x",
        "s3:*",
        "GetObject",
        "s3",
        "Get",
        "edrock:*",
        "bedrock",
        "arn:aws:s3:::*",
        "arn:aws:bedrock:*::foundation-model",
        "PassRole",
        "a/*",
        "?",
    ];
    const PARTS: [&str; 5] = ["", "eu-central-1", "*", "111122223333", "s3"];

    fn statement(dice: &mut Dice) -> String {
        let effect = dice.of(&["Allow", "Allow", "Allow", "Deny", "{4}"]);
        let list = |dice: &mut Dice, texts: &[&str]| {
            let count = 1 + dice.roll(2);
            let items: Vec<String> = (0..count).map(|_| format!("\"{}\"", dice.of(texts))).collect();
            if items.len() == 1 { items.concat() } else { format!("[{}]", items.join(",")) }
        };
        let which = dice.of(&["Action", "Action", "Action", "NotAction"]);
        let actions = list(dice, &ACTIONS);
        let (resource, resources) = match dice.roll(5) {
            0 => ("NotResource", list(dice, &RESOURCES)),
            1 => ("Resource", "\"*\"".to_owned()),
            _ => ("Resource", list(dice, &RESOURCES)),
        };
        let condition =
            dice.of(&["", "", "", r#","Condition":{"StringEquals":{"iam:PassedToService":"{}"}}"#]);
        let principal = dice.of(&["bedrock.amazonaws.com", "{}.amazonaws.com", "{}", "ec2.amazonaws.com"]);
        format!(
            r#"{{"Effect":"{effect}","{which}":{actions},"{resource}":{resources},"Principal":{{"Service":"{principal}"}}{condition}}}"#
        )
    }

    /// The text with its holes, and the text with the holes filled.
    fn both(pattern: &str, dice: &mut Dice) -> (String, String) {
        let (mut open, mut filled) = (String::new(), String::new());
        let mut rest = pattern;
        while let Some(start) =
            ["{}", "{1}", "{2}", "{3}", "{4}"].iter().filter_map(|hole| rest.find(hole)).min()
        {
            let (known, hole) = rest.split_at(start);
            let (sort, after) = hole[1..].split_once('}').unwrap();
            let (hole, text) = match sort {
                "1" => ("{}", dice.of(&PARTS)),
                "2" => ("{aws_s3_bucket.b.arn}", "arn:aws:s3:::corpus"),
                "3" => ("{aws_s3_bucket.b.id}", "corpus"),
                "4" => ("{}", dice.of(&["Allow", "Deny"])),
                _ => ("{}", dice.of(&ANY)),
            };
            open.push_str(known);
            open.push_str(hole);
            filled.push_str(known);
            filled.push_str(text);
            rest = after;
        }
        (open + rest, filled + rest)
    }

    /// All that is asked, of one policy.
    fn answers(policy: &Policy) -> Vec<Truth> {
        let mut all = vec![
            truth(&allows_whole_service(policy, &["s3"])),
            truth(&allows_whole_service(policy, &["bedrock", "iam"])),
            truth(&allows_on_every_resource(policy, &["bedrock:InvokeModel"], &[])),
            truth(&allows_on_every_resource(policy, &["iam:PassRole"], &["iam:PassedToService"])),
        ];
        let trust = trusts_without_source(policy, &["bedrock.amazonaws.com"]);
        all.push(trust.map_or(Truth::No, |answer| truth(&answer)));
        all
    }

    #[test]
    fn what_is_told_holds_for_every_text_in_the_holes() {
        let mut dice = Dice(7);
        let (mut told, mut open) = (0, 0);
        for _ in 0..800 {
            let count = 1 + dice.roll(3);
            let statements: Vec<String> = (0..count).map(|_| statement(&mut dice)).collect();
            let pattern = format!("{{\"Statement\":[{}]}}", statements.join(","));
            let (text, _) = both(&pattern, &mut dice);
            let before = answers(&Policy::read(&holed(&text)));
            for _ in 0..4 {
                let (_, filled) = both(&pattern, &mut dice);
                let after = answers(&Policy::read(&Value::string(filled.as_str())));
                for (before, after) in before.iter().zip(&after) {
                    if *before == Truth::Maybe {
                        open += 1;
                        continue;
                    }
                    told += 1;
                    assert_eq!(before, after, "\n{text}\n{filled}");
                }
            }
        }
        assert!(told > 6_000 && open > 1_500, "{told} told, {open} open");
    }

    #[test]
    fn a_heredoc_and_an_encoded_value_say_the_same() {
        let mut dice = Dice(11);
        for _ in 0..300 {
            let (text, _) = both(&format!("{{\"Statement\":[{}]}}", statement(&mut dice)), &mut dice);
            let heredoc = holed(&text);
            let pieces = match &heredoc.as_unknown().map(|unknown| unknown.partial.clone()) {
                Some(Some(Partial::Template(pieces))) => pieces.to_vec(),
                _ => continue,
            };
            let encoded = partial(Partial::Json(json::read_pieces(&pieces, json::Dialect::Policy).unwrap()));
            assert_eq!(answers(&Policy::read(&heredoc)), answers(&Policy::read(&encoded)), "{text}");
        }
    }
}
