//! What is known of a request: the values of its condition keys. A statement whose tests fail of it says nothing, a test that
//! holds of it asks nothing more, and a policy variable is the value of its key.
//!
//! How operators compare is in the IAM user guide, "Condition operators" and "Set operators".

use std::collections::BTreeMap;
use std::net::IpAddr;

use smol_str::SmolStr;

use super::condition::{Compare, Condition, Operator, Set, Test};
use super::document::{Document, Effect, List, Policy, Statement};
use super::pattern::glob;
use super::text::Text;

/// The keys of a request.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Key in lower case → its values; none of one that the request does not have.
    keys: BTreeMap<String, Vec<String>>,
    whole: bool,
}

/// What a text of a policy is in a request.
enum Known<T> {
    /// It is this.
    Is(T),
    /// It matches nothing: it names a key that the request does not have.
    Nothing,
    /// It hangs on what is not known.
    Open,
}

impl Context {
    /// One in which every key is named: the request has no other.
    pub fn whole() -> Self {
        Self { keys: BTreeMap::new(), whole: true }
    }

    /// Adds a value of a key.
    pub fn add(&mut self, key: &str, value: &str) {
        self.keys.entry(key.to_ascii_lowercase()).or_default().push(value.to_owned());
    }

    /// Says that the request does not have the key.
    pub fn lacks(&mut self, key: &str) {
        self.keys.insert(key.to_ascii_lowercase(), Vec::new());
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && !self.whole
    }

    /// The values of a key, none if the request does not have it; [`None`] if that is not known.
    fn values(&self, key: &str) -> Option<&[String]> {
        let known = self.keys.get(&key.to_ascii_lowercase()).map(Vec::as_slice);
        known.or_else(|| self.whole.then_some(&[]))
    }

    /// The policy as it is for a request with this context. Statements keep their places.
    #[must_use]
    pub fn apply(&self, policy: &Policy) -> Policy {
        let mut policy = policy.clone();
        for document in &mut policy.alternatives {
            let Document { mut statements, has_variables, faults, unread, .. } = std::mem::take(document);
            for statement in &mut statements {
                self.apply_to(statement, has_variables);
            }
            // Made anew: nothing that is kept of the old statements may stay.
            *document = Document { statements, has_variables, faults, unread, ..Document::default() };
        }
        policy
    }

    fn apply_to(&self, statement: &mut Statement, variables: bool) {
        let mut open = Condition { tests: Vec::new(), more: statement.condition.more.clone() };
        for test in std::mem::take(&mut statement.condition.tests) {
            match self.holds(&test, variables) {
                Some(true) => {}
                // It speaks of nothing then; it keeps its place and its number.
                Some(false) => {
                    statement.effect = Ok(Effect::Allow);
                    statement.action = List::default();
                    statement.not_action = List::default();
                    return;
                }
                None => open.tests.push(test),
            }
        }
        statement.condition = open;
        if variables {
            for list in [&mut statement.resource, &mut statement.not_resource] {
                for item in list.items.iter_mut() {
                    match item.as_str().map(|text| self.filled(text)) {
                        Some(Known::Is(text)) => *item = Text::Known(text),
                        // No resource is called so.
                        Some(Known::Nothing) => *item = Text::Known(SmolStr::default()),
                        Some(Known::Open) | None => {}
                    }
                }
            }
        }
    }

    /// Whether the test holds of the request; [`None`] if that is not known.
    pub fn holds(&self, test: &Test, variables: bool) -> Option<bool> {
        let means = test.means?;
        let values = self.values(&test.key)?;
        let known: Option<Vec<&str>> = test.values.items.iter().map(Text::as_str).collect();
        let (known, None) = (known?, &test.values.more) else { return None };
        if means.compare == Compare::Null {
            return Some(known.iter().any(|wanted| wanted.eq_ignore_ascii_case("true") == values.is_empty()));
        }
        if values.is_empty() {
            return Some(means.holds_of_absent());
        }
        let mut wanted = Vec::with_capacity(known.len());
        for text in known {
            match if variables { self.filled(text) } else { Known::Is(text.into()) } {
                Known::Is(text) => wanted.push(text),
                Known::Nothing => {}
                Known::Open => return None,
            }
        }
        let name = test.operator.to_ascii_lowercase();
        let of_one = |value: &String| {
            wanted.iter().any(|wanted| matches(&name, means, wanted, value)) != means.negated
        };
        match means.set {
            Some(Set::All) => Some(values.iter().all(of_one)),
            Some(Set::Any) => Some(values.iter().any(of_one)),
            // What several values mean to an operator for one is not documented.
            None => values.first().filter(|_| values.len() == 1).map(of_one),
        }
    }

