//! What a run says: verdicts, findings and the report that the writers print. Plain data, computed before any is printed.

mod severity;

pub use severity::Severity;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::diagnostic::Diagnostic;
use crate::program::{InputKind, PlanSource};
use crate::source::{Site, Sources};

/// What a rule says of a resource.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The resource breaks the rule.
    Fail,
    /// The deciding value is not known before apply, or not known to airgate.
    Undetermined,
    /// The resource holds the rule.
    Pass,
}

/// What a change does to a finding. Of one that is resolved there is none any more: see [`Report::resolved`].
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It passed before and fails now.
    Regression,
    /// It is not known to have passed, nor to have failed: the resource is new or new to the rule, or it could not be told.
    New,
    /// It failed before or, if it is undetermined, could not be told or failed.
    Unchanged,
}

/// What one rule says of one place: instances of one block that fare alike are one finding.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Index into [`Report::rules`].
    pub rule: usize,
    /// The verdict.
    pub verdict: Verdict,
    /// How severe it is here: the rule's, unless `moved` says otherwise. Gates, counts and order go by it.
    pub severity: Severity,
    /// What makes its severity another one than the rule's: `raised: ai-risk-tier = high`.
    pub moved: Option<SmolStr>,
    /// What is wrong, in one sentence without a final full stop; of an undetermined one what cannot be told.
    pub message: String,
    /// The resources, at least one, sorted by address.
    pub resources: Vec<Subject>,
    /// What it points at. [`None`] only where the input has no places at all.
    pub site: Option<Site>,
    /// Other places that explain it, each with a label.
    pub related: Vec<(Site, String)>,
    /// The deciding value as found, for people: `"AES256"`, `(not set)`, `(sensitive)`.
    pub actual: Option<String>,
    /// The smallest grant that suffices, in the words of a policy, where the configuration tells it.
    pub grant: Option<String>,
    /// Why it cannot be told, sorted: only of an undetermined finding.
    pub causes: Vec<String>,
    /// What the change does to it. [`None`] where the input does not tell what was before, and of what passes.
    pub state: Option<State>,
    /// It passed in the state as stored and fails as refreshed: somebody changed something outside of the tool.
    pub drift: bool,
    /// It hangs on a value that the plan knows only after apply, and its source tells now.
    pub from_source: bool,
}

/// A resource in a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// Its address.
    pub address: SmolStr,
    /// The address that it had before the change, if that moves it.
    pub moved_from: Option<SmolStr>,
    /// The input that it is of, by [`InputInfo::unit`]; [`None`] if there is only one.
    pub unit: Option<SmolStr>,
    /// Its type as the user wrote it.
    pub type_name: SmolStr,
    /// How AI reaches it, from the AI resource to this one; one element if it is itself AI.
    pub path: Arc<[PathStep]>,
    /// The names that the value that decides came through, from the attribute to where it is written. Empty if it is written
    /// in the attribute, and where the input does not tell.
    pub via: Vec<Via>,
}

/// A name that a value came through.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Via {
    /// `local.region`, `var.region`, `default of var.region`, `module.a.region`, `each.value`.
    pub what: SmolStr,
    /// What gives it its value. Of the last one it is where the value itself stands, if that is inside.
    pub site: Site,
}

/// A step of the path from an AI resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathStep {
    /// The edge that leads here, [`None`] for the first: `data`, `identity`, `key`, `network`, `attachment`.
    pub edge: Option<&'static str>,
    /// The resource.
    pub address: SmolStr,
}

/// What the writers need of a rule.
#[derive(Clone, Debug)]
pub struct RuleInfo {
    /// `AWS-SM-ENC-001`
    pub id: String,
    /// `sagemaker-notebook-without-cmk`
    pub name: String,
    /// Title of its page.
    pub title: Cow<'static, str>,
    /// `encryption`
    pub family: Cow<'static, str>,
    /// Severity.
    pub severity: Severity,
    /// `C-ENC-01`
    pub control: Cow<'static, str>,
    /// The control in words.
    pub control_title: Cow<'static, str>,
    /// Framework clauses that the control supports: `EU-AI-ACT:15(5)`.
    pub clauses: Cow<'static, [Cow<'static, str>]>,
    /// Its revision.
    pub revision: u32,
    /// What good looks like, in one sentence: the first paragraph of `## Fix`.
    pub fix: Cow<'static, str>,
    /// Why it matters: the first paragraph of `## Why`.
    pub why: Cow<'static, str>,
    /// The rule's file, with `/` between its parts: `rules/aws/sagemaker/AWS-SM-ENC-001-….md` of a built-in one.
    pub path: Cow<'static, str>,
    /// The whole page in Markdown, without front matter.
    pub page: Cow<'static, str>,
}

/// A framework that was asked for.
#[derive(Clone, Debug, Default)]
pub struct FrameworkInfo {
    /// `eu-ai-act`
    pub id: String,
    /// `EU AI Act`
    pub name: String,
    /// What it is, with its version.
    pub title: String,
    /// Where its text is.
    pub source: String,
    /// What no infrastructure code can show of it.
    pub beyond: Vec<String>,
    /// Its clauses, in their order.
    pub clauses: Vec<ClauseInfo>,
}

/// A clause of a framework and what its rules say.
#[derive(Clone, Debug, Default)]
pub struct ClauseInfo {
    /// `15(5)`
    pub clause: String,
    /// In our own words.
    pub meaning: String,
    /// Indexes into [`Report::rules`]: those that ran and whose control supports it.
    pub rules: Vec<usize>,
    /// What they say, added up.
    pub tally: Tally,
}

