//! The parts of a check of one plan, each timed.

use std::path::Path;
use std::time::{Duration, Instant};

use airgate::assemble::{self, Part};
use airgate::check::{self, Asked, Earlier, Rules, Wanted};
use airgate::config::Config;
use airgate::facts::Facts;
use airgate::graph::{Before, ResourceGraph};
use airgate::input::Inputs;
use airgate::report::{self, Format};
use airgate::rules::RuleSet;
use airgate::source::Sources;
use airgate::terraform::source::variables::RunOptions;

/// The best times of the parts of a run.
pub(crate) fn times(path: &Path, runs: usize) -> Vec<(&'static str, Duration)> {
    let all: Vec<_> = (0..runs).map(|_| one(path)).collect();
    let best = |i: usize| (all[0][i].0, all.iter().map(|times| times[i].1).min().unwrap());
    (0..all[0].len()).map(best).collect()
}

/// The parts of [`airgate::analyze`] one after the other.
fn one(path: &Path) -> Vec<(&'static str, Duration)> {
    let mut times = Vec::new();
    let mut last = Instant::now();
    let mut lap = |name| {
        times.push((name, last.elapsed()));
        last = Instant::now();
    };
    let set = RuleSet::builtin().unwrap();
    let arena = bumpalo::Bump::new();
    let mut sources = Sources::default();
    let file = sources.add("rules", "");
    let wanted = Wanted::by(&set);
    let rules = Rules::compile(&set, &arena, file, |_| true).unwrap();
    lap("rules");
    let inputs = Inputs::read(&[path.to_owned()], &RunOptions::default(), &mut sources).unwrap();
    lap("bytes to text");
    let mut program = inputs.items[0].program(&inputs, &sources, &|name| wanted.wants(name)).unwrap();
    inputs.items[0].release(&sources);
    lap("text to program");
    let part = Part::new(&mut program);
    let graph = ResourceGraph::build(program);
    let before = graph.before();
    lap("graph");
    let config = Config::default();
    let facts = Facts::new(&graph, &config);
    lap("facts");
    let was = if let Before::Other(before) = &before { Some(Facts::new(before, &config)) } else { None };
    let earlier = match &before {
        Before::Untold => Earlier::Untold,
        _ => was.as_ref().map_or(Earlier::Same, Earlier::Other),
    };
    let checked = check::check(&facts, earlier, None, None, &rules, Asked::default());
    lap("check");
    let part = part.checked(&facts, &before, checked);
    let infos = set.iter().map(|rule| set.info(rule)).collect();
    let report =
        assemble::report(infos, Vec::new(), set.digest().to_owned(), vec![part], Vec::new(), sources);
    lap("assemble");
    report::write(&report, Format::Json, &report::Options::default(), &mut std::io::sink()).unwrap();
    lap("write JSON");
    drop((facts, was));
    drop((before, graph));
    lap("free the graph");
    times
}
