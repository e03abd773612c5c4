//! Timing of one thing, and of airgate as a whole process with its peak memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// So often is a thing timed.
pub(crate) const RUNS: usize = 15;

/// The best time of so many.
pub(crate) fn best(runs: usize, mut run: impl FnMut()) -> Duration {
    (0..runs)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .min()
        .unwrap()
}

/// Runs airgate and returns its peak memory in bytes, as far as a glance every half millisecond sees it (Linux only).
pub(crate) fn check(path: &Path) -> usize {
    let mut child = Command::new(env!("CARGO_BIN_EXE_airgate"))
        .args(["check", "--no-config", "--format", "json"])
        .arg(path)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
        peak = peak.max(kilobytes.unwrap_or(0) * 1024);
        std::thread::sleep(Duration::from_micros(500));
    }
    peak
}
