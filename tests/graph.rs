//! The graph and its facts: which resources hang together, over which path AI reaches them, and what that makes of a verdict.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

use airgate::config::{Config, Scope};
use airgate::facts::Facts;
use airgate::finding::{Report, Verdict};
use airgate::graph::ResourceGraph;
use airgate::input::Inputs;
use airgate::rules::RuleSet;
use airgate::source::Sources;
use petgraph::Direction;

fn graph(text: &str) -> ResourceGraph {
    let mut sources = Sources::default();
    let inputs = Inputs::text(&[("main.tf", text)], &mut sources);
    let program = inputs.items.first().unwrap().program(&inputs, &sources, &|_| true).unwrap();
    ResourceGraph::build(program)
}

/// `source -kind-> target` of every edge that leaves `address`, sorted.
fn edges(graph: &ResourceGraph, address: &str) -> Vec<String> {
    let node = graph.by_address(address).unwrap_or_else(|| panic!("no {address}"));
    let mut edges: Vec<String> = graph
        .edges(node, Direction::Outgoing)
        .map(|(edge, target)| {
            format!("{} {} {}", edge.path, edge.kind.name(), graph.resource(target).unwrap().address)
        })
        .collect();
    edges.sort();
    edges
}

fn path(text: &str, address: &str) -> String {
    let graph = graph(text);
    let config = Config::default();
    let facts = Facts::new(&graph, &config);
    let steps = facts.scope().path(&graph, graph.by_address(address).unwrap());
    let steps = steps.iter().map(|step| match step.edge {
        Some(edge) => format!("-{edge}-> {}", step.address),
        None => step.address.to_string(),
    });
    steps.collect::<Vec<_>>().join(" ")
}

fn run(text: &str, rule: &str, config: &Config) -> Report {
    let rules = RuleSet::builtin().unwrap().select(&[rule.to_owned()], &[]).unwrap();
    airgate::analyze_text(&[("main.tf", text)], &rules, config).unwrap()
}

fn verdicts(text: &str, rule: &str, config: &Config) -> Vec<Verdict> {
    run(text, rule, config).findings.iter().map(|finding| finding.verdict).collect()
}

#[test]
fn a_literal_proves_a_link_as_a_reference_does() {
    let text = r#"
resource "aws_s3_bucket" "models" { bucket = "acme-models" }
resource "aws_iam_role" "run" {
  name               = "run"
  assume_role_policy = "{}"
}
resource "aws_sagemaker_model" "by_name" {
  name               = "m"
  execution_role_arn = "arn:aws:iam::111122223333:role/run"
  primary_container {
    image          = "x"
    model_data_url = "s3://acme-models/a/model.tar.gz"
  }
}
resource "aws_sagemaker_model" "by_reference" {
  name               = "n"
  execution_role_arn = aws_iam_role.run.arn
  primary_container {
    image          = "x"
    model_data_url = "s3://${aws_s3_bucket.models.id}/a/model.tar.gz"
  }
}
"#;
    let graph = graph(text);
    let expected = [
        "execution_role_arn identity aws_iam_role.run",
        "primary_container.model_data_url data aws_s3_bucket.models",
    ];
    assert_eq!(edges(&graph, "aws_sagemaker_model.by_name"), expected);
    assert_eq!(edges(&graph, "aws_sagemaker_model.by_reference"), expected);
}

