//! From the text of rules to expressions that are checked and ready to be evaluated.

use std::borrow::Cow;

use super::file::Text;
use super::vocabulary::{Checker, Fault, Vocabulary};
use super::{Rule, RuleError, RuleSet, Scope};
use crate::diagnostic::Diagnostic;
use crate::hcl;
use crate::hcl::ast::Expr;
use crate::source::{FileId, Span};
use bumpalo::Bump;

/// A rule that is ready to run.
#[derive(Clone, Debug)]
pub struct CompiledRule<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// Which of its set it is.
    pub index: usize,
    /// The resource types that it is about, sorted.
    pub types: &'a [Cow<'static, str>],
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
    /// The actions by which roles among its types count.
    pub callers: &'a [Cow<'static, str>],
    /// The attribute that a finding points at, as a dotted path.
    pub at: Option<&'a str>,
    /// The message of a failure.
    pub message: Expr<'a>,
}

/// What decides about a resource.
#[derive(Clone, Debug)]
pub enum Test<'a> {
    /// The condition that must hold.
    Require(Expr<'a>),
    /// A named analysis and its arguments.
    Analysis {
        /// Its name.
        name: &'a str,
        /// Its arguments.
        args: Vec<String>,
    },
    /// Nothing that it protected may be left without it.
    Removal,
}

/// How the text of a rule becomes an expression.
type Parse<'a> = fn(&'a str, FileId, &'a Bump) -> (Expr<'a>, Vec<Diagnostic>);

/// Compiles the rules of `set` that are `asked`, in order. `file` is a synthetic source that stands for rule text in spans.
pub fn compile<'a>(
    set: &'a RuleSet,
    arena: &'a Bump,
    file: FileId,
    vocabulary: Vocabulary<'_>,
    asked: impl Fn(&Rule) -> bool,
) -> Result<Vec<CompiledRule<'a>>, RuleError> {
    let asked = set.iter().enumerate().filter(|(_, rule)| asked(rule));
    asked.map(|(index, rule)| compile_rule(index, rule, arena, file, vocabulary)).collect()
}

fn compile_rule<'a>(
    index: usize,
    rule: &'a Rule,
    arena: &'a Bump,
    file: FileId,
    vocabulary: Vocabulary<'_>,
) -> Result<CompiledRule<'a>, RuleError> {
    let front = rule.front();
    let types = front.types.as_ref();
    // The attributes that the rules of this build name are checked by its tests; to do so at every start would parse the
    // schemas of all their types.
    let vocabulary = if rule.is_builtin() && !cfg!(debug_assertions) {
        Vocabulary { schema: &|_, _| None, ..vocabulary }
    } else {
        vocabulary
    };
    let checked = |text: &'a Text, parse: Parse<'a>| {
        let trimmed = text.as_str().trim();
        let indent = text.as_str().len() - text.as_str().trim_start().len();
        let (expr, diagnostics) = parse(trimmed, file, arena);
        parsed(&diagnostics)
            .and_then(|()| Checker::new(vocabulary, types, front.scope).expr(&expr))
            .map_err(|fault| rule.error_in(text, indent + fault.span.start as usize, fault.message))?;
        Ok::<_, RuleError>(expr)
    };
    let condition = |text: &'a Text| checked(text, hcl::parse_expression);

    let test = match (&front.require, &front.analysis) {
        (Some(require), _) => Test::Require(condition(require)?),
        (None, Some(name)) if vocabulary.analyses.contains(&name.as_str()) => {
            Test::Analysis { name: name.as_str(), args: front.args.iter().map(ToString::to_string).collect() }
        }
        (None, Some(name)) => {
            let message = format!("there is no analysis `{}`", name.as_str());
            return Err(rule.error_in(name, 0, message));
        }
        (None, None) if front.scope == Scope::Removal => Test::Removal,
        (None, None) => {
            return Err(RuleError::file(rule.path(), "one of `require` and `analysis` is needed"));
        }
    };
    if let Some(at) = &front.at {
        Checker::new(vocabulary, types, front.scope)
            .path(at.as_str(), Span::default())
            .map_err(|fault| rule.error_in(at, 0, fault.message))?;
    }
    Ok(CompiledRule {
        rule,
        index,
        types,
        when: front.when.as_ref().map(condition).transpose()?,
        test,
        scope: front.scope,
        provided: front.provided.as_deref(),
        elsewhere: front.elsewhere,
        callers: front.callers.as_ref(),
        at: front.at.as_ref().map(Text::as_str),
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
