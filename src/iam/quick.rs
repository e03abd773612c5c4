//! The documents that nearly all are, read in one pass over their text: plain ASCII texts, every element once and in its own
//! spelling, no name that the language does not have. Of any other nothing is said here: [`super::read`] reads it, and tells
//! what is wrong.

use super::condition::{Condition, Operator, Test};
use super::document::{Document, Effect, List, Principal, Statement};
use super::text::Text;
use super::texts::Texts;

/// What the text says, if it is such a document.
pub(super) fn document(text: &str) -> Option<Document> {
    // Of the whole text at once: that is fast, and of a string within it nothing but its end is looked for then.
    let is_plain = |byte: u8| matches!(byte, b' '..=b'[' | b']'..=b'~' | b'\t' | b'\n' | b'\r');
    if !text.bytes().fold(true, |all, byte| all & is_plain(byte)) {
        return None;
    }
    let is_one_line = text.bytes().fold(u8::MAX, u8::min) >= b' ';
    let mut reader = Reader { text, at: 0, is_one_line, several: Vec::new() };
    let document = reader.document()?;
    reader.peek().is_none().then_some(document)
}

/// [`None`] of any part is [`None`] of the whole.
struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// No string has a line break in it.
    is_one_line: bool,
    /// The texts of a list while it is read.
    several: Vec<Text>,
}

impl<'t> Reader<'t> {
    fn document(&mut self) -> Option<Document> {
        let (mut version, mut id, mut statements) = (None, None, None);
        self.object(|reader, name| match name {
            "Version" => once(&mut version, reader.string()?),
            "Id" => once(&mut id, reader.string()?),
            "Statement" => once(&mut statements, reader.one_or_all(Self::statement)?),
            _ => None,
        })?;
        let has_variables = match version {
            None | Some("2008-10-17") => false,
            Some("2012-10-17") => true,
            Some(_) => return None,
        };
        Some(Document { statements: statements?, has_variables, ..Document::default() })
    }

    fn statement(&mut self) -> Option<Statement> {
        let (mut sid, mut effect, mut condition) = (None, None, None);
        let (mut action, mut resource, mut principal) = (None, None, None);
        let (mut not_action, mut not_resource, mut not_principal) = (None, None, None);
        self.object(|reader, name| match name {
            "Sid" => once(&mut sid, reader.string()?),
            "Effect" => once(&mut effect, reader.string()?),
            "Action" => once(&mut action, reader.list()?),
            "NotAction" => once(&mut not_action, reader.list()?),
            "Resource" => once(&mut resource, reader.list()?),
            "NotResource" => once(&mut not_resource, reader.list()?),
            "Principal" => once(&mut principal, reader.principal()?),
            "NotPrincipal" => once(&mut not_principal, reader.principal()?),
            "Condition" => once(&mut condition, reader.condition()?),
            _ => None,
        })?;
        let effect = match effect? {
            "Allow" => Effect::Allow,
            "Deny" => Effect::Deny,
            _ => return None,
        };
        let excludes_itself = action.is_some() && not_action.is_some()
            || resource.is_some() && not_resource.is_some()
            || principal.is_some() && not_principal.is_some();
        (!excludes_itself).then(|| Statement {
            sid: sid.filter(|sid| !sid.is_empty()).map(Into::into),
            effect: Ok(effect),
            action: action.unwrap_or_default(),
            not_action: not_action.unwrap_or_default(),
            resource: resource.unwrap_or_default().completed(),
            not_resource: not_resource.unwrap_or_default().completed(),
            principal: principal.unwrap_or(Principal::None),
            not_principal: not_principal.unwrap_or(Principal::None),
            condition: condition.unwrap_or_default(),
            site: None,
        })
    }

    fn principal(&mut self) -> Option<Principal> {
        if self.peek()? == b'"' {
            return Some(Principal::Text(self.known()?));
        }
        let mut kinds = Vec::new();
        self.object(|reader, kind| {
            kinds.push((kind, reader.list()?));
            Some(())
        })?;
        let kinds = sorted(kinds)?;
        Some(Principal::Map(kinds.into_iter().map(|(kind, list)| (kind.into(), list)).collect()))
    }

    fn condition(&mut self) -> Option<Condition> {
        let mut tests: Vec<Test> = Vec::new();
        let mut operators = Vec::new();
        self.object(|reader, operator| {
            operators.push((operator, ()));
            let means = Operator::parse(operator)?;
            reader.object(|reader, key| {
                let values = reader.list()?;
                tests.push(Test { operator: operator.into(), key: key.into(), values, means: Some(means) });
                Some(())
            })
        })?;
        sorted(operators)?;
        tests.sort_by(|a, b| (&a.operator, &a.key).cmp(&(&b.operator, &b.key)));
        let is_once = tests.is_sorted_by(|a, b| (&a.operator, &a.key) < (&b.operator, &b.key));
        is_once.then_some(Condition { tests, more: None })
    }

    fn list(&mut self) -> Option<List> {
        if self.peek()? != b'[' {
            return Some(List { items: Texts::One(self.known()?), more: None });
        }
        self.several.clear();
        self.members(b'[', b']', |reader| {
            let text = reader.known()?;
            reader.several.push(text);
            Some(())
        })?;
        let items = match self.several.pop() {
            Some(only) if self.several.is_empty() => Texts::One(only),
            last => Texts::Several(self.several.drain(..).chain(last).collect()),
        };
        Some(List { items, more: None })
    }

    fn known(&mut self) -> Option<Text> {
        Some(Text::Known(self.string()?.into()))
    }