    /// The text with the values of its policy variables.
    fn filled(&self, text: &str) -> Known<SmolStr> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((variable, after)) = after.split_once('}') else { break };
            let (key, default) = match variable.split_once(',') {
                Some((key, default)) => (key.trim(), default.trim().strip_prefix('\'')),
                None => (variable.trim(), None),
            };
            let value = match (self.values(key), default.and_then(|it| it.strip_suffix('\''))) {
                // A wildcard that is meant as a character: patterns here have no way to say so.
                _ if matches!(key, "*" | "?" | "$") => return Known::Open,
                (None, _) => return Known::Open,
                (Some([value]), _) => value,
                (Some([]), Some(default)) => default,
                // A key with several values stands for nothing.
                (Some(_), _) => return Known::Nothing,
            };
            if value.contains(['*', '?']) {
                return Known::Open;
            }
            out.push_str(before);
            out.push_str(value);
            rest = after;
        }
        out.push_str(rest);
        Known::Is(out.into())
    }
}

/// Whether a value of the request is what the policy wants, by the operator of that name, in lower case.
fn matches(name: &str, means: Operator, wanted: &str, value: &str) -> bool {
    match means.compare {
        Compare::Equal if name.contains("numeric") => {
            number(wanted).is_some_and(|it| Some(it) == number(value))
        }
        Compare::Equal if name.contains("date") => time(wanted).is_some_and(|it| Some(it) == time(value)),
        Compare::Equal => wanted == value,
        Compare::EqualIgnoringCase | Compare::Bool => wanted.eq_ignore_ascii_case(value),
        Compare::Like if name.contains("arn") => is_arn_like(wanted, value),
        Compare::Like => glob(wanted, value),
        Compare::Order => {
            let (left, right) = if name.contains("date") {
                (time(value), time(wanted))
            } else {
                (number(value), number(wanted))
            };
            let (Some(left), Some(right)) = (left, right) else { return false };
            match (name.contains("lessthan"), name.contains("equals")) {
                (true, true) => left <= right,
                (true, false) => left < right,
                (false, true) => left >= right,
                (false, false) => left > right,
            }
        }
        Compare::Ip => is_within(wanted, value),
        Compare::Null => false,
    }
}

