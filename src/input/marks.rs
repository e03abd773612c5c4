//! Marks beside values: which parts of one are unknown, and which are sensitive.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use foldhash::HashMap;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use smol_str::SmolStr;

use super::json::{Text, known_after_apply};
use crate::value::Value;

/// What lies beside a value and has its shape: `after_unknown`, `after_sensitive`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Marks {
    /// Nothing in it is marked.
    #[default]
    None,
    /// All of it is marked.
    All,
    /// Some attributes are, sorted by name.
    Fields(Vec<(SmolStr, Marks)>),
    /// Some elements are, by position.
    Items(Vec<Marks>),
}

/// A thread keeps no more marks that it has read, and none of longer texts.
const MAX_READ: usize = 512;
const MAX_TEXT: usize = 1 << 12;

thread_local! {
    static READ: RefCell<HashMap<Box<str>, Rc<Marks>>> = RefCell::default();
}

impl Marks {
    /// Reads marks. What is neither `true` nor a container marks nothing. Marks that cannot be read, as those nested beyond
    /// reason, mark all: rather too much is hidden, or not known, than too little.
    pub fn parse(raw: Option<&RawValue>) -> Self {
        raw.filter(|raw| raw.get().len() > 2)
            .map_or(Self::None, |raw| serde_json::from_str(raw.get()).unwrap_or(Self::All))
    }

    /// [`Marks::parse`], read once of an equal text that was read not long ago: the instances of a block are marked alike.
    /// [`None`] if nothing is marked.
    pub fn shared(raw: Option<&RawValue>) -> Option<Rc<Self>> {
        let text = raw.map(RawValue::get).filter(|text| text.len() > 2)?;
        let marks = READ.with_borrow_mut(|read| {
            if let Some(marks) = read.get(text) {
                return Rc::clone(marks);
            }
            let marks = Rc::new(Self::parse(raw));
            if text.len() <= MAX_TEXT {
                if read.len() == MAX_READ {
                    read.clear();
                }
                read.insert(text.into(), Rc::clone(&marks));
            }
            marks
        });
        (!marks.is_none()).then_some(marks)
    }

    /// The marks of an attribute.
    pub fn field(&self, name: &str) -> &Self {
        match self {
            Self::All => &Self::All,
            Self::Fields(fields) => fields
                .binary_search_by(|(key, _)| key.as_str().cmp(name))
                .ok()
                .and_then(|at| fields.get(at))
                .map_or(&Self::None, |(_, marks)| marks),
            _ => &Self::None,
        }
    }

    /// The marks of an element.
    pub fn item(&self, index: usize) -> &Self {
        match self {
            Self::All => &Self::All,
            Self::Items(items) => items.get(index).unwrap_or(&Self::None),
            _ => &Self::None,
        }
    }

    /// What one of both marks.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (marks, Self::None) | (Self::None, marks) => marks,
            (Self::Fields(mut fields), Self::Fields(more)) => {
                for (name, marks) in more {
                    match fields.binary_search_by(|(key, _)| key.cmp(&name)) {
                        Ok(at) => {
                            if let Some((_, known)) = fields.get_mut(at) {
                                *known = std::mem::take(known).or(marks);
                            }
                        }
                        Err(at) => fields.insert(at, (name, marks)),
                    }
                }
                Self::Fields(fields)
            }
            (Self::Items(mut items), Self::Items(more)) => {
                for (at, marks) in more.into_iter().enumerate() {
                    match items.get_mut(at) {
                        Some(known) => *known = std::mem::take(known).or(marks),
                        None => items.push(marks),
                    }
                }
                Self::Items(items)
            }
            _ => Self::All,
        }
    }

    /// Whether nothing is marked.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Marks these paths too: `vpc_config.subnets`, `list[0].key` as sensitive paths of a raw state do.
    pub fn add(&mut self, path: &[PathStep]) {
        let Some((step, rest)) = path.split_first() else {
            *self = Self::All;
            return;
        };
        match (step, &mut *self) {
            (_, Self::All) => {}
            (PathStep::Field(name), Self::Fields(fields)) => {
                let at = match fields.binary_search_by(|(key, _)| key.cmp(name)) {
                    Ok(at) => at,
                    Err(at) => {
                        fields.insert(at, (name.clone(), Self::None));
                        at
                    }
                };
                if let Some((_, marks)) = fields.get_mut(at) {
                    marks.add(rest);
                }
            }
            (PathStep::Item(index), Self::Items(items)) if *index < MAX_ITEMS => {
                if items.len() <= *index {
                    items.resize(index + 1, Self::None);
                }
                if let Some(marks) = items.get_mut(*index) {
                    marks.add(rest);
                }
            }
            (PathStep::Field(_), Self::None) => {
                *self = Self::Fields(Vec::new());
                self.add(path);
            }
            (PathStep::Item(index), Self::None) if *index < MAX_ITEMS => {
                *self = Self::Items(Vec::new());
                self.add(path);
            }
            // A path that does not fit the others: rather too much is hidden than too little.
            _ => *self = Self::All,
        }
    }

    /// The value that has nothing but these marks: Terraform leaves unknown attributes out of `after`.
    pub(super) fn unknowns(&self) -> Value {
        match self {
            Self::None => Value::NULL,
            Self::All => known_after_apply(),
            Self::Fields(fields) => {
                Value::object(fields.iter().map(|(key, marks)| (key.clone(), marks.unknowns())))
            }
            Self::Items(items) => Value::tuple(items.iter().map(Self::unknowns)),
        }
    }
}

/// Elements beyond this position are not marked one by one.
const MAX_ITEMS: usize = 1 << 16;

/// A step of a path into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathStep {
    /// `.name` or `["name"]`
    Field(SmolStr),
    /// `[0]`
    Item(usize),
}

impl<'de> serde::Deserialize<'de> for Marks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MarksVisitor;
        impl<'de> Visitor<'de> for MarksVisitor {
            type Value = Marks;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("marks")
            }

            fn visit_bool<E>(self, marked: bool) -> Result<Marks, E> {
                Ok(if marked { Marks::All } else { Marks::None })
            }

            fn visit_unit<E>(self) -> Result<Marks, E> {
                Ok(Marks::None)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Marks, E> {
                Ok(Marks::None)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Marks, E> {
                Ok(Marks::None)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Marks, E> {
                Ok(Marks::None)
            }

            fn visit_str<E>(self, _: &str) -> Result<Marks, E> {
                Ok(Marks::None)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Marks, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element::<Marks>()? {
                    items.push(item);
                }
                Ok(if items.iter().all(Marks::is_none) { Marks::None } else { Marks::Items(items) })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Marks, A::Error> {
                let mut fields = Vec::new();
                while let Some((key, marks)) = map.next_entry::<Text<'de>, Marks>()? {
                    if !marks.is_none() {
                        fields.push((SmolStr::new(key.0), marks));
                    }
                }
                fields.sort_by(|(a, _), (b, _)| a.cmp(b));
                fields.dedup_by(|(name, marks), (first, kept)| {
                    let is_same = name == first;
                    if is_same {
                        *kept = std::mem::take(kept).or(std::mem::take(marks));
                    }
                    is_same
                });
                Ok(if fields.is_empty() { Marks::None } else { Marks::Fields(fields) })
            }
        }
        deserializer.deserialize_any(MarksVisitor)
    }
}
