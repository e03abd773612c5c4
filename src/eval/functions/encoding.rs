//! Base64, URL and CSV encodings.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::call::{Call, Outcome, string};
use crate::value::{Kind, Value};

pub(super) fn base64encode(call: &Call<'_>) -> Outcome {
    Ok(Value::string(BASE64_STANDARD.encode(call.text(0))))
}

pub(super) fn base64decode(call: &Call<'_>) -> Outcome {
    let bytes = decode(call.text(0))?;
    let text = String::from_utf8(bytes).map_err(|_| "what is encoded is not UTF-8 text")?;
    Ok(string(text))
}

/// The bytes of base64 text; line breaks inside are passed over.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, String> {
    BASE64_STANDARD.decode(text.replace(['\n', '\r'], "")).map_err(|_| "the text is not base64".to_owned())
}

pub(super) fn urlencode(call: &Call<'_>) -> Outcome {
    let mut out = String::new();
    for byte in call.text(0).bytes() {
        match byte {
            b' ' => out.push('+'),
            b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    Ok(Value::string(out))
}

/// The first record names the attributes.
pub(super) fn csvdecode(call: &Call<'_>) -> Outcome {
    let mut records = records(call.text(0))?.into_iter();
    let header = records.next().ok_or("a header is missing")?;
    for (i, name) in header.iter().enumerate() {
        if header.iter().take(i).any(|other| other == name) {
            return Err(format!("two columns are named {name:?}"));
        }
    }
    let mut rows = Vec::new();
    for record in records {
        if record.len() != header.len() {
            return Err(format!("a record has {} fields for {} columns", record.len(), header.len()));
        }
        let fields = record.into_iter().map(string);
        rows.push(Value::object(header.iter().map(Into::into).zip(fields)));
    }
    Ok(Kind::List(rows.into()).into())
}

/// The records of RFC 4180 text; lines without any text are passed over.
fn records(text: &str) -> Result<Vec<Vec<String>>, String> {
    let text = text.replace("\r\n", "\n");
    let mut chars = text.chars().peekable();
    let mut records = Vec::new();
    let mut record = Vec::new();
    while let Some(&first) = chars.peek() {
        if first == '\n' && record.is_empty() {
            chars.next();
            continue;
        }
        let field = if first == '"' {
            chars.next();
            quoted(&mut chars)?
        } else {
            let mut field = String::new();
            while let Some(c) = chars.next_if(|&c| c != ',' && c != '\n') {
                if c == '"' {
                    return Err("a quote stands in a field that is not quoted".to_owned());
                }
                field.push(c);
            }
            field
        };
        record.push(field);
        match chars.next() {
            // A comma at the end has an empty field after it.
            Some(',') if chars.peek().is_none_or(|&c| c == '\n') => {
                record.push(String::new());
                chars.next();
                records.push(std::mem::take(&mut record));
            }
            Some(',') => {}
            Some('\n') | None => records.push(std::mem::take(&mut record)),
            Some(_) => return Err("text follows a quoted field".to_owned()),
        }
    }
    Ok(records)
}

fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, String> {
    let mut field = String::new();
    loop {
        match chars.next() {
            Some('"') if chars.next_if_eq(&'"').is_some() => field.push('"'),
            Some('"') => return Ok(field),
            Some(c) => field.push(c),
            None => return Err("a quoted field is not closed".to_owned()),
        }
    }
}
