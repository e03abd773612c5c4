//! Pulumi's names of Terraform's resource types and attributes: a table for what is not a rule.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use smol_str::{SmolStr, SmolStrBuilder};

/// One line a resource type; see its first line.
const AWS: &str = include_str!("../../rules/catalog/pulumi/aws.csv");

/// The lines by token. A line is parsed when its type is met.
static TABLE: LazyLock<HashMap<&str, &str>> =
    LazyLock::new(|| AWS.lines().skip(1).filter_map(|line| line.split_once(',')).collect());

/// How a Pulumi resource type and its properties are called in Terraform.
#[derive(Debug, Default)]
pub(super) struct Mapping {
    /// `aws_s3_bucket`
    pub(super) type_name: SmolStr,
    /// Path of Pulumi names → Terraform name, where it is not the snake case.
    renames: HashMap<&'static str, &'static str>,
    /// Paths of Terraform names whose list of one block is a single object in Pulumi.
    single: HashSet<&'static str>,
    /// Paths of Terraform names whose keys are data.
    maps: HashSet<&'static str>,
}

impl Mapping {
    /// The mapping of a token: `aws:s3/bucket:Bucket`.
    pub(super) fn of(token: &str) -> Option<Self> {
        let mut fields = TABLE.get(token)?.split(',');
        let mut field = || fields.next().unwrap_or_default();
        let type_name = field().into();
        Some(Self {
            type_name,
            renames: list(field()).filter_map(|pair| pair.split_once('=')).collect(),
            single: list(field()).collect(),
            maps: list(field()).collect(),
        })
    }

    /// The Terraform name of the property at a path of Pulumi names.
    pub(super) fn name(&self, path: &str, property: &str) -> SmolStr {
        self.renames.get(path).map_or_else(|| snake_case(property), |name| SmolStr::new_static(name))
    }

    /// Whether the value at a path of Terraform names is a list of one block there.
    pub(super) fn is_single(&self, path: &str) -> bool {
        self.single.contains(path)
    }

    /// Whether the keys of the object at a path of Terraform names are data.
    pub(super) fn is_map(&self, path: &str) -> bool {
        matches!(path.rsplit('.').next(), Some("tags" | "tags_all")) || self.maps.contains(path)
    }
}

fn list(field: &str) -> impl Iterator<Item = &str> {
    field.split(';').filter(|item| !item.is_empty())
}

/// `kmsKeyId` → `kms_key_id`
fn snake_case(name: &str) -> SmolStr {
    let mut out = SmolStrBuilder::new();
    for (i, c) in name.char_indices() {
        if c.is_ascii_uppercase() && i > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_whole_and_sorted() {
        assert!(AWS.lines().is_sorted_by(|a, b| a.starts_with("token,") || a < b));
        for line in AWS.lines().skip(1) {
            let fields: Vec<_> = line.split(',').collect();
            let [token, type_name, renames, _, _] = fields.as_slice() else { panic!("{line}") };
            assert!(token.split(':').count() == 3 && type_name.starts_with("aws_"), "{line}");
            assert!(list(renames).all(|rename| rename.split('=').count() == 2), "{line}");
        }
    }

    #[test]
    fn names_follow_the_table_and_then_the_rule() {
        let map = Mapping::of(
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        );
        let map = map.unwrap();
        assert_eq!(map.type_name, "aws_s3_bucket_server_side_encryption_configuration");
        assert_eq!(map.name("rules", "rules"), "rule");
        assert_eq!(map.name("rules.bucketKeyEnabled", "bucketKeyEnabled"), "bucket_key_enabled");
        assert!(map.is_single("rule.apply_server_side_encryption_by_default"));
        assert!(Mapping::of("aws:none/such:Such").is_none());
    }
}
