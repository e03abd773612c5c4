//! A set of rules: those of the binary, those of a user's directory, or a selection of them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use super::digest::digest;
use super::{Controls, Framework, Rule, RuleError, VERSION, builtin, controls, walk};
use crate::finding::RuleInfo;

/// A rule of this build, which is ready, or one that was loaded.
#[derive(Clone, Debug)]
enum Held {
    BuiltIn(&'static Rule),
    Loaded(Arc<Rule>),
}

impl Deref for Held {
    type Target = Rule;

    fn deref(&self) -> &Rule {
        match self {
            Self::BuiltIn(rule) => rule,
            Self::Loaded(rule) => rule,
        }
    }
}

/// Rules, sorted by id. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct RuleSet {
    rules: Vec<Held>,
    controls: Arc<Controls>,
    digest: String,
    /// Those that it was narrowed to.
    frameworks: Vec<Framework>,
}

impl RuleSet {
    /// The rules of this build.
    pub fn builtin() -> Result<Self, RuleError> {
        let rules = builtin::RULES.iter().map(Held::BuiltIn).collect();
        Self::sorted(rules, builtin::controls(), builtin::DIGEST.to_owned())
    }

    /// The rules of a user's directory: every `*.md` in it but `README.md`. They may use the controls of this build and
    /// those of a `controls.toml` in the directory.
    pub fn load(dir: &Path) -> Result<Self, RuleError> {
        let mut known = builtin::controls();
        let mut files = Vec::new();
        let mut rules = Vec::new();
        for (relative, path) in walk::rule_files(dir)? {
            let shown = path.to_string_lossy().replace('\\', "/");
            let rule = Rule::parse(&shown, Cow::Owned(walk::read(&path)?))?;
            files.push((relative, rule.text().to_owned()));
            rules.push(rule);
        }
        let own = dir.join("controls.toml");
        if own.exists() {
            let text = walk::read(&own)?;
            known.extend(controls::parse(&own.to_string_lossy(), &text)?);
            files.push(("controls.toml".to_owned(), text));
        }
        let digest = digest(VERSION, files.iter().map(|(path, text)| (path.as_str(), text.as_str())));
        Self::new(rules, known, digest)
    }

    /// These rules and those of `other`; an id or name may be in only one of them.
    pub fn merge(self, other: Self) -> Result<Self, RuleError> {
        let digest = digest(VERSION, [("", self.digest.as_str()), ("", other.digest.as_str())].into_iter());
        let mut controls = (*self.controls).clone();
        controls.extend((*other.controls).clone());
        let rules = self.rules.into_iter().chain(other.rules).collect();
        Self::sorted(rules, controls, digest)
    }

    /// The rules, sorted by id.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.rules.iter().map(Deref::deref)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rule with this id, name or alias.
    pub fn get(&self, name: &str) -> Option<&Rule> {
        self.iter().find(|rule| rule.is_called(name))
    }

    /// The controls that rules of the set may name.
    pub fn controls(&self) -> &Controls {
        &self.controls
    }

    /// `sha256:…` over the path and text of every file that was loaded and the version of airgate. A selection keeps the
    /// digest of what it was selected from.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What writers need of a rule of this set.
    pub fn info(&self, rule: &Rule) -> RuleInfo {
        let front = rule.front();
        let control = self.controls.get(&front.control);
        RuleInfo {
            id: front.id.to_string(),
            name: front.name.to_string(),
            title: rule.kept(rule.title.clone()),
            family: front.family.clone(),
            severity: front.severity,
            control: front.control.clone(),
            control_title: control.map(|control| control.title.clone()).unwrap_or_default(),
            clauses: control.map(|control| control.clauses.clone()).unwrap_or_default(),
            revision: front.revision,
            fix: rule.remedy.clone(),
            why: rule.because.clone(),
            path: rule.path.clone(),
            page: rule.kept(rule.page..rule.text.len()),
        }
    }

    /// A set of these rules, with the controls of this build.
    #[cfg(test)]
    pub(super) fn of(rules: Vec<Rule>) -> Result<Self, RuleError> {
        let digest = digest(VERSION, rules.iter().map(|rule| (rule.path(), rule.text())));
        Self::new(rules, builtin::controls(), digest)
    }

    /// The frameworks that it was narrowed to by [`RuleSet::supporting`], in the order that they were asked for.
    pub fn frameworks(&self) -> &[Framework] {
        &self.frameworks
    }

    /// The rules whose control supports a clause of one of the frameworks; all, if there are none of these.
    #[must_use]
    pub fn supporting(&self, frameworks: Vec<Framework>) -> Self {
        if frameworks.is_empty() {
            return self.clone();
        }
        let supported = self.filter(|rule| {
            let clauses = self.controls.get(&rule.front().control).map(|control| control.clauses.as_ref());
            let supports = |clause: &Cow<'_, str>| frameworks.iter().any(|framework| framework.has(clause));
            clauses.unwrap_or_default().iter().any(supports)
        });
        Self { frameworks, ..supported }
    }

    /// The same set with only the rules that `keep`s.
    pub(super) fn filter(&self, keep: impl Fn(&Rule) -> bool) -> Self {
        let rules = self.rules.iter().filter(|rule| keep(rule)).cloned().collect();
        Self {
            rules,
            controls: Arc::clone(&self.controls),
            digest: self.digest.clone(),
            frameworks: self.frameworks.clone(),
        }
    }

    fn new(rules: Vec<Rule>, controls: Controls, digest: String) -> Result<Self, RuleError> {
        Self::sorted(rules.into_iter().map(|rule| Held::Loaded(Arc::new(rule))).collect(), controls, digest)
    }

    fn sorted(mut rules: Vec<Held>, controls: Controls, digest: String) -> Result<Self, RuleError> {
        rules.sort_by(|a, b| a.id().cmp(b.id()));
        let mut names = HashMap::with_capacity(2 * rules.len());
        for rule in &rules {
            let front = rule.front();
            if !controls.contains_key(&front.control) {
                return Err(RuleError::file(
                    rule.path(),
                    format!("control `{}` is not in controls.toml", front.control),
                ));
            }
            for name in [&front.id, &front.name].into_iter().chain(front.aliases.iter()) {
                if let Some(other) = names.insert(name.as_ref(), rule.path()) {
                    return Err(RuleError::file(
                        rule.path(),
                        format!("`{name}` is already a name of {other}"),
                    ));
                }
            }
        }
        Ok(Self { rules, controls: Arc::new(controls), digest, frameworks: Vec::new() })
    }
}