#[test]
fn an_instance_is_joined_to_the_instance_of_its_key() {
    let text = r#"
resource "aws_s3_bucket" "b" {
  for_each = toset(["x", "y"])
  bucket   = "acme-${each.key}"
}
resource "aws_s3_bucket_versioning" "v" {
  for_each = toset(["x"])
  bucket   = aws_s3_bucket.b[each.key].id
  versioning_configuration { status = "Enabled" }
}
"#;
    assert_eq!(
        edges(&graph(text), r#"aws_s3_bucket_versioning.v["x"]"#),
        [r#"bucket attachment aws_s3_bucket.b["x"]"#]
    );
}

#[test]
fn what_a_condition_asks_for_is_no_data_of_the_resource() {
    let text = r#"
        locals { bases = { a = aws_s3_bucket.docs.arn } }
        resource "aws_s3_bucket" "docs" { bucket = "docs" }
        resource "aws_opensearchserverless_collection" "vectors" { name = "vectors" }
        resource "aws_bedrockagent_knowledge_base" "a" {
          name     = "a"
          role_arn = "arn:aws:iam::111122223333:role/a"
          storage_configuration {
            type = "OPENSEARCH_SERVERLESS"
            opensearch_serverless_configuration {
              collection_arn = length(local.bases) > 0 ? aws_opensearchserverless_collection.vectors.arn : ""
            }
          }
        }
    "#;
    let graph = graph(text);
    let found = edges(&graph, "aws_bedrockagent_knowledge_base.a");
    assert!(found.iter().any(|edge| edge.contains("data") && edge.contains("vectors")), "{found:?}");
    assert!(!found.iter().any(|edge| edge.contains("data") && edge.contains("docs")), "{found:?}");
}

#[test]
fn a_policy_names_collections_by_patterns() {
    let text = r#"
resource "aws_opensearchserverless_collection" "docs" { name = "docs-prod" }
resource "aws_opensearchserverless_collection" "logs" { name = "logs" }
resource "aws_opensearchserverless_security_policy" "network" {
  name = "n"
  type = "network"
  policy = jsonencode([{
    Rules           = [{ ResourceType = "collection", Resource = ["collection/docs*"] }]
    AllowFromPublic = true
  }])
}
resource "aws_opensearchserverless_access_policy" "data" {
  name = "d"
  type = "data"
  policy = jsonencode([{
    Rules     = [{ ResourceType = "index", Resource = ["index/logs/*"], Permission = ["aoss:ReadDocument"] }]
    Principal = [aws_iam_role.kb.arn]
  }])
}
resource "aws_iam_role" "kb" { assume_role_policy = "{}" }
"#;
    let graph = graph(text);
    assert_eq!(
        edges(&graph, "aws_opensearchserverless_security_policy.network"),
        ["policy attachment aws_opensearchserverless_collection.docs"]
    );
    assert_eq!(
        edges(&graph, "aws_opensearchserverless_access_policy.data"),
        ["policy attachment aws_opensearchserverless_collection.logs", "policy reference aws_iam_role.kb"]
    );
}

/// IRSA: the trust of the role names the subject of the service account's token.
#[test]
fn a_pod_acts_as_the_role_that_trusts_its_account() {
    let text = r#"
resource "kubernetes_deployment" "api" {
  metadata {
    name      = "api"
    namespace = "ml"
  }
  spec {
    template {
      metadata {}
      spec { service_account_name = "infer" }
    }
  }
}
resource "kubernetes_service_account" "infer" {
  metadata {
    name      = "infer"
    namespace = "ml"
  }
}
resource "kubernetes_service_account" "other" {
  metadata { name = "infer" }
}
resource "aws_iam_openid_connect_provider" "eks" {
  url            = "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"
  client_id_list = ["sts.amazonaws.com"]
}
resource "aws_iam_role" "irsa" {
  assume_role_policy = jsonencode({
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = aws_iam_openid_connect_provider.eks.arn }
      Condition = {
        StringEquals = { "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE:sub" = "system:serviceaccount:ml:infer" }
      }
    }]
  })
}
resource "aws_iam_role" "pods" { assume_role_policy = "{}" }
resource "aws_eks_pod_identity_association" "a" {
  cluster_name    = "c"
  namespace       = "ml"
  service_account = "infer"
  role_arn        = aws_iam_role.pods.arn
}
resource "aws_iam_role_policy" "invoke" {
  role   = aws_iam_role.irsa.name
  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "bedrock:InvokeModel", Resource = "*" }] })
}
"#;
    let graph = graph(text);
    assert_eq!(
        edges(&graph, "kubernetes_deployment.api"),
        ["service_account_name identity kubernetes_service_account.infer"]
    );
    assert_eq!(
        edges(&graph, "kubernetes_service_account.infer"),
        [" identity aws_iam_role.irsa", " identity aws_iam_role.pods"]
    );
    assert_eq!(edges(&graph, "kubernetes_service_account.other"), [""; 0]);
    assert_eq!(
        path(text, "kubernetes_service_account.infer"),
        "aws_iam_role_policy.invoke -attachment-> aws_iam_role.irsa -identity-> kubernetes_service_account.infer"
    );
}

