//! A small map sorted by key, as Terraform's maps and objects are: binary search in keys that lie side by side.
//!
//! The objects of a plan have the same few sets of keys over and over: the attributes of a type, the arguments of a block.
//! Maps that are made of sorted entries share them.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use smol_str::SmolStr;

use super::Value;
use super::hashed::ByHash;

/// String keys to values, sorted by the bytes of the key; of equal keys the last one given stays.
#[derive(Clone, Debug, Default)]
pub struct Map {
    keys: Arc<[SmolStr]>,
    /// The value of each key.
    values: Vec<Value>,
}

/// A thread keeps no more sets of keys than this, nor larger ones: what a map of tags or labels has as keys may be anything.
const MAX_SHARED: usize = 1024;
const MAX_KEYS: usize = 256;

thread_local! {
    static SHARED: RefCell<Shared> = RefCell::default();
}

/// Where a text was found in a set of keys, by where both are in memory. It may be that of others, so who takes it looks.
static GUESSES: [AtomicU16; 4096] = [const { AtomicU16::new(0) }; 4096];

/// Spreads bits.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Sets of keys, by their digests. One that has the digest of another is not shared.
#[derive(Default)]
struct Shared {
    sets: ByHash<u64, Arc<[SmolStr]>>,
}

/// The digest of some keys and another one, of which its length, start and end count: whole keys are compared anyway.
fn mixed(digest: u64, key: &str) -> u64 {
    let bytes = key.as_bytes();
    let (start, end) = match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(start), Some(end)) => (u64::from_le_bytes(*start), u64::from_le_bytes(*end)),
        _ => (bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
    };
    let word = start ^ end.rotate_left(23) ^ (bytes.len() as u64).rotate_left(47);
    (digest.rotate_left(5) ^ word).wrapping_mul(ODD)
}

impl Shared {
    fn get<'k>(&mut self, keys: &(impl ExactSizeIterator<Item = &'k str> + Clone)) -> Arc<[SmolStr]> {
        let length = keys.len();
        let new = || keys.clone().map(SmolStr::new).collect();
        if length == 0 || length > MAX_KEYS {
            return new();
        }
        if self.sets.len() == MAX_SHARED {
            self.sets.clear();
        }
        let set = self.sets.entry(keys.clone().fold(0, mixed)).or_insert_with(new);
        let is_same = set.len() == length && set.iter().zip(keys.clone()).all(|(known, key)| known == key);
        if is_same { Arc::clone(set) } else { new() }
    }
}

impl Map {
    /// The map of the entries from `start` on, which are taken out.
    pub(crate) fn of_tail<K: AsRef<str>>(entries: &mut Vec<(K, Value)>, start: usize) -> Self {
        let tail = entries.get_mut(start..).unwrap_or_default();
        if !tail.is_sorted_by(|(a, _), (b, _)| a.as_ref() < b.as_ref()) {
            tail.sort_by(|(a, _), (b, _)| a.as_ref().cmp(b.as_ref()));
            if !tail.is_sorted_by(|(a, _), (b, _)| a.as_ref() < b.as_ref()) {
                let mut tail: Vec<_> = entries.drain(start..).rev().collect();
                tail.dedup_by(|(a, _), (b, _)| a.as_ref() == b.as_ref());
                entries.extend(tail.into_iter().rev());
            }
        }
        let names = entries.get(start..).unwrap_or_default().iter().map(|(key, _)| key.as_ref());
        let keys = SHARED.with_borrow_mut(|shared| shared.get(&names));
        Self { keys, values: entries.drain(start..).map(|(_, value)| value).collect() }
    }

