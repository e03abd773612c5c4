//! Why a file is no input, and what to do about it.

use std::fmt;

use super::roots::{PLAN_UNITS, is_of_terragrunt};

/// Why a file is not an input.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InputError {
    /// Nothing in it.
    #[error("{path} is empty: the command that should have written it failed")]
    Empty {
        /// The file.
        path: String,
    },
    /// Not text.
    #[error("{path} is not UTF-8 text")]
    NotText {
        /// The file.
        path: String,
    },
    /// A zip archive, as a plan of `terraform plan -out` is one, that is not read.
    #[error(
        "{path} is a zip archive like a binary plan, but {reason}: \
         run `terraform show -json {path}` and check what that prints"
    )]
    BinaryPlan {
        /// The file.
        path: String,
        /// Why it is not read.
        reason: String,
    },
    /// A gzip file.
    #[error("{path} is compressed with gzip: run `gzip -dc {path}` and check what that prints")]
    Gzip {
        /// The file.
        path: String,
    },
    /// The file is too large for 32-bit offsets.
    #[error("{path} has 4 GiB or more: airgate reads no file of that size")]
    TooLarge {
        /// The file.
        path: String,
    },
    /// More values than a file of that size, or any file, has.
    #[error(
        "{path} holds {values} values: a document with so many is no plan and no state, and airgate reads none"
    )]
    TooMany {
        /// The file.
        path: String,
        /// About how many.
        values: usize,
    },
    /// JSON that stops in the middle.
    #[error("{path} ends in the middle of its JSON, at line {line}, column {column}: write the file anew")]
    Truncated {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Not JSON.
    #[error("{path} is not valid JSON at line {line}, column {column}: {reason}")]
    Invalid {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// JSON of another tool or command.
    #[error("{path} is {found}: {advice}")]
    Other {
        /// The file.
        path: String,
        /// What it is.
        found: Found,
        /// What to do.
        advice: &'static str,
    },
    /// A version that airgate does not read.
    #[error("{path} is {what} of version {version}; airgate reads {known}")]
    Version {
        /// The file.
        path: String,
        /// What it is.
        what: &'static str,
        /// Its version.
        version: String,
        /// Which versions are read, and what to do.
        known: &'static str,
    },
    /// An object that tells nothing.
    #[error("{path} is a JSON object of no known kind (its first keys are {keys}): {ADVICE}")]
    Unknown {
        /// The file.
        path: String,
        /// Its first keys, for people.
        keys: String,
    },
}

/// JSON that people take for a plan.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is what `as_str` says")]
pub enum Found {
    StreamingPlan,
    ProviderSchema,
    Outputs,
    Validation,
    Source,
    PulumiEvents,
    PulumiSummary,
    PulumiUpdatePlan,
    CloudFormation,
    AzureTemplate,
    HumanPlan,
    Surrounded,
    Encrypted,
    RunTask,
    Variables,
    TerragruntUnit,
    PulumiProject,
    Array,
    Scalar,
    EmptyObject,
}

const ADVICE: &str = "give a plan (`terraform show -json PLAN`), a state, a `pulumi preview --json` or a `pulumi stack export`";

impl Found {
    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StreamingPlan => "the streaming output of `terraform plan -json`",
            Self::ProviderSchema => "the output of `terraform providers schema -json`",
            Self::Outputs => "the output of `terraform output -json`",
            Self::Validation => "the output of `terraform validate -json`",
            Self::Source => "Terraform source in JSON syntax",
            Self::PulumiEvents => "a log of Pulumi engine events",
            Self::PulumiSummary => "the summary that `pulumi preview --output json` prints",
            Self::PulumiUpdatePlan => "a plan of `pulumi preview --save-plan`",
            Self::CloudFormation => "a CloudFormation template",
            Self::AzureTemplate => "an Azure Resource Manager template",
            Self::HumanPlan => "a plan or state as text for people",
            Self::Surrounded => "a plan or state with other text before it, such as lines of a log",
            Self::Encrypted => "a plan or state that OpenTofu has encrypted",
            Self::RunTask => "the request of an HCP Terraform run task",
            Self::Variables => "a file of values for variables",
            Self::TerragruntUnit => "a unit or stack of Terragrunt",
            Self::PulumiProject => "a Pulumi project or the configuration of a stack",
            Self::Array => "a JSON array",
            Self::Scalar => "a single JSON value",
            Self::EmptyObject => "an empty JSON object",
        }
    }

    /// What a file of that name is, whatever is in it.
    pub(super) fn by_name(name: &str) -> Option<Self> {
        let ends = |all: &[&str]| all.iter().any(|end| name.ends_with(end));
        if ends(&[".tfvars", ".tfvars.json"]) {
            Some(Self::Variables)
        } else if is_of_terragrunt(name) {
            Some(Self::TerragruntUnit)
        } else if name.starts_with("Pulumi.") && ends(&[".yaml", ".yml"]) {
            Some(Self::PulumiProject)
        } else {
            None
        }
    }

    /// Whether somebody meant a plan or preview.
    pub(super) const fn is_of_plan(self) -> bool {
        matches!(
            self,
            Self::StreamingPlan
                | Self::HumanPlan
                | Self::Surrounded
                | Self::Encrypted
                | Self::RunTask
                | Self::PulumiEvents
                | Self::PulumiSummary
                | Self::PulumiUpdatePlan
        )
    }

    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::StreamingPlan => "save a plan with `-out=PLAN` and use `terraform show -json PLAN`",
            Self::HumanPlan => "use `terraform show -json PLAN`",
            Self::Surrounded => {
                "write nothing but the standard output of `terraform show -json PLAN` to the file"
            }
            Self::Encrypted => {
                "use `tofu show -json` where the encryption is configured: it prints the content in clear"
            }
            Self::RunTask => "check what its `plan_json_api_url` gives",
            Self::Variables => "name the directory of the module, and this file with `--var-file`",
            Self::TerragruntUnit => PLAN_UNITS,
            Self::Outputs => "use `terraform show -json` for the whole state",
            Self::Source => "name its directory instead of the file",
            Self::PulumiEvents | Self::PulumiSummary | Self::PulumiUpdatePlan | Self::PulumiProject => {
                "use `pulumi preview --json --show-sames` or `pulumi stack export`"
            }
            Self::EmptyObject => "the command that wrote it failed; look at its messages",
            _ => ADVICE,
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
