//! Runs the program as a user does, in a directory that is gone afterwards.

#[path = "dir.rs"]
mod dir;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

pub(crate) use dir::Dir;

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Dir {
    /// Runs the program here.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        Run::of(&self.command(arguments).output().unwrap())
    }

    /// Runs it with text on its standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Run {
        let mut command = self.command(arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Run::of(&child.wait_with_output().unwrap())
    }

    /// The program with arguments, in this directory and without the environment of who runs the tests.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_airgate"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("AIRGATE_") {
                command.env_remove(name);
            }
        }
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command
    }
}

impl Run {
    /// What the program printed; no run may end in a crash.
    pub(crate) fn of(output: &Output) -> Self {
        let run = Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout.clone()).unwrap(),
            err: String::from_utf8(output.stderr.clone()).unwrap(),
        };
        for sign in ["panicked", "backtrace", "RUST_BACKTRACE", "overflowed its stack", "memory allocation"] {
            assert!(!run.err.contains(sign), "{}", run.err);
        }
        assert!(matches!(run.code, Some(0..=3)), "{run:?}");
        run
    }

    /// Nobody takes this for the result of a run: the exit code is that of an error, the reason is on stderr alone.
    #[track_caller]
    pub(crate) fn refuses(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.out, "", "nothing on stdout");
        assert!(self.err.starts_with("error: "), "{}", self.err);
        for part in parts {
            assert!(self.err.contains(part), "`{part}` is not in: {}", self.err);
        }
    }

    /// There is a report, with these parts in it.
    #[track_caller]
    pub(crate) fn reports(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        for part in parts {
            assert!(self.out.contains(part), "`{part}` is not in: {}\n{}", self.out, self.err);
        }
        let last = self.out.lines().last().unwrap_or_default();
        assert!(last.contains(" failure") && last.contains(" passed; "), "the closing line: {last}");
    }
}
