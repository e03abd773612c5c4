//! Many roles, and policies made to take long: the work grows as the statements do, what is cut off or wrong is told with its
//! place, and nothing passes because of it.

#![cfg(test)]

#[path = "common/program.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod program;
#[path = "common/resources.rs"]
mod resources;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use airgate::config::Config;
use airgate::facts::Facts;
use airgate::facts::iam::principals::Identity;
use airgate::facts::iam::{Query, analysis};
use airgate::graph::ResourceGraph;
use airgate::iam::work;
use airgate::program::{Link, Program, Resource};
use airgate::value::{Cause, Kind, Reference, Truth, Value};
use program::{Dir, Run};
use resources::resource;
use serde_json::json;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}"#;

/// Roles, each with the policies that `of` gives its number.
fn roles(count: usize, of: impl Fn(usize) -> Vec<String>) -> ResourceGraph {
    let mut resources = Vec::new();
    for role in 0..count {
        let name = format!("r{role}");
        resources.push(resource(
            "aws_iam_role",
            &name,
            [("name", name.as_str()), ("assume_role_policy", TRUST)],
        ));
        for (at, policy) in of(role).iter().enumerate() {
            let label = format!("r{role}_{at}");
            let held = [("role", name.as_str()), ("policy", policy.as_str())];
            resources.push(resource("aws_iam_role_policy", &label, held));
        }
    }
    ResourceGraph::build(Program { resources, ..Program::default() })
}

fn policy(statements: &[String]) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}

fn allow(action: &str, resource: &str) -> String {
    format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}"#)
}

