//! Work grows with the input, counted and not timed: rules asked, edges made, values decoded.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests fail the test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

use airgate::check::{self, Asked, Checked, Earlier, Rules, Wanted};
use airgate::config::{Config, Scope};
use airgate::facts::Facts;
use airgate::graph::{Before, ResourceGraph};
use airgate::input::{self, Input, InputFile, Inputs, ReadError};
use airgate::program::{Mode, Program};
use airgate::rules::{RuleSet, Scope as RuleScope};
use airgate::source::Sources;
use airgate::terraform::source::variables::RunOptions;
use serde_json::{Value, json};

#[path = "../benches/common/grow.rs"]
#[expect(dead_code, reason = "others join plans")]
mod grow;
#[path = "common/teams.rs"]
mod teams;

/// The plan of a fixture, `copies` times as instances of one module. All copies have the same literals.
fn grown(fixture: &str, copies: usize) -> String {
    let path = format!("{}/fixtures/{fixture}/plan.json", env!("CARGO_MANIFEST_DIR"));
    let mut plan: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let changes = plan["resource_changes"].take();
    let changes = changes.as_array().unwrap();
    let copy = |i: usize| {
        changes.iter().cloned().map(move |mut change| {
            let module = format!("module.copy[\"{i}\"]");
            change["address"] = json!(format!("{module}.{}", change["address"].as_str().unwrap()));
            change["module_address"] = json!(module);
            change
        })
    };
    plan["resource_changes"] = (0..copies).flat_map(copy).collect();
    let root = plan["configuration"]["root_module"].take();
    plan["configuration"]["root_module"] = json!({ "module_calls": { "copy": { "module": root } } });
    plan.as_object_mut().unwrap().remove("planned_values");
    plan.as_object_mut().unwrap().remove("prior_state");
    plan.to_string()
}

fn read(text: String, wanted: &dyn Fn(&str) -> bool) -> Program {
    let mut sources = Sources::default();
    let file = sources.add("plan.json", text);
    let program = input::read(InputFile::Plan, "plan.json", sources.text(file), file, wanted);
    assert!(program.diagnostics.is_empty(), "{:?}", program.diagnostics);
    program
}

/// What was done for one input.
#[derive(Debug, PartialEq)]
struct Work {
    instances: usize,
    edges: usize,
    evaluations: usize,
    /// Rules times resources, by the rules' types.
    expected: usize,
    results: usize,
}

fn work(text: String) -> Work {
    work_of(text, &RuleSet::builtin().unwrap())
}

fn work_of(text: String, set: &RuleSet) -> Work {
    let arena = bumpalo::Bump::new();
    let file = Sources::default().add("rules", "");
    let wanted = Wanted::by(set);
    let graph = ResourceGraph::build(read(text, &|name| wanted.wants(name)));
    let rules = Rules::compile(set, &arena, file, |_| true).unwrap();
    let config = Config { scope: Scope::All, ..Config::default() };
    let before = graph.before();
    let was = if let Before::Other(before) = &before { Some(Facts::new(before, &config)) } else { None };
    let earlier = was.as_ref().map_or(Earlier::Same, Earlier::Other);
    let Checked { findings, passed, evaluations, .. } =
        check::check(&Facts::new(&graph, &config), earlier, None, None, &rules, Asked::default());
    let resources = graph.graph.node_weights().filter(|resource| resource.mode == Mode::Managed);
    let asked = |type_name: &str| {
        let of_resources = rules.compiled.iter().filter(|rule| rule.scope == RuleScope::Resource);
        of_resources.filter(|rule| rule.types.iter().any(|name| name == type_name)).count()
    };
    Work {
        instances: graph.graph.node_count(),
        edges: graph.graph.edge_count(),
        evaluations,
        expected: resources.map(|resource| asked(&resource.type_name)).sum(),
        results: findings.iter().map(|finding| finding.resources.len()).sum::<usize>()
            + passed.iter().sum::<usize>(),
    }
}

