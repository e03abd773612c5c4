//! The rules and controls of this build as the build script loaded them: a run begins with them ready.

use std::borrow::Cow::Borrowed as B;

use super::file::{FrontMatter, Text};
use super::{Control, Controls, Rule, Scope, Status};
use crate::finding::Severity;

// `RULES`, sorted by id, `CONTROLS`, sorted by name, and `DIGEST`.
include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// The controls of this build.
pub(super) fn controls() -> Controls {
    CONTROLS.iter().map(|(name, control)| (B(*name), control.clone())).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::rules::{RuleSet, VERSION, controls as format, digest::digest, walk};

    #[test]
    fn what_is_built_in_is_what_the_files_say() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
        let mut files = BTreeSet::new();
        for provider in std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()) {
            let name = provider.file_name().unwrap().to_string_lossy().into_owned();
            if provider.is_dir() {
                let found = walk::rule_files(&provider).unwrap();
                files.extend(found.into_iter().map(|(path, _)| format!("rules/{name}/{path}")));
            }
        }
        assert!(
            files.len() > 50
                && files.iter().eq(RULES.iter().map(|rule| rule.path.as_ref()).collect::<BTreeSet<_>>())
        );
        for rule in RULES {
            let text = walk::read(&root.with_file_name(rule.path())).unwrap();
            assert_eq!(Rule::parse(rule.path(), text.into()).unwrap(), *rule);
        }
        let text = walk::read(&root.join("controls.toml")).unwrap();
        assert_eq!(format::parse("rules/controls.toml", &text).unwrap(), controls());
        let files = RULES.iter().map(|rule| (rule.path(), rule.text()));
        assert_eq!(digest(VERSION, files.chain([("rules/controls.toml", text.as_str())])), DIGEST);
        assert!(RuleSet::builtin().unwrap().iter().all(Rule::is_builtin));
    }
}
