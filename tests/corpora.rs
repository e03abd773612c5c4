//! The JSON readers over real files below the directory that `AIRGATE_CORPORA` names. Without it there is nothing to test, and
//! the tests say so.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests fail the test, and say when there is nothing to test"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use airgate::input::{self, InputError, InputFile};
use airgate::program::{Action, Mode, Program};
use airgate::source::Sources;
use serde_json::Value;

fn corpora() -> Option<PathBuf> {
    let directory = std::env::var_os("AIRGATE_CORPORA").map(PathBuf::from).filter(|path| path.is_dir());
    if directory.is_none() {
        println!("skipped: AIRGATE_CORPORA names no directory");
    }
    directory
}

/// All files below `directory` in order of their paths.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(files(&path));
        } else {
            out.push(path);
        }
    }
    out.sort();
    out
}

fn bytes(path: &Path) -> Vec<u8> {
    if path.extension().is_some_and(|extension| extension == "gz") {
        let output = Command::new("gzip").arg("-dc").arg(path).output().unwrap();
        assert!(output.status.success(), "{}", path.display());
        output.stdout
    } else {
        std::fs::read(path).unwrap()
    }
}

fn read(name: &str, bytes: Vec<u8>) -> Result<(Program, String), InputError> {
    let text = input::decode(name, bytes)?;
    let kind = input::detect(name, &text)?;
    let mut sources = Sources::default();
    let file = sources.add(name, text.as_str());
    let program = input::read(kind, name, &text, file, &|_| true);
    assert_eq!(program.diagnostics, [], "{name}");
    Ok((program, text))
}

/// The addresses in a module of a state and below.
fn addresses(module: &Value, data_only: bool) -> Vec<&str> {
    let list = |key: &str| module[key].as_array().into_iter().flatten();
    let own = list("resources").filter(|resource| !data_only || resource["mode"] == "data");
    let own = own.map(|resource| resource["address"].as_str().unwrap());
    own.chain(list("child_modules").flat_map(|child| addresses(child, data_only))).collect()
}

/// The number of resource instances of a file, counted without the readers.
fn count(json: &Value) -> usize {
    if let Some(changes) = json["resource_changes"].as_array() {
        let changes: Vec<_> = changes.iter().filter(|change| change["deposed"].is_null()).collect();
        let prior = addresses(&json["prior_state"]["values"]["root_module"], true);
        let is_new = |address: &&str| changes.iter().all(|change| change["address"] != **address);
        changes.len() + prior.into_iter().filter(is_new).count()
    } else if let Some(resources) = json["resources"].as_array() {
        resources.iter().filter_map(|resource| resource["instances"].as_array()).flatten().count()
    } else {
        addresses(&json["values"]["root_module"], false).len()
    }
}

#[test]
fn every_file_is_read_with_all_of_its_resources() {
    let Some(corpora) = corpora() else { return };
    let mut read_files = 0;
    for path in files(&corpora).into_iter().filter(|path| path.extension().is_some_and(|e| e == "gz")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match read(&name, bytes(&path)) {
            Ok((program, text)) => {
                read_files += 1;
                assert_eq!(program.resources.len(), count(&serde_json::from_str(&text).unwrap()), "{name}");
                for resource in &program.resources {
                    assert!(resource.site.is_some(), "{name}: {}", resource.address);
                    let parsed = airgate::terraform::address::Address::parse(&resource.address);
                    let parsed =
                        parsed.unwrap_or_else(|| panic!("{name}: {} is an address", resource.address));
                    assert_eq!(parsed.to_string(), resource.address, "{name}");
                    assert_eq!(parsed.module_path(), resource.module, "{name}: {}", resource.address);
                    assert_eq!(
                        (&parsed.key, parsed.mode),
                        (&resource.key, resource.mode),
                        "{name}: {parsed}"
                    );
                }
            }
            Err(InputError::Version { version, .. }) => assert_eq!(version, "3", "{name}"),
            Err(error) => panic!("{name}: {error}"),
        }
    }
    assert!(read_files > 100, "only {read_files} files are there");
}

