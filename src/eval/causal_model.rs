//! A causal language model that measures texts: how likely it holds each token to be, given those before it.
//!
//! ```text
//! surprisal(t) = −log P(token t | tokens before t)        perplexity = exp(mean of the surprisals)
//! ```
//!
//! One text is a run of its own, on one thread: what a batch is made of, and how many threads work, changes no figure.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::metrics::perplexity;
use crate::onnx::surgery::{Family, family};
use crate::onnx::{self, Graph, LoadError};
use crate::runtime::{Runtime, RuntimeError, Session};
use crate::train::batch::Feeds;
use crate::train::{Example, LOGITS, Target, Tokenizer, TrainError, positions, read_json};

/// The most tokens that a model is shown at once. A model that takes more is not given more: its logits and its attention
/// would grow beyond what fits beside a build.
pub const LONGEST_WINDOW: usize = 1024;

/// A folder with a causal language model, as Optimum exports it for text generation, with past or without.
pub struct CausalModel {
    folder: PathBuf,
    runtime: Runtime,
    tokenizer: Tokenizer,
    /// How many tokens the tokenizer puts around a text.
    frame: usize,
    feeds: Feeds,
    window: usize,
    /// Sessions that nobody works with. The runtime's bindings let a session run one text at a time, because parts of the
    /// runtime are not safe to share: each worker takes one, and makes one where none is left.
    idle: Mutex<Vec<Session>>,
}

/// Why a model measures no text. No message holds a text.
#[derive(Debug, thiserror::Error)]
pub enum CausalModelError {
    /// The configuration or the tokenizer is missing or broken.
    #[error(transparent)]
    Files(#[from] TrainError),
    /// The graph cannot be read.
    #[error("the model in `{}` cannot be read: {error}", folder.display())]
    Load {
        /// The model's folder.
        folder: PathBuf,
        /// Why.
        error: LoadError,
    },
    /// The runtime library failed.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The graph is not that of a causal language model, or is one that texts do not fit.
    #[error("the model in `{}` is no causal language model that texts can be measured with: {reason}", folder.display())]
    Unfit {
        /// The model's folder.
        folder: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The model's answer has no meaning.
    #[error("the model in `{}` gives a token no probability that is a number", folder.display())]
    NoNumber {
        /// The model's folder.
        folder: PathBuf,
    },
}

impl CausalModelError {
    /// How to mend it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Files(_) => {
                "a model that measures texts is a folder with `model.onnx`, `tokenizer.json` and `config.json`"
            }
            Self::Load { .. } | Self::Unfit { .. } => {
                "export one with `optimum-cli export onnx --task text-generation-with-past --model … FOLDER`"
            }
            Self::Runtime(_) => "`annotc doctor` says what is missing on this machine",
            Self::NoNumber { .. } => "its weights may be damaged, or of too few bits: export it with `--dtype fp32`",
        }
    }
}

/// Tokens that are shown to a model at once, and which of them are measured: places in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Window {
    shown: Range<usize>,
    measured: Range<usize>,
}

impl CausalModel {
    /// Opens a folder and tries that no token is judged by those behind it.
    ///
    /// # Errors
    /// A missing or broken file, a model that is not causal or reads what texts do not have, a failure of the runtime.
    pub fn open(runtime: &Runtime, folder: &Path) -> Result<Self, CausalModelError> {
        let unfit = |reason: String| CausalModelError::Unfit { folder: folder.to_path_buf(), reason };
        let tokenizer = Tokenizer::load(folder)?;
        let config = read_json(&folder.join("config.json"))?;
        let graph =
            onnx::load(folder).map_err(|error| CausalModelError::Load { folder: folder.to_path_buf(), error })?;
        let vocabulary = vocabulary(&graph, &config).map_err(unfit)?;
        let known = tokenizer.vocabulary_size();
        // With holes in the vocabulary the numbers go beyond how many there are.
        let needed = tokenizer.greatest_id().map_or(0, |greatest| greatest as usize + 1);
        if known == 0 || needed > vocabulary {
            return Err(unfit(format!(
                "its tokenizer has {needed} numbers for tokens, and its `logits` are of {vocabulary}"
            )));
        }
        let feeds = Feeds::of(&graph, &[], tokenizer.pad_id(), folder).map_err(|error| match error {
            TrainError::Graph { message, .. } => unfit(message),
            other => other.into(),
        })?;
        let limits = [positions(&config), tokenizer.model_max_length(), Some(LONGEST_WINDOW)];
        let window = limits.into_iter().flatten().min().unwrap_or(LONGEST_WINDOW);
        if window < 2 {
            return Err(unfit(format!("it takes {window} token at a time, and a token needs one before it")));
        }
        let runtime = runtime.clone();
        let idle = Mutex::default();
        let frame = tokenizer.encode("", true).map_or(0, |tokens| tokens.ids.len());
        let model = Self { folder: folder.to_path_buf(), runtime, tokenizer, frame, feeds, window, idle };
        model.try_out(known)?;
        Ok(model)
    }

