//! What cannot be told of how often something is there: `dynamic` blocks, instances, and what rules say then.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail the test"
)]

#[path = "common/conditions.rs"]
mod conditions;

use std::path::Path;

use airgate::config::Config;
use airgate::finding::Verdict;
use airgate::graph::ResourceGraph;
use airgate::input::Inputs;
use airgate::rules::RuleSet;
use airgate::source::Sources;
use airgate::terraform::source::variables::RunOptions;
use conditions::{ask, graph};

/// Why a thing is unknown that comes of `var.unknown`.
const UNKNOWN: &str = "variable `unknown` has no default and no value";

const OPEN: &str = "anytrue([for rule in self.ingress : contains(rule.cidr_blocks, \"0.0.0.0/0\")])";
const TLS: &str = "alltrue([for rule in self.ingress : rule.from_port == 443])";

/// A security group with these rules.
fn group(rules: &str) -> ResourceGraph {
    graph(&format!("variable \"unknown\" {{}}\nresource \"aws_security_group\" \"g\" {{\n{rules}\n}}\n"))
}

#[track_caller]
fn says(rules: &str, expected: [(&str, &str); 2]) {
    let graph = group(rules);
    for (condition, expected) in expected {
        assert_eq!(ask(&graph, "aws_security_group.g", condition), expected, "{condition} of {rules}");
    }
}

const STATIC: &str = "ingress {
  from_port   = 443
  to_port     = 443
  protocol    = \"tcp\"
  cidr_blocks = [\"0.0.0.0/0\"]
}";

#[test]
fn a_block_beside_an_unknown_dynamic_one_is_known() {
    let dynamic = "dynamic \"ingress\" {
      for_each = var.unknown
      content {
        from_port   = ingress.value.port
        to_port     = 443
        protocol    = \"tcp\"
        cidr_blocks = [ingress.value.cidr]
      }
    }";
    says(&format!("{dynamic}\n{STATIC}"), [(OPEN, "true"), (TLS, UNKNOWN)]);
    says(&format!("{STATIC}\n{dynamic}"), [(OPEN, "true"), (TLS, UNKNOWN)]);
    says(dynamic, [(OPEN, UNKNOWN), (TLS, UNKNOWN)]);
    let static_ssh = STATIC.replace("443", "22");
    says(&format!("{dynamic}\n{static_ssh}"), [(OPEN, "true"), (TLS, "false")]);
}

#[test]
fn what_all_blocks_of_an_unknown_dynamic_one_have_in_common_is_known() {
    let dynamic = |cidr: &str, port: &str| {
        format!(
            "dynamic \"ingress\" {{
              for_each = var.unknown
              iterator = rule
              content {{
                description = rule.key
                from_port   = {port}
                to_port     = 443
                protocol    = \"tcp\"
                cidr_blocks = [\"{cidr}\"]
              }}
            }}"
        )
    };
    // There may be none of them.
    says(&dynamic("0.0.0.0/0", "443"), [(OPEN, UNKNOWN), (TLS, "true")]);
    says(&dynamic("10.0.0.0/8", "22"), [(OPEN, "false"), (TLS, UNKNOWN)]);
    says(&format!("{STATIC}\n{}", dynamic("10.0.0.0/8", "443")), [(OPEN, "true"), (TLS, "true")]);
}

#[test]
fn a_block_on_an_unknown_condition_is_there_or_not() {
    let model = |dynamic: &str| {
        graph(&format!(
            "variable \"unknown\" {{}}\nresource \"aws_sagemaker_model\" \"m\" {{\n  dynamic \"vpc_config\" {{\n{dynamic}\n}}\n}}\n"
        ))
    };
    let content = "content {\n subnets = [\"subnet-1\"]\n security_group_ids = []\n}";
    let exists = "length(self.vpc_config) > 0";
    let subnets = "alltrue([for config in self.vpc_config[*] : contains(config.subnets, \"subnet-1\")])";
    let any = "anytrue([for config in self.vpc_config : contains(config.subnets, \"subnet-1\")])";
    for over in ["var.unknown ? [1] : []", "[for x in [1] : x if var.unknown]", "var.unknown"] {
        let graph = model(&format!("for_each = {over}\n{content}"));
        let ask = |condition: &str| ask(&graph, "aws_sagemaker_model.m", condition);
        assert_eq!(ask(exists), UNKNOWN, "{over}");
        assert_eq!(ask(subnets), "true", "{over}");
        assert_eq!(ask(any), UNKNOWN, "{over}");
        assert_eq!(ask("is_set(\"vpc_config\")"), UNKNOWN, "{over}");
    }
    for (over, there) in [("[1]", "true"), ("[]", "false"), ("var.unknown ? [1] : [2]", "true")] {
        let graph = model(&format!("for_each = {over}\n{content}"));
        assert_eq!(ask(&graph, "aws_sagemaker_model.m", exists), there, "{over}");
        assert_eq!(ask(&graph, "aws_sagemaker_model.m", "is_set(\"vpc_config\")"), there, "{over}");
    }
}

