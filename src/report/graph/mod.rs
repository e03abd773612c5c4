//! The writers of `airgate graph`: pictures of graphs as DOT, Mermaid, JSON and SVG. `docs/graph.md` is their manual.

mod dot;
mod json;
mod layout;
mod mermaid;
mod svg;

use std::io;
use std::str::FromStr;

use crate::catalog::LinkKind;
use crate::picture::{Node, Picture, Reach};

use super::scrub;

/// The formats of a graph.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum GraphFormat {
    /// For Graphviz.
    #[default]
    Dot,
    /// For Markdown on GitHub and elsewhere.
    Mermaid,
    /// `airgate.graph/v1`, see `docs/graph.schema.json`.
    Json,
    /// A drawing.
    Svg,
}

impl GraphFormat {
    /// All, in the order of `--help`.
    pub const ALL: [Self; 4] = [Self::Dot, Self::Mermaid, Self::Json, Self::Svg];

    /// `"dot"`, …
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dot => "dot",
            Self::Mermaid => "mermaid",
            Self::Json => "json",
            Self::Svg => "svg",
        }
    }
}

impl FromStr for GraphFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|format| format.as_str() == text);
        found.ok_or_else(|| format!("there is no format `{text}` of graphs"))
    }
}

/// Writes the pictures of all inputs as one document.
pub fn write_graph(pictures: &[Picture], format: GraphFormat, out: &mut dyn io::Write) -> io::Result<()> {
    match format {
        GraphFormat::Dot => out.write_all(dot::text(pictures).as_bytes()),
        GraphFormat::Mermaid => out.write_all(mermaid::text(pictures).as_bytes()),
        GraphFormat::Json => json::write(pictures, out),
        GraphFormat::Svg => out.write_all(svg::text(pictures).as_bytes()),
    }
}

/// What stands above the nodes of a module: of several inputs, also which.
fn heading(pictures: &[Picture], picture: &Picture, module: &str) -> String {
    let module = if module.is_empty() { "root" } else { module };
    let heading = if pictures.len() > 1 { format!("{}: {module}", picture.path) } else { module.to_owned() };
    scrub(&heading).into_owned()
}

/// What marks a node that is AI.
fn label(node: &Node) -> String {
    let mark = if node.ai == Reach::Direct { "★ " } else { "" };
    scrub(&format!("{mark}{}", node.label())).into_owned()
}

/// The colour of a kind of edge, dark enough for white ground.
const fn color(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::Attachment => "#57606a",
        LinkKind::Identity => "#8250df",
        LinkKind::Data => "#0969da",
        LinkKind::Key => "#bf8700",
        LinkKind::Network => "#1a7f37",
        LinkKind::Containment => "#0550ae",
        LinkKind::Reference => "#8c959f",
    }
}

/// The ground and the border of a node.
const fn fill(ai: Reach) -> (&'static str, &'static str) {
    match ai {
        Reach::Direct => ("#ffd8b5", "#bc4c00"),
        Reach::Reached => ("#ddf4ff", "#0969da"),
        Reach::Out => ("#f6f8fa", "#8c959f"),
    }
}
