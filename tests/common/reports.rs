//! Reports made by hand, for the tests of whatever writes or delivers one.

use airgate::diagnostic::Diagnostic;
use airgate::finding::{
    Change, Finding, InputInfo, PathStep, Provided, Report, RuleInfo, Severity, State, Subject, Tally,
    Verdict, Via,
};
use airgate::program::InputKind;
use airgate::source::{FileId, Site, Sources, Span};

/// A sample's name and how to make it.
type Sample = (&'static str, fn() -> Report);

/// All samples.
pub(crate) const SAMPLES: [Sample; 7] = [
    ("typical", typical),
    ("clean", clean),
    ("hostile", hostile),
    ("minified", minified),
    ("many", many),
    ("broken", broken),
    ("changed", changed),
];

const MAIN: &str = r#"resource "aws_s3_bucket" "raw" {
  bucket = "corpus"
}

resource "aws_sagemaker_notebook_instance" "lab" {
  name       = "lab"
  kms_key_id = "alias/aws/sagemaker"
}

resource "aws_sagemaker_training_job" "nightly" {
  training_job_name = "nightly"
  input_uri         = aws_s3_bucket.raw.id
}
"#;

/// The sample of that name.
pub(crate) fn sample(name: &str) -> Report {
    let (_, make) = SAMPLES.iter().find(|sample| sample.0 == name).expect("a sample");
    make()
}

/// Failures of three severities in two files, one that cannot be told, one that passes.
fn typical() -> Report {
    let mut report = clean();
    let main = report.sources.add("infra/main.tf", MAIN);
    let vars = report.sources.add("infra/prod.tfvars", "secret = \"hunter2\"\nowner = \"ml\"\n");
    let option = report.sources.add_given("--var key", "hunter2");
    let key = |n: usize| {
        let var = if n < 5 { Span::new(19, 24).at(vars) } else { Span::new(0, 7).at(option) };
        vec![via("local.key", find(MAIN, main, "\"corpus\"")), via("var.key", var)]
    };
    report.findings = vec![
        Finding {
            related: vec![
                (find(MAIN, main, "aws_s3_bucket.raw.id"), "read by the training job".into()),
                (Span::new(20, 25).at(vars), "owner is set here".into()),
            ],
            resources: vec![Subject {
                address: "aws_s3_bucket.raw".into(),
                moved_from: None,
                unit: None,
                type_name: "aws_s3_bucket".into(),
                path: [
                    PathStep { edge: None, address: "aws_sagemaker_training_job.nightly".into() },
                    PathStep { edge: Some("data"), address: "aws_s3_bucket.raw".into() },
                ]
                .into(),
                via: Vec::new(),
            }],
            ..finding(
                0,
                "training data can be read by anyone",
                find(MAIN, main, "resource \"aws_s3_bucket\" \"raw\""),
            )
        },
        Finding {
            actual: Some("\"alias/aws/sagemaker\"".into()),
            resources: (0..7)
                .map(|n| Subject {
                    via: key(n),
                    ..subject(&format!("aws_sagemaker_notebook_instance.lab[{n}]"))
                })
                .collect(),
            ..finding(
                1,
                "notebook volume is encrypted with a provider-managed key",
                find(MAIN, main, "kms_key_id = \"alias/aws/sagemaker\""),
            )
        },
        Finding {
            actual: Some("(sensitive)".into()),
            ..finding(2, "name holds a secret", find(MAIN, main, "name       = \"lab\""))
        },
        Finding {
            verdict: Verdict::Undetermined,
            causes: vec!["var.key has no value".into()],
            ..finding(1, "cannot tell whose key encrypts the volume", find(MAIN, main, "training_job_name"))
        },
        Finding {
            verdict: Verdict::Pass,
            ..finding(
                2,
                "notebook has a name",
                find(MAIN, main, "\"aws_sagemaker_notebook_instance\" \"lab\""),
            )
        },
    ];
    report.diagnostics = vec![
        Diagnostic::warning("function `ephemeralasnull` is not supported")
            .at(find(MAIN, main, "\"corpus\""))
            .help("write the value"),
        Diagnostic::notice("module.vpc is not followed"),
    ];
    report.summary.fail = [(Severity::Critical, 1), (Severity::High, 1), (Severity::Medium, 1)].into();
    report.summary.undetermined = [(Severity::High, 1)].into();
    report.summary.unknown_types = [("aws_new_thing".into(), 2)].into();
    report.summary.unfollowed_modules = 1;
    report
}

