//! Tests of loading, selecting and compiling.

use bumpalo::Bump;

use super::*;
use crate::catalog::Catalog;
use crate::source::Sources;

const RULE: &str = r#"+++
id = "AWS-SM-ENC-900"
name = "a-test"
family = "encryption"
severity = "low"
control = "C-ENC-01"
since = "0.1.0"
revision = 1
types = ["aws_s3_bucket"]
REQUIRE
message = "is ${self.bucket}"
+++
# Title

## Why

Because.
It matters.

Second.

## Fix

Do it.

## Examples

```hcl fail aws_s3_bucket.a aws_s3_bucket.b
# one
```
"#;

/// The test rule with other lines for `REQUIRE`.
fn rule(require: &str) -> Result<Rule, RuleError> {
    Rule::parse("AWS-SM-ENC-900-a-test.md", RULE.replace("REQUIRE", require).into())
}

fn message<T>(result: Result<T, RuleError>) -> String {
    result.err().map(|error| error.to_string()).unwrap_or_default()
}

/// What compiling the test rule says; empty if all is well.
fn compiled(lines: &str) -> String {
    let rule = rule(lines).unwrap();
    let set = RuleSet::of(vec![rule]).unwrap();
    message(compile_all(&set, &Bump::new()).map(|_| ()))
}

fn compile_all<'a>(set: &'a RuleSet, arena: &'a Bump) -> Result<Vec<CompiledRule<'a>>, RuleError> {
    let schema =
        |type_name: &str, path: &[&str]| Some(Catalog::get().schema(type_name)?.has(&path.join(".")));
    let analyses = crate::facts::iam::ANALYSIS_NAMES;
    let vocabulary = Vocabulary {
        schema: &schema,
        links: &|_, to| to != "aws_vpc",
        is_function: &|name| name != "contain",
        analyses: &analyses,
    };
    compile(set, arena, Sources::default().add("rules", ""), vocabulary, |_| true)
}

fn selected(select: &[&str], ignore: &[&str]) -> Result<Vec<String>, RuleError> {
    let owned = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let set = RuleSet::builtin()?.select(&owned(select), &owned(ignore))?;
    Ok(set.iter().map(|rule| rule.id().to_owned()).collect())
}

#[test]
fn every_builtin_rule_compiles() {
    let set = RuleSet::builtin().unwrap();
    let arena = Bump::new();
    let rules = compile_all(&set, &arena).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(rules.len(), set.len());
    assert!(rules.is_sorted_by(|a, b| a.rule.id() < b.rule.id()));
    for rule in &rules {
        assert!(!set.info(rule.rule).clauses.is_empty(), "{} supports nothing", rule.rule.id());
        for type_name in rule.types {
            // Of types that are newer than the schema the tables of residency say what rules ask.
            let known = Catalog::get().schema(type_name).is_some()
                || Catalog::get().kind(type_name).is_some()
                || !crate::residency::flows(type_name).is_empty();
            assert!(known, "{}: no type {type_name}", rule.rule.id());
        }
    }
}

#[test]
fn a_rule_is_read_in_parts() {
    let rule = rule("require = \"true\"").unwrap();
    assert_eq!(rule.title(), "Title");
    assert_eq!(file::first_paragraph(rule.why()), "Because. It matters.");
    assert_eq!(rule.fix(), "Do it.");
    let examples = rule.examples().unwrap();
    let [example] = &examples[..] else { panic!("{examples:?}") };
    assert_eq!((example.expect, example.text, example.line), (Expectation::Fail, "# one\n", 28));
    assert_eq!(example.addresses, ["aws_s3_bucket.a", "aws_s3_bucket.b"]);
}

#[test]
fn a_file_with_carriage_returns_is_the_same_rule() {
    let text = RULE.replace("REQUIRE", "require = \"true\"");
    let windows = Rule::parse("AWS-SM-ENC-900-a-test.md", text.replace('\n', "\r\n").into()).unwrap();
    assert_eq!(windows.text(), text);
}

