//! What names mean in a module: variables, locals, resources, data, and `each`, `count`, `path`, `terraform`.
//!
//! Evaluation is demand driven: a local or a resource attribute is evaluated when something asks for it, and once.
//! A resource attribute is always a reference, known or not: [`Value::reference`].

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use smol_str::{SmolStr, format_smolstr};

use crate::catalog::{self, Catalog};
use crate::diagnostic::Diagnostic;
use crate::eval::{self, Mode as EvalMode, Scope};
use crate::hcl::ast::Expr;
use crate::program::{Key, Mode};
use crate::source::FileId;
use crate::value::{Cause, Reference, Type, Unknown, Value};

use super::data;
use super::instance::{self, Expansion};
use super::module::{Declared, Module};

/// The names of one module instance.
pub struct ModuleScope<'a> {
    module: &'a Module<'a>,
    variables: BTreeMap<&'a str, Value>,
    directory: Option<PathBuf>,
    locals: RefCell<BTreeMap<&'a str, Cell>>,
    attributes: RefCell<BTreeMap<AttributeId<'a>, Cell>>,
    expansions: RefCell<BTreeMap<BlockId<'a>, Rc<Expansion>>>,
    /// Objects of types as the catalog completes an instance that sets nothing.
    unset: RefCell<BTreeMap<&'a str, Value>>,
    /// Resources named since the innermost evaluation began.
    touched: RefCell<Vec<Reference>>,
    diagnostics: RefCell<Vec<Diagnostic>>,
}

/// Names a `resource` or `data` block: mode, type, name.
pub type BlockId<'a> = (Mode, &'a str, &'a str);

/// Names an attribute of a resource instance.
type AttributeId<'a> = (BlockId<'a>, Option<Key>, SmolStr);

/// A value that is evaluated once.
enum Cell {
    /// Being evaluated: whoever asks now is part of a cycle.
    Busy,
    /// The value, and the resources that evaluating it named.
    Done(Value, Vec<Reference>),
}

impl<'a> ModuleScope<'a> {
    /// The scope of a root module.
    pub fn new(
        module: &'a Module<'a>,
        variables: BTreeMap<&'a str, Value>,
        directory: Option<&Path>,
    ) -> Self {
        Self {
            module,
            variables,
            directory: directory.map(Path::to_path_buf),
            locals: RefCell::default(),
            attributes: RefCell::default(),
            expansions: RefCell::default(),
            unset: RefCell::default(),
            touched: RefCell::default(),
            diagnostics: RefCell::default(),
        }
    }

