//! What identities cost: documents read, policies found, a question to all of them, and every way of escalation.
//!
//! `cargo bench --bench iam [-- ROLES]`: roles with five policies each, and half as many to see how it grows. Once no two
//! documents have the same text, as where every team writes its own, and once all roles have one of 25, as where a module
//! makes them: that is what reading each text once, and asking each set of policies once, is worth.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops where something is wrong"
)]

#[path = "../tests/common/resources.rs"]
mod resources;

use std::hint::black_box;
use std::time::{Duration, Instant};

use airgate::config::Config;
use airgate::facts::Facts;
use airgate::facts::iam::access::who_can;
use airgate::facts::iam::{Query, analysis};
use airgate::graph::{NodeId, ResourceGraph};
use airgate::iam::work;
use airgate::program::{Program, Resource};
use airgate::value::Truth;
use rayon::prelude::*;
use resources::resource;

/// The program's.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RUNS: usize = 5;

fn main() {
    let roles: usize = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(10_000);
    for (kind, texts) in [("no two alike", usize::MAX), ("25 texts", 25)] {
        for roles in [roles / 2, roles] {
            println!("{roles} roles, {} policies, {kind}", roles * POLICIES);
            measure(roles, texts);
        }
    }
}

fn measure(roles: usize, texts: usize) {
    let graph = ResourceGraph::build(Program { resources: resources(roles, texts), ..Program::default() });
    let config = Config::default();
    let read = best(|| drop(black_box(Facts::new(&graph, &config))));
    let found = best(|| {
        let facts = Facts::new(&graph, &config);
        black_box(each(&facts, |node| facts.identities().get(&node).map_or(0, |it| it.holdings.len())));
    });
    let asked = best(|| {
        let facts = Facts::new(&graph, &config);
        black_box(who_can(&facts, "bedrock:InvokeModel", "*"));
    });
    let escalates = analysis("iam.escalates").unwrap();
    let categories = ["pass-role", "take-over", "credentials", "tampering"].map(str::to_owned);
    // As the program asks of every role.
    let query = Query { args: &categories, words: false };
    let mut breaking = 0;
    let every = best(|| {
        let facts = Facts::new(&graph, &config);
        let breaks = |node| escalates(&facts, node, query).is_some_and(|it| it.holds != Truth::Yes);
        breaking = each(&facts, |node| usize::from(breaks(node)));
    });
    let facts = Facts::new(&graph, &config);
    let before = work::coverings();
    for &node in facts.identities().keys() {
        black_box(escalates(&facts, node, query));
    }
    println!("  documents read                {read:>10.2?}");
    println!("  and policies found            {found:>10.2?}");
    println!("  and who can                   {asked:>10.2?}");
    println!("  or every way of escalation    {every:>10.2?}  {breaking} roles have one");
    println!("  statements compared for that  {:>10}", work::coverings() - before);
}

/// Asks of every role, on all cores, as rules do.
fn each(facts: &Facts<'_>, ask: impl Fn(NodeId) -> usize + Sync) -> usize {
    let nodes: Vec<NodeId> = facts.identities().keys().copied().collect();
    nodes.par_iter().map(|&node| ask(node)).sum()
}

fn best(mut run: impl FnMut()) -> Duration {
    let once = |()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    std::iter::repeat_n((), RUNS).map(once).min().unwrap()
}

const POLICIES: usize = 5;

/// What statements speak of: actions, and the resource that `{}` names.
const STATEMENTS: [(&str, &str); 17] = [
    (r#"["s3:GetObject","s3:PutObject","s3:ListBucket"]"#, "arn:aws:s3:::{}/*"),
    (r#"["bedrock:InvokeModel*","bedrock:Converse"]"#, "arn:aws:bedrock:*::foundation-model/{}"),
    (
        r#"["logs:CreateLogStream","logs:PutLogEvents"]"#,
        "arn:aws:logs:eu-west-1:111122223333:log-group:/{}:*",
    ),
    (r#""sagemaker:InvokeEndpoint""#, "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/{}"),
    (
        r#"["dynamodb:GetItem","dynamodb:Query","dynamodb:PutItem"]"#,
        "arn:aws:dynamodb:eu-west-1:111122223333:table/{}",
    ),
    (r#"["kms:Decrypt","kms:GenerateDataKey*"]"#, "arn:aws:kms:eu-west-1:111122223333:key/{}"),
    (r#""iam:PassRole""#, "arn:aws:iam::111122223333:role/{}"),
    (r#""secretsmanager:GetSecretValue""#, "arn:aws:secretsmanager:eu-west-1:111122223333:secret:{}-*"),
    (r#"["sqs:SendMessage","sqs:ReceiveMessage"]"#, "arn:aws:sqs:eu-west-1:111122223333:{}"),
    (r#""lambda:InvokeFunction""#, "arn:aws:lambda:eu-west-1:111122223333:function:{}"),
    (r#"["ec2:Describe*","ec2:CreateNetworkInterface"]"#, "*"),
    (r#"["sagemaker:CreateTrainingJob","sagemaker:AddTags"]"#, "*"),
    (
        r#"["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"]"#,
        "arn:aws:ecr:eu-west-1:111122223333:repository/{}",
    ),
    (r#""cloudwatch:PutMetricData""#, "*"),
    (r#""sts:AssumeRole""#, "arn:aws:iam::111122223333:role/{}"),
    (r#"["glue:GetTable","glue:StartJobRun"]"#, "arn:aws:glue:eu-west-1:111122223333:job/{}"),
    (r#"["iam:PassRole","iam:GetRole"]"#, "*"),
];

/// Roles, each with inline policies of one to five statements; of so many texts.
fn resources(roles: usize, texts: usize) -> Vec<Resource> {
    let mut all = Vec::with_capacity(roles * (POLICIES + 1));
    for role in 0..roles {
        let name = format!("r{role}");
        let service = ["lambda", "ec2", "sagemaker", "bedrock"][role % 4];
        let trust = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"Service":"{service}.amazonaws.com"}}}}]}}"#
        );
        all.push(resource("aws_iam_role", &name, [("name", &name), ("assume_role_policy", &trust)]));
        for policy in 0..POLICIES {
            let document = document((role * POLICIES + policy) % texts);
            let label = format!("r{role}_{policy}");
            all.push(resource("aws_iam_role_policy", &label, [("role", &name), ("policy", &document)]));
        }
    }
    all
}

/// The document of a number: another has another text.
fn document(number: usize) -> String {
    // Numbers that follow each other have nothing in common.
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let statements: Vec<String> = (0..=mixed % 5)
        .map(|at| {
            let (actions, resource) = STATEMENTS[(mixed >> (4 * at)) % STATEMENTS.len()];
            let effect = if (mixed >> (at + 24)).is_multiple_of(16) { "Deny" } else { "Allow" };
            let resource = resource.replace("{}", &format!("team-{number}-{at}"));
            let condition = if (mixed >> (at + 16)).is_multiple_of(5) {
                r#","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}"#
            } else {
                ""
            };
            format!(r#"{{"Sid":"S{number}x{at}","Effect":"{effect}","Action":{actions},"Resource":"{resource}"{condition}}}"#)
        })
        .collect();
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}
