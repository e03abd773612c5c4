//! What a plan's configuration says of its values.

use smol_str::SmolStr;

use crate::program::{Program, Resource};
use crate::source::Sources;
use crate::value::Value;

/// A plan with an agent, a guardrail and a role, where `expressions` are the agent's and `change` its change.
fn read(expressions: &str, change: &str) -> Program {
    let text = format!(
        r#"{{"format_version": "1.2", "resource_changes": [
            {{"address": "aws_bedrockagent_agent.a", "mode": "managed", "type": "aws_bedrockagent_agent", "name": "a",
              "change": {{"actions": ["create"], "before": null, {change}}}}},
            {{"address": "aws_bedrock_guardrail.g", "mode": "managed", "type": "aws_bedrock_guardrail", "name": "g",
              "change": {{"actions": ["create"], "before": null, "after": {{}}, "after_unknown": {{"guardrail_id": true}}}}}},
            {{"address": "aws_iam_role.r", "mode": "managed", "type": "aws_iam_role", "name": "r",
              "change": {{"actions": ["create"], "before": null, "after": {{}}, "after_unknown": {{"arn": true}}}}}}],
          "configuration": {{"root_module": {{"resources": [
            {{"address": "aws_bedrockagent_agent.a", "mode": "managed", "type": "aws_bedrockagent_agent", "name": "a",
              "expressions": {expressions}}},
            {{"address": "aws_bedrock_guardrail.g", "mode": "managed", "type": "aws_bedrock_guardrail", "name": "g"}},
            {{"address": "aws_iam_role.r", "mode": "managed", "type": "aws_iam_role", "name": "r"}}]}}}}}}"#
    );
    let mut sources = Sources::default();
    let file = sources.add("plan.json", "");
    let program = super::read(&text, file, &|_| true);
    assert!(program.diagnostics.is_empty(), "{:?}", program.diagnostics);
    program
}

fn agent(program: &Program) -> &Resource {
    program.resources.iter().find(|resource| resource.name == "a").unwrap()
}

fn reference(value: Option<&Value>) -> Option<String> {
    value?.reference.as_ref().map(ToString::to_string)
}

#[test]
fn what_is_set_in_blocks_is_configured() {
    let program = read(
        r#"{"role": {"references": ["aws_iam_role.r.arn", "aws_iam_role.r"]},
            "one": {"size": {"constant_value": 1}, "none": {"constant_value": null}},
            "none": {"constant_value": null},
            "whole": {"constant_value": [{"key": "k", "deep": {"a": null, "b": 1}}]},
            "many": [{"a": {"constant_value": 1}}, {"b": {"deep": [{"c": {}}]}}]}"#,
        r#""after": {}, "after_unknown": {}"#,
    );
    let configured = agent(&program).configured.as_ref().unwrap();
    let paths: Vec<&str> = configured.iter().map(SmolStr::as_str).collect();
    assert_eq!(
        paths,
        [
            "many",
            "many.a",
            "many.b",
            "many.b.deep",
            "many.b.deep.c",
            "one",
            "one.size",
            "role",
            "whole",
            "whole.deep",
            "whole.deep.b",
            "whole.key"
        ]
    );
}

#[test]
fn of_the_references_of_a_whole_list_an_attribute_has_the_one_of_its_type() {
    let all = r#"{"guardrail_configuration": {"references": [
        "aws_bedrock_guardrail.g.guardrail_id", "aws_bedrock_guardrail.g", "aws_iam_role.r.arn", "aws_iam_role.r"]}}"#;
    let change = r#""after": {"guardrail_configuration": [{}]},
        "after_unknown": {"guardrail_configuration": [{"guardrail_identifier": true, "guardrail_version": true}]}"#;
    let program = read(all, change);
    let after = agent(&program).after.as_ref().unwrap();
    let identifier = after.at_path("guardrail_configuration.guardrail_identifier");
    assert_eq!(reference(identifier).as_deref(), Some("aws_bedrock_guardrail.g.guardrail_id"));
    let version = after.at_path("guardrail_configuration.guardrail_version").unwrap();
    assert_eq!(reference(Some(version)), None, "no link is known for it");
    assert_eq!(version.as_unknown().unwrap().references().count(), 2);
}

#[test]
fn instances_hold_their_common_names_once() {
    let change = |key: u32| {
        format!(
            r#"{{"address": "aws_sagemaker_notebook_instance.notebooks[{key}]", "mode": "managed", "index": {key},
                "type": "aws_sagemaker_notebook_instance", "name": "notebooks",
                "change": {{"actions": ["create"], "before": null, "after_unknown": {{"arn": true}},
                    "after": {{"name": "n{key}", "tags": {{"owner": "o{key}"}}, "kms_key_id": null}}}}}}"#
        )
    };
    let text = format!(r#"{{"resource_changes": [{}, {}]}}"#, change(0), change(1));
    let file = Sources::default().add("plan.json", "");
    // What is read by several threads each of them holds once.
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let program = one_thread.install(|| super::read(&text, file, &|_| true));
    let [one, other] = program.resources.as_slice() else { panic!("{:?}", program.diagnostics) };
    let maps = |path: &str| {
        [one, other].map(|resource| resource.after.as_ref().unwrap().at_path(path).unwrap().map().unwrap())
    };
    for path in ["", "tags"] {
        let [one, other] = maps(path);
        assert!(one.shares_keys_with(other), "{path}");
    }
    for [one, other] in [[&one.block, &other.block], [&one.type_name, &other.type_name]] {
        assert!(std::ptr::eq(one.as_str(), other.as_str()), "{one}");
    }
}
