//! Paths as text, always with `/`: what they name is not looked at.

use super::call::{Call, Outcome, string};
use crate::value::Type;

pub(super) fn basename(call: &Call<'_>) -> Outcome {
    let path = call.text(0);
    let trimmed = path.trim_end_matches('/');
    Ok(string(match (path, trimmed) {
        ("", _) => ".",
        (_, "") => "/",
        _ => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }))
}

pub(super) fn dirname(call: &Call<'_>) -> Outcome {
    let path = call.text(0);
    let folder = path.rfind('/').and_then(|at| path.get(..=at)).unwrap_or_default();
    Ok(string(clean(folder)))
}

/// A home folder is the user's, and not the same for everybody.
pub(super) fn pathexpand(call: &Call<'_>) -> Outcome {
    let path = call.text(0);
    match path.strip_prefix('~') {
        None => Ok(string(path)),
        Some(rest) if rest.is_empty() || rest.starts_with(['/', '\\']) => {
            Ok(call.not_evaluated(Type::String))
        }
        Some(_) => Err("the home folder of another user is not known".to_owned()),
    }
}

/// The shortest path that names the same by its text alone.
pub(super) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}
