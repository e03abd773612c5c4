//! A module's definition: its blocks sorted by what they declare, those of override files merged into the others. Nothing
//! is evaluated here.

use std::collections::BTreeMap;

use bumpalo::Bump;

use crate::diagnostic::Diagnostic;
use crate::hcl::ast::{Attribute, Block, Body, Item};
use crate::source::{FileId, Site};

use super::overrides;
use super::{Parsed, Target};

/// What the files of one directory declare. Of two declarations of one name the first stays.
#[derive(Debug, Default)]
pub struct Module<'a> {
    /// `variable` blocks by name.
    pub variables: BTreeMap<&'a str, Declared<'a>>,
    /// Attributes of `locals` blocks by name.
    pub locals: BTreeMap<&'a str, (FileId, &'a Attribute<'a>)>,
    /// `resource` blocks by type and name.
    pub resources: BTreeMap<(&'a str, &'a str), Declared<'a>>,
    /// `data` blocks by type and name.
    pub data: BTreeMap<(&'a str, &'a str), Declared<'a>>,
    /// `module` blocks by name.
    pub calls: BTreeMap<&'a str, Declared<'a>>,
    /// `output` blocks by name.
    pub outputs: BTreeMap<&'a str, Declared<'a>>,
    /// `provider` blocks, in source order.
    pub providers: Vec<Declared<'a>>,
    /// `terraform` blocks, in source order.
    pub settings: Vec<Declared<'a>>,
}

/// A module's definition and its place among the others.
#[derive(Debug)]
pub struct Definition<'a> {
    /// What it declares.
    pub module: &'a Module<'a>,
    /// `path.module`: the directory from the root module's.
    pub path: &'a str,
    /// Where its calls lead.
    pub calls: &'a BTreeMap<String, Target>,
    /// It was installed: its files are somebody else's.
    pub installed: bool,
}

/// A block and its file.
#[derive(Copy, Clone, Debug)]
pub struct Declared<'a> {
    /// The file.
    pub file: FileId,
    /// The block.
    pub block: &'a Block<'a>,
}

impl<'a> Declared<'a> {
    /// The block's header.
    pub fn site(&self) -> Site {
        self.block.header.at(self.file)
    }

    /// The block's body.
    pub fn body(&self) -> Body<'a> {
        self.block.body
    }
}

impl<'a> Module<'a> {
    /// Sorts the blocks of the files. What overriding files merge together is made in `arena`.
    pub fn new(files: &[Parsed<'a>], arena: &'a Bump) -> (Self, Vec<Diagnostic>) {
        let mut module = Self::default();
        let mut diagnostics = Vec::new();
        let (overriding, primary): (Vec<&Parsed<'a>>, Vec<_>) =
            files.iter().partition(|file| file.is_override);
        for parsed in primary.into_iter().chain(overriding) {
            for item in parsed.body.items {
                match *item {
                    Item::Block(block) if parsed.is_override => {
                        let declared = Declared { file: block.file, block };
                        overrides::merge(&mut module, declared, arena, &mut diagnostics);
                    }
                    Item::Block(block) => module.declare(Declared { file: block.file, block }, &mut diagnostics),
                    Item::Attribute(attribute) => diagnostics.push(
                        Diagnostic::warning(format!("`{}` is not in a block", attribute.name.text))
                            .at(attribute.name.span.at(parsed.file))
                            .help("values of variables belong in a `.tfvars` file, other values in a `locals` block"),
                    ),
                }
            }
        }
        (module, diagnostics)
    }

    fn declare(&mut self, declared: Declared<'a>, diagnostics: &mut Vec<Diagnostic>) {
        if let Err(diagnostic) = check_header(declared) {
            return diagnostics.push(diagnostic);
        }
        let labels: Vec<&'a str> = declared.block.labels.iter().map(|label| label.text).collect();
        let kind = declared.block.ident.text;
        let fresh = match (kind, labels.as_slice()) {
            ("variable", &[name]) => insert(&mut self.variables, name, declared),
            ("output", &[name]) => insert(&mut self.outputs, name, declared),
            ("module", &[name]) => insert(&mut self.calls, name, declared),
            ("resource", &[kind, name]) => insert(&mut self.resources, (kind, name), declared),
            ("data", &[kind, name]) => insert(&mut self.data, (kind, name), declared),
            ("provider", &[_]) => {
                self.providers.push(declared);
                true
            }
            ("terraform", _) => {
                self.settings.push(declared);
                true
            }
            ("locals", &[]) => {
                for attribute in declared.body().attributes() {
                    let name = attribute.name;
                    if !insert(&mut self.locals, name.text, (attribute.file, attribute)) {
                        diagnostics.push(duplicate("local value", name.text, name.span.at(attribute.file)));
                    }
                }
                true
            }
            ("check", &[_]) => {
                // The data that a check reads is its own, and has an address like any other.
                for block in declared.body().blocks().filter(|block| block.ident.text == "data") {
                    self.declare(Declared { file: block.file, block }, diagnostics);
                }
                true
            }
            // Moves, imports and removals declare no resource and change no attribute.
            _ => true,
        };
        if !fresh {
            diagnostics.push(duplicate(kind, &labels.join("."), declared.site()));
        }
    }
}

/// Inserts, unless the name is taken.
fn insert<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: V) -> bool {
    let fresh = !map.contains_key(&key);
    if fresh {
        map.insert(key, value);
    }
    fresh
}

fn duplicate(kind: &str, name: &str, site: Site) -> Diagnostic {
    Diagnostic::warning(format!("{kind} `{name}` is declared twice; the first declaration is analysed"))
        .at(site)
}

/// The block types that Terraform knows at the top of a file, and how many labels they have.
pub(super) const LABELS: &[(&str, usize)] = &[
    ("action", 2),
    ("check", 1),
    ("data", 2),
    ("ephemeral", 2),
    ("import", 0),
    ("locals", 0),
    ("module", 1),
    ("moved", 0),
    ("output", 1),
    ("provider", 1),
    ("removed", 0),
    ("resource", 2),
    ("terraform", 0),
    ("variable", 1),
];

/// What is wrong with the type or the labels of a block at the top of a file.
pub(super) fn check_header(declared: Declared<'_>) -> Result<(), Diagnostic> {
    let kind = declared.block.ident.text;
    let message = match LABELS.iter().find(|(known, _)| *known == kind) {
        Some((_, labels)) if *labels == declared.block.labels.len() => return Ok(()),
        Some((_, 0)) => format!("a `{kind}` block takes no labels; this one is not analysed"),
        Some((_, 1)) => format!("a `{kind}` block takes one label, its name; this one is not analysed"),
        Some(_) => {
            format!("a `{kind}` block takes two labels, its type and its name; this one is not analysed")
        }
        None => format!("Terraform has no block type `{kind}`; this block is not analysed"),
    };
    Err(Diagnostic::warning(message).at(declared.site()))
}