#[test]
fn scope_reaches_who_calls_a_model_and_the_public_way_to_it() {
    let text = r#"
resource "aws_sagemaker_endpoint" "chat" {
  name                 = "chat"
  endpoint_config_name = "c"
}
resource "aws_iam_role" "fn" { assume_role_policy = "{}" }
resource "aws_lambda_function" "chat" {
  function_name = "chat"
  role          = aws_iam_role.fn.arn
  environment { variables = { ENDPOINT = "chat" } }
}
resource "aws_lambda_function" "other" {
  function_name = "other"
  role          = aws_iam_role.fn.arn
}
resource "aws_apigatewayv2_api" "api" {
  name          = "api"
  protocol_type = "HTTP"
}
resource "aws_apigatewayv2_integration" "chat" {
  api_id           = aws_apigatewayv2_api.api.id
  integration_type = "AWS_PROXY"
  integration_uri  = aws_lambda_function.chat.invoke_arn
}
resource "aws_apigatewayv2_stage" "live" {
  api_id = aws_apigatewayv2_api.api.id
  name   = "live"
}
"#;
    assert_eq!(
        path(text, "aws_apigatewayv2_stage.live"),
        "aws_sagemaker_endpoint.chat -data-> aws_lambda_function.chat -data-> aws_apigatewayv2_integration.chat \
         -attachment-> aws_apigatewayv2_api.api -attachment-> aws_apigatewayv2_stage.live"
    );
    // Who only shares the role of a caller calls nothing.
    assert_eq!(path(text, "aws_lambda_function.other"), "");
}

#[test]
fn accelerators_are_ai_and_what_is_around_is_not() {
    let text = r#"
resource "aws_vpc" "main" { cidr_block = "10.0.0.0/16" }
resource "aws_subnet" "a" { vpc_id = aws_vpc.main.id }
resource "aws_launch_template" "gpu" { instance_type = "p5.48xlarge" }
resource "aws_eks_cluster" "c" {
  name     = "c"
  role_arn = "r"
  vpc_config { subnet_ids = [aws_subnet.a.id] }
}
resource "aws_eks_node_group" "gpu" {
  cluster_name  = aws_eks_cluster.c.name
  node_role_arn = "n"
  subnet_ids    = [aws_subnet.a.id]
  launch_template {
    id      = aws_launch_template.gpu.id
    version = "1"
  }
  scaling_config {
    desired_size = 1
    max_size     = 1
    min_size     = 1
  }
}
resource "aws_eks_node_group" "web" {
  cluster_name   = aws_eks_cluster.c.name
  node_role_arn  = "n"
  subnet_ids     = [aws_subnet.a.id]
  instance_types = ["t3.large"]
  scaling_config {
    desired_size = 1
    max_size     = 1
    min_size     = 1
  }
}
resource "aws_instance" "web" {
  ami           = "ami-1"
  instance_type = "t3.micro"
  subnet_id     = aws_subnet.a.id
}
resource "aws_ecs_task_definition" "gpu" {
  family = "f"
  container_definitions = jsonencode([{ name = "m", resourceRequirements = [{ type = "GPU", value = "1" }] }])
}
"#;
    assert_eq!(path(text, "aws_launch_template.gpu"), "aws_launch_template.gpu");
    assert_eq!(
        path(text, "aws_eks_cluster.c"),
        "aws_launch_template.gpu -containment-> aws_eks_node_group.gpu -containment-> aws_eks_cluster.c"
    );
    assert_eq!(path(text, "aws_ecs_task_definition.gpu"), "aws_ecs_task_definition.gpu");
    assert_eq!(path(text, "aws_eks_node_group.web"), "", "the cluster is shared");
    assert_eq!(path(text, "aws_instance.web"), "", "the network is shared");
}

