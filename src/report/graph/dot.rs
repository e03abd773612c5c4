//! Graphviz.

use super::{Picture, color, fill, heading, label};
use crate::catalog::LinkKind;

pub(super) fn text(pictures: &[Picture]) -> String {
    let mut out = String::from(
        "digraph airgate {\n  rankdir=LR;\n  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=10];\n  \
         edge [fontname=\"Helvetica\", fontsize=9];\n",
    );
    let mut first = 0;
    for (number, picture) in pictures.iter().enumerate() {
        for (cluster, (module, nodes)) in picture.modules().into_iter().enumerate() {
            let heading = quoted(&heading(pictures, picture, module));
            out.push_str(&format!(
                "  subgraph cluster_{number}_{cluster} {{\n    label={heading};\n    color=\"#d0d7de\";\n"
            ));
            for at in nodes {
                let Some(node) = picture.nodes.get(at) else { continue };
                let (ground, border) = fill(node.ai);
                out.push_str(&format!(
                    "    n{} [label={}, fillcolor=\"{ground}\", color=\"{border}\"];\n",
                    first + at,
                    quoted(&label(node))
                ));
            }
            out.push_str("  }\n");
        }
        for (source, target, kind) in picture.lines() {
            let dashed = if kind == LinkKind::Reference { ", style=dashed" } else { "" };
            let color = color(kind);
            out.push_str(&format!(
                "  n{} -> n{} [label=\"{kind}\", color=\"{color}\", fontcolor=\"{color}\"{dashed}];\n",
                first + source,
                first + target
            ));
        }
        first += picture.nodes.len();
    }
    out.push_str("}\n");
    out
}

/// A string of DOT.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
