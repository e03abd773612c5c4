//! Strings with holes: how they are made, and what Terraform's functions make of them. Extended mode only.

use super::evaluator::Evaluator;
use super::lift::is_choice;
use crate::value::{Kind, Partial, Piece, Type, Value, convert, ends, safe_prefix};

impl Evaluator<'_> {
    /// `plain`, an unknown string, with the pieces that it is made of. Where few of them are one of a few texts, it is one of
    /// the texts that these make.
    pub(super) fn in_pieces(&self, pieces: Vec<Piece>, plain: Value) -> Value {
        if !self.extended() || !plain.is_unknown() || !self.afford(pieces.len()) {
            return plain;
        }
        let texts = self.spelled_out(&pieces, plain.sensitive);
        let value = self.partly(plain, Partial::template(pieces));
        if texts.is_empty() {
            return value;
        }
        let plain = value.clone().with_partial(None);
        let one_of = self.join(&texts.iter().collect::<Vec<_>>(), &plain);
        let tells = one_of.as_unknown().is_none_or(|unknown| unknown.partial.is_some());
        if tells { one_of } else { value }
    }

    /// The strings that pieces make for each that their holes may be; none if no hole is one of a few, or if they are too
    /// many.
    fn spelled_out(&self, pieces: &[Piece], sensitive: bool) -> Vec<Value> {
        if !pieces.iter().filter_map(Piece::hole).any(is_choice) {
            return Vec::new();
        }
        let mut begun: Vec<Vec<Piece>> = vec![Vec::with_capacity(pieces.len())];
        for piece in pieces {
            let options: Vec<Piece> = match piece {
                // A template cannot include a null.
                Piece::Hole(hole) if is_choice(hole) => hole.choices().iter().filter_map(piece_of).collect(),
                piece => vec![piece.clone()],
            };
            if begun.len() * options.len() > Partial::MAX_CHOICES {
                return Vec::new();
            }
            let with = |begun: &Vec<Piece>, option: &Piece| {
                let mut pieces = begun.clone();
                pieces.push(option.clone());
                pieces
            };
            begun = begun.iter().flat_map(|b| options.iter().map(move |option| with(b, option))).collect();
        }
        if !self.afford(begun.len() * pieces.len()) {
            return Vec::new();
        }
        begun.into_iter().map(|pieces| Value::spelled(pieces).mark(sensitive)).collect()
    }
}

/// The text of a value as a piece; [`None`] if it has none. An empty one is a piece of its own until pieces are joined.
pub(super) fn piece_of(value: &Value) -> Option<Piece> {
    let string = convert(value, &Type::String).ok()?;
    match &string.kind {
        Kind::String(text) => Some(Piece::Text(text.clone())),
        Kind::Unknown(_) => Some(Piece::Hole(string)),
        _ => None,
    }
}

/// The pieces of a string, known or not.
fn pieces_of(value: &Value) -> Option<Vec<Piece>> {
    match value.pieces() {
        Some(pieces) => Some(pieces.to_vec()),
        None => piece_of(value).map(|piece| vec![piece]),
    }
}

/// What is computed from a hole in a way that is not followed.
pub(super) fn fresh(hole: &Value) -> Piece {
    Piece::Hole(Value::unknown_from(&[hole], Type::String))
}

/// A side of a string.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum End {
    Start,
    Last,
}

/// `join`: all elements with the separator between them. [`None`] if how many there are is not known.
pub(super) fn join(separator: &Value, lists: &[Value]) -> Option<Vec<Piece>> {
    let separator = pieces_of(separator)?;
    let mut out = Vec::new();
    for list in lists {
        let settled = !matches!(list.kind, Kind::Set(_)) || list.is_wholly_known();
        for item in list.items().filter(|_| settled)? {
            if !out.is_empty() {
                out.extend(separator.iter().cloned());
            }
            out.extend(pieces_of(item)?);
            if out.len() > Partial::MAX_PIECES {
                return None;
            }
        }
    }
    Some(out)
}

