//! The format of a rule file: TOML front matter between `+++` lines, then Markdown with fixed sections.
//!
//! Loading parses the front matter and only finds where the sections begin; examples are read when somebody asks. The build
//! script is compiled with this file and loads the built-in rules, so that no run has to.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::RuleError;
use crate::finding::Severity;

/// One rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub(super) path: Cow<'static, str>,
    pub(super) text: Cow<'static, str>,
    pub(super) front: FrontMatter,
    /// Where the front matter's text begins: offsets of its spans count from here.
    pub(super) front_start: usize,
    pub(super) title: Range<usize>,
    pub(super) why: Range<usize>,
    pub(super) fix: Range<usize>,
    /// The first paragraph of `## Why`, on one line.
    pub(super) because: Cow<'static, str>,
    /// The first paragraph of `## Fix`, on one line.
    pub(super) remedy: Cow<'static, str>,
    pub(super) examples: Range<usize>,
    pub(super) page: usize,
}

/// The front matter, key by key as documented in `docs/rule-language.md`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontMatter {
    /// `AWS-SM-ENC-001`, never reused.
    pub id: Cow<'static, str>,
    /// Names the defect: `sagemaker-notebook-without-cmk`.
    pub name: Cow<'static, str>,
    /// `encryption`, as the third part of the id says.
    pub family: Cow<'static, str>,
    /// How much is at stake.
    #[serde(deserialize_with = "severity")]
    pub severity: Severity,
    /// The control that it supports: a key of `rules/controls.toml`.
    pub control: Cow<'static, str>,
    /// The version of airgate that first had it.
    pub since: Cow<'static, str>,
    /// Counts changes of its meaning, from 1.
    pub revision: u32,
    /// Resource types, in Terraform's spelling, sorted.
    pub types: Texts,
    /// The condition that must hold.
    pub require: Option<Text>,
    /// Instead of `require`: a named analysis in Rust.
    pub analysis: Option<Text>,
    /// Arguments of the analysis.
    #[serde(default)]
    pub args: Texts,
    /// Condition for the rule to apply at all.
    pub when: Option<Text>,
    /// What the rule is asked of.
    #[serde(default)]
    pub scope: Scope,
    /// The control of an account or region that the configuration may declare provided elsewhere: a key of `[provided]`.
    pub provided: Option<Cow<'static, str>>,
    /// The control is often set up in another configuration: that it is not here is undetermined, unless the change takes it
    /// away.
    #[serde(default)]
    pub elsewhere: bool,
    /// Of the roles among `types` those count, where they call, that a workload runs as and that are given one of these actions
    /// by name.
    #[serde(default)]
    pub callers: Texts,
    /// The attribute that a finding points at, as a dotted path.
    pub at: Option<Text>,
    /// The message of a failure, an HCL template.
    pub message: Text,
    /// Ids and names that it had before.
    #[serde(default)]
    pub aliases: Texts,
    /// How settled it is.
    #[serde(default)]
    pub status: Status,
}

/// A list of texts.
pub type Texts = Cow<'static, [Cow<'static, str>]>;

/// A text of the front matter, and where it is written there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Spanned<String>")]
pub struct Text {
    pub(super) text: Cow<'static, str>,
    pub(super) span: Range<usize>,
}

impl Text {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<Spanned<String>> for Text {
    fn from(spanned: Spanned<String>) -> Self {
        let span = spanned.span();
        Self { text: Cow::Owned(spanned.into_inner()), span }
    }
}

/// What a rule is asked of.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Each resource of its types.
    #[default]
    Resource,
    /// Each provider configuration and region that holds a resource of its types.
    ProviderRegion,
    /// Each resource of its types, told once for each provider configuration: what is mended there at one place, as tags are by
    /// `default_tags`.
    Provider,
    /// Each resource of its types that the change deletes: whether what it protected stays without it, as
    /// `rules/catalog/protections.csv` tells.
    Removal,
}

/// How settled a rule is.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It runs by default.
    #[default]
    Stable,
    /// It runs only where its id or name itself is selected.
    Preview,
    /// It still runs, and will go.
    Deprecated,
}

/// What an example shows.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// The rule fails.
    Fail,
    /// The rule passes and nothing else.
    Pass,
    /// The rule cannot tell.
    Undetermined,
}

