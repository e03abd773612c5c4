//! Where a statement of a policy is written: the line inside of `jsonencode`, a heredoc, or a policy document's block.
//!
//! A value tells where it was written, not where a part of it was; so the text there is looked at again. Where it does not
//! say plainly which statement is which, nobody is told a line.

use crate::graph::ResourceGraph;
use crate::iam::Statement;
use crate::source::{Site, SourceFile, Sources, Span};

use super::Read;

/// The place of statement `number`, from 1; else that of the policy.
pub fn of_statement(
    graph: &ResourceGraph,
    sources: Option<&Sources>,
    read: &Read,
    statement: &Statement,
    number: usize,
) -> Option<Site> {
    statement.site.or_else(|| within(graph, sources?, read, number)).or(read.site)
}

fn within(graph: &ResourceGraph, sources: &Sources, read: &Read, number: usize) -> Option<Site> {
    let document = read.reference.as_ref().and_then(|it| graph.named(&it.resource));
    if let Some(document) = document.filter(|it| it.type_name == "aws_iam_policy_document") {
        let site = document.site?;
        // What HCL writes so: the text of a plan is not looked into.
        let file = sources.get(site.file).filter(|file| !file.is_confidential())?;
        return Some(block(file, site, number)?.at(site.file));
    }
    let site = read.site?;
    let file = sources.get(site.file).filter(|file| !file.is_confidential())?;
    let text = file.slice(site.span);
    if text.len() > MAX_TEXT {
        return None;
    }
    let (start, end) = element(text, number)?;
    Some(span(site.span.start, start, end)?.at(site.file))
}

/// In larger texts no statement is looked for: each is looked for from the beginning, and AWS takes none that is a fourth of it.
const MAX_TEXT: usize = 1 << 17;

fn span(from: u32, start: usize, end: usize) -> Option<Span> {
    let at = |offset: usize| Some(from.saturating_add(u32::try_from(offset).ok()?));
    Some(Span::new(at(start)?, at(end)?))
}

/// The nth element of the `Statement` list in JSON, or in an object of HCL.
fn element(text: &str, number: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut rest = 0;
    // The first `Statement` that is a key.
    let mut at = loop {
        let found = rest + text.get(rest..)?.find("Statement")?;
        let after = found + "Statement".len();
        let after = if bytes.get(after) == Some(&b'"') { after + 1 } else { after };
        let sign = skip_blank(bytes, after);
        let is_key = matches!(bytes.get(sign), Some(b':' | b'=')) && bytes.get(sign + 1) != Some(&b'=');
        let line = || text.get(..found).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
        if is_key && !line().trim_start().starts_with(['#', '/']) {
            break skip_blank(bytes, sign + 1);
        }
        rest = after;
    };
    match bytes.get(at)? {
        b'{' if number == 1 => return Some((at, skip_group(bytes, at)?)),
        b'[' => at += 1,
        _ => return None,
    }
    for count in 1.. {
        let start = skip_blank(bytes, at);
        let is_for = text.get(start..)?.starts_with("for ");
        if is_for || matches!(bytes.get(start), None | Some(b']')) {
            return None;
        }
        let end = skip_element(bytes, start)?;
        // What is no object may be any number of statements.
        if bytes.get(start) != Some(&b'{') {
            return None;
        }
        if count == number {
            return Some((start, skip_group(bytes, start)?));
        }
        at = if bytes.get(end) == Some(&b',') { end + 1 } else { return None };
    }
    None
}

/// The nth `statement` block of the block at `site`.
fn block(file: &SourceFile, site: Site, number: usize) -> Option<Span> {
    let (from, text) = (site.span.start, file.text().get(site.span.start as usize..)?);
    let bytes = text.as_bytes();
    let bytes = bytes.get(..MAX_TEXT).unwrap_or(bytes);
    let open = text.find('{')?;
    let end = skip_group(bytes, open)?;
    let body = text.get(..end)?;
    // Other documents come before or over its own, a dynamic block is any number of them.
    if [
        "source_policy_documents",
        "override_policy_documents",
        "source_json",
        "override_json",
        "\"statement\"",
    ]
    .iter()
    .any(|name| body.contains(name))
    {
        return None;
    }
    let (mut at, mut count) = (open + 1, 0);
    while at < end {
        at = skip_blank(bytes, at);
        let rest = body.get(at..)?;
        if rest.starts_with("statement") {
            let brace = skip_blank(bytes, at + "statement".len());
            if bytes.get(brace) == Some(&b'{') {
                count += 1;
                let close = skip_group(bytes, brace)?;
                if count == number {
                    return span(from, at, close);
                }
                at = close;
                continue;
            }
        }
        at = match bytes.get(at)? {
            b'{' | b'[' | b'(' => skip_group(bytes, at)?,
            b'"' => skip_string(bytes, at)?,
            _ => at + 1,
        };
    }
    None
}

