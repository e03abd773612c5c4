//! A YAML document to a value: mappings are objects, sequences tuples, aliases the value of their anchor.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};
use smol_str::SmolStr;

use super::super::call::{Call, Outcome, string};
use super::scalar;
use crate::value::{Kind, Type, Value, convert, normalize};

/// Deeper documents are not read.
const MAX_DEPTH: usize = 200;

/// More values than this are not made: each alias counts for all that it stands for.
const MAX_VALUES: usize = 1 << 20;

/// A longer document is not read.
const MAX_LENGTH: usize = 4 << 20;

pub(in super::super) fn yamldecode(call: &Call<'_>) -> Outcome {
    let text = call.text(0);
    if text.len() > MAX_LENGTH {
        return Ok(call.limited("4 MiB", Type::Any));
    }
    let events = Parser::new_from_str(text);
    let unended = (!text.ends_with('\n')).then(|| text.chars().count());
    let mut reader = Reader { unended, events, anchors: HashMap::new(), values: 0, line: 1 };
    match reader.document() {
        Ok(value) => Ok(value),
        // Inside of a line a tab may separate for Terraform and not for our parser; as indentation it is wrong for both.
        Err(Stop::Wrong(NOT_PARSED)) if text.contains('\t') && !text.lines().any(is_tabbed) => {
            Ok(call.not_evaluated(Type::Any))
        }
        Err(Stop::Wrong(why)) => Err(format!("the text is not YAML at line {}: {why}", reader.line)),
        Err(Stop::Limit(which)) => Ok(call.limited(which, Type::Any)),
    }
}

const DEPTH: &str = "depth of the document";

const NOT_PARSED: &str = "it cannot be parsed";

fn is_tabbed(line: &str) -> bool {
    line.trim_start_matches(' ').starts_with('\t')
}

enum Stop {
    Wrong(&'static str),
    Limit(&'static str),
}

struct Reader<'t> {
    /// How many characters there are, if the last line has no end.
    unended: Option<usize>,
    events: Parser<'t, StrInput<'t>>,
    /// The values of anchors that are complete, and how many values each holds.
    anchors: HashMap<usize, (Value, usize)>,
    /// How many values were made.
    values: usize,
    line: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<Event<'t>, Stop> {
        match self.events.next_event() {
            Some(Ok((mut event, Span { start, end }))) => {
                self.line = start.line();
                // A block at the end of a text without a last line break has none either; the parser adds it.
                if let Event::Scalar(text, ScalarStyle::Literal | ScalarStyle::Folded, ..) = &mut event
                    && self.unended == Some(end.index())
                    && text.ends_with('\n')
                {
                    text.to_mut().pop();
                }
                Ok(event)
            }
            Some(Err(error)) => {
                self.line = error.marker().line();
                // The parser has a limit of its own.
                if error.info() == "recursion limit exceeded" {
                    return Err(Stop::Limit(DEPTH));
                }
                Err(Stop::Wrong(NOT_PARSED))
            }
            None => Err(Stop::Wrong("it ends too early")),
        }
    }

    fn document(&mut self) -> Result<Value, Stop> {
        let Event::StreamStart = self.next()? else { return Err(Stop::Wrong("it does not begin")) };
        match self.next()? {
            Event::DocumentStart(_) => {}
            _ => return Err(Stop::Wrong("there is no document")),
        }
        let first = self.next()?;
        let value = self.value(first, 0)?;
        match (self.next()?, self.next()?) {
            (Event::DocumentEnd, Event::StreamEnd) => Ok(value),
            _ => Err(Stop::Wrong("only one document is allowed")),
        }
    }

    /// Accounts for `count` values.
    fn charge(&mut self, count: usize) -> Result<(), Stop> {
        self.values = self.values.saturating_add(count);
        if self.values > MAX_VALUES { Err(Stop::Limit("2^20 values")) } else { Ok(()) }
    }

