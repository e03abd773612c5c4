//! The command line on reports made by hand.

use std::fs;
use std::io;

use std::path::PathBuf;

use airgate::config::Options;
use airgate::finding::{Report, RuleInfo, Severity};
use airgate::report::Format;
use clap::{CommandFactory, Parser};

use super::{Cli, Console, Engine, Exit, Failure, NothingToAnalyse, check, run};

#[path = "../../tests/common/reports.rs"]
mod reports;

use reports::{SAMPLES, sample};

/// Runs the command line on the sample that the first path names.
fn airgate(arguments: &[&str]) -> (Exit, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = with_console(arguments, &mut out, &mut err);
    (exit, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

fn with_console(arguments: &[&str], out: &mut dyn io::Write, err: &mut dyn io::Write) -> Exit {
    let graphs = |_: &[PathBuf], _: bool, _: &Options| Ok(Vec::new());
    let residency = |_: &[PathBuf], _: &Options| Ok(airgate::facts::residency::Report::default());
    let engine = Engine { analyze, residency, graphs, rules, access: |_, _, _, _| Ok(Default::default()) };
    let cli = Cli::try_parse_from(std::iter::once(&"airgate").chain(arguments)).unwrap();
    run(&cli, &engine, &mut Console { out, err, color: false, width: 100 })
}

fn analyze(paths: &[PathBuf], options: &Options) -> Result<Report, Failure> {
    let name = paths[0].to_str().unwrap();
    if name == "echo" {
        return Err(format!("{options:?}").into());
    }
    if name == "empty" {
        return Err(NothingToAnalyse("no Terraform files in empty".into()).into());
    }
    if name == "nothing" {
        let mut report = sample("clean");
        report.inputs.clear();
        return Ok(report);
    }
    Ok(sample(name))
}

#[expect(clippy::unnecessary_wraps, reason = "an engine's rules can fail to load")]
fn rules(_: &Options) -> Result<Vec<RuleInfo>, Failure> {
    Ok(sample("clean").rules)
}

fn gate(fail_on: Severity) -> check::Gate {
    check::Gate { fail_on, fail_on_regression: false, exit_zero: false }
}

fn exit(arguments: &[&str]) -> Exit {
    airgate(arguments).0
}

#[test]
fn exit_codes_say_what_to_do() {
    assert_eq!(exit(&["check", "clean"]), Exit::Clean);
    assert_eq!(exit(&["check", "typical"]), Exit::Findings);
    assert_eq!(exit(&["check", "broken"]), Exit::Failure);
    assert_eq!(exit(&["check", "nothing"]), Exit::Nothing);
    let (exit_code, _, err) = airgate(&["check", "empty"]);
    assert_eq!((exit_code, err.as_str()), (Exit::Nothing, "error: no Terraform files in empty\n"));
    assert_eq!(exit(&["check", "typical", "--exit-zero"]), Exit::Clean);
    assert_eq!(exit(&["check", "broken", "--exit-zero"]), Exit::Failure, "a gate fails closed");
}

#[test]
fn exit_codes_do_not_depend_on_the_format() {
    for (name, _) in SAMPLES {
        let human = exit(&["check", name]);
        for format in Format::ALL {
            assert_eq!(exit(&["check", name, "--format", format.as_str()]), human, "{name} {format:?}");
        }
    }
}

#[test]
fn the_threshold_is_the_flags_then_the_configurations_then_high() {
    let directory = std::env::temp_dir().join(format!("airgate-check-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let file = directory.join("c.toml");
    let with = |text: &str, more: &[&str]| {
        fs::write(&file, text).unwrap();
        exit(&[&["check", "minified", "--config", file.to_str().unwrap()], more].concat())
    };
    assert_eq!(with("fail-on = 'critical'", &[]), Exit::Findings);
    assert_eq!(with("fail-on = 'severe'", &[]), Exit::Failure, "a wrong configuration is an error");
    assert_eq!(with("fail-on = 'severe'", &["--no-config"]), Exit::Findings);
    fs::remove_dir_all(directory).unwrap();

    let mut report = sample("typical");
    report.summary.fail = [(Severity::Medium, 2)].into();
    for (fail_on, expected) in [(Severity::High, Exit::Clean), (Severity::Medium, Exit::Findings)] {
        assert_eq!(gate(fail_on).exit(&report), expected);
    }
}

#[test]
fn hiding_a_finding_does_not_pass_it() {
    let (exit, out, _) = airgate(&["check", "typical", "--min-severity", "critical"]);
    assert_eq!(exit, Exit::Findings);
    assert!(out.contains("1 failure (1 critical), 2 below critical not shown"), "{out}");
    let mut report = sample("typical");
    report.summary.fail = [(Severity::High, 1)].into();
    assert_eq!(gate(Severity::High).exit(&report), Exit::Findings);
}

#[test]
fn flags_reach_the_engine() {
    let (exit, _, err) = airgate(&[
        "check",
        "echo",
        "--no-config",
        "--var",
        "a=b=c",
        "--var-file",
        "x.tfvars",
        "--select",
        "AWS,AZURE",
        "--ignore",
        "iam",
        "--show",
        "all",
        "--rules",
        "mine",
    ]);
    assert_eq!(exit, Exit::Failure);
    for part in [
        r#"run: RunOptions { values: [Var("a", "b=c"), File("x.tfvars")], environment: [], workspace: None, mode: Extended }"#,
        r#"select: ["AWS", "AZURE"], ignore: ["iam"]"#,
        "keep_pass: true",
        r#"rules_dir: Some("mine")"#,
    ] {
        assert!(err.contains(part), "{part}: {err}");
    }
}

#[test]
fn verdicts_are_listed_when_asked_for() {
    let listed = |show: &[&str]| {
        let (_, out, _) = airgate(&[&["check", "typical"], show].concat());
        (out.contains("note[AWS-SM-ENC-001]"), out.contains("pass[AWS-SM-SEC-002]"))
    };
    assert_eq!(listed(&[]), (false, false));
    assert_eq!(listed(&["--show", "undetermined"]), (true, false));
    assert_eq!(listed(&["--show", "pass"]), (false, true));
    assert_eq!(listed(&["--show", "pass", "--show", "undetermined"]), (true, true));
    assert_eq!(listed(&["--show", "all"]), (true, true));
}

#[test]
fn one_run_writes_many_files() {
    let directory = std::env::temp_dir().join(format!("airgate-outputs-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let file = |name: &str| directory.join(name);
    let json = format!("json={}", file("a.json").display());
    let sarif = format!("sarif={}", file("a.sarif").display());
    let (exit, out, _) = airgate(&["check", "typical", "--output", &json, "--output", &sarif]);
    assert_eq!(exit, Exit::Findings);
    assert!(out.ends_with("not followed\n"), "standard output still is for people: {out}");
    assert!(fs::read_to_string(file("a.json")).unwrap().starts_with(r#"{"schema":"airgate.report/v1""#));
    assert!(fs::read_to_string(file("a.sarif")).unwrap().starts_with(r#"{"$schema":"#));

    let lost = format!("json={}", file("absent/a.json").display());
    let (exit, _, err) = airgate(&["check", "clean", "--output", &lost]);
    assert_eq!(exit, Exit::Failure, "a report that could not be written is not a clean run");
    assert!(err.contains("absent/a.json: "), "{err}");
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    struct Closed;
    impl io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut err = Vec::new();
    assert_eq!(with_console(&["check", "clean"], &mut Closed, &mut err), Exit::Clean);
    assert_eq!(with_console(&["check", "typical"], &mut Closed, &mut err), Exit::Findings);
    assert_eq!(with_console(&["rules"], &mut Closed, &mut err), Exit::Clean);
    assert!(err.is_empty());
    assert_eq!(with_console(&["check", "clean"], &mut Full, &mut err), Exit::Failure);
}

#[test]
fn rules_can_be_listed_and_read() {
    let (exit, out, _) = airgate(&["rules"]);
    assert_eq!(exit, Exit::Clean);
    assert_eq!(out.lines().count(), 4);
    assert!(
        out.starts_with("AWS-S3-IAM-001  critical  iam         Title of public-training-data\n"),
        "{out}"
    );
    let (_, out, _) = airgate(&["rules", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json[1]["name"], "sagemaker-notebook-without-cmk");

    for id in ["AWS-SM-ENC-001", "aws-sm-enc-001", "sagemaker-notebook-without-cmk"] {
        let (exit, out, _) = airgate(&["rule", id]);
        assert_eq!(exit, Exit::Clean);
        assert!(out.contains("severity  high") && out.contains("## Why"), "{out}");
    }
    let (_, out, _) = airgate(&["rule", "AWS-SM-ENC-001", "--format", "markdown"]);
    assert!(out.starts_with("# Title of"), "{out}");
    let (_, out, _) = airgate(&["rule", "AWS-SM-ENC-001", "--format", "json"]);
    assert!(out.contains(r##""page":"# Title of"##), "{out}");
    let (exit, _, err) = airgate(&["rule", "AWS"]);
    assert_eq!(
        (exit, err.as_str()),
        (Exit::Failure, "error: there is no rule `AWS`; `airgate rules` lists them all\n")
    );
}

#[test]
fn the_command_line_is_sound_and_every_flag_has_its_variable() {
    let mut command = Cli::command();
    command.build();
    command.clone().debug_assert();
    let check = command.find_subcommand("check").unwrap();
    // Values of variables may hold any separator: they have their own files.
    let without = ["paths", "var", "help"];
    for argument in check.get_arguments().filter(|argument| !without.contains(&argument.get_id().as_str())) {
        let name = format!("AIRGATE_{}", argument.get_id().as_str().to_uppercase());
        assert_eq!(argument.get_env().and_then(|env| env.to_str()), Some(name.as_str()));
        assert!(
            include_str!("../../docs/configuration.md").contains(&format!("`{name}`")),
            "{name} is documented"
        );
    }
}
