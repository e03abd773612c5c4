//! Which accounts a scope looks at.

use super::*;
use crate::program::Program;

#[path = "../../../../../tests/common/resources.rs"]
mod resources;
use resources::resource;

const COUNT: usize = 40;

fn group(at: usize) -> String {
    format!("/subscriptions/S/resourceGroups/ai-{at}")
}

/// An account in each of the resource groups, with ids as after they are made or without.
fn accounts(has_ids: bool) -> ResourceGraph {
    let mut resources = Vec::new();
    for at in 0..COUNT {
        let (name, of) = (format!("a{at}"), format!("AI-{at}"));
        let id = format!("{}/providers/Microsoft.CognitiveServices/accounts/{name}", group(at));
        let id = if has_ids { ("id", id.as_str()) } else { ("location", "westeurope") };
        let attributes = [("name", name.as_str()), ("resource_group_name", &of), id];
        resources.push(resource("azurerm_cognitive_account", &name, attributes));
    }
    ResourceGraph::build(Program { resources, ..Program::default() })
}

#[test]
fn a_scope_looks_at_the_accounts_that_it_may_hold_and_at_no_others() {
    for has_ids in [true, false] {
        let graph = accounts(has_ids);
        let all = Accounts::of_graph(&graph);
        let of_kind = all.of_action("microsoft.cognitiveservices/accounts/listkeys/action").unwrap();
        let (mut looked_at, mut held) = (0, 0);
        for at in 0..COUNT {
            let id = group(at).to_ascii_lowercase();
            let scope = Scope { level: Ok(Level::ResourceGroup), node: None, id, shown: String::new() };
            let found = of_kind.held(&graph, &scope, Level::ResourceGroup, false);
            looked_at += found.len();
            for node in of_kind.all(false) {
                let holds = scope.holds(&graph, node, node);
                held += usize::from(holds == Ok(true));
                assert!(found.contains(&node) || holds == Ok(false), "{}", scope.id);
            }
        }
        assert_eq!((looked_at, held), (COUNT, COUNT), "with ids: {has_ids}");
    }
}

#[test]
fn a_group_begins_as_another_and_is_not_that() {
    let (graph, id) = (accounts(true), group(1).to_ascii_lowercase());
    let all = Accounts::of_graph(&graph);
    let of_kind = all.of_action("microsoft.cognitiveservices/").unwrap();
    for id in [id.clone(), format!("{id}/")] {
        let scope = Scope { level: Ok(Level::ResourceGroup), node: None, id, shown: String::new() };
        let found = of_kind.held(&graph, &scope, Level::ResourceGroup, false);
        let names: Vec<_> =
            found.iter().filter_map(|&node| graph.resource(node)).map(|it| &it.name).collect();
        assert_eq!(names, ["a1"]);
    }
    assert!(
        all.of_action("microsoft.search/searchservices/read")
            .is_some_and(|it| it.all(false).next().is_none())
    );
    assert!(all.of_action("microsoft.storage/").is_none());
}
