//! `annotc preview`: records as they are written, and what each rule takes out or changes. Nothing is written.

pub mod show;
mod spelled;
mod tokens;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;

use super::build::dataset::{Bar, fail, find_evaluated, find_inputs, inputs};
use super::build::inputs::Roots;
use super::context::{self, Spec};
use super::models::{self, Purpose};
use super::terminal::{Paint, Terminal};
use super::{Failure, MemoryArgs, RuntimeArgs, build};
use crate::diagnostics::closest;
use crate::engine::preview::Preview;
use crate::engine::{EngineError, StepOutcome, Surveyed};
use crate::hir::{DatasetId, DeviceWish, Program, StepKind, Task, TemplateId, TemplateKind, Train};
use crate::semantic;
use show::Shown;

/// Options of `annotc preview`.
#[derive(Debug, Args)]
#[command(after_help = "\
All data of the data set is read once and every rule decides, so that what is shown is what a build would write: drops, \
duplicates, labels, redaction, split. Only the records shown are rendered. Records come in the order of their ids, which \
is as good as random and the same each time.

  annotc preview shop.annot                       three records
  annotc preview shop.annot helpdesk -n 10 --part test
  annotc preview shop.annot --dropped             one of each rule, counted
  annotc preview shop.annot --dropped \"too short\"
  annotc preview shop.annot --changed \"set text\"  word by word
  annotc preview shop.annot --changed redact
  annotc preview shop.annot --id 3f9a
  annotc preview shop.annot --tokens sorter      what the run `sorter` reads and learns, token by token

What is trained on is coloured, or stands in ‹ ›. Values that may hold personal data and that no policy has cleaned are \
not shown unless `--show-personal` says so. Nothing is written.")]
pub struct PreviewArgs {
    /// The specification
    #[arg(value_name = "SPEC")]
    spec: PathBuf,
    /// The data set [default: the only one]
    #[arg(value_name = "DATASET")]
    dataset: Option<String>,
    /// How many records are shown
    #[arg(short = 'n', long = "number", value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    number: u16,
    /// The template that renders them [default: that of the first output, else of the first run that has one]
    #[arg(long, value_name = "TEMPLATE", conflicts_with_all = ["dropped", "changed"])]
    template: Option<String>,
    /// The tokens that a training run reads, and which of them it learns [default: the only run of the data set]
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["dropped", "changed", "template"])]
    tokens: Option<String>,
    /// Only records of this part of the split
    #[arg(long, value_name = "PART", conflicts_with_all = ["dropped", "changed", "id"])]
    part: Option<String>,
    /// Records that a rule took out, as they were read; without a rule one of each, with counts
    #[arg(long, value_name = "RULE", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["changed", "id"])]
    dropped: Option<String>,
    /// Records that a `set` or `redact` changed, before and behind
    #[arg(long, value_name = "RULE", conflicts_with = "id")]
    changed: Option<String>,
    /// The record with this id, or the first digits of it
    #[arg(long, value_name = "ID", value_parser = super::trace::parse_id)]
    id: Option<String>,
    /// Show values that may hold personal data, too
    #[arg(long)]
    show_personal: bool,
    /// Where relative paths are looked for after the spec's own folder
    #[arg(long, value_name = "DIR", env = "ANNOTC_DATA")]
    data_root: Option<PathBuf>,
    /// Threads [default: the machine's cores]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    #[command(flatten)]
    memory: MemoryArgs,
    #[command(flatten)]
    runtime: RuntimeArgs,
}

