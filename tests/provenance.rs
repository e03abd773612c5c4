//! The way of a value from the attribute back to where it is written, as findings tell it.

#![cfg(test)]

#[path = "common/program.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod program;

use program::Dir;
use serde_json::Value;

/// What decides in all of these: users of a notebook have root access if `root_access` is `"Enabled"`.
const RULE: &str = "AWS-SM-IAM-001";

/// The ways in the findings, by address: `what path:line` for each step.
#[track_caller]
fn ways(dir: &Dir, arguments: &[&str]) -> Vec<(String, Vec<String>)> {
    let run = dir.run(&[&["check", "--select", RULE, "--format", "json"], arguments].concat());
    let report: Value = serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{run:?}"));
    let findings = report["findings"].as_array().unwrap();
    let resources = findings.iter().flat_map(|finding| finding["resources"].as_array().unwrap());
    let step = |step: &Value| {
        let (what, place) = (step["what"].as_str().unwrap(), &step["location"]);
        format!("{what} {}:{}", place["path"].as_str().unwrap(), place["line"])
    };
    let way = |resource: &Value| resource["via"].as_array().unwrap().iter().map(step).collect();
    resources.map(|resource| (resource["address"].as_str().unwrap().to_owned(), way(resource))).collect()
}

/// A root module of one notebook with this value; `rest` begins on line 4.
fn notebook(value: &str, rest: &str) -> Dir {
    Dir::of(&format!(
        "resource \"aws_sagemaker_notebook_instance\" \"lab\" {{\n  root_access = {value}\n}}\n{rest}\n"
    ))
}

/// The way of the value of the only notebook.
#[track_caller]
fn way(dir: &Dir, arguments: &[&str]) -> Vec<String> {
    let ways = ways(dir, arguments);
    assert_eq!(ways.len(), 1, "{ways:?}");
    ways.into_iter().next().unwrap_or_default().1
}

const LAB: &str = "variable \"root\" {\n  type = string\n}\nlocals {\n  root = var.root\n}\n\
                   resource \"aws_sagemaker_notebook_instance\" \"lab\" {\n  root_access = local.root\n}\n\
                   output \"root\" {\n  value = local.root\n}\n";

#[test]
fn a_value_is_told_from_the_attribute_to_the_variable_file() {
    let dir = Dir::of(
        "module \"lab\" {\n  source = \"./lab\"\n  root   = local.cfg.root\n}\n\
         locals {\n  cfg = {\n    name = \"x\"\n    root = var.root\n  }\n}\nvariable \"root\" {}\n",
    );
    dir.write("lab/lab.tf", LAB);
    dir.write("terraform.tfvars", "# who may do what\nroot = \"Enabled\"\n");
    let expected = [
        "local.root lab/lab.tf:5",
        "var.root main.tf:3",
        "local.cfg main.tf:6",
        "var.root terraform.tfvars:2",
    ];
    assert_eq!(way(&dir, &[]), expected);

    dir.write("prod.tfvars", "root = \"Enabled\"");
    assert_eq!(way(&dir, &["--var-file", "prod.tfvars"])[3], "var.root prod.tfvars:1");
}

#[test]
fn options_and_defaults_are_told_apart() {
    let dir = notebook("var.root", "variable \"root\" {\n  default = \"Enabled\"\n}");
    assert_eq!(way(&dir, &[]), ["default of var.root main.tf:5"]);
    assert_eq!(way(&dir, &["--var", "root=Enabled"]), ["var.root --var root:1"]);
    let text = dir.run(&["check", "--select", RULE, "--var", "root=Enabled"]).out;
    assert!(text.contains("= value from: var.root (--var root)\n"), "what is no file has no line: {text}");

    let ty = "object({\n    name = optional(string)\n    root = optional(string, \"Enabled\")\n  })";
    let dir = notebook("var.cfg.root", &format!("variable \"cfg\" {{\n  type = {ty}\n}}"));
    dir.write("terraform.tfvars", "\ncfg = {}\n");
    assert_eq!(way(&dir, &[]), ["var.cfg terraform.tfvars:2", "default of root main.tf:7"]);
    dir.write("terraform.tfvars", "cfg = {\n  root = \"Enabled\"\n}\n");
    assert_eq!(way(&dir, &[]), ["var.cfg terraform.tfvars:2"], "the line of the value, not of the object");
}