/// Part by part, so that a wildcard in one of the first five does not reach into the next.
fn is_arn_like(wanted: &str, value: &str) -> bool {
    let (mut wanted, mut value) = (wanted.splitn(6, ':'), value.splitn(6, ':'));
    loop {
        match (wanted.next(), value.next()) {
            (None, None) => return true,
            (Some(wanted), Some(value)) if glob(wanted, value) => {}
            _ => return false,
        }
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// Seconds since 1970: of digits, or of `2026-11-21T20:57:00Z`.
fn time(text: &str) -> Option<f64> {
    if let Some(seconds) = number(text) {
        return Some(seconds);
    }
    let (date, clock) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let mut clock = clock.trim_end_matches('Z').splitn(3, ':').map(number);
    let (hour, minute, second) =
        (clock.next()??, clock.next().flatten().unwrap_or(0.0), clock.next().flatten().unwrap_or(0.0));
    // Days since 1970, counted in years that begin in March.
    let shifted = if month > 2 { year } else { year - 1 };
    let in_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + in_year - 719_468;
    let days = i32::try_from(days).ok()?;
    Some(f64::from(days) * 86_400.0 + hour * 3600.0 + minute * 60.0 + second)
}

/// Whether the address is in the range: `10.0.0.0/8`, `2001:db8::/32`, or one address.
fn is_within(range: &str, address: &str) -> bool {
    let (base, bits) = range.split_once('/').map_or((range, None), |(base, bits)| (base, Some(bits)));
    let (Ok(base), Ok(address)) = (base.parse::<IpAddr>(), address.parse::<IpAddr>()) else { return false };
    let wide = |address: IpAddr| match address {
        IpAddr::V4(it) => (u128::from(u32::from(it)) << 96, 32),
        IpAddr::V6(it) => (u128::from(it), 128),
    };
    if base.is_ipv4() != address.is_ipv4() {
        return false;
    }
    let ((base, width), (address, _)) = (wide(base), wide(address));
    let bits = match bits.map(str::parse::<u32>) {
        None => width,
        Some(Ok(bits)) if bits <= width => bits,
        Some(_) => return false,
    };
    bits == 0 || (base ^ address) >> (128 - bits) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    fn context(keys: &[(&str, &str)]) -> Context {
        let mut context = Context::default();
        for (key, value) in keys {
            context.add(key, value);
        }
        context
    }

    fn test(operator: &str, key: &str, values: &[&str]) -> Test {
        let items = values.iter().map(|value| Text::Known((*value).into())).collect();
        Test::new(operator.into(), key.into(), List { items, more: None })
    }

    #[test]
    fn operators_compare_as_the_guide_says() {
        for (operator, wanted, value, expected) in [
            ("StringEquals", "a", "a", true),
            ("StringEquals", "a*", "ab", false),
            ("StringEqualsIgnoreCase", "A", "a", true),
            ("StringLike", "a*", "ab", true),
            ("StringNotLike", "a*", "ab", false),
            ("NumericLessThanEquals", "10", "10.0", true),
            ("NumericLessThan", "10", "9", true),
            ("NumericGreaterThan", "10", "9", false),
            ("NumericEquals", "x", "x", false),
            ("DateGreaterThan", "2026-01-01T00:00:00Z", "2026-02-28", true),
            ("DateEquals", "2026-11-21T00:00:00Z", "1795219200", true),
            ("Bool", "true", "True", true),
            ("IpAddress", "10.0.0.0/8", "10.200.0.1", true),
            ("IpAddress", "10.0.0.0/8", "11.0.0.1", false),
            ("NotIpAddress", "10.0.0.0/8", "2001:db8::1", true),
            ("IpAddress", "2001:db8::/32", "2001:db8:1::1", true),
            ("IpAddress", "0.0.0.0/0", "11.0.0.1", true),
            ("IpAddress", "10.0.0.0/33", "10.0.0.0", false),
            ("ArnLike", "arn:aws:s3:::b*", "arn:aws:s3:::bucket", true),
            ("ArnLike", "arn:aws:*", "arn:aws:s3:::bucket", false),
            ("ArnEquals", "arn:*:iam::1:role/a:b", "arn:aws:iam::1:role/a:b", true),
        ] {
            let holds = context(&[("k:v", value)]).holds(&test(operator, "K:V", &[wanted]), true);
            assert_eq!(holds, Some(expected), "{operator} {wanted} {value}");
        }
    }

    #[test]
    fn what_is_absent_and_what_has_several_values() {
        let several = context(&[("k", "a"), ("k", "b")]);
        let mut none = Context::default();
        none.lacks("k");
        for (operator, wanted, of_several, of_none) in [
            ("ForAllValues:StringEquals", &["a", "b", "c"][..], Some(true), Some(true)),
            ("ForAllValues:StringEquals", &["a"], Some(false), Some(true)),
            ("ForAnyValue:StringEquals", &["a"], Some(true), Some(false)),
            ("ForAnyValue:StringNotEquals", &["a", "b"], Some(false), Some(false)),
            ("ForAllValues:StringNotEquals", &["a"], Some(false), Some(true)),
            ("StringEquals", &["a"], None, Some(false)),
            ("StringEqualsIfExists", &["a"], None, Some(true)),
            ("StringNotEquals", &["a"], None, Some(true)),
            ("Null", &["true"], Some(false), Some(true)),
            ("Null", &["false"], Some(true), Some(false)),
        ] {
            let test = test(operator, "k", wanted);
            assert_eq!(several.holds(&test, true), of_several, "{operator} of several");
            assert_eq!(none.holds(&test, true), of_none, "{operator} of none");
            assert_eq!(Context::default().holds(&test, true), None, "{operator} of what is not known");
        }
    }

    #[test]
    fn a_policy_is_what_its_conditions_leave_of_it() {
        let text = r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"a:b","Resource":"arn:aws:s3:::${aws:username}/*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},"StringEquals":{"x":"1"}}},
            {"Effect":"Deny","Action":"a:b","Resource":"*","Condition":{"StringEquals":{"x":"2"}}}]}"#;
        let policy = Policy::read(&Value::string(text));
        let of = context(&[("x", "1"), ("aws:username", "eve")]).apply(&policy);
        let [first, second] = &of.alternatives[0].statements[..] else { panic!("two statements") };
        assert_eq!(first.resource.items[0].as_str(), Some("arn:aws:s3:::eve/*"));
        assert_eq!(first.condition.tests.len(), 1, "what is not told stays open");
        assert!(second.action.is_empty() && second.not_action.is_empty(), "it says nothing of this request");
        let mut whole = Context::whole();
        whole.add("x", "1");
        let of = whole.apply(&policy);
        assert!(of.alternatives[0].statements[0].action.is_empty(), "there is no key for multi-factor");
    }
}