/// Nothing found.
fn clean() -> Report {
    let mut report = Report {
        version: "0.1.0",
        rules_digest: format!("sha256:{}", "0".repeat(64)),
        inputs: vec![InputInfo {
            path: "infra".into(),
            unit: "infra".into(),
            kind: InputKind::TerraformSource,
            written_by: None,
            managed: 23,
            data: 1,
            source: None,
            incomplete: None,
            tells_change: false,
            fail: [].into(),
            undetermined: [].into(),
        }],
        rules: vec![
            rule("AWS-S3-IAM-001", "public-training-data", "iam", Severity::Critical),
            rule("AWS-SM-ENC-001", "sagemaker-notebook-without-cmk", "encryption", Severity::High),
            rule("AWS-SM-SEC-002", "secret-in-name", "secrets", Severity::Medium),
            rule("AWS-SM-TAG-001", "notebook-without-owner", "governance", Severity::Low),
        ],
        tallies: vec![
            Tally { failed: 1, ..Tally::default() },
            Tally::default(),
            Tally::default(),
            Tally { passed: 61, ..Tally::default() },
        ],
        frameworks: Vec::new(),
        findings: Vec::new(),
        resolved: Vec::new(),
        provided: Vec::new(),
        diagnostics: Vec::new(),
        summary: airgate::finding::Summary::default(),
        sources: Sources::default(),
    };
    (report.summary.managed, report.summary.data, report.summary.in_scope, report.summary.passed) =
        (23, 1, 9, 61);
    report
}

/// Everything an author of the input can write tries to escape from the place it is printed in.
fn hostile() -> Report {
    let mut report = clean();
    let text = "a = \"\x1b]0;owned\x07\u{9b}31m\u{202e}\"\r\n| b | <script> ](http://x)\n";
    let file = report.sources.add("in fra/\x1b[2J\u{202e}:1\n|<b>.tf", text);
    report.inputs[0].path = "in fra\x1b[2J".into();
    let name = "module.a[\"\x1b[31m\u{202e}|<img src=x>\n## 0 failures](1)`\"].aws_s3_bucket.b";
    report.findings = vec![
        Finding {
            actual: Some("\"\x1b[0m\u{200b}\r\n::error::x\"".into()),
            related: vec![(Span::new(0, 3).at(file), "[x](http://evil) \x1b[0m".into())],
            resources: vec![Subject {
                moved_from: Some("a.b[\"\x1b[2J\"]".into()),
                unit: Some("](http://evil)|<b>\x1b[2J".into()),
                via: vec![via("local.\x1b[31m\u{202e} ](http://evil)", Span::new(4, 9).at(file))],
                ..subject(name)
            }],
            ..finding(0, "bucket `\x1b[1m` ](http://evil) is public", Span::new(4, 30).at(file))
        },
        finding(1, "points past the end", Span::new(9_000, 70_000).at(file)),
        finding(1, "points into a character, backwards", Span::new(16, 3).at(file)),
        Finding { site: None, ..finding(2, "has no place", Span::default().at(file)) },
        Finding { rule: 99, ..finding(0, "has no rule", Span::default().at(file)) },
    ];
    report.diagnostics =
        vec![Diagnostic::warning("cannot read \x1b[2J\n::error::").at(Span::new(1, 2).at(file))];
    report.summary.fail = [(Severity::Critical, 1), (Severity::High, 2), (Severity::Medium, 1)].into();
    report
}

/// A plan of 2 MB in one line.
fn minified() -> Report {
    let mut report = clean();
    let entry = "{\"address\":\"aws_s3_bucket.b\",\"password\":\"hunter2\",\"ß\":\"𝕏\"},";
    let text = format!("[{}null]", entry.repeat(2_000_000 / entry.len()));
    let file = report.sources.add("plan.json", text);
    let at = u32::try_from(1 + entry.len() * 1000).unwrap_or_default();
    report.inputs[0] =
        InputInfo { path: "plan.json".into(), kind: InputKind::TerraformPlan, ..report.inputs[0].clone() };
    report.inputs[0].written_by = Some("Terraform 1.11.4".into());
    report.findings = vec![Finding {
        resources: vec![subject("aws_s3_bucket.b")],
        ..finding(0, "training data can be read by anyone", Span::new(at, at + 28).at(file))
    }];
    report.summary.fail = [(Severity::Critical, 1)].into();
    report
}

/// More than GitHub takes, the worst last.
fn many() -> Report {
    let mut report = clean();
    let text = "resource \"aws_s3_bucket\" \"b\" {}\n".repeat(6_000);
    let file = report.sources.add("main.tf", text);
    for n in 0..6_000 {
        let rule = if n < 5_990 { 2 } else { 0 };
        report.findings.push(Finding {
            resources: vec![subject(&format!("aws_s3_bucket.b{n}"))],
            ..finding(rule, "bucket is public", Span::new(n * 32, n * 32 + 28).at(file))
        });
    }
    report.summary.fail = [(Severity::Critical, 10), (Severity::Medium, 5_990)].into();
    report
}