#[test]
fn a_variable_that_may_not_be_null_has_its_default() {
    let dir = notebook("var.root", "variable \"root\" {\n  nullable = false\n  default  = \"Enabled\"\n}");
    dir.write("terraform.tfvars", "root = null\n");
    assert_eq!(way(&dir, &[]), ["default of var.root main.tf:6"]);
}

#[test]
fn an_output_is_a_step() {
    let dir = notebook(
        "module.lab.root",
        "module \"lab\" {\n  source = \"./lab\"\n  root   = \"Enabled\"\n}\nmodule \"labs\" {\n  source = \"./lab\"\n  \
         for_each = { a = \"Disabled\" }\n  root = each.value\n}",
    );
    dir.write("lab/lab.tf", LAB);
    let ways = ways(&dir, &[]);
    let of = |address: &str| &ways.iter().find(|(other, _)| other == address).unwrap().1;
    let inner = ["local.root lab/lab.tf:5", "var.root main.tf:6"];
    assert_eq!(of("aws_sagemaker_notebook_instance.lab")[0], "module.lab.root lab/lab.tf:11");
    assert_eq!(of("aws_sagemaker_notebook_instance.lab")[1..], inner);
    assert_eq!(of("module.lab.aws_sagemaker_notebook_instance.lab")[..], inner);
}

#[test]
fn instances_have_ways_of_their_own() {
    let dir = Dir::of(
        "resource \"aws_sagemaker_notebook_instance\" \"lab\" {\n  for_each    = local.labs\n  \
         root_access = each.value.root\n}\nlocals {\n  labs = {\n    a = { root = var.root }\n    \
         b = { root = \"Enabled\" }\n    c = { root = \"Enabled\" }\n  }\n}\nvariable \"root\" {}\n",
    );
    dir.write("terraform.tfvars", "root = \"Enabled\"\n");
    let ways = ways(&dir, &[]);
    let each = "each.value main.tf:2";
    let ends: Vec<&[String]> = ways.iter().map(|(_, way)| &way[1..]).collect();
    assert!(ways.len() == 3 && ways.iter().all(|(_, way)| way[0] == each), "{ways:?}");
    assert_eq!(ends[0], ["local.labs main.tf:6", "var.root terraform.tfvars:1"]);
    assert_eq!((&ends[1][0], &ends[2][0]), (&"local.labs main.tf:8".into(), &"local.labs main.tf:9".into()));

    let text = dir.run(&["check", "--select", RULE]).out;
    let line = "= value from: each.value (main.tf:2) ← local.labs (main.tf:6) ← var.root (terraform.tfvars:1), in \
                aws_sagemaker_notebook_instance.lab[\"a\"]\n";
    assert!(text.contains(line) && text.matches("value from").count() == 3, "{text}");
}