/// What a change does, told from its JSON without the readers.
fn action(change: &Value) -> Action {
    let actions: Vec<&str> =
        change["change"]["actions"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    match actions.join(" ").as_str() {
        "no-op" if change["change"]["importing"].is_object() => Action::Import,
        "no-op" => Action::NoOp,
        "create" => Action::Create,
        "read" => Action::Read,
        "update" => Action::Update,
        "delete" => Action::Delete,
        "forget" => Action::Forget,
        "delete create" | "create delete" | "create forget" => Action::Replace,
        other => panic!("{other}"),
    }
}

/// Holds the actions and moves of a plan to its JSON; how many of each action there are.
fn hold_actions(name: &str, program: &Program, text: &str) -> BTreeMap<Action, usize> {
    let json: Value = serde_json::from_str(text).unwrap();
    let changes = json["resource_changes"].as_array().unwrap().iter().filter(|c| c["deposed"].is_null());
    let mut count = BTreeMap::new();
    for change in changes {
        let address = change["address"].as_str().unwrap();
        let found = program.resources.iter().find(|resource| resource.address == address).unwrap();
        assert_eq!(found.action, action(change), "{name}: {address}");
        assert_eq!(found.after.is_none(), change["change"]["after"].is_null(), "{name}: {address}");
        let moved = program.moved.get(address).map(smol_str::SmolStr::as_str);
        assert_eq!(moved, change["previous_address"].as_str(), "{name}: {address}");
        *count.entry(found.action).or_default() += 1;
    }
    // What only moved is told as drift too.
    let drift = json["resource_drift"].as_array().into_iter().flatten().filter(|entry| {
        entry["mode"] == "managed" && entry["deposed"].is_null() && action(entry) != Action::NoOp
    });
    assert_eq!(program.stored.len(), drift.count(), "{name}");
    count
}

#[test]
fn updates_replacements_and_destroys_are_told_as_such() {
    use Action::{Create, Delete, Forget, NoOp, Replace, Update};
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for (name, expected) in [
        (
            "change/plan.json",
            [(NoOp, 5), (Create, 1), (Update, 1), (Delete, 5), (Replace, 1), (Forget, 1)].as_slice(),
        ),
        (
            "binary/changes.json",
            &[(NoOp, 1), (Create, 11), (Update, 1), (Delete, 1), (Replace, 1), (Forget, 1)],
        ),
        ("drift/plan.json", &[(NoOp, 1), (Create, 1), (Update, 1)]),
    ] {
        let (program, text) = read(name, bytes(&fixtures.join(name))).unwrap();
        assert_eq!(hold_actions(name, &program, &text), expected.iter().copied().collect(), "{name}");
    }
    let Some(corpora) = corpora() else { return };
    for (name, expected) in [
        ("life-azq-101-ml.second_plan", [(NoOp, 10), (Update, 1)].as_slice()),
        ("life-azq-101-ml.destroy_plan", &[(Delete, 11)]),
        ("life-gdocs-workbench.second_plan", &[(Update, 1)]),
        ("life-gdocs-workbench.destroy_plan", &[(Delete, 1)]),
        ("life-philschmid-hub.second_plan", &[(NoOp, 3), (Replace, 2)]),
        ("life-philschmid-hub.destroy_plan", &[(Delete, 5)]),
    ] {
        let path = corpora.join(format!("made/{name}.json.gz"));
        let (program, text) = read(name, bytes(&path)).unwrap();
        assert_eq!(hold_actions(name, &program, &text), expected.iter().copied().collect(), "{name}");
    }
    for path in files(&corpora).into_iter().filter(|path| path.extension().is_some_and(|e| e == "gz")) {
        let name = path.display().to_string();
        let Ok((program, text)) = read(&name, bytes(&path)) else { continue };
        if text.contains("\"resource_changes\"") {
            hold_actions(&name, &program, &text);
        }
    }
}

#[test]
fn the_counts_are_those_of_the_index() {
    let Some(corpora) = corpora() else { return };
    let index = |name: &str| -> Vec<Value> {
        serde_json::from_slice(&bytes(&corpora.join(name))).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    for entry in index("made.json") {
        let path = entry["plan"].as_str().unwrap();
        let (program, _) = read(path, bytes(&corpora.join(path))).unwrap();
        let managed = program.resources.iter().filter(|resource| resource.mode == Mode::Managed).count();
        assert_eq!(Some(managed as u64), entry["managed"].as_u64(), "{path}");
    }
    for entry in index("others.json") {
        let path = entry["file"].as_str().unwrap();
        // The index counts the changes of a plan, and no resources in a state that is shown.
        let kinds: &[InputFile] = match entry["kind"].as_str().unwrap() {
            "plan" => &[InputFile::Plan],
            "tfstate" => &[InputFile::RawTfstate],
            _ => continue,
        };
        let text = input::decode(path, bytes(&corpora.join("others").join(format!("{path}.gz")))).unwrap();
        match input::detect(path, &text) {
            Ok(kind) => assert!(kinds.contains(&kind), "{path}"),
            Err(InputError::Version { .. }) => continue,
            Err(error) => panic!("{error}"),
        }
        let (program, _) = read(path, text.into_bytes()).unwrap();
        let has_prior = kinds == [InputFile::Plan];
        let counted =
            program.resources.iter().filter(|resource| !has_prior || resource.mode == Mode::Managed);
        assert_eq!(Some(counted.count() as u64), entry["resources"].as_u64(), "{path}");
    }
}

#[test]
fn a_file_that_is_cut_anywhere_is_an_error_and_no_panic() {
    let Some(corpora) = corpora() else { return };
    let path = corpora.join("made/life-philschmid-hub.json.gz");
    let whole = String::from_utf8(bytes(&path)).unwrap();
    for end in (1..whole.len()).step_by(211) {
        let cut = whole.get(..end).unwrap_or_default();
        let mut sources = Sources::default();
        let file = sources.add("plan.json", cut);
        let is_refused = match input::detect("plan.json", cut) {
            Ok(kind) => {
                let program = input::read(kind, "plan.json", cut, file, &|_| true);
                program.diagnostics.iter().any(|d| d.level == airgate::diagnostic::Level::Error)
            }
            Err(InputError::Truncated { .. }) => true,
            Err(error) => panic!("{end}: {error}"),
        };
        assert!(is_refused, "{end} bytes are read as if they were all");
    }
}
