//! Records that share a row are learnt as they are alone.

use std::path::{Path, PathBuf};

use super::batch::Feeds;
use super::decoder_tests::answers;
use super::draw::Draw;
use super::model::{Model, TrainingPlan};
use super::objective::Objective;
use super::pack::{distance, rows};
use super::tests::{largest_difference, runtime, shared, train_quietly, weights};
use super::*;
use crate::autodiff::Operators;
use crate::autodiff::loss::Softening;
use crate::onnx::encode;
use crate::runtime::BoundSession;

/// Two gradients of the same loss, in batches of different shapes, differ by the order of additions in floats of 32 bits.
const ROUNDING: f64 = 2e-5;

#[test]
fn rows_hold_every_record_once_and_are_no_wider_than_the_longest() {
    let check = |lengths: &[usize], expected: &[&[usize]]| assert_eq!(rows(lengths), expected, "{lengths:?}");
    check(&[3, 9, 4, 2, 5], &[&[1], &[4, 2], &[0, 3]]);
    check(&[5, 5, 5], &[&[0], &[1], &[2]]);
    check(&[], &[]);
    check(&[10, 1, 1, 1], &[&[0], &[1, 2, 3]]);
}

/// A record of some tokens, of which all behind the first `prompt` are learnt.
fn example(id: &str, tokens: &[u32], prompt: usize) -> Example {
    let learnt = (0..tokens.len()).map(|at| at >= prompt.max(1)).collect();
    Example { id: id.to_owned(), tokens: tokens.to_vec(), target: Target::Tokens(learnt) }
}

/// A model whose training graph keeps records apart.
struct Packed {
    plan: TrainingPlan,
    session: BoundSession,
    feeds: Feeds,
}

impl Packed {
    fn open(folder: &Path, runtime: &Runtime) -> Result<Self, TrainError> {
        let model = Model::decoder(folder, Objective::NextToken)?;
        let plan = model.plan(&Tune::All, &Softening::default(), 0, true, Operators::Ours)?;
        let parameters = model.parameters(&plan);
        let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let feeds = Feeds::of(&plan.training.graph, &names, 0, folder)?;
        let loss = plan.training.loss.clone();
        let session = BoundSession::new(runtime, &encode(&plan.training.graph), 1, parameters, &[loss.as_str()])?;
        Ok(Self { plan, session, feeds })
    }

    /// Loss and gradients of rows.
    fn run(&mut self, rows: &[Vec<&Example>]) -> (f32, Vec<Vec<f32>>) {
        let inputs = self.feeds.rows(rows, 10.0, Draw::default());
        let outputs = self.session.run(&inputs, &mut |_, _, _| {}).expect("it runs");
        let loss = outputs[0].f32().expect("a float")[0];
        assert_eq!(self.plan.training.trainables.len(), self.session.parameters().count());
        let gradients = self.session.parameters().filter_map(|(_, gradient)| Some(gradient?.to_vec()));
        (loss, gradients.collect())
    }
}

fn check_model(folder: &Path, runtime: &Runtime) {
    let mut packed = Packed::open(folder, runtime).expect("it can be packed");
    let (first, second, third) = (
        example("a", &[11, 25, 31, 44, 52, 63, 71], 3),
        example("b", &[90, 14, 77, 61], 1),
        example("c", &[33, 35, 101, 120, 6], 2),
    );
    let (loss, gradient) = packed.run(&[vec![&first], vec![&second], vec![&third]]);
    for rows in [vec![vec![&first], vec![&third, &second]], vec![vec![&second, &first, &third]]] {
        let (shared_loss, shared_gradient) = packed.run(&rows);
        assert!((loss - shared_loss).abs() <= loss * ROUNDING as f32, "{}: {loss} {shared_loss}", folder.display());
        let difference = distance(&gradient, &shared_gradient);
        assert!(difference <= ROUNDING, "{}: {difference}", folder.display());
    }
    // With no target in the first record, the gradient is the second's alone, whatever the first one says.
    let silent = |tokens: &[u32]| example("s", tokens, usize::MAX);
    let (one, other) = (silent(&[11, 25, 31, 44, 52]), silent(&[7, 8, 99, 120, 3]));
    let gradient_beside = |packed: &mut Packed, neighbour: &Example| packed.run(&[vec![neighbour, &third]]).1;
    let (beside_one, beside_other) = (gradient_beside(&mut packed, &one), gradient_beside(&mut packed, &other));
    assert_eq!(beside_one, beside_other, "{}: a neighbour is seen", folder.display());
    // As one record of both their tokens they do see each other.
    let joined = |first: &Example| {
        let tokens = [first.tokens.as_slice(), &third.tokens].concat();
        example("j", &tokens, first.tokens.len() + 2)
    };
    let (of_one, of_other) = (packed.run(&[vec![&joined(&one)]]).1, packed.run(&[vec![&joined(&other)]]).1);
    assert!(distance(&of_one, &of_other) > 1e-3, "{}: the test could not fail", folder.display());
}

