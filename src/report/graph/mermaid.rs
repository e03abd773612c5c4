//! Mermaid flowcharts.

use super::{Picture, color, fill, heading, label};
use crate::catalog::LinkKind;
use crate::picture::Reach;

pub(super) fn text(pictures: &[Picture]) -> String {
    let mut out = String::from("flowchart LR\n");
    let mut styles = String::new();
    let (mut first, mut drawn, mut groups) = (0, 0, 0);
    for picture in pictures {
        for (module, nodes) in picture.modules() {
            out.push_str(&format!("  subgraph m{groups}[{}]\n", quoted(&heading(pictures, picture, module))));
            groups += 1;
            for at in nodes {
                let Some(node) = picture.nodes.get(at) else { continue };
                out.push_str(&format!(
                    "    n{}[{}]:::{}\n",
                    first + at,
                    quoted(&label(node)),
                    node.ai.as_str()
                ));
            }
            out.push_str("  end\n");
        }
        for (source, target, kind) in picture.lines() {
            let arrow = if kind == LinkKind::Reference { "-.->" } else { "-->" };
            out.push_str(&format!("  n{} {arrow}|{kind}| n{}\n", first + source, first + target));
            styles.push_str(&format!("  linkStyle {drawn} stroke:{}\n", color(kind)));
            drawn += 1;
        }
        first += picture.nodes.len();
    }
    out.push_str(&styles);
    for ai in [Reach::Direct, Reach::Reached, Reach::Out] {
        let (ground, border) = fill(ai);
        out.push_str(&format!("  classDef {} fill:{ground},stroke:{border},color:#1f2328\n", ai.as_str()));
    }
    out
}

/// A text in quotes: entities stand for what would end it or be markup.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("#quot;"),
            '#' => out.push_str("#35;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '`' => out.push_str("#96;"),
            '&' => out.push_str("#amp;"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