#[test]
fn tags_put_resources_in_and_leave_them_out() {
    let text = r#"
resource "aws_sqs_queue" "jobs" { tags = { ai-risk-tier = "high" } }
resource "aws_sqs_queue" "none" { tags = { ai-risk-tier = "none" } }
resource "aws_bedrockagent_agent" "old" {
  agent_name              = "old"
  agent_resource_role_arn = "arn:aws:iam::111122223333:role/a"
  foundation_model        = "amazon.nova-lite-v1:0"
  tags                    = { system-id = "legacy-7" }
}
"#;
    assert_eq!(path(text, "aws_sqs_queue.jobs"), "aws_sqs_queue.jobs");
    assert_eq!(path(text, "aws_sqs_queue.none"), "");
    let config =
        Config::parse("[ai-scope]\nexclude = ['system-id=legacy-*']", std::path::Path::new("airgate.toml"))
            .unwrap();
    let report = run(text, "AWS-BED-GRD-001", &config);
    assert!(report.findings.is_empty());
    let excluded: Vec<_> =
        report.summary.excluded.iter().map(|one| (one.address.as_str(), one.tag.as_str())).collect();
    assert_eq!(excluded, [("aws_bedrockagent_agent.old", "system-id = legacy-7")]);
    assert_eq!(verdicts(text, "AWS-BED-GRD-001", &Config::default()), [Verdict::Fail]);
}

/// The Cloud Control provider's spelling is judged as that of `aws`, under the address that the user wrote.
#[test]
fn awscc_is_judged_as_aws() {
    let text = r#"
resource "awscc_kms_key" "k" { key_policy = "{}" }
resource "awscc_s3_bucket" "docs" {
  bucket_name = "docs"
  bucket_encryption = {
    server_side_encryption_configuration = [{
      server_side_encryption_by_default = { sse_algorithm = "aws:kms", kms_master_key_id = awscc_kms_key.k.arn }
    }]
  }
  versioning_configuration = { status = "Enabled" }
}
resource "awscc_bedrock_data_source" "d" {
  name              = "d"
  knowledge_base_id = "KB"
  data_source_configuration = {
    type             = "S3"
    s3_configuration = { bucket_arn = awscc_s3_bucket.docs.arn }
  }
}
resource "awscc_bedrock_agent" "a" {
  agent_name = "a"
  tags       = { owner = "ml" }
}
"#;
    let graph = graph(text);
    let agent = graph.resource(graph.by_address("awscc_bedrock_agent.a").unwrap()).unwrap();
    assert_eq!(agent.type_name, "aws_bedrockagent_agent");
    assert_eq!(agent.native_type.as_deref(), Some("awscc_bedrock_agent"));
    let config = Config::default();
    assert_eq!(verdicts(text, "AWS-BED-GRD-001", &config), [Verdict::Fail]);
    assert_eq!(verdicts(text, "AWS-BED-ENC-004", &config), [Verdict::Pass]);
    assert_eq!(verdicts(text, "AWS-BED-SUP-003", &config), [Verdict::Pass]);
}