/// A fenced block of `## Examples`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example<'r> {
    /// What it shows.
    pub expect: Expectation,
    /// Addresses that are expected in the findings, if any are named.
    pub addresses: Vec<&'r str>,
    /// The configuration before the change, if it shows a change: as the state has it, with what the provider computes.
    pub before: Option<&'r str>,
    /// The configuration.
    pub text: &'r str,
    /// Line of its fence in the rule file, from 1.
    pub line: usize,
}

/// Family codes of ids, with their names.
pub const FAMILIES: [(&str, &str); 16] = [
    ("AUD", "audit"),
    ("CST", "cost"),
    ("ENC", "encryption"),
    ("GOV", "governance"),
    ("GRD", "guardrails"),
    ("HRD", "hardening"),
    ("IAM", "iam"),
    ("IR", "incident-response"),
    ("LOG", "logging"),
    ("MON", "monitoring"),
    ("NET", "network"),
    ("REG", "registry"),
    ("RES", "residency"),
    ("RSL", "resilience"),
    ("SEC", "secrets"),
    ("SUP", "supply-chain"),
];

const SECTIONS: [&str; 3] = ["Why", "Fix", "Examples"];

impl Rule {
    /// Reads a rule file. `path` is what messages call it.
    pub fn parse(path: &str, text: Cow<'static, str>) -> Result<Self, RuleError> {
        // A checkout with CRLF must give the same rules; the digest is over the bytes as they are read here.
        let text = if text.contains('\r') { Cow::Owned(text.replace("\r\n", "\n")) } else { text };
        let (front_range, page) = front_matter(&text).map_err(|message| RuleError::file(path, message))?;
        let front_start = front_range.start;
        let front: FrontMatter =
            toml::from_str(text.get(front_range).unwrap_or_default()).map_err(|error| {
                let offset = front_start + error.span().map_or(0, |span| span.start);
                RuleError::at(path, &text, offset, error.message())
            })?;
        let [title, why, fix, examples] =
            sections(&text, page).map_err(|message| RuleError::file(path, message))?;
        let [because, remedy] = [&why, &fix]
            .map(|section| Cow::Owned(first_paragraph(text.get(section.clone()).unwrap_or_default())));
        let rule = Self {
            path: Cow::Owned(path.to_owned()),
            text,
            front,
            front_start,
            title,
            why,
            fix,
            because,
            remedy,
            examples,
            page,
        };
        rule.check().map_err(|message| RuleError::file(path, message))?;
        Ok(rule)
    }

    /// Its path, `/` between its parts.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is embedded in the binary, not read from a user's directory.
    pub fn is_builtin(&self) -> bool {
        matches!(self.text, Cow::Borrowed(_))
    }

    /// The front matter.
    pub fn front(&self) -> &FrontMatter {
        &self.front
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.front.id
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.front.name
    }

    /// The title of its page.
    pub fn title(&self) -> &str {
        self.slice(&self.title)
    }

    /// `## Why`.
    pub fn why(&self) -> &str {
        self.slice(&self.why)
    }

    /// `## Fix`.
    pub fn fix(&self) -> &str {
        self.slice(&self.fix)
    }

    /// The page without front matter.
    pub fn page(&self) -> &str {
        self.text.get(self.page..).unwrap_or_default().trim()
    }

    /// Whether `text` is its id, its name or one it had before.
    pub fn is_called(&self, text: &str) -> bool {
        self.id() == text || self.name() == text || self.front.aliases.iter().any(|alias| alias == text)
    }