    /// The map of values, each of which has its key.
    pub(crate) fn of<'k>(keys: impl ExactSizeIterator<Item = &'k str> + Clone, values: Vec<Value>) -> Self {
        if keys.len() != values.len() || !keys.clone().is_sorted_by(|a, b| a < b) {
            return keys.map(SmolStr::new).zip(values).collect();
        }
        Self { keys: SHARED.with_borrow_mut(|shared| shared.get(&keys)), values }
    }

    /// Adds entries, sorted by their keys, of which it has none.
    pub(crate) fn add_absent<K: AsRef<str>>(&mut self, absent: &mut Vec<(K, Value)>) {
        let known = self.keys.iter().map(SmolStr::as_str);
        // Of both, the smaller key first.
        let mut others = absent.iter().map(|(key, _)| key.as_ref()).peekable();
        let mut order = Vec::with_capacity(self.keys.len() + absent.len());
        for key in known {
            order.extend(std::iter::from_fn(|| others.next_if(|other| *other < key)).map(|key| (key, true)));
            order.push((key, false));
        }
        order.extend(others.map(|key| (key, true)));
        let keys = SHARED.with_borrow_mut(|shared| shared.get(&order.iter().map(|(key, _)| *key)));
        let order: Vec<bool> = order.into_iter().map(|(_, is_added)| is_added).collect();
        let mut known = std::mem::take(&mut self.values).into_iter();
        let mut added = absent.iter_mut().map(|(_, value)| std::mem::replace(value, Value::NULL));
        self.values =
            order.iter().filter_map(|is_added| if *is_added { added.next() } else { known.next() }).collect();
        drop(added);
        absent.clear();
        self.keys = keys;
    }

    /// The map of what its values become together, which are as many.
    pub(crate) fn try_map<E>(&self, to: impl FnOnce(&[Value]) -> Result<Vec<Value>, E>) -> Result<Self, E> {
        Ok(Self { keys: Arc::clone(&self.keys), values: to(&self.values)? })
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        // Many maps share their keys and are asked for the same few, by texts that stay where they are.
        let place =
            self.keys.as_ptr().addr().rotate_left(17) ^ key.as_ptr().addr() ^ key.len().rotate_left(9);
        let place = (place as u64).wrapping_mul(ODD) >> (u64::BITS - GUESSES.len().trailing_zeros());
        let guess = usize::try_from(place).ok().and_then(|place| GUESSES.get(place));
        let known = guess.map_or(0, |guess| usize::from(guess.load(Ordering::Relaxed)));
        if self.keys.get(known).is_some_and(|known| known == key) {
            return Ok(known);
        }
        let found = self.search(key)?;
        if let (Some(guess), Ok(found)) = (guess, u16::try_from(found)) {
            guess.store(found, Ordering::Relaxed);
        }
        Ok(found)
    }

    fn search(&self, key: &str) -> Result<usize, usize> {
        self.keys.binary_search_by(|known| known.as_str().cmp(key))
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(self.find(key).ok()?)
    }

    /// The value of `key`, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let at = self.find(key).ok()?;
        self.values.get_mut(at)
    }

    /// Sets `key`, and returns what it was.
    pub fn insert(&mut self, key: SmolStr, value: Value) -> Option<Value> {
        match self.find(&key) {
            Ok(at) => self.values.get_mut(at).map(|old| std::mem::replace(old, value)),
            Err(at) => {
                let (before, after) = self.keys.split_at_checked(at).unwrap_or((&self.keys, &[]));
                self.keys = before.iter().cloned().chain([key]).chain(after.iter().cloned()).collect();
                self.values.insert(at, value);
                None
            }
        }
    }

    /// Entries in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&SmolStr, &Value)> + DoubleEndedIterator {
        self.keys.iter().zip(&self.values)
    }

    /// Entries in the order of their keys, values to change.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&SmolStr, &mut Value)> {
        self.keys.iter().zip(&mut self.values)
    }

    /// Keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &SmolStr> {
        self.keys.iter()
    }

    /// Values in the order of their keys.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.values.iter()
    }

    /// Values in the order of their keys, as they lie in memory.
    pub(crate) fn as_values(&self) -> &[Value] {
        &self.values
    }

    /// Values in the order of their keys, to change.
    pub fn values_mut(&mut self) -> impl ExactSizeIterator<Item = &mut Value> {
        self.values.iter_mut()
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether the other has its keys in the same memory: then they are the same.
    pub(crate) fn shares_keys_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.keys, &other.keys)
    }
}

impl FromIterator<(SmolStr, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (SmolStr, Value)>>(iter: I) -> Self {
        Self::of_tail(&mut iter.into_iter().collect(), 0)
    }
}

impl IntoIterator for Map {
    type Item = (SmolStr, Value);
    type IntoIter = std::iter::Zip<std::vec::IntoIter<SmolStr>, std::vec::IntoIter<Value>>;

    fn into_iter(self) -> Self::IntoIter {
        let keys: Vec<_> = self.keys.iter().cloned().collect();
        keys.into_iter().zip(self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map<const N: usize>(entries: [(&str, i64); N]) -> Map {
        entries.map(|(key, value)| (key.into(), Value::int(value))).into_iter().collect()
    }

    fn shown(map: &Map) -> Vec<String> {
        map.iter().map(|(key, value)| format!("{key}={:?}", value.kind)).collect()
    }

    #[test]
    fn the_last_of_equal_keys_stays() {
        assert_eq!(shown(&map([("b", 1), ("a", 2), ("b", 3)])), shown(&map([("a", 2), ("b", 3)])));
    }

    #[test]
    fn equal_keys_are_held_once_until_one_is_added() {
        let (one, mut other) = (map([("a", 1), ("b", 2)]), map([("b", 3), ("a", 4)]));
        assert!(one.shares_keys_with(&other));
        for key in ["c", "", "ab"] {
            assert!(other.insert(key.into(), Value::int(5)).is_none());
        }
        assert!(other.insert("a".into(), Value::int(6)).is_some());
        assert_eq!(shown(&other), shown(&map([("", 5), ("a", 6), ("ab", 5), ("b", 3), ("c", 5)])));
        assert_eq!(shown(&one), shown(&map([("a", 1), ("b", 2)])));
        assert!(!map([("ab", 1), ("c", 1)]).shares_keys_with(&map([("a", 1), ("bc", 1)])));
    }

    #[test]
    fn what_is_absent_is_added_in_order() {
        for (have, add) in [
            (vec![], vec!["a", "b"]),
            (vec!["b", "d"], vec!["a", "c", "e"]),
            (vec!["a", "b"], vec!["c"]),
            (vec!["c"], vec!["a", "b"]),
        ] {
            let entries =
                |keys: &[&str]| keys.iter().map(|key| ((*key).into(), Value::string(*key))).collect();
            let mut one: Map = entries(&have);
            one.add_absent(&mut add.iter().map(|key| (*key, Value::string(*key))).collect());
            let all: Map = entries(&[have, add].concat());
            assert_eq!(shown(&one), shown(&all));
            assert!(one.shares_keys_with(&all));
        }
    }

    #[test]
    fn many_sets_of_keys_are_not_all_kept() {
        for n in 0..3 * MAX_SHARED {
            let key = n.to_string();
            assert!(map([(&key, 1)]).get(&key).is_some());
        }
        SHARED.with_borrow(|shared| assert!(shared.sets.len() <= MAX_SHARED));
    }
}
