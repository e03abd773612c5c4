//! airgate: the gate between an infrastructure change and the cloud, for AI infrastructure.
//!
//! # The pipeline
//!
//! [`analyze`] is the whole tool, one line an arrow:
//!
//! 1. [`rules`] — policy as data: Markdown files, compiled conditions.
//! 2. [`input`] — files to [`source::Sources`]. After it only functions such as `file()` touch the disk.
//! 3. [`terraform`], [`pulumi`] — an input to a [`program::Program`], with [`hcl`] for syntax, [`eval`] for expressions
//!    and [`value`] for what they give. From here on nothing knows which tool the input came from.
//! 4. [`graph`] — resources completed by the [`catalog`], and the edges between them.
//! 5. [`facts`] — what the graph says beyond single attributes: AI scope, buckets, tags, [`iam`], [`mod@residency`].
//! 6. [`check`] — rules against resources, in parallel, to verdicts.
//! 7. [`finding`] — the report: plain data that [`mod@report`] prints and the command line (`src/cli`) turns into an exit code.
//!
//! Only reading and configuration can fail with `Err`. Everything else returns a value and diagnostics.

pub mod assemble;
pub mod catalog;
pub mod check;
pub mod config;
pub mod diagnostic;
pub mod eval;
pub mod facts;
pub mod finding;
pub mod graph;
pub mod hcl;
pub mod iam;
pub mod input;
pub mod picture;
pub mod program;
pub mod pulumi;
pub mod report;
pub mod residency;
pub mod rules;
pub mod source;
pub mod terraform;
pub mod value;

// What helps the tests in `tests/` helps some in here, too.
#[cfg(test)]
extern crate self as airgate;

use std::path::PathBuf;
use std::sync::LazyLock;

use bumpalo::Bump;
use rayon::ThreadPool;
use rayon::prelude::*;

use crate::assemble::Part;
use crate::check::{Asked, Earlier, Rules, Wanted};
use crate::config::{Config, Options};
use crate::diagnostic::Level;
use crate::facts::Facts;
use crate::facts::iam::access::{Answered, Question};
use crate::finding::Report;
use crate::graph::{Before, ResourceGraph};
use crate::iam::context::Context;
use crate::input::{Input, Inputs};
use crate::picture::Picture;
use crate::rules::{Framework, RuleError, RuleSet};
use crate::source::{FileId, Sources};

/// Where inputs are analysed; none where the system has no threads for it.
static POOL: LazyLock<Option<ThreadPool>> = LazyLock::new(|| eval::pool(0).ok());

