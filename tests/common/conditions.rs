//! What conditions say of resources in Terraform source.

use airgate::config::{Config, Scope};
use airgate::eval::{self, Mode};
use airgate::facts::Facts;
use airgate::facts::domain::ConditionScope;
use airgate::graph::ResourceGraph;
use airgate::hcl::parse_expression;
use airgate::input::Inputs;
use airgate::source::Sources;
use airgate::value::Kind;

/// The graph of a root module with one file.
pub(crate) fn graph(source: &str) -> ResourceGraph {
    let mut sources = Sources::default();
    let inputs = Inputs::text(&[("main.tf", source)], &mut sources);
    let program = inputs.items[0].program(&inputs, &sources, &|_| true).unwrap();
    ResourceGraph::build(program)
}

/// What a condition says of a resource: `true`, `false`, or why it cannot be told.
pub(crate) fn ask(graph: &ResourceGraph, address: &str, condition: &str) -> String {
    let config = Config { scope: Scope::All, ..Config::default() };
    let facts = Facts::new(graph, &config);
    let addresses =
        || graph.graph.node_weights().map(|resource| resource.address.as_str()).collect::<Vec<_>>();
    let node = graph.by_address(address).unwrap_or_else(|| panic!("{address} is none of {:?}", addresses()));
    let file = Sources::default().add("rule", condition);
    let arena = bumpalo::Bump::new();
    let (expr, diagnostics) = parse_expression(condition, file, &arena);
    assert_eq!(diagnostics, [], "{condition}");
    let value = eval::try_evaluate(&expr, file, &ConditionScope::new(&facts, node), Mode::Extended).unwrap();
    match &value.kind {
        Kind::Bool(truth) => truth.to_string(),
        Kind::Unknown(unknown) => unknown.cause.to_string(),
        other => panic!("{condition} is {other:?}"),
    }
}
