//! AI scope: which resources are AI, and which AI reaches, over which path.
//!
//! From what is AI itself (`seeds`) scope goes forward over data, identity, key, network and containment edges and backward
//! over attachments: to what AI needs and what configures that. It goes to those who call AI too, but not to all who share
//! something with it: to what acts as an identity that may use AI, to what names a model, an agent or a knowledge base, and
//! from there to the front through which the public comes.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, OnceLock};

use petgraph::Direction;
use rayon::prelude::*;
use smol_str::SmolStr;

use crate::catalog::LinkKind;
use crate::config::Config;
use crate::finding::{Exclusion, PathStep};
use crate::graph::{NodeId, ResourceGraph};
use crate::program::{Mode, Resource};

use super::iam::{Policies, google};
use super::seeds::{Seed, left_out};

/// A path is not followed further than this many edges.
const MAX_PATH: usize = 6;

/// What runs code of the user, or gives a role to its visitors: it may call AI.
const CALLERS: [&str; 42] = [
    "aws_apprunner_service",
    "aws_batch_job_definition",
    "aws_bedrockagent_agent_action_group",
    "aws_codebuild_project",
    "aws_codepipeline",
    "aws_cognito_identity_pool_roles_attachment",
    "aws_ecs_task_definition",
    "aws_eks_pod_identity_association",
    "aws_glue_job",
    "aws_iam_instance_profile",
    "aws_instance",
    "aws_lambda_function",
    "aws_launch_template",
    "aws_mwaa_environment",
    "aws_sfn_state_machine",
    "azurerm_container_app",
    "azurerm_container_group",
    "azurerm_data_factory",
    "azurerm_federated_identity_credential",
    "azurerm_function_app_flex_consumption",
    "azurerm_kubernetes_cluster",
    "azurerm_linux_function_app",
    "azurerm_linux_virtual_machine",
    "azurerm_linux_virtual_machine_scale_set",
    "azurerm_linux_web_app",
    "azurerm_logic_app_standard",
    "azurerm_logic_app_workflow",
    "azurerm_machine_learning_compute_cluster",
    "azurerm_machine_learning_compute_instance",
    "azurerm_spring_cloud_app",
    "azurerm_windows_function_app",
    "azurerm_windows_virtual_machine",
    "azurerm_windows_virtual_machine_scale_set",
    "azurerm_windows_web_app",
    "google_cloud_run_service",
    "google_cloud_run_v2_job",
    "google_cloud_run_v2_service",
    "google_cloudfunctions2_function",
    "google_cloudfunctions_function",
    "google_compute_instance",
    "kubernetes_service_account",
    "kubernetes_service_account_v1",
];

/// What brings requests to code, and configures the API or balancer that it names in another attribute.
const FRONTS: [&str; 5] = [
    "aws_api_gateway_integration",
    "aws_apigatewayv2_integration",
    "aws_lb_listener",
    "aws_lb_listener_rule",
    "aws_lb_target_group_attachment",
];

/// The identities that policies are attached to.
const ROLE: &str = "aws_iam_role";
/// That of Azure.
const IDENTITY: &str = "azurerm_user_assigned_identity";
/// What attaches a policy to it, or gives it a role.
const GRANTS: [&str; 8] = [
    "aws_iam_policy_attachment",
    "aws_iam_role_policy",
    "aws_iam_role_policy_attachment",
    "aws_iam_user_policy",
    "aws_iam_user_policy_attachment",
    "azurerm_pim_active_role_assignment",
    "azurerm_pim_eligible_role_assignment",
    "azurerm_role_assignment",
];
/// What says what may be done, for others to attach.
const POLICIES: [&str; 2] = ["aws_iam_policy", "azurerm_role_definition"];
/// What a role that an AI service acts as reads and writes where its policies name it: jobs that nobody declares begin there.
const STORES: [&str; 3] = ["aws_dynamodb_table", "aws_ecr_repository", "aws_s3_bucket"];
/// As whom workloads of Google run.
const ACCOUNT: &str = "google_service_account";
/// Who has long-lived keys.
const USER: &str = "aws_iam_user";

