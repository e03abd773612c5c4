//! Whether text holds a secret in clear: keys of model providers, clouds and registries, by their form, and values of
//! variables whose names say that they are keys.
//!
//! Forms are those that the providers document or their own scanners publish. A name alone proves nothing: its value must be
//! written out, and not be an ARN, a path or a placeholder, by which programs fetch a secret.

use std::sync::OnceLock;

use regex::{Regex, RegexSet};
use smol_str::SmolStr;

use crate::value::{Cause, Element, Partial, Times, Type, Unknown, Value};

/// Forms of secrets, each long enough that chance does not make it.
const FORMS: [&str; 17] = [
    r"\bsk-ant-[A-Za-z0-9_-]{20,}",                     // Anthropic
    r"\bsk-(proj-|svcacct-|admin-)?[A-Za-z0-9_-]{32,}", // OpenAI
    r"\bhf_[A-Za-z0-9]{30,}",                           // Hugging Face
    r"\bAIza[0-9A-Za-z_-]{35}",                         // Google
    r"\b(AKIA|ASIA)[0-9A-Z]{16}\b",                     // AWS access key id
    r"\bABSK[A-Za-z0-9+/]{80,}",                        // Bedrock, long-term
    r"\bbedrock-api-key-[A-Za-z0-9+/=]{80,}",           // Bedrock, short-term
    r"\bpcsk_[A-Za-z0-9_]{30,}",                        // Pinecone
    r"\bgsk_[A-Za-z0-9]{40,}",                          // Groq
    r"\br8_[A-Za-z0-9]{37}",                            // Replicate
    r"\bpplx-[A-Za-z0-9]{40,}",                         // Perplexity
    r"\bxai-[A-Za-z0-9]{60,}",                          // xAI
    r"\bdapi[0-9a-f]{32}\b",                            // Databricks
    r"\blsv2_(pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}",        // LangSmith
    r"\b(ghp|gho|ghs|ghu)_[A-Za-z0-9]{36}",             // GitHub
    r"\bgithub_pat_[A-Za-z0-9_]{60,}",                  // GitHub
    r"-----BEGIN ([A-Z]+ )?PRIVATE KEY-----",
];

/// Names of variables that hold keys.
const NAMES: &str = r"(?i)(^|_)(api_?key|secret_?key|access_?token|auth_?token|secret_access_key|client_secret|bearer_token_bedrock|password|hf_token|hub_token|hugging_?face_?token)$";

/// What stands for a secret that is fetched when the program runs, or is none.
const INDIRECT: &str = r"(?i)^(|arn:.*|/.*|\$\{.*|\{\{.*|<.*|(ssm|secretsmanager|vault|op|gcpsm|azkv)[:/].*|projects/.*|https?://.*|none|null|empty|dummy|placeholder|change-?me|not-needed|true|false|x+|\*+|your[-_ ].*)$";

struct Detectors {
    forms: RegexSet,
    names: Regex,
    indirect: Regex,
}

/// The detectors; [`None`] if one of them were no regular expression, which a test rules out.
fn detectors() -> Option<&'static Detectors> {
    static DETECTORS: OnceLock<Option<Detectors>> = OnceLock::new();
    let build = || {
        Some(Detectors {
            forms: RegexSet::new(FORMS).ok()?,
            names: Regex::new(NAMES).ok()?,
            indirect: Regex::new(INDIRECT).ok()?,
        })
    };
    DETECTORS.get_or_init(build).as_ref()
}

/// `holds_secret(v)`: whether a string, or any string in a collection, has the form of a secret.
pub(super) fn holds_secret(value: &Value) -> Value {
    let Some(detectors) = detectors() else { return Value::unknown(Cause::Limit("secret detectors".into())) };
    let mut unknown = None;
    if any_text(value, &mut unknown, &|text| detectors.forms.is_match(text)) {
        return Value { origin: value.origin, via: value.via.clone(), ..Value::bool(true) };
    }
    unknown.map_or_else(|| Value::bool(false), Value::unknown)
}