    /// What evaluation had to say, each thing once: an expression is evaluated for whoever asks.
    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        let mut all = self.diagnostics.into_inner();
        let mut seen = BTreeSet::new();
        all.retain(|diagnostic| seen.insert((diagnostic.site, diagnostic.message.clone())));
        all
    }

    /// Adds a diagnostic.
    pub fn report(&self, diagnostic: Diagnostic) {
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    /// Evaluates `expr` with `scope`, which is this one or one inside it, and returns the resources it names.
    pub fn evaluate(&self, expr: &Expr<'_>, file: FileId, scope: &dyn Scope) -> (Value, Vec<Reference>) {
        let before = self.touched.take();
        let mut diagnostics = Vec::new();
        let value = eval::evaluate(expr, file, scope, EvalMode::Strict, &mut diagnostics);
        self.diagnostics.borrow_mut().append(&mut diagnostics);
        (value, self.touched.replace(before))
    }

    /// The block that `id` names.
    pub fn block(&self, (mode, kind, name): BlockId<'a>) -> Option<Declared<'a>> {
        let blocks = if mode == Mode::Managed { &self.module.resources } else { &self.module.data };
        blocks.get(&(kind, name)).copied()
    }

    /// The instances of a block, evaluated once.
    pub fn expansion(&self, id: BlockId<'a>, declared: Declared<'a>) -> Rc<Expansion> {
        if let Some(done) = self.expansions.borrow().get(&id) {
            return Rc::clone(done);
        }
        // While it is being evaluated its instances are not known: a `for_each` over itself is a cycle.
        self.expansions.borrow_mut().insert(id, Rc::new(Expansion::Unknown(Cause::Error("cycle".into()))));
        let expansion = Rc::new(instance::expansion(declared, self));
        self.expansions.borrow_mut().insert(id, Rc::clone(&expansion));
        expansion
    }

    fn local(&self, name: &str) -> Result<Value, String> {
        let Some((&name, &(file, attribute))) = self.module.locals.get_key_value(name) else {
            return Err(format!("local value `{name}` is not declared"));
        };
        match self.locals.borrow().get(name) {
            Some(Cell::Done(value, touched)) => {
                self.touched.borrow_mut().extend(touched.iter().cloned());
                return Ok(value.clone());
            }
            Some(Cell::Busy) => return Ok(cycle(&format!("local.{name}"))),
            None => {}
        }
        self.locals.borrow_mut().insert(name, Cell::Busy);
        let (value, touched) = self.evaluate(&attribute.value, file, self);
        self.touched.borrow_mut().extend(touched.iter().cloned());
        self.locals.borrow_mut().insert(name, Cell::Done(value.clone(), touched));
        Ok(value)
    }

    /// `kind.name` and, if `attrs` goes on, its attribute: the value and how many of `attrs` were used.
    fn resource(&self, mode: Mode, kind: &str, name: &str, attrs: &[&str]) -> Result<(Value, usize), String> {
        let blocks = if mode == Mode::Managed { &self.module.resources } else { &self.module.data };
        // The key's strings live as long as the module, the caller's do not.
        let Some((&(kind, name), &declared)) = blocks.iter().find(|((k, n), _)| *k == kind && *n == name)
        else {
            return Err(format!("`{}` is not declared", block_address(mode, kind, name)));
        };
        let id = (mode, kind, name);
        let block = block_address(mode, kind, name);
        match &*self.expansion(id, declared) {
            Expansion::Single => match attrs.first() {
                Some(attr) => Ok((self.attribute(id, declared, None, attr, &Each::None), 1)),
                None => Ok((self.instance(id, declared, None, &Each::None), 0)),
            },
            Expansion::Count(count) => {
                let items = (0..*count).map(|i| {
                    let each = Each::Count(Value::int(i));
                    self.instance(id, declared, Some(&Key::Int(i)), &each)
                });
                Ok((self.touching(block, || Value::tuple(items)), 0))
            }
            Expansion::ForEach(entries) => {
                let items = entries.iter().map(|(key, value)| {
                    let each = Each::Entry(Value::string(key.clone()), value.clone());
                    (key.clone(), self.instance(id, declared, Some(&Key::String(key.clone())), &each))
                });
                Ok((self.touching(block, || Value::object(items)), 0))
            }
            Expansion::Unknown(_) => {
                let reference = Reference { resource: block, attribute: SmolStr::default() };
                self.touched.borrow_mut().push(reference.clone());
                Ok((unknown_reference(mode, reference, Type::Any, false), 0))
            }
        }
    }

    /// Evaluates all instances of `block` and notes that the block was named: which instance is meant is told by the step
    /// that follows, and so by the reference of the value.
    fn touching(&self, block: SmolStr, evaluate: impl FnOnce() -> Value) -> Value {
        let before = self.touched.take();
        let value = evaluate();
        self.touched.replace(before);
        self.touched.borrow_mut().push(Reference { resource: block, attribute: SmolStr::default() });
        value
    }

    /// A whole resource instance as an object; unknown where the schema of its type is not known.
    fn instance(&self, id: BlockId<'a>, declared: Declared<'a>, key: Option<&Key>, each: &Each) -> Value {
        let (mode, kind, name) = id;
        let resource = instance_address(&block_address(mode, kind, name), key);
        let names: Option<Vec<&str>> = match mode {
            Mode::Managed => Catalog::get().schema(kind).map(|schema| {
                schema.attributes.keys().chain(schema.blocks.keys()).map(SmolStr::as_str).collect()
            }),
            Mode::Data => data::attributes(kind).map(<[&str]>::to_vec),
        };
        let Some(names) = names else {
            let reference = Reference { resource, attribute: SmolStr::default() };
            self.touched.borrow_mut().push(reference.clone());
            return unknown_reference(mode, reference, Type::Any, true);
        };
        let attribute = |attr| (SmolStr::from(attr), self.attribute(id, declared, key.cloned(), attr, each));
        Value::object(names.into_iter().map(attribute))
    }

    /// One attribute of a resource instance.
    fn attribute(
        &self,
        id: BlockId<'a>,
        declared: Declared<'a>,
        key: Option<Key>,
        attr: &str,
        each: &Each,
    ) -> Value {
        let (mode, kind, name) = id;
        let resource = instance_address(&block_address(mode, kind, name), key.as_ref());
        let reference = Reference { resource, attribute: attr.into() };
        self.touched.borrow_mut().push(reference.clone());
        let cell = (id, key, SmolStr::from(attr));
        match self.attributes.borrow().get(&cell) {
            Some(Cell::Done(value, _)) => return value.clone(),
            Some(Cell::Busy) => return cycle(&reference.to_string()),
            None => {}
        }
        self.attributes.borrow_mut().insert(cell.clone(), Cell::Busy);
        let scope = InstanceScope { module: self, each: each.clone() };
        let before = self.touched.take();
        let value = instance::attribute(declared, attr, self, &scope).or_else(|| {
            let block = data::Block { declared, module: self.module, scope: self, names: &scope };
            (mode == Mode::Data).then(|| data::computed(kind, attr, &block)).flatten()
        });
        self.touched.replace(before);
        let value = value.unwrap_or_else(|| self.unset(mode, kind, attr, &reference));
        let value = Value { reference: Some(Arc::new(reference)), ..value };
        self.attributes.borrow_mut().insert(cell, Cell::Done(value.clone(), Vec::new()));
        value
    }

    /// An attribute that the configuration does not set: what the catalog says of an instance that sets nothing. What the
    /// provider computes is known after apply.
    fn unset(&self, mode: Mode, kind: &'a str, attr: &str, reference: &Reference) -> Value {
        let schema = (mode == Mode::Managed).then(|| Catalog::get().schema(kind)).flatten();
        let Some(schema) = schema else {
            return unknown_reference(mode, reference.clone(), Type::Any, false);
        };
        let mut unset = self.unset.borrow_mut();
        let object = unset.entry(kind).or_insert_with(|| catalog::complete(kind, &Value::object([]), true));
        match (object.get(attr), schema.attributes.get(attr)) {
            // What only the provider sets it always sets: it is not null.
            (Some(value), Some(a)) if value.is_unknown() => {
                unknown_reference(mode, reference.clone(), a.ty.clone(), !a.optional)
            }
            (Some(value), _) => value.clone(),
            (None, _) => unknown_reference(mode, reference.clone(), Type::Any, false),
        }
    }
}

fn unknown_reference(mode: Mode, reference: Reference, ty: Type, not_null: bool) -> Value {
    let reference = Arc::new(reference);
    let cause = match mode {
        Mode::Managed => Cause::Resource(Arc::clone(&reference)),
        Mode::Data => Cause::Data(Arc::clone(&reference)),
    };
    let unknown = Unknown { ty, not_null, ..Unknown::new(cause) };
    Value { reference: Some(reference), ..Value::from_unknown(unknown) }
}

fn cycle(what: &str) -> Value {
    Value::unknown(Cause::Error(format_smolstr!("`{what}` refers to itself")))
}

/// `aws_s3_bucket.raw` or `data.t.n`
pub fn block_address(mode: Mode, kind: &str, name: &str) -> SmolStr {
    match mode {
        Mode::Managed => format_smolstr!("{kind}.{name}"),
        Mode::Data => format_smolstr!("data.{kind}.{name}"),
    }
}

/// The block's address with its instance key.
pub fn instance_address(block: &SmolStr, key: Option<&Key>) -> SmolStr {
    match key {
        Some(key) => format_smolstr!("{block}{key}"),
        None => block.clone(),
    }
}

impl Scope for ModuleScope<'_> {
    fn lookup(&self, root: &str, attrs: &[&str]) -> Result<(Value, usize), String> {
        match (root, attrs) {
            ("var", [name, ..]) => match self.variables.get(name) {
                Some(value) => Ok((value.clone(), 1)),
                None => Err(format!("variable `{name}` is not declared")),
            },
            ("local", [name, ..]) => Ok((self.local(name)?, 1)),
            ("module", [name, ..]) if self.module.calls.contains_key(name) => {
                Ok((Value::unknown(Cause::Module(format_smolstr!("module.{name}"))), 1))
            }
            ("module", [name, ..]) => Err(format!("module `{name}` is not declared")),
            ("path", ["module" | "root", ..]) => Ok((Value::string("."), 1)),
            ("path", ["cwd", ..]) => {
                Ok((Value::unknown(Cause::Other("`path.cwd` depends on the run".into())), 1))
            }
            // Without a CLI the workspace is the default one, as in a fresh checkout.
            ("terraform" | "tofu", ["workspace", ..]) => Ok((Value::string("default"), 1)),
            ("data", [kind, name, rest @ ..]) => {
                let (value, used) = self.resource(Mode::Data, kind, name, rest)?;
                Ok((value, used + 2))
            }
            ("each" | "count" | "self", _) => Err(format!("`{root}` has no meaning here")),
            (kind, [name, rest @ ..]) => {
                let (value, used) = self.resource(Mode::Managed, kind, name, rest)?;
                Ok((value, used + 1))
            }
            (name, []) => Err(format!("`{name}` is not declared")),
        }
    }

    fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }
}