/// A role's own policies: no two roles have one text.
fn varied(role: usize) -> Vec<String> {
    let bucket = format!("arn:aws:s3:::b{role}/*");
    let mut first = vec![allow("s3:GetObject", &bucket), allow("bedrock:InvokeModel", "*")];
    if role.is_multiple_of(3) {
        first.push(allow("iam:PassRole", &format!("arn:aws:iam::1:role/r{role}")));
    }
    let second = [allow("logs:*", "*"), allow("sagemaker:CreateTrainingJob", &bucket)];
    let deny = format!(r#"{{"Effect":"Deny","Action":"s3:Delete*","Resource":"{bucket}"}}"#);
    vec![policy(&first), policy(&second), policy(&[deny])]
}

/// How often statements are compared while every role is asked for every way of escalation.
fn work_of(count: usize) -> u64 {
    let (graph, config) = (roles(count, varied), Config::default());
    let facts = Facts::new(&graph, &config);
    let escalates = analysis("iam.escalates").unwrap();
    let categories = ["pass-role", "take-over", "credentials", "tampering"].map(str::to_owned);
    let before = work::coverings();
    for node in facts.identities().keys() {
        assert!(escalates(&facts, *node, Query { args: &categories, words: true }).is_some());
    }
    work::coverings() - before
}

#[test]
fn work_grows_as_roles_do_and_no_faster() {
    let (some, double) = (work_of(60), work_of(120));
    assert_eq!(double, 2 * some);
    // Of more than a hundred actions that are asked of each role, most are of services that none of its statements names.
    assert!(some < 60 * 25, "{some} comparisons");
}

#[test]
fn a_question_looks_only_at_the_statements_of_its_service() {
    let many = |_: usize| {
        let of_others = (0..2000).map(|at| allow(&format!("s3:Get{at}"), "*"));
        let own = (0..3).map(|at| allow("bedrock:InvokeModel", &format!("arn:aws:bedrock:::m{at}")));
        vec![policy(&of_others.chain(own).collect::<Vec<_>>())]
    };
    let (graph, config) = (roles(1, many), Config::default());
    let facts = Facts::new(&graph, &config);
    let role = facts.identities().values().next().unwrap();
    for (action, ways, compared) in
        [("bedrock:InvokeModel", 3, 3), ("BEDROCK:InvokeModel", 3, 3), ("sqs:SendMessage", 0, 0)]
    {
        let before = work::coverings();
        assert_eq!(role.ways(action).len(), ways, "{action}");
        assert_eq!(work::coverings() - before, compared, "{action}");
    }
}

/// Knowledge bases, each with a role that reads the bucket of its source; `of` tells the name of that bucket.
fn knowledge_bases(count: usize, of: impl Fn(usize) -> String) -> ResourceGraph {
    const OWN: &str = r#","Condition":{"StringEquals":{"aws:ResourceAccount":"111122223333"}}}"#;
    let mut resources = Vec::new();
    for at in 0..count {
        let name = format!("k{at}");
        let bucket = format!("arn:aws:s3:::{}", of(at));
        let below = format!("{bucket}/*");
        let read = [allow("s3:ListBucket", &bucket), allow("s3:GetObject", &below)];
        let read = policy(&read.map(|statement| statement.replace('}', OWN)));
        let link = |path: &str, resource: &str, attribute: &str| Link {
            path: path.into(),
            target: Arc::new(Reference {
                resource: format!("{resource}.{name}").into(),
                attribute: attribute.into(),
            }),
        };
        let (role, base) = ("aws_iam_role", "aws_bedrockagent_knowledge_base");
        let source = "data_source_configuration.s3_configuration.bucket_arn";
        for (ty, attributes, links) in [
            (role, [("name", name.as_str()), ("path", "/")], vec![]),
            ("aws_iam_role_policy", [("role", name.as_str()), ("policy", &read)], vec![]),
            ("aws_s3_bucket", [("bucket", &*of(at)), ("region", "eu-west-1")], vec![]),
            (base, [("name", name.as_str()), ("region", "eu-west-1")], vec![link("role_arn", role, "arn")]),
            (
                "aws_bedrockagent_data_source",
                [("name", name.as_str()), ("region", "eu-west-1")],
                vec![link("knowledge_base_id", base, "id"), link(source, "aws_s3_bucket", "arn")],
            ),
        ] {
            resources.push(Resource { references: links, ..resource(ty, &name, attributes) });
        }
    }
    ResourceGraph::build(Program { resources, ..Program::default() })
}

#[test]
fn knowledge_bases_are_not_compared_with_every_bucket() {
    let steps = |count: usize, of: &dyn Fn(usize) -> String| {
        let (graph, config) = (knowledge_bases(count, of), Config::default());
        let facts = Facts::new(&graph, &config);
        let beyond = analysis("iam.reads_beyond_sources").unwrap();
        let actions = ["s3:GetObject", "s3:ListBucket"].map(str::to_owned);
        let bases = graph.by_type("aws_bedrockagent_knowledge_base");
        let before = work::steps();
        let beyond = |base| beyond(&facts, base, Query { args: &actions, words: true }).unwrap();
        let held = bases.iter().filter(|base| beyond(**base).holds == Truth::Yes).count();
        (held, work::steps() - before)
    };
    // Names that others begin with, and one name for the buckets of all copies of a module: whose a copy reads is not sure.
    let (prefixes, copies) = (|at: usize| format!("b{at}"), |_: usize| "same".to_owned());
    for (of, hold) in [(&prefixes as &dyn Fn(usize) -> String, 1), (&copies, 0)] {
        let (some, double) = (steps(200, of), steps(400, of));
        assert_eq!((some.0, double.0), (200 * hold, 400 * hold));
        assert!(double.1 < 2 * some.1 + some.1 / 10, "{some:?} and {double:?} steps");
        assert!(some.1 < 200 * 2000, "{some:?} steps");
    }
}

#[test]
fn one_text_is_read_once_and_one_set_of_policies_is_asked_once() {
    let same = |role: usize| {
        let kind = role % 4;
        vec![
            policy(&[allow("iam:PassRole", &format!("arn:aws:iam::1:role/r{kind}"))]),
            policy(&[allow("s3:*", "*")]),
        ]
    };
    let (graph, config) = (roles(100, same), Config::default());
    let facts = Facts::new(&graph, &config);
    let documents: BTreeSet<_> = facts
        .identities()
        .values()
        .flat_map(|it| it.holdings.iter().map(|holding| Arc::as_ptr(&holding.policy)))
        .collect();
    assert_eq!(documents.len(), 5, "of 200 policies with five texts");
    let before = work::coverings();
    for role in facts.identities().values() {
        assert_eq!(role.ways("iam:PassRole").len(), 1);
        assert_eq!(role.ways("iam:PassRole").len(), 1);
        assert_eq!(role.questions(), 1);
    }
    assert_eq!(work::coverings() - before, 4, "one comparison for each of four sets of policies");
}

#[test]
fn policies_that_differ_are_not_taken_for_one() {
    let two = |role: usize| vec![policy(&[allow(if role == 0 { "s3:Get*" } else { "s3:Put*" }, "*")])];
    let (graph, config) = (roles(2, two), Config::default());
    let facts = Facts::new(&graph, &config);
    let ways: Vec<usize> = facts.identities().values().map(|it| it.ways("s3:GetObject").len()).collect();
    assert_eq!(ways, [1, 0]);
}

/// Roles with a policy that is known and one that is not, for the reason of its number.
fn half_known(count: usize, why: impl Fn(usize) -> Cause) -> ResourceGraph {
    let mut resources = Vec::new();
    for role in 0..count {
        let name = format!("r{role}");
        let trust = [("name", name.as_str()), ("assume_role_policy", TRUST)];
        resources.push(resource("aws_iam_role", &name, trust));
        let known = policy(&[allow("s3:GetObject", "*")]);
        let held = [("role", name.as_str()), ("policy", known.as_str())];
        resources.push(resource("aws_iam_role_policy", &format!("known{role}"), held));
        let mut open = resource("aws_iam_role_policy", &format!("open{role}"), held);
        let Some(Kind::Object(after)) = open.after.as_mut().map(|after| &mut after.kind) else { continue };
        Arc::make_mut(after).insert("policy".into(), Value::unknown(why(role)));
        resources.push(open);
    }
    ResourceGraph::build(Program { resources, ..Program::default() })
}

#[test]
fn policies_that_are_not_known_come_to_the_same_whatever_the_reason_and_each_tells_its_own() {
    let reason = |role: usize| Cause::Other(format!("reason {role}").into());
    let (graph, config) = (half_known(20, reason), Config::default());
    let facts = Facts::new(&graph, &config);
    let escalates = analysis("iam.escalates").unwrap();
    let args = ["pass-role".to_owned()];
    let mut asked = BTreeSet::new();
    for (number, role) in facts.identities().values().enumerate() {
        let outcome = escalates(&facts, role.node, Query { args: &args, words: true }).unwrap();
        assert_eq!(outcome.holds, Truth::Maybe);
        assert!(outcome.causes.iter().any(|it| it.contains(&format!("reason {number}"))), "{outcome:?}");
        asked.insert(role.questions());
    }
    // The first is asked of all ways, the others of none that it was not.
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked.first().is_some_and(|asked| (10..200).contains(asked)), "{asked:?}");
    // One reason is one document.
    let graph = half_known(20, |_| Cause::Plan);
    let facts = Facts::new(&graph, &config);
    let held = |role: &Identity| role.holdings.iter().map(|it| Arc::as_ptr(&it.policy)).collect::<Vec<_>>();
    let documents: BTreeSet<_> = facts.identities().values().flat_map(held).collect();
    assert_eq!(documents.len(), 2);
}