/// Decides over all records and shows some.
pub fn run(args: &PreviewArgs, terminal: &Terminal) -> Result<(), Failure> {
    let mut spec = context::load_checked(&args.spec, terminal)?;
    let id = choose_dataset(&spec.program, args.dataset.as_deref(), terminal)?;
    let name = spec.program[id].name.clone();
    let name = name.as_str();
    let run =
        args.tokens.as_deref().map(|run| tokens::choose_run(&spec.program, id, run, terminal)).transpose()?.cloned();
    let targets: Vec<&str> = std::iter::once(name).chain(run.as_ref().map(|run| run.name.as_str())).collect();
    if terminal.report(&spec.sources, &semantic::check_supported(&spec.parsed, Some(&targets))) {
        return Err(Failure::Spec);
    }
    let roots = Roots { spec: spec.folder(), data: args.data_root.clone() };
    let runtime = models::library(&mut spec.program, &[id], &args.runtime, DeviceWish::Cpu, terminal)?;
    models::provide(&mut spec.program, &[id], &roots, Purpose::Measure(runtime.as_ref()))
        .map_err(|missing| models::fail(terminal, &missing))?;
    let template = match &run {
        Some(run) => tokens::template_of(run),
        None => choose_template(&spec.program, id, args.template.as_deref(), terminal)?,
    };
    let cancel = Arc::new(AtomicBool::new(false));
    build::listen(&cancel);
    let cache = args.runtime.cache.as_deref();
    let remote = build::remote(&args.spec, cache, args.runtime.offline, &cancel, terminal);
    let sources = find_inputs(&spec.program, id, &roots, &remote, terminal)?;
    let evaluated = find_evaluated(&spec.program, id, &roots, terminal)?;
    let inputs = inputs(sources, evaluated, build::jobs(args.jobs), args.memory.limit(cache), &cancel);
    let bar = Bar::new(terminal, "Reading", name);
    let world = |error| fail(terminal, &error);
    let surveyed = Surveyed::of(&spec.program, id, &inputs, &mut |progress| bar.show(progress)).map_err(world)?;
    let mut show = |progress| bar.show(progress);
    let preview = Preview::open(&spec.program, id, &surveyed, &inputs, &mut show).map_err(world)?;
    bar.clear();
    tell_unmet(&spec, &preview, terminal);
    let run = run.as_ref();
    let looked = Looked { args, spec: &spec, dataset: id, template, run, roots: &roots, preview: &preview, terminal };
    match (&args.dropped, &args.changed, &args.id) {
        (Some(rule), _, _) => looked.dropped(rule),
        (_, Some(rule), _) => looked.changed(rule),
        (_, _, Some(id)) => looked.one(id),
        (None, None, None) => looked.first(),
    }
}

/// A data set that was looked into, with what is asked of it.
struct Looked<'l> {
    args: &'l PreviewArgs,
    spec: &'l Spec,
    dataset: DatasetId,
    template: Option<TemplateId>,
    /// The run whose tokens are shown.
    run: Option<&'l Train>,
    roots: &'l Roots,
    preview: &'l Preview<'l>,
    terminal: &'l Terminal,
}

