//! From the regular expressions of RE2, which Terraform has, to those of the `regex` crate.
//!
//! They differ in what `\d`, `\w`, `\s` and `\b` mean (ASCII only in RE2), in the operators of character classes, which RE2
//! does not have, and in what is an error.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

/// The largest count of a repetition.
const MAX_REPEAT: u32 = 1000;

/// The same pattern for the `regex` crate.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut translator = Translator { rest: pattern.chars().peekable(), out: String::new() };
    translator.pattern()?;
    Ok(translator.out)
}

struct Translator<'p> {
    rest: Peekable<Chars<'p>>,
    out: String,
}

impl Translator<'_> {
    fn pattern(&mut self) -> Result<(), String> {
        // `a**` is an error in RE2.
        let mut repeated = false;
        while let Some(c) = self.rest.next() {
            let was_repeated = std::mem::take(&mut repeated);
            match c {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '(' => self.group()?,
                '*' | '+' | '?' => {
                    self.out.push(c);
                    repeated = true;
                }
                '{' => match self.counts()? {
                    Some(counts) => {
                        self.out.push_str(&counts);
                        repeated = true;
                    }
                    None => self.out.push_str("\\{"),
                },
                _ => self.out.push(c),
            }
            if repeated {
                if was_repeated {
                    return Err("a repetition is repeated".to_owned());
                }
                if self.rest.next_if_eq(&'?').is_some() {
                    self.out.push('?');
                }
            }
        }
        Ok(())
    }

    /// The rest of `{2,5}`; without a valid count the brace is a literal.
    fn counts(&mut self) -> Result<Option<String>, String> {
        let mut ahead = self.rest.clone();
        let mut text = String::new();
        loop {
            match ahead.next() {
                Some('}') => break,
                Some(c) if text.len() < 16 && (c.is_ascii_digit() || c == ',') => text.push(c),
                _ => return Ok(None),
            }
        }
        let (low, high) = text.split_once(',').unwrap_or((&text, ""));
        if low.is_empty() || high.contains(',') {
            return Ok(None);
        }
        for count in [low, high].into_iter().filter(|count| !count.is_empty()) {
            if count.parse().unwrap_or(u32::MAX) > MAX_REPEAT {
                return Err(format!("a repetition of more than {MAX_REPEAT}"));
            }
        }
        self.rest = ahead;
        Ok(Some(format!("{{{text}}}")))
    }

    /// The start of a group; its flags must be ones of RE2.
    fn group(&mut self) -> Result<(), String> {
        self.out.push('(');
        if self.rest.next_if_eq(&'?').is_none() {
            return Ok(());
        }
        self.out.push('?');
        while let Some(&c) = self.rest.peek() {
            match c {
                'i' | 'm' | 's' | 'U' | '-' => self.out.push(c),
                ':' | ')' | 'P' | '<' => return Ok(()),
                _ => return Err(format!("`(?{c}` is not supported in patterns")),
            }
            self.rest.next();
        }
        Ok(())
    }

    /// What follows a backslash.
    fn escape(&mut self, in_class: bool) -> Result<(), String> {
        let Some(c) = self.rest.next() else {
            return Err("the pattern ends in a backslash".to_owned());
        };
        let perl = |ascii: &str, negated: bool| match (in_class, negated) {
            (true, false) => ascii.to_owned(),
            (_, negated) => format!("[{}{ascii}]", if negated { "^" } else { "" }),
        };
        match c {
            'd' | 'D' => self.out.push_str(&perl("0-9", c == 'D')),
            'w' | 'W' => self.out.push_str(&perl("0-9A-Za-z_", c == 'W')),
            's' | 'S' => self.out.push_str(&perl("\\t\\n\\f\\r ", c == 'S')),
            'b' if !in_class => self.out.push_str("(?-u:\\b)"),
            'B' if !in_class => {
                // The one for ASCII could split a character: this one differs beside letters that are not ASCII.
                self.out.push_str("\\B");
            }
            'Q' => self.quote(),
            'p' | 'P' => {
                self.out.push('\\');
                self.property(c);
            }
            'x' => {
                self.out.push_str("\\x");
                self.braces();
            }
            '0'..='7' => self.octal(c),
            'A' | 'z' | 'a' | 'f' | 't' | 'n' | 'r' | 'v' => {
                self.out.push('\\');
                self.out.push(c);
            }
            _ if c.is_ascii_punctuation() => push_literal(&mut self.out, c),
            _ => return Err(format!("`\\{c}` is not supported in patterns")),
        }
        Ok(())
    }

    /// `\p{^Greek}` is `\P{Greek}`.
    fn property(&mut self, kind: char) {
        let mut ahead = self.rest.clone();
        if ahead.next() == Some('{') && ahead.next() == Some('^') {
            self.out.push(if kind == 'p' { 'P' } else { 'p' });
            self.out.push('{');
            self.rest = ahead;
        } else {
            self.out.push(kind);
            // The letter or brace is no syntax of ours: `\pL`, `\p{Greek}`.
            if let Some(c) = self.rest.next() {
                self.out.push(c);
                if c == '{' {
                    self.copy_to_brace();
                }
            }
        }
    }

    /// `{…}` as it is, if it comes next.
    fn braces(&mut self) {
        if self.rest.next_if_eq(&'{').is_some() {
            self.out.push('{');
            self.copy_to_brace();
        }
    }

    /// All up to the closing brace as it is.
    fn copy_to_brace(&mut self) {
        while let Some(c) = self.rest.next_if(|&c| c != '}') {
            self.out.push(c);
        }
        self.out.extend(self.rest.next());
    }

    /// `\101` is a character by its octal number.
    fn octal(&mut self, first: char) {
        let mut value = first.to_digit(8).unwrap_or_default();
        for _ in 0..2 {
            if let Some(digit) = self.rest.next_if(|c| c.is_digit(8)) {
                value = value * 8 + digit.to_digit(8).unwrap_or_default();
            }
        }
        // Writing to a string cannot fail.
        let _ = write!(self.out, "\\x{{{value:x}}}");
    }

    /// `\Q…\E` is literal, to the end if it is not closed.
    fn quote(&mut self) {
        while let Some(c) = self.rest.next() {
            if c == '\\' && self.rest.next_if_eq(&'E').is_some() {
                return;
            }
            push_literal(&mut self.out, c);
        }
    }

    /// A character class after its opening bracket.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        self.out.extend(self.rest.next_if_eq(&'^'));
        let mut first = true;
        loop {
            let Some(c) = self.rest.next() else {
                return Err("a character class is not closed".to_owned());
            };
            match c {
                ']' if !first => {
                    self.out.push(']');
                    return Ok(());
                }
                '[' if self.rest.peek() == Some(&':') => self.posix(),
                '\\' if matches!(self.rest.peek(), Some('Q' | 'E')) => {
                    return Err("`\\Q` is not supported in a character class".to_owned());
                }
                '\\' => self.escape(true)?,
                '-' => self.out.push_str(if self.out.ends_with('-') { "\\-" } else { "-" }),
                _ => push_literal(&mut self.out, c),
            }
            first = false;
        }
    }

    /// `[:alpha:]` as it is, after its bracket; `[:` that is not closed is literal.
    fn posix(&mut self) {
        let mut ahead = self.rest.clone();
        let mut name = String::new();
        ahead.next();
        while let Some(c) = ahead.next_if(|c| name.len() < 12 && (c.is_ascii_lowercase() || *c == '^')) {
            name.push(c);
        }
        if ahead.next() == Some(':') && ahead.next() == Some(']') {
            self.out.extend(["[:", &name, ":]"]);
            self.rest = ahead;
        } else {
            self.out.push_str("\\[");
        }
    }
}

fn push_literal(out: &mut String, c: char) {
    if c.is_ascii_punctuation() && c != '<' && c != '>' {
        out.push('\\');
    }
    out.push(c);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn translates_what_differs() {
        for (re2, regex) in [
            (r"\d+\.", r"[0-9]+\."),
            (r"[\d.-]", r"[0-9\.-]"),
            (r"[[&&x]", r"[\[\&\&x]"),
            (r"\Qa.b\Ec", r"a\.bc"),
            (r"a{,2}", r"a\{,2}"),
            (r"\101", r"\x{41}"),
            (r"\p{^Greek}", r"\P{Greek}"),
            (r"[[:alpha:]_]", r"[[:alpha:]\_]"),
        ] {
            assert_eq!(translate(re2).unwrap(), regex, "{re2}");
        }
    }

    #[test]
    fn refuses_what_re2_refuses() {
        for pattern in [r"a**", r"(?=a)", r"(?x)a", r"a{1001}", r"\Z", r"\1x\8", r"[a", "\\"] {
            assert!(translate(pattern).is_err(), "{pattern}");
        }
    }
}
