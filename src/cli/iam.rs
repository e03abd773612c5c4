//! `airgate iam`: who may do something, and what somebody may do.

use std::fmt::Write as _;
use std::path::PathBuf;

use airgate::config::Options;
use airgate::facts::iam::access::{Access, Answered, Question, Step};
use airgate::iam::context::Context;
use airgate::iam::effective::Verdict;
use airgate::iam::google::is_permission;
use airgate::report::scrub;
use airgate::source::{Site, Sources};
use serde_json::{Value as Json, json};

use super::values::Values;
use super::{Console, Exit, Failure, unless_closed};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    ask: Ask,
}

#[derive(Debug, clap::Subcommand)]
enum Ask {
    /// Who may do ACTION on RESOURCE: roles, users, and whoever the policies of resources name.
    WhoCan {
        /// An action, or a pattern of actions: bedrock:InvokeModel, 's3:Get*', aiplatform.endpoints.predict,
        /// Microsoft.CognitiveServices/accounts/listKeys/action, or of Kubernetes get:secrets, create:pods/exec.
        action: String,
        /// An ARN, a pattern of ARNs ('*' is any resource), or the address of a resource: aws_s3_bucket.raw; of Azure
        /// also an id, of Kubernetes a namespace.
        resource: String,
        #[command(flatten)]
        input: InputArgs,
    },
    /// What a role, a user or a service account may do, with the statement that allows each action.
    WhatCan {
        /// Its address: aws_iam_role.agent, google_service_account.agent.
        address: String,
        #[command(flatten)]
        input: InputArgs,
    },
}

#[derive(Debug, clap::Args)]
struct InputArgs {
    /// Directory of Terraform files, plan, state or preview; `-` is standard input.
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// The request has this value of a condition key: aws:SourceIp=10.0.0.1. Several of one key are several values.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    context: Vec<(String, String)>,
    /// The request does not have this condition key.
    #[arg(long, value_name = "KEY")]
    without_context: Vec<String>,
    #[command(flatten)]
    values: Values,
    /// Format of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: AnswerFormat,
}

impl InputArgs {
    fn context(&self) -> Result<Context, String> {
        let mut context = Context::default();
        self.context.iter().for_each(|(key, value)| context.add(key, value));
        for key in &self.without_context {
            if self.context.iter().any(|(other, _)| other.eq_ignore_ascii_case(key)) {
                return Err(format!("`{key}` is given a value and said not to be there"));
            }
            context.lacks(key);
        }
        Ok(context)
    }
}

/// `KEY=VALUE`: a key has its service before a colon.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if key.contains(':') => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, such as aws:SourceIp=10.0.0.1".to_owned()),
    }
}

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum AnswerFormat {
    #[default]
    Table,
    Json,
}

/// Runs it.
pub(super) fn run(args: &Args, access: super::Access, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let (question, input) = match &args.ask {
        Ask::WhoCan { action, resource, input } => {
            if !action.contains([':', '/']) && action != "*" && !is_permission(action) {
                return Err(format!(
                    "`{action}` is no action: write SERVICE:ACTION, such as bedrock:InvokeModel, a permission of Google, \
                     such as aiplatform.endpoints.predict, an action of Azure, such as Microsoft.Search/…, or of \
                     Kubernetes VERB:RESOURCE, such as get:secrets"
                )
                .into());
            }
            (Question::WhoCan(action.clone(), resource.clone()), input)
        }
        Ask::WhatCan { address, input } => (Question::WhatCan(address.clone()), input),
    };
    let options = Options { run: input.values.options(std::env::vars()), ..Options::default() };
    let context = input.context()?;
    let (sources, answered) = access(std::slice::from_ref(&input.path), &options, &question, &context)?;
    if let (Question::WhatCan(address), true) = (&question, answered.iter().all(|it| it.rows.is_none())) {
        return Err(unknown(address, &answered).into());
    }
    let text = match input.format {
        AnswerFormat::Table => table(&question, &sources, &answered),
        AnswerFormat::Json => {
            let mut text = serde_json::to_string_pretty(&document(&question, &sources, &answered))?;
            text.push('\n');
            text
        }
    };
    unless_closed(console.out.write_all(text.as_bytes()).and_then(|()| console.out.flush()))?;
    Ok(Exit::Clean)
}

/// More addresses than this are not suggested.
const MAX_SUGGESTED: usize = 8;

fn unknown(address: &str, answered: &[Answered]) -> String {
    let all: Vec<&str> = answered.iter().flat_map(|it| &it.identities).map(String::as_str).collect();
    let shown = all.iter().take(MAX_SUGGESTED).copied().collect::<Vec<_>>().join(", ");
    match all.len() {
        0 => format!("there is no role or user `{address}`, and no other"),
        1..=MAX_SUGGESTED => format!("there is no role or user `{address}`; there are {shown}"),
        more => format!(
            "there is no role or user `{address}`; there are {shown} and {} more",
            more - MAX_SUGGESTED
        ),
    }
}