#[test]
fn every_rule_is_asked_once_of_every_resource_it_is_about() {
    for fixture in ["rag-bedrock", "sagemaker-training"] {
        let work = work(grown(fixture, 3));
        assert!(work.expected > 0, "{fixture} has nothing to ask");
        assert_eq!(work.evaluations, work.expected, "{fixture}");
        assert!(work.results <= work.evaluations + RuleSet::builtin().unwrap().len(), "{work:?}");
    }
}

#[test]
fn twice_the_instances_are_twice_the_work() {
    for fixture in ["rag-bedrock", "sagemaker-training"] {
        let (one, two) = (work(grown(fixture, 8)), work(grown(fixture, 16)));
        assert_eq!(two.instances, 2 * one.instances, "{fixture}");
        assert_eq!(two.evaluations, 2 * one.evaluations, "{fixture}");
        assert!(one.edges > 0 && two.edges == 2 * one.edges, "{fixture}: {one:?} {two:?}");
    }
}

/// How many values there are in the objects of a plan's resources.
fn values(text: String) -> usize {
    fn count(value: &airgate::value::Value) -> usize {
        let items = value.items().into_iter().flatten();
        let entries = value.map().into_iter().flat_map(airgate::value::Map::values);
        1 + items.chain(entries).map(count).sum::<usize>()
    }
    let program = read(text, &|_| true);
    let objects = program.resources.iter().flat_map(|resource| [&resource.before, &resource.after]);
    objects.flatten().map(count).sum()
}

#[test]
fn twice_the_instances_are_twice_the_values() {
    for fixture in ["rag-bedrock", "change"] {
        let (one, two) = (values(grown(fixture, 8)), values(grown(fixture, 16)));
        assert!(one > 1_000 && two == 2 * one, "{fixture}: {one} values, then {two}");
    }
}

#[test]
fn rules_about_types_that_are_not_there_are_not_asked() {
    // What is selected has no rule in preview.
    let all = RuleSet::builtin().unwrap().select(&[], &[]).unwrap();
    let text = grown("rag-bedrock", 4);
    let program = read(text.clone(), &|_| true);
    let types: BTreeSet<_> = program.resources.iter().map(|resource| resource.type_name.as_str()).collect();
    let is_there = |name: &std::borrow::Cow<'_, str>| types.contains(name.as_ref());
    let others = all.iter().filter(|rule| !rule.front().types.iter().any(is_there));
    let others: Vec<String> = others.map(|rule| rule.id().to_owned()).collect();
    let few = all.select(&[], &others).unwrap();
    assert!(!few.is_empty() && few.len() + 5 < all.len(), "{} of {} rules", few.len(), all.len());
    // Nor are their conditions read.
    let (arena, file) = (bumpalo::Bump::new(), Sources::default().add("rules", ""));
    let compiled = Rules::compile(&all, &arena, file, |name| types.contains(name)).unwrap().compiled.len();
    assert_eq!(compiled, few.len());
    assert_eq!(work_of(text.clone(), &all), work_of(text, &few));
}

/// As many rules about a type, as a user may bring them.
fn rules_about(type_name: &str, count: usize) -> RuleSet {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rules-about-{type_name}"));
    std::fs::create_dir_all(&dir).unwrap();
    for at in 0..count {
        let id = format!("AWS-ADD-NET-{at:03}");
        let text = format!(
            r#"+++
id = "{id}"
name = "added-{at}"
family = "network"
severity = "low"
control = "C-NET-01"
since = "0.1.0"
revision = 1
types = ["{type_name}"]
require = "self.tags != null && tag(\"owner\") != null"
message = "it has no owner"
+++
# Added

## Why

To see what it costs.

## Fix

Tag it.

## Examples

```hcl fail {type_name}.a
resource "{type_name}" "a" {{}}
```
"#
        );
        std::fs::write(dir.join(format!("{id}-added-{at}.md")), text).unwrap();
    }
    RuleSet::load(&dir).unwrap()
}

