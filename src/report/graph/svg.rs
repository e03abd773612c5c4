//! A drawing, without any other program: a band for each module, columns from left to right, AI in orange.

use super::layout::{Layout, layout};
use super::{Node, Picture, Reach, color, fill, heading, scrub};
use crate::catalog::LinkKind;

const WIDTH: usize = 250;
const HEIGHT: usize = 38;
const GAP: (usize, usize) = (90, 16);
/// Around everything, and above the nodes of a band.
const MARGIN: usize = 20;
const TITLE: usize = 26;
/// With more edges than this their kinds are told by colour and legend only.
const MAX_LABELS: usize = 120;
/// Characters of the two lines of a node; the whole is its tooltip.
const MAX_LABEL: (usize, usize) = (46, 34);

/// Where the corner of a node is.
type Corner = (usize, usize);

pub(super) fn text(pictures: &[Picture]) -> String {
    let layouts: Vec<Layout> = pictures.iter().map(layout).collect();
    let columns = layouts.iter().map(|layout| layout.columns).max().unwrap_or_default().max(2);
    let width = 2 * MARGIN + columns * (WIDTH + GAP.0) - GAP.0 + 2 * MARGIN;
    let labels = pictures.iter().map(|picture| picture.lines().len()).sum::<usize>() <= MAX_LABELS;
    let mut body = String::new();
    let mut top = MARGIN + TITLE;
    for (picture, layout) in pictures.iter().zip(&layouts) {
        top = draw(pictures, picture, layout, (width, top), labels, &mut body);
    }
    let height = top + MARGIN;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"Helvetica, Arial, sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{}{}{body}</svg>\n",
        markers(),
        legend()
    )
}

/// Draws one picture below `top`; gives where it ends.
fn draw(
    pictures: &[Picture],
    picture: &Picture,
    layout: &Layout,
    (width, mut top): (usize, usize),
    labels: bool,
    out: &mut String,
) -> usize {
    let mut corners: Vec<Corner> = vec![(0, 0); picture.nodes.len()];
    for (band, ((module, nodes), rows)) in picture.modules().into_iter().zip(&layout.rows).enumerate() {
        let height = TITLE + rows * (HEIGHT + GAP.1);
        out.push_str(&format!(
            "<g><rect x=\"{MARGIN}\" y=\"{top}\" width=\"{}\" height=\"{height}\" rx=\"8\" fill=\"none\" stroke=\"#d0d7de\"/>\
             <text x=\"{}\" y=\"{}\" fill=\"#57606a\">{}</text></g>\n",
            width - 2 * MARGIN,
            MARGIN + 10,
            top + 17,
            escaped(&heading(pictures, picture, module))
        ));
        for at in nodes {
            let (column, row) = layout.places.get(at).copied().unwrap_or_default();
            let stacked =
                layout.stacks.get(band).and_then(|stacks| stacks.get(column)).copied().unwrap_or_default();
            // What is lower than the highest column stands in its middle.
            let down = (rows.saturating_sub(stacked)) * (HEIGHT + GAP.1) / 2;
            if let Some(corner) = corners.get_mut(at) {
                *corner =
                    (2 * MARGIN + column * (WIDTH + GAP.0), top + TITLE + down + row * (HEIGHT + GAP.1));
            }
        }
        top += height + MARGIN;
    }
    for (source, target, kind) in picture.lines() {
        if let (Some(&from), Some(&to)) = (corners.get(source), corners.get(target)) {
            edge(from, to, kind, labels, out);
        }
    }
    for (node, corner) in picture.nodes.iter().zip(&corners) {
        draw_node(node, *corner, out);
    }
    top
}

