//! Building a data set: survey, first pass, resolution, second pass.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::EngineError;
use super::assign::{Parts, assign};
use super::copies::Copies;
use super::evaluated::{self, EvaluatedFiles, Hashed, foreign_sources, hash_files};
use super::narrow::Narrow;
use super::near::Compared;
use super::outcome::{Certificate, CutOutcome, Outcome, SourceOutcome, SourceUse, StepOutcomeKind};
use super::passes::Workers;
use super::read::survey::InputFile;
use super::read::{ChunkTable, Scratch, Sizes, Survey, Surveying};
use super::report::{Resolved, source_outcome, sources};
use super::resolve::{Fates, Reached, Reread, resolve, source_is_keyed};
use super::site::Site;
use super::spool::{Budget, MemoryLimit};
use super::stage::{Reuse, Stages};
use super::stages::Build;
use super::training::TrainingTable;
use crate::dedup::near::Clusters;
use crate::emit::Finished;
use crate::hir::{Dataset, DatasetId, Program, Source, SourceFormat, SourceId};
use crate::label::LabelTables;
use crate::plan::labels::found_fields;
use crate::plan::{Cuts, Prepared};

/// The files of a source, found by the caller.
#[derive(Debug, Clone)]
pub struct SourceFiles {
    /// The source.
    pub source: SourceId,
    /// Its files in any order.
    pub files: Vec<InputFile>,
    /// Where they were looked for, for the message when there are none.
    pub looked_for: Vec<String>,
}

/// What a build is given beside the program.
#[derive(Debug, Clone)]
pub struct BuildInputs {
    /// The files of all sources that the data set, its labels or its decontamination read.
    pub sources: Vec<SourceFiles>,
    /// The files that records are held against.
    pub evaluated: Vec<EvaluatedFiles>,
    /// The number of worker threads.
    pub jobs: NonZeroUsize,
    /// Where the passes run.
    pub site: Site,
    /// How files are cut.
    pub sizes: Sizes,
    /// How much is kept in memory between the passes, and where the rest goes.
    pub memory: MemoryLimit,
    /// Set from elsewhere to stop the build.
    pub cancel: Arc<AtomicBool>,
    /// Where what the first pass measures is kept; `None` keeps and uses nothing.
    pub stages: Option<Stages>,
}

impl BuildInputs {
    fn surveying<'s>(&'s self, scratch: &'s Scratch, progress: &'s mut dyn FnMut(u64)) -> Surveying<'s> {
        Surveying { sizes: self.sizes, scratch, cancel: &self.cancel, progress }
    }
}

/// What a build is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Hashing and cutting the files.
    Survey,
    /// The first pass.
    Decide,
    /// Reading texts again to compare them: near-duplicates, the two answers of a preference.
    Compare,
    /// The second pass.
    Write,
}

/// How far a stage has come, in bytes of the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The stage.
    pub stage: Stage,
    /// Bytes done.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
}

/// A data set whose files are hashed and cut: enough to know whether anything changed.
pub struct Surveyed {
    survey: Survey,
    /// For sources that are not the data set's: in which labels find their values, or that records are held against.
    pub(super) elsewhere: BTreeMap<SourceId, Survey>,
    /// The files that records are held against.
    pub(super) evaluated: Vec<Hashed>,
}

/// A data set that was built.
#[derive(Debug)]
pub struct Built {
    /// What was found.
    pub outcome: Outcome,
    /// The files, complete and not yet published; `None` when a rule was not met.
    pub finished: Option<Finished>,
    /// How much of the first pass was kept from earlier builds; `None` where nothing is kept.
    pub reuse: Option<Reuse>,
}

/// Where the outputs go.
#[derive(Debug, Clone)]
pub struct Destination {
    /// The folder under which the data set's folder stands.
    pub out: PathBuf,
    /// The tables that training and evaluation read.
    pub training: Vec<TrainingTable>,
}