#[test]
fn elements_keep_their_way_through_functions_and_loops() {
    let rest = "variable \"root\" {\n  default = \"Enabled\"\n}\nlocals {\n  a = { root = var.root, x = \"y\" }\n  \
                b = { other = \"z\" }\n  l = [var.root]\n  ll = [local.l, [\"x\"]]\n}";
    let (var, a, l, ll) =
        ("default of var.root main.tf:5", "local.a main.tf:8", "local.l main.tf:10", "local.ll main.tf:11");
    for (value, expected) in [
        ("local.a.root", &[a, var][..]),
        ("local.a[\"root\"]", &[a, var]),
        ("lookup(local.a, \"root\", \"none\")", &[a, var]),
        ("lookup(local.b, \"root\", local.a.root)", &[a, var]),
        ("merge(local.b, local.a).root", &[a, var]),
        ("merge(local.a, { root = local.l[0] }).root", &[l, var]),
        ("merge(local.a, { root = \"Enabled\" }).root", &[]),
        ("element(local.l, 3)", &[l, var]),
        ("one(local.l)", &[l, var]),
        ("concat([\"x\"], local.l)[1]", &[l, var]),
        ("flatten(local.ll)[0]", &[ll, l, var]),
        ("values(local.a)[0]", &[a, var]),
        ("tolist(local.l)[0]", &[l, var]),
        ("one(local.l[*])", &[l, var]),
        ("[for x in local.l : x][0]", &[l, var]),
        ("{ for k, v in local.a : k => v if k == \"root\" }.root", &[a, var]),
        ("try(local.b.root, local.a.root)", &[a, var]),
        ("coalesce(null, local.a.root)", &[a, var]),
        ("true ? local.a.root : \"x\"", &[a, var]),
        ("zipmap([\"k\"], local.l).k", &[l, var]),
        ("one(setunion(local.l, [\"Enabled\"]))", &[l, var]),
    ] {
        assert_eq!(way(&notebook(value, rest), &[]), expected, "{value}");
    }
}

#[test]
fn what_is_computed_is_told_of_where_one_name_alone_is_in_it() {
    let rest =
        "variable \"root\" {\n  default = \"able\"\n}\nlocals {\n  a = \"En\"\n  b = \"${local.a}abled\"\n}";
    let (a, var) = ("local.a main.tf:8", "default of var.root main.tf:5");
    for (value, expected) in [
        ("local.b", &["local.b main.tf:9", a][..]),
        ("\"${local.a}abled\"", &[a]),
        ("format(\"%sabled\", local.a)", &[a]),
        ("title(format(\"en%sd\", var.root))", &[var]),
        ("jsondecode(jsonencode({ x = local.b })).x", &["local.b main.tf:9", a]),
        ("split(\",\", local.b)[0]", &["local.b main.tf:9", a]),
        ("jsondecode(jsonencode({ x = local.b, y = \"z\" })).x", &[]),
        ("trimspace(<<-EOT\n${local.b}\nEOT\n)", &[]),
        // It is not told which of two.
        ("\"${local.a}${var.root}d\"", &[]),
        ("join(\"\", [local.a, var.root, \"d\"])", &[]),
    ] {
        assert_eq!(way(&notebook(value, rest), &[]), expected, "{value}");
    }
}

#[test]
fn what_is_not_known_is_told_back_to_why() {
    let rest = "variable \"root\" {}\nvariable \"other\" {\n  default = \"\"\n}\nlocals {\n  \
                a = \"${var.other}${var.root}\"\n  m = { root = [local.a] }\n}";
    for value in ["local.m.root[0]", "lower(local.m.root[0])", "merge({}, local.m).root[0]"] {
        let dir = notebook(value, rest);
        let expected = ["local.m main.tf:10", "local.a main.tf:9", "var.root main.tf:4"];
        assert_eq!(way(&dir, &[]), expected, "{value}");
        let text = dir.run(&["check", "--select", RULE, "--show", "undetermined"]).out;
        assert!(text.contains("not known: variable `root` has no default and no value"), "{text}");
    }
}

#[test]
fn attributes_of_resources_and_iterators_are_steps() {
    let dir = notebook(
        "terraform_data.a.input",
        "resource \"terraform_data\" \"a\" {\n  input = var.root\n}\nvariable \"root\" {\n  default = \"Enabled\"\n}",
    );
    assert_eq!(way(&dir, &[]), ["terraform_data.a.input main.tf:5", "default of var.root main.tf:8"]);

    let source = "resource \"aws_sagemaker_notebook_instance\" \"lab\" {\n  \
                  dynamic \"instance_metadata_service_configuration\" {\n    for_each = [var.version]\n    \
                  iterator = it\n    content {\n      minimum_instance_metadata_service_version = it.value\n    }\n  }\n}\n\
                  variable \"version\" {\n  default = \"1\"\n}\n";
    let run = Dir::of(source).run(&["check", "--select", "AWS-SM-IAM-002", "--format", "json"]);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    let steps = report["findings"][0]["resources"][0]["via"].as_array().unwrap().iter();
    let steps: Vec<_> = steps.map(|step| step["what"].as_str().unwrap()).collect();
    assert_eq!(steps, ["it.value", "default of var.version"]);
}

