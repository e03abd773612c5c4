//! What the objects of buckets are called, so that a pattern finds those that it covers without a look at each bucket.

use std::borrow::Cow;
use std::sync::OnceLock;

use foldhash::HashMap;
use smol_str::SmolStr;

use crate::graph::{NodeId, ResourceGraph};
use crate::iam::{Text, cover};
use crate::program::Resource;

use super::access::{BUCKET, known_arn, known_name, referred_arn};

/// An object of each bucket, in each way that it can be said; found when first looked for.
#[derive(Debug, Default)]
pub(in crate::facts) struct Objects {
    /// Nearly every pattern names its bucket.
    named: OnceLock<Named>,
    /// By ARNs that are known.
    known: OnceLock<Vec<Object>>,
    /// By references to the buckets.
    referred: OnceLock<Vec<Object>>,
}

/// An object of buckets that are called alike: copies of a module may name theirs so.
#[derive(Debug)]
struct Object {
    /// Its ARN.
    arn: Text,
    /// [`cover::narrow`] of that.
    narrow: SmolStr,
    buckets: Vec<NodeId>,
}

/// Buckets by their names.
#[derive(Debug, Default)]
struct Named {
    by_name: HashMap<SmolStr, Vec<NodeId>>,
    /// One has an ARN of another partition, or is called as none is: a pattern may name it and not say so.
    has_odd: bool,
}

/// What is below the ARN of each bucket.
const BELOW: &str = "/x";

impl Objects {
    /// Whether the pattern surely covers an object of a bucket that is none of `own`.
    pub(super) fn has_other(&self, graph: &ResourceGraph, pattern: &Text, own: &[NodeId]) -> bool {
        let on = cover::narrow(pattern);
        let end = memchr::memchr3(b'*', b'?', b'$', on.as_bytes());
        let begins = end.and_then(|end| on.get(..end)).unwrap_or(&on);
        let is_other = |bucket: &NodeId| !own.contains(bucket);
        // Only those are looked at that begin as the pattern does, or are what it says.
        let covers_one = |objects: &[Object]| {
            let first = objects.partition_point(|it| it.narrow.as_str() < begins);
            let objects = objects.iter().skip(first);
            let mut objects = objects.take_while(|it| match end {
                Some(_) => it.narrow.starts_with(begins),
                None => it.narrow == *on,
            });
            objects.any(|it| {
                it.buckets.iter().any(is_other)
                    && cover::contains(pattern, &it.arn, cover::Of::Resources) == Ok(true)
            })
        };
        let is_reference = begins.is_empty() || begins.starts_with(cover::MARK);
        let known =
            || covers_one(self.known.get_or_init(|| objects(graph, known_name, |it| known_arn(it, BELOW))));
        let referred =
            || self.referred.get_or_init(|| objects(graph, address, |it| Some(referred_arn(it, BELOW))));
        let Named { by_name, has_odd } = self.named.get_or_init(|| Named::of_graph(graph));
        let named = begins.strip_prefix(BUCKET).map(|rest| rest.split_once('/').map(|(name, _)| name));
        let found = match named {
            _ if *has_odd => None,
            Some(Some(name)) => {
                let others = by_name.get(name).is_some_and(|buckets| buckets.iter().any(is_other));
                let arn = || Text::Known([BUCKET, name, BELOW].concat().into());
                Some(others && cover::contains(pattern, &arn(), cover::Of::Resources) == Ok(true))
            }
            // A bucket is no object, and what begins otherwise is of something else.
            Some(None) if end.is_none() => Some(false),
            None if !BUCKET.starts_with(begins) => Some(false),
            _ => None,
        };
        debug_assert!(
            found.is_none_or(|found| found == known()),
            "{begins}: its name does not find a bucket as its ARN does"
        );
        let known = found.unwrap_or_else(known);
        known || is_reference && covers_one(referred())
    }
}

impl Named {
    fn of_graph(graph: &ResourceGraph) -> Self {
        let mut this = Self::default();
        for &bucket in graph.by_type("aws_s3_bucket") {
            let Some([before, name]) = graph.resource(bucket).and_then(known_name) else { continue };
            let name = if before.is_empty() { name.strip_prefix(BUCKET) } else { Some(name) };
            this.has_odd |= name.is_none_or(|name| name.contains(['/', '$', '*', '?', cover::MARK]));
            if let Some(name) = name {
                this.by_name.entry(name.into()).or_default().push(bucket);
            }
        }
        this
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a name may not be known")]
fn address(resource: &Resource) -> Option<[&str; 2]> {
    Some(["", &resource.address])
}

/// An object of each bucket that has a key, sorted; those with one key have one ARN.
fn objects<'g>(
    graph: &'g ResourceGraph,
    key: impl Fn(&'g Resource) -> Option<[&'g str; 2]>,
    arn: impl Fn(&Resource) -> Option<Text>,
) -> Vec<Object> {
    let mut alike: HashMap<[&str; 2], Vec<NodeId>> = HashMap::default();
    for &bucket in graph.by_type("aws_s3_bucket") {
        if let Some(key) = graph.resource(bucket).and_then(&key) {
            alike.entry(key).or_default().push(bucket);
        }
    }
    let objects = alike.into_values().filter_map(|buckets| {
        let arn = arn(graph.resource(*buckets.first()?)?)?;
        let narrow = match (cover::narrow(&arn), &arn) {
            (Cow::Borrowed(_), Text::Known(known)) => known.clone(),
            (narrow, _) => narrow.into(),
        };
        Some(Object { arn, narrow, buckets })
    });
    let mut objects: Vec<Object> = objects.collect();
    objects.sort_unstable_by(|a, b| a.narrow.cmp(&b.narrow));
    objects
}