#[test]
fn what_is_listed_beside_an_unknown_list_is_known() {
    let rules = "dynamic \"ingress\" {
      for_each = concat([{ port = 22, cidrs = [\"0.0.0.0/0\"] }], var.unknown)
      content {
        from_port   = ingress.value.port
        to_port     = ingress.value.port
        protocol    = \"tcp\"
        cidr_blocks = ingress.value.cidrs
      }
    }";
    says(rules, [(OPEN, "true"), (TLS, "false")]);
    let local = "for_each = [for port in var.unknown : { port = 443, cidrs = [\"10.0.0.0/8\"] }]";
    let start = rules.find("for_each").unwrap();
    let end = start + rules[start..].find('\n').unwrap();
    says(&rules.replace(&rules[start..end], local), [(OPEN, "false"), (TLS, "true")]);
}

#[test]
fn nested_dynamic_blocks_have_the_iterators_around_them() {
    let graph = graph(
        r#"
        variable "unknown" {}
        resource "aws_s3_bucket_lifecycle_configuration" "c" {
          bucket = "b"
          dynamic "rule" {
            for_each = { a = ["STANDARD_IA"], b = ["GLACIER", "DEEP_ARCHIVE"] }
            content {
              id     = rule.key
              status = "Enabled"
              dynamic "transition" {
                for_each = rule.value
                iterator = rule
                content {
                  days          = 30
                  storage_class = rule.value
                }
              }
              dynamic "expiration" {
                for_each = rule.key == "a" ? var.unknown : []
                content { days = expiration.key + 1 }
              }
            }
          }
        }
        "#,
    );
    let ask = |condition: &str| ask(&graph, "aws_s3_bucket_lifecycle_configuration.c", condition);
    assert_eq!(ask("[for r in self.rule : r.id] == [\"a\", \"b\"]"), "true");
    let classes = "flatten([for r in self.rule : [for t in r.transition : t.storage_class]])";
    assert_eq!(ask(&format!("{classes} == [\"STANDARD_IA\", \"GLACIER\", \"DEEP_ARCHIVE\"]")), "true");
    assert_eq!(ask("length(self.rule[1].expiration) == 0"), "true");
    assert_eq!(ask("length(self.rule[0].expiration) == 0"), UNKNOWN);
}

/// A bucket, and something that blocks public access to it, each with these arguments.
fn blocked(bucket: &str, block: &str, name: &str) -> ResourceGraph {
    graph(&format!(
        "variable \"unknown\" {{}}
        variable \"other\" {{}}
        resource \"aws_s3_bucket\" \"b\" {{
          {bucket}
          bucket = \"models\"
        }}
        resource \"aws_s3_bucket_public_access_block\" \"p\" {{
          {block}
          bucket                  = {name}
          block_public_acls       = true
          block_public_policy     = true
          ignore_public_acls      = true
          restrict_public_buckets = true
        }}
        resource \"aws_s3_bucket_versioning\" \"v\" {{
          {block}
          bucket = {name}
          versioning_configuration {{ status = \"Suspended\" }}
        }}"
    ))
}

