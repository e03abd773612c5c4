//! Terraform's types.

use std::sync::Arc;

use smol_str::SmolStr;

use super::Value;

/// A type, or a type constraint where it comes from a `type =` argument.
#[derive(Clone, Debug, Default)]
pub enum Type {
    /// Not known, or `any`.
    #[default]
    Any,
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    String,
    /// `list(T)`
    List(Arc<Type>),
    /// `set(T)`
    Set(Arc<Type>),
    /// `map(T)`
    Map(Arc<Type>),
    /// `tuple([T, …])`
    Tuple(Arc<[Type]>),
    /// `object({ … })`, sorted by name.
    Object(Arc<[Field]>),
}

/// An attribute of an object type.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: SmolStr,
    /// Its type.
    pub ty: Type,
    /// `optional(T)`: it may be left out.
    pub optional: bool,
    /// `optional(T, default)`: what it is when left out.
    pub default: Option<Value>,
}