/// Each text in another case. With `words` the first letter after a hole may begin a word, or not, and is a part of the
/// hole.
pub(super) fn recase(pieces: &[Piece], words: bool, map: impl Fn(&str) -> String) -> Vec<Piece> {
    let mapped = |(at, piece): (usize, &Piece)| match piece {
        Piece::Hole(hole) => fresh(hole),
        Piece::Text(text) => {
            let mapped = map(text);
            let lost = usize::from(words && at > 0);
            Piece::Text(mapped.chars().skip(lost).collect())
        }
    };
    pieces.iter().enumerate().map(mapped).collect()
}

/// Without what is at its ends and `is_cut`.
pub(super) fn trim(pieces: &[Piece], at: &[End], is_cut: impl Fn(char) -> bool) -> Vec<Piece> {
    let mut all: Vec<Piece> = pieces.to_vec();
    if at.contains(&End::Start) {
        all = trimmed(all, |text| text.trim_start_matches(&is_cut));
    }
    if at.contains(&End::Last) {
        all.reverse();
        all = trimmed(all, |text| text.trim_end_matches(&is_cut));
        all.reverse();
    }
    all
}

/// Cuts from the first piece, and from what follows it as far as all before may be cut away. A hole in the way may lose
/// something, and takes up what the texts after it may lose.
fn trimmed(pieces: Vec<Piece>, cut: impl Fn(&str) -> &str) -> Vec<Piece> {
    let mut out = Vec::with_capacity(pieces.len());
    let mut rest = pieces.into_iter();
    for piece in rest.by_ref() {
        match piece {
            Piece::Hole(hole) if out.is_empty() => out.push(fresh(&hole)),
            Piece::Hole(_) => {}
            Piece::Text(text) => {
                let kept = cut(&text);
                if !kept.is_empty() {
                    out.push(Piece::Text(kept.into()));
                    break;
                }
            }
        }
    }
    out.extend(rest);
    out
}

/// Without `cut` at one end, if it certainly is there or certainly is not.
pub(super) fn cut(pieces: &[Piece], cut: &str, at: End) -> Option<Vec<Piece>> {
    let mut all = pieces.to_vec();
    let (begin, end) = ends(pieces);
    let (sure, place) = match at {
        End::Start => (begin, 0),
        End::Last => (end, all.len().checked_sub(1)?),
    };
    let (is_there, may_be_there) = match at {
        End::Start => (sure.starts_with(cut), cut.starts_with(sure)),
        End::Last => (sure.ends_with(cut), cut.ends_with(sure)),
    };
    match (is_there, all.get_mut(place)) {
        (true, Some(Piece::Text(text))) => {
            let kept = match at {
                End::Start => text.strip_prefix(cut),
                End::Last => text.strip_suffix(cut),
            };
            *text = kept?.into();
            Some(all)
        }
        (false, _) if !may_be_there => Some(all),
        _ if cut.is_empty() => Some(all),
        _ => None,
    }
}

/// `replace` of a single character that no other can change, so that it stands in one piece or another. [`None`] for all
/// else: it could stand across the border of a hole.
pub(super) fn replace(pieces: &[Piece], from: &str, to: &str) -> Option<Vec<Piece>> {
    if from.len() != 1 || safe_prefix(from) != from {
        return None;
    }
    let replaced = |piece: &Piece| match piece {
        Piece::Text(text) => Piece::Text(text.replace(from, to).into()),
        Piece::Hole(hole) => fresh(hole),
    };
    Some(pieces.iter().map(replaced).collect())
}

/// Whether `wanted` is in a text; it may always be in a hole.
pub(super) fn contains(pieces: &[Piece], wanted: &str) -> Option<bool> {
    let last = pieces.len().saturating_sub(1);
    let mut sure = pieces.iter().enumerate().map(|(at, piece)| piece.sure(at > 0, at < last));
    (wanted.is_empty() || sure.any(|text| !text.is_empty() && text.contains(wanted))).then_some(true)
}
