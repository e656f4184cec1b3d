//! `annotc cache explain`: what of a build is there already, and why the rest is not.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;
use serde_json::{Value, json};

use super::show::short;
use super::units;
use crate::cli::build::dataset::{self, Bar};
use crate::cli::build::inputs::Roots;
use crate::cli::build::outputs::mirror;
use crate::cli::build::reuse::word;
use crate::cli::build::targets::Targets;
use crate::cli::build::{jobs, remote, stages};
use crate::cli::check::counted;
use crate::cli::context::Spec;
use crate::cli::models::{self, Purpose};
use crate::cli::out::Out;
use crate::cli::runtime::cache_folder;
use crate::cli::terminal::{Paint, Terminal};
use crate::cli::{Failure, Places};
use crate::emit::{self, Manifest, file_name, verify_outputs, why_made_again};
use crate::engine::stage::{CutsFrom, Explained, Stages};
use crate::engine::{CutsExplained, DatasetExplained, MemoryLimit, SourceOutcome, Surveyed, explain_dataset};
use crate::hir::{Dataset, DatasetId, Program};
use crate::plan::normal;

/// Options of `annotc cache explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The specification
    #[arg(value_name = "SPEC")]
    spec: PathBuf,
    /// Data sets, and training runs whose data sets are meant [default: all]
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    places: Places,
    /// Never download a file that is not in the cache
    #[arg(long)]
    offline: bool,
}

/// What a build would make of one stage.
struct Stage {
    name: &'static str,
    /// Whether what is there is used as a whole; `None` for what is never kept.
    reused: Option<bool>,
    about: String,
    reasons: Vec<String>,
    more: Value,
}

/// Looks at all stages of the chosen data sets.
pub(super) fn run(args: &ExplainArgs, cache: Option<&Path>, terminal: &Terminal) -> Result<(), Failure> {
    let (mut spec, targets) = Targets::load(&args.spec, &args.targets, terminal)?;
    let roots = Roots { spec: spec.folder(), data: args.places.data_root.clone() };
    let runtime = models::library_at_hand(&mut spec.program, &targets.datasets, cache);
    models::provide(&mut spec.program, &targets.datasets, &roots, Purpose::Tell(runtime.as_ref()))
        .map_err(|missing| models::fail(terminal, &missing))?;
    let kept = stages(&spec.path, cache);
    let cache = cache_folder(cache);
    for &id in &targets.datasets {
        let stages = look(args, &spec, id, (&kept, &cache), terminal)?;
        tell(&spec.program[id].name, &stages, terminal);
    }
    Ok(())
}

fn look(
    args: &ExplainArgs,
    spec: &Spec,
    id: DatasetId,
    (kept, cache): (&Stages, &Path),
    terminal: &Terminal,
) -> Result<Vec<Stage>, Failure> {
    let program: &Program = &spec.program;
    let roots = Roots { spec: spec.folder(), data: args.places.data_root.clone() };
    let cancel = Arc::new(AtomicBool::new(false));
    let remote = remote(&spec.path, Some(cache), args.offline, &cancel, terminal);
    let sources = dataset::find_inputs(program, id, &roots, &remote, terminal)?;
    // As much is decided as a build would without reading records.
    let memory = MemoryLimit { bytes: MemoryLimit::DEFAULT, cache: cache.to_path_buf() };
    let evaluated = dataset::find_evaluated(program, id, &roots, terminal)?;
    let inputs = dataset::inputs(sources, evaluated, jobs(None), memory, &cancel);
    let bar = Bar::new(terminal, "Looking", &program[id].name);
    let surveyed = Surveyed::of(program, id, &inputs, &mut |progress| bar.show(progress))
        .map_err(|error| dataset::fail(terminal, &error))?;
    let explained = explain_dataset(kept, program, id, &surveyed, &inputs, &mut |progress| bar.show(progress))
        .map_err(|error| dataset::fail(terminal, &error))?;
    drop(bar);
    let files = surveyed.sources(program, id);
    // What goes to a store is built in the cache, and published from there.
    let out = match &args.places.out {
        Some(Out::Folder(folder)) => folder.clone(),
        Some(Out::Store(address)) => mirror(cache, address),
        None => spec.out(),
    };
    let mut stages = vec![survey(&files)];
    explained.cuts.iter().for_each(|cuts| stages.extend([before(cuts), cut(cuts)]));
    stages.extend([first_pass(&explained), verdicts(explained.conditions)]);
    stages.push(outputs(&out, program, &program[id], &files));
    Ok(stages)
}

fn survey(files: &[SourceOutcome]) -> Stage {
    let files: Vec<_> = files.iter().flat_map(|source| &source.files).collect();
    let bytes = files.iter().map(|file| file.bytes).sum();
    Stage {
        name: "survey",
        reused: None,
        about: format!("always done: {}, {}, hashed and cut", counted(files.len(), "file"), units::size(bytes)),
        reasons: Vec::new(),
        more: json!({ "files": files.len(), "bytes": bytes }),
    }
}