/// A curve from the right of one to the left of the other; from the top where that lies behind.
fn edge((x1, y1): Corner, (x2, y2): Corner, kind: LinkKind, labels: bool, out: &mut String) {
    let (from, to) = ((x1 + WIDTH, y1 + HEIGHT / 2), (x2, y2 + HEIGHT / 2));
    let curve = if to.0 > from.0 {
        let bend = (to.0 - from.0) / 2;
        format!(
            "M{} {}C{} {} {} {} {} {}",
            from.0,
            from.1,
            from.0 + bend,
            from.1,
            to.0 - bend,
            to.1,
            to.0,
            to.1
        )
    } else {
        let bend = GAP.0 / 2;
        let left = to.0.saturating_sub(bend);
        format!("M{} {}C{} {} {left} {} {} {}", from.0, from.1, from.0 + bend, from.1, to.1, to.0, to.1)
    };
    let (color, name) = (color(kind), kind.name());
    let dashes = if kind == LinkKind::Reference { " stroke-dasharray=\"4 3\"" } else { "" };
    out.push_str(&format!(
        "<path d=\"{curve}\" fill=\"none\" stroke=\"{color}\"{dashes} marker-end=\"url(#{name})\"><title>{name}</title></path>\n"
    ));
    if labels {
        let (x, y) = (usize::midpoint(from.0, to.0), usize::midpoint(from.1, to.1));
        out.push_str(&format!(
            "<text x=\"{x}\" y=\"{}\" fill=\"{color}\" font-size=\"9\" text-anchor=\"middle\">{name}</text>\n",
            y.saturating_sub(3)
        ));
    }
}

/// Its type above its name, and the key of an instance.
fn draw_node(node: &Node, (x, y): Corner, out: &mut String) {
    let (ground, border) = fill(node.ai);
    let (mark, weight) = if node.ai == Reach::Direct { ("★ ", " font-weight=\"bold\"") } else { ("", "") };
    let (type_name, name) = node.label().split_once('.').unwrap_or((node.label(), ""));
    out.push_str(&format!(
        "<g><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"5\" fill=\"{ground}\" \
         stroke=\"{border}\"/><text x=\"{1}\" y=\"{2}\" fill=\"#57606a\" font-size=\"9\">{3}</text><text x=\"{1}\" y=\"{4}\" \
         fill=\"#1f2328\"{weight}>{mark}{5}</text></g>\n",
        escaped(&scrub(&node.address)),
        x + 8,
        y + 14,
        shortened(type_name, MAX_LABEL.0),
        y + 29,
        shortened(name, MAX_LABEL.1),
    ));
}

/// A text that is no longer than `max` characters.
fn shortened(text: &str, max: usize) -> String {
    let text = scrub(text);
    let short: String = if text.chars().count() > max {
        text.chars().take(max - 1).chain(['…']).collect()
    } else {
        text.into_owned()
    };
    escaped(&short)
}

/// The heads of arrows, one of each colour.
fn markers() -> String {
    let marker = |kind: LinkKind| {
        format!(
            "<marker id=\"{}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
             orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"{}\"/></marker>",
            kind.name(),
            color(kind)
        )
    };
    format!("<defs>{}</defs>\n", LinkKind::ALL.map(marker).concat())
}

/// What the colours mean.
fn legend() -> String {
    let mut out = String::from("<g>");
    let mut x = MARGIN;
    for (ai, name) in
        [(Reach::Direct, "★ AI"), (Reach::Reached, "reached by AI"), (Reach::Out, "out of scope")]
    {
        let (ground, border) = fill(ai);
        out.push_str(&format!(
            "<rect x=\"{x}\" y=\"12\" width=\"14\" height=\"14\" rx=\"3\" fill=\"{ground}\" stroke=\"{border}\"/>\
             <text x=\"{}\" y=\"23\" fill=\"#1f2328\">{name}</text>",
            x + 19
        ));
        x += 30 + 7 * name.chars().count();
    }
    for kind in LinkKind::ALL {
        let (color, name) = (color(kind), kind.name());
        out.push_str(&format!("<text x=\"{x}\" y=\"23\" fill=\"{color}\">→ {name}</text>"));
        x += 24 + 6 * name.chars().count();
    }
    out.push_str("</g>\n");
    out
}

/// A text in XML, also within quotes.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
