//! What is known of an unknown value beyond what Terraform knows: a string with holes, JSON with holes, one of a few,
//! some of the elements.
//!
//! It is a part of [`Unknown`], so whoever does not ask for it sees an unknown value: that is what
//! Terraform sees too, and dropping it is the projection that tests/modes.rs holds against Terraform's own answers.

use std::sync::Arc;

use smol_str::SmolStr;
use unicode_normalization::UnicodeNormalization;

use super::{Kind, Map, Truth, Type, Unknown, Value, convert, equal};

/// What is still known of an unknown value.
#[derive(Clone, Debug)]
pub enum Partial {
    /// A string: the pieces in order, at least one of them a hole, no two texts side by side.
    Template(Arc<[Piece]>),
    /// The JSON text of this value, which is not wholly known. Where its object keys are, they are all there. A set in it
    /// is written as a list whose order is not known; an unknown element of one may be equal to another, and one of a
    /// policy document may stand for none or several.
    Json(Value),
    /// One of these, two to [`Partial::MAX_CHOICES`] of them, none a choice itself. Each may be unknown.
    Choice(Arc<[Value]>),
    /// A list, set or tuple: its elements, of which some may not be there. Their order says nothing, and two that may be
    /// equal may be one, as they are in a set.
    Elements(Arc<[Element]>),
}

/// An element of a collection that is known in part.
#[derive(Clone, Debug)]
pub struct Element {
    /// What it is; of [`Times::Any`] what all of them have in common.
    pub value: Value,
    /// How often it is there.
    pub times: Times,
}

/// How often an element of a collection is there.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Times {
    /// Certainly, once.
    Once,
    /// Once or not at all.
    Perhaps,
    /// Any number of times, or not at all.
    Any,
}

/// A piece of a string.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Known text, not empty.
    ///
    /// Terraform normalises strings, so beside a hole that begins with an accent the last letter may differ: comparisons
    /// ask [`Piece::sure`] of what is certain.
    Text(SmolStr),
    /// The text of an unknown value; it is not null. It says why it is unknown, and which attribute it is.
    Hole(Value),
}

impl Partial {
    /// A choice has no more alternatives.
    pub const MAX_CHOICES: usize = 8;
    /// A string has no more pieces.
    pub const MAX_PIECES: usize = 1_000;
    /// What is partly known holds no more values, those inside of what is partly known in it counted too. So whoever walks
    /// into it ends, however much is shared.
    pub const MAX_PARTS: usize = 4_000;
    /// The texts of a string take no more bytes.
    const MAX_TEXT: usize = 1 << 18;
    /// It nests no deeper.
    const MAX_DEPTH: usize = 60;