#[test]
fn scope_follows_data_and_what_configures_it() {
    let text = r#"
resource "aws_s3_bucket" "raw" { bucket = "raw" }
resource "aws_s3_bucket" "other" { bucket = "other" }
resource "aws_s3_bucket_versioning" "raw" {
  bucket = aws_s3_bucket.raw.id
  versioning_configuration { status = "Enabled" }
}
resource "aws_bedrockagent_data_source" "d" {
  name              = "d"
  knowledge_base_id = "KB"
  data_source_configuration {
    type = "S3"
    s3_configuration { bucket_arn = aws_s3_bucket.raw.arn }
  }
}
"#;
    assert_eq!(
        path(text, "aws_s3_bucket_versioning.raw"),
        "aws_bedrockagent_data_source.d -data-> aws_s3_bucket.raw -attachment-> aws_s3_bucket_versioning.raw"
    );
    assert_eq!(path(text, "aws_s3_bucket.other"), "", "nothing leads there");
}

#[test]
fn what_the_role_of_an_ai_service_may_read_is_in_scope_and_what_others_may_is_not() {
    let text = |service: &str| {
        format!(
            r#"
resource "aws_s3_bucket" "data" {{ bucket = "data" }}
resource "aws_s3_bucket" "other" {{ bucket = "other" }}
resource "aws_iam_role" "r" {{
  assume_role_policy = jsonencode({{
    Statement = [{{ Effect = "Allow", Action = "sts:AssumeRole", Principal = {{ Service = "{service}" }} }}]
  }})
}}
resource "aws_iam_policy" "p" {{
  policy = jsonencode({{
    Statement = [{{ Effect = "Allow", Action = "s3:GetObject", Resource = "${{aws_s3_bucket.data.arn}}/*" }}]
  }})
}}
resource "aws_iam_role_policy_attachment" "a" {{
  role       = aws_iam_role.r.name
  policy_arn = aws_iam_policy.p.arn
}}"#
        )
    };
    assert_eq!(
        path(&text("sagemaker.amazonaws.com"), "aws_s3_bucket.data"),
        "aws_iam_role.r -attachment-> aws_iam_role_policy_attachment.a -identity-> aws_iam_policy.p -reference-> aws_s3_bucket.data"
    );
    assert_eq!(path(&text("sagemaker.amazonaws.com"), "aws_s3_bucket.other"), "");
    assert_eq!(path(&text("lambda.amazonaws.com"), "aws_s3_bucket.data"), "");
}

/// The Cloud Control provider is configured beside that of AWS, for the same account.
#[test]
fn of_two_providers_for_one_account_and_region_absence_is_told_once() {
    let text = |region: &str| {
        format!(
            r#"
provider "aws" {{ region = "eu-central-1" }}
provider "awscc" {{ region = "{region}" }}
resource "aws_bedrockagent_agent" "a" {{ agent_name = "a" }}
resource "awscc_bedrock_knowledge_base" "k" {{ name = "k" }}
"#
        )
    };
    let of = |region| verdicts(&text(region), "AWS-BED-LOG-001", &Config::default());
    assert_eq!(of("eu-central-1"), [Verdict::Fail]);
    assert_eq!(of("eu-west-1"), [Verdict::Fail, Verdict::Fail]);
    let by =
        |line: &str| text("eu-central-1").replace("provider \"awscc\" { region = \"eu-central-1\" }", line);
    let named = by("provider \"awscc\" {\n alias = \"cc\"\n region = \"eu-central-1\"\n}")
        .replace("\"k\" { name = \"k\" }", "\"k\" {\n provider = awscc.cc\n name = \"k\"\n}");
    for text in [by(""), by("provider \"awscc\" {}"), named] {
        assert_eq!(verdicts(&text, "AWS-BED-LOG-001", &Config::default()), [Verdict::Fail], "{text}");
        assert_eq!(verdicts(&text, "ANY-TAG-GOV-005", &Config::default()), [Verdict::Fail], "{text}");
    }
}

