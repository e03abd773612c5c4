//! Values of root variables: default, environment, `terraform.tfvars`, `*.auto.tfvars`, and what the command line gives;
//! the last that has one wins.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bumpalo::Bump;
use smol_str::format_smolstr;

use crate::diagnostic::{Diagnostic, Level};
use crate::eval::{self, Mode, Scope};
use crate::hcl;
use crate::hcl::ast::{Expr, ExprKind, Ident};
use crate::source::{FileId, Site, Span};
use crate::value::{Cause, Type, Unknown, Value, convert};

use super::Parsed;
use super::module::{Declared, Module};

/// What a run is told beside its configuration: what `terraform plan` takes from its command line and environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// Values of root variables in the order of the command line; later ones win.
    pub values: Vec<ValueOption>,
    /// Names and texts of `TF_VAR_…` of the environment. All else wins over them.
    pub environment: Vec<(String, String)>,
    /// `terraform.workspace`; [`None`] for the one that was last selected in the root module.
    pub workspace: Option<String>,
    /// How expressions are evaluated. The strict mode is for those who compare with Terraform.
    pub mode: Mode,
}

/// An option that gives values of root variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueOption {
    /// `--var`: name and text.
    Var(String, String),
    /// `--var-file`
    File(PathBuf),
}

/// More names than this are counted.
const MAX_LISTED: usize = 3;

/// [`RunOptions`], read and parsed.
#[derive(Debug, Default)]
pub struct Given<'a> {
    /// Of the environment.
    pub environment: Vec<GivenVar<'a>>,
    /// Of the command line. Later ones win.
    pub items: Vec<GivenItem<'a>>,
    /// The workspace.
    pub workspace: Option<&'a str>,
    /// A plan says all values: files of values beside the source, and the workspace that was last selected, are of another
    /// day. It does not tell the workspace.
    pub of_plan: bool,
    /// Functions read no files.
    pub without_files: bool,
    /// How expressions are evaluated.
    pub mode: Mode,
}

/// One `--var-file` or `--var`, or what a plan says.
#[derive(Debug)]
pub enum GivenItem<'a> {
    /// A parsed variable file.
    File(Parsed<'a>),
    /// `--var`
    Var(GivenVar<'a>),
    /// A name and the value that a plan was made with.
    Value(&'a str, Value),
}

/// A variable's name and what was given for it.
#[derive(Debug)]
pub struct GivenVar<'a> {
    /// The variable's name.
    pub name: &'a str,
    /// The text.
    pub text: &'a str,
    /// The text is a file of its own, so that findings can point at it.
    pub file: FileId,
}

/// A scope without names: variable files and defaults can refer to nothing.
struct NoNames;

impl Scope for NoNames {
    fn lookup(&self, root: &str, _attrs: &[&str]) -> Result<(Value, usize), String> {
        Err(format!("`{root}` cannot be used here: values of variables refer to nothing"))
    }
}

/// A value for a variable, and how bad it is if that is none of its type: Terraform refuses all of them, but whoever typed
/// it on the command line is at hand.
struct Assigned {
    value: Value,
    level: Level,
}

/// The value of every declared variable, converted to its type.
pub fn values<'a>(
    module: &Module<'a>,
    tfvars: &[Parsed<'a>],
    given: &Given<'a>,
) -> (BTreeMap<&'a str, Value>, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let mut assigned: BTreeMap<&str, Assigned> = BTreeMap::new();
    for var in &given.environment {
        // An environment is made for many configurations: what this one does not declare is no mistake.
        assign_var(var, module, &mut assigned, &mut diagnostics);
    }
    for parsed in tfvars {
        assign_file(parsed, module, &mut assigned, &mut diagnostics);
    }
    for item in &given.items {
        match item {
            GivenItem::File(parsed) => assign_file(parsed, module, &mut assigned, &mut diagnostics),
            GivenItem::Var(var) => assign_var(var, module, &mut assigned, &mut diagnostics),
            GivenItem::Value(name, value) => {
                if let Some((&name, _)) = module.variables.get_key_value(name) {
                    let (value, level) = (value.clone(), Level::Warning);
                    assigned.insert(name, Assigned { value, level });
                }
            }
        }
    }
    let values = module
        .variables
        .iter()
        .map(|(&name, declared)| {
            let (assigned, level) = match assigned.remove(name) {
                Some(Assigned { value, level }) => (Ok(written(name, value)), level),
                None => (Err(Cause::Variable(name.into())), Level::Warning),
            };
            let start = diagnostics.len();
            let declaration = Declaration::new(name, declared, &mut diagnostics);
            let value = variable(name, &declaration, assigned, &mut diagnostics);
            for diagnostic in diagnostics.iter_mut().skip(start) {
                diagnostic.level = diagnostic.level.max(level);
            }
            (name, value)
        })
        .collect();
    (values, diagnostics)
}

/// A value for the variable `name`, which came from where it is written.
fn written(name: &str, value: Value) -> Value {
    match value.origin {
        Some(site) => value.through(format_smolstr!("var.{name}"), site),
        None => value,
    }
}

fn assign_file<'a>(
    parsed: &Parsed<'a>,
    module: &Module<'a>,
    assigned: &mut BTreeMap<&'a str, Assigned>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut others = Vec::new();
    for attribute in parsed.body.attributes() {
        let name = attribute.name;
        if module.variables.contains_key(name.text) {
            let value = constant(&attribute.value, parsed.file, diagnostics);
            assigned.insert(name.text, Assigned { value, level: Level::Warning });
        } else {
            others.push(name);
        }
    }
    diagnostics.extend(not_declared(&others, parsed.file));
    for block in parsed.body.blocks() {
        let message = "a file of values has no blocks; a value is set with `=`";
        diagnostics.push(Diagnostic::error(message).at(block.ident.span.at(parsed.file)));
    }
}

