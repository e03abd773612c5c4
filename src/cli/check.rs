//! `airgate check`: analyses inputs, writes the report in every format asked for, and says by its exit code what to do.

use std::path::{Path, PathBuf};

use airgate::config::{Config, Options};
use airgate::finding::{InputInfo, Report, Severity};
use airgate::input::SourceOptions;
use airgate::program::InputKind;
use airgate::report::{self, Format, Show};
use clap::ArgAction;
use clap::builder::{FalseyValueParser, PossibleValuesParser, TypedValueParser};

use super::output::{Output, write_file};
use super::values::Values;
use super::{Console, Exit, Failure, NothingToAnalyse, config, unless_closed};

/// The end of `--help`.
const EXIT_CODES: &str = "Exit codes, the same for every format:
  0  nothing at or above --fail-on
  1  findings at or above --fail-on, or a regression with --fail-on-regression
  2  wrong usage or configuration, an internal error, or an input that could not be analysed
  3  nothing to analyse";

#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Args {
    /// Directories of Terraform or OpenTofu files; plans and states, Pulumi previews and stacks, and folders of them; `-` is
    /// standard input.
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    values: Values,
    /// Root module that plans as JSON are of [default: the plan's directory or the current one, if the plan is of it]. May be
    /// repeated.
    #[arg(long, value_name = "DIR", env = "AIRGATE_SOURCE_ROOT", hide_env = true, value_delimiter = ',')]
    source_root: Vec<PathBuf>,
    /// Binary form of a plan as JSON, which holds its source [default: one beside the plan, if it is of it]. May be repeated.
    #[arg(long, value_name = "FILE", env = "AIRGATE_PLAN_BINARY", hide_env = true, value_delimiter = ',')]
    plan_binary: Vec<PathBuf>,
    /// Look for no source of plans: findings point into the plan.
    #[arg(long, env = "AIRGATE_NO_SOURCE", hide_env = true, conflicts_with_all = ["source_root", "plan_binary"], action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    no_source: bool,
    /// Analyse every root module below a directory, and the plans where there is no source. A directory without resources of
    /// its own is always searched.
    #[arg(long, short, env = "AIRGATE_RECURSIVE", hide_env = true, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    recursive: bool,
    /// Configuration file, instead of the `airgate.toml` that is nearest to the first PATH.
    #[arg(long, value_name = "FILE", env = "AIRGATE_CONFIG", hide_env = true)]
    config: Option<PathBuf>,
    /// Read no configuration file.
    #[arg(long, env = "AIRGATE_NO_CONFIG", hide_env = true, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    no_config: bool,
    /// Run only these rules: an id, the beginning of one (AWS-SM), a name or a family.
    #[arg(long, value_name = "RULES", env = "AIRGATE_SELECT", hide_env = true, value_delimiter = ',')]
    select: Vec<String>,
    /// Do not run these rules.
    #[arg(long, value_name = "RULES", env = "AIRGATE_IGNORE", hide_env = true, value_delimiter = ',')]
    ignore: Vec<String>,
    /// Run only rules that support a clause of these frameworks, such as eu-ai-act, and report by clause.
    #[arg(
        long,
        value_name = "FRAMEWORKS",
        env = "AIRGATE_FRAMEWORK",
        hide_env = true,
        value_delimiter = ','
    )]
    framework: Vec<String>,
    /// Exit with 1 on findings of this severity or worse [default: the configuration's, or high].
    #[arg(long, value_name = "SEVERITY", env = "AIRGATE_FAIL_ON", hide_env = true, value_parser = severity())]
    fail_on: Option<Severity>,
    /// Exit with 1 also on a regression of any severity: what passed before the change and fails after it. Plans and previews.
    #[arg(long, env = "AIRGATE_FAIL_ON_REGRESSION", hide_env = true, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    fail_on_regression: bool,
    /// Leave out findings that the change does not touch; they are not counted and do not fail the run. Plans and previews.
    #[arg(long, env = "AIRGATE_CHANGED_ONLY", hide_env = true, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    changed_only: bool,
    /// Leave out findings of lesser severity. They still are counted, and still fail the run.
    #[arg(long, value_name = "SEVERITY", default_value = "low", env = "AIRGATE_MIN_SEVERITY", hide_env = true, value_parser = severity())]
    min_severity: Severity,
    /// Format of standard output.
    #[arg(long, default_value = "human", env = "AIRGATE_FORMAT", hide_env = true, value_parser = format())]
    format: Format,
    /// Write the report to a file too, such as sarif=airgate.sarif. May be repeated.
    #[arg(long, value_name = "FORMAT=PATH", env = "AIRGATE_OUTPUT", hide_env = true, value_delimiter = ',')]
    output: Vec<Output>,
    /// List these verdicts beside failures. May be repeated.
    #[arg(long, value_name = "VERDICT", env = "AIRGATE_SHOW", hide_env = true, value_delimiter = ',')]
    show: Vec<ShowArg>,
    /// Exit with 0 where findings would make it 1. What could not be analysed still makes it 2.
    #[arg(long, env = "AIRGATE_EXIT_ZERO", hide_env = true, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    exit_zero: bool,
    /// Directory of your own rules, which run beside the built-in ones.
    #[arg(long, value_name = "DIR", env = "AIRGATE_RULES", hide_env = true)]
    rules: Option<PathBuf>,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ShowArg {
    /// What cannot be told before apply.
    Undetermined,
    /// What holds.
    Pass,
    /// Both.
    All,
}