/// What the steps before one that cuts measure.
fn before(found: &CutsExplained) -> Stage {
    let mut stage = measures(&found.before);
    stage.about = format!("before `{}`: {}", found.rule, stage.about);
    stage.more["before"] = json!(found.rule);
    stage
}

/// What a step cuts.
fn cut(found: &CutsExplained) -> Stage {
    let (rule, mut more, mut reasons) = (&found.rule, json!({ "rule": found.rule }), Vec::new());
    let (reused, about) = match &found.cut {
        None => (false, "not known before it is known which records reach it"),
        Some((cut, from)) => {
            (more["key"], more["from"]) = (json!(cut.key), json!(word(*from)));
            match from {
                CutsFrom::Cache => (true, "from the cache"),
                CutsFrom::Measures => {
                    reasons.clone_from(&cut.reasons);
                    (true, "decided again over the measures")
                }
                CutsFrom::Texts => {
                    reasons.clone_from(&cut.reasons);
                    (false, "the texts of the records that reach it are read again")
                }
            }
        }
    };
    Stage { name: "cuts", reused: Some(reused), about: format!("of `{rule}`: {about}"), reasons, more }
}

fn first_pass(explained: &DatasetExplained) -> Stage {
    match &explained.first_pass {
        Some(found) => measures(found),
        None => Stage {
            name: "measures",
            reused: Some(false),
            about: "not known before it is known what is cut out of each chunk".to_string(),
            reasons: Vec::new(),
            more: json!({}),
        },
    }
}

fn measures(found: &Explained) -> Stage {
    let Explained { key, chunks, reused, nearest, reasons } = found;
    let mut about = format!("{reused} of {} from the cache (stage {})", counted(*chunks, "chunk"), short(key));
    if let Some(nearest) = nearest {
        about.push_str(&format!("; compared with stage {}", short(nearest)));
    }
    let more = json!({ "key": key, "chunks": chunks, "chunks_reused": reused, "nearest": nearest });
    let all = reused == chunks && reasons.is_empty();
    Stage { name: "measures", reused: Some(all), about, reasons: reasons.clone(), more }
}

fn verdicts(conditions: usize) -> Stage {
    Stage {
        name: "verdicts",
        reused: None,
        about: format!("always decided: {} over the measures", counted(conditions, "condition")),
        reasons: Vec::new(),
        more: json!({ "conditions": conditions }),
    }
}

fn outputs(out: &Path, program: &Program, dataset: &Dataset, files: &[SourceOutcome]) -> Stage {
    let folder = out.join(file_name(&dataset.name));
    let fingerprint = emit::fingerprint(program, dataset, files);
    let reasons = match Manifest::read(&folder).ok().flatten() {
        None => vec![format!("{} holds no data set that this version made", folder.display())],
        Some(manifest) if manifest.fingerprint != fingerprint => {
            let mut reasons = why_made_again(&manifest, &normal::parts(program, dataset), files);
            if reasons.is_empty() {
                reasons.push("something that it depends on changed".to_string());
            }
            reasons
        }
        Some(manifest) if !verify_outputs(&folder, &manifest) => {
            vec![format!("a file in {} was changed or removed", folder.display())]
        }
        Some(_) => Vec::new(),
    };
    let reused = reasons.is_empty();
    let about = if reused { format!("unchanged in {}", folder.display()) } else { "made again".to_string() };
    Stage { name: "outputs", reused: Some(reused), about, reasons, more: json!({ "folder": folder }) }
}

fn tell(dataset: &str, stages: &[Stage], terminal: &Terminal) {
    if terminal.json() {
        let stages: Vec<Value> = stages.iter().map(to_json).collect();
        terminal.answer(json!({ "dataset": dataset, "stages": stages }));
        return;
    }
    terminal.answer(terminal.paint_answer(Paint::Bold, dataset));
    for Stage { name, reused, about, reasons, more: _ } in stages {
        let mark = match reused {
            Some(true) => terminal.paint_answer(Paint::Green, "✓"),
            Some(false) => terminal.paint_answer(Paint::Yellow, "✗"),
            None => "·".to_string(),
        };
        terminal.answer(format_args!("  {mark} {name:<8}  {about}"));
        reasons.iter().for_each(|reason| terminal.answer(format_args!("              {reason}")));
    }
}

fn to_json(stage: &Stage) -> Value {
    let Stage { name, reused, about: _, reasons, more } = stage;
    let mut answer = json!({ "stage": name, "reused": reused, "reasons": reasons });
    if let (Some(answer), Some(more)) = (answer.as_object_mut(), more.as_object()) {
        answer.extend(more.clone());
    }
    answer
}
