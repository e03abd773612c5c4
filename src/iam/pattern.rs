//! Action and resource patterns: `*` is any text, `?` any one character. Actions ignore case.
//!
//! The texts that a pattern covers are a regular language, so whether one covers all that another does, whether two have
//! a text in common, and what is left of one without others, can be computed. Questions that would take too long have no
//! answer ([`None`]); no caller may take that for a yes or a no.

use std::collections::{HashMap, VecDeque};

use super::work;

/// Whether the pattern covers `action`, a concrete action, or the key of a condition: case does not matter.
pub fn action_covers(pattern: &str, action: &str) -> bool {
    is_action_covered(pattern, action, usize::MAX) == Some(true)
}

/// [`contains`] of actions in any case, of which the second has no wildcard; then [`intersects`] too.
pub(super) fn contains_action(pattern: &str, action: &str) -> Option<bool> {
    is_action_covered(pattern, action, MAX_STEPS)
}

fn is_action_covered(pattern: &str, action: &str, most: usize) -> Option<bool> {
    let one = |pattern: u8, byte: u8| pattern == b'?' || pattern.eq_ignore_ascii_case(&byte);
    // Those of one service begin alike.
    if let (Some(last), Some(byte)) = (pattern.bytes().last(), action.bytes().last())
        && last != b'*'
        && !one(last, byte)
    {
        return Some(false);
    }
    matches(pattern.as_bytes(), action.as_bytes(), most, one)
}

/// Whether `text` matches `pattern`, case by case. Linear in practice, at most `pattern × text` steps: for where one of the two
/// is short.
pub fn glob(pattern: &str, text: &str) -> bool {
    is_matched(pattern, text, usize::MAX) == Some(true)
}

fn is_matched(pattern: &str, text: &str, most: usize) -> Option<bool> {
    let one = |pattern: u8, byte: u8| pattern == b'?' || pattern == byte;
    matches(pattern.as_bytes(), text.as_bytes(), most, one)
}

/// Whether `text` matches, where `one` says which bytes of the pattern stand for which of the text: each but a star for itself.
/// [`None`] if that is not known after so many steps.
fn matches(pattern: &[u8], text: &[u8], most: usize, one: impl Fn(u8, u8) -> bool) -> Option<bool> {
    // What stands before the first star decides most.
    let star = memchr::memchr(b'*', pattern);
    let (head, tail) = pattern.split_at_checked(star.unwrap_or(pattern.len()))?;
    let Some((begin, rest)) = text.split_at_checked(head.len()) else { return Some(false) };
    let is_apart = || head.iter().zip(begin).any(|(pattern, byte)| !one(*pattern, *byte));
    if tail.is_empty() && !rest.is_empty() || head != begin && is_apart() {
        return Some(false);
    }
    let mut steps = 0;
    let told = if tail.len() < 2 { Some(true) } else { match_by(tail, rest, most, one, &mut steps) };
    work::spend(steps as u64);
    told
}

fn match_by(
    pattern: &[u8],
    text: &[u8],
    most: usize,
    one: impl Fn(u8, u8) -> bool,
    steps: &mut usize,
) -> Option<bool> {
    let (mut p, mut t) = (0, 0);
    // Where to go on after the last star when a later byte does not match.
    let mut retry: Option<(usize, usize)> = None;
    while let Some(&byte) = text.get(t) {
        *steps += 1;
        if *steps > most {
            return None;
        }
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p + 1, t + 1));
                p += 1;
            }
            Some(&other) if one(other, byte) => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((after_star, from)) => {
                    (p, t) = (after_star, from);
                    retry = Some((after_star, from + 1));
                }
                None => return Some(false),
            },
        }
    }
    Some(pattern.get(p..).is_some_and(|rest| rest.iter().all(|&byte| byte == b'*')))
}

/// Longer patterns are not computed with.
const MAX_LENGTH: usize = 4096;

/// No more states than this are looked at for one question.
const MAX_STATES: usize = 20_000;

