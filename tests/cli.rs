//! The program as a process: usage, exit codes of errors, and what goes to which stream.

#![cfg(test)]

use std::process::{Command, Output};

fn airgate(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_airgate"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AIRGATE_")) {
        command.env_remove(name);
    }
    command.args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    for arguments in [
        &["check", "--no-such-flag"][..],
        &["check", "--fail-on", "severe"],
        &["check", "--format", "xml"],
        &["check", "--output", "sarif"],
        &["check", "--var", "novalue"],
        &["check", "--show", "none"],
        &["rule"],
        &["no-such-command"],
        &[],
    ] {
        let output = airgate(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_configuration_that_cannot_be_read_is_exit_code_2() {
    let output = airgate(&["check", "--config", "no/such/airgate.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("error: no/such/airgate.toml: "), "{}", text(&output.stderr));
    assert!(output.stdout.is_empty());
}

#[test]
fn flags_come_from_the_environment_too() {
    let output = Command::new(env!("CARGO_BIN_EXE_airgate"))
        .arg("check")
        .env("AIRGATE_FAIL_ON", "severe")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("invalid value 'severe' for '--fail-on <SEVERITY>'"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn help_and_version_are_for_standard_output() {
    let version = airgate(&["--version"]);
    assert_eq!(text(&version.stdout), concat!("airgate ", env!("CARGO_PKG_VERSION"), "\n"));
    let help = airgate(&["check", "--help"]);
    assert_eq!(help.status.code(), Some(0));
    insta::assert_snapshot!(text(&help.stdout));
}