#[test]
fn faults_of_a_file_name_it_and_the_place() {
    for (require, expected) in [
        ("requires = \"true\"", "AWS-SM-ENC-900-a-test.md:10:1: unknown field `requires`"),
        ("", "one of `require` and `analysis` is needed"),
        ("require = \"true\"\nanalysis = \"x\"", "exclude each other"),
        ("require = \"true\"\nargs = [\"x\"]", "`args` belongs to `analysis`"),
    ] {
        let said = message(rule(require));
        assert!(said.contains(expected), "{said}");
    }
    let text = RULE.replace("REQUIRE", "require = \"true\"");
    for (from, to, expected) in [
        ("+++\nid", "id", "the first line must be `+++`"),
        ("AWS-SM-ENC-900", "AWS-SM-XYZ-900", "of no known family"),
        ("\"encryption\"", "\"logging\"", "family is `logging`, but the id says `encryption`"),
        ("## Fix", "## Fixes", "in this order"),
        ("Do it.\n", "", "`## Fix` is empty"),
        ("\"a-test\"", "\"another\"", "the file must be called `AWS-SM-ENC-900-another.md`"),
        ("\"low\"", "\"mild\"", "`mild` is not a severity"),
    ] {
        let said = message(Rule::parse("AWS-SM-ENC-900-a-test.md", text.replace(from, to).into()));
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn conditions_may_name_only_what_there_is() {
    for (require, expected) in [
        ("self.bucket != null", ""),
        ("self.buckets != null", "md:10:12: `aws_s3_bucket` has no attribute `buckets`"),
        ("alltrue([for v in self.versioning : v.enabled])", ""),
        ("alltrue([for v in self.versioning : v.on])", "no attribute `versioning.on`"),
        ("alltrue([for r in self.cors_rule : alltrue([for h in r.allowed_headers : h != x])])", "`x` is not"),
        ("alltrue(flatten([for r in self.lifecycle_rule : [for e in r.expiration : e.days > 1]]))", ""),
        (
            "alltrue([for r in self.lifecycle_rule[*].expiration : r[0].day > 1])",
            "`lifecycle_rule.expiration.day`",
        ),
        ("try(self.buckets, null) == null", "has no attribute `buckets`"),
        ("self.tags.owner == null && self.tags[\"a b\"] == null", ""),
        ("facts.bucket.versioned", ""),
        ("facts.bucket.frozen", "there is no fact `facts.bucket.frozen`"),
        ("contains(policy.tags.required, \"owner\")", ""),
        ("policy.tags.optional == null", "there is no setting `policy.tags.optional`"),
        ("var.x", "`var` is not declared"),
        ("is_set(\"versioning.enabled\")", ""),
        ("is_set(\"versioning.on\")", "no attribute `versioning.on`"),
        ("tag()", "`tag` takes 1 argument"),
        ("contain(facts.reached_by, \"x\")", "there is no function `contain`"),
        ("declared(\"aws_s3_bucket\")", "needs scope"),
        ("length(related(\"<- aws_s3_bucket_policy\")) > 0", ""),
        (
            "length(related(\"<- aws_s3_bucket_policy\" )[0].policies) > 0",
            "`aws_s3_bucket_policy` has no attribute",
        ),
        (
            "alltrue([for p in related(\"<- aws_s3_bucket_policy\") : p.polices != null])",
            "no attribute `polices`",
        ),
        ("length(related(\"-> aws_vpc\")) > 0", "links.csv has no link for `aws_s3_bucket -> aws_vpc`"),
        ("length(related(\"aws_vpc\")) > 0", "is not a route"),
        ("length(related(self.bucket)) > 0", "a route in quotes"),
        ("self.bucket ==", "md:10:"),
    ] {
        let said = compiled(&format!("require = '{require}'"));
        assert!(
            if expected.is_empty() { said.is_empty() } else { said.contains(expected) },
            "{require}: {said}"
        );
    }
}

#[test]
fn an_attribute_inside_try_needs_to_be_in_one_type() {
    let of_two = |condition: &str| {
        let text = RULE
            .replace("[\"aws_s3_bucket\"]", "[\"aws_iam_role\", \"aws_iam_role_policy_attachment\"]")
            .replace("${self.bucket}", "bad")
            .replace("REQUIRE", &format!("require = '{condition}'\nat = \"policy_arn\""));
        let rule = Rule::parse("AWS-SM-ENC-900-a-test.md", text.into()).unwrap();
        let set = RuleSet::of(vec![rule]).unwrap();
        message(compile_all(&set, &Bump::new()).map(|_| ()))
    };
    assert_eq!(of_two("try(self.policy_arn, null) == null"), "");
    assert!(of_two("self.policy_arn == null").contains("`aws_iam_role` has no attribute `policy_arn`"));
}

#[test]
fn analyses_and_paths_are_checked() {
    assert!(compiled("analysis = \"iam.nothing\"").contains("md:10:13: there is no analysis `iam.nothing`"));
    assert!(compiled("require = \"true\"\nat = \"nowhere\"").contains("md:11:7: `aws_s3_bucket` has no"));
}

#[test]
fn a_fault_points_into_a_condition_of_many_lines() {
    let said = compiled("require = '''\n(\n  true\n  && self.nope\n)\n'''");
    assert!(said.starts_with("AWS-SM-ENC-900-a-test.md:13:6: "), "{said}");
}

#[test]
fn selectors_are_ids_prefixes_families_and_names() {
    let all = selected(&[], &[]).unwrap();
    assert_eq!(selected(&["ALL"], &[]).unwrap(), all);
    assert_eq!(selected(&["AWS-SM-ENC-001"], &[]).unwrap(), ["AWS-SM-ENC-001"]);
    assert_eq!(selected(&["sagemaker-notebook-without-cmk"], &[]).unwrap(), ["AWS-SM-ENC-001"]);
    let sagemaker = selected(&["AWS-SM"], &[]).unwrap();
    assert!(sagemaker.len() > 5 && sagemaker.iter().all(|id| id.starts_with("AWS-SM-")));
    let rest = selected(&["AWS-SM"], &["network", "AWS-SM-ENC-001"]).unwrap();
    assert!(rest.len() < sagemaker.len() && !rest.iter().any(|id| id.contains("-NET-")));
    assert!(selected(&["network"], &["ALL"]).unwrap().is_empty());
}

#[test]
fn an_unknown_selector_is_an_error_with_suggestions() {
    let said = message(selected(&["AWS-SM-ENC-01"], &[]));
    assert!(said.contains("did you mean `AWS-SM-ENC`") || said.contains("`AWS-SM-ENC-001`"), "{said}");
    assert_eq!(
        message(selected(&["networks"], &[])),
        "no rule, family or name matches `networks`; did you mean `network`?"
    );
    assert_eq!(message(selected(&[], &["quux"])), "no rule, family or name matches `quux`");
    assert!(selected(&["AWS-S"], &[]).is_err(), "a prefix ends where a part of the id ends");
}

#[test]
fn a_rule_in_preview_runs_only_when_it_is_named() {
    let preview = rule("require = \"true\"\nstatus = \"preview\"").unwrap();
    let set = RuleSet::of(vec![preview]).unwrap();
    let count = |selector: &str| set.select(&[selector.to_owned()], &[]).unwrap().len();
    assert_eq!([count("ALL"), count("encryption"), count("a-test"), count("AWS-SM-ENC-900")], [0, 0, 1, 1]);
    assert!(set.select(&[], &[]).unwrap().is_empty());
}

#[test]
fn two_rules_cannot_share_a_name() {
    let twice = RuleSet::of(vec![rule("require = \"true\"").unwrap(), rule("require = \"false\"").unwrap()]);
    assert!(message(twice).contains("`AWS-SM-ENC-900` is already a name of"));
    let builtin = RuleSet::builtin().unwrap();
    assert!(builtin.clone().merge(builtin).is_err());
}

#[test]
fn a_selection_keeps_the_digest_and_a_merge_has_its_own() {
    let builtin = RuleSet::builtin().unwrap();
    let own = RuleSet::of(vec![rule("require = \"true\"").unwrap()]).unwrap();
    let digest = builtin.digest().to_owned();
    assert!(digest.starts_with("sha256:") && digest.len() == 71);
    assert_eq!(builtin.select(&["network".to_owned()], &[]).unwrap().digest(), digest);
    let merged = builtin.merge(own.clone()).unwrap();
    assert!(merged.digest() != digest && merged.digest() != own.digest());
    assert!(merged.get("a-test").is_some() && merged.get("AWS-SM-ENC-001").is_some());
}

#[test]
fn distance_counts_edits() {
    for (from, to, expected) in [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ba", 2)] {
        assert_eq!(select::distance(from, to), expected, "{from} {to}");
    }
}
