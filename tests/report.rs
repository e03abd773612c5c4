//! The formats for people, and JSON against its schema.
#![cfg(test)]

#[path = "common/reports.rs"]
mod reports;

use airgate::finding::{Report, Severity};
use airgate::report::{Format, Options, Show, write};
use reports::{SAMPLES, sample};
use serde_json::Value;

const EVERYTHING: Show = Show { undetermined: true, pass: true };

fn render(report: &Report, format: Format, options: &Options) -> String {
    let mut out = Vec::new();
    write(report, format, options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn human(name: &str, options: &Options) -> String {
    render(&sample(name), Format::Human, options)
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap()
}

#[test]
fn a_finding_is_shown_with_its_source() {
    insta::assert_snapshot!(human("typical", &Options { show: EVERYTHING, ..Options::default() }));
}

#[test]
fn hostile_input_is_shown_harmless() {
    insta::assert_snapshot!(human("hostile", &Options::default()));
}

#[test]
fn problems_are_shown() {
    insta::assert_snapshot!(human("broken", &Options::default()));
}

#[test]
fn the_job_summary_is_a_table() {
    insta::assert_snapshot!(render(&sample("typical"), Format::Markdown, &Options::default()));
    insta::assert_snapshot!(render(&sample("hostile"), Format::Markdown, &Options::default()));
}

#[test]
fn the_closing_line_names_the_failures() {
    let options = Options::default();
    let read = "; 23 managed resources (9 in AI scope)";
    let also = ", 1 type not known, 1 module not followed";
    assert_eq!(human("clean", &options), format!("0 failures, 0 undetermined, 61 passed{read}\n"));
    assert_eq!(
        last_line(&human("typical", &options)),
        format!("3 failures (1 critical, 1 high, 1 medium), 1 undetermined, 61 passed{read}{also}")
    );
    assert!(human("typical", &options).contains("\ntypes not known: aws_new_thing\n3 failures"));
    let high = Options { min_severity: Severity::High, ..options };
    assert_eq!(
        last_line(&human("typical", &high)),
        format!(
            "2 failures (1 critical, 1 high), 1 below high not shown, 1 undetermined, 61 passed{read}{also}"
        )
    );
    let many = human("many", &high);
    assert!(
        last_line(&many).starts_with("10 failures (10 critical), 5990 below high not shown, "),
        "{}",
        last_line(&many)
    );
    assert_eq!(many.matches("error[").count(), 10);
}

/// Atlantis reads the verdict from the text: `N failure` with N > 0 fails, whatever the exit code says.
#[test]
fn a_run_that_is_not_sure_does_not_read_as_clean() {
    let text = human("broken", &Options::default());
    assert!(last_line(&text).ends_with("; 2 failures to analyse"), "{text}");
}

#[test]
fn what_is_not_asked_for_is_counted_and_not_listed() {
    let text = human("typical", &Options::default());
    assert!(!text.contains("cannot tell whose key") && !text.contains("notebook has a name"), "{text}");
    assert!(text.contains("1 undetermined"), "{text}");
}

#[test]
fn no_secret_is_shown_from_around_a_finding() {
    for name in ["typical", "minified"] {
        for format in Format::ALL {
            let text = render(&sample(name), format, &Options { show: EVERYTHING, ..Options::default() });
            assert!(!text.contains("hunter2"), "{name} {format:?}: {text}");
        }
    }
}

#[test]
fn a_place_in_a_long_line_has_its_true_column() {
    let text = human("minified", &Options::default());
    // One entry has 60 UTF-16 code units and 63 bytes.
    assert!(text.contains("--> plan.json:1:60002"), "{text}");
    assert!(text.len() < 1_000, "{}", text.len());
}

#[test]
fn no_format_lets_a_control_through() {
    for (name, make) in SAMPLES {
        for format in Format::ALL {
            let text = render(&make(), format, &Options { show: EVERYTHING, ..Options::default() });
            let bad = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{200b}\u{9b}".contains(c);
            assert!(!text.contains(bad), "{name} {format:?}: {text:?}");
        }
    }
}

#[test]
fn colour_is_only_where_it_is_asked_for() {
    let options = Options { color: true, ..Options::default() };
    assert!(human("typical", &options).contains('\x1b'));
    assert!(!human("hostile", &options).contains("\x1b]0;owned"));
}

#[test]
fn long_values_are_cut_for_people() {
    let mut report = sample("typical");
    report.findings[1].actual = Some("x".repeat(100_000));
    report.findings[0].message = "y".repeat(100_000);
    for format in [Format::Human, Format::Markdown, Format::Sarif] {
        let text = render(&report, format, &Options::default());
        assert!(text.len() < 20_000 && text.contains('…'), "{format:?}: {}", text.len());
    }
    assert!(
        render(&report, Format::Json, &Options::default()).contains(&"x".repeat(100_000)),
        "JSON has it whole"
    );
}

#[test]
fn the_job_summary_stays_below_githubs_limit() {
    let mut report = sample("many");
    for finding in &mut report.findings {
        finding.message = "|".repeat(500);
        finding.actual = Some("<".repeat(500));
    }
    let page = render(&report, Format::Markdown, &Options::default());
    assert!(page.len() < 1_048_576, "{}", page.len());
    let rows =
        page.lines().filter(|line| line.starts_with("| critical ") || line.starts_with("| medium ")).count();
    assert!(rows > 100, "{rows}");
    assert!(
        page.ends_with(&format!(
            "\n{} more are not listed here; the JSON report has them all.\n",
            6_000 - rows
        ))
    );
}

#[test]
fn json_matches_its_schema() {
    let schema: Value = serde_json::from_str(include_str!("../docs/report.schema.json")).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for (name, make) in SAMPLES {
        let json: Value = serde_json::from_str(&render(&make(), Format::Json, &Options::default())).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&json).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
    let mut extra: Value =
        serde_json::from_str(&render(&sample("typical"), Format::Json, &Options::default())).unwrap();
    assert!(validator.is_valid(&extra));
    extra["findings"][0]["surprise"] = Value::Bool(true);
    assert!(!validator.is_valid(&extra), "the schema is closed");
}

#[test]
fn json_holds_what_people_see() {
    let json: Value =
        serde_json::from_str(&render(&sample("typical"), Format::Json, &Options::default())).unwrap();
    let findings = json["findings"].as_array().unwrap();
    let verdicts: Vec<_> = findings.iter().map(|finding| finding["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["fail", "fail", "fail", "undetermined", "pass"]);
    assert_eq!(
        findings[1]["location"],
        serde_json::json!({"path": "infra/main.tf", "line": 7, "column": 3, "end_line": 7, "end_column": 37, "offset": 130})
    );
    assert_eq!(findings[0]["resources"][0]["path"][1]["edge"], "data");
    assert_eq!(json["summary"]["fail"]["critical"], 1);
    let mut prints: Vec<_> =
        findings.iter().map(|finding| finding["fingerprint"].as_str().unwrap()).collect();
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), findings.len(), "every finding has its own identity");
}

#[test]
fn severities_below_are_left_out_of_every_format() {
    let options = Options { min_severity: Severity::Critical, show: EVERYTHING, ..Options::default() };
    for format in Format::ALL {
        let text = render(&sample("typical"), format, &options);
        assert!(text.contains("training data can be read"), "{format:?}");
        assert!(!text.contains("provider-managed key"), "{format:?}");
    }
}

#[test]
fn writing_is_a_pure_function() {
    for (name, make) in SAMPLES {
        for format in Format::ALL {
            let options = Options::default();
            assert_eq!(
                render(&make(), format, &options),
                render(&make(), format, &options),
                "{name} {format:?}"
            );
        }
    }
}

#[test]
fn what_a_change_does_is_told_and_what_it_resolves_is_no_failure() {
    insta::assert_snapshot!(human("changed", &Options::default()));
    insta::assert_snapshot!(render(&sample("changed"), Format::Markdown, &Options::default()));
    let json: Value =
        serde_json::from_str(&render(&sample("changed"), Format::Json, &Options::default())).unwrap();
    let states: Vec<&Value> = json["findings"].as_array().unwrap().iter().map(|f| &f["state"]).collect();
    assert_eq!(states, ["regression", "new", "unchanged"]);
    assert_eq!(json["resolved"].as_array().unwrap().len(), 2);
    assert_eq!(json["summary"]["change"]["left_out"], 4);
    let high = Options { min_severity: Severity::High, ..Options::default() };
    let json: Value = serde_json::from_str(&render(&sample("changed"), Format::Json, &high)).unwrap();
    assert_eq!(json["resolved"].as_array().unwrap().len(), 1, "one is of low severity");
    assert_eq!(json["summary"]["change"]["resolved"], 2);
}