    /// The perplexity of a text, framed as the tokenizer's post-processor does, in one window or several that overlap by
    /// half. `None` for a text without a token of its own, for fewer than two tokens, and for a text that the tokenizer
    /// cannot read.
    ///
    /// # Errors
    /// A failure of the runtime, or a model that gives a token no probability.
    pub fn perplexity(&self, text: &str) -> Result<Option<f64>, CausalModelError> {
        let Ok(tokens) = self.tokenizer.encode(text, true) else { return Ok(None) };
        if tokens.ids.len() == self.frame || tokens.ids.len() < 2 {
            return Ok(None);
        }
        let surprisals = self.surprisals(&tokens.ids)?;
        Ok(Some(perplexity(surprisals.iter().sum(), surprisals.len() as u64)))
    }

    /// The surprisal of each token but the first, in nats.
    fn surprisals(&self, tokens: &[u32]) -> Result<Vec<f64>, CausalModelError> {
        let mut surprisals = Vec::with_capacity(tokens.len().saturating_sub(1));
        for Window { shown, measured } in windows(tokens.len(), self.window) {
            let judged = self.logits(&tokens[shown.clone()], |logits, width| {
                let judge = |place: usize| {
                    let before = place - 1 - shown.start;
                    surprisal(&logits[before * width..][..width], tokens[place])
                };
                measured.map(judge).collect::<Option<Vec<f64>>>()
            })?;
            surprisals.extend(judged.ok_or_else(|| CausalModelError::NoNumber { folder: self.folder.clone() })?);
        }
        Ok(surprisals)
    }

    /// Runs the model over tokens and gives `read` its logits, row by row, with the length of a row.
    fn logits<T>(&self, tokens: &[u32], read: impl FnOnce(&[f32], usize) -> T) -> Result<T, CausalModelError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = idle().pop();
        let mut session = match waiting {
            Some(session) => session,
            None => Session::from_file(&self.runtime, &self.folder.join("model.onnx"), 1)?,
        };
        let target = Target::Tokens(vec![false; tokens.len()]);
        let example = Example { id: String::new(), tokens: tokens.to_vec(), target };
        let inputs = self.feeds.batch(&[&example], 1.0);
        let read = session.run_reading(&inputs, LOGITS, |shape, logits| match shape {
            [1, rows, width] if *rows == tokens.len() && *width > 0 => Ok(read(logits, *width)),
            _ => Err(format!("its `logits` have the shape {shape:?} for {} tokens", tokens.len())),
        })?;
        idle().push(session);
        read.map_err(|reason| CausalModelError::Unfit { folder: self.folder.clone(), reason })
    }

    /// Shows the model two runs of tokens that differ in the last one alone: in a causal model nothing before it differs,
    /// to the last bit, because what is behind a token has the weight 0. The last ones are far from the first numbers, which
    /// special tokens have that a model may know nothing of.
    fn try_out(&self, known: usize) -> Result<(), CausalModelError> {
        let length = self.window.min(4);
        let before = |last: usize| -> Result<Vec<f32>, CausalModelError> {
            let tokens = (0..length - 1).map(|token| token % known).chain([last]);
            let tokens: Vec<u32> =
                tokens.map(|token| u32::try_from(token).expect("tokenizers number in 32 bits")).collect();
            self.logits(&tokens, |logits, width| logits[..(length - 1) * width].to_vec())
        };
        let (one, other) = (before(known - 1)?, before(known / 2)?);
        if one.iter().any(|logit| logit.is_nan()) {
            return Err(CausalModelError::NoNumber { folder: self.folder.clone() });
        }
        if one != other {
            let reason = "what it says of a token depends on the tokens behind it".to_owned();
            return Err(CausalModelError::Unfit { folder: self.folder.clone(), reason });
        }
        Ok(())
    }
}

/// How many tokens the logits are of, or why the graph is not that of a causal language model.
fn vocabulary(graph: &Graph, config: &serde_json::Value) -> Result<usize, String> {
    match family(graph, config) {
        Ok(Family::Decoder { vocabulary, .. }) => Ok(vocabulary),
        Ok(Family::Features { output, .. }) => Err(format!("it gives `{output}` and no `logits`")),
        Ok(Family::Sequence { .. }) => Err("it gives one row of `logits` for a whole text".to_owned()),
        Ok(Family::Tokens { .. }) => {
            Err("it reads no past, and no architecture in its `config.json` is one that continues texts".to_owned())
        }
        Err(_) => {
            let names: Vec<String> = graph.outputs.iter().map(|output| format!("`{}`", output.name)).collect();
            Err(format!("it gives {}, of which none are `logits` of a fixed number of tokens", names.join(", ")))
        }
    }
}

/// What is shown at once of a text of `length` tokens: windows that begin half a window apart. Each measures what the one before
/// did not reach, so that every token is measured once, and each but those of the first window after half a window at least.
fn windows(length: usize, window: usize) -> Vec<Window> {
    let mut windows = Vec::new();
    let (mut from, mut measured) = (0, 1);
    while measured < length {
        let to = length.min(from + window);
        windows.push(Window { shown: from..to, measured: measured..to });
        measured = to;
        from += window / 2;
    }
    windows
}

/// log Σ exp(x) − x[token], shifted by the maximum so that no exponential overflows; `None` where that is no number.
fn surprisal(logits: &[f32], token: u32) -> Option<f64> {
    let peak = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = logits.iter().map(|logit| (f64::from(*logit) - peak).exp()).sum();
    let surprisal = peak + sum.ln() - f64::from(*logits.get(token as usize)?);
    surprisal.is_finite().then_some(surprisal)
}

#[cfg(test)]
pub(crate) mod tests;
