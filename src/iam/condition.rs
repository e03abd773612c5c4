//! The tests of a statement: operators of the `Condition` element, and what a test takes away.
//!
//! Facts of the language: names of keys and operators ignore case; a key that is not in the request does not match, but a
//! negated operator holds then, and so does any with `IfExists`; `ForAllValues` holds of a key that is not there.

use smol_str::SmolStr;

use super::document::List;
use super::pattern::action_covers;
use super::text::Text;
use super::told::{Told, any, both};
use crate::value::Cause;

/// The tests of a statement: all must hold.
#[derive(Clone, Debug, Default)]
pub struct Condition {
    /// Those that are known to be there.
    pub tests: Vec<Test>,
    /// Why there may be more.
    pub more: Option<Box<Cause>>,
}

/// A test of one key.
#[derive(Clone, Debug)]
pub struct Test {
    /// `StringEquals`
    pub operator: SmolStr,
    /// `aws:SourceAccount`
    pub key: SmolStr,
    /// What it is compared with: one must match, of a negated operator none.
    pub values: List,
    /// What the operator means; [`None`] of one that there is not.
    pub means: Option<Operator>,
}

/// An operator, taken apart.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// How values are compared.
    pub compare: Compare,
    /// It holds where the value does not match.
    pub negated: bool,
    /// `ForAllValues:` or `ForAnyValue:`
    pub set: Option<Set>,
    /// `…IfExists`: it holds where the key is not in the request.
    pub if_exists: bool,
}

/// How an operator compares.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Compare {
    /// The same text, number, date or bytes.
    Equal,
    /// The same text in any case.
    EqualIgnoringCase,
    /// A pattern with `*` and `?`: of texts and ARNs.
    Like,
    /// Less or greater, of numbers and dates.
    Order,
    /// `true` or `false`.
    Bool,
    /// An address within a range.
    Ip,
    /// Whether the key is in the request.
    Null,
}

/// Of keys with several values.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Set {
    /// Every value in the request matches, also if there is none.
    All,
    /// One does.
    Any,
}

/// The operators: how each compares, and whether it holds where the value does not match.
const OPERATORS: [(&str, Compare, bool); 27] = [
    ("StringEquals", Compare::Equal, false),
    ("StringNotEquals", Compare::Equal, true),
    ("StringEqualsIgnoreCase", Compare::EqualIgnoringCase, false),
    ("StringNotEqualsIgnoreCase", Compare::EqualIgnoringCase, true),
    ("StringLike", Compare::Like, false),
    ("StringNotLike", Compare::Like, true),
    // The two behave alike.
    ("ArnEquals", Compare::Like, false),
    ("ArnLike", Compare::Like, false),
    ("ArnNotEquals", Compare::Like, true),
    ("ArnNotLike", Compare::Like, true),
    ("NumericEquals", Compare::Equal, false),
    ("NumericNotEquals", Compare::Equal, true),
    ("NumericLessThan", Compare::Order, false),
    ("NumericLessThanEquals", Compare::Order, false),
    ("NumericGreaterThan", Compare::Order, false),
    ("NumericGreaterThanEquals", Compare::Order, false),
    ("DateEquals", Compare::Equal, false),
    ("DateNotEquals", Compare::Equal, true),
    ("DateLessThan", Compare::Order, false),
    ("DateLessThanEquals", Compare::Order, false),
    ("DateGreaterThan", Compare::Order, false),
    ("DateGreaterThanEquals", Compare::Order, false),
    ("BinaryEquals", Compare::Equal, false),
    ("Bool", Compare::Bool, false),
    ("IpAddress", Compare::Ip, false),
    ("NotIpAddress", Compare::Ip, true),
    ("Null", Compare::Null, false),
];

impl Operator {
    /// Reads the name of an operator.
    pub fn parse(name: &str) -> Option<Self> {
        let (set, rest) = match name.split_once(':') {
            Some((set, rest)) if set.eq_ignore_ascii_case("ForAllValues") => (Some(Set::All), rest),
            Some((set, rest)) if set.eq_ignore_ascii_case("ForAnyValue") => (Some(Set::Any), rest),
            Some(_) => return None,
            None => (None, name),
        };
        let end = rest.len().checked_sub("IfExists".len()).and_then(|at| rest.split_at_checked(at));
        let (rest, if_exists) = match end {
            Some((rest, end)) if end.eq_ignore_ascii_case("IfExists") => (rest, true),
            _ => (rest, false),
        };
        let (_, compare, negated) =
            *OPERATORS.iter().find(|(operator, ..)| operator.eq_ignore_ascii_case(rest))?;
        // It asks for absence itself.
        if compare == Compare::Null && if_exists {
            return None;
        }
        Some(Self { compare, negated, set, if_exists })
    }