#[test]
fn rules_that_are_added_for_other_types_add_no_work() {
    let (text, set) = (grown("rag-bedrock", 4), RuleSet::builtin().unwrap());
    let is_vpc = |resource: &airgate::program::Resource| resource.type_name == "aws_vpc";
    assert!(!read(text.clone(), &|_| true).resources.iter().any(is_vpc));
    let with = |type_name| set.clone().merge(rules_about(type_name, 300)).unwrap();
    let before = work_of(text.clone(), &set);
    assert_eq!(work_of(text.clone(), &with("aws_vpc")), before);
    // Of a type that is there each is asked of each.
    let after = work_of(text.clone(), &with("aws_bedrock_guardrail"));
    assert_eq!(after.evaluations, before.evaluations + 4 * 300);
}

/// The plan of a fixture, and the same grown as benchmarks and `cargo xtask grow-plan` do.
fn grown_by_names(fixture: &str, instances: usize) -> (String, String, usize) {
    let path = format!("{}/fixtures/{fixture}/plan.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut out = Vec::new();
    let made = grow::grow(&serde_json::from_str(&text).unwrap(), instances, &mut out).unwrap();
    (text, String::from_utf8(out).unwrap(), made)
}

#[test]
fn a_grown_plan_is_as_many_times_the_plan() {
    for fixture in ["rag-bedrock", "sagemaker-training"] {
        let (text, grown, made) = grown_by_names(fixture, 100);
        let (one, many) = (work(text), work(grown.clone()));
        let times = many.instances / one.instances;
        assert!(times >= 4 && made >= 100, "{fixture}: {made} instances");
        let expected = Work {
            instances: times * one.instances,
            edges: times * one.edges,
            evaluations: times * one.evaluations,
            expected: times * one.expected,
            results: many.results,
        };
        assert_eq!(many, expected, "{fixture}");
        // Rules about absence are asked once, whatever the instances.
        let once = RuleSet::builtin().unwrap().len();
        assert!(many.results + once >= times * one.results, "{fixture}: {one:?} {many:?}");
        let program = read(grown, &|_| true);
        let names = |attribute: &str| {
            let of_type = program.resources.iter().filter(|resource| resource.type_name == "aws_s3_bucket");
            let names: Vec<_> =
                of_type.filter_map(|resource| resource.after.as_ref()?.get(attribute)?.as_str()).collect();
            (names.len(), names.into_iter().collect::<BTreeSet<_>>().len())
        };
        let (count, distinct) = names("bucket");
        assert!(count >= times && count == distinct, "{fixture}: {distinct} names of {count} buckets");
    }
}

#[test]
fn only_wanted_types_are_decoded_and_asked_for_once() {
    let asked = Mutex::new(BTreeMap::new());
    let wanted = |name: &str| {
        *asked.lock().unwrap().entry(name.to_owned()).or_insert(0) += 1;
        name == "aws_s3_bucket"
    };
    let program = read(grown("rag-bedrock", 20), &wanted);
    let is_decoded = |resource: &&airgate::program::Resource| {
        resource.after.as_ref().and_then(|after| after.map()).is_some_and(|map| !map.is_empty())
    };
    let buckets = program.resources.iter().filter(|resource| resource.type_name == "aws_s3_bucket").count();
    let decoded: Vec<_> = program.resources.iter().filter(is_decoded).collect();
    assert_eq!((buckets, decoded.len()), (60, 60));
    assert!(decoded.iter().all(|resource| resource.type_name == "aws_s3_bucket"));
    let blocks: BTreeSet<_> = program.resources.iter().map(|resource| &resource.block).collect();
    let most = asked.lock().unwrap().values().copied().max().unwrap();
    assert!(most <= blocks.len() && most < 20, "a type is asked for with each instance: {most}");
}

#[test]
fn names_that_all_copies_share_join_only_what_is_in_one_copy() {
    let program = read(grown("rag-bedrock", 4), &|_| true);
    let graph = ResourceGraph::build(program);
    assert!(graph.graph.edge_count() > 0);
    for edge in graph.graph.edge_indices() {
        let (source, target) = graph.graph.edge_endpoints(edge).unwrap();
        let (source, target) = (graph.resource(source).unwrap(), graph.resource(target).unwrap());
        assert_eq!(source.module, target.module, "{} → {}", source.address, target.address);
    }
}

/// What reading a root module with so many instances of one module takes: expressions evaluated, instances, graph.
fn source_work(name: &str, root: &str, module: &str) -> (usize, usize) {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(dir.join("team")).unwrap();
    std::fs::write(dir.join("main.tf"), root).unwrap();
    std::fs::write(dir.join("team/main.tf"), module).unwrap();
    let mut sources = Sources::default();
    let inputs = Inputs::read(&[dir], &RunOptions::default(), &mut sources).unwrap();
    let program = inputs.items[0].program(&inputs, &sources, &|_| true).unwrap();
    assert!(program.diagnostics.is_empty(), "{:?}", program.diagnostics);
    (program.expressions, program.resources.len())
}

#[test]
fn an_instance_of_a_module_evaluates_what_differs_in_it() {
    let of = |count: usize| source_work(&format!("scale-{count}"), &teams::root(count), teams::TEAM);
    // The inputs repeat with every sixth instance.
    let [(first, one), (second, two), (third, _)] = [60, 120, 180].map(of);
    assert_eq!(two - one, 60 * teams::RESOURCES);
    assert_eq!(second - first, third - second, "the work does not grow with the instances alone");
    // Of 80 expressions in the module and its call the rest is a literal, or the same in all instances.
    assert!(second - first <= 60 * 40, "60 instances evaluate {} expressions", second - first);
}

#[test]
fn instances_with_equal_inputs_are_evaluated_once() {
    let module = "variable \"tags\" { type = map(string) }
        variable \"settings\" { type = object({ name = string, ports = optional(list(number), [443]) }) }
        locals {
          policy = jsonencode({ a = var.settings.ports, b = var.tags })
          tags   = merge(var.tags, { policy = local.policy })
        }
        resource \"aws_sns_topic\" \"t\" {
          tags   = merge(local.tags, { ports = join(\",\", var.settings.ports) })
          policy = local.policy
        }
        resource \"aws_sqs_queue\" \"q\" {
          count = length(var.settings.ports)
          tags  = local.tags
        }";
    let of = |count: usize| {
        let root = format!(
            "locals {{ tags = {{ owner = \"x\" }} }}
            module \"team\" {{
              source   = \"./team\"
              count    = {count}
              tags     = merge(local.tags, {{ a = \"b\" }})
              settings = {{ name = \"n\" }}
            }}"
        );
        source_work(&format!("scale-equal-{count}"), &root, module)
    };
    let ((few, few_resources), (many, many_resources)) = (of(10), of(500));
    assert_eq!((few_resources, many_resources), (20, 1_000));
    assert_eq!(few, many, "equal instances are evaluated again");
}

#[test]
fn of_instances_that_a_for_each_goes_through_only_what_is_asked_for_is_evaluated() {
    let buckets = |count: usize| {
        format!(
            "resource \"aws_s3_bucket\" \"b\" {{
              for_each      = toset([for i in range({count}) : \"b${{i}}\"])
              bucket        = \"x-${{each.key}}\"
              force_destroy = each.key == \"b1\"
              tags          = {{ owner = each.key }}
            }}"
        )
    };
    let versions = "resource \"aws_s3_bucket_versioning\" \"v\" {
      for_each = aws_s3_bucket.b
      bucket   = each.value.bucket
      versioning_configuration {
        status = each.key == \"b1\" ? \"Suspended\" : \"Enabled\"
      }
    }";
    let more = |count: usize| {
        let root = "module \"team\" { source = \"./team\" }";
        let of = |name: &str, module: &str| source_work(&format!("scale-{name}-{count}"), root, module).0;
        of("versions", &(buckets(count) + "\n" + versions)) - of("buckets", &buckets(count))
    };
    // The name of the bucket, where it is asked for and where that asks, and the status.
    assert_eq!(more(20) - more(10), 10 * 3);
}

/// The same plan with another action, `before` as `after`.
fn with_action(text: &str, action: &str) -> String {
    let mut plan: Value = serde_json::from_str(text).unwrap();
    for entry in plan["resource_changes"].as_array_mut().unwrap() {
        let change = &mut entry["change"];
        change["before"] = change["after"].clone();
        change["actions"] = json!([action]);
    }
    plan.to_string()
}

#[test]
fn what_was_before_is_asked_of_what_changes_and_no_more() {
    for fixture in ["rag-bedrock", "sagemaker-training"] {
        let text = grown(fixture, 4);
        let created = work(text.clone());
        assert_eq!(created.evaluations, created.expected, "{fixture}: nothing was there before");
        let same = work(with_action(&text, "no-op"));
        assert_eq!(same.evaluations, same.expected, "{fixture}: nothing changes");
        let updated = work(with_action(&text, "update"));
        assert_eq!(updated.evaluations, 2 * updated.expected, "{fixture}: both sides are asked once");
    }
}

/// What is read of a plan on the disk, and the text that is held of it: resources and diagnostics with their places.
fn read_from_disk(text: &str) -> (Vec<String>, usize) {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scale-held.json");
    std::fs::write(&path, text).unwrap();
    let mut sources = Sources::default();
    let inputs = Inputs::read(std::slice::from_ref(&path), &RunOptions::default(), &mut sources).unwrap();
    let Input::Document { file, .. } = inputs.items[0] else { panic!("it is a document") };
    let held = sources.document(file).len();
    match inputs.items[0].program(&inputs, &sources, &|_| true) {
        Ok(program) => (shown(&program), held),
        Err(ReadError::Document { position, message, .. }) => (vec![format!("{position:?} {message}")], held),
        Err(other) => panic!("{other}"),
    }
}

fn shown(program: &Program) -> Vec<String> {
    let resources = program.resources.iter().map(|resource| format!("{resource:?}"));
    resources.chain(program.diagnostics.iter().map(|diagnostic| format!("{diagnostic:?}"))).collect()
}

#[test]
fn what_a_plan_tells_twice_is_not_held_and_moves_nothing() {
    let (_, plan, _) = grown_by_names("rag-bedrock", 1_500);
    let tree: Value = serde_json::from_str(&plan).unwrap();
    let pretty = serde_json::to_string_pretty(&tree).unwrap();
    let without = |key: &str| {
        let mut tree = tree.clone();
        tree.as_object_mut().unwrap().remove(key);
        tree.to_string()
    };
    let late = |text: &str, from: &str, to: &str| {
        let at = text.rfind(from).unwrap();
        [&text[..at], to, &text[at + from.len()..]].concat()
    };
    let broken_entry = late(&plan, "\"mode\":\"managed\"", "\"mode\":7");
    let broken_pretty = late(&pretty, "\"timestamp\": ", "\"timestamp\": {,");
    let twice = late(&plan, "\"timestamp\":", "\"planned_values\":1,\"timestamp\":");
    let (before, planned) = plan.split_at(plan.find("\"planned_values\"").unwrap());
    let broken_planned = before.to_owned() + &planned.replacen("\"root_module\":", "\"root_module\";", 1);
    for (text, share) in [
        (&plan, 3),
        (&pretty, 3),
        (&broken_entry, 3),
        (&broken_pretty, 3),
        (&twice, 3),
        (&without("resource_changes"), 0),
        (&broken_planned, 0),
    ] {
        assert!(text.len() > 1 << 20, "small files are read as they are");
        let (read, held) = read_from_disk(text);
        assert!(held <= text.len() - text.len() / 10 * share, "{held} of {} bytes are held", text.len());
        assert!(share > 0 || held == text.len());
        let mut sources = Sources::default();
        let file = sources.add("plan.json", text.as_str());
        let mut whole = input::read(InputFile::Plan, "plan.json", sources.text(file), file, &|_| true);
        whole.path.clear();
        let mut expected = shown(&whole);
        if let (true, [only]) = (whole.resources.is_empty(), whole.diagnostics.as_slice()) {
            let position = sources.get(file).unwrap().position(only.site.unwrap().span.start);
            expected = vec![format!("{position:?} {}", only.message)];
        }
        assert_eq!(read.len(), expected.len());
        for (read, expected) in read.iter().zip(&expected) {
            assert_eq!(read, expected);
        }
    }
}
