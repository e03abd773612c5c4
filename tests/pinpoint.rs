//! A finding points at the part of an attribute that decides: the one block of many, the one entry of an object.

#![cfg(test)]

#[path = "common/program.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod program;

use program::Dir;
use serde_json::Value;

/// The only finding of a rule as `line: what is there`, and after it the lines that decide elsewhere.
#[track_caller]
fn found(rule: &str, source: &str) -> (String, Vec<u64>) {
    let run = Dir::of(source).run(&["check", "--select", rule, "--format", "json"]);
    let report: Value = serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{run:?}"));
    let findings = report["findings"].as_array().unwrap();
    let [finding] = findings.as_slice() else { panic!("{} findings", findings.len()) };
    assert_eq!(finding["verdict"], "fail");
    let related = finding["related"].as_array().unwrap();
    let decides = related.iter().filter(|it| it["label"] == "the value that decides");
    let lines = decides.map(|it| it["location"]["line"].as_u64().unwrap()).collect();
    (format!("{}: {}", finding["location"]["line"], finding["actual"].as_str().unwrap()), lines)
}

const HOST: &str = r#"
resource "aws_instance" "model" {
  ami                    = "ami-0123456789abcdef0"
  instance_type          = "g5.xlarge"
  vpc_security_group_ids = [aws_security_group.model.id]
}
"#;

#[test]
fn of_many_blocks_the_one_that_is_wrong_is_shown() {
    let source = r#"resource "aws_security_group" "model" {
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }

  ingress {
    from_port   = 11434
    to_port     = 11434
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
"#;
    let shown = r#"9: { cidr_blocks = ["0.0.0.0/0"], from_port = 11434, protocol = "tcp", to_port = 11434 }"#;
    assert_eq!(found("AWS-EC2-NET-001", &format!("{source}{HOST}")), (shown.to_owned(), Vec::new()));
}

/// A table that belongs to AI, with this in it from line 6.
fn table(recovery: &str) -> String {
    format!(
        "resource \"aws_dynamodb_table\" \"sessions\" {{\n  name     = \"sessions\"\n  hash_key = \"id\"\n\n  \
         tags = {{ ai-risk-tier = \"limited\" }}\n{recovery}\n}}\n"
    )
}

#[test]
fn the_attribute_of_a_block_that_decides_is_shown_with_the_way_of_its_value() {
    let recovery = "  point_in_time_recovery {\n    enabled = var.recoverable\n  }";
    let source = table(recovery) + "variable \"recoverable\" {\n  default = false\n}\n";
    assert_eq!(found("AWS-DDB-RSL-001", &source), ("7: false".to_owned(), vec![11]));
}

#[test]
fn what_is_not_written_is_told_by_its_name() {
    assert_eq!(found("AWS-DDB-RSL-001", &table("")), ("1: enabled = false (default)".to_owned(), Vec::new()));
}

#[test]
fn where_no_block_is_to_blame_all_are_shown() {
    // A block for the input is asked for: that there is none is the fault of neither of the others.
    let source = r#"resource "aws_sagemaker_endpoint_configuration" "fraud" {
  production_variants {
    variant_name           = "all"
    model_name             = "fraud"
    initial_instance_count = 2
    instance_type          = "ml.m5.large"
  }

  data_capture_config {
    enable_capture              = true
    initial_sampling_percentage = 100
    destination_s3_uri          = "s3://fraud-capture/live"

    capture_options {
      capture_mode = "Output"
    }

    capture_options {
      capture_mode = "Output"
    }
  }
}
"#;
    let (shown, _) = found("AWS-SM-MON-001", source);
    assert!(shown.starts_with("9: {"), "{shown}");
}
