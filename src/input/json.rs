//! From JSON text to [`Value`] in one pass, with the marks that lie beside the values in plans and states.
//!
//! Everything is borrowed from the text of the file, so a part's place in memory is its place in the file.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::{Arc, LazyLock};

use foldhash::HashSet;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use smol_str::SmolStr;

pub use super::marks::{Marks, PathStep};
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Gap, Site, Span};
use crate::value::{Cause, Kind, Map, Number, Unknown, Value};

/// A JSON file whose parts know where they are.
#[derive(Copy, Clone, Debug)]
pub struct Document<'a> {
    text: &'a str,
    file: Option<FileId>,
    gap: Gap,
}

/// No more is said of one file.
pub const MAX_SAID: usize = 1000;

/// The unknown that most values of a plan share.
static AFTER_APPLY: LazyLock<Arc<Unknown>> = LazyLock::new(|| Arc::new(Unknown::new(Cause::Plan)));

/// A value that is known after apply.
pub fn known_after_apply() -> Value {
    Kind::Unknown(Arc::clone(&AFTER_APPLY)).into()
}

impl<'a> Document<'a> {
    /// The file `file` with its whole `text`.
    pub fn new(text: &'a str, file: FileId) -> Self {
        Self { text, file: Some(file), gap: Gap::NONE }
    }

    /// [`Document::new`] of a text that lacks something of the file.
    #[must_use]
    pub fn with_gap(self, gap: Gap) -> Self {
        Self { gap, ..self }
    }

    /// The whole text.
    pub fn text(self) -> &'a str {
        self.text
    }

    /// JSON that is no file, such as a string that holds some: its parts have no place.
    pub const fn nowhere() -> Self {
        Self { text: "", file: None, gap: Gap::NONE }
    }

    /// The place of `part`, if it is a slice of the text.
    pub fn site(self, part: &str) -> Option<Site> {
        let file = self.file?;
        let start = self.offset(part)?;
        let end = start.checked_add(part.len()).filter(|&end| end <= self.text.len())?;
        // What ends before a gap ends before what is left out.
        let last = end.checked_sub(1).filter(|_| !part.is_empty()).unwrap_or(end);
        let end = self.in_file(last)?.checked_add(u32::try_from(end - last).ok()?)?;
        Some(Site { file, span: Span::new(self.in_file(start)?, end) })
    }

    /// Where in the text `part` begins, if it is a slice of it.
    fn offset(self, part: &str) -> Option<usize> {
        part.as_ptr().addr().checked_sub(self.text.as_ptr().addr())
    }

    /// The offset in the file of what stands at `offset` in the text.
    fn in_file(self, offset: usize) -> Option<u32> {
        u32::try_from(offset).ok().map(|offset| self.gap.in_file(offset))
    }

    /// The place of a key with its quotes, if `key` is borrowed from the text.
    fn key_site(self, key: &str) -> Option<Site> {
        let mut site = self.site(key)?;
        site.span.start = site.span.start.checked_sub(1)?;
        site.span.end = site.span.end.checked_add(1)?;
        Some(site)
    }

    /// Where `error` of parsing `part` is in the file: the first byte that it names.
    pub fn error_site(self, part: &str, error: &serde_json::Error) -> Option<Site> {
        let start = self.offset(part).filter(|&start| start <= self.text.len())?;
        let line_start: usize =
            part.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let offset = (line_start + error.column().saturating_sub(1)).min(part.len());
        let at = self.in_file(start.checked_add(offset)?)?;
        Some(Site { file: self.file?, span: Span::new(at, at) })
    }

    /// An error that `part`, which is `what`, has not the shape that it should. Tools write these files: one that cannot be
    /// understood everywhere is damaged or made up, and a gate is not sure of the rest.
    pub fn not_understood(self, what: &str, part: &str, error: &serde_json::Error) -> Diagnostic {
        let mut diagnostic = Diagnostic::error(format!("cannot understand {what}: {}", super::reason(error)));
        diagnostic.site = self.error_site(part, error);
        diagnostic
    }

    /// Reads `part`, which is `what`; where it has not the shape that it should that is a diagnostic.
    pub fn parse<T: Deserialize<'a>>(
        self,
        what: &str,
        part: &'a str,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<T> {
        let say = |error| {
            // Of a file that is nothing but wrong the first thousand say enough.
            if diagnostics.len() < MAX_SAID {
                diagnostics.push(self.not_understood(what, part, &error));
            }
        };
        serde_json::from_str(part).map_err(say).ok()
    }

    /// Decodes `raw`; what `unknown` marks becomes known after apply, what `sensitive` marks is marked so.
    pub fn decode<'m>(
        self,
        raw: &'a RawValue,
        unknown: &'m Marks,
        sensitive: &'m Marks,
    ) -> Result<Value, serde_json::Error>
    where
        'a: 'm,
    {
        let mut deserializer = serde_json::Deserializer::from_str(raw.get());
        let open = &mut Vec::with_capacity(64);
        Seed { document: self, unknown, sensitive, open }.deserialize(&mut deserializer)
    }

    /// Decodes `raw` as it is.
    pub fn decode_plain(self, raw: &'a RawValue) -> Result<Value, serde_json::Error> {
        self.decode(raw, &Marks::None, &Marks::None)
    }
}

