//! Digests, and the UUID that is one.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::Digest;

use super::call::{Call, Outcome};
use crate::value::Value;

pub(super) fn md5(call: &Call<'_>) -> Outcome {
    hex::<md5::Md5>(call.text(0).as_bytes())
}

pub(super) fn sha1(call: &Call<'_>) -> Outcome {
    hex::<sha1::Sha1>(call.text(0).as_bytes())
}

pub(super) fn sha256(call: &Call<'_>) -> Outcome {
    hex::<sha2::Sha256>(call.text(0).as_bytes())
}

pub(super) fn sha512(call: &Call<'_>) -> Outcome {
    hex::<sha2::Sha512>(call.text(0).as_bytes())
}

pub(super) fn base64sha256(call: &Call<'_>) -> Outcome {
    base64::<sha2::Sha256>(call.text(0).as_bytes())
}

pub(super) fn base64sha512(call: &Call<'_>) -> Outcome {
    base64::<sha2::Sha512>(call.text(0).as_bytes())
}

/// The digest of `bytes` in hexadecimal.
pub(super) fn hex<D: Digest>(bytes: &[u8]) -> Outcome {
    Ok(Value::string(to_hex(&D::digest(bytes))))
}

/// The digest of `bytes` in base64.
pub(super) fn base64<D: Digest>(bytes: &[u8]) -> Outcome {
    Ok(Value::string(BASE64_STANDARD.encode(D::digest(bytes))))
}

fn to_hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// The namespaces that have a name, as RFC 4122 numbers them.
const NAMESPACES: [(&str, u32); 4] =
    [("dns", 0x6ba7_b810), ("url", 0x6ba7_b811), ("oid", 0x6ba7_b812), ("x500", 0x6ba7_b814)];

/// A UUID in one of its four spellings: bare, with hyphens, in braces, or as a URN.
fn parse_uuid(text: &str) -> Option<u128> {
    let braced = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let urn = text.strip_prefix("urn:uuid:");
    let inner = braced.or(urn).unwrap_or(text);
    let digits = inner.replace('-', "");
    let hyphenated = inner.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    let hexadecimal = digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if hexadecimal && (hyphenated || text == digits) { u128::from_str_radix(&digits, 16).ok() } else { None }
}

pub(super) fn uuidv5(call: &Call<'_>) -> Outcome {
    let namespace = call.text(0);
    let known = NAMESPACES.iter().find(|(name, _)| *name == namespace);
    let bytes = match known {
        Some((_, first)) => u128::from_str_radix(&format!("{first:08x}9dad11d180b400c04fd430c8"), 16).ok(),
        None => parse_uuid(namespace),
    };
    let bytes = bytes.ok_or("the namespace is neither a UUID nor a known name")?;
    let mut input = bytes.to_be_bytes().to_vec();
    input.extend_from_slice(call.text(1).as_bytes());
    let digest = sha1::Sha1::digest(&input);
    let high = digest.iter().take(16).fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
    let versioned = (high & !(0xf << 76) & !(0x3 << 62)) | (5 << 76) | (0x2 << 62);
    let text = format!("{versioned:032x}");
    let part = |from, to| text.get(from..to).unwrap_or_default();
    Ok(Value::string(format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    )))
}
