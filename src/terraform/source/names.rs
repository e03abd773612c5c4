//! The names inside of a resource instance and of a `dynamic` block, over those of the module.

use std::rc::Rc;

use smol_str::SmolStr;

use crate::eval::{Directory, Scope};
use crate::program::Mode;
use crate::source::Site;
use crate::value::Value;

use super::scope::ModuleScope;

/// What `each` and `count` are in an instance.
#[derive(Clone, Debug)]
pub enum Each {
    /// Neither is there.
    None,
    /// `count.index`
    Count(Value),
    /// `each.key`, `each.value`
    Entry(Value, Value),
    /// `each.key`, and of which block of the module the instance with that key is `each.value`. What nobody asks of it is not
    /// evaluated.
    Instance(Value, Rc<Instances>),
}

/// The instances of a block that a `for_each` goes through.
#[derive(Debug)]
pub struct Instances {
    /// `resource` or `data`.
    pub mode: Mode,
    /// The type.
    pub kind: SmolStr,
    /// The name.
    pub name: SmolStr,
    /// Where the `for_each` names it.
    pub site: Site,
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
            ("each", Some(&"key"), Each::Entry(key, value)) => Ok((key_of_set(key, value), 1)),
            ("each", Some(&"value"), Each::Entry(_, value)) => Ok((value.clone(), 1)),
            ("each", Some(&"key"), Each::Instance(key, _)) => Ok((key.clone(), 1)),
            ("each", Some(&"value"), Each::Instance(key, of)) => {
                Ok((self.module.each_value(of, key, attrs.get(1).copied()), 1))
            }
            _ => self.module.lookup(root, attrs),
        }
    }

    fn lookup_element(
        &self,
        root: &str,
        attrs: &[&str],
        key: &Value,
        then: &[&str],
    ) -> Option<(Value, usize)> {
        if root == "each" { None } else { self.module.lookup_element(root, attrs, key, then) }
    }

    fn call(&self, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
        Scope::call(self.module, name, args)
    }

    fn directory(&self) -> Option<Directory<'_>> {
        self.module.directory()
    }
}

/// The key, which came the same way as the value if that is the same: in a set.
fn key_of_set(key: &Value, value: &Value) -> Value {
    match &value.via {
        Some(way) if key.as_str().is_some() && key.as_str() == value.as_str() => {
            Value { via: way.next.clone(), ..key.clone() }.through("each.key", way.site)
        }
        _ => key.clone(),
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

    fn lookup_element(
        &self,
        root: &str,
        attrs: &[&str],
        key: &Value,
        then: &[&str],
    ) -> Option<(Value, usize)> {
        if root == self.name { None } else { self.parent.lookup_element(root, attrs, key, then) }
    }

    fn call(&self, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
        self.parent.call(name, args)
    }

    fn directory(&self) -> Option<Directory<'_>> {
        self.parent.directory()
    }
}