/// Why there is no report at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An input that was named cannot be analysed.
    #[error(transparent)]
    Input(#[from] input::ReadError),
    /// The rules do not load or a selector names none.
    #[error(transparent)]
    Rules(#[from] RuleError),
}

/// The whole tool: reads the inputs, checks them and reports. Reads top to bottom as the architecture.
pub fn analyze(paths: &[PathBuf], options: &Options) -> Result<Report, Error> {
    let mut sources = Sources::default();
    let read = || {
        let mut inputs = Inputs::read_below(paths, options.recursive, &options.run, &mut sources)?;
        inputs.find_sources(&options.source, &mut sources)?;
        Ok::<_, Error>(inputs)
    };
    let (rules, inputs) = in_pool(|| rayon::join(|| rule_set(options), read));
    report(&rules?, &inputs?, sources, options)
}

/// [`analyze`] of a root module whose files are given as path and text; nothing is read from a disk.
pub fn analyze_text(files: &[(&str, &str)], rules: &RuleSet, config: &Config) -> Result<Report, Error> {
    let mut sources = Sources::default();
    let inputs = Inputs::text(files, &mut sources);
    let options = Options { config: config.clone(), keep_pass: true, ..Options::default() };
    report(rules, &inputs, sources, &options)
}

/// [`analyze_text`] of the change that makes of one root module another.
pub fn analyze_change(
    before: &[(&str, &str)],
    after: &[(&str, &str)],
    rules: &RuleSet,
    config: &Config,
) -> Result<Report, Error> {
    let mut sources = Sources::default();
    let was = Inputs::text(before, &mut sources);
    let mut inputs = Inputs::text(after, &mut sources);
    inputs.before = was.items;
    let options = Options { config: config.clone(), keep_pass: true, ..Options::default() };
    report(rules, &inputs, sources, &options)
}

/// The graphs of the inputs, as `airgate graph` prints them.
pub fn graphs(paths: &[PathBuf], only_ai: bool, options: &Options) -> Result<Vec<Picture>, Error> {
    let picture = |input: Told, facts: &Facts<'_>| Picture::of(facts, input.path, input.errors, only_ai);
    of_facts(paths, options, &mut Sources::default(), picture)
}

/// What an input tells beside its resources.
struct Told {
    path: String,
    /// The messages of what could not be read.
    errors: Vec<String>,
    /// Why it is not whole, if it says so of itself.
    incomplete: Option<String>,
}

/// What `work` makes of the facts of each input, in their order. All types are read, and no rule is asked.
fn of_facts<T: Send>(
    paths: &[PathBuf],
    options: &Options,
    sources: &mut Sources,
    work: impl Fn(Told, &Facts<'_>) -> T + Sync,
) -> Result<Vec<T>, Error> {
    let inputs = Inputs::read_below(paths, options.recursive, &options.run, sources)?;
    let sources = &*sources;
    each(&inputs, |input| {
        let mut program = input.program(&inputs, sources, &|_| true)?;
        input.release(sources);
        let errors = program.diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error);
        let told = Told {
            errors: errors.map(|diagnostic| diagnostic.message.clone()).collect(),
            path: std::mem::take(&mut program.path),
            incomplete: program.incomplete.take(),
        };
        let graph = ResourceGraph::build(program);
        Ok(work(told, &Facts::new(&graph, &options.config).with_sources(sources)))
    })
}

/// The rules that the options select: the built-in ones and those of `rules_dir`.
pub fn rule_set(options: &Options) -> Result<RuleSet, RuleError> {
    let mut rules = RuleSet::builtin()?;
    if let Some(dir) = &options.rules_dir {
        rules = rules.merge(RuleSet::load(dir)?)?;
    }
    rules.know_controls(options.config.provided.keys().map(String::as_str))?;
    let selection = &options.config.rules;
    let frameworks = Framework::named(&selection.frameworks, options.rules_dir.as_deref())?;
    Ok(rules.select(&selection.select, &selection.ignore)?.supporting(frameworks))
}

/// Does the work on the threads that there are for it.
fn in_pool<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match &*POOL {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

/// What `work` makes of each input, in their order.
fn each<T: Send>(inputs: &Inputs, work: impl Fn(&Input) -> Result<T, Error> + Sync) -> Result<Vec<T>, Error> {
    in_pool(|| inputs.items.par_iter().map(&work).collect())
}

/// From what was read to the report.
fn report(set: &RuleSet, inputs: &Inputs, mut sources: Sources, options: &Options) -> Result<Report, Error> {
    let arena = Bump::new();
    let file = sources.add("rules", ""); // stands for the text of rules in spans
    // A rule of the user's that is wrong stops the run, whatever is in the input; tests see to those of this build.
    rules::compile(set, &arena, file, check::vocabulary(), |rule| !rule.is_builtin())?;
    let wanted = Wanted::by(set);
    let parts = each(inputs, |input| check_input(input, inputs, &sources, set, &wanted, file, options))?;
    let infos: Vec<_> = set.iter().map(|rule| set.info(rule)).collect();
    let frameworks = set.frameworks().iter().map(|framework| framework.info(&infos)).collect();
    Ok(assemble::report(
        infos,
        frameworks,
        set.digest().to_owned(),
        parts,
        inputs.diagnostics.clone(),
        sources,
    ))
}

/// Who may do what, of each input, in a request of which `context` is known: what `airgate iam` prints. The places of the
/// answers are in the sources.
pub fn access(
    paths: &[PathBuf],
    options: &Options,
    question: &Question,
    context: &Context,
) -> Result<(Sources, Vec<Answered>), Error> {
    let mut sources = Sources::default();
    let answer = |input: Told, facts: &Facts<'_>| {
        if context.is_empty() {
            return Answered::of(facts, input.path, question);
        }
        Answered::of(&facts.in_context(context), input.path, question)
    };
    let answered = of_facts(paths, options, &mut sources, answer)?;
    Ok((sources, answered))
}

/// Where the data of each resource is and goes: the residency report. It asks no rule.
pub fn residency(paths: &[PathBuf], options: &Options) -> Result<facts::residency::Report, Error> {
    use facts::residency::{InputRows, Report, rows};
    let part = |input: Told, facts: &Facts<'_>| {
        let Told { path, errors, incomplete } = input;
        (InputRows { path, rows: rows(facts) }, errors.into_iter().chain(incomplete).collect::<Vec<_>>())
    };
    let parts = of_facts(paths, options, &mut Sources::default(), part)?;
    let (inputs, unsure): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    Ok(Report { inputs, unsure: unsure.into_iter().flatten().collect() })
}

/// One input: program, graph, facts, findings.
fn check_input(
    input: &Input,
    inputs: &Inputs,
    sources: &Sources,
    set: &RuleSet,
    wanted: &Wanted<'_>,
    file: FileId,
    options: &Options,
) -> Result<Part, Error> {
    let wants = |name: &str| wanted.wants(name);
    let mut program = input.program(inputs, sources, &wants)?;
    input.release(sources);
    for before in &inputs.before {
        program = program.after(before.program(inputs, sources, &wants)?);
    }
    let part = Part::new(&mut program);
    let graph = ResourceGraph::build(program);
    let types = graph.types();
    let (facts, (before, untold)) = rayon::join(
        || Facts::new(&graph, &options.config).with_sources(sources),
        || rayon::join(|| graph.before(), || graph.untold()),
    );
    let untold = untold.as_ref().map(|untold| Facts::new(untold, &options.config));
    let untold = untold.as_ref();
    let asked = Asked { keep_pass: options.keep_pass, changed_only: options.changed_only };
    let stored = graph.stored(&before);
    let stored = stored.as_ref().map(|stored| Facts::new(stored, &options.config));
    let stored = stored.as_ref();
    let arena = Bump::new();
    let rules = &Rules::compile(set, &arena, file, |name| types.contains(name))?;
    let checked = match &before {
        Before::Untold => check::check(&facts, Earlier::Untold, untold, None, rules, asked),
        Before::Same => check::check(&facts, Earlier::Same, untold, stored, rules, asked),
        Before::Other(before) => {
            let earlier = Facts::new(before, &options.config);
            check::check(&facts, Earlier::Other(&earlier), untold, stored, rules, asked)
        }
    };
    let part = part.checked(&facts, &before, checked);
    drop(facts);
    // Nobody waits for it to be freed: the report is written meanwhile, and a process that ends frees it faster.
    rayon::spawn(move || drop((graph, before)));
    Ok(part)
}