#[test]
fn records_that_share_a_row_never_see_each_other() {
    let Some(runtime) = runtime() else { return };
    for model in ["llama-chat", "gpt2"] {
        let Some(folder) = shared(&format!("models/{model}")) else { return };
        check_model(&folder, &runtime);
    }
}

/// The decoders among the exports of `benches/peers/make_exports.py`, in the folder that `ANNOTC_EXPORTS` names.
#[test]
fn every_exported_decoder_packs_or_says_why_not() {
    let Some(exports) = std::env::var_os("ANNOTC_EXPORTS") else { return };
    let Some(runtime) = runtime() else { return };
    let models = ["gpt2", "llama", "qwen2", "gemma", "phi3"];
    for (model, kind) in
        models.iter().flat_map(|model| ["optimum", "fresh", "dynamo", "dynamo23"].map(|kind| (model, kind)))
    {
        let folder = PathBuf::from(&exports).join(format!("{model}-{kind}"));
        if *model == "gpt2" && kind.starts_with("dynamo") {
            let message = Packed::open(&folder, &runtime).err().expect("its positions are its own").to_string();
            assert!(message.contains("`position_ids`") && message.contains("optimum-cli"), "{message}");
        } else {
            check_model(&folder, &runtime);
        }
    }
}

/// With gradient descent, which no division blows up, a packed run has the weights of one that is not, but for the order of
/// additions; and the same records and tokens in each step.
#[test]
fn a_packed_run_is_one_that_is_not() {
    let (Some(runtime), Some(model)) = (runtime(), shared("models/llama-chat")) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = answers(folder.path(), model, 12, 4);
    (settings.batch, settings.accumulate) = (4, 2);
    let trained = |pack| {
        let mut settings = settings.clone();
        settings.pack = pack;
        let mut notes = Vec::new();
        let (trained, losses) = train_quietly(&settings, &runtime).expect("trained");
        train(&settings, &runtime, &mut |event| match event {
            Event::Prepared(prepared) => {
                notes = prepared.notes;
                std::ops::ControlFlow::Break(())
            }
            _ => std::ops::ControlFlow::Continue(()),
        })
        .expect_err("it was stopped");
        let custody = Custody::open(&settings.output).expect("every link holds");
        let uses: Vec<RecordUses> = (0..12).flat_map(|n| custody.uses(&format!("{n:032x}"))).collect();
        assert_eq!(uses.len(), 12);
        let beside: usize = uses.iter().flat_map(|record| &record.uses).map(|one| one.beside.len()).sum();
        assert_eq!(beside > 0, pack, "only packed records have neighbours");
        for record in &uses {
            for one in &record.uses {
                let others = one.beside.iter().flat_map(|id| custody.uses(id));
                let together = |other: &RecordUse| {
                    (other.step, other.micro_batch, other.row) == (one.step, one.micro_batch, one.row)
                };
                let of_each: Vec<RecordUses> = others.collect();
                assert!(of_each.iter().all(|other| other.uses.iter().filter(|use_| together(use_)).count() == 1));
                let tokens: u32 = record.tokens + of_each.iter().map(|other| other.tokens).sum::<u32>();
                assert!(tokens <= uses.iter().map(|record| record.tokens).max().expect("records"), "a row is too wide");
            }
        }
        let order = read_json(&settings.output.join("provenance.json")).expect("JSON")["data"]["order"].clone();
        (trained.steps, losses, order, weights(&settings.output), notes)
    };
    let (steps, losses, order, plain, notes) = trained(false);
    let (packed_steps, packed_losses, packed_order, packed, packed_notes) = trained(true);
    assert_eq!((steps, &order, notes.len()), (packed_steps, &packed_order, 0));
    assert!(packed_notes[0].starts_with("packing fills"), "{packed_notes:?}");
    for (plain, packed) in losses.iter().zip(&packed_losses) {
        assert!((plain - packed).abs() < 1e-5 * plain, "{plain} {packed}");
    }
    let difference = largest_difference(&plain, &packed);
    assert!(difference < 1e-5, "{difference}");
}
