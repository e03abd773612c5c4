//! A plan as `terraform plan -out` writes it: a zip archive of the plan, the configuration that it is of, and the states.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bumpalo::Bump;
use serde::Deserialize;
use smol_str::SmolStr;

use crate::eval;
use crate::program::{PlanSource, Program};
use crate::source::{FileId, Sources, Span};
use crate::terraform::plan::Written;
use crate::terraform::plan::binary::{self, Plan, VERSION};
use crate::terraform::source::variables::{Given, GivenItem};
use crate::terraform::source::{EmbeddedModule, RootModule, display_path, syntax};
use crate::value::Value;

use super::InputError;
use super::archive::Archive;
use super::origin::directory_of;

/// A binary plan whose archive was read. What it holds stays in memory.
#[derive(Debug)]
pub struct BinaryPlan {
    /// The path as the user gave it.
    path: String,
    /// The message of the plan.
    plan: Vec<u8>,
    /// Of one that is only the source of another form of itself: the addresses of the changes, which it holds no more.
    addresses: Option<Vec<SmolStr>>,
    /// The configuration that it is of.
    root: RootModule,
    /// The values of root variables, as a variable file.
    values: FileId,
    /// The state before.
    state: FileId,
    /// The plan itself, without any text: what has no place in the configuration is here.
    file: FileId,
}

/// An entry of Terraform's list of modules.
#[derive(Deserialize)]
struct Module {
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "Dir")]
    directory: String,
}

/// Whether a file is a zip archive, by its first bytes.
pub(super) fn is_archive(bytes: &[u8]) -> bool {
    matches!(bytes, [b'P', b'K', 3 | 5, _, ..])
}

/// When the plan in the archive was made, if it says so.
pub(super) fn timestamp(bytes: &[u8]) -> Option<String> {
    let message = Archive::new(bytes).ok()?.read("tfplan")?.ok()?;
    let plan = Plan::parse(&message).ok()?;
    plan.timestamp.map(str::to_owned)
}

impl BinaryPlan {
    /// The path as the user gave it.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Reads the archive in `bytes`, which the user named as `path`.
    pub fn read(path: &str, bytes: &[u8], sources: &mut Sources) -> Result<Self, InputError> {
        let refuse = |reason: &dyn ToString| InputError::BinaryPlan {
            path: path.to_owned(),
            reason: reason.to_string(),
        };
        let archive = Archive::new(bytes).map_err(|error| refuse(&error))?;
        let file = |name: &str| archive.read(name).transpose().map_err(|error| refuse(&error));
        let message = file("tfplan")?.ok_or_else(|| refuse(&"it holds no `tfplan`"))?;
        let plan = Plan::parse(&message);
        let plan = plan.map_err(|_| refuse(&"its `tfplan` is damaged, or no message of Terraform's"))?;
        if plan.version != VERSION {
            return Err(InputError::Version {
                path: path.to_owned(),
                what: "a binary plan",
                version: plan.version.to_string(),
                known: "version 3: check what `terraform show -json` prints of it",
            });
        }
        let text = |name: &str| {
            let text = file(name)?.map(String::from_utf8).transpose();
            text.map_err(|_| refuse(&format_args!("`{name}` in it is not UTF-8 text")))
        };
        let modules = modules(&archive, &text)?;
        let modules = modules.ok_or_else(|| refuse(&"its list of modules is damaged"))?;
        let root = RootModule::embedded(modules, sources);
        // Data sources that were read while planning are nowhere else.
        let state = text("tfstate")?.ok_or_else(|| refuse(&"it holds no `tfstate`"))?;
        let state = sources.add_confidential(format!("{path}/tfstate"), state);
        // Of a variable that is not understood the evaluator says what it says of one without a value.
        let values = plan.variables.iter();
        let values = values.filter_map(|(name, bytes)| Some(((*name).into(), binary::variable(bytes)?)));
        let values = sources.add_given(format!("{path} (variables)"), variable_file(Value::object(values)));
        let file = sources.add_given(path, "");
        Ok(Self { path: path.to_owned(), plan: message, addresses: None, root, values, state, file })
    }

