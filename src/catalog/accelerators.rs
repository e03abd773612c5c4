//! Which machines have an accelerator for AI: `rules/catalog/accelerators.csv`.

use std::collections::HashMap;
use std::sync::OnceLock;

const ACCELERATORS: &str = include_str!("../../rules/catalog/accelerators.csv");

/// What accelerates a machine of AWS, such as `p4d.24xlarge` or `ml.g5.xlarge`; [`None`] if nothing does.
pub fn accelerator(instance_type: &str) -> Option<&'static str> {
    static FAMILIES: OnceLock<HashMap<&'static str, &'static str>> = OnceLock::new();
    let families = FAMILIES
        .get_or_init(|| ACCELERATORS.lines().skip(1).filter_map(|line| line.split_once(',')).collect());
    // A whole family is written without a size where a service takes that.
    let family = instance_type.strip_prefix("ml.").unwrap_or(instance_type).split('.').next()?;
    families.get(family).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_told_by_the_part_before_the_size() {
        assert_eq!(accelerator("trn1.32xlarge"), Some("AWS Trainium"));
        assert_eq!(accelerator("ml.p4d.24xlarge"), accelerator("p4d"));
        for none in ["t3.micro", "p", "ml.m5.large", "g4ad.xlarge", ""] {
            assert_eq!(accelerator(none), None, "{none}");
        }
    }
}