/// A string, borrowed from the text unless it has escapes.
#[derive(Clone, Debug)]
pub struct Text<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// The entries of an object in their order, values not decoded.
#[derive(Debug, Default)]
pub struct Entries<'a>(pub Vec<(Text<'a>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;
        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(EntriesVisitor)
    }
}

/// Decodes one value with its marks.
struct Seed<'s, 'm, 'a> {
    document: Document<'a>,
    unknown: &'m Marks,
    sensitive: &'m Marks,
    /// The entries of the objects around it that are read already: each object is made when all of it is, as large as it is.
    open: &'s mut Vec<(Cow<'m, str>, Value)>,
}

impl<'de: 'm, 'm> DeserializeSeed<'de> for Seed<'_, 'm, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let sensitive = matches!(self.sensitive, Marks::All);
        if matches!(self.unknown, Marks::All) {
            deserializer.deserialize_ignored_any(IgnoredAny)?;
            return Ok(known_after_apply().mark(sensitive));
        }
        Ok(deserializer.deserialize_any(self)?.mark(sensitive))
    }
}

impl<'de: 'm, 'm> Visitor<'de> for Seed<'_, 'm, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or_else(|_| number(&value.to_string()), Value::int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(number(&value.to_string()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::string(shared(text)))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::NULL)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        loop {
            let index = items.len();
            let seed = Seed {
                document: self.document,
                unknown: self.unknown.item(index),
                sensitive: self.sensitive.item(index),
                open: self.open,
            };
            match seq.next_element_seed(seed)? {
                Some(item) => items.push(item),
                None => break,
            }
        }
        if let Marks::Items(marks) = self.unknown {
            items.extend(marks.iter().skip(items.len()).map(Marks::unknowns));
        }
        Ok(Value::tuple(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let start = self.open.len();
        while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
            let seed = Seed {
                document: self.document,
                unknown: self.unknown.field(&key),
                sensitive: self.sensitive.field(&key),
                open: self.open,
            };
            let mut value = map.next_value_seed(seed)?;
            if let Cow::Borrowed(key) = key {
                value.origin = self.document.key_site(key);
            }
            self.open.push((key, value));
        }
        if let Marks::Fields(omitted) = self.unknown {
            let given = self.open.get_mut(start..).unwrap_or_default();
            if !given.is_sorted_by(|(a, _), (b, _)| a <= b) {
                given.sort_by(|(a, _), (b, _)| a.cmp(b));
            }
            let end = self.open.len();
            for (key, marks) in omitted {
                let given = self.open.get(start..end).unwrap_or_default();
                if given.binary_search_by(|(known, _)| (**known).cmp(key)).is_err() {
                    let is_sensitive = matches!(self.sensitive.field(key), Marks::All);
                    self.open.push((Cow::Borrowed(key), marks.unknowns().mark(is_sensitive)));
                }
            }
        }
        let given = self.open.len() - start;
        let object = Map::of_tail(self.open, start);
        if object.len() < given {
            // Readers do not agree on which of the two counts.
            return Err(A::Error::custom(super::TWICE));
        }
        Ok(Kind::Object(Arc::new(object)).into())
    }
}

/// Texts of these lengths are looked for among those of before. Shorter ones are no memory of their own, longer ones are
/// policies, each another one.
const SHARED_LENGTHS: RangeInclusive<usize> = 24..=256;
/// A thread keeps no more texts.
const MAX_TEXTS: usize = 4096;

thread_local! {
    static TEXTS: RefCell<HashSet<SmolStr>> = RefCell::default();
}

/// The text, in the memory of an equal one that was read not long ago: instances say much the same.
fn shared(text: &str) -> SmolStr {
    if !SHARED_LENGTHS.contains(&text.len()) {
        return SmolStr::new(text);
    }
    TEXTS.with_borrow_mut(|texts| {
        if let Some(known) = texts.get(text) {
            return known.clone();
        }
        if texts.len() == MAX_TEXTS {
            texts.clear();
        }
        let new = SmolStr::new(text);
        texts.insert(new.clone());
        new
    })
}

/// A number that is no 64-bit integer, by its decimal digits.
fn number(digits: &str) -> Value {
    Number::parse(digits).map_or_else(
        || Value::unknown(Cause::Limit("the number is out of range".into())),
        |number| Kind::Number(number).into(),
    )
}

/// Reads `null` like an absent field, for `#[serde(deserialize_with = …)]`.
pub fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}
