//! `airgate.graph/v1`: `docs/graph.schema.json` describes it. Fields may be added under the same version.

use std::io;

use serde::Serialize;

use super::super::scrub::SafeJson;
use super::Picture;

pub(super) fn write(pictures: &[Picture], mut out: &mut dyn io::Write) -> io::Result<()> {
    let document = Document {
        schema: "airgate.graph/v1",
        tool: Tool { name: "airgate", version: env!("CARGO_PKG_VERSION") },
        inputs: pictures.iter().map(Input::of).collect(),
    };
    document.serialize(&mut serde_json::Serializer::with_formatter(&mut out, SafeJson))?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    tool: Tool,
    inputs: Vec<Input<'a>>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Input<'a> {
    path: &'a str,
    kind: String,
    nodes: Vec<Node<'a>>,
    edges: Vec<Edge<'a>>,
    errors: &'a [String],
}

#[derive(Serialize)]
struct Node<'a> {
    address: &'a str,
    module: &'a str,
    #[serde(rename = "type")]
    type_name: &'a str,
    native_type: Option<&'a str>,
    mode: &'static str,
    role: Option<&'static str>,
    ai: &'static str,
    reason: Option<&'a str>,
    path: Vec<Step<'a>>,
}

#[derive(Serialize)]
struct Step<'a> {
    edge: Option<&'static str>,
    address: &'a str,
}

#[derive(Serialize)]
struct Edge<'a> {
    source: &'a str,
    target: &'a str,
    kind: &'static str,
    attribute: &'a str,
}

impl<'a> Input<'a> {
    fn of(picture: &'a Picture) -> Self {
        let address = |at: usize| picture.nodes.get(at).map_or("", |node| node.address.as_str());
        let node = |node: &'a super::Node| Node {
            address: &node.address,
            module: &node.module,
            type_name: &node.type_name,
            native_type: node.native_type.as_deref(),
            mode: if node.is_data { "data" } else { "managed" },
            role: node.role,
            ai: node.ai.as_str(),
            reason: node.reason.as_deref(),
            path: node.way.iter().map(|step| Step { edge: step.edge, address: &step.address }).collect(),
        };
        let edges = picture.edges.iter().map(|edge| Edge {
            source: address(edge.source),
            target: address(edge.target),
            kind: edge.kind.name(),
            attribute: &edge.attribute,
        });
        Self {
            path: &picture.path,
            kind: picture.kind.to_string(),
            nodes: picture.nodes.iter().map(node).collect(),
            edges: edges.collect(),
            errors: &picture.errors,
        }
    }
}