/// What is said of names with a value in `file` that the root module does not declare: one notice for all of them, since a
/// file may serve many root modules.
fn not_declared(names: &[Ident<'_>], file: FileId) -> Option<Diagnostic> {
    let (first, more) = names.split_first()?;
    let (listed, rest) = more.split_at(more.len().min(MAX_LISTED - 1));
    let shown =
        listed.iter().fold(format!("`{}`", first.text), |text, name| format!("{text}, `{}`", name.text));
    let message = match (listed.is_empty(), rest.len()) {
        (true, _) => format!("variable {shown} is not declared by the root module"),
        (false, 0) => format!("variables {shown} are not declared by the root module"),
        (false, rest) => format!("variables {shown} and {rest} more are not declared by the root module"),
    };
    Some(Diagnostic::notice(message).at(first.span.at(file)))
}

/// A text of a primitive type or without a type is itself; of any other type, `any` too, it is an expression.
fn assign_var<'a>(
    var: &GivenVar<'a>,
    module: &Module<'a>,
    assigned: &mut BTreeMap<&'a str, Assigned>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let Some(declared) = module.variables.get(var.name) else { return };
    let is_typed = declared.body().attribute("type").is_some();
    let value = if !is_typed || type_of(declared, &mut Vec::new()).is_primitive() {
        let length = u32::try_from(var.text.len()).unwrap_or(u32::MAX);
        Value::string(var.text).or_origin(Span::new(0, length).at(var.file))
    } else {
        let arena = Bump::new();
        let (expr, more) = hcl::parse_expression(var.text, var.file, &arena);
        diagnostics.extend(more.into_iter().map(quiet));
        let start = diagnostics.len();
        let value = constant(&expr, var.file, diagnostics);
        for diagnostic in diagnostics.iter_mut().skip(start) {
            diagnostic.level = Level::Error;
        }
        value
    };
    assigned.insert(var.name, Assigned { value, level: Level::Error });
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

/// What a `variable` block says: the same for all instances of its module.
pub(super) struct Declaration {
    ty: Type,
    default: Option<Value>,
    nullable: bool,
    sensitive: bool,
    site: Site,
}

impl Declaration {
    /// That of the variable `name`.
    pub(super) fn new(name: &str, declared: &Declared<'_>, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let body = declared.body();
        let flag =
            |attribute: &str| literal_bool(body.attribute(attribute).map(|attribute| &attribute.value));
        let ty = type_of(declared, diagnostics);
        let default = body.attribute("default").map(|attribute| {
            let value = eval::evaluate(&attribute.value, attribute.file, &NoNames, Mode::Strict, diagnostics);
            let what = format_smolstr!("default of var.{name}");
            value.through(what, attribute.value.span.at(attribute.file))
        });
        Self {
            ty,
            default,
            nullable: flag("nullable").unwrap_or(true),
            sensitive: flag("sensitive").unwrap_or(false),
            site: declared.site(),
        }
    }
}

/// The value of a variable: what is assigned, or its default, or unknown for the cause that nothing is assigned.
pub(super) fn variable(
    name: &str,
    declared: &Declaration,
    assigned: Result<Value, Cause>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Value {
    let Declaration { ty, default, nullable, sensitive, site: declared } = declared;
    let value = match (assigned, default) {
        (Ok(value), Some(default)) if !nullable => value.or_default(default),
        (Ok(value), None) if value.is_null() && !nullable => {
            let message = format!("variable `{name}` is null, and its declaration does not allow that");
            let site = value.origin.unwrap_or(*declared);
            diagnostics.push(Diagnostic::warning(message.clone()).at(site));
            Value::unknown(Cause::Error(message.into())).or_origin(site)
        }
        (Ok(value), _) => value,
        (Err(_), Some(default)) => default.clone(),
        (Err(cause), None) => {
            let unknown = Unknown { ty: ty.clone(), not_null: !nullable, ..Unknown::new(cause) };
            let value = Value::from_unknown(unknown).or_origin(*declared);
            value.through(format_smolstr!("var.{name}"), *declared)
        }
    };
    let value = match convert(&value, ty) {
        Ok(value) => value,
        Err(message) => {
            let site = value.origin.unwrap_or(*declared);
            diagnostics.push(
                Diagnostic::warning(format!("the value of variable `{name}` is wrong: {message}")).at(site),
            );
            let cause = Cause::Error(format!("the value of variable `{name}` is wrong: {message}").into());
            Value { via: value.via, ..Value::unknown(cause) }
        }
    };
    value.mark(*sensitive)
}

/// The `type` argument, [`Type::Any`] if there is none or it is wrong.
fn type_of(declared: &Declared<'_>, diagnostics: &mut Vec<Diagnostic>) -> Type {
    let Some(attribute) = declared.body().attribute("type") else { return Type::Any };
    Type::from_expr(&attribute.value, Some(attribute.file)).unwrap_or_else(|message| {
        diagnostics.push(Diagnostic::warning(message).at(attribute.value.span.at(attribute.file)));
        Type::Any
    })
}

/// `true` or `false` as written, or the same in quotes; Terraform wants literals here.
pub(super) fn literal_bool(expr: Option<&Expr<'_>>) -> Option<bool> {
    match expr?.kind {
        ExprKind::Bool(value) => Some(value),
        ExprKind::String(text) => text.parse().ok(),
        _ => None,
    }
}
