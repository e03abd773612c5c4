//! Holds a program that airgate made of Terraform source against the plan that Terraform made of it: the addresses of all
//! instances, and every leaf of what they are after the change.
//!
//! `tests/source.rs` and `cargo xtask compare-plan` both use this. It reads and prints nothing itself.

mod leaves;

use std::collections::{BTreeMap, BTreeSet};

use airgate::catalog::{self, Catalog};
use airgate::diagnostic::Level;
use airgate::program::{Link, Mode, Program, Resource};
use airgate::source::Sources;
use airgate::value::Value;
use serde_json::Value as Json;

use leaves::{At, Planned, Written};
pub(crate) use leaves::{Different, Leaves, Unknown};

/// What comparing has found.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// Instances of `resource` blocks.
    pub(crate) managed: Addresses,
    /// Instances of `data` blocks, as far as the plan tells of them.
    pub(crate) data: Addresses,
    /// The leaves of all managed instances.
    pub(crate) leaves: Leaves,
    /// Warnings and errors: a configuration that Terraform plans deserves none.
    pub(crate) diagnostics: Vec<String>,
}

/// Which instances there are.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    /// How many both have.
    pub(crate) equal: usize,
    /// Those of the plan for which one symbolic instance of ours stands.
    pub(crate) symbolic: Vec<String>,
    /// Those that only the plan has.
    pub(crate) missing: Vec<String>,
    /// Those that only we have.
    pub(crate) extra: Vec<String>,
}

/// What is ours for an address of the plan.
enum Found<'p> {
    Same(&'p Resource),
    /// The keys are not known to us.
    Symbolic(&'p Resource),
    Nothing,
}

impl Addresses {
    /// How many instances the plan has.
    pub(crate) fn total(&self) -> usize {
        self.equal + self.symbolic.len() + self.missing.len()
    }

    /// Compares ours with those of the plan, and says which is which.
    fn of<'p>(ours: &[&'p Resource], theirs: &BTreeSet<&str>) -> (Self, BTreeMap<String, Found<'p>>) {
        let mut this = Self::default();
        let by_address: BTreeMap<&str, &Resource> =
            ours.iter().map(|&resource| (resource.address.as_str(), resource)).collect();
        let symbolic: Vec<&Resource> =
            ours.iter().copied().filter(|resource| resource.address.contains(ANY)).collect();
        let mut found = BTreeMap::new();
        for &address in theirs {
            let what = if let Some(resource) = by_address.get(address) {
                this.equal += 1;
                Found::Same(resource)
            } else if let Some(resource) = symbolic.iter().find(|any| stands_for(&any.address, address)) {
                this.symbolic.push(address.to_owned());
                Found::Symbolic(resource)
            } else {
                this.missing.push(address.to_owned());
                Found::Nothing
            };
            found.insert(address.to_owned(), what);
        }
        // A symbolic instance may stand for none.
        let extra = by_address.keys().filter(|address| !theirs.contains(*address) && !address.contains(ANY));
        this.extra.extend(extra.map(|address| (*address).to_owned()));
        (this, found)
    }
}

/// The key of an instance whose keys are not known.
const ANY: &str = "[?]";

/// Whether `symbolic`, an address with keys that are not known, stands for `address`.
fn stands_for(symbolic: &str, address: &str) -> bool {
    let Some((before, after)) = symbolic.split_once(ANY) else { return symbolic == address };
    let Some(rest) = address.strip_prefix(before).and_then(|rest| rest.strip_prefix('[')) else {
        return false;
    };
    // A key may hold brackets, so every end is tried.
    rest.match_indices(']').any(|(end, _)| rest.get(end + 1..).is_some_and(|rest| stands_for(after, rest)))
}

/// Compares what airgate made of a configuration with Terraform's plan of it. `strict` is the same configuration in
/// [`airgate::eval::Mode::Strict`].
pub(crate) fn compare(program: &Program, strict: &Program, sources: &Sources, plan: &Json) -> Comparison {
    let changes: BTreeMap<&str, &Json> = list(&plan["resource_changes"])
        .filter(|change| change["deposed"].is_null() && !is_gone(&change["change"]["actions"]))
        .filter_map(|change| Some((change["address"].as_str()?, change)))
        .collect();
    let of_mode = |mode| -> Vec<&Resource> {
        program.resources.iter().filter(|resource| resource.mode == mode).collect()
    };
    let is_managed = |change: &Json| change["mode"] == "managed";
    let managed = changes.iter().filter(|(_, change)| is_managed(change)).map(|(address, _)| *address);
    let (managed, found) = Addresses::of(&of_mode(Mode::Managed), &managed.collect());
    let mut data: BTreeSet<&str> =
        changes.iter().filter(|(_, change)| !is_managed(change)).map(|(address, _)| *address).collect();
    let deferred = data.clone();
    data_of(&plan["prior_state"]["values"]["root_module"], &mut data);
    let (data, _) = Addresses::of(&of_mode(Mode::Data), &data);

    let mut leaves = Leaves::default();
    for (address, found) in &found {
        let (Found::Same(resource) | Found::Symbolic(resource)) = found else { continue };
        let Some(change) = changes.get(address.as_str()) else { continue };
        let ours = completed(resource);
        let strict = strict.resources.iter().find(|other| other.address == resource.address).map(completed);
        let is_typed = Catalog::get().schema(&resource.type_name).is_some();
        let change = &change["change"];
        let plan = Planned {
            after: &change["after"],
            unknown: &change["after_unknown"],
            sensitive: &change["after_sensitive"],
        };
        let is_deferred = |link: &&Link| deferred.contains(link.target.resource.as_str());
        let links = resource.references.iter().filter(is_deferred).map(|link| link.path.as_str());
        let written = Written { paths: resource.configured.as_deref(), deferred: links.collect() };
        // `terraform_data` has no schema, but its values have types of their own.
        let is_typed = is_typed || resource.type_name == "terraform_data";
        leaves.compare(
            &ours,
            &plan,
            &At::top(address, &resource.type_name, is_typed, &written, strict.as_ref()),
        );
    }
    Comparison { managed, data, leaves, diagnostics: diagnostics(program, sources) }
}

fn completed(resource: &Resource) -> Value {
    catalog::complete(&resource.type_name, resource.after.clone().unwrap_or(Value::NULL), true)
}

fn list(json: &Json) -> impl Iterator<Item = &Json> {
    json.as_array().into_iter().flatten()
}

/// Whether nothing is there after the change.
fn is_gone(actions: &Json) -> bool {
    list(actions).all(|action| action == "delete" || action == "forget")
}

/// The data sources that were read for the plan.
fn data_of<'j>(module: &'j Json, out: &mut BTreeSet<&'j str>) {
    let data = list(&module["resources"]).filter(|resource| resource["mode"] == "data");
    out.extend(data.filter_map(|resource| resource["address"].as_str()));
    for child in list(&module["child_modules"]) {
        data_of(child, out);
    }
}

/// What airgate complains of.
fn diagnostics(program: &Program, sources: &Sources) -> Vec<String> {
    let complaints = program.diagnostics.iter().filter(|diagnostic| diagnostic.level != Level::Notice);
    let place = |site: airgate::source::Site| {
        let file = sources.get(site.file)?;
        Some(format!("{}:{}: ", file.path(), file.position(site.span.start).line))
    };
    complaints
        .map(|diagnostic| {
            format!("{}{}", diagnostic.site.and_then(place).unwrap_or_default(), diagnostic.message)
        })
        .collect()
}
