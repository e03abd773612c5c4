//! The GitHub action: what its file may not say, and its scripts as the runner would run them, without a network.

#![cfg(test)]
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ACTION: &str = include_str!("../action.yml");

/// Stands for airgate: tells its arguments, writes what it is asked to, and exits as it is told.
const FAKE: &str = r#"#!/usr/bin/env bash
[[ "$1" = --version ]] && { echo "airgate 0.0.0"; exit 0; }
printf '%s\n' "$PWD" "$@" > "$RUNNER_TEMP/arguments"
for argument; do
  case "$argument" in sarif=*|json=*|markdown=*) echo "report of ${argument%%=*}" > "${argument#*=}" ;; esac
done
exit "$FAKE_CODE"
"#;

/// A runner's directories, with a fake airgate in them.
struct Runner {
    root: PathBuf,
}

impl Runner {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("airgate-action-{}-{name}", std::process::id()));
        fs::create_dir_all(root.join("workspace/infra")).unwrap();
        fs::create_dir_all(root.join("temp")).unwrap();
        fs::write(root.join("fake"), FAKE).unwrap();
        fs::set_permissions(root.join("fake"), fs::Permissions::from_mode(0o755)).unwrap();
        Self { root }
    }

    fn step(&self, script: &str, environment: &[(&str, &str)]) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("action").join(script);
        Command::new(script)
            .current_dir(self.root.join("workspace"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("RUNNER_TEMP", self.root.join("temp"))
            .env("GITHUB_OUTPUT", self.root.join("output"))
            .env("GITHUB_STEP_SUMMARY", self.root.join("summary"))
            .env("AIRGATE_BIN", self.root.join("fake"))
            .envs(environment.iter().copied())
            .output()
            .unwrap()
    }

    /// What a step said under this name.
    fn said(&self, name: &str) -> String {
        let output = fs::read_to_string(self.root.join("output")).unwrap();
        let value = output.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('=')).next_back();
        value.unwrap().to_owned()
    }

    fn arguments(&self) -> Vec<String> {
        let text = fs::read_to_string(self.root.join("temp/arguments")).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        let _leftover = fs::remove_dir_all(&self.root);
    }
}

#[test]
fn no_input_is_part_of_a_script() {
    let mut scripts = 0;
    for line in ACTION.lines().map(str::trim).filter(|line| line.starts_with("run:")) {
        assert!(!line.contains("${{"), "{line}");
        let script = line.rsplit('/').next().unwrap().trim_end_matches("\"'");
        let text =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("action").join(script)).unwrap();
        assert!(
            text.starts_with("#!/usr/bin/env bash\n") && text.contains("\nset -euo pipefail\n"),
            "{script}"
        );
        assert!(!text.contains("${{") && !text.contains("eval "), "{script}");
        scripts += 1;
    }
    assert_eq!(scripts, 4);
}

#[test]
fn the_action_runs_no_one_elses_code() {
    assert_eq!(
        ACTION.matches("uses:").count(),
        0,
        "an action that is used here must be pinned by a full commit SHA"
    );
    assert_eq!(ACTION.matches("using: composite").count(), 1);
}

#[test]
fn every_input_is_used_and_described() {
    let inputs = ACTION.split("\noutputs:").next().unwrap().split("\ninputs:").nth(1).unwrap();
    let names = inputs.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let readme = include_str!("../action/README.md");
    let mut seen = 0;
    for name in names.map(|line| line.trim().trim_end_matches(':')) {
        assert!(ACTION.contains(&format!("inputs.{name} ")), "{name} is used");
        assert!(readme.contains(&format!("`{name}`")), "{name} is described");
        seen += 1;
    }
    assert_eq!(seen, 10);
}

#[test]
fn the_exit_code_is_delivered_last() {
    for code in ["0", "1", "2", "3"] {
        let runner = Runner::new(&format!("code-{code}"));
        assert!(runner.step("install.sh", &[]).status.success());
        assert_eq!(runner.said("bin"), runner.root.join("fake").to_str().unwrap());

        let run = runner.step("run.sh", &[("FAKE_CODE", code)]);
        assert!(run.status.success(), "the step that runs airgate never fails for what it finds: {run:?}");
        assert_eq!(runner.said("exit-code"), code);
        assert_eq!(runner.said("sarif-file"), "airgate.sarif");
        assert!(runner.root.join("workspace/airgate.sarif").is_file());
        assert!(runner.root.join("workspace/airgate.json").is_file());

        let markdown = runner.said("markdown-file");
        assert!(runner.step("summary.sh", &[("MARKDOWN_FILE", &markdown)]).status.success());
        assert_eq!(fs::read_to_string(runner.root.join("summary")).unwrap(), "report of markdown\n");

        let gate = runner.step("gate.sh", &[("EXIT_CODE", code)]);
        assert_eq!(gate.status.code().unwrap().to_string(), code);
    }
    let gate = ACTION.rfind("name: Gate").unwrap();
    assert!(!ACTION[gate..].contains("\n    - "), "no step comes after the gate");
}

