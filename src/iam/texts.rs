//! The texts of a list. Most lists of a policy have one, and that needs no memory of its own.

use std::ops::{Deref, DerefMut};

use super::text::Text;

/// Texts, in their order.
#[derive(Clone, Debug)]
pub enum Texts {
    /// One.
    One(Text),
    /// None, or several.
    Several(Box<[Text]>),
}

impl Default for Texts {
    fn default() -> Self {
        Self::Several(Box::default())
    }
}

impl Deref for Texts {
    type Target = [Text];

    fn deref(&self) -> &[Text] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Several(texts) => texts,
        }
    }
}

impl DerefMut for Texts {
    fn deref_mut(&mut self) -> &mut [Text] {
        match self {
            Self::One(text) => std::slice::from_mut(text),
            Self::Several(texts) => texts,
        }
    }
}

impl From<Vec<Text>> for Texts {
    fn from(texts: Vec<Text>) -> Self {
        match <[Text; 1]>::try_from(texts) {
            Ok([only]) => Self::One(only),
            Err(texts) => Self::Several(texts.into()),
        }
    }
}

impl FromIterator<Text> for Texts {
    fn from_iter<T: IntoIterator<Item = Text>>(texts: T) -> Self {
        texts.into_iter().collect::<Vec<_>>().into()
    }
}

impl<'t> IntoIterator for &'t Texts {
    type Item = &'t Text;
    type IntoIter = std::slice::Iter<'t, Text>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