/// Runs it.
pub(super) fn run(
    args: &Args,
    analyze: fn(&[PathBuf], &Options) -> Result<Report, Failure>,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let options = options(args)?;
    let report = analyze(&args.paths, &options)?;
    let shown = report::Options {
        show: show(args),
        min_severity: args.min_severity,
        color: false,
        width: console.width,
    };
    // Files first: who reads standard output may go away.
    for output in &args.output {
        write_file(&output.path, |out| report::write(&report, output.format, &shown, out))
            .map_err(|error| format!("{}: {error}", output.path.display()))?;
    }
    let shown = report::Options { color: console.color, ..shown };
    let printed = report::write(&report, args.format, &shown, console.out).and_then(|()| console.out.flush());
    unless_closed(printed).map_err(|error| format!("standard output: {error}"))?;

    for note in without_before(args, &report).into_iter().chain(without_plan(args, &report)) {
        writeln!(console.err, "note: {note}")?;
    }
    let gate = Gate {
        fail_on: args.fail_on.or(options.config.fail_on).unwrap_or(Severity::High),
        fail_on_regression: args.fail_on_regression,
        exit_zero: args.exit_zero,
    };
    let exit = gate.exit(&report);
    match exit {
        Exit::Clean | Exit::Findings => {}
        Exit::Failure => {
            if args.format != Format::Human {
                for line in report::unsure(&report) {
                    writeln!(console.err, "error: {line}")?;
                }
            }
            writeln!(
                console.err,
                "error: the input could not be analysed as a whole: the verdict is not sure"
            )?;
        }
        Exit::Nothing => return Err(NothingToAnalyse("there is nothing to analyse".to_owned()).into()),
    }
    Ok(exit)
}

/// What the flags and the configuration tell the engine. Flags win; what is ignored adds up.
fn options(args: &Args) -> Result<Options, Failure> {
    let start = args.paths.first().map_or_else(|| Path::new("."), PathBuf::as_path);
    let mut config: Config = config(args.config.as_deref(), args.no_config, start)?;
    if !args.select.is_empty() {
        config.rules.select.clone_from(&args.select);
    }
    if !args.framework.is_empty() {
        config.rules.frameworks.clone_from(&args.framework);
    }
    config.rules.ignore.extend(args.ignore.iter().cloned());
    Ok(Options {
        config,
        run: args.values.options(environment()),
        source: SourceOptions {
            // What is named is the answer.
            find: !args.no_source && args.source_root.is_empty() && args.plan_binary.is_empty(),
            roots: args.source_root.clone(),
            plans: args.plan_binary.clone(),
        },
        recursive: args.recursive,
        keep_pass: show(args).pass,
        changed_only: args.changed_only,
        rules_dir: args.rules.clone(),
    })
}

/// The environment, as far as it is text.
pub(super) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)))
}

fn show(args: &Args) -> Show {
    let asked = |verdict| args.show.contains(&verdict) || args.show.contains(&ShowArg::All);
    Show { undetermined: asked(ShowArg::Undetermined), pass: asked(ShowArg::Pass) }
}

/// What is said where flags ask for the change and an input does not tell of one.
fn without_before(args: &Args, report: &Report) -> Option<String> {
    let flags = [("--changed-only", args.changed_only), ("--fail-on-regression", args.fail_on_regression)];
    let flags: Vec<&str> = flags.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag).collect();
    let mut untold = report.inputs.iter().filter(|input| !input.tells_change);
    let first = untold.next().filter(|_| !flags.is_empty())?;
    let more = untold.count();
    let more = if more > 0 { format!(" and {more} more inputs") } else { String::new() };
    let text = format!(
        "{}{more}: there is nothing for {}, only a plan or a preview tells what was before",
        first.path,
        flags.join(" and ")
    );
    Some(report::scrub(&text).into_owned())
}

/// What is said where flags tell the source of plans and there is no plan.
fn without_plan(args: &Args, report: &Report) -> Option<String> {
    let is_plan = |input: &InputInfo| input.kind == InputKind::TerraformPlan;
    let first = report.inputs.first().filter(|_| !report.inputs.iter().any(is_plan))?;
    let given =
        [("--source-root", !args.source_root.is_empty()), ("--plan-binary", !args.plan_binary.is_empty())];
    let flags: Vec<&str> = given.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag).collect();
    let flags = flags.join(" and ");
    let text = format!("{}: there is nothing for {flags}, only a plan has its source elsewhere", first.path);
    (!flags.is_empty()).then(|| report::scrub(&text).into_owned())
}

/// What makes a run fail.
#[derive(Copy, Clone, Debug)]
pub(super) struct Gate {
    pub(super) fail_on: Severity,
    pub(super) fail_on_regression: bool,
    pub(super) exit_zero: bool,
}

impl Gate {
    /// A gate fails closed: what could not be analysed outweighs what was found, and finding nothing to analyse is not clean.
    pub(super) fn exit(self, report: &Report) -> Exit {
        if report::failed_to_analyse(report) > 0 {
            return Exit::Failure;
        }
        if report.inputs.is_empty() {
            return Exit::Nothing;
        }
        let failed: usize = report.summary.fail.range(self.fail_on..).map(|(_, n)| n).sum();
        let regressions = report.summary.change.map_or(0, |change| change.regression);
        let fails = failed > 0 || (self.fail_on_regression && regressions > 0);
        if fails && !self.exit_zero { Exit::Findings } else { Exit::Clean }
    }
}

fn severity() -> impl TypedValueParser<Value = Severity> {
    let names = Severity::ALL.map(Severity::as_str);
    PossibleValuesParser::new(names).try_map(|text| text.parse::<Severity>())
}

fn format() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::as_str)).try_map(|text| text.parse::<Format>())
}
