//! `airgate graph`: its formats, on a scenario and on hostile names.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::path::Path;

use airgate::catalog::LinkKind;
use airgate::config::Options;
use airgate::picture::{Edge, Node, Picture, Reach};
use airgate::program::InputKind;
use airgate::report::{GraphFormat, write_graph};
use serde_json::Value;

fn pictures(only_ai: bool) -> Vec<Picture> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rag-bedrock");
    airgate::graphs(&[path], only_ai, &Options::default()).unwrap()
}

fn text(pictures: &[Picture], format: GraphFormat) -> String {
    let mut out = Vec::new();
    write_graph(pictures, format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn every_format_is_the_same_from_run_to_run() {
    for format in GraphFormat::ALL {
        let first = text(&pictures(false), format);
        assert!(first.contains("aws_bedrockagent_knowledge_base"), "{}", format.as_str());
        assert_eq!(first, text(&pictures(false), format), "{}", format.as_str());
    }
}

#[test]
fn json_matches_its_schema_and_says_what_ai_reaches() {
    let schema: Value = serde_json::from_str(include_str!("../docs/graph.schema.json")).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let document: Value = serde_json::from_str(&text(&pictures(false), GraphFormat::Json)).unwrap();
    let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    let input = &document["inputs"][0];
    let find = |address: &str| {
        input["nodes"].as_array().unwrap().iter().find(|node| node["address"] == address).unwrap().clone()
    };
    assert_eq!(find("aws_bedrockagent_knowledge_base.helpdesk")["ai"], "direct");
    assert_eq!(find("aws_s3_bucket.wiki_export")["ai"], "out");
    let bucket = find("aws_s3_bucket.docs[\"tickets\"]");
    assert_eq!((&bucket["ai"], &bucket["path"][1]["edge"]), (&"reached".into(), &"data".into()));
    let edges = input["edges"].as_array().unwrap();
    let network =
        edges.iter().find(|edge| edge["source"] == "aws_opensearchserverless_security_policy.network");
    assert_eq!(network.unwrap()["target"], "aws_opensearchserverless_collection.vectors");
}

#[test]
fn only_ai_leaves_out_what_ai_does_not_reach() {
    let pictures = pictures(true);
    let picture = pictures.first().unwrap();
    assert!(picture.nodes.iter().all(|node| node.ai != Reach::Out));
    assert!(picture.nodes.len() > 15);
    assert!(
        picture
            .edges
            .iter()
            .all(|edge| edge.source < picture.nodes.len() && edge.target < picture.nodes.len())
    );
}

/// What a pull request's author names does not become markup.
#[test]
fn names_stay_names() {
    let node = |address: &str| Node {
        address: address.into(),
        module: "module.a[\"<x>\"]".into(),
        type_name: "aws_s3_bucket".into(),
        native_type: None,
        is_data: false,
        role: None,
        ai: Reach::Direct,
        reason: None,
        way: Vec::new(),
    };
    let hostile = "aws_s3_bucket.b[\"\\\"]; x --> y; </text><script>`#lt;\u{1b}[31m\"]";
    let picture = Picture {
        path: "p".into(),
        kind: InputKind::TerraformSource,
        nodes: vec![node("aws_s3_bucket.a"), node(hostile)],
        edges: vec![Edge { source: 0, target: 1, kind: LinkKind::Data, attribute: "bucket".into() }],
        errors: Vec::new(),
    };
    let pictures = [picture];
    let svg = text(&pictures, GraphFormat::Svg);
    assert!(!svg.contains("<script") && svg.contains("&lt;script&gt;"), "{svg}");
    let mermaid = text(&pictures, GraphFormat::Mermaid);
    assert!(
        mermaid.contains("n1[\"★ aws_s3_bucket.b[#quot;\\#quot;]; x --#gt; y; #lt;/text#gt;"),
        "{mermaid}"
    );
    let dot = text(&pictures, GraphFormat::Dot);
    assert!(dot.contains("b[\\\"\\\\\\\"]; x --> y;"), "{dot}");
    for format in [GraphFormat::Svg, GraphFormat::Mermaid, GraphFormat::Dot, GraphFormat::Json] {
        assert!(!text(&pictures, format).contains('\u{1b}'), "{}", format.as_str());
    }
}