    /// One of `values`. [`None`] if they are all the same, or too many or too large to be kept, or if it would tell nothing.
    pub fn choice<'v>(values: impl IntoIterator<Item = &'v Value>) -> Option<Self> {
        let mut kept: Vec<Value> = Vec::new();
        for value in values.into_iter().flat_map(Value::choices) {
            if !kept.iter().any(|other| other.is_same(&value)) {
                if kept.len() == Self::MAX_CHOICES {
                    return None;
                }
                kept.push(value);
            }
        }
        let has = |wanted| kept.iter().any(|value| value.as_bool() == Some(wanted));
        let tells = kept.iter().any(|value| !value.is_plain_unknown()) && !(has(true) && has(false));
        if kept.len() < 2 || !tells {
            return None;
        }
        Self::Choice(kept.into()).bounded()
    }

    /// The text that `pieces` make together. Texts side by side are joined, and a hole that has pieces itself is replaced
    /// by them. [`None`] if there is no hole, if it would tell nothing, or if they are too large to be kept.
    pub fn template(pieces: impl IntoIterator<Item = Piece>) -> Option<Self> {
        let pieces = merged(pieces)?;
        let has_hole = pieces.iter().any(|piece| matches!(piece, Piece::Hole(_)));
        let only = matches!(pieces.as_slice(), [Piece::Hole(hole)] if hole.is_plain_unknown());
        if !has_hole || only {
            return None;
        }
        Self::Template(pieces.into()).bounded()
    }

    /// The JSON text of `value`, which is not wholly known. [`None`] if that is too large to be kept.
    pub fn json(value: Value) -> Option<Self> {
        Self::Json(value).bounded()
    }

    /// A collection of these elements. [`None`] if they are too large to be kept.
    pub fn elements(elements: Vec<Element>) -> Option<Self> {
        Self::Elements(elements.into()).bounded()
    }

    /// This, unless it is too large or too deep.
    fn bounded(self) -> Option<Self> {
        let mut left = Self::MAX_PARTS;
        self.fits(&mut left, Self::MAX_DEPTH).then_some(self)
    }

    /// The number of values in it.
    pub fn parts(&self) -> usize {
        let mut left = Self::MAX_PARTS;
        self.fits(&mut left, Self::MAX_DEPTH);
        Self::MAX_PARTS - left
    }

    /// Whether it holds no more values than `left`, which are taken off.
    fn fits(&self, left: &mut usize, depth: usize) -> bool {
        match self {
            Self::Template(pieces) => pieces.iter().all(|piece| match piece {
                Piece::Text(_) => fits(&Value::NULL, left, depth),
                Piece::Hole(hole) => fits(hole, left, depth),
            }),
            Self::Json(json) => fits(json, left, depth),
            Self::Choice(all) => all.iter().all(|value| fits(value, left, depth)),
            Self::Elements(all) => all.iter().all(|element| fits(&element.value, left, depth)),
        }
    }

    /// What is still true of it when its value becomes a `ty`.
    pub(super) fn convert(&self, ty: &Type) -> Option<Self> {
        match (self, ty) {
            (Self::Elements(_), Type::Any) => Some(self.clone()),
            (Self::Elements(all), Type::List(of) | Type::Set(of)) => {
                let element = |element: &Element| {
                    Some(Element { value: convert(&element.value, of).ok()?, times: element.times })
                };
                Self::elements(all.iter().map(element).collect::<Option<_>>()?)
            }
            (Self::Elements(_), _) => None,
            (Self::Template(_) | Self::Json(_), _) => {
                matches!(ty, Type::String | Type::Any).then(|| self.clone())
            }
            // One that does not convert is not the value, or Terraform ends in an error.
            (Self::Choice(all), _) => {
                let all: Vec<Value> = all.iter().filter_map(|value| convert(value, ty).ok()).collect();
                Self::choice(&all)
            }
        }
    }

    /// Whether it may be `known`, which is no null.
    pub(super) fn may_be(&self, known: &Value) -> bool {
        match (self, &known.kind) {
            (Self::Template(pieces), Kind::String(text)) => may_spell(pieces, text),
            (Self::Template(_) | Self::Json(_) | Self::Elements(_), _) => true,
            (Self::Choice(all), _) => all.iter().any(|value| equal(value, known) != Truth::No),
        }
    }

    /// Whether both may be the same.
    pub(super) fn may_meet(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Choice(all), other) | (other, Self::Choice(all)) => all.iter().any(|value| {
                let unknown = value.as_unknown().map(|unknown| &unknown.partial);
                match (unknown, value.is_null()) {
                    (None, false) => other.may_be(value),
                    (Some(Some(partial)), _) => partial.may_meet(other),
                    _ => true,
                }
            }),
            (Self::Template(a), Self::Template(b)) => {
                let (a, b) = (ends(a), ends(b));
                (a.0.starts_with(b.0) || b.0.starts_with(a.0)) && (a.1.ends_with(b.1) || b.1.ends_with(a.1))
            }
            _ => true,
        }
    }
}

impl Piece {
    /// The hole, if it is one.
    pub fn hole(&self) -> Option<&Value> {
        match self {
            Self::Hole(hole) => Some(hole),
            Self::Text(_) => None,
        }
    }

    /// The part of a text that the holes before and after it cannot change; nothing of a hole.
    pub fn sure(&self, after_hole: bool, before_hole: bool) -> &str {
        let Self::Text(text) = self else { return "" };
        let text = if before_hole { safe_prefix(text) } else { text };
        // What composes with a letter before it is not in ASCII.
        let start = if after_hole { text.find(|c: char| c.is_ascii()).unwrap_or(text.len()) } else { 0 };
        text.get(start..).unwrap_or_default()
    }
}

/// The part of `text` that no text after it can change: a last letter may still take an accent.
pub fn safe_prefix(text: &str) -> &str {
    let keep = |c: char| c.is_ascii_whitespace() || c.is_ascii_punctuation() && !matches!(c, '<' | '=' | '>');
    match text.char_indices().next_back() {
        Some((at, last)) if !keep(last) => text.get(..at).unwrap_or_default(),
        _ => text,
    }
}

/// What a string with these pieces certainly begins and ends with.
pub fn ends(pieces: &[Piece]) -> (&str, &str) {
    let many = pieces.len() > 1;
    let begin = pieces.first().map_or("", |piece| piece.sure(false, many));
    (begin, pieces.last().map_or("", |piece| piece.sure(many, false)))
}