    /// [`BinaryPlan::read`] of one that another form of the same plan is read beside: of this one only the source counts.
    pub(super) fn read_source(path: &str, bytes: &[u8], sources: &mut Sources) -> Result<Self, InputError> {
        let mut this = Self::read(path, bytes, sources)?;
        if let Ok(rest) = binary::without_changes(&this.plan) {
            this.addresses = Some(this.plan().addresses().map(SmolStr::from).collect());
            this.plan = rest;
        }
        sources.clear(this.state);
        Ok(this)
    }

    /// The addresses of what it changes.
    pub(super) fn addresses(&self) -> Vec<SmolStr> {
        let read = || self.plan().addresses().map(SmolStr::from).collect();
        self.addresses.clone().unwrap_or_else(read)
    }

    /// Takes the files of its source for those in one of the `roots`, beside it, or in the current directory, where all that
    /// it holds of the user's lies as it was.
    pub(super) fn settle(&mut self, roots: &[PathBuf], sources: &mut Sources) {
        let others = [directory_of(Path::new(&self.path)), PathBuf::from(".")];
        let mut directories = roots.iter().cloned().chain(others);
        if let Some(directory) = directories.find(|directory| self.root.is_in(directory, sources)) {
            self.root.settle(directory, sources);
        }
    }

    /// The message.
    pub(super) fn plan(&self) -> Plan<'_> {
        Plan::parse(&self.plan).unwrap_or_default()
    }

    /// What the configuration in it evaluates to.
    fn written<'w>(&'w self, sources: &'w Sources) -> Written<'w> {
        self.written_as(self.source(true, sources), sources)
    }

    /// The same, of which `program` is what it evaluates to with the files that its functions read.
    pub(super) fn written_as<'w>(&'w self, program: Program, sources: &'w Sources) -> Written<'w> {
        let reads = self.root.may_read_files(sources);
        let without_files = reads.then(|| Box::new(|| self.source(false, sources)) as Box<_>);
        Written { program, without_files }
    }

    /// What the configuration in it evaluates to. Where it lies on the disk too, functions read `files`.
    pub(super) fn source(&self, files: bool, sources: &Sources) -> Program {
        let mut arenas = self.root.arenas();
        let (parsed, mut diagnostics) = self.root.parse(sources, &mut arenas);
        let arena = Bump::new();
        let (values, _) = syntax::values(sources, self.values, &arena);
        let (items, workspace) = (vec![GivenItem::File(values)], self.plan().workspace);
        let given = Given { items, workspace, without_files: !files, ..Given::default() };
        let mut source = self.root.evaluate(&parsed, &given);
        source.diagnostics.append(&mut diagnostics);
        source
    }

    /// The resources of the plan. Only those of `wanted` types have values.
    pub(super) fn program(&self, sources: &Sources, wanted: &dyn Fn(&str) -> bool) -> Program {
        let state = (sources.text(self.state), self.state);
        let mut program = binary::read(&self.plan(), self.written(sources), state, wanted);
        program.path.clone_from(&self.path);
        let directory = self.root.directory.as_deref().map(display_path);
        program.source = Some(PlanSource { path: directory.unwrap_or(self.path.clone()), exact: true });
        for resource in &mut program.resources {
            resource.site.get_or_insert(Span::default().at(self.file));
        }
        program
    }
}

/// The modules in the archive by the calls that lead to them; [`None`] if there is no list of them.
fn modules(
    archive: &Archive<'_>,
    text: &dyn Fn(&str) -> Result<Option<String>, InputError>,
) -> Result<Option<BTreeMap<String, EmbeddedModule>>, InputError> {
    let list = text("tfconfig/modules.json")?.unwrap_or_default();
    let Ok(list) = serde_json::from_str::<Vec<Module>>(&list) else { return Ok(None) };
    let mut modules: BTreeMap<String, EmbeddedModule> = list
        .into_iter()
        .map(|module| (module.key, EmbeddedModule { directory: module.directory, files: Vec::new() }))
        .collect();
    for name in archive.names() {
        let Some((key, file)) = name.strip_prefix("tfconfig/m-").and_then(|name| name.rsplit_once('/'))
        else {
            continue;
        };
        if let (Some(module), Some(text)) = (modules.get_mut(key), text(name)?) {
            module.files.push((file.to_owned(), text));
        }
    }
    Ok(Some(modules))
}