    /// The examples, in order.
    pub fn examples(&self) -> Result<Vec<Example<'_>>, RuleError> {
        let section = self.slice(&self.examples);
        let first_line = self.text.get(..self.examples.start).unwrap_or_default().matches('\n').count() + 1;
        let mut examples = Vec::new();
        let mut open: Option<(Fence<'_>, usize, usize)> = None;
        let mut before = None;
        let mut offset = 0;
        for (number, line) in section.split_inclusive('\n').enumerate() {
            let next = offset + line.len();
            let Some(info) = line.trim_end().strip_prefix("```") else {
                offset = next;
                continue;
            };
            if let Some((fence, start, line)) = open.take() {
                let text = section.get(start..offset).unwrap_or_default();
                match fence {
                    Fence::Before => before = Some(text),
                    Fence::Example(expect, addresses) => {
                        examples.push(Example { expect, addresses, before: before.take(), text, line });
                    }
                }
            } else {
                let fence = fence(info).ok_or_else(|| {
                    let message = format!(
                        "an example begins with ```hcl fail, pass, undetermined or before, not with ```{info}"
                    );
                    RuleError::at(&self.path, &self.text, self.examples.start + offset, message)
                })?;
                open = Some((fence, next, first_line + number));
            }
            offset = next;
        }
        match open {
            Some((_, _, line)) => {
                let message = format!("the example of line {line} is not closed");
                Err(RuleError::file(&self.path, message))
            }
            None if before.is_some() => {
                Err(RuleError::file(&self.path, "nothing follows the last ```hcl before".to_owned()))
            }
            None => Ok(examples),
        }
    }

    /// An error at byte `offset` of the value of a front-matter key.
    pub(super) fn error_in(&self, value: &Text, offset: usize, message: String) -> RuleError {
        let start = self.front_start + value.span.start;
        let written =
            self.text.get(start..self.front_start + value.span.end).and_then(|raw| raw.find(value.as_str()));
        // With escapes the offsets of the value are not those of the file: the string itself must do.
        let place = written.map_or(start, |at| start + at + offset);
        RuleError::at(&self.path, &self.text, place, message)
    }

    fn slice(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// A part of the text for who keeps it longer than the rule: of a built-in one it is no copy.
    pub(super) fn kept(&self, range: Range<usize>) -> Cow<'static, str> {
        match &self.text {
            Cow::Borrowed(text) => Cow::Borrowed(text.get(range).unwrap_or_default().trim()),
            Cow::Owned(_) => Cow::Owned(self.slice(&range).trim().to_owned()),
        }
    }

    /// What one file alone can say of itself.
    fn check(&self) -> Result<(), String> {
        let front = &self.front;
        let family = check_id(&front.id)?;
        if front.family != family {
            return Err(format!("family is `{}`, but the id says `{family}`", front.family));
        }
        if !is_name(&front.name) {
            return Err(format!("name `{}` is not lower-case words with `-` between them", front.name));
        }
        if let Some(stem) = self.path.rsplit('/').next().and_then(|file| file.strip_suffix(".md"))
            && stem != format!("{}-{}", front.id, front.name)
        {
            return Err(format!("the file must be called `{}-{}.md`", front.id, front.name));
        }
        if front.revision == 0 {
            return Err("revision counts from 1".to_owned());
        }
        if front.types.is_empty() || !front.types.is_sorted_by(|a, b| a < b) {
            return Err("types must be at least one, sorted and without repetition".to_owned());
        }
        if front.provided.is_some() && front.scope != Scope::ProviderRegion {
            return Err("`provided` needs scope = \"provider-region\"".to_owned());
        }
        let is_of_places = front.scope == Scope::ProviderRegion;
        let has_roles = is_of_places && front.types.iter().any(|name| name == "aws_iam_role");
        if !front.callers.is_empty() && !has_roles {
            return Err(
                "`callers` needs `aws_iam_role` among `types` and scope = \"provider-region\"".to_owned()
            );
        }
        if front.elsewhere && front.provided.is_none() {
            return Err(
                "`elsewhere` needs `provided`: what cannot be told must be possible to declare".to_owned()
            );
        }
        match (&front.require, &front.analysis) {
            (None, None) if front.scope == Scope::Removal => {}
            _ if front.scope == Scope::Removal => {
                return Err("a rule of scope \"removal\" has neither `require` nor `analysis`".to_owned());
            }
            (None, None) => return Err("one of `require` and `analysis` is needed".to_owned()),
            (Some(_), Some(_)) => return Err("`require` and `analysis` exclude each other".to_owned()),
            (Some(_), None) if !front.args.is_empty() => {
                return Err("`args` belongs to `analysis`".to_owned());
            }
            _ => {}
        }
        Ok(())
    }
}

