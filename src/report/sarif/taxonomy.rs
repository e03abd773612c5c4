//! The frameworks that were asked for as SARIF taxonomies, and the clauses that a rule's control supports as relationships.

use serde::Serialize;

use super::model::Text;
use crate::finding::{FrameworkInfo, Report};

/// A framework.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Taxonomy<'a> {
    name: &'a str,
    full_name: String,
    information_uri: &'a str,
    /// There are clauses that no control supports.
    is_comprehensive: bool,
    taxa: Vec<Taxon<'a>>,
}

/// A clause.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Taxon<'a> {
    id: &'a str,
    short_description: Text<'a>,
}

/// Names a framework by its index in the run.
#[derive(Serialize)]
pub(super) struct TaxonomyReference<'a> {
    name: &'a str,
    index: usize,
}

/// That a rule has to do with a clause.
#[derive(Serialize)]
pub(super) struct Relationship<'a> {
    target: Target<'a>,
    kinds: [&'static str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Target<'a> {
    id: &'a str,
    index: usize,
    tool_component: TaxonomyReference<'a>,
}

pub(super) fn taxonomies(report: &Report) -> Vec<Taxonomy<'_>> {
    report.frameworks.iter().map(taxonomy).collect()
}

fn taxonomy(framework: &FrameworkInfo) -> Taxonomy<'_> {
    let taxa = framework.clauses.iter();
    let taxa = taxa.map(|clause| Taxon {
        id: &clause.clause,
        short_description: Text { text: clause.meaning.as_str().into() },
    });
    Taxonomy {
        name: &framework.name,
        full_name: format!("{}, {}", framework.name, framework.title),
        information_uri: &framework.source,
        is_comprehensive: false,
        taxa: taxa.collect(),
    }
}

pub(super) fn references(report: &Report) -> Vec<TaxonomyReference<'_>> {
    let frameworks = report.frameworks.iter().enumerate();
    frameworks.map(|(index, framework)| TaxonomyReference { name: &framework.name, index }).collect()
}

/// The clauses that a rule supports.
pub(super) fn relationships(report: &Report, rule: usize) -> Vec<Relationship<'_>> {
    let mut all = Vec::new();
    for (component, framework) in report.frameworks.iter().enumerate() {
        for (index, clause) in framework.clauses.iter().enumerate().filter(|(_, c)| c.rules.contains(&rule)) {
            let tool_component = TaxonomyReference { name: &framework.name, index: component };
            all.push(Relationship {
                target: Target { id: &clause.clause, index, tool_component },
                kinds: ["relevant"],
            });
        }
    }
    all
}
