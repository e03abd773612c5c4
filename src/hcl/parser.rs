//! The state of a parse: where it is, how deep, what it has found wrong, and the stacks on which lists grow.

use bumpalo::Bump;

use super::ast::{Expr, ExprKind, Item, Label, ObjectItem, Part, Step};
use super::template::Flat;
use super::{MAX_DEPTH, MAX_DIAGNOSTICS, MAX_NESTING};
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};

/// An item could not be parsed. The diagnostic is already recorded; whoever owns the item skips it.
#[derive(Copy, Clone, Debug)]
pub(super) struct Failed;

/// What a production returns.
pub(super) type Parsed<T> = Result<T, Failed>;

/// A parse under way.
///
/// Between two productions `pos` is at the first byte of the next token: white space and comments are already skipped.
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) arena: &'a Bump,
    pub(super) file: FileId,
    /// Start of the next token.
    pub(super) pos: usize,
    /// End of the last token.
    pub(super) prev_end: usize,
    /// Line ends are tokens here; within brackets they are white space.
    pub(super) newlines: bool,
    /// Nodes between the file and here.
    pub(super) depth: u32,
    /// Height of the highest expression since this was last set to zero.
    pub(super) height: u32,
    /// A line that begins like a top-level block ends whatever is open.
    pub(super) resync: bool,
    /// Something was open at the end of the text.
    pub(super) ran_off: bool,
    /// Where blocks were last found to end without a brace.
    pub(super) unclosed_at: Option<usize>,
    /// No `*/` comes after this offset, so that a text full of `/*` is not searched to its end for each.
    pub(super) no_comment_end: usize,
    /// Where the parse was when the last diagnostic was recorded.
    pub(super) error_at: usize,
    diagnostics: Vec<Diagnostic>,
    pub(super) items: Stack<Item<'a>>,
    pub(super) labels: Stack<Label<'a>>,
    pub(super) exprs: Stack<Expr<'a>>,
    pub(super) entries: Stack<ObjectItem<'a>>,
    pub(super) steps: Stack<Step<'a>>,
    pub(super) flats: Stack<Flat<'a>>,
    pub(super) parts: Stack<Part<'a>>,
    pub(super) operands: Vec<super::expression::Operand<'a>>,
}

/// Lists of one kind of node that are still growing, the inner ones on top of the outer ones.
#[derive(Debug)]
pub(super) struct Stack<T>(Vec<T>);

impl<T: Copy> Stack<T> {
    const fn new() -> Self {
        Self(Vec::new())
    }

    /// Where a list that starts now begins.
    pub(super) const fn mark(&self) -> usize {
        self.0.len()
    }

    pub(super) fn push(&mut self, value: T) {
        self.0.push(value);
    }

    /// The list that began at `mark`.
    pub(super) fn since(&self, mark: usize) -> &[T] {
        self.0.get(mark..).unwrap_or_default()
    }

    /// The list that began at `mark`, for changes.
    pub(super) fn since_mut(&mut self, mark: usize) -> &mut [T] {
        self.0.get_mut(mark..).unwrap_or_default()
    }

    /// The last element of the list that began at `mark`.
    pub(super) fn last_since(&mut self, mark: usize) -> Option<&mut T> {
        self.since_mut(mark).last_mut()
    }