/// Which resources are in AI scope.
#[derive(Debug)]
pub struct Scope {
    /// By node: how it is reached.
    reach: Vec<Option<Reach>>,
    /// By node: types of the AI resources that reach it over data edges.
    reached_by: Vec<BTreeSet<SmolStr>>,
    /// What tags left out, in the order of the input.
    excluded: Vec<Exclusion>,
    /// By node: the path to it, found when it is first told. Several findings are about one resource.
    paths: Vec<OnceLock<Arc<[PathStep]>>>,
}

#[derive(Clone, Debug)]
struct Reach {
    from: From,
    length: usize,
}

#[derive(Clone, Debug)]
enum From {
    /// It is AI itself, or said to be.
    Seed(Seed),
    /// The node before it on the path and the edge between.
    Edge(NodeId, &'static str),
}

impl Scope {
    /// Walks the graph from all AI resources at once, so that every path is a shortest one.
    pub(super) fn new(graph: &ResourceGraph, config: &Config, policies: &[Option<Box<Policies>>]) -> Self {
        let count = graph.graph.node_count();
        let mut this = Self {
            reach: vec![None; count],
            reached_by: vec![BTreeSet::new(); count],
            excluded: Vec::new(),
            paths: vec![OnceLock::new(); count],
        };
        let mut queue = VecDeque::new();
        let mut excluded = vec![None; count];
        let nodes: Vec<NodeId> = graph.graph.node_indices().collect();
        let look = |&node: &NodeId| {
            let resource = graph.resource(node)?;
            let held = policies.get(node.index()).and_then(Option::as_deref);
            Some((left_out(graph, config, resource), Seed::of(config, resource, held)))
        };
        let found: Vec<_> = nodes.par_iter().map(look).collect();
        for (node, found) in nodes.into_iter().zip(found) {
            let Some((tag, seed)) = found else { continue };
            if let (Some(tag), Some(slot)) = (tag, excluded.get_mut(node.index())) {
                *slot = Some(tag);
            }
            if let Some(seed) = seed {
                this.set(node, Reach { from: From::Seed(seed), length: 0 });
                queue.push_back(node);
            }
        }
        let is_excluded = |node: NodeId| excluded.get(node.index()).is_some_and(Option::is_some);
        while let Some(node) = queue.pop_front() {
            let Some(length) = this.get(node).map(|reach| reach.length) else { continue };
            if length == MAX_PATH || is_excluded(node) {
                continue;
            }
            for (kind, next) in this.neighbours(graph, policies, node) {
                if this.get(next).is_none() {
                    this.set(next, Reach { from: From::Edge(node, kind), length: length + 1 });
                    queue.push_back(next);
                }
            }
        }
        this.exclude(graph, excluded);
        for node in graph.graph.node_indices() {
            if this.is_direct(node) {
                this.reach_data(graph, node);
            }
        }
        this
    }

    /// Takes out what tags leave out, and notes it where it would be in scope.
    fn exclude(&mut self, graph: &ResourceGraph, excluded: Vec<Option<SmolStr>>) {
        for ((node, tag), reach) in graph.graph.node_indices().zip(excluded).zip(&mut self.reach) {
            let (Some(tag), Some(resource)) = (tag, graph.resource(node)) else { continue };
            if reach.take().is_some() && resource.mode == Mode::Managed {
                self.excluded.push(Exclusion { address: resource.address.clone(), tag });
            }
        }
    }

    /// Whether the resource is in AI scope.
    pub fn contains(&self, node: NodeId) -> bool {
        self.get(node).is_some()
    }

    /// Whether the resource is itself AI.
    pub fn is_direct(&self, node: NodeId) -> bool {
        matches!(self.get(node), Some(Reach { from: From::Seed(seed), .. }) if seed.is_direct())
    }

    /// How many resources are in scope.
    pub fn len(&self) -> usize {
        self.reach.iter().flatten().count()
    }

    /// Whether nothing is in scope.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What tags left out of scope.
    pub fn excluded(&self) -> &[Exclusion] {
        &self.excluded
    }

