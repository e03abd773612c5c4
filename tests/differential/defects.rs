//! The known defects of hcl-edit 0.10, by name.

use super::Verdict;

/// One way in which hcl-edit 0.10 differs from Terraform.
pub(crate) struct Defect {
    pub(crate) name: &'static str,
    /// A text on which the parsers disagree for this reason alone. When hcl-edit is repaired they agree on it, and the
    /// entry must go.
    pub(crate) example: fn() -> String,
    /// Whether it is a reason for the parsers to disagree on a text.
    pub(crate) explains: fn(&str, &Verdict, &Verdict) -> bool,
}

/// All that are known.
pub(crate) const DEFECTS: &[Defect] = &[
    Defect {
        name: "rejects a byte order mark",
        example: || "\u{feff}a = 1\n".to_owned(),
        explains: |text, _, theirs| text.starts_with('\u{feff}') && complains(theirs, "line 1, column 1\n"),
    },
    Defect {
        name: "rejects a key that an object repeats; the last value counts",
        example: || "a = { b = 1, b = 2 }\n".to_owned(),
        explains: |_, _, theirs| complains(theirs, "found redefined object key"),
    },
    Defect {
        name: "rejects numbers beyond 64-bit floating point",
        example: || "a = 1e400\n".to_owned(),
        explains: |text, _, theirs| {
            let is_huge =
                |word: &str| word.starts_with(char::is_numeric) && word.parse() == Ok(f64::INFINITY);
            complains(theirs, "")
                && text.split(|c: char| !c.is_alphanumeric() && !".+".contains(c)).any(is_huge)
        },
    },
    Defect {
        name: "takes line ends in the body of `{for}` for those of an object",
        example: || "a = { for k, v in m : k => v\n  ? 1\n  : 2\n}\n".to_owned(),
        explains: |text, ours, theirs| {
            let bodies = || text.split('{').skip(1).map(str::trim_start);
            ours.is_ok()
                && theirs.is_err()
                && bodies().any(|body| body.starts_with("for") && body.contains('\n'))
        },
    },
    Defect {
        name: "rejects more than 128 operators in a row",
        example: || format!("a = {}1\n", "1 + ".repeat(150)),
        explains: |_, _, theirs| complains(theirs, "at most 128 chained binary operators"),
    },
    Defect {
        name: "rejects more than 64 levels of nesting",
        example: || format!("a = {}1{}\n", "(".repeat(80), ")".repeat(80)),
        explains: |_, _, theirs| complains(theirs, "at most 64 nested levels"),
    },
    Defect {
        name: "accepts a heredoc whose last line is not ended",
        example: || "a = <<EOT\nx\nEOT".to_owned(),
        explains: |text, ours, theirs| {
            theirs.is_ok() && complains(ours, "this heredoc is never closed") && !text.ends_with('\n')
        },
    },
    Defect {
        name: "passes over the end of a heredoc without lines",
        example: || "a = <<EOT\nEOT\nb = <<EOT\nEOT\n".to_owned(),
        explains: |text, _, theirs| {
            let opens = |line: &str, next: &str| {
                !next.is_empty()
                    && (line.ends_with(&format!("<<{next}")) || line.ends_with(&format!("<<-{next}")))
            };
            theirs.is_ok() && text.lines().zip(text.lines().skip(1)).any(|(l, next)| opens(l, next.trim()))
        },
    },
    Defect {
        name: "changes the line ends of indented heredocs",
        example: || "a = <<-EOT\r\n  x\r\n  EOT\r\n".to_owned(),
        explains: |text, ours, theirs| {
            let without = |verdict: &Verdict| -> Result<String, String> {
                verdict.as_ref().map(|lines| lines.concat().replace("\\r\\n", "\\n")).map_err(Clone::clone)
            };
            text.contains("<<-") && ours.is_ok() && without(ours) == without(theirs)
        },
    },
    Defect {
        name: "counts blank lines for the indentation of heredocs",
        example: || "a = <<-EOT\n    x\n  \n    y\n    EOT\n".to_owned(),
        explains: |text, ours, theirs| {
            let without = |verdict: &Verdict| {
                verdict.as_ref().map(|lines| lines.concat().replace([' ', '\t'], "").replace("\\r", "")).ok()
            };
            text.contains("<<-") && ours.is_ok() && without(ours) == without(theirs)
        },
    },
    Defect {
        name: "ends a heredoc at a line that only begins with the marker",
        example: || "a = <<EOT\nx\n EOT x\nEOT\n".to_owned(),
        explains: |text, _, theirs| {
            complained_line(theirs).is_some_and(|line| begins_with_marker(text, &format!("{line} ?")))
                || theirs.is_ok() && text.lines().any(|line| begins_with_marker(text, line))
        },
    },
    Defect {
        name: "accepts line ends in quoted strings",
        example: || "a = \"x\ny\"\n".to_owned(),
        explains: |_, ours, theirs| {
            theirs.is_ok() && complains(ours, "this string is not closed on its line")
        },
    },
    Defect {
        name: "accepts numbers with several points",
        example: || "a = 10.0.0.0\n".to_owned(),
        explains: |_, ours, theirs| theirs.is_ok() && complains(ours, "is not a number"),
    },
    Defect {
        name: "accepts two legacy indexes in a row",
        example: || "a = x.0.1\n".to_owned(),
        explains: |_, ours, theirs| {
            theirs.is_ok() && complains(ours, "reads as a fraction, not as two indexes")
        },
    },
    Defect {
        name: "accepts a splat in the steps of `.*`",
        example: || "a = b.*.*\n".to_owned(),
        explains: |_, ours, theirs| {
            theirs.is_ok() && complains(ours, "expected an attribute name after `.`, found `*`")
        },
    },
    Defect {
        name: "accepts words that are joined to a keyword",
        example: || "a = [for x iny : x]\n".to_owned(),
        explains: |_, ours, theirs| {
            let joined =
                ["found `in", "found `if", "found `for", "found `endif", "found `endfor", "found `else"];
            theirs.is_ok()
                && complains(ours, "expected `i")
                && joined.iter().any(|found| complains(ours, found))
        },
    },
    Defect {
        name: "lets an expression go on after a line end",
        example: || "a = b.\nc\n".to_owned(),
        explains: |_, ours, theirs| {
            let starts = [
                "a block, found `?`",
                "a block, found `.`",
                "a block, found `%`",
                "found the end of the line",
                "expected an expression, found `*`",
            ];
            theirs.is_ok() && starts.iter().any(|found| complains(ours, found))
        },
    },
    Defect {
        name: "does not end a string at a quote within a directive",
        example: || "a = \"%{if b}\"c\"%{endif}\"\n".to_owned(),
        explains: |_, ours, theirs| theirs.is_ok() && complains(ours, "this directive is never closed"),
    },
    Defect {
        name: "accepts any escape in the body of a directive",
        example: || "a = \"%{if b}\\q%{endif}\"\n".to_owned(),
        explains: |_, ours, theirs| {
            theirs.is_ok()
                && (complains(ours, "is not an escape sequence") || complains(ours, "hexadecimal digits"))
        },
    },
    Defect {
        name: "applies the steps after a negative number to the minus too",
        example: || "a = -1[0]\n".to_owned(),
        explains: |_, ours, theirs| {
            let (Ok(ours), Ok(theirs)) = (ours, theirs) else { return false };
            let differs = ours.iter().zip(theirs).find(|(ours, theirs)| ours != theirs);
            differs.is_some_and(|(ours, theirs)| ours.starts_with("Negate ") && theirs.starts_with("access "))
        },
    },
    Defect {
        name: "takes the exponent after a bare point for an attribute",
        example: || "a = 1.e5\n".to_owned(),
        explains: |text, ours, theirs| {
            ours.is_ok() && theirs.is_ok() && (0..10).any(|digit| text.contains(&format!("{digit}.e")))
        },
    },
    Defect {
        name: "rejects legacy indexes with leading zeros or exponents",
        example: || "a = b.00\n".to_owned(),
        explains: |_, _, theirs| {
            let is_odd = |step: &str| {
                let digits = step.trim_start_matches(|c: char| c.is_ascii_digit());
                step.starts_with('0') && step.len() - digits.len() > 1
                    || digits.len() < step.len() && digits.starts_with(['e', 'E'])
            };
            complained_line(theirs).is_some_and(|line| line.split('.').skip(1).any(is_odd))
        },
    },
];

/// `line` begins with the marker of a heredoc of the text, and goes on.
fn begins_with_marker(text: &str, line: &str) -> bool {
    let line = line.trim_start();
    let word = line.split(|c: char| !c.is_alphanumeric() && c != '-').next().unwrap_or_default();
    !word.is_empty()
        && line.trim_end() != word
        && [format!("<<{word}\n"), format!("<<-{word}\n")].iter().any(|open| text.contains(open))
}

/// The parser rejected the text with these words.
fn complains(verdict: &Verdict, words: &str) -> bool {
    verdict.as_ref().is_err_and(|complaint| complaint.contains(words))
}

/// The line that hcl-edit complains about: it prints it below `|`, after its number.
fn complained_line(verdict: &Verdict) -> Option<&str> {
    let line = verdict.as_ref().err()?.lines().nth(2)?;
    Some(line.split_once('|')?.1.trim())
}
