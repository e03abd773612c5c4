//! What the objects of buckets are called, so that a pattern finds those that it covers without a look at each bucket.

use std::sync::OnceLock;

use crate::graph::{NodeId, ResourceGraph};
use crate::iam::{Text, cover};
use crate::program::Resource;

use super::access::{known_arn, referred_arn, with};

/// An object of each bucket, in each way that it can be said; found when first looked for.
#[derive(Debug, Default)]
pub(in crate::facts) struct Objects {
    /// By ARNs that are known.
    known: OnceLock<Vec<Object>>,
    /// By references to the buckets.
    referred: OnceLock<Vec<Object>>,
}

/// An object of a bucket.
#[derive(Debug)]
struct Object {
    /// [`cover::narrow`] of its ARN.
    narrow: String,
    bucket: NodeId,
}

/// What is below the ARN of each bucket.
const BELOW: &str = "/x";

impl Objects {
    /// Whether the pattern surely covers an object of a bucket that is none of `own`.
    pub(super) fn has_other(&self, graph: &ResourceGraph, pattern: &Text, own: &[NodeId]) -> bool {
        let on = cover::narrow(pattern);
        let end = memchr::memchr3(b'*', b'?', b'$', on.as_bytes());
        let begins = end.and_then(|end| on.get(..end)).unwrap_or(&on);
        // Only those are looked at that begin as the pattern does, or are what it says.
        let covers_one = |objects: &[Object], arn: fn(&Resource) -> Option<Text>| {
            let first = objects.partition_point(|it| it.narrow.as_str() < begins);
            let objects = objects.get(first..).unwrap_or_default();
            let is_it =
                |it: &Object| if end.is_none() { it.narrow == *on } else { it.narrow.starts_with(begins) };
            let count = objects.partition_point(is_it);
            // Copies of a module may name their buckets alike.
            let alike = objects.get(..count).unwrap_or_default().chunk_by(|a, b| a.narrow == b.narrow);
            let others = alike.filter_map(|them| them.iter().find(|it| !own.contains(&it.bucket)));
            let mut arns = others.filter_map(|it| arn(graph.resource(it.bucket)?));
            arns.any(|arn| cover::contains(pattern, &with(arn, BELOW), cover::Of::Resources) == Ok(true))
        };
        let known = self.known.get_or_init(|| sorted(graph, known_arn));
        let is_reference = begins.is_empty() || begins.starts_with(cover::MARK);
        covers_one(known, known_arn)
            || is_reference && {
                let arn = |it: &Resource| Some(referred_arn(it));
                covers_one(self.referred.get_or_init(|| sorted(graph, arn)), arn)
            }
    }
}

fn sorted(graph: &ResourceGraph, arn: fn(&Resource) -> Option<Text>) -> Vec<Object> {
    let buckets = graph.by_type("aws_s3_bucket").iter();
    let objects = buckets.filter_map(|&bucket| {
        let narrow = cover::narrow(&arn(graph.resource(bucket)?)?).into_owned() + BELOW;
        Some(Object { narrow, bucket })
    });
    let mut objects: Vec<Object> = objects.collect();
    objects.sort_unstable_by(|a, b| (&a.narrow, a.bucket).cmp(&(&b.narrow, b.bucket)));
    objects
}
