//! Module calls: from a `module` block to the instances of what it calls, their variables and their outputs.
//!
//! As everything in a module, all of it is evaluated when something asks for it, and once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use smol_str::{SmolStr, format_smolstr};

use crate::diagnostic::Diagnostic;
use crate::eval::Nested;
use crate::hcl::ast::ExprKind;
use crate::program::{Key, ModuleCall};
use crate::value::{Cause, Kind, Type, Value, convert};

use super::body::BodyReader;
use super::instance::{self, Expansion};
use super::module::{Declared, Definition};
use super::names::{Each, InstanceScope};
use super::resources::{inside, instance_address};
use super::scope::{Memo, ModuleScope, NOT_DECLARED, Variables};
use super::variables;

/// Arguments of a `module` block that are no variables of the module.
const META: &[&str] = &["source", "version", "providers", "depends_on", "count", "for_each"];

/// Those of a call that is not followed. What `count` and `for_each` name is used in it, so they are read.
const UNFOLLOWED_META: &[&str] = &["source", "version", "providers", "depends_on"];

/// Modules nest no deeper.
pub(super) const MAX_DEPTH: usize = 20;

/// More outputs than this are not put into one value for all instances of a call.
const MAX_OUTPUTS: usize = 200_000;

/// What was evaluated already.
#[derive(Default)]
pub(super) struct Calls<'a> {
    /// [`None`] while it is being evaluated: whoever asks then is part of a cycle.
    called: RefCell<BTreeMap<&'a str, Option<Rc<Called<'a>>>>>,
    /// All outputs of all instances of a call as one value.
    whole: RefCell<BTreeMap<&'a str, Value>>,
    /// The module's own outputs.
    outputs: Memo<'a>,
}

/// An instance of a call: its key, and what names mean in it.
pub(super) type CalledInstance<'a> = (Option<Key>, Rc<ModuleScope<'a>>);

/// What a call leads to.
pub(super) enum Called<'a> {
    /// Instances by key.
    Instances(Expansion, Vec<CalledInstance<'a>>),
    /// What it calls is not there; a diagnostic says why. How often it is called may be known.
    Unfollowed(Expansion),
    /// It is part of a cycle; this stands for it.
    Broken(Value),
}

/// The arguments of one instance of a call.
pub(super) struct Arguments<'a> {
    /// Who calls. It holds this one, and so is there as long.
    parent: Weak<ModuleScope<'a>>,
    call: Declared<'a>,
    /// What `each` and `count` are in the call.
    each: Each,
    values: Memo<'a>,
}