    /// Moves the list that began at `mark` into the arena.
    pub(super) fn take<'a>(&mut self, mark: usize, arena: &'a Bump) -> &'a [T] {
        let list = self.since(mark);
        if list.is_empty() {
            return &[];
        }
        let list = arena.alloc_slice_copy(list);
        self.0.truncate(mark);
        list
    }

    /// Drops what came since `mark`.
    pub(super) fn truncate(&mut self, mark: usize) {
        self.0.truncate(mark);
    }
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str, file: FileId, arena: &'a Bump) -> Self {
        let mut parser = Self {
            text,
            bytes: text.as_bytes(),
            arena,
            file,
            pos: 0,
            prev_end: 0,
            newlines: true,
            depth: 0,
            height: 0,
            resync: false,
            ran_off: false,
            unclosed_at: None,
            no_comment_end: usize::MAX,
            error_at: 0,
            diagnostics: Vec::new(),
            items: Stack::new(),
            labels: Stack::new(),
            exprs: Stack::new(),
            entries: Stack::new(),
            steps: Stack::new(),
            flats: Stack::new(),
            parts: Stack::new(),
            operands: Vec::new(),
        };
        if u32::try_from(text.len()).is_err() {
            parser.report(Span::default(), "the file is larger than 4 GiB");
            parser.bytes = &[];
            parser.text = "";
        } else if text.starts_with('\u{feff}') {
            parser.pos = '\u{feff}'.len_utf8();
        }
        parser
    }

    /// A parser of what stands in `text` from `start` on, `depth` nodes below the file.
    pub(super) fn within(text: &'a str, start: usize, depth: u32, file: FileId, arena: &'a Bump) -> Self {
        Self { pos: start, prev_end: start, depth, ..Self::new(text, file, arena) }
    }

    pub(super) const fn with_resync(mut self) -> Self {
        self.resync = true;
        self
    }

    /// A second parse, with resynchronisation, would find more.
    pub(super) const fn needs_resync(&self) -> bool {
        self.ran_off && !self.resync
    }

    pub(super) fn finish(self) -> Vec<Diagnostic> {
        self.diagnostics
    }

    /// Records what is wrong.
    pub(super) fn report(&mut self, span: Span, message: impl Into<String>) -> Failed {
        self.record(span, Diagnostic::error(message))
    }

    /// Records what is wrong and what to do about it.
    pub(super) fn report_help(&mut self, span: Span, message: impl Into<String>, help: &str) -> Failed {
        self.record(span, Diagnostic::error(message).help(help))
    }

    #[cold]
    fn record(&mut self, span: Span, diagnostic: Diagnostic) -> Failed {
        self.error_at = self.pos;
        if self.diagnostics.len() < MAX_DIAGNOSTICS {
            self.diagnostics.push(diagnostic.at(span.at(self.file)));
        } else if self.diagnostics.len() == MAX_DIAGNOSTICS {
            let message =
                format!("the rest of this file is not read: it has more than {MAX_DIAGNOSTICS} errors");
            self.diagnostics.push(Diagnostic::error(message).at(span.at(self.file)));
        }
        Failed
    }

    /// The file has too many errors to go on.
    pub(super) const fn gave_up(&self) -> bool {
        self.diagnostics.len() > MAX_DIAGNOSTICS
    }

    /// "expected this, found that", at the next token.
    #[cold]
    pub(super) fn expected(&mut self, what: &str) -> Failed {
        let (span, found) = self.describe_next();
        self.report(span, format!("expected {what}, found {found}"))
    }

    /// [`Self::expected`] with advice.
    #[cold]
    pub(super) fn expected_help(&mut self, what: &str, help: &str) -> Failed {
        let (span, found) = self.describe_next();
        self.report_help(span, format!("expected {what}, found {found}"), help)
    }

    /// From byte `start` to byte `end`.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        let offset = |n: usize| u32::try_from(n.min(self.bytes.len())).unwrap_or(u32::MAX);
        Span::new(offset(start), offset(end))
    }

    /// From byte `start` to the end of the last token.
    pub(super) fn span_from(&self, start: usize) -> Span {
        self.span(start, self.prev_end)
    }

    /// The text from byte `start` to byte `end`.
    pub(super) fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// Goes one level down, unless that is too deep. `start` is where the level begins.
    pub(super) fn descend(&mut self, start: usize) -> Parsed<()> {
        if self.depth >= MAX_NESTING {
            let message = format!("this nests deeper than {MAX_NESTING} levels");
            return Err(self.report(self.span(start, self.pos.max(start)), message));
        }
        self.depth += 1;
        Ok(())
    }

    /// Adds an operator above an expression of height `below`, and says how high it is then.
    pub(super) fn grow(&mut self, below: u32, start: usize) -> Parsed<u32> {
        if self.depth + below >= MAX_DEPTH {
            let message = format!("this has more than {MAX_DEPTH} operators in a row");
            let help = "put the operands in a list for `anytrue`, `alltrue`, `sum` or `join`";
            return Err(self.report_help(self.span(start, self.pos.max(start)), message, help));
        }
        Ok(below + 1)
    }

    /// Forgets lists that a failed item left half built. Body items hold no expression lists while they are parsed, so
    /// at an item all of these are empty.
    pub(super) fn clear_expression_stacks(&mut self) {
        self.labels.truncate(0);
        self.exprs.truncate(0);
        self.entries.truncate(0);
        self.steps.truncate(0);
        self.flats.truncate(0);
        self.parts.truncate(0);
        self.operands.clear();
    }

    /// The whole text as one expression.
    pub(super) fn lone_expression(&mut self) -> Expr<'a> {
        let start = self.pos;
        self.newlines = false;
        self.skip_trivia();
        if let Ok(expr) = self.expression() {
            if self.at_end() {
                return expr;
            }
            self.expected("the end of the expression");
        }
        Expr { kind: ExprKind::Invalid, span: self.span(start, self.bytes.len()) }
    }

    /// The whole text as one template.
    pub(super) fn lone_template(&mut self) -> Expr<'a> {
        let span = self.span(self.pos, self.bytes.len());
        let kind = self.bare_template().unwrap_or(ExprKind::Invalid);
        Expr { kind, span }
    }
}
