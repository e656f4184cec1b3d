//! A record read again from its source, where spec and file are still those that were built from.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::cli::build::inputs::Roots;
use crate::cli::context::{self, Spec};
use crate::cli::plan::{State, state};
use crate::cli::runtime::cache_folder;
use crate::cli::terminal::Terminal;
use crate::cli::{Failure, build};
use crate::diagnostics::Severity;
use crate::emit::trace::Life;
use crate::engine::replay::{Asked, Extent, NotReplayed, Replayed, extent, replay};
use crate::hir::{Dataset, DatasetId, SourceId};
use crate::plan::normal::declaration;

/// What records are read again with.
pub struct Reread<'t> {
    spec: Spec,
    roots: Roots,
    cache: PathBuf,
    terminal: &'t Terminal,
}

/// What each step made of a record, or why that is not known.
pub type Again = Result<Replayed, String>;

impl<'t> Reread<'t> {
    /// A spec whose mistakes keep nobody from looking at what was built.
    pub fn open(
        path: &Path,
        data: Option<PathBuf>,
        cache: Option<&Path>,
        terminal: &'t Terminal,
    ) -> Result<Self, Failure> {
        let spec = context::load(path, terminal)?;
        let roots = Roots { spec: spec.folder(), data };
        Ok(Self { spec, roots, cache: cache_folder(cache), terminal })
    }

    /// The steps of one record.
    pub fn life(&self, life: &Life) -> Again {
        let program = &self.spec.program;
        if self.spec.findings.iter().any(|finding| finding.severity() == Severity::Error) {
            return Err("the spec has mistakes: `annotc check` names them".to_owned());
        }
        let named = program.datasets.iter().position(|dataset| dataset.name == life.dataset);
        let Some(at) = named else { return Err("the spec has no such data set any more".to_owned()) };
        let dataset = &program.datasets[at];
        let out = life.folder.parent().unwrap_or(Path::new("."));
        if state(program, dataset, out) != State::Same {
            return Err("the spec is not the one that it was built by: build again".to_owned());
        }
        let source = dataset.sources.iter().find(|id| program[**id].name == life.source);
        let location = source.and_then(|&id| self.location(id, &life.file));
        let (Some(&source), Some(location)) = (source, location) else {
            return Err(format!("`{}` is not there any more", life.file));
        };
        let (passed, taken_out) = reached(dataset, life);
        let file = (life.file.as_str(), location.as_path());
        let scratch = self.cache.join("scratch");
        let asked = Asked { source, file, scratch: &scratch, blake3: &life.blake3, line: life.line, passed, taken_out };
        match replay(program, DatasetId(at as u32), asked) {
            Ok(Ok(replayed)) => Ok(replayed),
            Ok(Err(NotReplayed::Changed)) => Err(format!("`{}` has changed since: build again", life.file)),
            Ok(Err(NotReplayed::Unreadable)) => Ok(Replayed::default()),
            Err(error) => {
                self.terminal.note(&error);
                Err("it could not be read again".to_owned())
            }
        }
    }

    /// How long the file of a record is, where it is at hand.
    pub fn extent(&self, life: &Life) -> Option<Extent> {
        let program = &self.spec.program;
        let source = program.sources.iter().position(|source| source.name == life.source)?;
        let source = SourceId(source as u32);
        let location = self.location(source, &life.file)?;
        extent(program, source, (&life.file, &location), &self.cache.join("scratch")).ok()
    }

    /// Says on which lines the rules stand, as long as the spec says what it said. No output has them: a comment above a rule
    /// would change it.
    pub fn place(&self, life: &mut Life) {
        let program = &self.spec.program;
        let Some(dataset) = program.datasets.iter().find(|dataset| dataset.name == life.dataset) else { return };
        if declaration(program, dataset) == life.spec {
            // Reading stands before the steps.
            life.place(&|at| Some(dataset.steps.get(at.checked_sub(1)?)?.line));
        }
    }

    /// Where a file of a source lies.
    fn location(&self, source: SourceId, name: &str) -> Option<PathBuf> {
        // Of a remote file the copy is looked at that the build has left in the cache.
        let cancel = Arc::new(AtomicBool::new(false));
        let remote = build::remote(&self.spec.path, Some(&self.cache), true, &cancel, self.terminal);
        let found = self.roots.files(&self.spec.program[source], &remote).ok()?;
        found.files.into_iter().find(|file| file.name == name).map(|file| file.location)
    }
}

/// How many steps of the data set a record passed, and whether the next one took it out: reading stands before the steps, the
/// split behind them.
fn reached(dataset: &Dataset, life: &Life) -> (usize, bool) {
    let met = life.steps.len().saturating_sub(1);
    let taken_out = life.steps.last().is_some_and(|step| step.result != "passed");
    if taken_out && met == 0 {
        return (0, false);
    }
    let passed = if taken_out { met - 1 } else { met };
    (passed.min(dataset.steps.len()), taken_out && passed < dataset.steps.len())
}