impl<'a> ModuleScope<'a> {
    /// The instances of a call, made once.
    pub(super) fn called(&self, name: &'a str, declared: Declared<'a>) -> Rc<Called<'a>> {
        match self.calls.called.borrow().get(name) {
            Some(Some(done)) => return Rc::clone(done),
            Some(None) => {
                let value = self.cycle(&format!("module.{name}"), declared.site());
                return Rc::new(Called::Broken(value));
            }
            None => {}
        }
        let Some(_level) = Nested::enter() else { return Rc::new(Called::Broken(self.too_deep())) };
        self.calls.called.borrow_mut().insert(name, None);
        let called = Rc::new(match self.definition_of(name, declared) {
            Ok(definition) => self.instances(name, declared, definition),
            Err(diagnostic) => match instance::expansion(declared, self) {
                // Nothing is called: nobody need install it.
                nothing @ Expansion::Count(0) => Called::Instances(nothing, Vec::new()),
                Expansion::ForEach(entries) if entries.is_empty() => {
                    Called::Instances(Expansion::ForEach(entries), Vec::new())
                }
                expansion => {
                    self.report(diagnostic.at(declared.site()));
                    Called::Unfollowed(expansion)
                }
            },
        });
        self.calls.called.borrow_mut().insert(name, Some(Rc::clone(&called)));
        called
    }

    /// What the call leads to, or why it is not followed.
    fn definition_of(&self, name: &str, declared: Declared<'a>) -> Result<&'a Definition<'a>, Diagnostic> {
        let target = match self.definition.calls.get(name) {
            Some(target) => target.clone()?,
            None => return Err(not_installed(name)),
        };
        let definitions: &'a [Definition<'a>] = self.run.definitions;
        let definition = definitions.get(target).ok_or_else(|| not_installed(name))?;
        let callers = std::iter::successors(self.this.upgrade(), |scope| scope.parent());
        let mut depth = 0;
        for caller in callers {
            depth += 1;
            if std::ptr::eq(caller.module, definition.module) {
                return Err(Diagnostic::warning(format!(
                    "`module.{name}` calls the module that it is part of"
                ))
                .help("Terraform refuses this: a module cannot hold itself"));
            }
        }
        if depth > MAX_DEPTH {
            return Err(Diagnostic::warning(format!(
                "`module.{name}` is not followed: modules nest deeper than {MAX_DEPTH} levels"
            )));
        }
        self.check_arguments(name, declared, definition);
        Ok(definition)
    }

    /// Who calls this module; [`None`] of the root.
    pub(super) fn parent(&self) -> Option<Rc<Self>> {
        match &self.variables {
            Variables::Given(_) => None,
            Variables::Arguments(arguments) => arguments.parent.upgrade(),
        }
    }

    /// The call that this module is an instance of; [`None`] of the root.
    pub(super) fn call_block(&self) -> Option<Declared<'a>> {
        match &self.variables {
            Variables::Given(_) => None,
            Variables::Arguments(arguments) => Some(arguments.call),
        }
    }

    /// Reports arguments that the module does not take, and those that it needs.
    fn check_arguments(&self, name: &str, declared: Declared<'a>, definition: &Definition<'a>) {
        let variables = &definition.module.variables;
        for argument in declared.body().attributes() {
            let text = argument.name.text;
            if !META.contains(&text) && !variables.contains_key(text) {
                let message = format!("`module.{name}` has no variable `{text}`");
                self.report(Diagnostic::warning(message).at(argument.name.span.at(argument.file)));
            }
        }
        let missing: Vec<String> = variables
            .iter()
            .filter(|(variable, declaration)| {
                declaration.body().attribute("default").is_none()
                    && declared.body().attribute(variable).is_none()
            })
            .map(|(variable, _)| format!("`{variable}`"))
            .collect();
        if !missing.is_empty() {
            let message = format!("`module.{name}` needs a value for {}", missing.join(", "));
            self.report(Diagnostic::warning(message).at(declared.site()));
        }
    }

    fn instances(&self, name: &'a str, declared: Declared<'a>, definition: &'a Definition<'a>) -> Called<'a> {
        let expansion = instance::expansion(declared, self);
        let all = expansion.each();
        if !self.run.admit(all.len()) {
            self.report(
                Diagnostic::error(format!(
                    "`module.{name}` is not followed: there are too many module instances"
                ))
                .at(declared.site()),
            );
            return Called::Unfollowed(expansion);
        }
        let step = format_smolstr!("module.{name}");
        let shared = self.shared.called(name, declared, definition.module, all.len());
        let (path, block_path) = (inside(&self.path, step.clone()), inside(&self.block_path, step));
        let instances = all.into_iter().map(|(key, each)| {
            let arguments = Arguments {
                parent: Weak::clone(&self.this),
                call: declared,
                each,
                values: RefCell::default(),
            };
            let scope = Self::new(
                Rc::clone(&self.run),
                definition,
                (instance_address(&path, key.as_ref()), block_path.clone()),
                Variables::Arguments(arguments),
                Rc::clone(&shared),
            );
            (key, scope)
        });
        let instances = instances.collect();
        Called::Instances(expansion, instances)
    }

    /// The value of a variable of a module that is called; [`None`] if it is not declared.
    pub(super) fn argument(&self, arguments: &Arguments<'a>, name: &str) -> Option<Value> {
        if let Some(value) = self.done(&arguments.values, name) {
            return Some(value);
        }
        let (&name, &declared) = self.module.variables.get_key_value(name)?;
        let parent = arguments.parent.upgrade()?;
        let what = format!("var.{name}");
        Some(self.once(&arguments.values, name, (&what, declared.site()), || {
            self.shared.variable(name, || {
                self.recording(|| {
                    let call = arguments.call;
                    let argument = call.body().attribute(name).filter(|_| !META.contains(&name));
                    let assigned = if let Some(attribute) = argument {
                        let scope = InstanceScope { module: &parent, each: arguments.each.clone() };
                        let (value, touched) = parent.evaluate(&attribute.value, attribute.file, &scope);
                        self.run.touch_all(&touched);
                        let value = value.or_origin(attribute.span.at(attribute.file));
                        Ok(value.through(what.as_str(), attribute.value.span.at(attribute.file)))
                    } else {
                        // It is so of all instances.
                        let message = format!("`{}` gives no value for variable `{name}`", self.block_path);
                        Err(Cause::Error(message.into()))
                    };
                    let mut diagnostics = Vec::new();
                    let declaration = self
                        .shared
                        .declaration(name, || variables::Declaration::new(name, &declared, &mut diagnostics));
                    let value = variables::variable(name, &declaration, assigned, &mut diagnostics);
                    for diagnostic in diagnostics {
                        self.report(diagnostic);
                    }
                    value
                })
            })
        }))
    }

    /// `module.name` and, if `attrs` goes on, its output: the value and how many of `attrs` were used.
    pub(super) fn call(&self, name: &str, attrs: &[&str]) -> Result<(Value, usize), String> {
        let Some((&name, &declared)) = self.module.calls.get_key_value(name) else {
            return Err(format!("module `{name}` {NOT_DECLARED}"));
        };
        let called = self.called(name, declared);
        let (expansion, instances) = match &*called {
            Called::Instances(expansion, instances) => (expansion, instances),
            Called::Unfollowed(expansion) => return Ok((self.unfollowed_values(name, expansion), 0)),
            Called::Broken(value) => return Ok((value.clone(), 0)),
        };
        if let (Expansion::Single, [(_, inner)], Some(output)) =
            (expansion, instances.as_slice(), attrs.first())
        {
            return Ok((inner.output(output)?, 1));
        }
        if let Some(done) = self.calls.whole.borrow().get(name) {
            return Ok((done.clone(), 0));
        }
        // What every output names is told by its own value.
        let (value, _) = self.recording(|| whole(expansion, instances));
        self.calls.whole.borrow_mut().insert(name, value.clone());
        Ok((value, 0))
    }

    /// `module.name[key]` and, if `then` goes on, its output, without all the other instances.
    pub(super) fn called_element(&self, name: &str, key: &Value, then: &[&str]) -> Option<(Value, usize)> {
        let (&name, &declared) = self.module.calls.get_key_value(name)?;
        let called = self.called(name, declared);
        let Called::Instances(expansion, instances) = &*called else { return None };
        let at = match expansion {
            Expansion::Count(_) => {
                let Kind::Number(number) = convert(key, &Type::Number).ok()?.kind else { return None };
                usize::try_from(number.to_i64()?).ok()?
            }
            Expansion::ForEach(_) => {
                let key = convert(key, &Type::String).ok()?;
                let key = Key::String(key.as_str()?.into());
                instances.binary_search_by(|(other, _)| other.as_ref().cmp(&Some(&key))).ok()?
            }
            // The one instance stands for any.
            Expansion::Unknown(_) => 0,
            Expansion::Single => return None,
        };
        let (_, inner) = instances.get(at)?;
        match then.first() {
            // That an output is not declared is told on the longer way.
            Some(output) => Some((inner.output(output).ok()?, 1)),
            None => Some((self.recording(|| inner.all_outputs()).0, 0)),
        }
    }

    /// An output of this module.
    fn output(&self, name: &str) -> Result<Value, String> {
        let Some((&name, &declared)) = self.module.outputs.get_key_value(name) else {
            return Err(format!("`{}` has no output `{name}`", self.block_path));
        };
        let body = declared.body();
        let what = format!("output.{name}");
        Ok(self.once(&self.calls.outputs, name, (&what, declared.site()), || {
            let Some(attribute) = body.attribute("value") else {
                let message = format!("output `{name}` has no value");
                return (Value::unknown(Cause::Error(message.into())), <_>::default());
            };
            let (value, touched) = self.evaluate(&attribute.value, attribute.file, self);
            let sensitive = variables::literal_bool(body.attribute("sensitive").map(|flag| &flag.value));
            let call = self.block_path.rsplit_once("module.").map_or("", |(_, call)| call);
            let site = attribute.value.span.at(attribute.file);
            let value = value.through(format!("module.{call}.{name}"), site);
            (value.mark(sensitive.unwrap_or(false)), touched)
        }))
    }

    /// All outputs as an object.
    fn all_outputs(&self) -> Value {
        let names = self.module.outputs.keys();
        Value::object(names.filter_map(|&name| Some((name.into(), self.output(name).ok()?))))
    }

    /// What stands for all instances of a call that is not followed.
    fn unfollowed_values(&self, name: &str, expansion: &Expansion) -> Value {
        let unknown = || self.unfollowed_value(name);
        match expansion {
            Expansion::Count(count) => Value::tuple((0..*count).map(|_| unknown())),
            Expansion::ForEach(entries) => {
                Value::object(entries.iter().map(|(key, _)| (key.clone(), unknown())))
            }
            Expansion::Single | Expansion::Unknown(_) => unknown(),
        }
    }

    fn unfollowed_value(&self, name: &str) -> Value {
        Value::unknown(Cause::Module(inside(&self.path, format_smolstr!("module.{name}"))))
    }
}

