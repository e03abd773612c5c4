//! `airgate.toml`: what this project holds to be right, and what of the policy it runs. `docs/configuration.md` is its page.

mod tags;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};

use crate::finding::{RuleInfo, Severity};
use crate::input::SourceOptions;
use crate::residency;
use crate::terraform::source::variables::RunOptions;

pub use tags::{Allowed, Pattern, Tags, TagsOfRole};

/// The name of the file.
pub const FILE_NAME: &str = "airgate.toml";

/// All that [`analyze`](crate) is told beside its inputs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The configuration, with what the command line changes in it.
    pub config: Config,
    /// Values of root variables, and the workspace.
    pub run: RunOptions,
    /// Where the source of plans is looked for.
    pub source: SourceOptions,
    /// Look for root modules below directories that are one themselves.
    pub recursive: bool,
    /// Keep findings that pass.
    pub keep_pass: bool,
    /// Leave out findings that a plan does not touch.
    pub changed_only: bool,
    /// A directory of more rules.
    pub rules_dir: Option<PathBuf>,
}

/// The configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Findings of this severity or worse fail the run.
    #[serde(deserialize_with = "severity")]
    pub fail_on: Option<Severity>,
    /// Which resources get findings.
    pub scope: Scope,
    /// `[residency]`
    pub residency: Residency,
    /// `[severity]`
    pub severity: SeverityConfig,
    /// `[tags]`
    pub tags: Tags,
    /// `[ai-scope]`
    pub ai_scope: AiScope,
    /// `[rules]`
    pub rules: Selection,
    /// `[provided]`: by the name of a control of an account or region what else provides it.
    pub provided: BTreeMap<String, Provider>,
}

/// What provides a control, if it is not the configuration that is analysed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "ProviderText")]
pub enum Provider {
    /// This, in the user's words.
    Other(String),
    /// Nothing: it must be here.
    Nothing,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ProviderText {
    By(String),
    Is(bool),
}

impl TryFrom<ProviderText> for Provider {
    type Error = &'static str;

    fn try_from(text: ProviderText) -> Result<Self, Self::Error> {
        match text {
            ProviderText::By(by) if !by.trim().is_empty() => Ok(Self::Other(by)),
            ProviderText::Is(false) => Ok(Self::Nothing),
            _ => Err("say in words what provides it, or `false` if nothing but this configuration does"),
        }
    }
}

/// Which resources get findings.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// AI resources and what they depend on.
    #[default]
    Ai,
    /// All resources.
    All,
}

/// Where data may be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Residency {
    /// Jurisdictions: `EU`, `DE`, `US`. Empty: no promise is made, unless a resource's own tag makes one.
    #[serde(deserialize_with = "places")]
    pub allowed: Vec<String>,
    /// The same for resources whose `data-classification` tag has a value: `personal = ["EU"]`.
    pub classification: BTreeMap<String, Places>,
}

/// A list of places, each one that the table of regions knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Places(#[serde(deserialize_with = "places")] pub Vec<String>);

/// What moves the severity of a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SeverityConfig {
    /// Whether the tag `ai-risk-tier` does.
    pub risk_tier: RiskTier,
}

/// What the tag `ai-risk-tier` does to severities.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RiskTier {
    /// A high tier raises, a minimal one lowers.
    #[default]
    Both,
    /// A high tier raises.
    Raise,
    /// Nothing.
    Off,
}

/// Which tags put resources into AI scope, or leave them out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AiScope {
    /// Tags of what belongs to AI whatever reaches it.
    pub include: Vec<TagPattern>,
    /// Tags of what is left out, even if it is AI itself; they win.
    pub exclude: Vec<TagPattern>,
}

/// `ai-risk-tier`, or `system-id=chat-*` with a glob for the value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct TagPattern {
    /// The name of the tag.
    pub name: String,
    /// What its value is like; any value if there is none.
    pub value: Option<String>,
}

/// Which rules run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// Rules to run: an id, the beginning of one (`AWS-SM`), a name or a family. Empty: all.
    pub select: Vec<String>,
    /// Rules not to run, of those selected.
    pub ignore: Vec<String>,
    /// Only rules whose control supports a clause of one of these frameworks: `eu-ai-act`. Empty: all.
    pub frameworks: Vec<String>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not a configuration.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
}