/// No more steps than this are made for two patterns: some hundredths of a second.
const MAX_STEPS: usize = 20_000_000;

/// Places of patterns that are looked at in one search: what it has seen is kept.
const MAX_SEARCH: usize = 8_000_000;

/// Whether some text matches both patterns.
pub fn intersects(a: &str, b: &str) -> Option<bool> {
    match (has_wildcard(a), has_wildcard(b)) {
        _ if a == "*" || b == "*" => return Some(true),
        (_, false) => return is_matched(a, b, MAX_STEPS),
        (false, true) => return is_matched(b, a, MAX_STEPS),
        _ => {}
    }
    let (a, b) = (plain(a)?, plain(b)?);
    // What is known before the first and after the last wildcard decides most questions.
    let fits = |a: &u8, b: &u8| a == b || *a == b'?' || *b == b'?';
    let heads = a.iter().zip(&b).take_while(|(a, b)| **a != b'*' && **b != b'*');
    let tails = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| **a != b'*' && **b != b'*');
    if heads.chain(tails).any(|(a, b)| !fits(a, b)) {
        return Some(false);
    }
    work::spend((a.len() * b.len()) as u64);
    // Row by row: which beginnings of `b` have a text in common with the beginning of `a` so far.
    let mut row = vec![true];
    row.extend(b.iter().scan(true, |all, &byte| {
        *all &= byte == b'*';
        Some(*all)
    }));
    for byte in &a {
        let mut next = vec![*byte == b'*' && row.first() == Some(&true)];
        for (at, other) in b.iter().enumerate() {
            let up = row.get(at + 1) == Some(&true);
            let left = next.get(at) == Some(&true);
            next.push(match (byte, other) {
                // A star ends, or goes on over what the other says.
                (b'*', _) | (_, b'*') => up || left,
                (byte, other) => row.get(at) == Some(&true) && fits(byte, other),
            });
        }
        row = next;
    }
    Some(row.last() == Some(&true))
}

/// Whether `outer` covers all that `inner` does.
pub fn contains(outer: &str, inner: &str) -> Option<bool> {
    if inner == "*" || outer == "*" {
        return Some(!outer.is_empty() && outer.bytes().all(|byte| byte == b'*'));
    }
    if !has_wildcard(inner) {
        return is_matched(outer, inner, MAX_STEPS);
    }
    left_over(inner, &[outer]).map(|left| left.is_none())
}

/// A text that `pattern` covers and none of `others` does; the inner [`None`] if there is none: then the others take all of
/// it away.
pub fn left_over(pattern: &str, others: &[&str]) -> Option<Option<String>> {
    // What stands for a wildcard is only covered by one.
    let as_token = |outer: u8, byte: u8| byte != b'*' && (outer == byte || outer == b'?');
    let mut is_told = true;
    for other in others {
        match matches(other.as_bytes(), pattern.as_bytes(), MAX_STEPS, as_token) {
            Some(true) => return Some(None),
            Some(false) => {}
            None => is_told = false,
        }
    }
    if !has_wildcard(pattern) {
        return is_told.then(|| Some(pattern.to_owned()));
    }
    for fill in ["", "~", "~~~~~~~~~~~~"] {
        let text = pattern.replace('*', fill).replace('?', "~");
        if others.iter().all(|other| is_matched(other, &text, MAX_STEPS) == Some(false)) {
            return Some(Some(text));
        }
    }
    search(&plain(pattern)?, &others.iter().map(|other| plain(other)).collect::<Option<Vec<_>>>()?)
}