impl Looked<'_> {
    /// The first records that are emitted.
    fn first(&self) -> Result<(), Failure> {
        let dataset = &self.spec.program[self.dataset];
        if let Some(part) = &self.args.part
            && !dataset.split.parts.contains(part)
        {
            let parts = dataset.split.parts.iter().map(String::as_str);
            return self.refuse(&format!("data set `{}` has no part `{part}`", dataset.name), part, parts, "parts");
        }
        let mut rows = self.done(self.preview.emitted(self.args.part.as_deref()))?;
        let all = rows.len();
        rows.truncate(usize::from(self.args.number));
        self.shown().head(self.args.part.as_deref(), self.run, rows.len(), all);
        self.emitted(&rows)
    }

    /// One record, whatever became of it.
    fn one(&self, id: &str) -> Result<(), Failure> {
        let rows = self.done(self.preview.with_id(id))?;
        match rows.as_slice() {
            [] => {
                let name = &self.spec.program[self.dataset].name;
                self.terminal.error(format_args!("no record of `{name}` has an id that begins with {id}"), None);
                Err(Failure::Spec)
            }
            [row] => match self.done(self.preview.about(*row))?.split {
                Some(_) => self.emitted(&[*row]),
                None => self.as_read(&[*row]),
            },
            several => {
                let count = several.len();
                let help = "give more of its digits";
                self.terminal.error(format_args!("{count} records have an id that begins with {id}"), Some(help));
                Err(Failure::Usage)
            }
        }
    }

    /// Records that a rule took out; of each rule one where none is named.
    fn dropped(&self, rule: &str) -> Result<(), Failure> {
        let steps = &self.preview.outcome().steps;
        let took = |step: &&StepOutcome| step.dropped + step.quarantined > 0;
        if rule.is_empty() {
            let steps: Vec<&StepOutcome> = steps.iter().filter(took).collect();
            self.shown().funnel(&steps);
            for step in steps {
                self.shown().rule(step);
                self.as_read(&self.done(self.preview.taken_out(step.kind))?[..1])?;
            }
            return Ok(());
        }
        let named: Vec<&StepOutcome> = steps.iter().filter(|step| step.rule == rule).collect();
        if named.is_empty() {
            let rules = steps.iter().filter(took).map(|step| step.rule.as_str());
            return self.refuse(&format!("no rule `{rule}` takes records out"), rule, rules, "rules that did");
        }
        self.shown().title_of(&format!("what \"{rule}\" takes out"));
        for step in named {
            self.shown().rule(step);
            let mut rows = self.done(self.preview.taken_out(step.kind))?;
            rows.truncate(usize::from(self.args.number));
            self.as_read(&rows)?;
        }
        Ok(())
    }

    /// Records that a `set` or a `redact` changed.
    fn changed(&self, rule: &str) -> Result<(), Failure> {
        let dataset = &self.spec.program[self.dataset];
        let changing = dataset
            .steps
            .iter()
            .enumerate()
            .filter(|(_, step)| matches!(step.kind, StepKind::Set { .. } | StepKind::Redact { .. }));
        // A `redact` is named as it is written, which is long: its first word does where there is one alone.
        let is_redact = |kind: &StepKind| matches!(kind, StepKind::Redact { .. });
        let named = |kind: &StepKind, name: &str| name == rule || (rule == "redact" && is_redact(kind));
        let steps: Vec<usize> = changing.clone().filter(|(_, s)| named(&s.kind, &s.rule)).map(|(at, _)| at).collect();
        if steps.is_empty() {
            let rules: Vec<&str> = changing.map(|(_, step)| step.rule.as_str()).collect();
            return self.refuse(&format!("no rule `{rule}` changes records"), rule, rules, "rules that do");
        }
        self.shown().title_of(&format!("what \"{rule}\" changes"));
        for at in steps {
            let rows = self.done(self.preview.changed_by(at))?;
            self.shown().changing(&dataset.steps[at], rows.len());
            let rows = &rows[..rows.len().min(usize::from(self.args.number))];
            let changes = self.done(self.preview.changes(at, rows))?;
            let about = rows.iter().map(|&row| self.done(self.preview.about(row))).collect::<Result<Vec<_>, _>>()?;
            let kept = rows.iter().zip(&about).filter(|(_, about)| about.split.is_some()).map(|(row, _)| *row);
            let kept: Vec<u64> = kept.collect();
            let emitted = self.done(self.preview.render(&kept, None))?;
            for ((row, about), changes) in rows.iter().zip(&about).zip(&changes) {
                let emitted = kept.iter().position(|kept| kept == row).map(|at| &emitted[at]);
                self.shown().change(about, &dataset.steps[at].rule, changes, emitted);
            }
        }
        Ok(())
    }

    fn emitted(&self, rows: &[u64]) -> Result<(), Failure> {
        if let Some(run) = self.run {
            return self.spelled(run, rows);
        }
        let program = &self.spec.program;
        if let Some(template) = self.template
            && !self.args.show_personal
            && let Some(column) = self.preview.withheld_from(template).first()
        {
            self.terminal.error(
                format_args!("template `{}` prints `{column}`, which may hold personal data", program[template].name),
                Some("no policy of the data set cleans it: name another template, or say `--show-personal`"),
            );
            return Err(Failure::Usage);
        }
        let rendered = self.done(self.preview.render(rows, self.template))?;
        for (row, record) in rows.iter().zip(&rendered) {
            self.shown().record(&self.done(self.preview.about(*row))?, record);
        }
        Ok(())
    }

    fn as_read(&self, rows: &[u64]) -> Result<(), Failure> {
        let fields = self.done(self.preview.as_read(rows))?;
        for (row, fields) in rows.iter().zip(&fields) {
            let error = self.done(self.preview.error(*row))?;
            self.shown().read(&self.done(self.preview.about(*row))?, error.as_deref(), fields);
        }
        Ok(())
    }

    /// What the engine found out, or tells why it could not.
    fn done<T>(&self, result: Result<T, EngineError>) -> Result<T, Failure> {
        result.map_err(|error| fail(self.terminal, &error))
    }

    fn shown(&self) -> Shown<'_> {
        Shown {
            terminal: self.terminal,
            program: &self.spec.program,
            dataset: &self.spec.program[self.dataset],
            template: self.template,
            withheld: self.preview.withheld(),
            show_personal: self.args.show_personal,
        }
    }

    fn refuse<'n>(
        &self,
        message: &str,
        word: &str,
        known: impl IntoIterator<Item = &'n str>,
        noun: &str,
    ) -> Result<(), Failure> {
        let known: Vec<&str> = known.into_iter().collect();
        self.terminal.error(message, Some(&way_out(word, &known, noun)));
        Err(Failure::Usage)
    }
}