/// Past blanks and comments.
fn skip_blank(bytes: &[u8], mut at: usize) -> usize {
    loop {
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(b' ' | b'\t' | b'\r' | b'\n'), _) => at += 1,
            (Some(b'#'), _) | (Some(b'/'), Some(b'/')) => {
                while !matches!(bytes.get(at), None | Some(b'\n')) {
                    at += 1;
                }
            }
            _ => return at,
        }
    }
}

/// Past an element of a list, to the comma or bracket behind it.
fn skip_element(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at = skip_blank(bytes, at);
        at = match bytes.get(at)? {
            b',' | b']' => return Some(at),
            b'{' | b'[' | b'(' => skip_group(bytes, at)?,
            b'"' => skip_string(bytes, at)?,
            _ => at + 1,
        };
    }
}

/// Past the bracket that closes the one at `at`.
fn skip_group(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0usize;
    loop {
        at = skip_blank(bytes, at);
        match bytes.get(at)? {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b'"' => {
                at = skip_string(bytes, at)?;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
}

/// Strings in what is interpolated in strings are looked into so far.
const MAX_DEPTH: usize = 8;

/// Past a string, with what is interpolated in it.
fn skip_string(bytes: &[u8], at: usize) -> Option<usize> {
    skip_string_in(bytes, at, MAX_DEPTH)
}

fn skip_string_in(bytes: &[u8], at: usize, deeper: usize) -> Option<usize> {
    let mut at = at + 1;
    let mut depth = 0usize;
    loop {
        match (bytes.get(at)?, bytes.get(at + 1)) {
            (b'\\', _) => at += 2,
            (b'$' | b'%', Some(b'{')) => (at, depth) = (at + 2, depth + 1),
            (b'{', _) if depth > 0 => (at, depth) = (at + 1, depth + 1),
            (b'}', _) if depth > 0 => (at, depth) = (at + 1, depth - 1),
            (b'"', _) if depth == 0 => return Some(at + 1),
            (b'"', _) => at = skip_string_in(bytes, at, deeper.checked_sub(1)?)?,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(whole: &str, number: usize) -> Option<&str> {
        element(whole, number).and_then(|(start, end)| whole.get(start..end))
    }

    #[test]
    fn a_statement_is_found_in_json_and_in_hcl() {
        let json = r#"<<EOF
{"Version": "x", "Statement": [ {"Sid": "a]"}, {"Sid": "${f("}")}"} ] }
EOF"#;
        assert_eq!(text(json, 1), Some(r#"{"Sid": "a]"}"#));
        assert_eq!(text(json, 2), Some(r#"{"Sid": "${f("}")}"}"#));
        assert_eq!(text(json, 3), None);
        let hcl = "jsonencode({\n  # Statement = none\n  Statement = [\n    { Sid = \"a\" }, // the first, {\n    { Sid = [\"b\"] },\n  ]\n})";
        assert_eq!(text(hcl, 2), Some("{ Sid = [\"b\"] }"));
        assert_eq!(text("jsonencode({ Statement = { Sid = 1 } })", 1), Some("{ Sid = 1 }"));
    }

    #[test]
    fn where_it_is_not_plain_there_is_no_place() {
        for odd in [
            "jsonencode({ Statement = [for s in local.all : s] })",
            "jsonencode({ Statement = concat([{}], local.more) })",
            "jsonencode({ Statement = [local.first, { Sid = 1 }] })",
            "local.policy",
            "{\"Statement\": [{",
            "",
        ] {
            assert_eq!(text(odd, 1).or_else(|| text(odd, 2)), None, "{odd}");
        }
    }
}