/// The texts that both cover, as patterns; [`None`] if they are too many.
pub fn intersection(a: &str, b: &str) -> Option<Vec<String>> {
    let (a, b) = (plain(a)?, plain(b)?);
    let mut steps = 0;
    let mut out = Vec::new();
    meet(&a, &b, &mut Vec::new(), &mut out, &mut steps)?;
    let mut out: Vec<String> =
        out.into_iter().map(|bytes| String::from_utf8_lossy(&plain_bytes(&bytes)).into_owned()).collect();
    out.sort();
    out.dedup();
    // What another of them covers says nothing more.
    let all = out.clone();
    let covered = |one: &String| {
        all.iter().any(|other| {
            let as_token = |outer: u8, byte: u8| byte != b'*' && (outer == byte || outer == b'?');
            other != one && matches(other.as_bytes(), one.as_bytes(), MAX_STEPS, as_token) == Some(true)
        })
    };
    out.retain(|one| !covered(one));
    (out.len() <= MAX_PATTERNS).then_some(out)
}

/// An intersection of more patterns than this is not told.
const MAX_PATTERNS: usize = 64;

fn meet(a: &[u8], b: &[u8], so_far: &mut Vec<u8>, out: &mut Vec<Vec<u8>>, steps: &mut usize) -> Option<()> {
    *steps += 1;
    if *steps > MAX_STATES || out.len() > MAX_PATTERNS * 16 {
        return None;
    }
    let depth = so_far.len();
    match (a.split_first(), b.split_first()) {
        (None, None) => out.push(so_far.clone()),
        (None, Some((b'*', rest))) => meet(a, rest, so_far, out, steps)?,
        (Some((b'*', rest)), None) => meet(rest, b, so_far, out, steps)?,
        (None, _) | (_, None) => {}
        (Some((b'*', rest_a)), Some((b'*', rest_b))) => {
            // Both go on over something, until one of them ends.
            so_far.push(b'*');
            meet(rest_a, b, so_far, out, steps)?;
            meet(a, rest_b, so_far, out, steps)?;
        }
        (Some((b'*', rest)), Some((&byte, after))) => {
            meet(rest, b, so_far, out, steps)?;
            so_far.push(byte);
            meet(a, after, so_far, out, steps)?;
        }
        (Some((&byte, after)), Some((b'*', rest))) => {
            meet(a, rest, so_far, out, steps)?;
            so_far.push(byte);
            meet(after, b, so_far, out, steps)?;
        }
        (Some((&x, after_a)), Some((&y, after_b))) if x == y || x == b'?' || y == b'?' => {
            so_far.push(if x == b'?' { y } else { x });
            meet(after_a, after_b, so_far, out, steps)?;
        }
        _ => {}
    }
    so_far.truncate(depth);
    Some(())
}

pub(super) fn has_wildcard(pattern: &str) -> bool {
    memchr::memchr2(b'*', b'?', pattern.as_bytes()).is_some()
}

/// The bytes of a pattern with one star for several.
fn plain(pattern: &str) -> Option<Vec<u8>> {
    let bytes = plain_bytes(pattern.as_bytes());
    (bytes.len() <= MAX_LENGTH).then_some(bytes)
}

fn plain_bytes(pattern: &[u8]) -> Vec<u8> {
    let mut bytes = pattern.to_vec();
    bytes.dedup_by(|a, b| *a == b'*' && *b == b'*');
    bytes
}

/// Where the patterns are after some text: a place in the first, and all places that the others may be at.
type State = (usize, Vec<(usize, usize)>);

