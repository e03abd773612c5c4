//! The patterns of `fileset`: `*`, `?`, `[a-z]`, `{a,b}` inside a name, and `**` for any folders.

/// More alternatives than this are not tried.
const MAX_ALTERNATIVES: usize = 256;

/// A pattern without alternatives left in it, each as the names between slashes.
pub(super) struct Pattern {
    alternatives: Vec<Vec<Vec<char>>>,
}

impl Pattern {
    /// None if it is too large or not closed.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut alternatives = Vec::new();
        expand(text.trim_start_matches("./"), &mut alternatives)?;
        let names = |text: &String| text.split('/').map(|name| name.chars().collect()).collect();
        Some(Self { alternatives: alternatives.iter().map(names).collect() })
    }

    /// Whether a path with `/` between its names matches.
    pub(super) fn matches(&self, path: &str) -> bool {
        let path: Vec<Vec<char>> = path.split('/').map(|name| name.chars().collect()).collect();
        self.alternatives.iter().any(|pattern| matches_path(pattern, &path))
    }
}

/// Writes out the first `{a,b}` of `text`, and then those in what results.
fn expand(text: &str, out: &mut Vec<String>) -> Option<()> {
    let Some((before, rest)) = text.split_once('{') else {
        out.push(text.to_owned());
        return (out.len() <= MAX_ALTERNATIVES).then_some(());
    };
    let mut depth = 1;
    let mut starts = vec![0];
    for (at, c) in rest.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => starts.push(at + 1),
            _ => {}
        }
        if depth == 0 {
            let after = rest.get(at + 1..)?;
            let ends = starts.iter().skip(1).map(|start| start - 1).chain([at]);
            for (start, end) in starts.iter().zip(ends) {
                expand(&format!("{before}{}{after}", rest.get(*start..end)?), out)?;
            }
            return Some(());
        }
    }
    None
}

/// One row of the table of which beginnings match which, so that no pattern takes long.
fn matches_path(pattern: &[Vec<char>], path: &[Vec<char>]) -> bool {
    let mut row = vec![false; path.len() + 1];
    row.first_mut().into_iter().for_each(|start| *start = true);
    for names in pattern {
        let any = names == &['*', '*'];
        let mut next = vec![false; path.len() + 1];
        let mut reached = false;
        for (i, slot) in next.iter_mut().enumerate() {
            if any {
                reached |= row.get(i) == Some(&true);
                *slot = reached;
            } else if let Some(at) = i.checked_sub(1) {
                *slot =
                    row.get(at) == Some(&true) && path.get(at).is_some_and(|name| matches_name(names, name));
            }
        }
        row = next;
    }
    row.last() == Some(&true)
}

fn matches_name(pattern: &[char], name: &[char]) -> bool {
    let mut row = vec![false; name.len() + 1];
    row.first_mut().into_iter().for_each(|start| *start = true);
    let mut rest = pattern;
    while let Some((&c, after)) = rest.split_first() {
        let mut next = vec![false; name.len() + 1];
        rest = after;
        if c == '*' {
            let mut reached = false;
            for (slot, was) in next.iter_mut().zip(&row) {
                reached |= was;
                *slot = reached;
            }
        } else {
            let class = if c == '[' { class(after) } else { None };
            let (c, after) = match (c, after.split_first()) {
                ('\\', Some((&escaped, after))) => (Some(escaped), after),
                ('?', _) => (None, after),
                _ => (Some(c), after),
            };
            rest = class.as_ref().map_or(after, |class| class.rest);
            for (i, found) in name.iter().enumerate() {
                let fits = match &class {
                    Some(class) => class.holds(*found),
                    None => c.is_none_or(|c| c == *found),
                };
                if let Some(slot) = next.get_mut(i + 1) {
                    *slot = fits && row.get(i) == Some(&true);
                }
            }
        }
        row = next;
    }
    row.last() == Some(&true)
}

/// `[a-z]` after its bracket.
struct Class<'p> {
    negated: bool,
    members: &'p [char],
    rest: &'p [char],
}

fn class(text: &[char]) -> Option<Class<'_>> {
    let negated = matches!(text.first(), Some('^' | '!'));
    let text = text.get(usize::from(negated)..)?;
    let end = text.iter().skip(1).position(|c| *c == ']')? + 1;
    Some(Class { negated, members: text.get(..end)?, rest: text.get(end + 1..)? })
}

impl Class<'_> {
    fn holds(&self, c: char) -> bool {
        let mut rest = self.members;
        let mut found = false;
        while let Some((&low, after)) = rest.split_first() {
            let (high, after) = match after {
                ['-', high, after @ ..] => (*high, after),
                _ => (low, after),
            };
            found |= (low..=high).contains(&c);
            rest = after;
        }
        found != self.negated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_shells_do() {
        for (pattern, path, expected) in [
            ("*.json", "a.json", true),
            ("*.json", "b/a.json", false),
            ("**/*.json", "a.json", true),
            ("**/*.json", "b/c/a.json", true),
            ("b/**", "b/c/a.json", true),
            ("{a,b}/?.txt", "b/x.txt", true),
            ("{a,b}/?.txt", "c/x.txt", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("./a", "a", true),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn refuses_what_explodes() {
        assert!(Pattern::parse(&"{a,b}".repeat(20)).is_none());
        assert!(Pattern::parse("{a").is_none());
        assert!(!Pattern::parse(&"*a".repeat(50)).unwrap().matches(&"a".repeat(40)));
    }
}
