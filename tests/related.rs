//! What conditions see of other resources: `related`, `beside`, and that what was not looked at is never taken for absent.

#![cfg(test)]

#[path = "common/conditions.rs"]
mod conditions;

use conditions::{ask, graph};

const ENDPOINT: &str = r#"
variable "unknown" {}
resource "aws_sagemaker_model" "m" {
  name               = "m"
  execution_role_arn = "arn:aws:iam::111122223333:role/r"
}
resource "aws_sagemaker_endpoint_configuration" "c" {
  name = "c"
  production_variants {
    model_name             = aws_sagemaker_model.m.name
    initial_instance_count = 1
  }
}
resource "aws_sagemaker_endpoint" "e" {
  name                 = "e"
  endpoint_config_name = CONFIG
}
MORE
"#;

fn endpoint(config: &str, more: &str, condition: &str) -> String {
    let source = ENDPOINT.replace("CONFIG", config).replace("MORE", more);
    ask(&graph(&source), "aws_sagemaker_endpoint.e", condition)
}

#[test]
fn a_route_follows_names_forward() {
    const VARIANTS: &str = "alltrue(flatten([for c in related(\"-> aws_sagemaker_endpoint_configuration\") : \
                            [for v in c.production_variants : v.initial_instance_count > 1]]))";
    const MODELS: &str = "anytrue([for m in related(\"-> aws_sagemaker_endpoint_configuration -> aws_sagemaker_model\") : m.name == \"m\"])";
    const ANY: &str = "length(related(\"-> aws_sagemaker_endpoint_configuration\")) > 0";
    for (config, variants, models, any) in [
        ("aws_sagemaker_endpoint_configuration.c.name", "false", "true", "true"),
        ("\"c\"", "false", "true", "true"),
        ("null", "true", "false", "false"),
    ] {
        assert_eq!(endpoint(config, "", VARIANTS), variants, "{config}");
        assert_eq!(endpoint(config, "", MODELS), models, "{config}");
        assert_eq!(endpoint(config, "", ANY), any, "{config}");
    }
    let elsewhere = "`endpoint_config_name` of `aws_sagemaker_endpoint.e` names what is not in the input";
    assert_eq!(endpoint("\"other\"", "", VARIANTS), elsewhere);
    assert_eq!(endpoint("\"other\"", "", ANY), elsewhere);
    let unknown = "variable `unknown` has no default and no value";
    assert_eq!(endpoint("var.unknown", "", MODELS), unknown);
}

#[test]
fn a_route_follows_names_backward_through_what_is_between() {
    const SCHEDULED: &str = "length(related(\"<- aws_sagemaker_data_quality_job_definition \
                             <- aws_sagemaker_monitoring_schedule\")) > 0";
    let monitor = |endpoint: &str, count: &str| {
        format!(
            r#"
resource "aws_sagemaker_data_quality_job_definition" "d" {{
  name = "d"
  data_quality_job_input {{
    endpoint_input {{
      endpoint_name = {endpoint}
    }}
  }}
}}
resource "aws_sagemaker_monitoring_schedule" "s" {{
  {count}
  name = "s"
  monitoring_schedule_config {{
    monitoring_job_definition_name = aws_sagemaker_data_quality_job_definition.d.name
    monitoring_type                = "DataQuality"
  }}
}}
"#
        )
    };
    let ask = |more: &str| endpoint("\"c\"", more, SCHEDULED);
    assert_eq!(ask(""), "false");
    assert_eq!(ask(&monitor("aws_sagemaker_endpoint.e.name", "")), "true");
    assert_eq!(ask(&monitor("\"e\"", "")), "true");
    assert_eq!(ask(&monitor("\"another\"", "")), "false");
    assert_eq!(
        ask(&monitor("var.unknown", "")),
        "`aws_sagemaker_data_quality_job_definition.d` may name it: its \
         `data_quality_job_input.endpoint_input.endpoint_name` is not known"
    );
    let perhaps = ask(&monitor("\"e\"", "count = var.unknown ? 1 : 0"));
    assert!(perhaps.starts_with("`aws_sagemaker_monitoring_schedule.s[?]` may not be there"), "{perhaps}");
    let module =
        "module \"m\" {\n  source = \"example.com/m/aws\"\n  name = aws_sagemaker_endpoint.e.name\n}";
    assert!(ask(module).contains("module"), "{}", ask(module));
}

#[test]
fn what_is_in_the_same_account_and_region_is_beside() {
    const TRAIL: &str = "anytrue([for t in beside(\"aws_cloudtrail\") : t.is_multi_region_trail == true])";
    let ask = |trail: &str| endpoint("\"c\"", trail, TRAIL);
    let trail = |of: &str, rest: &str| {
        format!(
            "resource \"aws_cloudtrail\" \"t\" {{\n{of}\nname = \"t\"\ns3_bucket_name = \"b\"\n{rest}\n}}"
        )
    };
    assert_eq!(ask(""), "false");
    assert_eq!(ask(&trail("", "is_multi_region_trail = true")), "true");
    assert_eq!(ask(&trail("", "is_multi_region_trail = false")), "false");
    assert!(
        ask(&trail("count = var.unknown ? 1 : 0", "is_multi_region_trail = true"))
            .contains("may not be there")
    );
    assert_eq!(ask(&trail("count = var.unknown ? 1 : 0", "is_multi_region_trail = false")), "false");
    assert!(ask("module \"m\" {\n  source = \"example.com/m/aws\"\n}").contains("module"));
}

#[test]
fn production_is_what_the_environment_tag_says() {
    let asked = |tags: &str| {
        let source =
            format!("variable \"unknown\" {{}}\nresource \"aws_sagemaker_model\" \"m\" {{\n{tags}\n}}");
        ask(&graph(&source), "aws_sagemaker_model.m", "facts.production")
    };
    assert_eq!(asked("tags = { Environment = \"Production\" }"), "true");
    assert_eq!(asked("tags = { environment = \"dev\" }"), "false");
    assert_eq!(asked(""), "no `environment` tag says where it runs");
    assert!(asked("tags = { environment = var.unknown }").contains("variable `unknown`"));
}

#[test]
fn secrets_in_clear_are_entries_of_a_map() {
    let asked = |environment: &str| {
        let source = format!(
            "variable \"unknown\" {{}}
             resource \"aws_secretsmanager_secret\" \"s\" {{}}
             resource \"aws_lambda_function\" \"f\" {{
               function_name = \"f\"
               role          = \"r\"
               environment {{
                 variables = {environment}
               }}
             }}"
        );
        let condition = "length(flatten([for e in self.environment : secret_entries(e.variables)])) == 0";
        ask(&graph(&source), "aws_lambda_function.f", condition)
    };
    assert_eq!(asked("{ OPENAI_API_KEY = \"abc\" }"), "false");
    assert_eq!(asked("{ OPENAI_API_KEY = aws_secretsmanager_secret.s.arn, MODEL = \"m\" }"), "true");
    assert_eq!(asked("{ MODEL = var.unknown }"), "true");
    assert!(asked("{ OPENAI_API_KEY = var.unknown }").contains("variable `unknown`"));
    assert!(asked("var.unknown").contains("variable `unknown`"));
}