    /// What may stand alone, or in a list.
    fn one_or_all<T>(&mut self, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        if self.peek()? != b'[' {
            return Some(vec![one(self)?]);
        }
        // Most have one.
        let mut all = Vec::with_capacity(1);
        self.members(b'[', b']', |reader| {
            all.push(one(reader)?);
            Some(())
        })?;
        Some(all)
    }

    fn object(&mut self, mut member: impl FnMut(&mut Self, &'t str) -> Option<()>) -> Option<()> {
        self.members(b'{', b'}', |reader| {
            let name = reader.string()?;
            reader.eat(b':')?;
            member(reader, name)
        })
    }

    fn members(
        &mut self,
        open: u8,
        close: u8,
        mut member: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.eat(open)?;
        if self.peek()? == close {
            return self.eat(close);
        }
        loop {
            member(self)?;
            if self.peek()? == close {
                return self.eat(close);
            }
            self.eat(b',')?;
        }
    }

    /// A text that stands for itself.
    fn string(&mut self) -> Option<&'t str> {
        self.eat(b'"')?;
        let rest = self.text.get(self.at..)?;
        let string = rest.get(..memchr::memchr(b'"', rest.as_bytes())?)?;
        self.at += string.len() + 1;
        (self.is_one_line || string.bytes().all(|byte| byte >= b' ')).then_some(string)
    }

    /// The next byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next.then_some(())
    }
}

/// What must stand there once.
fn once<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

/// By name, each of which there must be once.
fn sorted<T>(mut entries: Vec<(&str, T)>) -> Option<Vec<(&str, T)>> {
    entries.sort_by_key(|(name, _)| *name);
    entries.is_sorted_by(|(a, _), (b, _)| a < b).then_some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::Policy;
    use crate::value::json::{Dialect, read};
    use crate::value::{Cause, Partial, Unknown, Value};

    /// What is read of a text that is taken apart before.
    fn slowly(text: &str) -> Option<Document> {
        let value = read(text, Dialect::Policy).ok()?;
        let unknown = Unknown { partial: Partial::json(value), ..Unknown::new(Cause::Plan) };
        Policy::read(&Value::from_unknown(unknown)).alternatives.pop()
    }

    const DOCUMENTS: [&str; 3] = [
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"","Effect":"Allow","Action":"s3:Get*","Resource":["*","arn:aws:s3"]}]}"#,
        r#" { "Id" : "x" , "Statement" :
            { "Effect" : "Deny" , "NotPrincipal" : { "Service" : [ ] , "AWS" : [ "1" , "2" ] } , "Sid" : "a" } } "#,
        r#"{"Statement":[{"Effect":"Allow","Principal":"*","NotAction":["a:b"],"NotResource":"c","Condition":{
            "StringEquals":{"b":"1","a":["2","3"]},"Bool":{"c":"true"},"Null":{}}}],"Version":"2008-10-17"}"#,
    ];

    #[test]
    fn what_is_read_at_once_is_what_is_read_part_by_part() {
        let (mut read, mut left) = (0, 0);
        let mut compare = |text: &str| match document(text) {
            Some(quick) => {
                assert_eq!(format!("{:?}", Some(quick)), format!("{:?}", slowly(text)), "{text}");
                read += 1;
            }
            None => left += 1,
        };
        for text in DOCUMENTS {
            compare(text);
            for at in 0..text.len() {
                let (before, after) = text.split_at(at);
                let rest = &after[1..];
                compare(&format!("{before}{rest}"));
                for other in ["\"", "{", "}", "[", "]", ",", ":", "\\", "\n", "1", "\u{e9}", "n", " "] {
                    compare(&format!("{before}{other}{rest}"));
                    compare(&format!("{before}{other}{after}"));
                }
            }
        }
        assert!(read > 1000 && left > 1000, "{read} {left}");
    }

    #[test]
    fn whatever_is_unusual_is_left_to_others() {
        for text in DOCUMENTS {
            assert!(document(text).is_some(), "{text}");
        }
        for statement in [
            r#"{"Effect":"Allow","Action":"a:b","NotAction":"a:c","Resource":"*"}"#,
            r#"{"Effect":"Allow","Action":"a:b","Action":"a:c","Resource":"*"}"#,
            r#"{"Effect":"Allow","action":"a:b","Resource":"*"}"#,
            r#"{"Effect":"allow","Action":"a:b","Resource":"*"}"#,
            r#"{"Action":"a:b","Resource":"*"}"#,
            r#"{"Effect":"Allow","Action":"a:b","Resource":null}"#,
            r#"{"Effect":"Allow","Action":"a:\u0062","Resource":"*"}"#,
            r#"{"Effect":"Allow","Action":[["a:b"]],"Resource":"*"}"#,
            r#"{"Effect":"Allow","Action":"a:b","Condition":{"Bool":{"a":true}}}"#,
            r#"{"Effect":"Allow","Action":"a:b","Condition":{"Equals":{"a":"b"}}}"#,
            r#"{"Effect":"Allow","Action":"a:b","Condition":{"Bool":{"a":"b","a":"c"}}}"#,
            r#"{"Effect":"Allow","Principal":{"AWS":"a","AWS":"b"},"Action":"a:b"}"#,
        ] {
            assert!(document(&format!(r#"{{"Statement":[{statement}]}}"#)).is_none(), "{statement}");
        }
        for text in ["", "{}", "[]", r#"{"Statement":[]} x"#, r#"{"Version":"1","Statement":[]}"#] {
            assert!(document(text).is_none(), "{text}");
        }
    }
}