impl Surveyed {
    /// Reads all files of a data set once.
    ///
    /// # Errors
    /// [`EngineError::NoFiles`] for a source without a file, [`EngineError::Read`] for a file that cannot be read.
    pub fn of(
        program: &Program,
        dataset: DatasetId,
        inputs: &BuildInputs,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, EngineError> {
        let dataset = &program[dataset];
        let mut files = Vec::new();
        for &source in &dataset.sources {
            files.extend(files_of(program, source, inputs)?);
        }
        let total = files.iter().filter_map(|(.., file)| file.location.metadata().ok()).map(|file| file.len()).sum();
        let scratch = inputs.site.scratch(&inputs.memory.cache)?;
        let mut done = 0;
        let mut report = |bytes| {
            done += bytes;
            progress(Progress { stage: Stage::Survey, done, total });
        };
        let survey = Survey::of(files, &mut inputs.surveying(&scratch, &mut report))?;
        check_headers(program, &survey)?;
        let mut elsewhere = BTreeMap::new();
        let found = found_fields(program, dataset).into_iter().map(|field| field.source);
        for source in found.chain(foreign_sources(dataset)) {
            if !dataset.sources.contains(&source) && !elsewhere.contains_key(&source) {
                let files = files_of(program, source, inputs)?;
                let survey = Survey::of(files, &mut inputs.surveying(&scratch, &mut |_| {}))?;
                check_headers(program, &survey)?;
                elsewhere.insert(source, survey);
            }
        }
        let evaluated = hash_files(dataset, inputs, &inputs.cancel)?;
        Ok(Self { survey, elsewhere, evaluated })
    }

    /// The files of the data set's own sources.
    pub(super) fn survey(&self) -> &Survey {
        &self.survey
    }

    /// The sources with their files' hashes; the numbers of records are not known yet and stand as 0.
    pub fn sources(&self, program: &Program, dataset: DatasetId) -> Vec<SourceOutcome> {
        let dataset = &program[dataset];
        [sources(program, dataset, &self.survey, &[]), self.held_against(program, dataset)].concat()
    }

    /// What records are held against and which is no source of the data set.
    fn held_against(&self, program: &Program, dataset: &Dataset) -> Vec<SourceOutcome> {
        let of = |id: SourceId| {
            let survey = self.elsewhere.get(&id).expect("every source that records are held against is surveyed");
            SourceOutcome { used: SourceUse::Evaluated, ..source_outcome(program, id, survey, &[]) }
        };
        let fields = foreign_sources(dataset).into_iter().map(of);
        fields.chain(evaluated::outcomes(&self.evaluated)).collect()
    }
}

/// A CSV file without the column of a field that is never null, or with two of its name, would lose every row: it is refused
/// as a whole. The message does not say what the first row holds, since of a file without a header that is data.
fn check_headers(program: &Program, survey: &Survey) -> Result<(), EngineError> {
    for file in &survey.files {
        let source = &program[file.source];
        let named = matches!(source.format, SourceFormat::Csv | SourceFormat::Tsv) && source.options.dialect.header;
        if !named || file.header.is_empty() {
            continue;
        }
        for field in &source.fields {
            let column = field.column.join(".");
            let what = match file.header.iter().filter(|name| **name == column).count() {
                0 if !field.ty.nullable => format!("names no column `{column}`, which source `{}` reads", source.name),
                0 | 1 => continue,
                _ => format!("names column `{column}` twice, which source `{}` reads", source.name),
            };
            return Err(EngineError::Header { path: file.file.shown(), what });
        }
    }
    Ok(())
}

fn files_of<'p>(
    program: &'p Program,
    source: SourceId,
    inputs: &BuildInputs,
) -> Result<Vec<(SourceId, &'p Source, InputFile)>, EngineError> {
    let given = inputs.sources.iter().find(|files| files.source == source);
    let mut files = given.map(|given| given.files.clone()).unwrap_or_default();
    if files.is_empty() {
        let looked_for = given.map(|given| given.looked_for.clone()).unwrap_or_default();
        return Err(EngineError::NoFiles { source_name: program[source].name.clone(), looked_for });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    // Two patterns may reach one file; two addresses with the same content are two files.
    files.dedup_by(|a, b| a.location == b.location && (a.name == b.name || !a.is_remote()));
    Ok(files.into_iter().map(|file| (source, &program[source], file)).collect())
}

/// Further looks at the records of a build, between its passes.
pub(super) struct Again<'a, 'b> {
    pub(super) build: &'a mut Build<'b>,
    /// The data set whose steps are carried out: the build's own, or its first steps.
    pub(super) dataset: &'a Dataset,
    pub(super) tables: &'a LabelTables,
}

impl Reread for Again<'_, '_> {
    fn near(&mut self, compared: &Compared, reached: &Reached) -> Result<Clusters, EngineError> {
        self.build.near(self.dataset, compared, reached)
    }

    fn faults(
        &mut self,
        output: usize,
        reached: &Reached,
        each: &mut dyn FnMut(u64, &'static str) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        self.build.faults(self.tables, output, reached, each)
    }
}

/// Builds a data set from surveyed files. The outputs are staged, never published: see [`Finished::commit`].
///
/// # Errors
/// What the world did; rules that are not met stand in the outcome.
pub fn build_dataset(
    program: &Program,
    dataset: DatasetId,
    surveyed: &Surveyed,
    inputs: &BuildInputs,
    destination: &Destination,
    progress: &mut dyn FnMut(Progress),
) -> Result<Built, EngineError> {
    let mut build = Build::open(program, dataset, surveyed, inputs, progress)?;
    let decided = Arc::new(build.resolve(surveyed, inputs)?);
    let reuse = inputs.stages.is_some().then(|| std::mem::take(&mut build.reuse));
    let resolved = build.resolved(&decided);
    let mut outcome = resolved.outcome()?;
    outcome.sources.extend(surveyed.held_against(program, resolved.dataset));
    if !outcome.violations.is_empty() {
        return Ok(Built { outcome, finished: None, reuse });
    }
    let finished = build.write(&decided, &mut outcome, destination)?;
    Ok(Built { outcome, finished: Some(finished), reuse })
}

/// What was decided of every record, before anything is written.
#[derive(Debug)]
pub(super) struct Decided {
    pub(super) narrow: Arc<Narrow>,
    pub(super) tables: LabelTables,
    pub(super) fates: Fates,
    pub(super) parts: Parts,
    pub(super) certificate: Certificate,
    pub(super) copies: Copies,
    /// What was cut out of texts.
    pub(super) cuts: Vec<Arc<Cuts>>,
}

impl<'b> Build<'b> {
    /// Starts the workers over surveyed files.
    pub(super) fn open(
        program: &'b Program,
        dataset: DatasetId,
        surveyed: &'b Surveyed,
        inputs: &BuildInputs,
        progress: &'b mut dyn FnMut(Progress),
    ) -> Result<Self, EngineError> {
        let dataset = &program[dataset];
        let workers = Workers::start(inputs.jobs, &inputs.site, Arc::clone(&inputs.cancel))?;
        let source = |id: SourceId| &program[id];
        let cancel = Arc::clone(&inputs.cancel);
        let table = ChunkTable::new(surveyed.survey.clone(), &dataset.columns, source, cancel);
        let stages = inputs.stages.clone();
        let budget = Budget::new(&inputs.memory, Arc::clone(&inputs.cancel));
        let prepared = Prepared::default();
        Ok(Self {
            program,
            dataset,
            survey: &surveyed.survey,
            table,
            workers,
            budget,
            prepared,
            progress,
            stages,
            reuse: Reuse::default(),
        })
    }

    /// The first pass and all that follows from it.
    pub(super) fn resolve(&mut self, surveyed: &Surveyed, inputs: &BuildInputs) -> Result<Decided, EngineError> {
        let (program, dataset, survey) = (self.program, self.dataset, self.survey);
        self.read_evaluated(surveyed, &inputs.cancel)?;
        let measures = self.measures();
        self.find_cuts()?;
        let (narrow, table) = self.decide(dataset, measures.as_ref())?;
        self.reuse.add(table.map(|table| table.reuse()).unwrap_or_default());
        let narrow = Arc::new(narrow);
        let tables = self.label_tables(&narrow, &surveyed.elsewhere, &inputs.cancel)?;
        let keyed = |file: usize| source_is_keyed(program, survey.files[file].source);
        let source = |file: usize| survey.files[file].source;
        let mut again = Again { build: self, dataset, tables: &tables };
        let mut fates = resolve(&narrow, dataset, &tables, keyed, &source, &mut again)?;
        let (parts, certificate) = assign(&narrow, dataset, &mut fates, &source, &mut again)?;
        for step in &mut fates.steps {
            if let StepOutcomeKind::Step(at) = step.kind
                && let Some(cuts) = self.prepared.cuts.get(&at)
            {
                let (places, bytes) = cuts.extent();
                step.cut = Some(CutOutcome { places, bytes });
            }
        }
        let copies = Copies::of(dataset, survey);
        let cuts = self.prepared.cuts.values().cloned().collect();
        Ok(Decided { narrow, tables, fates, parts, certificate, copies, cuts })
    }

    /// A view of what was decided.
    pub(super) fn resolved<'r>(&self, decided: &'r Decided) -> Resolved<'r>
    where
        'b: 'r,
    {
        Resolved { program: self.program, dataset: self.dataset, survey: self.survey, decided }
    }
}