#[test]
fn what_may_not_be_there_protects_nothing_for_certain() {
    const IF: &str = "count = var.unknown ? 1 : 0";
    const EACH: &str = "for_each = var.unknown";
    let absent = |address: &str| {
        format!("`{address}` may not be there: variable `unknown` has no default and no value")
    };
    let any = "`aws_s3_bucket_public_access_block.p` may be there for one of `aws_s3_bucket.b[?]` only";
    let p = "aws_s3_bucket_public_access_block.p[?]";
    for (bucket, block, name, expected) in [
        ("", "", "aws_s3_bucket.b.id", "true".to_owned()),
        ("", IF, "aws_s3_bucket.b.id", absent(p)),
        ("", EACH, "aws_s3_bucket.b.id", absent(p)),
        // There whenever the bucket is.
        (IF, IF, "aws_s3_bucket.b[0].id", "true".to_owned()),
        (IF, "", "aws_s3_bucket.b[0].id", "true".to_owned()),
        (EACH, EACH, "aws_s3_bucket.b[each.key].id", "true".to_owned()),
        (EACH, "for_each = aws_s3_bucket.b", "each.value.id", "true".to_owned()),
        // There on another condition, or for one bucket of many.
        (IF, "count = var.other ? 1 : 0", "aws_s3_bucket.b[0].id", absent(p).replace("unknown", "other")),
        (EACH, "", "aws_s3_bucket.b[\"x\"].id", any.to_owned()),
        ("count = var.unknown", "", "aws_s3_bucket.b[0].id", any.to_owned()),
    ] {
        let graph = blocked(bucket, block, name);
        let address = if bucket.is_empty() { "aws_s3_bucket.b" } else { "aws_s3_bucket.b[?]" };
        assert_eq!(ask(&graph, address, "facts.bucket.public_access_blocked"), expected, "{bucket}, {block}");
        // Without it the bucket is not versioned either.
        assert_eq!(ask(&graph, address, "facts.bucket.versioned"), "false", "{bucket}, {block}");
    }
}

#[test]
fn what_may_not_be_there_is_not_declared_for_certain() {
    let asked = |logging: &str| {
        let graph = graph(&format!(
            "variable \"unknown\" {{}}
            resource \"aws_bedrockagent_agent\" \"a\" {{}}
            resource \"aws_bedrock_model_invocation_logging_configuration\" \"l\" {{
              {logging}
            }}"
        ));
        ask(
            &graph,
            "aws_bedrockagent_agent.a",
            "declared(\"aws_bedrock_model_invocation_logging_configuration\")",
        )
    };
    assert_eq!(asked(""), "true");
    assert_eq!(asked("count = 1"), "true");
    assert_eq!(asked("count = 0"), "false");
    assert!(asked("count = var.unknown ? 1 : 0").contains("may not be there"));
}

#[test]
fn who_reads_a_finding_is_told_that_it_is_about_any_instance() {
    let source = "variable \"unknown\" {}\nresource \"aws_sagemaker_notebook_instance\" \"lab\" {\n  count = var.unknown\n}\n";
    let rules = RuleSet::builtin().unwrap();
    let report = airgate::analyze_text(&[("main.tf", source)], &rules, &Config::default()).unwrap();
    let failed: Vec<_> = report.findings.iter().filter(|finding| finding.verdict == Verdict::Fail).collect();
    assert!(!failed.is_empty());
    for finding in failed {
        assert_eq!(finding.resources[0].address, "aws_sagemaker_notebook_instance.lab[?]");
        let (site, said) = finding.related.last().unwrap();
        assert_eq!(report.sources.get(site.file).unwrap().slice(site.span), "var.unknown");
        assert_eq!(said, "how many there are is not known: this is said of any instance, if there is one");
    }
}

#[test]
fn a_module_that_may_not_be_there_protects_nothing_for_certain() {
    let protected = |count: &str| {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("expansion-module");
        std::fs::create_dir_all(dir.join("guard")).unwrap();
        let root = format!(
            "variable \"unknown\" {{}}
            resource \"aws_s3_bucket\" \"b\" {{ bucket = \"models\" }}
            module \"guard\" {{
              source = \"./guard\"
              {count}
              bucket = aws_s3_bucket.b.id
            }}"
        );
        let guard = "variable \"bucket\" { type = string }
            resource \"aws_s3_bucket\" \"own\" {}
            resource \"aws_s3_bucket_versioning\" \"v\" {
              for_each = { given = var.bucket, own = aws_s3_bucket.own.id }
              bucket   = each.value
              versioning_configuration { status = \"Enabled\" }
            }";
        std::fs::write(dir.join("main.tf"), root).unwrap();
        std::fs::write(dir.join("guard/main.tf"), guard).unwrap();
        let mut sources = Sources::default();
        let inputs = Inputs::read(&[dir], &RunOptions::default(), &mut sources).unwrap();
        let program = inputs.items[0].program(&inputs, &sources, &|_| true).unwrap();
        ResourceGraph::build(program)
    };
    let versioned = "facts.bucket.versioned";
    assert_eq!(ask(&protected(""), "aws_s3_bucket.b", versioned), "true");
    let graph = protected("count = var.unknown ? 1 : 0");
    let absent = "`module.guard[?]` may not be there: variable `unknown` has no default and no value";
    assert_eq!(ask(&graph, "aws_s3_bucket.b", versioned), absent);
    // What is in the module is there together.
    assert_eq!(ask(&graph, "module.guard[?].aws_s3_bucket.own", versioned), "true");
}

