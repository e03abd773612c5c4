//! The HCL parser against hcl-edit: the same verdict and the same structure on every fixture and on broken variants of
//! them, except where hcl-edit is known to be wrong, and that list is checked too.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

mod corpus;
mod defects;
mod ours;
mod spans;
mod theirs;

use airgate::source::{FileId, Sources};

use corpus::{fixtures, mutants};
use defects::DEFECTS;

/// What a parser makes of a text: its structure, a line a node, or its first complaint.
type Verdict = Result<Vec<String>, String>;

#[test]
fn agrees_with_hcl_edit() {
    let fixtures = fixtures();
    let mutants = mutants(&fixtures);
    let mut agreed = [0; 2];
    let mut allowed = vec![0; DEFECTS.len()];
    let mut wrong = Vec::new();
    for (name, text) in fixtures.iter().chain(&mutants) {
        let (ours, theirs) = (ours::verdict(text), theirs::verdict(text));
        let complaint = disagreement(&ours, &theirs);
        match (&complaint, DEFECTS.iter().position(|defect| (defect.explains)(text, &ours, &theirs))) {
            (None, _) => agreed[usize::from(ours.is_err())] += 1,
            (Some(_), Some(defect)) => allowed[defect] += 1,
            (Some(complaint), None) => wrong.push(format!("{name}: {complaint}\n{text}\n")),
        }
    }
    println!("{} files, {} mutants", fixtures.len(), mutants.len());
    println!("agreed: {} accepted, {} rejected", agreed[0], agreed[1]);
    for (defect, count) in DEFECTS.iter().zip(&allowed) {
        println!("allowed, {}: {count}", defect.name);
    }
    assert!(wrong.is_empty(), "{} disagreements, the first: {}", wrong.len(), wrong[0]);
    assert!(agreed[0] > 200 && agreed[1] > 500, "the corpus still tries both verdicts: {agreed:?}");
}

#[test]
fn each_known_defect_is_still_there() {
    for (i, defect) in DEFECTS.iter().enumerate() {
        let (text, name) = (&(defect.example)(), defect.name);
        let (ours, theirs) = (ours::verdict(text), theirs::verdict(text));
        let complaint = disagreement(&ours, &theirs);
        assert!(complaint.is_some(), "hcl-edit was repaired: remove the entry that it {name}");
        let first = DEFECTS.iter().position(|defect| (defect.explains)(text, &ours, &theirs));
        assert_eq!(first, Some(i), "{name}: {complaint:?}");
    }
}

fn disagreement(ours: &Verdict, theirs: &Verdict) -> Option<String> {
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) if ours == theirs => None,
        (Ok(ours), Ok(theirs)) => {
            let differs = ours.iter().zip(theirs).find(|(a, b)| a != b);
            Some(format!("the structures differ: {differs:?} ({} and {} nodes)", ours.len(), theirs.len()))
        }
        (Err(_), Err(_)) => None,
        (Ok(_), Err(theirs)) => Some(format!("only hcl-edit rejects it: {theirs}")),
        (Err(ours), Ok(_)) => Some(format!("only airgate rejects it: {ours}")),
    }
}

fn file_id() -> FileId {
    Sources::default().add("", "")
}

#[test]
fn spans_nest_and_lie_within_the_text() {
    let fixtures = fixtures();
    let mutants = mutants(&fixtures);
    let nodes: usize = fixtures.iter().chain(&mutants).map(|(_, text)| spans::check(text)).sum();
    assert!(nodes > 20_000, "the corpus has many nodes: {nodes}");
}