    /// Types of the AI resources that reach the node over data edges, sorted.
    pub fn reached_by(&self, node: NodeId) -> impl Iterator<Item = &SmolStr> {
        self.reached_by.get(node.index()).into_iter().flatten()
    }

    /// The AI resource that the path to the node begins at; [`None`] if it is out of scope.
    pub fn origin(&self, node: NodeId) -> Option<NodeId> {
        let mut at = node;
        // A path has no circles.
        loop {
            match self.get(at)?.from {
                From::Seed(_) => return Some(at),
                From::Edge(from, _) => at = from,
            }
        }
    }

    /// Why the resource is in scope by itself, where its type does not say it.
    pub fn reason(&self, node: NodeId) -> Option<SmolStr> {
        match &self.get(node)?.from {
            From::Seed(seed) => seed.reason(),
            From::Edge(..) => None,
        }
    }

    /// The path from an AI resource to the node; empty if it is out of scope.
    pub fn path(&self, graph: &ResourceGraph, node: NodeId) -> Arc<[PathStep]> {
        let find = || self.find_path(graph, node).into();
        self.paths.get(node.index()).map_or_else(find, |known| Arc::clone(known.get_or_init(find)))
    }

    fn find_path(&self, graph: &ResourceGraph, node: NodeId) -> Vec<PathStep> {
        let mut path = Vec::with_capacity(self.get(node).map_or(0, |reach| reach.length + 1));
        let mut next = Some(node);
        while let Some(node) = next {
            let (Some(reach), Some(resource)) = (self.get(node), graph.resource(node)) else { break };
            let (from, edge) = match reach.from {
                From::Seed(_) => (None, None),
                From::Edge(from, edge) => (Some(from), Some(edge)),
            };
            path.push(PathStep { edge, address: resource.address.clone() });
            next = from;
        }
        path.reverse();
        path
    }

    fn get(&self, node: NodeId) -> Option<&Reach> {
        self.reach.get(node.index())?.as_ref()
    }

    fn set(&mut self, node: NodeId, reach: Reach) {
        if let Some(slot) = self.reach.get_mut(node.index()) {
            *slot = Some(reach);
        }
    }

    /// Notes the type of an AI resource at everything its data edges lead to.
    fn reach_data(&mut self, graph: &ResourceGraph, start: NodeId) {
        let Some(type_name) = graph.resource(start).map(|resource| resource.type_name.clone()) else {
            return;
        };
        let mut seen = BTreeSet::from([start]);
        let mut queue = VecDeque::from([(start, 0)]);
        while let Some((node, length)) = queue.pop_front() {
            let next = graph.edges(node, Direction::Outgoing).filter(|(edge, _)| edge.kind == LinkKind::Data);
            for (_, next) in next {
                if length < MAX_PATH && seen.insert(next) {
                    if let Some(types) = self.reached_by.get_mut(next.index()) {
                        types.insert(type_name.clone());
                    }
                    queue.push_back((next, length + 1));
                }
            }
        }
    }