/// All outputs of all instances: an object, a tuple of objects, or an object of objects.
fn whole(expansion: &Expansion, instances: &[CalledInstance<'_>]) -> Value {
    let width = instances.first().map_or(0, |(_, inner)| inner.module.outputs.len());
    if instances.len().saturating_mul(width) > MAX_OUTPUTS {
        return Value::unknown(Cause::Limit("outputs of all instances of one module call".into()));
    }
    let outputs = instances.iter().map(|(key, inner)| (key, inner.all_outputs()));
    match expansion {
        Expansion::Single => outputs.map(|(_, value)| value).next().unwrap_or(Value::NULL),
        Expansion::Count(_) => Value::tuple(outputs.map(|(_, value)| value)),
        Expansion::ForEach(_) => Value::object(outputs.filter_map(|(key, value)| match key {
            Some(Key::String(key)) => Some((key.clone(), value)),
            _ => None,
        })),
        Expansion::Unknown(Each::Count(each) | Each::Entry(each, _)) => {
            Value::unknown_from(&[each], Type::Any)
        }
        Expansion::Unknown(Each::None | Each::Instance(..)) => Value::NULL,
    }
}

/// The call as the program has it that is not followed; its arguments are evaluated for what they name and what is wrong.
pub(super) fn unfollowed<'a>(
    name: &str,
    declared: Declared<'a>,
    expansion: &Expansion,
    scope: &ModuleScope<'a>,
) -> ModuleCall {
    let source = match declared.body().attribute("source").map(|attribute| attribute.value.kind) {
        Some(ExprKind::String(text)) => text.into(),
        _ => SmolStr::default(),
    };
    let any = || scope.unfollowed_value(name);
    let each = match expansion {
        Expansion::Single => Each::None,
        Expansion::Unknown(each) => each.clone(),
        // One for all: what `count` and `for_each` name is read with the arguments.
        Expansion::Count(_) => Each::Count(any()),
        Expansion::ForEach(_) => Each::Entry(any(), any()),
    };
    let names = InstanceScope { module: scope, each };
    let mut reader = BodyReader::new(declared.file, scope, UNFOLLOWED_META);
    let _ = reader.object(declared.body(), &names);
    let address = inside(&scope.path, format_smolstr!("module.{name}"));
    ModuleCall { address, source, site: declared.site(), references: reader.links.into_iter().collect() }
}

/// How to get a module that is called and not there.
pub(super) const INSTALL: &str = "run `terraform init`, `tofu init` or `terraform get`, or check a plan: `terraform show -json PLAN > plan.json`";

/// What is said of a call that leads to nothing on this disk.
pub(super) fn not_installed(name: &str) -> Diagnostic {
    let message =
        format!("`module.{name}` is not followed: it is not installed, and what it declares not analysed");
    Diagnostic::notice(message).help(INSTALL)
}