    fn value(&mut self, event: Event<'_>, depth: usize) -> Result<Value, Stop> {
        if depth > MAX_DEPTH {
            return Err(Stop::Limit(DEPTH));
        }
        let before = self.values;
        self.charge(1)?;
        let (value, anchor) = match event {
            Event::Alias(anchor) => {
                let (value, size) = self
                    .anchors
                    .get(&anchor)
                    .cloned()
                    .ok_or(Stop::Wrong("an alias stands before the end of its anchor"))?;
                self.charge(size)?;
                return Ok(value);
            }
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.as_deref().map(name);
                (typed(&text, style, tag.as_deref())?, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                is_tagged(tag.as_deref(), "tag:yaml.org,2002:seq")?;
                (self.sequence(depth)?, anchor)
            }
            Event::MappingStart(anchor, tag) => {
                is_tagged(tag.as_deref(), "tag:yaml.org,2002:map")?;
                (self.mapping(depth)?, anchor)
            }
            _ => return Err(Stop::Wrong("a value is missing")),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), self.values - before));
        }
        Ok(value)
    }

    fn sequence(&mut self, depth: usize) -> Result<Value, Stop> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                Event::SequenceEnd => return Ok(Value::tuple(items)),
                event => items.push(self.value(event, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, Stop> {
        let mut entries: Vec<(SmolStr, Value)> = Vec::new();
        loop {
            let (text, style, tag) = match self.next()? {
                Event::MappingEnd => return Ok(Value::object(entries)),
                Event::Scalar(text, style, _, tag) => (text, style, tag),
                _ => return Err(Stop::Wrong("a key must be a string")),
            };
            let tag = tag.as_deref().map(name);
            let event = self.next()?;
            let merges = match &tag {
                None => text == "<<",
                Some(tag) => tag == "tag:yaml.org,2002:merge",
            };
            if merges {
                let merged = self.value(event, depth + 1)?;
                self.merge(&merged, &mut entries)?;
                continue;
            }
            let key = scalar::resolve(&text, style, tag.as_deref()).map_err(Stop::Wrong)?;
            let key = convert(&key, &Type::String).map_err(|_| Stop::Wrong("a key must be a string"))?;
            let key = normalize(key.as_str().ok_or(Stop::Wrong("a key is null"))?);
            entries.push((key, self.value(event, depth + 1)?));
        }
    }

    /// What `<<` does: what is merged replaces what is there, and is replaced by what follows. Terraform 1.11 takes a mapping
    /// only; later ones also a sequence of them.
    fn merge(&mut self, merged: &Value, entries: &mut Vec<(SmolStr, Value)>) -> Result<(), Stop> {
        let mappings = match &merged.kind {
            Kind::Object(_) => std::slice::from_ref(merged),
            Kind::Tuple(items) => items,
            _ => return Err(Stop::Wrong("only mappings can be merged")),
        };
        for mapping in mappings {
            let map = mapping.map().ok_or(Stop::Wrong("only mappings can be merged"))?;
            self.charge(map.len())?;
            entries.extend(map.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        Ok(())
    }
}

/// The value of a scalar. What is quoted or a block is a string, also where its text would be a number.
fn typed(text: &str, style: ScalarStyle, tag: Option<&str>) -> Result<Value, Stop> {
    let value = scalar::resolve(text, style, tag).map_err(Stop::Wrong)?;
    let value = match (&value.kind, style, tag) {
        (_, ScalarStyle::Plain, _) | (_, _, Some(_)) => value,
        _ => convert(&value, &Type::String).map_err(|_| Stop::Wrong("a string is required"))?,
    };
    Ok(match value.as_str() {
        Some(text) => string(text),
        None => value,
    })
}

fn name(tag: &Tag) -> String {
    format!("{}{}", tag.handle, tag.suffix)
}

fn is_tagged(tag: Option<&Tag>, wanted: &str) -> Result<(), Stop> {
    match tag {
        Some(tag) if name(tag) != wanted => Err(Stop::Wrong("a tag does not fit its value")),
        _ => Ok(()),
    }
}