#[test]
fn a_run_that_did_not_happen_keeps_the_gate_closed() {
    let runner = Runner::new("absent");
    let run = runner.step("run.sh", &[("AIRGATE_BIN", "/no/such/program"), ("FAKE_CODE", "0")]);
    assert!(run.status.success());
    assert_eq!(runner.said("exit-code"), "127");
    assert_eq!(runner.said("sarif-file"), "", "what was not written is not uploaded");
    assert_eq!(runner.step("gate.sh", &[("EXIT_CODE", "127")]).status.code(), Some(127));
    assert_eq!(runner.step("gate.sh", &[("EXIT_CODE", "")]).status.code(), Some(2));
    assert_eq!(runner.step("gate.sh", &[]).status.code(), Some(2));
    assert_eq!(runner.step("gate.sh", &[("EXIT_CODE", "none")]).status.code(), Some(2));
    assert!(runner.step("summary.sh", &[]).status.success(), "no summary is not an error");
}

#[test]
fn a_report_of_an_earlier_run_is_removed() {
    let runner = Runner::new("stale");
    fs::write(runner.root.join("workspace/airgate.sarif"), "old").unwrap();
    let run = runner.step("run.sh", &[("AIRGATE_BIN", "/no/such/program")]);
    assert!(run.status.success());
    assert!(!runner.root.join("workspace/airgate.sarif").exists());
}

#[test]
fn inputs_become_arguments_and_never_commands() {
    let runner = Runner::new("inputs");
    let run = runner.step(
        "run.sh",
        &[
            ("FAKE_CODE", "0"),
            ("INPUT_PATH", "a b\n\n$(touch pwned)\r\n--help\n"),
            ("INPUT_PLAN_FILE", "tf plan"),
            ("INPUT_FAIL_ON", "low"),
            ("INPUT_CONFIG", "my config.toml"),
            ("INPUT_ARGS", "--show=all\n--var=a=`id`; b"),
            ("INPUT_WORKING_DIRECTORY", "infra"),
            ("INPUT_SARIF_FILE", "out file.sarif"),
        ],
    );
    assert!(run.status.success(), "{run:?}");
    let arguments = runner.arguments();
    assert!(arguments[0].ends_with("workspace/infra"));
    assert_eq!(arguments[1..3], ["check", "--output"]);
    let rest: Vec<_> = arguments.iter().skip_while(|argument| *argument != "--fail-on").collect();
    assert_eq!(
        rest,
        [
            "--fail-on",
            "low",
            "--config",
            "my config.toml",
            "--show=all",
            "--var=a=`id`; b",
            "--",
            "a b",
            "$(touch pwned)",
            "--help",
            "tf plan"
        ]
    );
    assert!(!runner.root.join("workspace/infra/pwned").exists());
    assert_eq!(runner.said("sarif-file"), "infra/out file.sarif");
}

#[test]
fn a_plan_stands_for_the_default_path() {
    let runner = Runner::new("plan");
    let paths = |environment: &[(&str, &str)]| {
        let run = runner.step("run.sh", &[&[("FAKE_CODE", "0")], environment].concat());
        assert!(run.status.success(), "{run:?}");
        let arguments = runner.arguments();
        let at = arguments.iter().position(|argument| argument == "--").unwrap();
        arguments[at + 1..].to_vec()
    };
    assert_eq!(paths(&[]), ["."]);
    assert_eq!(paths(&[("INPUT_PATH", " \n")]), ["."]);
    assert_eq!(paths(&[("INPUT_PATH", "."), ("INPUT_PLAN_FILE", "tfplan")]), ["tfplan"]);
    assert_eq!(paths(&[("INPUT_PATH", "a\nb"), ("INPUT_PLAN_FILE", "tfplan")]), ["a", "b", "tfplan"]);
}

#[test]
fn a_version_is_a_version() {
    let runner = Runner::new("version");
    let install = runner.step("install.sh", &[("AIRGATE_BIN", ""), ("INPUT_VERSION", "1.0; id")]);
    assert_eq!(install.status.code(), Some(2));
    assert_eq!(String::from_utf8(install.stderr).unwrap(), "::error::version must be like 0.1.0\n");
}