/// A bucket with a policy that begins with `Deny` of plain HTTP.
fn policy(count: &str, statements: &str) -> ResourceGraph {
    graph(&format!(
        "variable \"unknown\" {{}}
        resource \"aws_s3_bucket\" \"b\" {{}}
        resource \"aws_s3_bucket_policy\" \"p\" {{
          {count}
          bucket = aws_s3_bucket.b.id
          policy = data.aws_iam_policy_document.p.json
        }}
        data \"aws_iam_policy_document\" \"p\" {{
          statement {{
            effect    = \"Deny\"
            actions   = [\"s3:*\"]
            resources = [aws_s3_bucket.b.arn, \"${{aws_s3_bucket.b.arn}}/*\"]
            principals {{
              type        = \"*\"
              identifiers = [\"*\"]
            }}
            condition {{
              test     = \"Bool\"
              variable = \"aws:SecureTransport\"
              values   = [\"false\"]
            }}
          }}
          {statements}
        }}"
    ))
}

#[test]
fn a_statement_beside_an_unknown_dynamic_one_is_known() {
    let dynamic = |effect: &str| {
        format!(
            "dynamic \"statement\" {{
              for_each = var.unknown
              content {{
                effect    = \"{effect}\"
                actions   = [\"s3:GetObject\"]
                resources = [statement.value]
                principals {{
                  type        = \"AWS\"
                  identifiers = [\"123456789012\"]
                }}
              }}
            }}"
        )
    };
    let (tls, public) = ("facts.bucket.tls_only", "facts.bucket.public_policy");
    for statements in ["", &dynamic("Allow"), &dynamic("Deny")] {
        assert_eq!(ask(&policy("", statements), "aws_s3_bucket.b", tls), "true", "{statements}");
    }
    assert_eq!(ask(&policy("", ""), "aws_s3_bucket.b", public), "false");
    assert_eq!(ask(&policy("", &dynamic("Allow")), "aws_s3_bucket.b", public), UNKNOWN);
}

#[test]
fn a_policy_that_may_not_be_there_refuses_nothing_for_certain() {
    let asked = |count| ask(&policy(count, ""), "aws_s3_bucket.b", "facts.bucket.tls_only");
    let absent =
        "`aws_s3_bucket_policy.p[?]` may not be there: variable `unknown` has no default and no value";
    assert_eq!(asked("count = var.unknown ? 1 : 0"), absent);
    assert_eq!(asked("count = 1"), "true");
}

#[test]
fn elements_stay_known_beside_more_conditions_than_combine() {
    let open = |ranges: &str| {
        let group = group(&format!("ingress {{\n  from_port = 443\n  cidr_blocks = {ranges}\n}}"));
        ask(
            &group,
            "aws_security_group.g",
            "anytrue([for rule in self.ingress : anytrue([for range in rule.cidr_blocks : range == \"0.0.0.0/0\"])])",
        )
    };
    let perhaps = |range: &str| format!("var.unknown ? [\"{range}\"] : []");
    let several =
        |first: &str, range: &str| format!("concat([\"{first}\"], {})", vec![perhaps(range); 6].join(", "));
    assert_eq!(open(&several("0.0.0.0/0", "10.0.0.0/8")), "true");
    assert_eq!(open(&several("10.0.0.0/8", "10.1.0.0/16")), "false");
    assert_eq!(open(&several("10.0.0.0/8", "0.0.0.0/0")), UNKNOWN);
    assert_eq!(open(&format!("concat([\"10.0.0.0/8\"], {})", perhaps("10.1.0.0/16"))), "false");
}
