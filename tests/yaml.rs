//! YAML that is broken in every way: no text makes `yamldecode` panic or take long.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail the test")]

use std::path::Path;
use std::time::{Duration, Instant};

use airgate::eval::functions;
use airgate::value::{Truth, Value, equal};
use serde_json::Value as Json;

/// The documents of `fixtures/truth/yaml.jsonl`.
fn documents() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/truth/yaml.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let expressions = text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let written = expressions.filter_map(|line| {
        let quoted =
            line["expr"].as_str().unwrap().strip_prefix("yamldecode(")?.strip_suffix(')')?.to_owned();
        serde_json::from_str(&quoted).ok()
    });
    written.collect()
}

#[test]
fn broken_documents_are_refused_and_nothing_worse() {
    let documents = documents();
    assert!(documents.len() > 500, "{} documents", documents.len());
    let pieces = [
        "\n", " ", "\t", "- ", ": ", "? ", "[", "]", "{", "}", "&a ", "*a", "!!str ", "|\n", ">-", "\"", "'",
        "#", "---\n", "%", "<<: ", "é", "\u{feff}", ",",
    ];
    let mut state = 0x1234_5678_9abc_def1_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 40).unwrap() % below.max(1)
    };
    let start = Instant::now();
    let (mut read, mut refused) = (0, 0);
    for round in 0..20_000 {
        let mut text = documents[round % documents.len()].clone();
        for _ in 0..=next(4) {
            let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let at = boundaries[next(boundaries.len())];
            match next(4) {
                0 => text.truncate(at),
                1 if at < text.len() => drop(text.remove(at)),
                2 => text.insert_str(at, &documents[next(documents.len())]),
                _ => text.insert_str(at, pieces[next(pieces.len())]),
            }
        }
        match functions::call("yamldecode", &[Value::string(&text)], None).unwrap() {
            Ok(value) => {
                read += 1;
                // What was read can be written and read again, but for the key `<<` and for infinity.
                let written =
                    functions::call("yamlencode", std::slice::from_ref(&value), None).unwrap().unwrap();
                if value.is_wholly_known() && !written.as_str().unwrap().contains(['<', 'I']) {
                    let again = functions::call("yamldecode", &[written], None).unwrap();
                    assert_eq!(again.map(|again| equal(&again, &value)), Ok(Truth::Yes), "{text:?}");
                }
            }
            Err(_) => refused += 1,
        }
    }
    assert!(read > 1000 && refused > 1000, "{read} read, {refused} refused");
    assert!(start.elapsed() < Duration::from_mins(2), "{:?}", start.elapsed());
}