impl Default for AiScope {
    fn default() -> Self {
        let tier = TagPattern { name: "ai-risk-tier".to_owned(), value: None };
        Self { include: vec![tier], exclude: Vec::new() }
    }
}

impl TryFrom<String> for TagPattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim().to_owned())),
            None => (text.trim(), None),
        };
        if name.is_empty() {
            return Err(format!("`{text}` names no tag: write `name` or `name=value`"));
        }
        Ok(Self { name: name.to_owned(), value })
    }
}

impl TagPattern {
    /// Whether a tag of this name and value is meant.
    pub fn takes(&self, value: &str) -> bool {
        self.value.as_ref().is_none_or(|pattern| crate::iam::pattern::glob(pattern, value))
    }
}

impl Config {
    /// Reads a file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text =
            fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Reads the text of a file; `path` is for the message.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| text.floor_char_boundary(span.start));
            let before = text.get(..offset).unwrap_or_default();
            let line_part = before.rsplit('\n').next().unwrap_or_default();
            ConfigError::Parse {
                path: path.to_owned(),
                line: before.matches('\n').count() + 1,
                column: line_part.chars().count() + 1,
                message: error.message().replace('\n', " "),
            }
        })
    }

    /// Finds the file that is nearest to `start`: in its directory, or above it up to the root of the git repository.
    /// Outside of a repository only its own directory is searched, so that no stray file of the machine loosens a gate.
    pub fn discover(start: &Path) -> Option<PathBuf> {
        let start = std::path::absolute(start).ok()?;
        let directory = if start.is_dir() { start.as_path() } else { start.parent()? };
        let root = directory.ancestors().find(|ancestor| ancestor.join(".git").exists()).unwrap_or(directory);
        directory
            .ancestors()
            .take_while(|ancestor| ancestor.starts_with(root))
            .map(|ancestor| ancestor.join(FILE_NAME))
            .find(|file| file.is_file())
    }
}

impl Selection {
    /// Whether the rule runs.
    pub fn includes(&self, id: &str, name: &str, family: &str) -> bool {
        let named =
            |selectors: &[String]| selectors.iter().any(|selector| selects(selector, id, name, family));
        (self.select.is_empty() || named(&self.select)) && !named(&self.ignore)
    }

    /// The selectors that name no rule of `all`: a typing error that would turn a rule off, or fail to.
    pub fn unmatched<'a>(&'a self, all: &[RuleInfo]) -> Vec<&'a str> {
        let matches =
            |selector: &str| all.iter().any(|rule| selects(selector, &rule.id, &rule.name, &rule.family));
        self.select
            .iter()
            .chain(&self.ignore)
            .map(String::as_str)
            .filter(|selector| !matches(selector))
            .collect()
    }
}

/// `AWS-SM` selects `AWS-SM-ENC-001` and not `AWS-SMX-001`.
fn selects(selector: &str, id: &str, name: &str, family: &str) -> bool {
    let prefix = id.strip_prefix(selector).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    !selector.is_empty() && (prefix || selector == name || selector.eq_ignore_ascii_case(family))
}

fn severity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Severity>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(serde::de::Error::custom)
}