    /// Where scope goes from a resource.
    fn neighbours(
        &self,
        graph: &ResourceGraph,
        policies: &[Option<Box<Policies>>],
        node: NodeId,
    ) -> Vec<(&'static str, NodeId)> {
        let Some(resource) = graph.resource(node) else { return Vec::new() };
        let seed = match self.get(node).map(|reach| &reach.from) {
            Some(From::Seed(seed)) => Some(seed),
            _ => None,
        };
        let is_front = is(resource, &FRONTS);
        // Asked once: many may act as one role.
        let acts_for_ai = match resource.type_name.as_str() {
            ROLE | ACCOUNT | IDENTITY => self.may_use_ai(graph, node),
            "aws_iam_instance_profile" => self.is_called(graph, node),
            _ => false,
        };
        let forward = |kind: LinkKind, next: NodeId| match kind {
            LinkKind::Reference => {
                graph.resource(next).is_some_and(|next| is(next, &STORES)) && serves_ai(graph, policies, node)
            }
            // A front is a part of the API that it belongs to; the role or user of a policy about AI may use AI.
            LinkKind::Attachment => {
                is_front
                    || is_grant(resource)
                        && graph.resource(next).is_some_and(|next| {
                            is(next, &[ROLE, USER, ACCOUNT]) || next.type_name.starts_with("azurerm_")
                        })
            }
            _ => true,
        };
        let backward = |kind: LinkKind, from: &Resource| match kind {
            LinkKind::Attachment => true,
            // Who acts as an identity that may use AI, but not everybody of a role that AI uses.
            LinkKind::Identity => {
                acts_for_ai && is(from, &CALLERS)
                    || is(resource, &POLICIES) && seed.is_some() && is(from, &GRANTS)
            }
            // Who calls AI, and what brings requests to it.
            LinkKind::Data => {
                seed == Some(&Seed::Type) && is(from, &CALLERS)
                    || is(from, &FRONTS)
                        && (is(resource, &CALLERS) || resource.type_name == "aws_lb_target_group")
            }
            // What is made by an accelerated template is accelerated.
            LinkKind::Containment => {
                resource.type_name == "aws_launch_template" && matches!(seed, Some(Seed::Accelerator(_)))
            }
            LinkKind::Key | LinkKind::Network | LinkKind::Reference => false,
        };
        let outgoing = graph
            .edges(node, Direction::Outgoing)
            .filter(|(edge, next)| forward(edge.kind, *next))
            .map(|(edge, next)| (edge.kind.name(), next));
        let incoming = graph
            .edges(node, Direction::Incoming)
            .filter(|(edge, from)| graph.resource(*from).is_some_and(|from| backward(edge.kind, from)))
            .map(|(edge, from)| (edge.kind.name(), from));
        outgoing.chain(incoming).collect()
    }

    /// Whether the policies of a role let it use AI: it holds one that names AI, or one is attached to it.
    fn may_use_ai(&self, graph: &ResourceGraph, role: NodeId) -> bool {
        let names_ai =
            |node: NodeId| matches!(self.get(node), Some(Reach { from: From::Seed(Seed::Policy), .. }));
        let is_of_ai = |node: NodeId| match self.get(node).map(|reach| &reach.from) {
            Some(From::Edge(from, _)) => names_ai(*from),
            _ => names_ai(node),
        };
        let mut grants = graph.edges(role, Direction::Incoming).filter(|(edge, from)| {
            edge.kind == LinkKind::Attachment && graph.resource(*from).is_some_and(is_grant)
        });
        names_ai(role) || grants.any(|(_, from)| is_of_ai(from))
    }

    /// Whether the profile was reached from its role, and not from a machine.
    fn is_called(&self, graph: &ResourceGraph, profile: NodeId) -> bool {
        let Some(From::Edge(from, _)) = self.get(profile).map(|reach| &reach.from) else { return false };
        graph.resource(*from).is_some_and(|from| from.type_name == ROLE)
    }
}

/// Whether it is a role that an AI service acts as, or a policy of one.
fn serves_ai(graph: &ResourceGraph, policies: &[Option<Box<Policies>>], node: NodeId) -> bool {
    let is_of_role = |node: NodeId| {
        let held = policies.get(node.index()).and_then(Option::as_deref);
        graph.resource(node).is_some_and(|it| it.type_name == ROLE) && held.is_some_and(Policies::serve_ai)
    };
    let attached = |node: NodeId| {
        let mut roles = graph.edges(node, Direction::Outgoing);
        roles.any(|(edge, role)| edge.kind == LinkKind::Attachment && is_of_role(role))
    };
    let holder = |from: NodeId| is_of_role(from) || attached(from);
    let mut holders = graph.edges(node, Direction::Incoming);
    is_of_role(node)
        || attached(node)
        || graph.resource(node).is_some_and(|it| is(it, &POLICIES))
            && holders.any(|(edge, from)| edge.kind == LinkKind::Identity && holder(from))
}

/// Whether it gives an identity what it may do.
fn is_grant(resource: &Resource) -> bool {
    is(resource, &GRANTS) || google::is_grant(&resource.type_name)
}

fn is(resource: &Resource, types: &[&str]) -> bool {
    types.contains(&resource.type_name.as_str())
}
