//! Strings, from `chomp` to `upper`. Positions and lengths count grapheme clusters.

use unicode_segmentation::UnicodeSegmentation;

use super::call::{Call, Outcome, string};
use crate::value::{Kind, Type, Value};

/// The longest string that a function makes; a longer one is unknown.
pub(super) const MAX_LENGTH: usize = 16 << 20;

/// How many grapheme clusters `text` has.
pub(super) fn length(text: &str) -> usize {
    text.graphemes(true).count()
}

pub(super) fn chomp(call: &Call<'_>) -> Outcome {
    Ok(Value::string(call.text(0).trim_end_matches(['\r', '\n'])))
}

pub(super) fn endswith(call: &Call<'_>) -> Outcome {
    Ok(Value::bool(call.text(0).ends_with(call.text(1))))
}

/// The one string function that can answer for a partly known string.
pub(super) fn startswith(call: &Call<'_>) -> Outcome {
    let Some(prefix) = call.value(1).as_str() else {
        return Ok(call.unknown(Type::Bool));
    };
    if let Some(unknown) = call.value(0).as_unknown() {
        let known = unknown.prefix.as_str();
        return Ok(if known.starts_with(prefix) {
            Value::bool(true)
        } else if prefix.starts_with(known) {
            call.unknown(Type::Bool)
        } else {
            Value::bool(false)
        });
    }
    Ok(Value::bool(call.text(0).starts_with(prefix)))
}

pub(super) fn strcontains(call: &Call<'_>) -> Outcome {
    Ok(Value::bool(call.text(0).contains(call.text(1))))
}

pub(super) fn indent(call: &Call<'_>) -> Outcome {
    let spaces = usize::try_from(call.whole(0)?).map_err(|_| "a negative indentation")?;
    let text = call.text(1);
    if spaces.saturating_mul(memchr::memchr_iter(b'\n', text.as_bytes()).count()) > MAX_LENGTH {
        return Ok(call.limited("16 MiB", Type::String));
    }
    Ok(string(text.replace('\n', &format!("\n{}", " ".repeat(spaces)))))
}

pub(super) fn join(call: &Call<'_>) -> Outcome {
    let items = call.args.iter().skip(1).filter_map(Value::items).flatten();
    let mut parts = Vec::new();
    for item in items {
        parts.push(item.as_str().ok_or("an element is null")?);
    }
    let separators = call.text(0).len().saturating_mul(parts.len());
    if parts.iter().map(|part| part.len()).sum::<usize>().saturating_add(separators) > MAX_LENGTH {
        return Ok(call.limited("16 MiB", Type::String));
    }
    Ok(string(parts.join(call.text(0))))
}

pub(super) fn lower(call: &Call<'_>) -> Outcome {
    Ok(string(call.text(0).chars().map(to_lower).collect::<String>()))
}

pub(super) fn upper(call: &Call<'_>) -> Outcome {
    Ok(string(call.text(0).chars().map(to_upper).collect::<String>()))
}

pub(super) fn title(call: &Call<'_>) -> Outcome {
    let mut start = true;
    let titled = call.text(0).chars().map(|c| {
        let mapped = if start { to_title(c) } else { c };
        start = if c.is_ascii() { !(c.is_ascii_alphanumeric() || c == '_') } else { c.is_whitespace() };
        mapped
    });
    Ok(string(titled.collect::<String>()))
}

/// Terraform maps one character to one: what has no single counterpart stays.
fn to_lower(c: char) -> char {
    let mut mapped = c.to_lowercase();
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ if c == '\u{130}' => 'i',
        _ => c,
    }
}

fn to_upper(c: char) -> char {
    let mut mapped = c.to_uppercase();
    if let (Some(one), None) = (mapped.next(), mapped.next()) {
        return one;
    }
    // Greek letters with iota subscript have a single title-case letter beside the spelling in two.
    let offset = match c {
        '\u{1F80}'..='\u{1F87}' | '\u{1F90}'..='\u{1F97}' | '\u{1FA0}'..='\u{1FA7}' => 8,
        '\u{1FB3}' | '\u{1FC3}' | '\u{1FF3}' => 9,
        _ => 0,
    };
    char::from_u32(u32::from(c) + offset).unwrap_or(c)
}

/// Upper case but for the digraphs, which have a title case, and Georgian, which has none.
fn to_title(c: char) -> char {
    match c {
        '\u{1C4}'..='\u{1C6}' => '\u{1C5}',
        '\u{1C7}'..='\u{1C9}' => '\u{1C8}',
        '\u{1CA}'..='\u{1CC}' => '\u{1CB}',
        '\u{1F1}'..='\u{1F3}' => '\u{1F2}',
        '\u{10D0}'..='\u{10FF}' => c,
        _ => to_upper(c),
    }
}

pub(super) fn split(call: &Call<'_>) -> Outcome {
    let (separator, text) = (call.text(0), call.text(1));
    let parts: Vec<Value> = if separator.is_empty() {
        text.chars().map(|c| string(c.to_string())).collect()
    } else {
        text.split(separator).map(string).collect()
    };
    Ok(Kind::List(parts.into()).into())
}

pub(super) fn strrev(call: &Call<'_>) -> Outcome {
    Ok(string(call.text(0).graphemes(true).rev().collect::<String>()))
}

pub(super) fn substr(call: &Call<'_>) -> Outcome {
    let text = call.text(0);
    let (offset, length) = (call.whole(1)?, call.whole(2)?);
    let skipped = if offset < 0 {
        let total = text.graphemes(true).count();
        total.saturating_sub(usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX))
    } else {
        usize::try_from(offset).unwrap_or(usize::MAX)
    };
    // A negative length means all.
    let taken = usize::try_from(length).unwrap_or(usize::MAX);
    Ok(string(text.graphemes(true).skip(skipped).take(taken).collect::<String>()))
}

pub(super) fn trim(call: &Call<'_>) -> Outcome {
    let cut = call.text(1);
    Ok(string(call.text(0).trim_matches(|c| cut.contains(c))))
}

pub(super) fn trimprefix(call: &Call<'_>) -> Outcome {
    let text = call.text(0);
    Ok(string(text.strip_prefix(call.text(1)).unwrap_or(text)))
}

pub(super) fn trimsuffix(call: &Call<'_>) -> Outcome {
    let text = call.text(0);
    Ok(string(text.strip_suffix(call.text(1)).unwrap_or(text)))
}

pub(super) fn trimspace(call: &Call<'_>) -> Outcome {
    Ok(string(call.text(0).trim()))
}