#[test]
fn a_policy_that_names_ai_actions_is_ai_itself() {
    let text = |action: &str| {
        format!(
            r#"resource "aws_iam_policy" "p" {{
  policy = jsonencode({{ Statement = [{{ Effect = "Allow", Action = "{action}", Resource = "*" }}] }})
}}"#
        )
    };
    assert_eq!(path(&text("bedrock:InvokeModel"), "aws_iam_policy.p"), "aws_iam_policy.p");
    assert_eq!(path(&text("dynamodb:GetItem"), "aws_iam_policy.p"), "");
    let config = Config::default();
    assert_eq!(verdicts(&text("bedrock:InvokeModel"), "AWS-BED-IAM-001", &config), [Verdict::Fail]);
}

#[test]
fn out_of_scope_there_is_no_verdict_unless_all_is_in_scope() {
    let text = r#"resource "aws_kms_key" "k" { enable_key_rotation = false }"#;
    assert_eq!(verdicts(text, "AWS-KMS-ENC-001", &Config::default()), []);
    let all = Config { scope: Scope::All, ..Config::default() };
    assert_eq!(verdicts(text, "AWS-KMS-ENC-001", &all), [Verdict::Fail]);
}

#[test]
fn a_module_that_is_not_followed_may_configure_what_it_is_given() {
    let text = |call: &str| {
        format!(
            r#"
resource "aws_s3_bucket" "raw" {{ bucket = "raw" }}
resource "aws_bedrockagent_data_source" "d" {{
  name              = "d"
  knowledge_base_id = "KB"
  data_source_configuration {{
    type = "S3"
    s3_configuration {{ bucket_arn = aws_s3_bucket.raw.arn }}
  }}
}}
{call}"#
        )
    };
    let config = Config::default();
    let alone = text("");
    assert_eq!(verdicts(&alone, "AWS-BED-SUP-003", &config), [Verdict::Fail]);
    let call = "module \"harden\" {\n  source = \"./harden\"\n  bucket = aws_s3_bucket.raw.id\n}";
    let given = text(call);
    let report = run(&given, "AWS-BED-SUP-003", &config);
    let finding = report.findings.first().unwrap();
    assert_eq!(finding.verdict, Verdict::Undetermined);
    assert_eq!(finding.causes, ["`module.harden` is not followed"]);
    assert_eq!(report.summary.unfollowed_modules, 1);
}

#[test]
fn a_sub_resource_of_an_unknown_bucket_may_be_this_ones() {
    let text = r#"
variable "name" {}
resource "aws_s3_bucket" "raw" { bucket = "raw" }
resource "aws_s3_bucket_versioning" "v" {
  bucket = var.name
  versioning_configuration { status = "Enabled" }
}
resource "aws_bedrockagent_data_source" "d" {
  name              = "d"
  knowledge_base_id = "KB"
  data_source_configuration {
    type = "S3"
    s3_configuration { bucket_arn = aws_s3_bucket.raw.arn }
  }
}"#;
    let report = run(text, "AWS-BED-SUP-003", &Config::default());
    let finding = report.findings.first().unwrap();
    assert_eq!(finding.verdict, Verdict::Undetermined);
    assert_eq!(finding.causes, ["`aws_s3_bucket_versioning.v` may configure it: its bucket is not known"]);
}

#[test]
fn tags_count_by_synonym_and_spelling_and_from_the_provider() {
    let text = r#"
provider "aws" {
  region = "eu-central-1"
  default_tags { tags = { Team = "x", Environment = "prod" } }
}
resource "aws_sagemaker_notebook_instance" "n" {
  name          = "n"
  role_arn      = "r"
  instance_type = "ml.t3.medium"
  tags          = { system_id = "s", purpose = "p" }
}"#;
    let mut config = Config::default();
    assert_eq!(
        verdicts(text, "ANY-TAG-GOV-001", &config),
        [Verdict::Fail],
        "nobody said that Team is the owner"
    );
    config.tags.synonyms.insert("owner".into(), vec!["Team".into()]);
    assert_eq!(verdicts(text, "ANY-TAG-GOV-001", &config), [Verdict::Pass]);
}