    /// Whether it holds where the key is not in the request.
    pub fn holds_of_absent(self) -> bool {
        self.if_exists || self.set == Some(Set::All) || self.negated && self.set != Some(Set::Any)
    }
}

impl Test {
    pub(super) fn new(operator: SmolStr, key: SmolStr, values: List) -> Self {
        Self { means: Operator::parse(&operator), operator, key, values }
    }

    /// Whether it is of that key.
    pub fn is_of(&self, key: &str) -> bool {
        self.key.eq_ignore_ascii_case(key)
    }

    /// Whether it holds its key to values that were chosen: it does not hold where the key is absent, unless that never is
    /// so, and not for every value.
    pub fn narrows(&self) -> Told {
        let Some(means) = self.means else {
            return Err(Cause::Other(format!("`{}` is no operator", self.operator).into()));
        };
        if means.negated || means.holds_of_absent() && !is_in_every_request(&self.key) {
            return Ok(false);
        }
        if means.compare == Compare::Null {
            // `false`: the key must be there, with whatever value.
            return Ok(false);
        }
        if self.values.is_empty() {
            return Ok(true);
        }
        match self.values.any(|value| takes_all(value, means.compare)).0 {
            Ok(all) => Ok(!all),
            Err(cause) => Err(cause),
        }
    }

    /// Whether it surely takes nothing away: every request has its key, and every value matches.
    pub fn takes_nothing(&self) -> Told {
        let Some(means) = self.means else { return Ok(false) };
        if means.negated || !(is_in_every_request(&self.key) || means.holds_of_absent()) {
            return Ok(false);
        }
        self.values.any(|value| takes_all(value, means.compare)).0
    }

    /// Whether it surely fails of a request without the key.
    pub fn fails_of_absent(&self) -> bool {
        match self.means {
            Some(Operator { compare: Compare::Null, .. }) => {
                self.values.any(|value| value.is("false")).0 == Ok(true)
            }
            Some(means) => !means.holds_of_absent(),
            None => false,
        }
    }
}

/// Whether a value of a test matches whatever the request has.
fn takes_all(value: &Text, compare: Compare) -> Told {
    match compare {
        // `arn:*:*:*:*:*` is every ARN.
        Compare::Like => match value.as_str() {
            Some(known) => Ok(!known.is_empty()
                && known.bytes().all(|byte| matches!(byte, b'*' | b':'))
                && known.contains('*')
                || known.starts_with("arn:*")
                    && known.bytes().skip(4).all(|byte| matches!(byte, b'*' | b':'))),
            None => value.is("*"),
        },
        Compare::Ip => any(["0.0.0.0/0", "::/0"].into_iter().map(|range| value.is(range))),
        Compare::Equal | Compare::EqualIgnoringCase | Compare::Order | Compare::Bool | Compare::Null => {
            Ok(false)
        }
    }
}

/// Keys that AWS puts in every request.
fn is_in_every_request(key: &str) -> bool {
    ["aws:CurrentTime", "aws:EpochTime", "aws:SecureTransport", "aws:RequestedRegion", "aws:SourceIp"]
        .iter()
        .any(|always| always.eq_ignore_ascii_case(key))
}

impl Condition {
    /// Whether it is one test alone, and that one is of one of `operators`, of `key`, for `value`.
    pub fn is_only(&self, operators: &[&str], key: &str, value: &str) -> Told {
        let is_it = |test: &Test| {
            let named = operators.iter().any(|operator| operator.eq_ignore_ascii_case(&test.operator));
            both(Ok(named && test.is_of(key)), || test.values.any(|text| text.is(value)).0)
        };
        match (self.tests.as_slice(), self.more.as_deref()) {
            ([], None) => Ok(false),
            ([], Some(cause)) => Err(cause.clone()),
            ([only], None) => is_it(only),
            // With one more it takes away less.
            ([only], Some(cause)) => both(is_it(only), || Err(cause.clone())),
            _ => Ok(false),
        }
    }

