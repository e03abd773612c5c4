//! Values of root variables: default, then `terraform.tfvars`, `*.auto.tfvars`, and what the command line gives.

use std::collections::BTreeMap;

use bumpalo::Bump;
use smol_str::SmolStr;

use crate::diagnostic::Diagnostic;
use crate::eval::{self, Mode, Scope};
use crate::hcl::{self, ast::Expr};
use crate::source::{FileId, Site, Sources};
use crate::value::{Cause, Type, Unknown, Value, convert};

use super::Parsed;
use super::module::{Declared, Module};

/// What the command line gives, in its order: parsed `--var-file`s and `--var`s.
#[derive(Debug, Default)]
pub struct Given<'a> {
    /// Later ones win.
    pub items: Vec<GivenItem<'a>>,
}

/// One `--var-file` or `--var`.
#[derive(Debug)]
pub enum GivenItem<'a> {
    /// A parsed variable file.
    File(Parsed<'a>),
    /// `--var name=text`; the text is a file of its own, so that findings can point at it.
    Var {
        /// The variable's name.
        name: SmolStr,
        /// What was given for it.
        text: &'a str,
        /// The file that holds `text`.
        file: FileId,
    },
}

/// A scope without names: variable files and defaults can refer to nothing.
struct NoNames;

impl Scope for NoNames {
    fn lookup(&self, root: &str, _attrs: &[&str]) -> Result<(Value, usize), String> {
        Err(format!("`{root}` cannot be used here: values of variables refer to nothing"))
    }
}

/// Takes in `--var` texts as files, so that they have places.
pub fn add_vars(vars: &[(String, String)], sources: &mut Sources) -> Vec<(SmolStr, FileId)> {
    vars.iter()
        .map(|(name, text)| (name.into(), sources.add_confidential(format!("--var {name}"), text.clone())))
        .collect()
}

/// The value of every declared variable, converted to its type.
pub fn values<'a>(
    module: &Module<'a>,
    tfvars: &[Parsed<'a>],
    given: &Given<'a>,
) -> (BTreeMap<&'a str, Value>, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let mut assigned: BTreeMap<SmolStr, Value> = BTreeMap::new();
    for parsed in tfvars {
        // Terraform warns of undeclared names in automatic files only; so do we not repeat it.
        assign_file(parsed, &mut assigned, &mut diagnostics);
    }
    for item in &given.items {
        match item {
            GivenItem::File(parsed) => assign_file(parsed, &mut assigned, &mut diagnostics),
            GivenItem::Var { name, text, file } => {
                let Some(declared) = module.variables.get(name.as_str()) else {
                    diagnostics.push(
                        Diagnostic::warning(format!("`--var {name}` is not a variable of this module"))
                            .help("declare it, or leave the option out"),
                    );
                    continue;
                };
                let value = parse_var(text, *file, declared, &mut diagnostics);
                assigned.insert(name.clone(), value);
            }
        }
    }
    let values = module
        .variables
        .iter()
        .map(|(&name, declared)| {
            let missing = Cause::Variable(name.into());
            (name, variable(name, declared, assigned.remove(name).ok_or(missing), &mut diagnostics))
        })
        .collect();
    (values, diagnostics)
}

fn assign_file(
    parsed: &Parsed<'_>,
    assigned: &mut BTreeMap<SmolStr, Value>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for attribute in parsed.body.attributes() {
        let value = constant(&attribute.value, parsed.file, diagnostics);
        assigned.insert(attribute.name.text.into(), value);
    }
}

/// `--var` of a primitive type or without a type is text; of any other type, `any` too, it is an expression.
fn parse_var(text: &str, file: FileId, declared: &Declared<'_>, diagnostics: &mut Vec<Diagnostic>) -> Value {
    let site =
        Site { file, span: crate::source::Span::new(0, u32::try_from(text.len()).unwrap_or(u32::MAX)) };
    let is_typed = declared.body().attribute("type").is_some();
    if !is_typed || type_of(declared, &mut Vec::new()).is_primitive() {
        return Value::string(text).or_origin(site);
    }
    let arena = Bump::new();
    let (expr, more) = hcl::parse_expression(text, file, &arena);
    diagnostics.extend(more.into_iter().map(quiet));
    constant(&expr, file, diagnostics)
}

/// A diagnostic of a variable file's syntax without what it found there.
pub fn quiet(mut diagnostic: Diagnostic) -> Diagnostic {
    if let Some(end) = diagnostic.message.find(", found ") {
        diagnostic.message.truncate(end);
    }
    // `12hunter` is not a number
    if let Some((_, rest)) = diagnostic.message.strip_prefix('`').and_then(|rest| rest.rsplit_once('`')) {
        diagnostic.message = format!("this{rest}");
    }
    diagnostic
}

/// The value that is given for a variable. What is wrong with it is told in no words of it: a password without its quotes
/// is a name or a call.
fn constant(expr: &Expr<'_>, file: FileId, diagnostics: &mut Vec<Diagnostic>) -> Value {
    eval::try_evaluate(expr, file, &NoNames, Mode::Strict).unwrap_or_else(|_| {
        let message = "values of variables are constants, and texts need quotes";
        diagnostics.push(Diagnostic::warning(message).at(expr.span.at(file)));
        Value::unknown(Cause::Error(message.into())).or_origin(expr.span.at(file))
    })
}

/// The value of a variable: what is assigned, or its default, or unknown for the cause that nothing is assigned.
pub(super) fn variable(
    name: &str,
    declared: &Declared<'_>,
    assigned: Result<Value, Cause>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Value {
    let body = declared.body();
    let flag = |attribute: &str| literal_bool(body.attribute(attribute).map(|attribute| &attribute.value));
    let ty = type_of(declared, diagnostics);
    let default = body.attribute("default").map(|attribute| {
        eval::evaluate(&attribute.value, declared.file, &NoNames, Mode::Strict, diagnostics)
    });
    let nullable = flag("nullable").unwrap_or(true);
    let value = match (assigned, default) {
        (Ok(value), Some(default)) if !nullable => value.or_default(&default),
        (Ok(value), _) | (Err(_), Some(value)) => value,
        (Err(cause), None) => {
            let unknown = Unknown { ty: ty.clone(), not_null: !nullable, ..Unknown::new(cause) };
            Value::from_unknown(unknown).or_origin(declared.site())
        }
    };
    let value = match convert(&value, &ty) {
        Ok(value) => value,
        Err(message) => {
            let site = value.origin.unwrap_or_else(|| declared.site());
            diagnostics.push(
                Diagnostic::warning(format!("the value of variable `{name}` is wrong: {message}")).at(site),
            );
            Value::unknown(Cause::Error(format!("the value of variable `{name}` is wrong: {message}").into()))
        }
    };
    value.mark(flag("sensitive").unwrap_or(false))
}

/// The `type` argument, [`Type::Any`] if there is none or it is wrong.
fn type_of(declared: &Declared<'_>, diagnostics: &mut Vec<Diagnostic>) -> Type {
    let Some(attribute) = declared.body().attribute("type") else { return Type::Any };
    Type::from_expr(&attribute.value).unwrap_or_else(|message| {
        diagnostics.push(Diagnostic::warning(message).at(attribute.value.span.at(declared.file)));
        Type::Any
    })
}

/// `true` or `false` as written; Terraform wants literals here.
fn literal_bool(expr: Option<&Expr<'_>>) -> Option<bool> {
    match expr?.kind {
        hcl::ast::ExprKind::Bool(value) => Some(value),
        _ => None,
    }
}
