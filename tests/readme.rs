//! The README shows output as it is.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_sample_is_what_airgate_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let (_, rest) = readme.split_once("$ cargo run --release -- check fixtures/rag-bedrock\n").unwrap();
    let (sample, _) = rest.split_once("\n```").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_airgate"))
        .args(["check", "fixtures/rag-bedrock"])
        .current_dir(root)
        .env_remove("COLUMNS")
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    // `…` stands for what is left out.
    let mut at = 0;
    for part in sample.split("\n…\n").map(str::trim) {
        for block in part.split("\n\n") {
            let found = printed[at..].find(block);
            assert!(found.is_some(), "not printed, or not in this order:\n{block}\n\nprinted:\n{printed}");
            at += found.unwrap() + block.len();
        }
    }
    assert_eq!(output.status.code(), Some(1));
}