/// Values as a variable file has them.
fn variable_file(values: Value) -> String {
    let text = eval::functions::call("provider::terraform::encode_tfvars", &[values], None);
    text.and_then(Result::ok).and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::archive::tests::archive;
    use super::*;

    fn fixture() -> Vec<u8> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/binary/changes.tfplan");
        std::fs::read(path).unwrap()
    }

    /// How many resources there are, or why the plan is not read.
    fn read(bytes: &[u8]) -> Result<Program, String> {
        let mut sources = Sources::default();
        let plan = BinaryPlan::read("x", bytes, &mut sources).map_err(|error| error.to_string())?;
        Ok(plan.program(&sources, &|_| true))
    }

    /// The files of the fixture, with one of them replaced.
    fn with(name: &str, content: &[u8]) -> Vec<u8> {
        let fixture = fixture();
        let original = Archive::new(&fixture).unwrap();
        let files: Vec<(&str, Vec<u8>)> =
            original.names().map(|name| (name, original.read(name).unwrap().unwrap())).collect();
        let files =
            files.iter().map(|(known, old)| (*known, if *known == name { content } else { old }, 0, 0));
        archive(&files.collect::<Vec<_>>())
    }

    fn content(name: &str) -> Vec<u8> {
        Archive::new(&fixture()).unwrap().read(name).unwrap().unwrap()
    }

    #[test]
    fn what_is_no_plan_says_so() {
        let refusal = |bytes: &[u8]| read(bytes).map(|_| ()).unwrap_err();
        assert!(refusal(&archive(&[("a", b"b", 0, 0)])).contains("it holds no `tfplan`"));
        assert!(refusal(&with("tfplan", b"\x0b")).contains("its `tfplan` is damaged"));
        let newer = refusal(&with("tfplan", b"\x08\x04"));
        assert!(newer.contains("a binary plan of version 4") && newer.contains("terraform show -json"));
        assert!(refusal(&with("tfconfig/modules.json", b"{}")).contains("its list of modules is damaged"));
        assert!(refusal(&with("tfconfig/m-/main.tf", b"\xff")).contains("`tfconfig/m-/main.tf`"));
        assert!(refusal(&fixture()[..2000]).contains("cut off"));
    }

    #[test]
    fn no_damage_to_the_archive_ends_the_program() {
        let fixture = fixture();
        let shown = |program: &Program| format!("{:?}", program.resources);
        let whole = shown(&read(&fixture).unwrap());
        for step in 0..300 {
            let at = step * fixture.len() / 300;
            assert!(read(&fixture[..at]).is_err());
            let mut bytes = fixture.clone();
            bytes[at] ^= 1 << (step % 8);
            // Times, the state before that and the like are not read.
            if let Ok(program) = read(&bytes) {
                assert!(shown(&program) == whole, "byte {at}");
            }
        }
    }

    #[test]
    fn no_damage_to_the_plan_ends_the_program_or_is_silent_about_a_resource() {
        let (message, whole) = (content("tfplan"), read(&fixture()).unwrap());
        for step in 0..300 {
            let at = step * message.len() / 300;
            let mut bytes = message.clone();
            bytes[at] ^= if step % 3 == 0 { 0xff } else { 1 << (step % 8) };
            for bytes in [&bytes, &message[..at].to_vec()] {
                if let Ok(program) = read(&with("tfplan", bytes)) {
                    let is_told =
                        program.diagnostics.len() + program.resources.len() >= whole.resources.len();
                    assert!(is_told || bytes.len() == at, "byte {at}");
                }
            }
        }
    }

    #[test]
    fn damage_to_sources_and_state_leaves_the_values() {
        let whole = read(&fixture()).unwrap().resources.len();
        for step in 0..20 {
            let text = content("tfconfig/m-/main.tf");
            let cut = &text[..step * text.len() / 20];
            let program = read(&with("tfconfig/m-/main.tf", cut)).unwrap();
            assert_eq!(program.resources.len(), whole);
            assert!(program.resources.iter().all(|resource| resource.site.is_some()));
        }
        let program = read(&with("tfstate", b"{")).unwrap();
        assert!(program.diagnostics.iter().any(|diagnostic| diagnostic.message.contains("the state")));
    }
}
