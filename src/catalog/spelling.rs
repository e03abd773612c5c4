//! Other spellings of the types that the catalog knows: `rules/catalog/awscc.csv`.
//!
//! The Cloud Control provider (`awscc`) makes the same resources as `aws`, with objects for blocks and other names for some
//! attributes. The graph brings them to the names of `aws`, so that the same rules judge them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

const AWSCC: &str = include_str!("../../rules/catalog/awscc.csv");

/// How another provider spells a type.
#[derive(Debug)]
pub struct Spelling {
    /// The type that the catalog knows it as.
    pub type_name: &'static str,
    /// By dotted path in the other spelling, without indexes: the name of its last part; empty where it means something
    /// else. What is not here is spelled alike.
    names: BTreeMap<&'static str, &'static str>,
}

impl Spelling {
    /// The name that the attribute at `path`, as the other provider spells it, has here; [`None`] if it means something
    /// else than what is called so here.
    pub fn name<'p>(&self, path: &'p str) -> Option<&'p str> {
        let name = self.names.get(path).copied().unwrap_or_else(|| path.rsplit('.').next().unwrap_or(path));
        (!name.is_empty()).then_some(name)
    }

    /// The whole dotted path here.
    pub fn path(&self, path: &str) -> Option<String> {
        let ends = path.match_indices('.').map(|(end, _)| end).chain([path.len()]);
        let names = ends.map(|end| self.name(path.get(..end).unwrap_or(path)));
        Some(names.collect::<Option<Vec<_>>>()?.join("."))
    }

    /// The attributes that are spelled in another way: path there and name here.
    pub fn names(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.names.iter().map(|(path, name)| (*path, *name))
    }
}

/// What `type_name` is here, if it is of another provider that makes the same.
pub fn spelling(type_name: &str) -> Option<&'static Spelling> {
    // Most types are no others, and none asks for the table then.
    type_name.starts_with("awscc_").then(|| spellings().get(type_name)).flatten()
}

/// All of them, by type; read on the first call.
pub fn spellings() -> &'static BTreeMap<&'static str, Spelling> {
    static ALL: OnceLock<BTreeMap<&'static str, Spelling>> = OnceLock::new();
    ALL.get_or_init(|| AWSCC.lines().skip(1).filter_map(parse).collect())
}

fn parse(line: &'static str) -> Option<(&'static str, Spelling)> {
    let mut fields = line.split(',');
    let (other, type_name, renames) = (fields.next()?, fields.next()?, fields.next()?);
    let names = renames.split(' ').filter(|rename| !rename.is_empty()).map(|rename| rename.split_once('='));
    Some((other, Spelling { type_name, names: names.collect::<Option<_>>()? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_understood() {
        assert_eq!(spellings().len(), AWSCC.lines().count() - 1);
    }

    #[test]
    fn a_path_is_renamed_part_by_part() {
        let bucket = spelling("awscc_s3_bucket").unwrap();
        assert_eq!(bucket.type_name, "aws_s3_bucket");
        assert_eq!(
            bucket
                .path("bucket_encryption.server_side_encryption_configuration.bucket_key_enabled")
                .as_deref(),
            Some("server_side_encryption_configuration.rule.bucket_key_enabled")
        );
        assert_eq!(bucket.path("tags").as_deref(), Some("tags"));
        assert!(spelling("awscc_sagemaker_pipeline").unwrap().path("pipeline_definition").is_none());
        assert!(spelling("aws_s3_bucket").is_none());
    }
}
