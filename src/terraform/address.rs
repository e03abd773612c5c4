//! Resource addresses: `module.a["x.y"].data.aws_ami.b[0]`.

use std::fmt;

use smol_str::{SmolStr, SmolStrBuilder};

use crate::program::{Key, Mode};

/// An address in its parts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The module instance, from the root; empty for the root module.
    pub module: Vec<ModuleStep>,
    /// `resource` or `data`.
    pub mode: Mode,
    /// The type: `aws_s3_bucket`.
    pub type_name: SmolStr,
    /// The name label.
    pub name: SmolStr,
    /// The instance key.
    pub key: Option<Key>,
}

/// One `module.name[key]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleStep {
    /// The call's name.
    pub name: SmolStr,
    /// The instance key.
    pub key: Option<Key>,
}

impl Address {
    /// Reads a whole address. [`None`] if it is none, or if something follows it.
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_prefix(text).filter(|(_, rest)| rest.is_empty()).map(|(address, _)| address)
    }

    /// Reads the address that `text` begins with, and returns what follows it: of `aws_kms_key.k[0].arn` that is `.arn`.
    pub fn parse_prefix(text: &str) -> Option<(Self, &str)> {
        let (module, rest) = parse_module(text)?;
        let (first, rest) = name(rest)?;
        let (mode, type_name, rest) = if first == "data" {
            let (type_name, rest) = name(rest.strip_prefix('.')?)?;
            (Mode::Data, type_name, rest)
        } else {
            (Mode::Managed, first, rest)
        };
        let (label, rest) = name(rest.strip_prefix('.')?)?;
        let (key, rest) = match key(rest) {
            Some((key, rest)) => (Some(key), rest),
            None if rest.starts_with('[') => return None,
            None => (None, rest),
        };
        Some((Self { module, mode, type_name: type_name.into(), name: label.into(), key }, rest))
    }

    /// The address without any instance key.
    pub fn block(&self) -> SmolStr {
        let mut out = SmolStrBuilder::new();
        for step in &self.module {
            out.push_str("module.");
            out.push_str(&step.name);
            out.push('.');
        }
        if self.mode == Mode::Data {
            out.push_str("data.");
        }
        out.push_str(&self.type_name);
        out.push('.');
        out.push_str(&self.name);
        out.finish()
    }

    /// The module instance's own address, empty for the root.
    pub fn module_path(&self) -> SmolStr {
        module_path(&self.module)
    }
}

/// Reads the module steps that `text` begins with, and returns what follows the dot after them.
pub fn parse_module(text: &str) -> Option<(Vec<ModuleStep>, &str)> {
    let mut steps = Vec::new();
    let mut rest = text;
    while let Some(after) = rest.strip_prefix("module.") {
        let (step, after) = name(after)?;
        let (key, after) = match key(after) {
            Some((key, after)) => (Some(key), after),
            None => (None, after),
        };
        steps.push(ModuleStep { name: step.into(), key });
        rest = match after.strip_prefix('.') {
            Some(after) => after,
            None if after.is_empty() => after,
            None => return None,
        };
    }
    Some((steps, rest))
}

/// The address of a module instance, empty for the root.
pub fn module_path(steps: &[ModuleStep]) -> SmolStr {
    let mut out = SmolStrBuilder::new();
    for (i, step) in steps.iter().enumerate() {
        out.push_str(if i == 0 { "module." } else { ".module." });
        out.push_str(&step.name);
        if let Some(key) = &step.key {
            out.push_str(&key.to_string());
        }
    }
    out.finish()
}

/// A name up to the next dot or bracket, not empty.
pub(crate) fn name(text: &str) -> Option<(&str, &str)> {
    let end = text.find(['.', '[']).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// An instance key in its brackets.
pub(crate) fn key(text: &str) -> Option<(Key, &str)> {
    let inner = text.strip_prefix('[')?;
    if let Some(quoted) = inner.strip_prefix('"') {
        let (key, rest) = quoted_string(quoted)?;
        return Some((Key::String(key), rest.strip_prefix(']')?));
    }
    let (number, rest) = inner.split_once(']')?;
    let key = match number {
        "?" | "*" => Key::Any,
        number => Key::Int(number.parse().ok()?),
    };
    Some((key, rest))
}

/// An HCL string whose opening quote was read: its content, and what follows the closing quote.
fn quoted_string(text: &str) -> Option<(SmolStr, &str)> {
    let mut out = SmolStrBuilder::new();
    let mut chars = text.chars();
    loop {
        let before = chars.as_str();
        match chars.next()? {
            '"' => return Some((out.finish(), chars.as_str())),
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                'r' => out.push('\r'),
                't' => out.push('\t'),
                digits @ ('u' | 'U') => {
                    let length = if digits == 'u' { 4 } else { 8 };
                    let code = chars.as_str().get(..length)?;
                    out.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
                    chars = chars.as_str().get(length..)?.chars();
                }
                c => out.push(c),
            },
            c @ ('$' | '%') => {
                out.push(c);
                // `$${` is a literal `${`.
                let doubled = if c == '$' { "$${" } else { "%%{" };
                if before.starts_with(doubled) {
                    chars.next();
                }
            }
            c => out.push(c),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.module {
            write!(f, "module.{}", step.name)?;
            if let Some(key) = &step.key {
                write!(f, "{key}")?;
            }
            f.write_str(".")?;
        }
        if self.mode == Mode::Data {
            f.write_str("data.")?;
        }
        write!(f, "{}.{}", self.type_name, self.name)?;
        self.key.iter().try_for_each(|key| write!(f, "{key}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_it_was_read() {
        for text in [
            "aws_s3_bucket.raw",
            "aws_s3_bucket.raw[0]",
            "data.aws_ami.x[\"a.b\"]",
            "module.a.aws_s3_bucket.raw",
            "module.a[\"x.y\"].module.b[3].data.t.n[0]",
            r#"module.mods["c\"d]"].aws_s3_bucket.x["p\\q"]"#,
            r#"t.n["$${a} %%{b} ${'c'} $"]"#.replace("${'c'} ", "").as_str(),
            r#"t.n["a\nb\tc"]"#,
            "t.n[?]",
        ] {
            let address = Address::parse(text).unwrap_or_else(|| panic!("{text} is an address"));
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn the_parts_are_told_apart() {
        let address = Address::parse(r#"module.a["x.y"].module.b.data.t.n["k"]"#).unwrap();
        assert_eq!(address.block(), "module.a.module.b.data.t.n");
        assert_eq!(address.module_path(), r#"module.a["x.y"].module.b"#);
        assert_eq!(address.mode, Mode::Data);
        assert_eq!(address.key, Some(Key::String("k".into())));
        assert_eq!(
            Address::parse(r#"t.n["\u00df\U0001F600"]"#).unwrap().key,
            Some(Key::String("ß😀".into()))
        );
    }

    #[test]
    fn a_reference_keeps_its_attribute() {
        let (address, rest) = Address::parse_prefix("module.m.aws_kms_key.k[0].arn").unwrap();
        assert_eq!((address.to_string().as_str(), rest), ("module.m.aws_kms_key.k[0]", ".arn"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in
            ["", "a", "a.", "data.a", "module.a", "a.b[", "a.b[\"x", "a.b[x]", "a.b[0].c", "module.a[0]b.c.d"]
        {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }
}
