//! From the text of rules to expressions that are checked and ready to be evaluated.

use bumpalo::Bump;
use toml::Spanned;

use super::vocabulary::{Checker, Fault, Vocabulary};
use super::{Rule, RuleError, RuleSet, Scope};
use crate::diagnostic::Diagnostic;
use crate::finding::RuleInfo;
use crate::hcl;
use crate::hcl::ast::Expr;
use crate::source::{FileId, Span};

/// A rule that is ready to run.
#[derive(Clone, Debug)]
pub struct CompiledRule<'a> {
    /// What writers need of it.
    pub info: RuleInfo,
    /// The resource types that it is about, sorted.
    pub types: &'a [String],
    /// Condition for it to apply at all.
    pub when: Option<Expr<'a>>,
    /// What decides.
    pub test: Test<'a>,
    /// What it is asked of.
    pub scope: Scope,
    /// The key of `[provided]` that declares it satisfied elsewhere.
    pub provided: Option<&'a str>,
    /// That the control is not here does not tell that it is nowhere.
    pub elsewhere: bool,
    /// The attribute that a finding points at, as a dotted path.
    pub at: Option<&'a str>,
    /// The message of a failure.
    pub message: Expr<'a>,
}

/// What decides about a resource.
#[derive(Copy, Clone, Debug)]
pub enum Test<'a> {
    /// The condition that must hold.
    Require(Expr<'a>),
    /// A named analysis and its arguments.
    Analysis {
        /// Its name.
        name: &'a str,
        /// Its arguments.
        args: &'a [String],
    },
    /// Nothing that it protected may be left without it.
    Removal,
}

/// How the text of a rule becomes an expression.
type Parse<'a> = fn(&'a str, FileId, &'a Bump) -> (Expr<'a>, Vec<Diagnostic>);

/// Compiles every rule of `set`, in order. `file` is a synthetic source that stands for rule text in spans.
pub fn compile<'a>(
    set: &'a RuleSet,
    arena: &'a Bump,
    file: FileId,
    vocabulary: Vocabulary<'_>,
) -> Result<Vec<CompiledRule<'a>>, RuleError> {
    set.iter().map(|rule| compile_rule(set, rule, arena, file, vocabulary)).collect()
}

fn compile_rule<'a>(
    set: &'a RuleSet,
    rule: &'a Rule,
    arena: &'a Bump,
    file: FileId,
    vocabulary: Vocabulary<'_>,
) -> Result<CompiledRule<'a>, RuleError> {
    let front = rule.front();
    let types = front.types.as_slice();
    // The attributes that the rules of this build name are checked by its tests; to do so at every start would parse the
    // schemas of all their types.
    let vocabulary = if rule.is_builtin() && !cfg!(debug_assertions) {
        Vocabulary { schema: &|_, _| None, ..vocabulary }
    } else {
        vocabulary
    };
    let checked = |text: &'a Spanned<String>, parse: Parse<'a>| {
        let trimmed = text.as_ref().trim();
        let indent = text.as_ref().len() - text.as_ref().trim_start().len();
        let (expr, diagnostics) = parse(trimmed, file, arena);
        parsed(&diagnostics)
            .and_then(|()| Checker::new(vocabulary, types, front.scope).expr(&expr))
            .map_err(|fault| rule.error_in(text, indent + fault.span.start as usize, fault.message))?;
        Ok::<_, RuleError>(expr)
    };
    let condition = |text: &'a Spanned<String>| checked(text, hcl::parse_expression);

    let test = match (&front.require, &front.analysis) {
        (Some(require), _) => Test::Require(condition(require)?),
        (None, Some(name)) if vocabulary.analyses.contains(&name.as_ref().as_str()) => {
            Test::Analysis { name: name.as_ref(), args: &front.args }
        }
        (None, Some(name)) => {
            let message = format!("there is no analysis `{}`", name.as_ref());
            return Err(rule.error_in(name, 0, message));
        }
        (None, None) if front.scope == Scope::Removal => Test::Removal,
        (None, None) => {
            return Err(RuleError::file(rule.path(), "one of `require` and `analysis` is needed"));
        }
    };
    if let Some(at) = &front.at {
        Checker::new(vocabulary, types, front.scope)
            .path(at.as_ref(), Span::default())
            .map_err(|fault| rule.error_in(at, 0, fault.message))?;
    }
    Ok(CompiledRule {
        info: set.info(rule),
        types,
        when: front.when.as_ref().map(condition).transpose()?,
        test,
        scope: front.scope,
        provided: front.provided.as_deref(),
        elsewhere: front.elsewhere,
        at: front.at.as_ref().map(|at| at.as_ref().as_str()),
        message: checked(&front.message, hcl::parse_template)?,
    })
}

/// A rule's text must be without any fault: the first that the parser reports.
fn parsed(diagnostics: &[Diagnostic]) -> Result<(), Fault> {
    match diagnostics.first() {
        Some(first) => Err(Fault {
            span: first.site.map_or_else(Span::default, |site| site.span),
            message: first.message.clone(),
        }),
        None => Ok(()),
    }
}
