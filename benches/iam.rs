//! What identities cost: documents read, policies found, a question to all of them, and every way of escalation.
//!
//! `cargo bench --bench iam [-- ROLES]`: roles with five policies each, and half as many to see how it grows.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops where something is wrong"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use airgate::config::Config;
use airgate::facts::Facts;
use airgate::facts::iam::ANALYSES;
use airgate::facts::iam::access::who_can;
use airgate::graph::ResourceGraph;
use airgate::program::{Action, Mode, Program, Resource};
use airgate::value::Value;

const RUNS: usize = 5;

fn main() {
    let roles: usize = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(10_000);
    for roles in [roles / 2, roles] {
        let graph = ResourceGraph::build(Program { resources: resources(roles), ..Program::default() });
        let config = Config::default();
        let read = best(|| drop(black_box(Facts::new(&graph, &config))));
        let found = best(|| {
            let facts = Facts::new(&graph, &config);
            black_box(facts.identities().values().map(|it| it.holdings.len()).sum::<usize>());
        });
        let facts = Facts::new(&graph, &config);
        assert_eq!(facts.identities().len(), roles);
        let asked = best(|| drop(black_box(who_can(&facts, "bedrock:InvokeModel", "*"))));
        let (_, escalates) = ANALYSES.iter().find(|(name, _)| *name == "iam.escalates").unwrap();
        let categories = ["pass-role", "take-over", "credentials", "tampering"].map(str::to_owned);
        let every = best(|| {
            for &node in facts.identities().keys() {
                black_box(escalates(&facts, node, &categories));
            }
        });
        println!("{roles} roles, {} policies", roles * 5);
        println!("  documents read           {read:>10.2?}");
        println!("  and policies found       {found:>10.2?}");
        println!("  who can                  {asked:>10.2?}");
        println!("  every way of escalation  {every:>10.2?}  one thread");
    }
}

fn best(mut run: impl FnMut()) -> Duration {
    let once = |()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    std::iter::repeat_n((), RUNS).map(once).min().unwrap()
}

/// Roles, each with five inline policies of three statements.
fn resources(roles: usize) -> Vec<Resource> {
    let mut all = Vec::with_capacity(roles * 6);
    for role in 0..roles {
        let name = format!("r{role}");
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}"#;
        all.push(resource("aws_iam_role", &name, [("name", name.as_str()), ("assume_role_policy", trust)]));
        for policy in 0..5 {
            let document = format!(
                r#"{{"Version":"2012-10-17","Statement":[
                {{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:ListBucket"],"Resource":["arn:aws:s3:::b{role}","arn:aws:s3:::b{role}/*"]}},
                {{"Effect":"Allow","Action":["bedrock:InvokeModel*","logs:*"],"Resource":"arn:aws:bedrock:*::foundation-model/m{policy}"}},
                {{"Effect":"Deny","Action":"s3:Delete*","Resource":"*"}}]}}"#
            );
            let label = format!("r{role}_{policy}");
            all.push(resource(
                "aws_iam_role_policy",
                &label,
                [("role", name.as_str()), ("policy", document.as_str())],
            ));
        }
    }
    all
}

fn resource(type_name: &str, name: &str, attributes: [(&str, &str); 2]) -> Resource {
    let address = format!("{type_name}.{name}");
    let after = attributes.into_iter().map(|(key, text)| (key.into(), Value::string(text)));
    Resource {
        address: address.as_str().into(),
        block: address.as_str().into(),
        mode: Mode::Managed,
        type_name: type_name.into(),
        native_type: None,
        name: name.into(),
        module: "".into(),
        key: None,
        provider: None,
        before: None,
        after: Some(Value::object(after)),
        action: Action::None,
        site: None,
        places: Arc::default(),
        configured: None,
        references: Vec::new(),
        untold: None,
    }
}
