//! The syntax tree of HCL native syntax: every node knows its bytes, and all nodes live in one arena.
//!
//! Nodes are `Copy`: a tree is plain data that borrows the text and the arena, can be shared between threads and is freed
//! at once. Spans are byte ranges of the file's text. The tree keeps what evaluation and locations need, not comments or
//! white space.

use crate::source::{FileId, Span};

/// The items of a file or block, in source order.
#[derive(Copy, Clone, Debug, Default)]
pub struct Body<'a> {
    /// Attributes and blocks.
    pub items: &'a [Item<'a>],
    /// The whole body: of a file the file, of a block what is between its braces.
    pub span: Span,
}

/// One item of a body.
#[derive(Copy, Clone, Debug)]
pub enum Item<'a> {
    /// `name = value`
    Attribute(&'a Attribute<'a>),
    /// `type "label" { … }`
    Block(&'a Block<'a>),
}

/// `name = value`
#[derive(Copy, Clone, Debug)]
pub struct Attribute<'a> {
    /// The name.
    pub name: Ident<'a>,
    /// The value.
    pub value: Expr<'a>,
    /// From the name to the end of the value.
    pub span: Span,
    /// The file it is written in: a body may be put together from several.
    pub file: FileId,
}

/// `type "label" { … }`
#[derive(Copy, Clone, Debug)]
pub struct Block<'a> {
    /// The block's type: `resource`, `variable`, `ebs_block_device`.
    pub ident: Ident<'a>,
    /// Its labels.
    pub labels: &'a [Label<'a>],
    /// What is between the braces.
    pub body: Body<'a>,
    /// From the type to the last label: what a message about the whole block points at.
    pub header: Span,
    /// From the type to the closing brace.
    pub span: Span,
    /// The file it is written in.
    pub file: FileId,
}

/// An identifier as written.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Ident<'a> {
    /// Its text.
    pub text: &'a str,
    /// Its place.
    pub span: Span,
}

/// A label of a block, `"quoted"` or bare.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Label<'a> {
    /// Its text, with escapes resolved.
    pub text: &'a str,
    /// Its place, quotes included.
    pub span: Span,
}

/// An expression and its place.
#[derive(Copy, Clone, Debug)]
pub struct Expr<'a> {
    /// What it is.
    pub kind: ExprKind<'a>,
    /// Its place: of a parenthesised expression with its parentheses, of a string with its quotes, of a heredoc from the
    /// opening marker to the closing one.
    pub span: Span,
}

/// The kinds of expression.
#[derive(Copy, Clone, Debug)]
pub enum ExprKind<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as written: digits, fraction, exponent.
    Number(&'a str),
    /// A string without interpolation, escapes resolved and heredoc indentation removed, not yet NFC-normalised.
    String(&'a str),
    /// A string with interpolations or directives. A template of one [`Part::Interpolation`] alone (`"${x}"`) has the
    /// type of its expression.
    Template(&'a [Part<'a>]),
    /// `[a, b]`
    Tuple(&'a [Expr<'a>]),
    /// `{ k = v }`
    Object(&'a [ObjectItem<'a>]),
    /// A root name: `var`, `aws_s3_bucket`, `each`.
    Variable(&'a str),
    /// Attribute, index and splat steps after an expression. `base` is never itself `Access`.
    Access {
        /// What is accessed.
        base: &'a Expr<'a>,
        /// The steps, at least one.
        steps: &'a [Step<'a>],
    },
    /// `f(a, b...)`
    Call(&'a Call<'a>),
    /// `!x`, `-x`
    Unary(UnaryOp, &'a Expr<'a>),
    /// `a + b`
    Binary(BinaryOp, &'a Expr<'a>, &'a Expr<'a>),
    /// `c ? t : f`
    Conditional(&'a Conditional<'a>),
    /// `[for …]`, `{for …}`
    For(&'a For<'a>),
    /// `(x)`
    Paren(&'a Expr<'a>),
    /// What could not be parsed; a diagnostic was reported. It evaluates to unknown.
    Invalid,
}

