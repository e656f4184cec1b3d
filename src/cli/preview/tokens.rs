//! `annotc preview --tokens`: records as a training run reads them.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::show::{Shown, plain};
use super::spelled;
use super::{Looked, way_out};
use crate::cli::Failure;
use crate::cli::build::lower;
use crate::cli::models;
use crate::cli::terminal::{Paint, Terminal};
use crate::engine::AuditRow;
use crate::engine::preview::Rendered;
use crate::hir::{DatasetId, ModelOrigin, Overflow, Program, Task, TemplateId, Train};
use crate::onnx::encoder::POSITIONS;
use crate::shown::printable;
use crate::train::{self, Fate, Message, TokenView, TrainError, Viewer};

/// The run that is asked for, else the only one of the data set.
pub fn choose_run<'p>(
    program: &'p Program,
    dataset: DatasetId,
    name: &str,
    terminal: &Terminal,
) -> Result<&'p Train, Failure> {
    let runs: Vec<&Train> = program.trains.iter().filter(|train| train.data == dataset).collect();
    let known: Vec<&str> = runs.iter().map(|train| train.name.as_str()).collect();
    let data = &program[dataset].name;
    let (message, help) = match (runs.iter().find(|train| train.name == name), runs.as_slice()) {
        (Some(train), _) => return Ok(train),
        (None, [only]) if name.is_empty() => return Ok(only),
        (None, []) => (
            format!("no run is trained on `{data}`, and tokens are those of a run's model"),
            "declare one: `train NAME { model …; data …; task … }`".to_owned(),
        ),
        (None, _) if name.is_empty() => {
            (format!("{} runs are trained on `{data}`", runs.len()), format!("name one: `--tokens {}`", known[0]))
        }
        (None, _) => (format!("no run `{name}` is trained on `{data}`"), way_out(name, &known, "runs")),
    };
    terminal.error(message, Some(&help));
    Err(Failure::Usage)
}

/// The template that a run's records are rendered with.
pub fn template_of(train: &Train) -> Option<TemplateId> {
    match train.task {
        Task::Generate { template } | Task::Prefer { template, .. } | Task::Embed { template } => Some(template),
        Task::Classify { .. } | Task::Regress { .. } | Task::Tag { .. } => None,
    }
}

/// The folder that a run's tokenizer is read from.
enum ModelFolder {
    Given(PathBuf),
    /// A new encoder's, gone at the end.
    Made(TempDir),
}

impl ModelFolder {
    fn path(&self) -> &Path {
        match self {
            Self::Given(path) => path,
            Self::Made(folder) => folder.path(),
        }
    }
}

