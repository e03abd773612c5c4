//! What tags do beyond single rules: the risk tier moves severities, and the configuration limits tags.

#![cfg(test)]

use std::path::Path;

use airgate::config::Config;
use airgate::finding::{Finding, Report, Severity, Verdict};
use airgate::report::{Format, Options, write};
use airgate::rules::RuleSet;

/// An endpoint that captures nothing: AWS-SM-MON-001, medium by itself.
fn endpoint(tags: &str) -> String {
    format!(
        "resource \"aws_sagemaker_endpoint_configuration\" \"fraud\" {{\n  name = \"fraud\"\n  production_variants {{\n    \
         model_name = \"fraud\"\n    instance_type = \"ml.m5.large\"\n    initial_instance_count = 1\n  }}\n  \
         tags = {{ {tags} }}\n}}\n"
    )
}

fn check(text: &str, config: &str) -> Report {
    let config = Config::parse(config, Path::new("airgate.toml")).unwrap();
    airgate::analyze_text(&[("main.tf", text)], &RuleSet::builtin().unwrap(), &config).unwrap()
}

fn failed<'r>(report: &'r Report, id: &str) -> Vec<&'r Finding> {
    let is_it = |finding: &&Finding| report.rules[finding.rule].id == id && finding.verdict == Verdict::Fail;
    report.findings.iter().filter(is_it).collect()
}

/// The severity of the finding of a rule, and why it is that.
fn severity(report: &Report, id: &str) -> (Severity, String) {
    let found = failed(report, id);
    let [finding] = found[..] else { panic!("{id}: {} findings", found.len()) };
    (finding.severity, finding.moved.as_ref().map(ToString::to_string).unwrap_or_default())
}

const CAPTURE: &str = "AWS-SM-MON-001";
const KEY: &str = "AWS-SM-ENC-003";

#[test]
fn the_risk_tier_moves_what_watches_and_not_what_encrypts() {
    let own = {
        let report = check(&endpoint(""), "");
        (severity(&report, CAPTURE).0, severity(&report, KEY).0)
    };
    let of = |tier: &str, config: &str| {
        let report = check(&endpoint(&format!("ai-risk-tier = \"{tier}\"")), config);
        assert_eq!(severity(&report, KEY), (own.1, String::new()), "a key is as needed in any tier");
        severity(&report, CAPTURE)
    };
    assert_eq!(of("High", ""), (own.0.raised(), "raised: ai-risk-tier = high".to_owned()));
    assert_eq!(of("minimal", ""), (own.0.lowered(), "lowered: ai-risk-tier = minimal".to_owned()));
    assert_eq!(of("limited", ""), (own.0, String::new()));
    let raise = "[severity]\nrisk-tier = 'raise'\n";
    assert_eq!(of("minimal", raise), (own.0, String::new()));
    assert_eq!(of("high", raise).0, own.0.raised());
    assert_eq!(of("high", "[severity]\nrisk-tier = 'off'\n"), (own.0, String::new()));
}

#[test]
fn a_resource_without_a_tier_is_raised_by_the_ai_that_uses_it() {
    let bucket = "resource \"aws_s3_bucket\" \"corpus\" {\n  bucket = \"corpus\"\n}\n";
    let of = |tier: &str| {
        let text = format!(
            "{bucket}resource \"aws_sagemaker_model\" \"fraud\" {{\n  name = \"fraud\"\n  execution_role_arn = \"arn:aws:iam::111122223333:role/m\"\n  \
             primary_container {{\n    image = \"x\"\n    model_data_url = \"s3://${{aws_s3_bucket.corpus.id}}/m.tar.gz\"\n  }}\n  \
             tags = {{ ai-risk-tier = \"{tier}\" }}\n}}\n"
        );
        severity(&check(&text, ""), "AWS-S3-LOG-002")
    };
    let own = of("limited");
    assert_eq!(own.1, "");
    assert_eq!(
        of("high"),
        (own.0.raised(), "raised: ai-risk-tier = high of aws_sagemaker_model.fraud".to_owned())
    );
    assert_eq!(of("minimal"), own, "another system of a higher tier may use it too");
}

