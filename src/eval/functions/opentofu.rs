//! The functions that OpenTofu adds to Terraform's, but for `convert`, whose second argument is no value.

use std::io::Read as _;

use super::call::{Call, Outcome, string};
use super::cidr::{Network, parse_address};
use super::encoding;
use super::strings::MAX_LENGTH;
use crate::value::{Kind, Truth, Type, Unknown, Value, convert, equal};

/// The text that was compressed. What it becomes is bounded, however little there is of it.
pub(super) fn base64gunzip(call: &Call<'_>) -> Outcome {
    let bytes = encoding::decode(call.text(0))?;
    let mut text = Vec::new();
    let reader = flate2::read::MultiGzDecoder::new(bytes.as_slice());
    match reader.take(MAX_LENGTH as u64 + 1).read_to_end(&mut text) {
        Err(_) => Err("the text is not gzip".to_owned()),
        Ok(length) if length > MAX_LENGTH => Ok(call.limited("16 MiB", Type::String)),
        // OpenTofu keeps bytes that are no text, which no value can hold.
        Ok(_) => Ok(String::from_utf8(text).map_or_else(|_| call.not_evaluated(Type::String), string)),
    }
}

pub(super) fn cidrcontains(call: &Call<'_>) -> Outcome {
    let (outer, inner) = (Network::parse(call.text(0))?, call.text(1));
    let inner = match parse_address(inner) {
        Some((address, width)) => Network { address, length: width, width },
        None => Network::parse(inner)?,
    };
    if inner.width != outer.width {
        return Err("one is of IPv4 and the other of IPv6".to_owned());
    }
    Ok(Value::bool(outer.contains(inner)))
}

pub(super) fn urldecode(call: &Call<'_>) -> Outcome {
    let mut bytes = call.text(0).bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let (high, low) = (digit(), digit());
                let code = high.zip(low).map(|(high, low)| high * 16 + low);
                code.and_then(|code| u8::try_from(code).ok())
                    .ok_or("a percent sign has no two digits after it")?
            }
            _ => byte,
        });
    }
    Ok(String::from_utf8(out).map_or_else(|_| call.not_evaluated(Type::String), string))
}

const BROKEN: &str = "what is assumed is not so";

/// The second argument, which the first one is assumed to be equal to.
pub(super) fn assumeequal(call: &Call<'_>) -> Outcome {
    let (actual, expected) = (call.value(0), call.value(1));
    let actual = convert(actual, &Type::of(expected))?;
    if equal(&actual, expected) == Truth::No { Err(BROKEN.to_owned()) } else { Ok(expected.clone()) }
}

pub(super) fn assumenotnull(call: &Call<'_>) -> Outcome {
    let mut value = call.value(0).clone();
    match value.kind {
        Kind::Null => return Err(BROKEN.to_owned()),
        Kind::Unknown(unknown) => {
            value.kind = Value::from_unknown(Unknown { not_null: true, ..(*unknown).clone() }).kind;
        }
        _ => {}
    }
    Ok(value)
}

pub(super) fn assumestringprefix(call: &Call<'_>) -> Outcome {
    let mut value = call.value(0).clone();
    let Some(prefix) = call.value(1).as_str() else { return Ok(value) };
    match value.kind {
        Kind::Null => return Err(BROKEN.to_owned()),
        Kind::Unknown(unknown) => {
            let (shorter, longer) = if unknown.prefix.len() < prefix.len() {
                (unknown.prefix.as_str(), prefix)
            } else {
                (prefix, unknown.prefix.as_str())
            };
            if !longer.starts_with(shorter) {
                return Err(BROKEN.to_owned());
            }
            let longer = longer.into();
            value.kind = Value::from_unknown(Unknown { prefix: longer, ..(*unknown).clone() }).kind;
        }
        _ if !call.text(0).starts_with(prefix) => return Err(BROKEN.to_owned()),
        _ => {}
    }
    Ok(value)
}

/// A collection whose length is assumed to be at least the second argument, and at most the third.
pub(super) fn assumelength(call: &Call<'_>) -> Outcome {
    assume_length(call, Some(1), Some(2))
}

pub(super) fn assumelengthmin(call: &Call<'_>) -> Outcome {
    assume_length(call, Some(1), None)
}

pub(super) fn assumelengthmax(call: &Call<'_>) -> Outcome {
    assume_length(call, None, Some(1))
}