impl Looked<'_> {
    /// Shows the tokens of records that are emitted.
    pub(super) fn spelled(&self, train: &Train, rows: &[u64]) -> Result<(), Failure> {
        self.refuse_personal(train)?;
        let folder = self.model_folder(train)?;
        let viewer = Viewer::open(folder.path(), train.length.tokens as usize, lower::overflow(train))
            .map_err(|error| self.failed(&error))?;
        let rendered = self.done(self.preview.render(rows, template_of(train)))?;
        for (row, record) in rows.iter().zip(&rendered) {
            let about = self.done(self.preview.about(*row))?;
            let id = about.id.to_string();
            for (side, view) in self.views(train, &viewer, &id, record) {
                self.shown().tokens((&about, side), train, record, &view);
            }
        }
        Ok(())
    }

    /// What a run reads of a record: one text, or of a pair two, each with the word for it.
    fn views(
        &self,
        train: &Train,
        viewer: &Viewer,
        id: &str,
        record: &Rendered,
    ) -> Vec<(Option<&'static str>, Result<TokenView, TrainError>)> {
        let turn = |at: usize| record.turns.get(at).map_or("", |turn| turn.content.as_str());
        match train.task {
            Task::Classify { text, .. } | Task::Regress { text, .. } | Task::Tag { text, .. } => {
                let name = &self.spec.program[train.data].columns[text.0 as usize].name;
                let text = record.fields.get(name).and_then(Value::as_str).unwrap_or_default();
                vec![(None, viewer.text(id, text))]
            }
            Task::Generate { .. } => {
                let turns = record.turns.iter().map(|turn| Message {
                    role: turn.role.clone(),
                    content: turn.content.clone(),
                    train: turn.train,
                });
                vec![(None, viewer.conversation(id, &turns.collect::<Vec<_>>()))]
            }
            Task::Prefer { .. } => {
                let answer = |at| viewer.answer(id, turn(0), turn(at));
                vec![(Some("chosen"), answer(1)), (Some("rejected"), answer(2))]
            }
            Task::Embed { .. } => {
                vec![(Some("first"), viewer.text(id, turn(0))), (Some("second"), viewer.text(id, turn(1)))]
            }
        }
    }

    /// What a run reads may hold personal data that no policy has cleaned; templates are looked at with the other records.
    fn refuse_personal(&self, train: &Train) -> Result<(), Failure> {
        let withheld = match train.task {
            _ if self.args.show_personal => None,
            Task::Classify { text, .. } | Task::Regress { text, .. } | Task::Tag { text, .. } => {
                let name = self.spec.program[train.data].columns[text.0 as usize].name.as_str();
                self.preview.withheld().into_iter().find(|column| *column == name)
            }
            Task::Generate { template } | Task::Prefer { template, .. } | Task::Embed { template } => {
                self.preview.withheld_from(template).first().copied()
            }
        };
        let Some(column) = withheld else { return Ok(()) };
        self.terminal.error(
            format_args!("run `{}` reads `{column}`, which may hold personal data", train.name),
            Some("no policy of the data set cleans it: say `--show-personal` to see it all the same"),
        );
        Err(Failure::Usage)
    }

    fn model_folder(&self, train: &Train) -> Result<ModelFolder, Failure> {
        let model = &self.spec.program[train.model];
        match (&model.origin, &train.task) {
            (ModelOrigin::Folder { path, base, .. }, _) => {
                let found = self.roots.folder(base, path, &format!("model `{}`", model.name));
                found.map(ModelFolder::Given).map_err(|missing| models::fail(self.terminal, &missing))
            }
            (
                ModelOrigin::New(sizes),
                Task::Classify { text, .. } | Task::Regress { text, .. } | Task::Tag { text, .. },
            ) => {
                let column = &self.spec.program[train.data].columns[text.0 as usize].name;
                let rows = self.done(self.preview.emitted(Some("train")))?;
                let records = self.done(self.preview.render(&rows, None))?;
                let texts = records.iter().filter_map(|record| record.fields.get(column)?.as_str());
                self.made(sizes.vocab as usize, texts)
            }
            (ModelOrigin::New(sizes), Task::Embed { template }) => {
                let rows = self.done(self.preview.emitted(Some("train")))?;
                let records = self.done(self.preview.render(&rows, Some(*template)))?;
                let texts = records.iter().flat_map(|record| &record.turns).map(|turn| turn.content.as_str());
                self.made(sizes.vocab as usize, texts)
            }
            (ModelOrigin::New(_), Task::Generate { .. } | Task::Prefer { .. }) => {
                unreachable!("the check refuses a new encoder that is to generate")
            }
        }
    }

    /// A folder with a new encoder's tokenizer.
    fn made<'t>(&self, vocabulary: usize, texts: impl Iterator<Item = &'t str>) -> Result<ModelFolder, Failure> {
        let folder = tempfile::tempdir()
            .map_err(|source| self.failed(&TrainError::Io { path: std::env::temp_dir(), source }))?;
        train::train_wordpiece(texts, vocabulary, POSITIONS, folder.path()).map_err(|error| self.failed(&error))?;
        Ok(ModelFolder::Made(folder))
    }

    fn failed(&self, error: &TrainError) -> Failure {
        self.terminal.error(error, None);
        Failure::World
    }
}