#[test]
fn a_key_of_a_set_is_told_as_its_value_is() {
    let dir = Dir::of(
        "resource \"aws_sagemaker_notebook_instance\" \"lab\" {\n  for_each    = toset(var.roots)\n  \
         root_access = each.key\n}\nvariable \"roots\" {\n  default = [\"Enabled\"]\n}\n",
    );
    assert_eq!(way(&dir, &[]), ["each.key main.tf:2", "default of var.roots main.tf:6"]);
}

#[test]
fn what_is_written_in_the_attribute_and_what_a_plan_says_has_no_way() {
    assert_eq!(way(&notebook("\"Enabled\"", ""), &[]), [""; 0]);
    let dir = Dir::new();
    let plan = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/studio-domain/plan.json");
    let ways = ways(&dir, &[plan]);
    assert!(!ways.is_empty() && ways.iter().all(|(_, way)| way.is_empty()), "{ways:?}");
}

#[test]
fn a_way_is_bounded_and_keeps_its_end() {
    let chain: Vec<String> = (0..60).map(|n| format!("  l{n} = local.l{}", n + 1)).collect();
    let chain = chain.join("\n");
    let rest =
        format!("locals {{\n{chain}\n  l60 = var.root\n}}\nvariable \"root\" {{ default = \"Enabled\" }}");
    let way = way(&notebook("local.l0", &rest), &[]);
    assert_eq!(way.len(), 20);
    assert_eq!((way[0].as_str(), way[19].as_str()), ("local.l0 main.tf:5", "default of var.root main.tf:67"));
}

#[test]
fn the_way_of_a_sensitive_value_has_names_and_places_only() {
    let dir =
        notebook("local.root", "locals {\n  root = var.root\n}\nvariable \"root\" {\n  sensitive = true\n}");
    dir.write("terraform.tfvars", "root = \"hunter2\"\n");
    assert_eq!(way(&dir, &[]), ["local.root main.tf:5", "var.root terraform.tfvars:1"]);
    for format in ["human", "json", "sarif", "markdown"] {
        let run = dir.run(&["check", "--select", RULE, "--format", format]);
        let all = format!("{}{}", run.out, run.err);
        assert!(!all.contains("hunter2"), "{format}: {all}");
    }
}

#[test]
fn what_instances_of_a_module_share_is_told_of_each() {
    let dir = Dir::of(
        "module \"lab\" {\n  source = \"./lab\"\n  for_each = { a = \"Enabled\", b = \"Enabled\" }\n  root   = local.root\n}\n\
         module \"own\" {\n  source = \"./lab\"\n  for_each = { a = \"Enabled\", b = \"Enabled\" }\n  root   = each.value\n}\n\
         locals {\n  root = \"Enabled\"\n}\n",
    );
    dir.write("lab/lab.tf", LAB);
    let shared = ["local.root lab/lab.tf:5", "var.root main.tf:4", "local.root main.tf:12"];
    let own = ["local.root lab/lab.tf:5", "var.root main.tf:9", "each.value main.tf:8"];
    let told = |address: &str, way: &[&str]| {
        let address = format!("module.{address}.aws_sagemaker_notebook_instance.lab");
        (address, way.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let expected = [
        told("lab[\"a\"]", &shared),
        told("lab[\"b\"]", &shared),
        told("own[\"a\"]", &own),
        told("own[\"b\"]", &own),
    ];
    let mut ways = ways(&dir, &[]);
    ways.sort();
    assert_eq!(ways, expected);
}