/// The family that a well-formed id names.
fn check_id(id: &str) -> Result<&'static str, String> {
    let wrong = || format!("id `{id}` is not PROVIDER-SERVICE-FAMILY-NNN");
    let parts: Vec<&str> = id.split('-').collect();
    let [provider, service, family, number] = parts[..] else { return Err(wrong()) };
    let is_code =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if !is_code(provider)
        || !is_code(service)
        || number.len() != 3
        || !number.bytes().all(|b| b.is_ascii_digit())
    {
        return Err(wrong());
    }
    FAMILIES
        .iter()
        .find(|(code, _)| *code == family)
        .map(|(_, name)| *name)
        .ok_or_else(|| format!("id `{id}` is of no known family: `{family}`"))
}

fn is_name(text: &str) -> bool {
    text.split('-')
        .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

/// Where the front matter is, and where the page begins.
fn front_matter(text: &str) -> Result<(Range<usize>, usize), String> {
    const OPEN: &str = "+++\n";
    if !text.starts_with(OPEN) {
        return Err("the first line must be `+++`".to_owned());
    }
    let end = text.find("\n+++\n").ok_or("the front matter is not closed by a line `+++`")? + 1;
    Ok((OPEN.len()..end.max(OPEN.len()), end + OPEN.len()))
}

/// Where the title and the sections are; they must be there, once and in order.
fn sections(text: &str, page: usize) -> Result<[Range<usize>; 4], String> {
    let mut headings: Vec<(Range<usize>, usize, usize)> = Vec::new();
    let mut in_fence = false;
    let mut offset = page;
    for line in text.get(page..).unwrap_or_default().split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        if line.starts_with("```") {
            in_fence = !in_fence;
        }
        let level = line.bytes().take_while(|&b| b == b'#').count();
        if !in_fence && (1..=2).contains(&level) && line.as_bytes().get(level) == Some(&b' ') {
            let name_start = start + level + 1;
            headings.push((name_start..start + line.trim_end().len(), level, start));
        }
    }
    let names: Vec<(&str, usize)> = headings
        .iter()
        .map(|(name, level, _)| (text.get(name.clone()).unwrap_or_default(), *level))
        .collect();
    let well_formed =
        matches!(names[..], [(_, 1), (why, 2), (fix, 2), (examples, 2)] if [why, fix, examples] == SECTIONS);
    let [title, why, fix, examples] = &headings[..] else {
        return Err(
            "the page needs `# Title`, `## Why`, `## Fix` and `## Examples`, in this order".to_owned()
        );
    };
    if !well_formed {
        return Err(
            "the page needs `# Title`, `## Why`, `## Fix` and `## Examples`, in this order".to_owned()
        );
    }
    // A heading's text ends where its content begins; the content ends where the next heading starts.
    let content = |from: &(Range<usize>, usize, usize), to: usize| {
        let body = text.get(from.0.end..to).unwrap_or_default();
        let start = from.0.end + (body.len() - body.trim_start().len());
        start..(start + body.trim().len())
    };
    let result =
        [title.0.clone(), content(why, fix.2), content(fix, examples.2), content(examples, text.len())];
    if let Some(empty) = result.iter().position(Range::is_empty) {
        let name = ["# Title", "## Why", "## Fix", "## Examples"].get(empty).copied().unwrap_or_default();
        return Err(format!("`{name}` is empty"));
    }
    Ok(result)
}

/// What a fenced block of `## Examples` is.
enum Fence<'r> {
    /// What was before the change that the next block shows.
    Before,
    /// An example, and the addresses that it expects.
    Example(Expectation, Vec<&'r str>),
}

/// Reads what follows the three back quotes of an example.
fn fence(info: &str) -> Option<Fence<'_>> {
    let mut words = info.split_whitespace();
    if words.next() != Some("hcl") {
        return None;
    }
    let expect = match words.next()? {
        "before" => return words.next().is_none().then_some(Fence::Before),
        "fail" => Expectation::Fail,
        "pass" => Expectation::Pass,
        "undetermined" => Expectation::Undetermined,
        _ => return None,
    };
    Some(Fence::Example(expect, words.collect()))
}

fn severity<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Severity, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

/// The first paragraph of Markdown, on one line.
pub fn first_paragraph(markdown: &str) -> String {
    let lines = markdown.lines().take_while(|line| !line.trim().is_empty() && !line.starts_with("```"));
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}