/// Whether a string with these pieces may be `text`.
fn may_spell(pieces: &[Piece], text: &str) -> bool {
    let last = pieces.len().saturating_sub(1);
    let mut rest = text;
    for (at, piece) in pieces.iter().enumerate() {
        let sure = piece.sure(at > 0, at < last);
        let after = match at {
            0 => rest.strip_prefix(sure),
            _ if at == last => return rest.ends_with(sure),
            // The first place leaves the most to what follows.
            _ => rest.split_once(sure).map(|(_, after)| after),
        };
        match after {
            Some(after) => rest = after,
            None => return false,
        }
    }
    true
}

/// Whether a value, with what is partly known in it, has no more parts than `left`, which are taken off.
fn fits(value: &Value, left: &mut usize, depth: usize) -> bool {
    if depth == 0 || *left == 0 {
        return false;
    }
    *left -= 1;
    match &value.kind {
        Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
            items.iter().all(|item| fits(item, left, depth - 1))
        }
        Kind::Map(map) | Kind::Object(map) => map.values().all(|item| fits(item, left, depth - 1)),
        Kind::Unknown(unknown) => {
            unknown.partial.as_ref().is_none_or(|partial| partial.fits(left, depth - 1))
        }
        _ => true,
    }
}

/// Pieces in their normal form; [`None`] if they are too many or too long.
pub(super) fn merged(pieces: impl IntoIterator<Item = Piece>) -> Option<Vec<Piece>> {
    fn add(piece: &Piece, text: &mut String, out: &mut Vec<Piece>) {
        match piece {
            Piece::Text(more) => text.push_str(more),
            Piece::Hole(hole) => {
                if let Some(inner) = hole.pieces() {
                    return inner.iter().for_each(|piece| add(piece, text, out));
                }
                flush(text, out);
                out.push(piece.clone());
            }
        }
    }
    /// Joining normal texts may give one that is not.
    fn flush(text: &mut String, out: &mut Vec<Piece>) {
        if text.is_ascii() {
            out.extend((!text.is_empty()).then(|| Piece::Text(text.as_str().into())));
        } else {
            out.push(Piece::Text(text.nfc().collect()));
        }
        text.clear();
    }
    let (mut out, mut text, mut bytes) = (Vec::new(), String::new(), 0);
    for piece in pieces {
        let before = text.len();
        add(&piece, &mut text, &mut out);
        bytes += text.len().saturating_sub(before);
        if out.len() > Partial::MAX_PIECES || bytes > Partial::MAX_TEXT {
            return None;
        }
    }
    flush(&mut text, &mut out);
    Some(out)
}

impl Unknown {
    /// The values that it is one of, if they are known; the mark of the whole covers them.
    pub fn alternatives(&self) -> Option<&[Value]> {
        match &self.partial {
            Some(Partial::Choice(all)) => Some(all),
            _ => None,
        }
    }

    /// Whether one of the alternatives is null. Wherever a null stands for a default, this must be asked for.
    pub fn may_be_left_out(&self) -> bool {
        self.alternatives().into_iter().flatten().any(Value::is_null)
    }
}

impl Value {
    /// The elements of an unknown collection, if some are known.
    pub fn elements(&self) -> Option<&[Element]> {
        match &self.as_unknown()?.partial {
            Some(Partial::Elements(elements)) => Some(elements),
            _ => None,
        }
    }

    /// Whether it is a collection that may be empty, as none of its elements is certain.
    pub fn may_be_empty(&self) -> bool {
        match self.as_unknown().and_then(|unknown| unknown.partial.as_ref()) {
            Some(Partial::Elements(all)) => all.iter().all(|element| element.times != Times::Once),
            Some(Partial::Choice(all)) => {
                all.iter().any(|value| value.items().is_some_and(<[Self]>::is_empty) || value.may_be_empty())
            }
            _ => false,
        }
    }

    /// The pieces of a string that is partly known.
    pub fn pieces(&self) -> Option<&[Piece]> {
        match &self.as_unknown()?.partial {
            Some(Partial::Template(pieces)) => Some(pieces),
            _ => None,
        }
    }

    /// The value that this text is the JSON of, where that is partly known. Of a text with holes
    /// [`json::told`](super::json::told) finds it.
    pub fn json(&self) -> Option<&Self> {
        match &self.as_unknown()?.partial {
            Some(Partial::Json(value)) => Some(value),
            _ => None,
        }
    }