/// `k = v` or `k : v` of an object constructor.
#[derive(Copy, Clone, Debug)]
pub struct ObjectItem<'a> {
    /// The key. A bare identifier is [`ExprKind::Variable`] here and means its own name; `(x)` is [`ExprKind::Paren`].
    pub key: Expr<'a>,
    /// The value.
    pub value: Expr<'a>,
}

/// One step of [`ExprKind::Access`].
#[derive(Copy, Clone, Debug)]
pub enum Step<'a> {
    /// `.name`
    Attr(Ident<'a>),
    /// `[key]`
    Index(Expr<'a>, Span),
    /// `.0`, the legacy spelling of `[0]`; the digits as written.
    LegacyIndex(Ident<'a>),
    /// `.*` or `[*]`; `each` are the steps that apply to every element (of `.*` only attributes and legacy indexes, of
    /// `[*]` all that follow).
    Splat {
        /// The steps for each element.
        each: &'a [Step<'a>],
        /// `[*]`, not `.*`.
        full: bool,
        /// From `.*` or `[*]` to the end of `each`.
        span: Span,
    },
}

/// `name(args)`
#[derive(Copy, Clone, Debug)]
pub struct Call<'a> {
    /// The name with its namespaces: `provider::aws::arn_parse`.
    pub name: Ident<'a>,
    /// The arguments.
    pub args: &'a [Expr<'a>],
    /// The last argument is spread: `f(list...)`.
    pub expand: bool,
}

/// `condition ? then : otherwise`
#[derive(Copy, Clone, Debug)]
pub struct Conditional<'a> {
    /// The condition.
    pub condition: Expr<'a>,
    /// The value when true.
    pub then: Expr<'a>,
    /// The value when false.
    pub otherwise: Expr<'a>,
}

/// `[for k, v in c : value if cond]` or `{for k, v in c : key => value... if cond}`
#[derive(Copy, Clone, Debug)]
pub struct For<'a> {
    /// The name of the key or index, if two names are given.
    pub key_var: Option<Ident<'a>>,
    /// The name of the value.
    pub value_var: Ident<'a>,
    /// What is iterated.
    pub collection: Expr<'a>,
    /// The key expression: an object is built; without it a tuple.
    pub key: Option<Expr<'a>>,
    /// The value expression.
    pub value: Expr<'a>,
    /// `...` after the value: values of one key are collected.
    pub group: bool,
    /// The filter.
    pub condition: Option<Expr<'a>>,
}

/// A part of a template. Strip markers (`~`) and heredoc indentation are already applied.
#[derive(Copy, Clone, Debug)]
pub enum Part<'a> {
    /// Text, escapes resolved. Empty where a strip marker left nothing: `" ${~ x}"` is a string, not `x` alone.
    Literal(&'a str, Span),
    /// `${x}`
    Interpolation(&'a Expr<'a>),
    /// `%{if c}…%{else}…%{endif}`
    If {
        /// The condition.
        condition: &'a Expr<'a>,
        /// Parts when true.
        then: &'a [Part<'a>],
        /// Parts when false.
        otherwise: &'a [Part<'a>],
    },
    /// `%{for k, v in c}…%{endfor}`
    For {
        /// The name of the key or index.
        key_var: Option<Ident<'a>>,
        /// The name of the value.
        value_var: Ident<'a>,
        /// What is iterated.
        collection: &'a Expr<'a>,
        /// Parts for each element.
        body: &'a [Part<'a>],
    },
}

/// Prefix operators.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `!`
    Not,
    /// `-`
    Negate,
}

/// Infix operators, loosest first.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
}

impl<'a> Body<'a> {
    /// The attributes, in source order.
    pub fn attributes(&self) -> impl Iterator<Item = &'a Attribute<'a>> {
        self.items.iter().filter_map(|item| match *item {
            Item::Attribute(attribute) => Some(attribute),
            Item::Block(_) => None,
        })
    }

    /// The blocks, in source order.
    pub fn blocks(&self) -> impl Iterator<Item = &'a Block<'a>> {
        self.items.iter().filter_map(|item| match *item {
            Item::Block(block) => Some(block),
            Item::Attribute(_) => None,
        })
    }

    /// The attribute called `name`.
    pub fn attribute(&self, name: &str) -> Option<&'a Attribute<'a>> {
        self.attributes().find(|attribute| attribute.name.text == name)
    }
}
