//! The identity of a finding that survives edits of the file it is in: rule, resource block and directory.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::fallback_path;
use crate::finding::{Finding, Report};
use crate::source::SourceFile;

/// The name under which SARIF and other tools keep it. The number changes with the recipe.
pub(super) const KEY: &str = "airgateResource/v1";

/// One fingerprint for each finding of the report, in its order, all different.
pub(super) fn fingerprints(report: &Report) -> Vec<String> {
    let mut seen: BTreeMap<[u8; 32], u32> = BTreeMap::new();
    let print = |finding: &Finding| {
        let first = digest(report, finding, 0);
        let nth = seen.entry(first).or_default();
        let own = if *nth == 0 { first } else { digest(report, finding, *nth) };
        *nth += 1;
        hex(&own)
    };
    report.findings.iter().map(print).collect()
}

fn digest(report: &Report, finding: &Finding, nth: u32) -> [u8; 32] {
    let rule = report.rules.get(finding.rule).map_or("", |rule| rule.id.as_str());
    let site_path = finding.site.and_then(|site| report.sources.get(site.file)).map(SourceFile::path);
    let path = site_path.unwrap_or_else(|| fallback_path(report));
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let blocks: BTreeSet<String> =
        finding.resources.iter().map(|subject| block_address(&subject.address)).collect();
    let mut hash = Sha256::new();
    for part in [rule, directory].into_iter().chain(blocks.iter().map(String::as_str)) {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    if nth > 0 {
        hash.update(nth.to_be_bytes());
    }
    hash.finalize().into()
}

/// The address without instance keys: all instances of a block have one identity.
fn block_address(address: &str) -> String {
    if address.starts_with("urn:") {
        return address.to_owned();
    }
    let mut block = String::with_capacity(address.len());
    let (mut in_key, mut in_string, mut escaped) = (false, false, false);
    for c in address.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' if in_key => in_string = !in_string,
            '[' if !in_key => in_key = true,
            ']' if !in_string => in_key = false,
            _ if in_key => {}
            c => block.push(c),
        }
    }
    block
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instance_keys_are_not_identity() {
        assert_eq!(
            block_address(r#"module.a["x"].module.b[0].aws_s3_bucket.raw["k]\"]y"]"#),
            "module.a.module.b.aws_s3_bucket.raw"
        );
        assert_eq!(block_address("aws_s3_bucket.raw[?]"), "aws_s3_bucket.raw");
        assert_eq!(
            block_address("urn:pulumi:dev::p::aws:s3/bucket:Bucket::b[0]"),
            "urn:pulumi:dev::p::aws:s3/bucket:Bucket::b[0]"
        );
    }
}