/// What was asked, counted in pairs of a rule and a resource.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Pairs that fail.
    pub failed: usize,
    /// Pairs that cannot be told.
    pub undetermined: usize,
    /// Pairs that pass.
    pub passed: usize,
}

/// One input of a report.
#[derive(Clone, Debug)]
pub struct InputInfo {
    /// The path as the user gave it.
    pub path: String,
    /// What it is called among others: the directory below the one that was named, or its path.
    pub unit: String,
    /// What it is.
    pub kind: InputKind,
    /// Who wrote it.
    pub written_by: Option<String>,
    /// Managed resource instances read.
    pub managed: usize,
    /// Data instances read.
    pub data: usize,
    /// The source that the findings of a plan point into; [`None`] if they point into the plan.
    pub source: Option<PlanSource>,
    /// Why it is not whole, if it says so of itself.
    pub incomplete: Option<String>,
    /// It tells what was before.
    pub tells_change: bool,
    /// Findings about it with verdict fail, by severity. One about several inputs counts for each.
    pub fail: BTreeMap<Severity, usize>,
    /// And with verdict undetermined.
    pub undetermined: BTreeMap<Severity, usize>,
}

/// A rule about absence that the configuration declares satisfied elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Provided {
    /// Index into [`Report::rules`].
    pub rule: usize,
    /// The control, as `[provided]` calls it: `invocation-logging`.
    pub control: String,
    /// What provides it, in the user's words.
    pub by: String,
    /// The resources of one account and region that it is relied upon for, sorted by address.
    pub resources: Vec<SmolStr>,
}

/// The numbers at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Managed resource instances read.
    pub managed: usize,
    /// Data instances read.
    pub data: usize,
    /// Resource instances in AI scope.
    pub in_scope: usize,
    /// Findings with verdict fail, by severity.
    pub fail: BTreeMap<Severity, usize>,
    /// Findings with verdict undetermined, by severity.
    pub undetermined: BTreeMap<Severity, usize>,
    /// Rule and resource pairs that pass.
    pub passed: usize,
    /// Resource types that the catalog does not know, with their instances.
    pub unknown_types: BTreeMap<SmolStr, usize>,
    /// Resource instances of types that the reader could not map to Terraform's.
    pub unmapped: usize,
    /// Module calls not followed.
    pub unfollowed_modules: usize,
    /// Files or inputs that could not be analysed.
    pub failed_files: usize,
    /// What the change does, if any input tells.
    pub change: Option<Change>,
    /// What tags left out of AI scope, in the order of the inputs.
    pub excluded: Vec<Exclusion>,
}

/// A resource that the configuration leaves out of AI scope for a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// The resource.
    pub address: SmolStr,
    /// The tag: `ai-risk-tier = none`.
    pub tag: SmolStr,
}

/// What a change does to the findings that fail, counted.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// [`State::New`]
    pub new: usize,
    /// [`State::Regression`]
    pub regression: usize,
    /// [`State::Unchanged`], as far as they are reported.
    pub unchanged: usize,
    /// [`Report::resolved`]
    pub resolved: usize,
    /// [`Finding::drift`], of all of the above.
    pub drift: usize,
    /// Findings, also undetermined ones, that were asked to be left out because the change does not touch them.
    pub left_out: usize,
}

/// The result of a run. Writers compute nothing beyond it.
#[derive(Debug)]
pub struct Report {
    /// airgate's version.
    pub version: &'static str,
    /// `sha256:…` over the rules that were loaded.
    pub rules_digest: String,
    /// The inputs.
    pub inputs: Vec<InputInfo>,
    /// All rules that ran, sorted by id.
    pub rules: Vec<RuleInfo>,
    /// What each rule says, by the index in `rules`.
    pub tallies: Vec<Tally>,
    /// The frameworks that were asked for, with what the rules say of their clauses.
    pub frameworks: Vec<FrameworkInfo>,
    /// Failed and undetermined findings, and passed ones if they were asked for; sorted by severity (worst first), path,
    /// offset, rule and address.
    pub findings: Vec<Finding>,
    /// Findings that failed before the change, and of which nothing fails or is undetermined after it, as they were. Sorted as
    /// `findings` are.
    pub resolved: Vec<Finding>,
    /// What would fail or be undetermined, if the configuration did not say that something else provides it. Sorted.
    pub provided: Vec<Provided>,
    /// What could not be read or understood, in the order of files and offsets.
    pub diagnostics: Vec<Diagnostic>,
    /// The numbers.
    pub summary: Summary,
    /// The files, for lines and snippets.
    pub sources: Sources,
}

// The build script shares the rest of it.
impl Severity {
    /// One step worse.
    #[must_use]
    pub const fn raised(self) -> Self {
        match self {
            Self::Low => Self::Medium,
            Self::Medium => Self::High,
            Self::High | Self::Critical => Self::Critical,
        }
    }

    /// One step less.
    #[must_use]
    pub const fn lowered(self) -> Self {
        match self {
            Self::Low | Self::Medium => Self::Low,
            Self::High => Self::Medium,
            Self::Critical => Self::High,
        }
    }
}

impl Tally {
    /// How many pairs were asked.
    pub const fn asked(self) -> usize {
        self.failed + self.undetermined + self.passed
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.failed += other.failed;
        self.undetermined += other.undetermined;
        self.passed += other.passed;
    }
}

impl Verdict {
    /// `"fail"`, `"undetermined"`, `"pass"`
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Undetermined => "undetermined",
            Self::Pass => "pass",
        }
    }
}

impl State {
    /// `"new"`, `"regression"`, `"unchanged"`
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Regression => "regression",
            Self::New => "new",
            Self::Unchanged => "unchanged",
        }
    }
}
