//! The identity of a finding that survives edits of the file it is in: rule, resource block and directory.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use smol_str::SmolStr;

use super::{fallback_path, units};
use crate::finding::{Finding, Report, Subject};
use crate::program::InputKind;
use crate::source::SourceFile;

/// The name under which SARIF and other tools keep it. The number changes with the recipe.
pub(super) const KEY: &str = "airgateResource/v1";

/// And under which they keep what it was before the resource moved.
pub(super) const KEY_BEFORE: &str = "airgateResourceBefore/v1";

/// The identity of one finding.
pub(super) struct Fingerprint {
    pub(super) now: String,
    /// What it was before the change, if that moves its resources.
    pub(super) before: Option<String>,
}

/// One for each finding of the report, in its order, all different.
pub(super) fn fingerprints(report: &Report) -> Vec<Fingerprint> {
    let (mut seen, mut seen_before) = (BTreeMap::new(), BTreeMap::new());
    let now = |subject: &Subject| subject.address.clone();
    let before = |subject: &Subject| subject.moved_from.as_ref().unwrap_or(&subject.address).clone();
    let print = |finding: &Finding| {
        let was = own(report, finding, before, &mut seen_before);
        let is_moved = finding.resources.iter().any(|subject| subject.moved_from.is_some());
        let now = own(report, finding, now, &mut seen);
        Fingerprint { before: (is_moved && was != now).then_some(was), now }
    };
    report.findings.iter().map(print).collect()
}

/// The fingerprint by the addresses that `address` tells; of equal ones the second and the following are numbered.
fn own(
    report: &Report,
    finding: &Finding,
    address: fn(&Subject) -> SmolStr,
    seen: &mut BTreeMap<[u8; 32], u32>,
) -> String {
    let first = digest(report, finding, address, 0);
    let nth = seen.entry(first).or_default();
    let own = if *nth == 0 { first } else { digest(report, finding, address, *nth) };
    *nth += 1;
    hex(&own)
}

fn digest(report: &Report, finding: &Finding, address: fn(&Subject) -> SmolStr, nth: u32) -> [u8; 32] {
    let rule = report.rules.get(finding.rule).map_or("", |rule| rule.id.as_str());
    let site_path = finding.site.and_then(|site| report.sources.get(site.file)).map(SourceFile::path);
    let path = site_path.unwrap_or_else(|| fallback_path(report));
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let blocks: BTreeSet<String> =
        finding.resources.iter().map(|subject| block_address(&address(subject))).collect();
    // Binary plans hold their sources: those of several units have the same paths.
    let is_plan = |unit: &&str| {
        report.inputs.iter().any(|input| input.unit == *unit && input.kind != InputKind::TerraformSource)
    };
    let units = units(&finding.resources).into_iter().filter(is_plan);
    let mut hash = Sha256::new();
    for part in [rule, directory].into_iter().chain(blocks.iter().map(String::as_str)).chain(units) {
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
    let mut rest = address;
    while let Some((before, after)) = rest.split_once('[') {
        block.extend(before.split(']'));
        rest = after_key(after);
    }
    block.extend(rest.split(']'));
    block
}

/// What follows the instance key that `text` begins with, behind its bracket.
fn after_key(text: &str) -> &str {
    let (mut in_string, mut escaped) = (false, false);
    let end = text.bytes().position(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b']' => return !in_string,
            _ => {}
        }
        false
    });
    end.and_then(|end| text.get(end + 1..)).unwrap_or_default()
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
            block_address("module.a[\"ß[0]\"].aws_s3_bucket.raw]x[\"open"),
            "module.a.aws_s3_bucket.rawx"
        );
        assert_eq!(
            block_address("urn:pulumi:dev::p::aws:s3/bucket:Bucket::b[0]"),
            "urn:pulumi:dev::p::aws:s3/bucket:Bucket::b[0]"
        );
    }
}