/// What `each` and `count` are in an instance.
#[derive(Clone)]
pub enum Each {
    /// Neither is there.
    None,
    /// `count.index`
    Count(Value),
    /// `each.key`, `each.value`
    Entry(Value, Value),
}

/// The names in a resource instance.
pub struct InstanceScope<'m, 'a> {
    /// The module's names.
    pub module: &'m ModuleScope<'a>,
    /// The instance's.
    pub each: Each,
}

impl Scope for InstanceScope<'_, '_> {
    fn lookup(&self, root: &str, attrs: &[&str]) -> Result<(Value, usize), String> {
        match (root, attrs.first(), &self.each) {
            ("count", Some(&"index"), Each::Count(index)) => Ok((index.clone(), 1)),
            ("each", Some(&"key"), Each::Entry(key, _)) => Ok((key.clone(), 1)),
            ("each", Some(&"value"), Each::Entry(_, value)) => Ok((value.clone(), 1)),
            _ => self.module.lookup(root, attrs),
        }
    }

    fn directory(&self) -> Option<&Path> {
        self.module.directory()
    }
}

/// The names in a `dynamic` block's content: its iterator, and all around it.
pub struct IteratorScope<'p> {
    /// The names around.
    pub parent: &'p dyn Scope,
    /// The iterator's name.
    pub name: &'p str,
    /// Its object, `{ key, value }`.
    pub value: Value,
}

impl Scope for IteratorScope<'_> {
    fn lookup(&self, root: &str, attrs: &[&str]) -> Result<(Value, usize), String> {
        if root == self.name { Ok((self.value.clone(), 0)) } else { self.parent.lookup(root, attrs) }
    }

    fn directory(&self) -> Option<&Path> {
        self.parent.directory()
    }
}