/// An input that cannot be trusted to be whole.
fn broken() -> Report {
    let mut report = clean();
    report.inputs[0].incomplete = Some("the plan says that it errored".into());
    report.diagnostics = vec![Diagnostic::error("main.tf is not UTF-8").help("save it as UTF-8")];
    report.summary.failed_files = 1;
    report
}

/// What a plan does: one of each state, and two that are resolved.
fn changed() -> Report {
    let mut report = clean();
    let text = "{\"a\": 1,\n\"b\": 2,\n\"c\": 3,\n\"d\": 4}\n";
    let file = report.sources.add("plan.json", text);
    let at = |line: u32| Span::new(line * 8 + 1, line * 8 + 4).at(file);
    report.inputs[0] = InputInfo {
        path: "plan.json".into(),
        kind: InputKind::TerraformPlan,
        tells_change: true,
        ..report.inputs[0].clone()
    };
    let resources = |name: &str| vec![subject(&format!("aws_sagemaker_notebook_instance.{name}"))];
    let states = [State::Regression, State::New, State::Unchanged];
    report.findings = (0..)
        .zip(states)
        .map(|(n, state)| Finding {
            state: Some(state),
            drift: state == State::Unchanged,
            resources: resources(state.as_str()),
            ..finding(n, "notebook is wrong", at(u32::try_from(n).unwrap_or_default()))
        })
        .collect();
    report.findings[0].resources[0].moved_from = Some("aws_sagemaker_notebook_instance.old".into());
    report.resolved = vec![
        Finding { resources: resources("fixed"), ..finding(1, "notebook was wrong", at(3)) },
        Finding { resources: resources("low"), ..finding(3, "notebook had no owner", at(3)) },
    ];
    report.provided = vec![Provided {
        rule: 0,
        control: "public-access-block".to_owned(),
        by: "platform\u{1b}[31m/account stack".to_owned(),
        resources: vec!["aws_s3_bucket.corpus".into(), "aws_s3_bucket.models".into()],
    }];
    report.summary.fail = [(Severity::Critical, 1), (Severity::High, 1), (Severity::Medium, 1)].into();
    report.summary.change =
        Some(Change { new: 1, regression: 1, unchanged: 1, resolved: 2, drift: 1, left_out: 4 });
    report
}

fn rule(id: &str, name: &str, family: &'static str, severity: Severity) -> RuleInfo {
    RuleInfo {
        id: id.into(),
        name: name.into(),
        title: format!("Title of {name}").into(),
        family: family.into(),
        severity,
        control: "C-ENC-01".into(),
        control_title: "Encryption with own keys".into(),
        clauses: (1..=12).map(|n| format!("EU-AI-ACT:{n}").into()).collect(),
        revision: 1,
        fix: "Set it to a key of your own.".into(),
        why: "Whoever holds the key reads the data.".into(),
        path: format!("rules/aws/x/{id}-{name}.md").into(),
        page: format!("# Title of {name}\n\n## Why\n\nWhoever holds the key reads the data.\n").into(),
    }
}

fn finding(rule: usize, message: &str, site: Site) -> Finding {
    Finding {
        rule,
        verdict: Verdict::Fail,
        // As `clean` has the rules.
        severity: *Severity::ALL.get(rule).unwrap_or(&Severity::Low),
        moved: None,
        message: message.into(),
        resources: vec![subject("aws_sagemaker_notebook_instance.lab")],
        site: Some(site),
        related: Vec::new(),
        actual: None,
        grant: None,
        causes: Vec::new(),
        state: None,
        drift: false,
        from_source: false,
    }
}

fn subject(address: &str) -> Subject {
    Subject {
        address: address.into(),
        moved_from: None,
        unit: None,
        type_name: "aws_sagemaker_notebook_instance".into(),
        path: [PathStep { edge: None, address: address.into() }].into(),
        via: Vec::new(),
    }
}

fn via(what: &str, site: Site) -> Via {
    Via { what: what.into(), site }
}

/// The first place of `what` in the text.
fn find(text: &str, file: FileId, what: &str) -> Site {
    let at = text.find(what).expect("the sample holds it");
    Span::new(u32::try_from(at).unwrap_or_default(), u32::try_from(at + what.len()).unwrap_or_default())
        .at(file)
}
