//! What is made of a text that many resources have, a model or the places of a tag: once of each of the first few texts, and
//! of any other each time. There is no lock to wait for.

use std::sync::OnceLock;

use smol_str::SmolStr;

/// More texts than these are not remembered: who has so many different ones has few that are alike.
const MAX_TEXTS: usize = 12;

/// What was made of the first few texts.
#[derive(Debug)]
pub(super) struct Few<T>([OnceLock<(SmolStr, T)>; MAX_TEXTS]);

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self([const { OnceLock::new() }; MAX_TEXTS])
    }
}

impl<T: Clone> Few<T> {
    /// What `make` makes of the text.
    pub(super) fn get(&self, text: &str, make: impl Fn(&str) -> T) -> T {
        let mut slots = self.0.iter().map(|slot| slot.get_or_init(|| (SmolStr::from(text), make(text))));
        slots.find(|(known, _)| known == text).map_or_else(|| make(text), |(_, made)| made.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn each_of_the_first_texts_is_made_once() {
        let (few, made) = (Few::default(), Cell::new(0));
        let get = |text: usize| {
            few.get(&text.to_string(), |text| {
                made.set(made.get() + 1);
                text.len()
            })
        };
        for text in (0..MAX_TEXTS).chain(0..MAX_TEXTS) {
            assert_eq!(get(text), text.to_string().len());
        }
        assert_eq!(made.get(), MAX_TEXTS);
        assert_eq!((get(12_345), get(12_345)), (5, 5));
        assert_eq!(made.get(), MAX_TEXTS + 2);
    }
}
