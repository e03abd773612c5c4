//! Templates: quoted strings and heredocs with interpolations and directives, and the functions that evaluate some.

use bumpalo::Bump;
use smol_str::SmolStr;

use super::control::condition_of;
use super::elements::Entry;
use super::evaluator::{Eval, Evaluator, MAX_STRING, Names, Stop, error};
use super::for_expression::Entries;
use super::stack::Level;
use super::{Scope, functions};
use crate::eval::Directory;
use crate::hcl::ast::{Expr, Part};
use crate::hcl::parse_template;
use crate::source::Sources;
use crate::value::{Kind, Partial, Piece, Type, Unknown, Value, Ways, convert, normalize, safe_prefix};

/// The text so far and what becomes of it.
#[derive(Default)]
struct Text {
    known: String,
    /// Values that are unknown, in the order of the text.
    unknown: Vec<Value>,
    /// The text so far in pieces, but for what is known after the last hole.
    pieces: Vec<Piece>,
    /// Where in the known text that begins.
    last: usize,
    /// What is surely the beginning: the known text before the first unknown.
    prefix: Option<String>,
    sensitive: bool,
    /// Those that the interpolated values came.
    ways: Ways,
}

impl Evaluator<'_> {
    pub(super) fn template(&self, parts: &[Part<'_>], names: Option<&Names<'_>>) -> Eval {
        if let [Part::Interpolation(only)] = parts {
            return self.eval(only, names);
        }
        let mut text = Text::default();
        self.parts(parts, &mut text, names)?;
        Ok(self.finish(text))
    }

    /// The string that a text is.
    fn finish(&self, mut text: Text) -> Value {
        if text.unknown.is_empty() {
            let value = Value::string(normalize(&text.known)).mark(text.sensitive);
            // A document is more than what is put into it.
            let via = if text.known.contains('\n') { None } else { text.ways.only() };
            return Value { via, ..value };
        }
        let operands: Vec<&Value> = text.unknown.iter().collect();
        let prefix = normalize(safe_prefix(text.prefix.as_deref().unwrap_or_default()));
        let unknown = Unknown { ty: Type::String, not_null: true, prefix, ..Unknown::of_operands(&operands) };
        let value = Value::from_unknown(unknown).mark(text.sensitive).computed_from(operands);
        text.cut();
        self.in_pieces(text.pieces, value)
    }

    fn parts(&self, parts: &[Part<'_>], text: &mut Text, names: Option<&Names<'_>>) -> Eval<()> {
        for part in parts {
            self.charge(1)?;
            match part {
                Part::Literal(literal, _) => self.push(text, literal)?,
                Part::Interpolation(expr) => self.interpolate(expr, text, names)?,
                Part::If { condition, then, otherwise } => {
                    let begin = text.begin();
                    let value = self.eval(condition, names)?;
                    text.sensitive |= value.sensitive;
                    match condition_of(&value, condition.span)? {
                        Some(true) => self.nested(then, text, names)?,
                        Some(false) => self.nested(otherwise, text, names)?,
                        None => self.either(value, [then, otherwise], text, names)?,
                    }
                    self.end(text, begin);
                }
                Part::For { key_var, value_var, collection, body } => {
                    let begin = text.begin();
                    let value = self.eval(collection, names)?;
                    text.sensitive |= value.sensitive;
                    match self.entries(&value, collection.span)? {
                        Entries::Unknown => text.hide(value, None),
                        Entries::Known(entries) => {
                            for Entry { key, value, .. } in &entries {
                                let outer = key_var.map(|name| Names::with(name.text, key, names));
                                let inner = Names::with(value_var.text, value, outer.as_ref().or(names));
                                self.nested(body, text, Some(&inner))?;
                            }
                        }
                    }
                    self.end(text, begin);
                }
            }
        }
        Ok(())
    }

    fn nested(&self, parts: &[Part<'_>], text: &mut Text, names: Option<&Names<'_>>) -> Eval<()> {
        let _level = Level::enter()?;
        self.parts(parts, text, names)
    }

    /// A directive whose condition is not known. Extended mode knows that it is one of two texts.
    fn either(
        &self,
        condition: Value,
        branches: [&[Part<'_>]; 2],
        text: &mut Text,
        names: Option<&Names<'_>>,
    ) -> Eval<()> {
        if !self.extended() {
            text.hide(condition, None);
            return Ok(());
        }
        let mut hole = Value::unknown_from(&[&condition], Type::String);
        let mut texts = Vec::with_capacity(2);
        for branch in branches {
            let mut inner = Text::default();
            match self.nested(branch, &mut inner, names) {
                Ok(()) => texts.push(self.finish(inner)),
                // Only the branch that is taken must be right.
                Err(Stop::Error(_)) => self.note_fallible(true),
                Err(stop) => return Err(stop),
            }
        }
        if let [then, otherwise] = texts.as_slice() {
            hole = self.join(&[then, otherwise], &hole);
            text.sensitive |= hole.sensitive;
        }
        if let Some(same) = hole.as_str() {
            return self.push(text, same);
        }
        let begins = hole.as_unknown().map(|unknown| unknown.prefix.clone()).unwrap_or_default();
        text.begin_hole(&begins);
        text.hide(condition, Some(hole));
        Ok(())
    }

    /// Ends a directive that began at `begin`. Terraform knows nothing of an unknown directive; extended mode knows its
    /// prefix.
    fn end(&self, text: &mut Text, begin: Option<usize>) {
        if let (Some(begin), Some(prefix), false) = (begin, &mut text.prefix, self.extended()) {
            prefix.truncate(begin);
        }
    }

    fn interpolate(&self, expr: &Expr<'_>, text: &mut Text, names: Option<&Names<'_>>) -> Eval<()> {
        let value = self.eval(expr, names)?;
        text.sensitive |= value.holds_sensitive();
        text.ways.add(&value);
        let string = match convert(&value, &Type::String) {
            Ok(string) => string,
            Err(why) => return error(format!("a template cannot include this value: {why}"), expr.span),
        };
        match &string.kind {
            Kind::String(part) => self.push(text, part),
            Kind::Null => error("a template cannot include this value: it is null", expr.span),
            Kind::Unknown(unknown) => {
                self.note_fallible(!(unknown.not_null || value.reference.is_some()));
                // As above: Terraform does not look at the prefix of a part.
                let begins = if self.extended() { unknown.prefix.clone() } else { SmolStr::default() };
                text.begin_hole(&begins);
                text.hide(value, self.extended().then_some(string));
                Ok(())
            }
            _ => error("a template cannot include this value", expr.span),
        }
    }

    fn push(&self, text: &mut Text, part: &str) -> Eval<()> {
        self.charge(part.len() / 64)?;
        if text.known.len() + part.len() > MAX_STRING {
            return Err(Stop::Limit("a string is too long"));
        }
        text.known.push_str(part);
        Ok(())
    }

    /// `templatestring(template, names)`
    pub(super) fn template_string(&self, args: &[Value]) -> Result<Value, String> {
        let [template, names] = args else { return Err("templatestring takes 2 arguments".to_owned()) };
        self.rendered(template, names).map_err(|why| format!("templatestring: {why}"))
    }

    /// `templatefile(path, names)`: the file is read by the function `file`, with its limits.
    pub(super) fn template_file(&self, args: &[Value]) -> Result<Value, String> {
        let [path, names] = args else { return Err("templatefile takes 2 arguments".to_owned()) };
        let template = functions::call("file", std::slice::from_ref(path), self.scope.directory());
        let template = template.unwrap_or_else(|| Err("no files can be read".to_owned()));
        let template = template.map_err(|why| match why.strip_prefix("file: ") {
            Some(why) => format!("templatefile: {why}"),
            None => why,
        })?;
        self.rendered(&template, names).map_err(|why| format!("templatefile: {why}"))
    }

    fn rendered(&self, template: &Value, names: &Value) -> Result<Value, String> {
        let sensitive = template.sensitive || names.sensitive;
        if template.is_unknown() || names.is_unknown() {
            // A template of one interpolation has the type of its expression, so not even that is known.
            let unknown = Value::from_unknown(Unknown::of_operands(&[template, names]));
            return Ok(unknown.mark(sensitive).computed_from([template, names]));
        }
        let Some(text) = template.as_str() else { return Err("a string is required".to_owned()) };
        if names.map().is_none() {
            return Err("the second argument must be an object or map".to_owned());
        }
        let arena = Bump::new();
        // The places in this text are none of the configuration's; the file only names it to the parser.
        let (expr, diagnostics) = parse_template(text, Sources::default().add("", ""), &arena);
        // A message may show a part of the template.
        let shown = |message: &str| {
            if sensitive { "it is wrong, and sensitive".to_owned() } else { message.to_owned() }
        };
        if let Some(first) = diagnostics.first() {
            return Err(shown(&first.message));
        }
        let scope = TemplateScope { names, outer: self.scope };
        let value = self.run_inside(&expr, &scope).map_err(|why| shown(&why.message))?;
        Ok(value.mark(sensitive))
    }
}

impl Text {
    /// Where the next part begins, while all of the text is known.
    fn begin(&self) -> Option<usize> {
        self.prefix.is_none().then_some(self.known.len())
    }

    /// Notes that what is known from the beginning ends with `begins`.
    fn begin_hole(&mut self, begins: &str) {
        self.prefix.get_or_insert_with(|| format!("{}{begins}", self.known));
    }

    /// Adds a part that is unknown because `value` is: the text of `hole`, if that is told.
    fn hide(&mut self, value: Value, hole: Option<Value>) {
        self.begin_hole("");
        // Too many are not kept, and one more than there may be says so.
        if self.pieces.len() <= Partial::MAX_PIECES {
            self.cut();
            let hole = hole.unwrap_or_else(|| Value::unknown_from(&[&value], Type::String));
            self.pieces.push(Piece::Hole(hole));
        }
        self.unknown.push(value);
    }

    /// Makes a piece of the known text after the last one.
    fn cut(&mut self) {
        let text = self.known.get(self.last..).unwrap_or_default();
        if !text.is_empty() {
            self.pieces.push(Piece::Text(text.into()));
        }
        self.last = self.known.len();
    }
}

/// The names of `templatefile` and `templatestring`.
struct TemplateScope<'t> {
    names: &'t Value,
    outer: &'t dyn Scope,
}

impl Scope for TemplateScope<'_> {
    fn lookup(&self, root: &str, _attrs: &[&str]) -> Result<(Value, usize), String> {
        match self.names.get(root) {
            Some(value) => Ok((value.clone(), 0)),
            None => Err(format!("the template has no variable `{root}`")),
        }
    }

    fn call(&self, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
        if matches!(name, "templatefile" | "templatestring") {
            return Some(Err("templates cannot call it".to_owned()));
        }
        self.outer.call(name, args)
    }

    fn directory(&self) -> Option<Directory<'_>> {
        self.outer.directory()
    }
}