/// `secret_entries(m)`: the keys of a map whose values are secrets in clear, sorted.
pub(super) fn secret_entries(map: &Value) -> Value {
    if let Some([only]) = map.items() {
        return secret_entries(only);
    }
    let Some(entries) = map.map() else {
        let unknown = map.as_unknown().map(|unknown| Value::unknown(unknown.cause.clone()));
        return unknown.unwrap_or_else(|| Value::tuple([]));
    };
    let Some(detectors) = detectors() else { return Value::unknown(Cause::Limit("secret detectors".into())) };
    let (mut elements, mut doubt) = (Vec::new(), None);
    for (key, value) in entries.iter() {
        let by_name = detectors.names.is_match(key);
        let written = |text: &str| {
            detectors.forms.is_match(text) || (by_name && !detectors.indirect.is_match(text.trim()))
        };
        let times = match (value.as_str(), value.as_unknown()) {
            // What another resource says is not written here.
            _ if value.reference.is_some() => None,
            (Some(text), _) => written(text).then_some(Times::Once),
            (_, Some(unknown)) if by_name && unknown.references().next().is_none() => {
                doubt.get_or_insert_with(|| unknown.cause.clone());
                Some(Times::Perhaps)
            }
            _ => None,
        };
        if let Some(times) = times {
            elements.push(Element { value: Value::string(SmolStr::from(&**key)), times });
        }
    }
    let Some(cause) = doubt else { return Value::tuple(elements.into_iter().map(|element| element.value)) };
    let partial = Partial::elements(elements);
    Value::from_unknown(Unknown { ty: Type::Any, not_null: true, partial, ..Unknown::new(cause) })
}

/// Whether a string in it is as asked; `unknown` gets why another may be.
fn any_text(value: &Value, unknown: &mut Option<Cause>, ask: &dyn Fn(&str) -> bool) -> bool {
    if let Some(text) = value.as_str() {
        return ask(text);
    }
    if let Some(it) = value.as_unknown() {
        // What is known of it may tell; what comes from another resource is not written here.
        let known = value.pieces().is_some_and(|pieces| {
            pieces.iter().any(|piece| matches!(piece, crate::value::Piece::Text(text) if ask(text)))
        });
        if !known && value.reference.is_none() && it.references().next().is_none() {
            unknown.get_or_insert_with(|| it.cause.clone());
        }
        return known;
    }
    let mut any = false;
    for item in value.items().unwrap_or_default() {
        any |= any_text(item, unknown, ask);
    }
    for (_, item) in value.map().into_iter().flat_map(crate::value::Map::iter) {
        any |= any_text(item, unknown, ask);
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(pairs: &[(&str, &str)]) -> Vec<String> {
        let map =
            Value::object(pairs.iter().map(|(key, value)| (SmolStr::from(*key), Value::string(*value))));
        secret_entries(&map)
            .items()
            .unwrap()
            .iter()
            .filter_map(|key| key.as_str().map(str::to_owned))
            .collect()
    }

    #[test]
    fn a_key_is_one_by_its_form_or_by_the_name_of_what_holds_it() {
        let key = format!("sk-ant-{}", "a".repeat(40));
        assert_eq!(entries(&[("MODEL", "claude"), ("X", &key)]), ["X"]);
        assert_eq!(entries(&[("OPENAI_API_KEY", "abc123"), ("api_key", "k")]), ["OPENAI_API_KEY", "api_key"]);
        let fetched =
            ["arn:aws:secretsmanager:eu-west-1:1:secret:k", "/prod/key", "", "EMPTY", "changeme", "<key>"];
        for text in fetched {
            assert_eq!(entries(&[("OPENAI_API_KEY", text)]), Vec::<String>::new(), "{text}");
        }
        for name in ["OPENAI_API_KEY_ARN", "API_KEY_PARAMETER", "MAX_TOKENS", "TOKENIZER", "KEY_ID", "MONKEY"]
        {
            assert_eq!(entries(&[(name, "abc123")]), Vec::<String>::new(), "{name}");
        }
    }

    #[test]
    fn a_variable_without_value_may_be_a_key() {
        let unset = Value::unknown(Cause::Variable("key".into()));
        let map = Value::object([("OPENAI_API_KEY".into(), unset.clone()), ("MODEL".into(), unset)]);
        let entries = secret_entries(&map);
        let elements = entries.elements().unwrap();
        assert_eq!(elements.len(), 1);
        assert_eq!((elements[0].value.as_str(), elements[0].times), (Some("OPENAI_API_KEY"), Times::Perhaps));
    }

    #[test]
    fn text_holds_a_secret() {
        let script = format!("#!/bin/bash\nexport HF_TOKEN=hf_{}\n", "A".repeat(34));
        assert_eq!(holds_secret(&Value::string(script)).as_bool(), Some(true));
        assert_eq!(holds_secret(&Value::string("pip install sk-learn hf_transfer")).as_bool(), Some(false));
        assert!(holds_secret(&Value::unknown(Cause::Plan)).is_unknown());
    }
}