impl Shown<'_> {
    /// A record as a run reads it, or of a pair one side, or why the run would not start with it.
    fn tokens(
        &self,
        (about, side): (&AuditRow<'_>, Option<&str>),
        train: &Train,
        record: &Rendered,
        view: &Result<TokenView, TrainError>,
    ) {
        let label = match train.task {
            Task::Classify { label_column, .. }
            | Task::Regress { label_column, .. }
            | Task::Tag { label_column, .. } => {
                let name = &self.dataset.columns[label_column.0 as usize].name;
                record.fields.get(name).map(|value| (name.as_str(), value))
            }
            Task::Generate { .. } | Task::Prefer { .. } | Task::Embed { .. } => None,
        };
        if self.terminal.json() {
            return self.terminal.answer(Value::Object(self.token_facts((about, side), train, label, view)));
        }
        self.title(about, &about.split.map_or(String::new(), printable));
        if let Some(side) = side {
            self.row("side", &self.terminal.paint_answer(Paint::Bold, side));
        }
        if let Some((name, value)) = label {
            let value = self.terminal.paint_answer(Paint::Green, &printable(&named(value)));
            self.row("learnt", &format!("{} {value}", printable(name)));
        }
        match view {
            Ok(view) => {
                for (name, line) in spelled::rows(view, self.room(), self.terminal) {
                    self.row(name, &line);
                }
                self.row("", &self.terminal.paint_answer(Paint::Dim, &summary(train, view)));
            }
            Err(error) => {
                self.row("refused", &self.terminal.paint_answer(Paint::Red, &printable(&error.to_string())));
            }
        }
    }

    fn token_facts(
        &self,
        (about, side): (&AuditRow<'_>, Option<&str>),
        train: &Train,
        label: Option<(&str, &Value)>,
        view: &Result<TokenView, TrainError>,
    ) -> Map<String, Value> {
        let mut answer = self.place(about);
        answer.insert("part".to_string(), json!(about.split));
        answer.insert("run".to_string(), json!(train.name));
        answer.extend(side.map(|side| ("side".to_string(), json!(side))));
        answer.insert("learnt_label".to_string(), json!(label.map(|(name, value)| json!({ name: value }))));
        match view {
            Ok(view) => {
                answer.insert("text".to_string(), json!(view.text));
                answer.insert("tokens".to_string(), spelled::facts(view));
                answer.insert("limit".to_string(), json!(train.length.tokens));
                answer.insert("fate".to_string(), json!(fate(view.fate)));
            }
            Err(error) => {
                answer.insert("refused".to_string(), json!(error.to_string()));
            }
        }
        answer
    }
}

/// The value of a label, or its values.
fn named(value: &Value) -> String {
    match value {
        Value::Array(values) if values.is_empty() => "none".to_owned(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        one => plain(one),
    }
}

fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Whole => "whole",
        Fate::Cut(_) => "cut",
        Fate::LeftOut => "left out",
        Fate::Refused => "refused",
    }
}

/// How long a record is, and what becomes of it.
fn summary(train: &Train, view: &TokenView) -> String {
    let limit = train.length.tokens;
    let number = |of: fn(&train::ViewedToken) -> bool| view.tokens.iter().filter(|token| of(token)).count();
    let (learnt, lost) = (number(|token| token.learnt), number(|token| token.lost));
    let (learnt, is_silent) = match train.task {
        Task::Generate { .. } | Task::Prefer { .. } => (format!(", {learnt} learnt"), learnt == 0),
        Task::Classify { .. } | Task::Regress { .. } | Task::Tag { .. } | Task::Embed { .. } => (String::new(), false),
    };
    let count = super::super::check::counted(view.tokens.len(), "token");
    let way = match train.length.overflow {
        Overflow::Error => "",
        Overflow::KeepStart => " else keep start",
        Overflow::KeepEnd => " else keep end",
        Overflow::Drop => " else drop",
    };
    let asked = format!("`length {limit} tokens{way}`");
    match view.fate {
        Fate::Whole => format!("{count} of at most {limit}{learnt}"),
        Fate::Cut(_) if is_silent => {
            format!("{count}, {lost} cut off by {asked}: no answer is left whole, and the run does not start with it")
        }
        Fate::Cut(_) => format!("{count}{learnt}, {lost} cut off by {asked}"),
        Fate::LeftOut => format!("{count}: the run leaves it out, by {asked}"),
        Fate::Refused => format!("{count}: the run does not start with it, by {asked}"),
    }
}
