//! Policies that AWS manages: what `rules/iam/managed.tsv` holds of them, each read when it is first asked for.

use std::sync::{Arc, LazyLock, OnceLock};

use super::document::{Effect, Policy};
use crate::value::{Cause, Value};

/// The table; `rules/iam/README.md` says what its columns are.
const TABLE: &str = include_str!("../../rules/iam/managed.tsv");

/// Names of policies that are not in the table, and are known to deny nothing.
const OTHERS: &str = include_str!("../../rules/iam/others.txt");

/// A name, and what is known of the policy: made when it is first asked for.
type Other = (&'static str, OnceLock<Arc<Policy>>);

static NAMES: LazyLock<Vec<Other>> =
    LazyLock::new(|| OTHERS.lines().map(|name| (name, OnceLock::new())).collect());

/// What is known of a policy of AWS by its name.
pub fn policy(name: &str) -> Arc<Policy> {
    if let Some(managed) = Managed::named(name) {
        return managed.policy().clone();
    }
    let known = NAMES.binary_search_by_key(&name, |(known, _)| known).ok().and_then(|at| NAMES.get(at));
    match known {
        Some((_, policy)) => policy.get_or_init(|| unknown(name, Some(Effect::Allow))).clone(),
        None => unknown(name, None),
    }
}

/// A policy of which only the name is known, and perhaps that it denies nothing.
fn unknown(name: &str, effect: Option<Effect>) -> Arc<Policy> {
    let cause = format!("what the AWS policy `{name}` says is unknown content");
    Arc::new(Policy::unknown(Cause::Other(cause.into()), effect))
}

/// A policy that AWS manages.
#[derive(Debug)]
pub struct Managed {
    /// `AmazonBedrockFullAccess`
    pub name: &'static str,
    /// What follows `policy/` in its ARN.
    pub path: &'static str,
    /// AWS's number of the version: `v10`.
    pub version: &'static str,
    /// The day that the version was made.
    pub date: &'static str,
    text: &'static str,
    policy: OnceLock<Arc<Policy>>,
}

static ALL: LazyLock<Vec<Managed>> = LazyLock::new(|| {
    let one = |line: &'static str| {
        let mut columns = line.splitn(5, '\t');
        Some(Managed {
            name: columns.next()?,
            path: columns.next()?,
            version: columns.next()?,
            date: columns.next()?,
            text: columns.next()?,
            policy: OnceLock::new(),
        })
    };
    // The lines are long.
    let ends = memchr::memchr_iter(b'\n', TABLE.as_bytes());
    let starts = std::iter::once(0).chain(ends.clone().map(|end| end + 1));
    starts.zip(ends).filter_map(|(start, end)| one(TABLE.get(start..end)?)).collect()
});

impl Managed {
    /// The policy of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.binary_search_by(|it| it.name.cmp(name)).ok().and_then(|at| ALL.get(at))
    }

    /// All of them, sorted by name.
    pub fn all() -> &'static [Self] {
        &ALL
    }

    /// What it says.
    pub fn policy(&self) -> &Arc<Policy> {
        self.policy.get_or_init(|| Arc::new(Policy::read(&Value::string(self.text))))
    }
}

/// The name of the policy that an ARN is of, if AWS manages it: `arn:aws:iam::aws:policy/job-function/DataScientist`.
pub fn name_of(arn: &str) -> Option<&str> {
    let (_partition, rest) = arn.strip_prefix("arn:")?.split_once(':')?;
    let (_region, rest) = rest.strip_prefix("iam:")?.split_once(':')?;
    rest.strip_prefix("aws:policy/")?.rsplit('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_is_read_whole_and_has_a_date() {
        assert!(Managed::all().len() > 180);
        assert!(Managed::all().is_sorted_by(|a, b| a.name < b.name), "they are searched by name");
        for it in Managed::all() {
            let [document] = &it.policy().alternatives[..] else { panic!("{} is one document", it.name) };
            assert_eq!(document.unread, None, "{}", it.name);
            assert_eq!(document.faults, Vec::<&str>::new(), "{}", it.name);
            assert!(!document.statements.is_empty() && it.path.ends_with(it.name), "{}", it.name);
            assert!(
                it.version.starts_with('v') && it.date.len() == 10 && it.date.starts_with("20"),
                "{}",
                it.name
            );
        }
    }

    #[test]
    fn a_name_is_that_of_an_arn_of_aws() {
        assert_eq!(name_of("arn:aws:iam::aws:policy/job-function/DataScientist"), Some("DataScientist"));
        assert_eq!(name_of("arn:aws-us-gov:iam::aws:policy/ReadOnlyAccess"), Some("ReadOnlyAccess"));
        assert_eq!(name_of("arn:aws:iam::111122223333:policy/ReadOnlyAccess"), None);
        assert!(Managed::named("AmazonBedrockFullAccess").is_some());
        assert!(Managed::named("NoSuchPolicy").is_none());
    }

    #[test]
    fn of_another_it_is_known_whether_it_may_deny() {
        assert!(NAMES.is_sorted_by_key(|(name, _)| name) && NAMES.len() > 1000);
        let effect = |name: &str| policy(name).alternatives[0].statements[0].effect.clone().ok();
        assert_eq!(effect("AlexaForBusinessReadOnlyAccess"), Some(Effect::Allow));
        assert_eq!(effect("AWSDenyAll"), None);
    }
}