fn assume_length(call: &Call<'_>, min: Option<usize>, max: Option<usize>) -> Outcome {
    let value = call.value(0);
    if value.is_null() {
        return Err(BROKEN.to_owned());
    }
    // A bound that is not known says nothing, and neither does a collection whose length is not known.
    let bound = |index: Option<usize>| match index {
        Some(index) if !call.value(index).is_unknown() => call.whole(index).map(Some),
        _ => Ok(None),
    };
    let (min, max) = (bound(min)?, bound(max)?);
    let length = value.items().map(<[Value]>::len).or_else(|| value.map().map(crate::value::Map::len));
    let length =
        length.filter(|_| super::sets::is_settled(value)).and_then(|length| i64::try_from(length).ok());
    let fits = length
        .is_none_or(|length| min.is_none_or(|min| length >= min) && max.is_none_or(|max| length <= max));
    if fits { Ok(value.clone()) } else { Err(BROKEN.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::super::call as call_function;
    use super::*;
    use crate::value::{Cause, Number};

    fn call(name: &str, args: &[Value]) -> Outcome {
        call_function(name, args, None).unwrap()
    }

    fn text(name: &str, args: &[&str]) -> Outcome {
        call(name, &args.iter().map(|arg| Value::string(*arg)).collect::<Vec<_>>())
    }

    #[test]
    fn what_was_compressed_is_text_again() {
        // What Terraform makes of `base64gzip("a")`.
        let zipped = "H4sIAAAAAAAA/0oEAAAA//8BAAD//0O+t+gBAAAA";
        assert_eq!(text("base64gunzip", &[zipped]).unwrap().as_str(), Some("a"));
        assert!(text("base64gunzip", &[""]).is_err());
        assert!(text("base64gunzip", &["H4sIAAAAAAAA/0oEAAAA"]).is_err(), "it is cut off");
    }

    #[test]
    fn networks_contain_addresses_and_networks() {
        for (outer, inner, expected) in [
            ("192.168.2.0/20", "192.168.2.1", true),
            ("192.168.2.0/20", "192.168.2.0/22", true),
            ("192.168.2.0/20", "192.126.2.1", false),
            ("192.168.0.0/24", "192.168.0.0/16", false),
            ("fe80::/48", "fe80::1", true),
            ("0.0.0.0/0", "0.0.0.0/0", true),
        ] {
            assert_eq!(
                text("cidrcontains", &[outer, inner]).unwrap().as_bool(),
                Some(expected),
                "{outer} {inner}"
            );
        }
        assert!(text("cidrcontains", &["10.0.0.0/8", "fe80::1"]).is_err());
        assert!(text("cidrcontains", &["10.0.0.0", "10.0.0.1"]).is_err());
    }

    #[test]
    fn urls_are_decoded() {
        assert_eq!(text("urldecode", &["a+b%20c%C3%A9%2f"]).unwrap().as_str(), Some("a b c\u{e9}/"));
        assert!(text("urldecode", &["%4"]).is_err() && text("urldecode", &["%zz"]).is_err());
        assert!(text("urldecode", &["%ff"]).unwrap().is_unknown(), "no value has these bytes");
    }

    #[test]
    fn what_is_assumed_is_checked_or_known_from_then_on() {
        let unknown = Value::from_unknown(Unknown { ty: Type::String, ..Unknown::new(Cause::Plan) });
        let begins = call("assumestringprefix", &[unknown.clone(), Value::string("arn:")]).unwrap();
        assert_eq!(begins.as_unknown().unwrap().prefix, "arn:");
        assert!(call("assumestringprefix", &[begins, Value::string("x")]).is_err());
        assert!(
            call("assumenotnull", std::slice::from_ref(&unknown)).unwrap().as_unknown().unwrap().not_null
        );
        assert!(call("assumenotnull", &[Value::NULL]).is_err());
        let same = call("assumeequal", &[unknown, Value::string("a")]).unwrap();
        assert_eq!(same.as_str(), Some("a"));
        assert!(call("assumeequal", &[Value::string("b"), Value::string("a")]).is_err());
        let list = Value::tuple([Value::int(1), Value::int(2)]);
        let number = |n: i64| Value::number(Number::from(n));
        assert!(call("assumelistlength", &[list.clone(), number(1), number(2)]).is_ok());
        assert!(call("assumelistlengthmin", &[list.clone(), number(3)]).is_err());
        assert!(call("assumelistlengthmax", &[list, number(1)]).is_err());
        assert!(call("assumemaplengthmin", &[Value::object([]), number(0)]).is_ok());
    }
}
