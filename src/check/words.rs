//! What a finding tells beyond its verdict: what was found, what would suffice, and the places that explain it.

use super::ask::decides;
use super::display::shown;
use super::{Result, Rules, covers};
use crate::facts::iam::{Query, analysis};
use crate::facts::{Facts, presence};
use crate::finding::Verdict;
use crate::program::Resource;
use crate::rules::Test;
use crate::source::Site;

/// What is told of what one rule says of one resource, beyond what becomes of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Words {
    /// What is found in it.
    pub(super) actual: Option<String>,
    /// The smallest grant that suffices.
    pub(super) grant: Option<String>,
    /// Other places that explain it, each with how.
    pub(super) related: Vec<(Site, String)>,
}

/// The words of a result that a rule came to by itself.
pub(super) fn words(facts: &Facts<'_>, rules: &Rules<'_>, result: &Result) -> Words {
    told(facts, rules, result).unwrap_or_default()
}

/// The words of a result, which has them already where more than the rule found is told.
pub(super) fn take(facts: &Facts<'_>, rules: &Rules<'_>, result: &mut Result) -> Words {
    result.words.take().map_or_else(|| words(facts, rules, result), |told| *told)
}

fn told(facts: &Facts<'_>, rules: &Rules<'_>, result: &Result) -> Option<Words> {
    let &Result { node, verdict, site, decided_at, .. } = result;
    let rule = rules.compiled.get(result.rule)?;
    let resource = facts.graph.resource(node)?;
    let (mut words, mut statement) = (Words::default(), None);
    match &rule.test {
        Test::Require(_) => {
            let value = rule.at.and_then(|at| resource.after.as_ref()?.at_path(at));
            words.actual = value.filter(|value| decides(verdict, value)).map(shown);
        }
        Test::Analysis { name, args } => {
            let outcome = analysis(name)?(facts, node, Query { args, words: true })?;
            words.actual = outcome.actual;
            words.grant = outcome.grant.filter(|_| verdict == Verdict::Fail);
            statement = outcome.statement.filter(|statement| Some(*statement) != outcome.site);
        }
        Test::Removal => {}
    }
    if rule.rule.front().family == "secrets" {
        words.actual = Some(HIDDEN.to_owned());
    }
    if verdict != Verdict::Pass {
        let origin = decided_at.filter(|origin| says_more(facts, resource, site, *origin));
        words.related.extend(origin.map(|origin| (origin, DECIDES.to_owned())));
        words.related.extend(statement.map(|site| (site, "the statement that decides".to_owned())));
        let any = presence::repeated(facts.graph, resource);
        words.related.extend(any.map(|repeated| (repeated.site, ANY_INSTANCE.to_owned())));
    }
    Some(words)
}

/// What is found where a rule is about secrets in clear: they are told by place only, and no source is shown of it.
const HIDDEN: &str = "(sensitive)";

/// What is said of a place that is not that of the attribute.
pub(super) const DECIDES: &str = "the value that decides";

/// What is said of `[?]` in an address.
const ANY_INSTANCE: &str = "how many there are is not known: this is said of any instance, if there is one";

/// Whether the place where a value was written says more than that of its attribute. Where the source of a plan is there, the
/// places in its JSON do not.
pub(super) fn says_more(facts: &Facts<'_>, resource: &Resource, site: Option<Site>, origin: Site) -> bool {
    let is_mapped = resource.site.is_some_and(|site| Some(site.file) != facts.graph.document);
    let is_lost = is_mapped && Some(origin.file) == facts.graph.document;
    !is_lost && !covers(site, origin)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::check::Wanted;
    use crate::config::Config;
    use crate::graph::ResourceGraph;
    use crate::input::Inputs;
    use crate::rules::RuleSet;
    use crate::source::Sources;
    use crate::terraform::source::variables::RunOptions;

    #[test]
    fn to_ask_for_words_does_not_change_what_an_analysis_comes_to() {
        let set = RuleSet::builtin().unwrap();
        let (arena, mut sources) = (bumpalo::Bump::new(), Sources::default());
        let file = sources.add("rules", "");
        let rules = Rules::compile(&set, &arena, file, |_| true).unwrap();
        let wanted = Wanted::by(&set);
        let (mut asked, mut told) = (0, 0);
        for fixture in
            ["rag-bedrock", "bedrock-agent", "bedrock-agent/plan.json", "google-agent", "source/rag-platform"]
        {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(fixture);
            let inputs = Inputs::read(&[path], &RunOptions::default(), &mut sources).unwrap();
            let program = inputs.items[0].program(&inputs, &sources, &|name| wanted.wants(name)).unwrap();
            let (graph, config) = (ResourceGraph::build(program), Config::default());
            let facts = Facts::new(&graph, &config);
            for rule in &rules.compiled {
                let Test::Analysis { name, args } = &rule.test else { continue };
                for &node in rule.types.iter().flat_map(|name| graph.by_type(name)) {
                    let [brief, full] = [false, true]
                        .map(|words| analysis(name).unwrap()(&facts, node, Query { args, words }));
                    asked += 1;
                    told += usize::from(full.as_ref().is_some_and(|it| it.actual.is_some()));
                    let outcome = |it: &crate::facts::iam::Outcome| (it.holds, it.causes.clone(), it.site);
                    assert_eq!(
                        brief.as_ref().map(outcome),
                        full.as_ref().map(outcome),
                        "{name} in {fixture}"
                    );
                }
            }
        }
        assert!(asked > 50 && told > 5, "{asked} asked, {told} told");
    }
}