fn places<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let places = Vec::<String>::deserialize(deserializer)?;
    match places.iter().find(|place| !residency::is_place(place)) {
        Some(odd) => {
            let meant =
                residency::suggestion(odd).map_or(String::new(), |meant| format!(": {meant} may be meant"));
            let message = format!(
                "`{odd}` is no country, region or jurisdiction that airgate knows (`EU`, `EEA`, `UK`, `CH`, `DE`, `eu-central-1`){meant}"
            );
            Err(serde::de::Error::custom(message))
        }
        None => Ok(places),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("airgate.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_whole_file_is_read() {
        let config = parse(
            "fail-on = 'medium'\nscope = 'all'\n[residency]\nallowed = ['EU']\n[tags]\nrequired = ['owner']\n\
             [tags.synonyms]\nowner = ['Owner', 'team']\n[rules]\nselect = ['AWS']\nignore = ['encryption']\n",
        )
        .unwrap();
        assert_eq!((config.fail_on, config.scope), (Some(Severity::Medium), Scope::All));
        assert_eq!(config.residency.allowed, ["EU"]);
        assert_eq!(config.tags.required, ["owner"]);
        assert_eq!(config.tags.synonyms["owner"], ["Owner", "team"]);
        assert_eq!(config.rules.select, ["AWS"]);
    }

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(parse("").unwrap(), Config::default());
        assert_eq!(Config::default().tags.required.len(), 4);
        assert_eq!(
            parse("[tags]\n").unwrap().tags,
            Tags::default(),
            "a table without the key keeps its default"
        );
    }

    #[test]
    fn the_documentation_shows_a_whole_file() {
        let page = include_str!("../../docs/configuration.md");
        let example = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let config = parse(example).unwrap();
        assert_eq!(config.tags.required, Tags::default().required, "the default that the page tells");
        assert_eq!(config.rules.select, ["AWS", "encryption"]);
    }

    #[test]
    fn errors_say_where() {
        assert!(
            parse("scope = 'ai'\n  fail_on = 'high'\n")
                .unwrap_err()
                .starts_with("airgate.toml:2:3: unknown field")
        );
        assert!(
            parse("\nfail-on = 'severe'\n")
                .unwrap_err()
                .starts_with("airgate.toml:2:11: `severe` is not a severity")
        );
        assert!(
            parse("[tags]\nowner = 1\n").unwrap_err().starts_with("airgate.toml:2:1: unknown field `owner`")
        );
        assert!(parse("x = \n").unwrap_err().starts_with("airgate.toml:1:"));
        let vague = parse("[residency]\nallowed = ['DE', 'Europe']\n").unwrap_err();
        assert!(vague.starts_with("airgate.toml:2:11: `Europe` is no country"), "{vague}");
        assert!(vague.ends_with("`EU`, `EEA` or `UK` may be meant"), "{vague}");
        assert!(parse("[residency.classification]\npersonal = ['Mars']\n").is_err());
    }

    #[test]
    fn rules_are_selected_by_id_prefix_name_or_family() {
        let selection = |select: &[&str], ignore: &[&str]| Selection {
            select: select.iter().map(|&s| s.to_owned()).collect(),
            ignore: ignore.iter().map(|&s| s.to_owned()).collect(),
            frameworks: Vec::new(),
        };
        let runs = |selection: &Selection| {
            selection.includes("AWS-SM-ENC-001", "notebook-without-cmk", "encryption")
        };
        assert!(runs(&selection(&[], &[])));
        for selector in
            ["AWS-SM-ENC-001", "AWS-SM", "AWS", "notebook-without-cmk", "encryption", "Encryption"]
        {
            assert!(runs(&selection(&[selector], &[])), "{selector}");
            assert!(!runs(&selection(&[], &[selector])), "{selector}");
        }
        for selector in ["AWS-S", "AWS-SM-ENC-0", "SM", "", "iam"] {
            assert!(!runs(&selection(&[selector], &[])), "{selector}");
            assert!(runs(&selection(&[], &[selector])), "{selector}");
        }
        assert!(!runs(&selection(&["AWS-SM-ENC-001"], &["AWS"])), "ignoring wins");
    }

    #[test]
    fn discovery_ends_at_the_repository() {
        let base = std::env::temp_dir().join(format!("airgate-config-{}", std::process::id()));
        let inner = base.join("repo/infra/prod");
        fs::create_dir_all(&inner).unwrap();
        fs::write(base.join(FILE_NAME), "").unwrap();
        assert_eq!(Config::discover(&inner), None, "outside of a repository nothing above is taken");
        fs::create_dir(base.join("repo/.git")).unwrap();
        assert_eq!(Config::discover(&inner), None, "nothing above the repository is taken");
        fs::write(base.join("repo").join(FILE_NAME), "").unwrap();
        assert_eq!(Config::discover(&inner), Some(base.join("repo").join(FILE_NAME)));
        fs::write(inner.join(FILE_NAME), "").unwrap();
        assert_eq!(Config::discover(&inner.join("plan.json")), Some(inner.join(FILE_NAME)));
        fs::remove_dir_all(base).unwrap();
    }
}