    /// Whether it holds one of `keys` to values that were chosen. One of the keys may be a pattern: `saml:*`.
    pub fn narrows_one_of(&self, keys: &[&str]) -> Told {
        let is_one = |test: &&Test| keys.iter().any(|pattern| action_covers(pattern, &test.key));
        let told = any(self.tests.iter().filter(is_one).map(Test::narrows));
        match (&told, self.more.as_deref()) {
            (Ok(true) | Err(_), _) | (_, None) => told,
            (Ok(false), Some(cause)) => Err(cause.clone()),
        }
    }

    /// Whether it takes nothing away.
    pub fn is_empty(&self) -> Told {
        let nothing = self.tests.iter().map(Test::takes_nothing);
        match (super::told::all(nothing), self.more.as_deref()) {
            (Ok(true), Some(cause)) => Err(cause.clone()),
            (told, _) => told,
        }
    }
}

impl std::fmt::Display for Test {
    /// `StringEquals aws:SourceAccount = 111122223333`; what is not known as it is in other texts.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} = ", self.operator, self.key)?;
        for (at, value) in self.values.items.iter().take(8).enumerate() {
            let or = if at == 0 { "" } else { " or " };
            write!(f, "{or}{value}")?;
        }
        match self.values.items.len() {
            0..=8 if self.values.more.is_none() => Ok(()),
            _ => f.write_str(" or …"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(operator: &str, key: &str, values: &[&str]) -> Test {
        let items = values.iter().map(|value| Text::Known((*value).into())).collect();
        Test::new(operator.into(), key.into(), List { items, more: None })
    }

    #[test]
    fn operators_are_read_in_any_case_and_others_are_none() {
        for (name, negated, set, if_exists) in [
            ("StringEquals", false, None, false),
            ("stringnotequalsifexists", true, None, true),
            ("ForAllValues:StringLike", false, Some(Set::All), false),
            ("ForAnyValue:ArnNotLikeIfExists", true, Some(Set::Any), true),
            ("NotIpAddress", true, None, false),
            ("DateGreaterThanEqualsIfExists", false, None, true),
        ] {
            let read = Operator::parse(name).unwrap();
            assert_eq!((read.negated, read.set, read.if_exists), (negated, set, if_exists), "{name}");
        }
        for name in ["StringEqual", "NullIfExists", "ForSomeValues:StringLike", "", "Bools"] {
            assert_eq!(Operator::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_test_narrows_only_where_it_holds_the_key_to_something() {
        for (operator, key, values, expected) in [
            ("StringEquals", "aws:SourceAccount", &["1"][..], true),
            ("StringEqualsIfExists", "aws:SourceAccount", &["1"], false),
            ("ForAllValues:StringEquals", "aws:PrincipalOrgPaths", &["o"], false),
            ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", &["o-1/*"], true),
            ("StringNotEquals", "aws:SourceAccount", &["1"], false),
            ("StringLike", "aws:SourceArn", &["*"], false),
            ("ArnLike", "aws:SourceArn", &["arn:*:*:*:*:*"], false),
            ("ArnLike", "aws:SourceArn", &["arn:aws:bedrock:*:1:agent/*"], true),
            ("ArnLike", "aws:SourceArn", &["arn:aws:bedrock:*:1:agent/*", "*"], false),
            ("IpAddress", "aws:SourceIp", &["0.0.0.0/0"], false),
            ("IpAddressIfExists", "aws:SourceIp", &["10.0.0.0/8"], true),
            ("Null", "aws:SourceAccount", &["false"], false),
            ("Bool", "aws:SecureTransport", &["true"], true),
        ] {
            assert_eq!(test(operator, key, values).narrows(), Ok(expected), "{operator} {key} {values:?}");
        }
        assert!(test("StringEqual", "aws:SourceAccount", &["1"]).narrows().is_err());
    }

    #[test]
    fn what_fails_without_the_key() {
        assert!(test("StringEquals", "k", &["1"]).fails_of_absent());
        assert!(!test("StringNotEquals", "k", &["1"]).fails_of_absent());
        assert!(!test("Null", "k", &["true"]).fails_of_absent());
        assert!(test("Null", "k", &["false"]).fails_of_absent());
        assert_eq!(test("StringLike", "aws:RequestedRegion", &["*"]).takes_nothing(), Ok(true));
        assert_eq!(test("StringLike", "aws:username", &["*"]).takes_nothing(), Ok(false));
        assert_eq!(test("StringLikeIfExists", "aws:username", &["*"]).takes_nothing(), Ok(true));
        assert_eq!(test("StringEquals", "a:b", &["x", "y"]).to_string(), "StringEquals a:b = x or y");
    }
}