    /// The string that pieces make.
    pub fn spelled(pieces: Vec<Piece>) -> Self {
        let holes: Vec<&Self> = pieces.iter().filter_map(Piece::hole).collect();
        if holes.is_empty() {
            let texts = pieces.iter().map(|piece| if let Piece::Text(text) = piece { text } else { "" });
            return Self::string(texts.collect::<String>().nfc().collect::<SmolStr>());
        }
        let unknown = Unknown { ty: Type::String, not_null: true, ..Unknown::of_operands(&holes) };
        let sensitive = holes.iter().any(|hole| hole.holds_sensitive());
        let partial = Partial::template(pieces);
        let prefix = match &partial {
            Some(Partial::Template(pieces)) => ends(pieces).0.into(),
            _ => SmolStr::default(),
        };
        Self::from_unknown(Unknown { prefix, partial, ..unknown }).mark(sensitive)
    }

    /// The values that this is one of, with its mark; if they are not known, this one alone. Each is the same attribute,
    /// unless it is another one itself.
    pub fn choices(&self) -> Vec<Self> {
        let Some(all) = self.as_unknown().and_then(Unknown::alternatives) else { return vec![self.clone()] };
        let each = |value: &Self| {
            let mut value = value.clone().mark(self.sensitive);
            value.reference = value.reference.or_else(|| self.reference.clone());
            value
        };
        all.iter().map(each).collect()
    }

    /// This value where null stands for `default`: what is one of a few may be that.
    #[must_use]
    pub fn or_default(&self, default: &Self) -> Self {
        if self.is_null() {
            return default.clone().mark(self.sensitive);
        }
        if !self.as_unknown().is_some_and(Unknown::may_be_left_out) {
            return self.clone();
        }
        let set = |value: Self| if value.is_null() { default.clone().mark(value.sensitive) } else { value };
        let all: Vec<Self> = self.choices().into_iter().map(set).collect();
        match all.split_first() {
            Some((first, rest)) if rest.iter().all(|value| first.is_same(value)) => first.clone(),
            _ => self.clone().with_partial(Partial::choice(&all)),
        }
    }

    /// This value where null stands for what is not known.
    #[must_use]
    pub fn or_unknown(self) -> Self {
        if self.as_unknown().is_some_and(Unknown::may_be_left_out) { self.with_partial(None) } else { self }
    }

    /// The number of pieces, alternatives or elements that this value has at its top.
    pub fn partial_len(&self) -> usize {
        match self.as_unknown().and_then(|unknown| unknown.partial.as_ref()) {
            Some(Partial::Template(pieces)) => pieces.len(),
            Some(Partial::Choice(all)) => all.len(),
            Some(Partial::Elements(all)) => all.len(),
            Some(Partial::Json(_)) => 1,
            None => 0,
        }
    }

    /// This value with only what Terraform knows of it.
    #[must_use]
    pub fn without_partial(&self) -> Self {
        let kind = match &self.kind {
            Kind::Unknown(unknown) if unknown.partial.is_some() => {
                Kind::Unknown(Arc::new(Unknown { partial: None, ..(**unknown).clone() }))
            }
            Kind::List(items) => Kind::List(items.iter().map(Self::without_partial).collect()),
            Kind::Set(items) => Kind::Set(items.iter().map(Self::without_partial).collect()),
            Kind::Tuple(items) => Kind::Tuple(items.iter().map(Self::without_partial).collect()),
            Kind::Map(map) => Kind::Map(Arc::new(without_partial(map))),
            Kind::Object(map) => Kind::Object(Arc::new(without_partial(map))),
            kind => kind.clone(),
        };
        Self { kind, ..self.clone() }
    }

    /// The same unknown with `partial`, if it is one.
    #[must_use]
    pub fn with_partial(mut self, partial: Option<Partial>) -> Self {
        if let Kind::Unknown(unknown) = &mut self.kind
            && (partial.is_some() || unknown.partial.is_some())
        {
            Arc::make_mut(unknown).partial = partial;
        }
        self
    }

    /// Whether two values are the same for every purpose: equal and the same attribute.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.reference == other.reference
            && (equal(self, other) == Truth::Yes
                || self.is_unknown() && other.is_unknown() && self.reference.is_some())
    }

    /// Whether nothing but the type of an unknown is known: not even which attribute it is.
    fn is_plain_unknown(&self) -> bool {
        self.reference.is_none()
            && self.as_unknown().is_some_and(|unknown| unknown.partial.is_none() && unknown.prefix.is_empty())
    }
}

fn without_partial(map: &Map) -> Map {
    map.iter().map(|(key, value)| (key.clone(), value.without_partial())).collect()
}