/// The inline policy of a role of SageMaker, as source and as plan.
fn forms(document: &str) -> [(Dir, &'static str); 2] {
    let trust = TRUST.replace("lambda", "sagemaker");
    let source = Dir::of(&format!(
        "resource \"aws_iam_role\" \"r\" {{\n  name               = \"r\"\n  assume_role_policy = <<EOF\n{trust}\nEOF\n}}\n\
         resource \"aws_iam_role_policy\" \"p\" {{\n  name   = \"p\"\n  role   = aws_iam_role.r.name\n  policy = <<EOF\n{document}\nEOF\n}}\n"
    ));
    let of = |ty: &str, name: &str, after: serde_json::Value, unknown: serde_json::Value| {
        json!({
            "address": format!("{ty}.{name}"), "mode": "managed", "type": ty, "name": name,
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "change": { "actions": ["create"], "before": null, "after": after, "after_unknown": unknown,
                        "before_sensitive": false, "after_sensitive": {} },
        })
    };
    let references = json!(["aws_iam_role.r.name", "aws_iam_role.r"]);
    let configured = |ty: &str, name: &str, expressions: serde_json::Value| json!({ "address": format!("{ty}.{name}"), "mode": "managed", "type": ty, "name": name, "expressions": expressions });
    let plan = json!({
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "resource_changes": [
            of("aws_iam_role", "r", json!({ "name": "r", "assume_role_policy": trust }), json!({ "arn": true, "id": true })),
            of("aws_iam_role_policy", "p", json!({ "name": "p", "role": "r", "policy": document }), json!({ "id": true })),
        ],
        "configuration": { "root_module": { "resources": [
            configured("aws_iam_role", "r", json!({ "name": { "constant_value": "r" }, "assume_role_policy": {} })),
            configured("aws_iam_role_policy", "p", json!({ "policy": {}, "role": { "references": references } })),
        ] } },
    });
    let dir = Dir::new();
    dir.write("plan.json", plan.to_string());
    [(source, "."), (dir, "plan.json")]
}

/// What `airgate iam who-can` says of both forms.
fn who_can(document: &str, action: &str) -> Vec<Run> {
    let ask = |(dir, path): &(Dir, &str)| {
        let run = dir.run(&["iam", "who-can", action, "*", path]);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(run.out.len() < 100_000, "{} bytes", run.out.len());
        run
    };
    forms(document).iter().map(ask).collect()
}

/// What a rule says of the role's policy in both forms, with the causes.
fn verdicts(document: &str, rule: &str) -> Vec<(String, String)> {
    let ask = |(dir, path): &(Dir, &str)| {
        let run = dir.run(&["check", "--no-config", "--select", rule, "--format", "json", path]);
        let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
        let findings = report.get("findings").unwrap().as_array().unwrap();
        let one = findings.first().unwrap();
        (one.get("verdict").unwrap().as_str().unwrap().to_owned(), one.get("causes").unwrap().to_string())
    };
    forms(document).iter().map(ask).collect()
}

/// So many in a build that is not optimised, for the same shape.
const MANY: usize = if cfg!(debug_assertions) { 10_000 } else { 100_000 };

#[test]
fn a_policy_of_many_statements_is_read_whole() {
    let mut statements: Vec<String> =
        (0..MANY).map(|at| allow("s3:PutObject", &format!("arn:aws:s3:::b{at}/*"))).collect();
    statements.push(allow("bedrock:InvokeModel", "*"));
    for run in who_can(&policy(&statements), "bedrock:InvokeModel") {
        assert!(run.out.starts_with("yes "), "{}", run.out);
        assert!(run.out.contains(&format!("statement {}", MANY + 1)), "{}", run.out);
    }
}

#[test]
fn a_document_of_many_megabytes_is_read_whole() {
    let arns: Vec<String> =
        (0..MANY).map(|at| format!("\"arn:aws:bedrock:eu-west-1:1:inference-profile/{at:0100}\"")).collect();
    let statement =
        format!(r#"{{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":[{}]}}"#, arns.join(","));
    for run in who_can(&policy(&[statement]), "bedrock:InvokeModel") {
        assert!(run.out.starts_with("yes "), "{}", run.out);
    }
}

#[test]
fn a_thousand_stars_and_a_megabyte_end_and_are_not_shown_whole() {
    let stars = "*a".repeat(1000);
    let long = "a".repeat(1_000_000);
    let deny = format!(r#"{{"Effect":"Deny","Action":"bedrock:*","Resource":"arn:*{long}b"}}"#);
    let statements = [
        allow(&format!("bedrock:{stars}"), &format!("arn:{stars}")),
        allow("bedrock:*", &format!("arn:{long}{long}")),
        deny,
    ];
    for run in who_can(&policy(&statements), "bedrock:InvokeModel") {
        // The stars want a thousand letters; what is denied cannot be told in time.
        assert!(run.out.starts_with("undetermined "), "{}", run.out);
        assert!(run.out.contains("limit passed: size of patterns"), "{}", run.out);
        assert!(run.out.contains("statement 2") && run.out.len() < 5_000, "{}", run.out);
    }
}

#[test]
fn patterns_that_take_long_together_are_cut_off_and_undetermined() {
    let stars = |end: usize, effect: &str| {
        format!(
            r#"{{"Effect":"{effect}","Action":["bedrock:*","iam:PassRole"],"Resource":"arn:{}{end}"}}"#,
            "a*".repeat(800)
        )
    };
    let mut statements: Vec<String> = (0..150).map(|at| stars(at, "Allow")).collect();
    statements.extend((150..300).map(|at| stars(at, "Deny")));
    for run in who_can(&policy(&statements), "bedrock:InvokeModel") {
        assert!(run.out.starts_with("undetermined ") || run.out.starts_with("yes "), "{}", run.out);
        assert!(!run.out.contains("nobody"), "{}", run.out);
    }
}

#[test]
fn statements_that_take_from_each_other_are_not_compared_for_ever() {
    let one = |at: usize, effect: &str| {
        format!(
            r#"{{"Effect":"{effect}","Action":"bedrock:InvokeModel","Resource":"arn:aws:bedrock:::m/{at}/*"}}"#
        )
    };
    let mut statements: Vec<String> = (0..MANY / 4).map(|at| one(at, "Allow")).collect();
    statements.extend((0..MANY / 4).map(|at| one(at, "Deny")));
    for run in who_can(&policy(&statements), "bedrock:InvokeModel") {
        assert!(run.out.starts_with("undetermined "), "{}", run.out.get(..2000).unwrap_or(&run.out));
        assert!(run.out.contains("limit passed: number of statements and patterns"), "cut off");
    }
}

#[test]
fn what_is_cut_off_does_not_pass() {
    // A way that stands behind more than can be compared: every role can be passed.
    let one = |at: usize, effect: &str| {
        format!(r#"{{"Effect":"{effect}","Action":"iam:PassRole","Resource":"arn:aws:iam::1:role/{at}/*"}}"#)
    };
    let mut statements: Vec<String> = (0..MANY / 2).map(|at| one(at, "Allow")).collect();
    statements.extend((0..MANY / 2).map(|at| one(at + MANY, "Deny")));
    statements.push(allow("sagemaker:*", "*"));
    statements.push(allow("iam:PassRole", "*"));
    for (verdict, causes) in verdicts(&policy(&statements), "AWS-IAM-IAM-001") {
        assert_eq!(verdict, "undetermined", "{causes}");
        assert!(causes.contains("limit passed: number of statements and patterns"), "{causes}");
    }
}

#[test]
fn the_last_of_many_statements_and_resources_counts() {
    let narrow = |at: usize| format!("arn:aws:iam::1:role/x{at}");
    let mut statements: Vec<String> = (0..2000).map(|at| allow("iam:PassRole", &narrow(at))).collect();
    statements.push(allow("sagemaker:*", "*"));
    let mut listed = statements.clone();
    statements.push(allow("iam:PassRole", "*"));
    let arns: Vec<String> = (0..50).map(|at| format!("\"{}\"", narrow(at))).collect();
    listed.push(format!(
        r#"{{"Effect":"Allow","Action":"iam:PassRole","Resource":[{},"arn:aws:iam::1:role/*"]}}"#,
        arns.join(",")
    ));
    for document in [policy(&statements), policy(&listed)] {
        for (verdict, causes) in verdicts(&document, "AWS-IAM-IAM-001") {
            assert_eq!(verdict, "fail", "{causes}");
        }
    }
}

#[test]
fn many_exceptions_end() {
    let list = |of: &str| (0..MANY / 10).map(|at| format!("\"{of}*a{at}?*\"")).collect::<Vec<_>>().join(",");
    let statement =
        format!(r#"{{"Effect":"Allow","NotAction":[{}],"NotResource":[{}]}}"#, list("s3:"), list("arn:"));
    for run in who_can(&policy(&[statement]), "bedrock:InvokeModel") {
        assert!(!run.out.contains("nobody"), "{}", run.out);
    }
}

#[test]
fn a_condition_of_many_keys_is_a_condition() {
    let mut keys = String::new();
    for at in 0..MANY {
        let _ = write!(keys, "{}\"aws:ResourceTag/t{at}\":\"v\"", if at == 0 { "" } else { "," });
    }
    let statement = format!(
        r#"{{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"*","Condition":{{"StringEquals":{{{keys}}}}}}}"#
    );
    for run in who_can(&policy(&[statement]), "bedrock:InvokeModel") {
        assert!(run.out.starts_with("only if "), "{}", run.out);
        assert!(run.out.contains("more conditions, which are not told"), "{}", run.out);
    }
}

#[test]
fn what_nests_wrongly_or_too_deep_is_told_with_its_place_and_does_not_pass() {
    let with = |condition: &str| {
        format!(
            "{{\"Version\":\"2012-10-17\",\n\"Statement\":[{},\n{{\"Effect\":\"Allow\",\"Action\":\"bedrock:InvokeModel\",\"Resource\":\"*\",\"Condition\":{condition}}}]}}",
            allow("s3:GetObject", "*")
        )
    };
    let deep = format!("{}1{}", "{\"StringEquals\":".repeat(10_000), "}".repeat(10_000));
    for (condition, place) in [
        (
            r#"{"StringEquals":{"aws:SourceAccount":{"StringLike":"x"}}}"#,
            "statement 2: `Condition.StringEquals.aws:SourceAccount`: there is no text where one must be",
        ),
        (r#"[{"StringEquals":{"aws:SourceAccount":"x"}}]"#, "statement 2: its `Condition` is no object"),
        (r#"{"StringEquals":"x"}"#, "statement 2: an operator of its `Condition` has no keys"),
        (r#"{"StringEquals":{"a":"b"},}"#, "line 3, column "),
        (&deep, "line 3, column "),
    ] {
        let document = with(condition);
        for run in who_can(&document, "bedrock:InvokeModel") {
            assert!(run.out.starts_with("undetermined "), "{condition:.80}: {}", run.out);
            assert!(run.out.contains(place), "{place}: {}", run.out);
            assert!(run.out.contains("warning: aws_iam_role_policy.p.policy ("), "{}", run.out);
        }
        for (verdict, causes) in verdicts(&document, "AWS-BED-IAM-001") {
            assert_eq!(verdict, "undetermined", "{condition:.80}");
            assert!(causes.contains(place), "{place}: {causes}");
        }
    }
}