fn table(question: &Question, sources: &Sources, answered: &[Answered]) -> String {
    let mut out = String::new();
    for one in answered {
        let rows = one.rows.as_deref().unwrap_or_default();
        if answered.len() > 1 {
            let _ = writeln!(out, "{}", scrub(&one.input));
        }
        for row in rows {
            // Of the one who is asked about, what it may do tells the rows apart.
            let what = match question {
                Question::WhoCan(..) => &row.principal,
                Question::WhatCan(_) => &row.action,
            };
            let _ = writeln!(out, "{:<13} {}", word(&row.verdict), scrub(what));
            let mut line = |label: &str, text: &str| {
                let _ = writeln!(out, "{:13}   {label:<8} {}", "", scrub(text));
            };
            row.on.iter().for_each(|on| line("on", on));
            for (at, reason) in reasons(&row.verdict).iter().enumerate() {
                let label = if matches!(row.verdict, Verdict::OnlyIf(_)) { "if" } else { "because" };
                line(if at == 0 { label } else { "" }, reason);
            }
            row.by.iter().for_each(|step| line("by", &path(step, sources)));
            row.less.iter().for_each(|step| line("less", &path(step, sources)));
        }
        if rows.is_empty() {
            let _ = writeln!(
                out,
                "{}",
                match question {
                    Question::WhoCan(action, resource) => format!("nobody here may {action} on {resource}"),
                    Question::WhatCan(address) => format!("{address} may do nothing by the policies here"),
                }
            );
        }
        for (address, site, fault) in &one.faults {
            let place = place(*site, sources).map(|place| format!(" ({place})")).unwrap_or_default();
            let _ = writeln!(out, "warning: {}{place}: {}", scrub(address), scrub(fault));
        }
    }
    out
}

const fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Yes => "yes",
        Verdict::No => "no",
        Verdict::OnlyIf(_) => "only if",
        Verdict::Undetermined(_) => "undetermined",
    }
}

fn reasons(verdict: &Verdict) -> &[String] {
    match verdict {
        Verdict::Yes | Verdict::No => &[],
        Verdict::OnlyIf(reasons) | Verdict::Undetermined(reasons) => reasons,
    }
}

/// `aws_iam_role_policy_attachment.x → AmazonBedrockFullAccess → BedrockAll (main.tf:4)`
fn path(step: &Step, sources: &Sources) -> String {
    let attached = step.attached_by.as_ref().map(|by| format!("{by} → ")).unwrap_or_default();
    let place = place(step.site, sources).map(|place| format!(" ({place})")).unwrap_or_default();
    format!("{attached}{} → {}{place}", step.policy, step.statement)
}

fn place(site: Option<Site>, sources: &Sources) -> Option<String> {
    let site = site?;
    let file = sources.get(site.file)?;
    if file.is_given() {
        return Some(file.path().to_owned());
    }
    Some(format!("{}:{}", file.path(), file.position(site.span.start).line))
}

/// The answer as JSON; a field is never given another meaning under the same version.
fn document(question: &Question, sources: &Sources, answered: &[Answered]) -> Json {
    let asked = match question {
        Question::WhoCan(action, resource) => {
            json!({ "ask": "who-can", "action": action, "resource": resource })
        }
        Question::WhatCan(address) => json!({ "ask": "what-can", "address": address }),
    };
    let inputs = answered.iter().map(|one| {
        let rows = one.rows.iter().flatten().map(|row| row_json(row, sources)).collect::<Vec<_>>();
        let faults = one.faults.iter().map(|(address, site, fault)| {
            json!({ "address": address, "place": place_json(*site, sources), "message": scrub(fault) })
        });
        json!({ "path": one.input, "answers": rows, "warnings": faults.collect::<Vec<_>>() })
    });
    json!({ "version": "1", "question": asked, "inputs": inputs.collect::<Vec<_>>() })
}

fn row_json(row: &Access, sources: &Sources) -> Json {
    let steps = |steps: &[Step]| {
        let step = |step: &Step| {
            json!({
                "policy": step.policy,
                "attached_by": step.attached_by,
                "statement": step.statement,
                "place": place_json(step.site, sources),
            })
        };
        steps.iter().map(step).collect::<Vec<_>>()
    };
    let (conditions, causes) = match &row.verdict {
        Verdict::OnlyIf(conditions) => (conditions.as_slice(), &[][..]),
        Verdict::Undetermined(causes) => (&[][..], causes.as_slice()),
        Verdict::Yes | Verdict::No => (&[][..], &[][..]),
    };
    json!({
        "principal": row.principal,
        "place": place_json(row.site, sources),
        "action": row.action,
        "verdict": word(&row.verdict).replace(' ', "-"),
        "conditions": conditions,
        "causes": causes,
        "resources": row.on,
        "statements": steps(&row.by),
        "less": steps(&row.less),
    })
}

fn place_json(site: Option<Site>, sources: &Sources) -> Json {
    let place = site.and_then(|site| {
        let file = sources.get(site.file)?;
        Some(json!({ "file": file.path(), "line": file.position(site.span.start).line }))
    });
    place.unwrap_or(Json::Null)
}