/// `did you mean …?`, or what there is.
fn way_out(word: &str, known: &[&str], noun: &str) -> String {
    let mut known = known.to_vec();
    known.dedup();
    match closest(word, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None if known.is_empty() => format!("there are no {noun}"),
        None => {
            format!("the {noun} are {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
        }
    }
}

fn choose_dataset(program: &Program, name: Option<&str>, terminal: &Terminal) -> Result<DatasetId, Failure> {
    let known: Vec<&str> = program.datasets.iter().map(|dataset| dataset.name.as_str()).collect();
    let (message, word) = match (name, known.as_slice()) {
        (Some(name), _) => match known.iter().position(|known| *known == name) {
            Some(at) => return Ok(DatasetId(at as u32)),
            None => (format!("the spec has no data set `{name}`"), name),
        },
        (None, [_]) => return Ok(DatasetId(0)),
        (None, []) => ("the spec has no data set".to_string(), ""),
        (None, several) => (format!("the spec has {} data sets: name one", several.len()), ""),
    };
    terminal.error(message, Some(&way_out(word, &known, "data sets")));
    Err(Failure::Usage)
}

/// The template asked for; else what the data set is written or trained with.
fn choose_template(
    program: &Program,
    id: DatasetId,
    name: Option<&str>,
    terminal: &Terminal,
) -> Result<Option<TemplateId>, Failure> {
    let Some(name) = name else {
        let written = program[id].outputs.iter().find_map(|output| output.template);
        let trained = program.trains.iter().filter(|train| train.data == id).find_map(|train| match train.task {
            Task::Embed { template } | Task::Generate { template } => Some(template),
            Task::Classify { .. } | Task::Regress { .. } | Task::Tag { .. } | Task::Prefer { .. } => None,
        });
        return Ok(written.or(trained));
    };
    let known: Vec<&str> = program.templates.iter().map(|template| template.name.as_str()).collect();
    match program.templates.iter().position(|template| template.name == name) {
        Some(at) => match program.templates[at].kind {
            TemplateKind::Preference { .. } => {
                terminal.error("a `preference` template has two answers, which cannot be shown yet", None);
                Err(Failure::Usage)
            }
            TemplateKind::Chat(_) | TemplateKind::Completion { .. } | TemplateKind::Text(_) => {
                Ok(Some(TemplateId(at as u32)))
            }
        },
        None => {
            let help = way_out(name, &known, "templates");
            terminal.error(format_args!("the spec has no template `{name}`"), Some(&help));
            Err(Failure::Usage)
        }
    }
}

/// Rules over the whole set that a build would fail over; they keep nobody from looking.
fn tell_unmet(spec: &Spec, preview: &Preview<'_>, terminal: &Terminal) {
    for violation in preview.outcome().violations.iter().filter(|_| !terminal.json()) {
        let place = format!("{}:{}", spec.path.display(), spec.sources.line(violation.span));
        terminal.status(Paint::Yellow, "Unmet", format_args!("{place}: `{}`: a build fails over it", violation.rule));
    }
}