/// Looks for a shortest text that the pattern covers and no other does, over the subsets of places that the others may be
/// at.
#[expect(clippy::option_option, reason = "whether there is an answer, and whether there is such a text")]
fn search(pattern: &[u8], others: &[Vec<u8>]) -> Option<Option<String>> {
    let mut bytes: Vec<u8> = others.iter().flatten().chain(pattern).copied().collect();
    bytes.sort_unstable();
    bytes.dedup();
    bytes.retain(|byte| !matches!(byte, b'*' | b'?'));
    // One that stands in none of them stands for all that do not.
    let fresh =
        (b'a'..=b'z').chain(b'!'..=b'~').find(|byte| !bytes.contains(byte) && !matches!(byte, b'*' | b'?'));
    bytes.insert(0, fresh?);

    let start: State = (0, closed(others, (0..others.len()).map(|which| (which, 0)).collect()));
    let mut seen: HashMap<State, Option<(State, u8)>> = HashMap::from([(start.clone(), None)]);
    let mut queue = VecDeque::from([start]);
    let mut steps = 0;
    while let Some(state) = queue.pop_front() {
        let (at, places) = &state;
        let made = (places.len() + 1) * bytes.len();
        work::spend(made as u64);
        steps += made;
        if seen.len() > MAX_STATES || steps > MAX_SEARCH {
            return None;
        }
        let ended =
            |&(which, place): &(usize, usize)| others.get(which).is_some_and(|other| place == other.len());
        if pattern.get(*at..).is_some_and(|rest| rest.iter().all(|&byte| byte == b'*'))
            && !places.iter().any(ended)
        {
            return Some(Some(text_to(&seen, &state)));
        }
        let mut go = |next: State, byte: Option<u8>| {
            if !seen.contains_key(&next) {
                let from = byte.map(|byte| (state.clone(), byte));
                // A step without a byte stands for the state that it came from.
                let from = from.or_else(|| seen.get(&state).cloned().flatten());
                seen.insert(next.clone(), from);
                queue.push_back(next);
            }
        };
        match pattern.get(*at) {
            None => {}
            Some(b'*') => {
                go((at + 1, places.clone()), None);
                for &byte in &bytes {
                    go((*at, stepped(others, places, byte)), Some(byte));
                }
            }
            Some(b'?') => {
                for &byte in &bytes {
                    go((at + 1, stepped(others, places, byte)), Some(byte));
                }
            }
            Some(&byte) => go((at + 1, stepped(others, places, byte)), Some(byte)),
        }
    }
    Some(None)
}

