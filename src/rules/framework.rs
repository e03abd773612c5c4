//! Frameworks: laws, standards and guidance, each with the clauses that controls support and what no code can show of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::select::nearest;
use super::{RuleError, walk};
use crate::finding::{ClauseInfo, FrameworkInfo};

/// Path and text of every framework file of this build, sorted by path.
const BUILTIN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/frameworks.rs"));

/// One framework: a file `rules/frameworks/<id>.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Framework {
    /// What users select it by, the name of its file: `eu-ai-act`.
    #[serde(skip)]
    pub id: String,
    /// What its clauses begin with where controls name them: `EU-AI-ACT`.
    pub prefix: String,
    /// As people call it: `EU AI Act`.
    pub name: String,
    /// What it is, with its version.
    pub title: String,
    /// How it binds.
    pub kind: FrameworkKind,
    /// Where its text is.
    pub source: String,
    /// What no infrastructure code can show of it, in words.
    pub beyond: Vec<String>,
    /// The clauses that controls support, and what they mean in our own words: `15(5)`.
    clauses: BTreeMap<String, String>,
}

/// How a framework binds.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FrameworkKind {
    /// It is law.
    Law,
    /// One can be audited against it.
    Standard,
    /// It advises.
    Guidance,
}

impl FrameworkKind {
    /// `"law"`, `"standard"`, `"guidance"`
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Law => "law",
            Self::Standard => "standard",
            Self::Guidance => "guidance",
        }
    }
}

impl Framework {
    /// All frameworks of this build, and those in `frameworks/` of a user's directory of rules, sorted by id. One of the
    /// user's takes the place of a built-in one of the same id.
    pub fn all(rules_dir: Option<&Path>) -> Result<Vec<Self>, RuleError> {
        let mut all = BTreeMap::new();
        for (path, text) in BUILTIN {
            let framework = Self::parse(path, text)?;
            all.insert(framework.id.clone(), framework);
        }
        for path in
            rules_dir.map(|dir| walk::toml_files(&dir.join("frameworks"))).transpose()?.unwrap_or_default()
        {
            let framework = Self::parse(&path.to_string_lossy(), &walk::read(&path)?)?;
            all.insert(framework.id.clone(), framework);
        }
        Ok(all.into_values().collect())
    }

    /// Those of [`Framework::all`] that are named, by id, name or prefix in any case, in the order of the names.
    pub fn named(names: &[String], rules_dir: Option<&Path>) -> Result<Vec<Self>, RuleError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let all = Self::all(rules_dir)?;
        let mut found: Vec<Self> = Vec::new();
        for name in names {
            let framework = all.iter().find(|framework| framework.is_called(name)).ok_or_else(|| {
                let suggestions = nearest(name, all.iter().map(|framework| framework.id.as_str()));
                RuleError::UnknownFramework { name: name.clone(), suggestions }
            })?;
            if !found.contains(framework) {
                found.push(framework.clone());
            }
        }
        Ok(found)
    }

    /// Whether a control's clause is one of it.
    pub fn has(&self, clause: &str) -> bool {
        self.own(clause).is_some_and(|clause| self.clauses.contains_key(clause))
    }

    /// What a report says of it before anything is counted: which of the `rules` check each clause.
    pub fn info(&self, rules: &[crate::finding::RuleInfo]) -> FrameworkInfo {
        let clauses = self.clauses.iter().map(|(clause, meaning)| ClauseInfo {
            clause: clause.clone(),
            meaning: meaning.clone(),
            rules: (0..rules.len())
                .filter(|&index| {
                    let supports = |of: &Cow<str>| self.own(of) == Some(clause);
                    rules.get(index).is_some_and(|rule| rule.clauses.iter().any(supports))
                })
                .collect(),
            ..ClauseInfo::default()
        });
        let mut clauses: Vec<ClauseInfo> = clauses.collect();
        clauses.sort_by_cached_key(|clause| natural(&clause.clause));
        FrameworkInfo {
            id: self.id.clone(),
            name: self.name.clone(),
            title: self.title.clone(),
            source: self.source.clone(),
            beyond: self.beyond.clone(),
            clauses,
        }
    }

    fn parse(path: &str, text: &str) -> Result<Self, RuleError> {
        let framework: Self = toml::from_str(text).map_err(|error| {
            RuleError::at(path, text, error.span().map_or(0, |span| span.start), error.message())
        })?;
        let id = Path::new(path).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { id, ..framework })
    }

    fn is_called(&self, name: &str) -> bool {
        [&self.id, &self.name, &self.prefix].into_iter().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// `15(5)` of `EU-AI-ACT:15(5)`.
    fn own<'c>(&self, clause: &'c str) -> Option<&'c str> {
        clause.strip_prefix(&self.prefix)?.strip_prefix(':')
    }
}

/// Orders `9(2)` before `10(1)`: by numbers where both have one.
fn natural(text: &str) -> Vec<(bool, u64, String)> {
    text.split_inclusive(|c: char| !c.is_ascii_digit())
        .map(|part| {
            let digits = part.trim_end_matches(|c: char| !c.is_ascii_digit());
            let rest = part.get(digits.len()..).unwrap_or_default();
            (digits.is_empty(), digits.parse().unwrap_or_default(), rest.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::rules::RuleSet;

    #[test]
    fn clauses_of_all_controls_resolve_and_none_is_left() {
        let set = RuleSet::builtin().unwrap();
        let all = Framework::all(None).unwrap();
        let used: BTreeSet<&str> =
            set.controls().values().flat_map(|control| control.clauses.iter()).map(AsRef::as_ref).collect();
        let homeless: Vec<_> =
            used.iter().filter(|clause| !all.iter().any(|framework| framework.has(clause))).collect();
        assert!(homeless.is_empty(), "no framework has {homeless:?}");
        let known =
            all.iter().flat_map(|f| f.clauses.keys().map(move |clause| format!("{}:{clause}", f.prefix)));
        let idle: Vec<_> = known.filter(|clause| !used.contains(clause.as_str())).collect();
        assert!(idle.is_empty(), "no control supports {idle:?}");
        assert_eq!(used.len(), 461);
    }

    #[test]
    fn every_framework_says_what_it_is_and_what_no_code_shows() {
        for framework in Framework::all(None).unwrap() {
            assert!(framework.source.starts_with("https://"), "{}", framework.id);
            assert!(!framework.beyond.is_empty() && !framework.clauses.is_empty(), "{}", framework.id);
            assert!(framework.clauses.values().all(|meaning| !meaning.ends_with('.')), "{}", framework.id);
        }
    }

    #[test]
    fn a_framework_goes_by_id_name_and_prefix() {
        let named = |name: &str| Framework::named(&[name.to_owned()], None).map(|found| found[0].id.clone());
        for name in ["eu-ai-act", "EU AI Act", "EU-AI-ACT"] {
            assert_eq!(named(name).unwrap(), "eu-ai-act");
        }
        let error = named("eu-ai-acts").unwrap_err().to_string();
        assert_eq!(error, "no framework is called `eu-ai-acts`; did you mean `eu-ai-act`?");
    }

    #[test]
    fn clauses_come_in_the_order_of_their_numbers() {
        let mut clauses = ["10(1)", "9(2)(a)", "9(10)", "9(2)", "A.10", "A.9"];
        clauses.sort_by_cached_key(|clause| natural(clause));
        assert_eq!(clauses, ["9(2)", "9(2)(a)", "9(10)", "10(1)", "A.9", "A.10"]);
    }
}