#[test]
fn counts_gates_and_formats_go_by_the_severity_of_the_finding() {
    let report = check(&endpoint("ai-risk-tier = \"high\""), "[rules]\nselect = ['monitoring']\n");
    let report_of_rule = report.rules.iter().find(|rule| rule.id == CAPTURE).unwrap();
    let moved = report_of_rule.severity.raised();
    assert_eq!(severity(&report, CAPTURE).0, moved);
    let worst = report.findings.iter().filter(|finding| finding.verdict == Verdict::Fail).count();
    assert_eq!(report.summary.fail.values().sum::<usize>(), worst);
    assert!(report.summary.fail.get(&moved).is_some_and(|count| *count > 0), "{:?}", report.summary.fail);
    let text = |format| {
        let mut out = Vec::new();
        write(&report, format, &Options::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let why = "raised: ai-risk-tier = high";
    assert!(text(Format::Human).contains(&format!("{moved} severity ({why})")));
    assert!(text(Format::Markdown).contains(&format!("| {moved}, {why} |")));
    let json: serde_json::Value = serde_json::from_str(&text(Format::Json)).unwrap();
    let finding = json["findings"].as_array().unwrap().iter().find(|it| it["rule"] == CAPTURE).unwrap();
    assert_eq!(
        (finding["severity"].as_str(), finding["severity_reason"].as_str()),
        (Some(moved.as_str()), Some(why))
    );
    let sarif: serde_json::Value = serde_json::from_str(&text(Format::Sarif)).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let result = results.iter().find(|it| it["ruleId"] == CAPTURE).unwrap();
    assert_eq!(result["level"], "error");
    assert!(result["properties"]["security-severity"].is_string());
    assert_eq!(result["properties"]["severityReason"], why);
}

#[test]
fn tags_are_limited_for_all_and_for_a_role() {
    let config = "[tags.pattern]\nsystem-id = '^[a-z]+-[0-9]+$'\n[tags.allowed]\nenvironment = ['prod', 'dev']\n\
                  [tags.synonyms]\nenvironment = ['Stage']\n\
                  [tags.roles.inference-endpoint]\nrequired = ['approved-by']\nallowed.environment = ['prod']\n";
    let message = |tags: &str, id: &str| -> Vec<String> {
        failed(&check(&endpoint(tags), config), id).iter().map(|finding| finding.message.clone()).collect()
    };
    assert_eq!(
        message("system-id = \"Fraud\", Stage = \"dev\"", "ANY-TAG-GOV-006"),
        [
            "the tag environment = dev is not one of prod, and the tag system-id = Fraud does not match ^[a-z]+-[0-9]+$"
        ]
    );
    assert!(message("system-id = \"fraud-1\", environment = \"prod\"", "ANY-TAG-GOV-006").is_empty());
    assert_eq!(
        message("environment = \"prod\"", "ANY-TAG-GOV-007"),
        ["the resource lacks approved-by, which its class must have"]
    );
    assert!(message("approved-by = \"board\"", "ANY-TAG-GOV-007").is_empty());
}

#[test]
fn what_one_place_of_a_provider_mends_is_told_once_for_it() {
    let endpoint = |name: &str, more: &str| {
        format!(
            "resource \"aws_sagemaker_endpoint\" \"{name}\" {{\n  name = \"{name}\"\n  endpoint_config_name = \"x\"\n{more}}}\n"
        )
    };
    let providers = "provider \"aws\" {\n  region = \"eu-west-1\"\n}\nprovider \"aws\" {\n  alias = \"other\"\n  region = \"eu-west-1\"\n}\n";
    let promised = "  tags = { data-residency = \"EU\" }\n";
    let text = [
        providers.to_owned(),
        endpoint("a", promised),
        endpoint("b", ""),
        endpoint("c", ""),
        endpoint("d", "  provider = aws.other\n"),
    ]
    .concat();
    let report = check(&text, "");
    let found: Vec<(String, usize)> = failed(&report, "ANY-TAG-GOV-005")
        .iter()
        .map(|finding| {
            let addresses: Vec<&str> = finding.resources.iter().map(|it| it.address.as_str()).collect();
            (addresses.join(","), finding.related.len())
        })
        .collect();
    let of = |name: &str, others| (format!("aws_sagemaker_endpoint.{name}"), others);
    assert_eq!(found, [of("b", 1), of("d", 0)], "`a` says where it may be, and `c` is told with `b`");
}

#[test]
fn of_missing_tags_those_are_told_that_are_certainly_missing() {
    let source = endpoint("Environment = var.stage") + "variable \"stage\" {}\n";
    let report = check(&source, "");
    let [finding] = failed(&report, "ANY-TAG-GOV-001")[..] else { panic!("one finding") };
    assert_eq!(finding.message, "the resource lacks owner, system-id, purpose");

    // Nothing is certain: those that may be missing.
    let all = "owner = \"a\", system-id = \"b\", purpose = \"c\", Environment = var.stage";
    let source = endpoint(all) + "variable \"stage\" {}\n";
    let report = check(&source, "");
    let is_it = |finding: &&Finding| report.rules[finding.rule].id == "ANY-TAG-GOV-001";
    let found: Vec<_> = report.findings.iter().filter(is_it).collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message, "cannot tell whether the resource lacks environment");
}

/// A function as which role it runs, what that may do, and what there is besides.
fn caller(statement: &str, more: &str) -> String {
    format!(
        "provider \"aws\" {{\n  region = \"eu-central-1\"\n}}\n\
         resource \"aws_lambda_function\" \"chat\" {{\n  function_name = \"chat\"\n  role = aws_iam_role.chat.arn\n}}\n\
         resource \"aws_iam_role\" \"chat\" {{\n  name = \"chat\"\n  assume_role_policy = jsonencode({{ Statement = [{{ Effect = \"Allow\", \
         Action = \"sts:AssumeRole\", Principal = {{ Service = \"lambda.amazonaws.com\" }} }}] }})\n}}\n\
         resource \"aws_iam_role_policy\" \"chat\" {{\n  role = aws_iam_role.chat.id\n  \
         policy = jsonencode({{ Statement = [{{ Effect = \"Allow\", {statement} }}] }})\n}}\n{more}"
    )
}

/// What is said of invocation logging: the verdict, and the first cause.
fn logging(text: &str) -> Vec<(Verdict, String)> {
    let report = check(text, "");
    let is_it = |finding: &&Finding| report.rules[finding.rule].id == "AWS-BED-LOG-001";
    let cause = |finding: &Finding| finding.causes.first().cloned().unwrap_or_default();
    report.findings.iter().filter(is_it).map(|finding| (finding.verdict, cause(finding))).collect()
}

const INVOKES: &str = "Action = \"bedrock:InvokeModel\"";

#[test]
fn a_workload_that_calls_models_by_name_uses_them_where_it_calls() {
    let fails = [(Verdict::Fail, String::new())];
    let passes = [(Verdict::Pass, String::new())];
    let log = |provider: &str| {
        format!(
            "provider \"aws\" {{\n  alias = \"us\"\n  region = \"us-east-1\"\n}}\n\
             resource \"aws_bedrock_model_invocation_logging_configuration\" \"all\" {{\n  {provider}\n  \
             logging_config {{\n    s3_config {{\n      bucket_name = \"b\"\n    }}\n  }}\n}}\n"
        )
    };
    let every = format!("{INVOKES}, Resource = \"*\"");
    let of = |region: &str| format!("{INVOKES}, Resource = \"arn:aws:bedrock:{region}::foundation-model/m\"");
    let (here, there) = (log(""), log("provider = aws.us"));
    assert_eq!(logging(&caller(&every, "")), fails);
    assert_eq!(logging(&caller(&every, &here)), passes);
    let open = (Verdict::Undetermined, "the policy does not say which region it calls".to_owned());
    assert_eq!(logging(&caller(&every, &there)), [open]);
    assert_eq!(logging(&caller(&of("eu-central-1"), &there)), fails, "it says so");
    assert_eq!(logging(&caller(&of("us-east-1"), &there)), passes, "it is logged where it calls");
    assert_eq!(logging(&caller(&of("us-east-1"), &here)), fails, "and only there");
    let several = format!(
        "{INVOKES}, Resource = [\"arn:aws:bedrock:us-east-1::foundation-model/m\", \"arn:aws:bedrock:us-west-2::foundation-model/m\"]"
    );
    let which = "in which region it calls models is not told".to_owned();
    assert_eq!(logging(&caller(&several, "")), [(Verdict::Undetermined, which)]);
    let profile =
        several.replace(" = [", " = [\"arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.m\", ");
    assert_eq!(logging(&caller(&profile, &there)), passes, "a profile leads on from where it is called");
    assert_eq!(logging(&caller(&profile, &here)), fails);
}

#[test]
fn who_only_may_do_whatever_there_is_is_no_sign_of_models() {
    let report = check(&caller(&format!("{INVOKES}, Resource = \"*\""), ""), "");
    let found = failed(&report, "AWS-BED-LOG-001");
    let told =
        "`aws_iam_role.chat` → `aws_iam_role_policy.chat` → `statement 1` → `bedrock:InvokeModel` on `*`";
    assert_eq!(found.first().and_then(|finding| finding.actual.as_deref()), Some(told));
    let labels: Vec<&str> =
        found.iter().flat_map(|it| &it.related).map(|(_, label)| label.as_str()).collect();
    assert_eq!(labels, ["the statement that lets it call models", "`aws_lambda_function.chat` runs as it"]);

    assert_eq!(logging(&caller("Action = \"*\", Resource = \"*\"", "")), []);
    assert_eq!(logging(&caller("Action = \"bedrock:List*\", Resource = \"*\"", "")), []);
    let vague = "its policies name all of Bedrock, and not that it calls models".to_owned();
    assert_eq!(
        logging(&caller("Action = \"bedrock:*\", Resource = \"*\"", "")),
        [(Verdict::Undetermined, vague)]
    );
    let starts = caller(&format!("{INVOKES}, Resource = \"*\""), "")
        .replace("\"aws_lambda_function\"", "\"aws_ecs_task_definition\"")
        .replace("role = aws_iam_role.chat.arn", "execution_role_arn = aws_iam_role.chat.arn")
        .replace("lambda.amazonaws.com", "bedrock.amazonaws.com");
    assert_eq!(logging(&starts), [], "what Bedrock acts as is asked where that is");
}

#[test]
fn pods_of_a_cluster_call_models_in_a_region_that_nothing_tells() {
    let role = |subject: &str| {
        format!(
            "resource \"aws_iam_role\" \"pod\" {{\n  assume_role_policy = jsonencode({{ Statement = [{{ Effect = \"Allow\", \
             Action = \"sts:AssumeRoleWithWebIdentity\", Principal = {{ Federated = \"arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A\" }}, \
             Condition = {{ StringEquals = {{ \"oidc.eks.eu-west-1.amazonaws.com/id/A:sub\" = \"{subject}\" }} }} }}] }})\n  \
             inline_policy {{\n    name = \"p\"\n    policy = jsonencode({{ Statement = [{{ Effect = \"Allow\", {INVOKES}, Resource = \"*\" }}] }})\n  }}\n}}\n"
        )
    };
    let which = "in which region it calls models is not told".to_owned();
    assert_eq!(logging(&role("system:serviceaccount:ai:chat")), [(Verdict::Undetermined, which)]);
    assert_eq!(logging(&role("repo:org/repo")), [], "who is no service account is nobody that runs here");
}