/// The text that led to a state.
fn text_to(seen: &HashMap<State, Option<(State, u8)>>, state: &State) -> String {
    let mut bytes = Vec::new();
    let mut state = state;
    while let Some(Some((from, byte))) = seen.get(state) {
        bytes.push(*byte);
        state = from;
    }
    bytes.reverse();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The places after a byte.
fn stepped(others: &[Vec<u8>], places: &[(usize, usize)], byte: u8) -> Vec<(usize, usize)> {
    let step = |&(which, place): &(usize, usize)| match others.get(which)?.get(place)? {
        b'*' => Some((which, place)),
        b'?' => Some((which, place + 1)),
        &other => (other == byte).then_some((which, place + 1)),
    };
    closed(others, places.iter().filter_map(step).collect())
}

/// The places with those behind stars. Who is at a star need not look back: what an earlier place could still match, the
/// star matches too.
fn closed(others: &[Vec<u8>], mut places: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
    let mut at = 0;
    while let Some(&(which, place)) = places.get(at) {
        if others.get(which).and_then(|other| other.get(place)) == Some(&b'*') {
            places.push((which, place + 1));
        }
        at += 1;
    }
    places.sort_unstable();
    places.dedup();
    let is_star = |&(which, place): &(usize, usize)| {
        others.get(which).and_then(|other| other.get(place)) == Some(&b'*')
    };
    let mut kept = Vec::with_capacity(places.len());
    for of_one in places.chunk_by(|(a, _), (b, _)| a == b) {
        let last_star = of_one.iter().rposition(is_star).unwrap_or(0);
        kept.extend_from_slice(of_one.get(last_star..).unwrap_or_default());
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "x", true),
            ("a*c", "abbc", true),
            ("a*c", "abbcd", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("", "", true),
            ("", "x", false),
            ("**", "x", true),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn services_that_look_alike_are_not_covered() {
        assert!(action_covers("bedrock:*", "bedrock:InvokeModel"));
        assert!(action_covers("BEDROCK:invoke*", "bedrock:InvokeModel"));
        assert!(!action_covers("bedrock:*", "bedrock-agentcore:InvokeAgentRuntime"));
        assert_eq!(intersects("bedrock:*", "bedrock-mantle:*"), Some(false));
        assert_eq!(contains("bedrock*", "bedrock-mantle:*"), Some(true));
        assert_eq!(contains("s3:*", "s3vectors:Get*"), Some(false));
    }

    /// All texts over the alphabet up to a length.
    fn texts(length: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut from = 0;
        for _ in 0..length {
            let until = all.len();
            for at in from..until {
                let longer = ['a', 'b', ':'].map(|c| format!("{}{c}", all[at]));
                all.extend(longer);
            }
            from = until;
        }
        all
    }

    /// All patterns over a small alphabet up to a length.
    fn patterns(length: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut from = 0;
        for _ in 0..length {
            let until = all.len();
            for at in from..until {
                let longer = ['a', 'b', '*', '?'].map(|c| format!("{}{c}", all[at]));
                all.extend(longer);
            }
            from = until;
        }
        all
    }

    #[test]
    fn the_algebra_is_that_of_the_texts() {
        let (texts, patterns) = (texts(6), patterns(4));
        // A bit a text.
        let bits = |pattern: &String| -> Vec<u64> {
            let word = |texts: &[String]| {
                texts.iter().rev().fold(0, |word, text| word << 1 | u64::from(glob(pattern, text)))
            };
            texts.chunks(64).map(word).collect()
        };
        let covered: Vec<Vec<u64>> = patterns.iter().map(bits).collect();
        let (mut met, mut held) = (0, 0);
        for (a, of_a) in patterns.iter().zip(&covered) {
            for (b, of_b) in patterns.iter().zip(&covered) {
                let common = of_a.iter().zip(of_b).any(|(a, b)| a & b != 0);
                assert_eq!(intersects(a, b), Some(common), "{a} and {b}");
                let within = of_a.iter().zip(of_b).all(|(a, b)| a & !b == 0);
                assert_eq!(contains(b, a), Some(within), "{a} within {b}");
                if let Some(Some(left)) = left_over(a, &[b]) {
                    assert!(glob(a, &left) && !glob(b, &left), "{left} of {a} without {b}");
                }
                met += usize::from(common);
                held += usize::from(within);
            }
        }
        assert!(met > 10_000 && held > 2_000, "{met} {held}");
    }

    #[test]
    fn an_intersection_covers_what_both_do() {
        let (texts, patterns) = (texts(5), patterns(3));
        for a in &patterns {
            for b in &patterns {
                let both = intersection(a, b).expect("they are short");
                for text in &texts {
                    let covered = both.iter().any(|one| glob(one, text));
                    assert_eq!(covered, glob(a, text) && glob(b, text), "{text} of {a} and {b}: {both:?}");
                }
            }
        }
        assert_eq!(intersection("arn:aws:s3:::data*", "arn:aws:s3:::*/x").unwrap(), ["arn:aws:s3:::data*/x"]);
    }

    #[test]
    fn several_together_take_away_what_none_does_alone() {
        assert_eq!(left_over("a?", &["a:", "ab"]).unwrap().unwrap().len(), 2);
        assert_eq!(left_over("?*", &["a*", "b*"]).map(|left| left.is_some()), Some(true));
        assert_eq!(left_over("*", &["?*", ""]), Some(None));
        assert_eq!(left_over("*a*", &["?*"]), Some(None));
        assert_eq!(left_over("a*b", &["a*a*b", "ab", "a?*b"]), Some(None));
    }

    #[test]
    fn a_thousand_stars_take_no_time() {
        let stars = "a*".repeat(1000);
        let other = format!("{}b", "*a".repeat(1000));
        assert!(glob(&stars, &"a".repeat(2000)));
        assert_eq!(intersects(&stars, "b*"), Some(false));
        assert_eq!(contains(&stars, &stars), Some(true));
        assert!(left_over(&other, &[&stars]).is_some());
        assert!(intersects(&"*".repeat(100_000), &stars).is_some());
        let long = "a*".repeat(100_000);
        assert_eq!(intersects(&long, &format!("{long}b*")), None);
    }
}
