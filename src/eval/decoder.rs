//! Generating texts with a decoder's folder, token by token.
//!
//! A graph that was exported with past is given the keys and values of all tokens before, as it returned them, so that
//! each step reads one token; one without past reads the whole text again at each step. Both give the same tokens.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::sampling::{Sampling, next_token};
use crate::onnx::surgery::{PastInput, past_inputs};
use crate::onnx::{self};
use crate::runtime::{Element, InputTensor, OutputTensor, OutputValues, Port, Runtime, Session};
use crate::train::{LOGITS, Tokenizer, TrainError, end_tokens, positions, read_json};

/// How texts are generated.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerationSettings {
    /// How tokens are drawn; without it each is the most probable one.
    pub sampling: Option<Sampling>,
    /// The most tokens of a text.
    pub tokens: usize,
    /// Texts that end a generated text, which is cut before the first of them.
    pub stop: Vec<String>,
}

/// What ended a generated text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The model generated a token that ends a turn or a text.
    EndToken,
    /// One of the texts that stop.
    StopText,
    /// The most tokens, or the model's last position.
    Length,
}

/// A generated text.
#[derive(Debug, Clone, PartialEq)]
pub struct GeneratedText {
    /// Its tokens, without the one that ended it.
    pub tokens: Vec<u32>,
    /// Its text, special tokens left out.
    pub text: String,
    /// What ended it.
    pub ending: Ending,
}

/// A decoder that is ready to generate.
pub struct Decoder {
    folder: PathBuf,
    session: Session,
    reads: Reads,
    tokenizer: Tokenizer,
    /// The tokens that end a text by the model's own files.
    ends: Vec<u32>,
    positions: Option<usize>,
}

/// What the graph reads at each step.
struct Reads {
    ports: Vec<Port>,
    past: Vec<Past>,
}

/// A key or value that a step returns for the next one.
struct Past {
    input: PastInput,
    output: String,
}

/// The keys and values of the tokens that were read.
#[derive(Default)]
struct Cache {
    tensors: Vec<OutputTensor>,
    tokens: usize,
}

impl Decoder {
    /// Opens a folder.
    ///
    /// # Errors
    /// A missing or broken file, a graph that is no decoder or reads what a text does not have.
    pub fn open(runtime: &Runtime, folder: &Path, threads: usize) -> Result<Self, TrainError> {
        let refuse = |message: String| TrainError::Unusable { folder: folder.to_path_buf(), message };
        let tokenizer = Tokenizer::load(folder)?;
        let config = read_json(&folder.join("config.json"))?;
        let graph = onnx::load(folder).map_err(|error| refuse(error.to_string()))?;
        let past = past_inputs(&graph);
        drop(graph);
        let session = Session::from_file(runtime, &folder.join("model.onnx"), threads)?;
        let outputs = session.outputs();
        if !outputs.iter().any(|output| output.name == LOGITS && output.shape.len() == 3) {
            return Err(refuse("it has no output `logits` with a row for each token".to_owned()));
        }
        let past = past
            .into_iter()
            .map(|input| {
                let output = input.name.replacen("past_key_values", "present", 1);
                let is_there = outputs.iter().any(|port| port.name == output);
                is_there.then(|| Past { output: output.clone(), input }).ok_or(output)
            })
            .collect::<Result<Vec<Past>, String>>()
            .map_err(|output| refuse(format!("it reads keys and values of the past and does not return `{output}`")))?;
        let ends = end_tokens(folder, &tokenizer)?;
        let positions = positions(&config);
        let reads = Reads { ports: session.inputs().to_vec(), past };
        Ok(Self { folder: folder.to_path_buf(), session, reads, tokenizer, ends, positions })
    }

    /// Continues a prompt. `ends` are tokens that end the text besides the model's own; `id` names the record in draws and
    /// in errors.
    ///
    /// # Errors
    /// A failure of the runtime or the tokenizer.
    pub fn generate(
        &mut self,
        id: &str,
        prompt: &[u32],
        ends: &[u32],
        settings: &GenerationSettings,
    ) -> Result<GeneratedText, TrainError> {
        let keeps_past = !self.reads.past.is_empty();
        self.generate_with(id, prompt, ends, settings, keeps_past)
    }

    fn generate_with(
        &mut self,
        id: &str,
        prompt: &[u32],
        ends: &[u32],
        settings: &GenerationSettings,
        keeps_past: bool,
    ) -> Result<GeneratedText, TrainError> {
        let room = self.positions.map_or(usize::MAX, |positions| positions.saturating_sub(prompt.len()));
        let mut tokens = prompt.to_vec();
        let mut cache = Cache::default();
        let mut ending = Ending::Length;
        while tokens.len() - prompt.len() < settings.tokens.min(room) {
            let place = tokens.len() - prompt.len();
            if !keeps_past {
                cache = Cache::default();
            }
            let logits = self.step(&tokens[cache.tokens..], &mut cache)?;
            let Some(next) = next_token(&logits, settings.sampling.as_ref(), id, place) else { break };
            if ends.contains(&next) || self.ends.contains(&next) {
                ending = Ending::EndToken;
                break;
            }
            tokens.push(next);
            if let Some((text, tokens)) = self.stopped(id, &tokens[prompt.len()..], &settings.stop)? {
                return Ok(GeneratedText { tokens, text, ending: Ending::StopText });
            }
        }
        let tokens = tokens.split_off(prompt.len());
        Ok(GeneratedText { text: self.decode(id, &tokens)?, tokens, ending })
    }

    /// The text before a stop text, and its tokens so far, where one of those stands in it.
    fn stopped(&self, id: &str, tokens: &[u32], stop: &[String]) -> Result<Option<(String, Vec<u32>)>, TrainError> {
        if stop.is_empty() {
            return Ok(None);
        }
        let mut text = self.decode(id, tokens)?;
        let first = stop.iter().filter_map(|stop| text.find(stop.as_str())).min();
        Ok(first.map(|at| {
            text.truncate(at);
            (text, tokens.to_vec())
        }))
    }

    fn decode(&self, id: &str, tokens: &[u32]) -> Result<String, TrainError> {
        self.tokenizer.decode(tokens).map_err(|message| TrainError::Tokenize { id: id.to_owned(), message })
    }

    /// The logits of the token that follows `tokens`, which follow those of the cache.
    fn step(&mut self, tokens: &[u32], cache: &mut Cache) -> Result<Vec<f32>, TrainError> {
        let inputs = self.reads.inputs(tokens, cache).map_err(|name| TrainError::Unusable {
            folder: self.folder.clone(),
            message: format!("it reads `{name}`, which texts do not have"),
        })?;
        let mut outputs = vec![LOGITS];
        outputs.extend(self.reads.past.iter().map(|past| past.output.as_str()));
        let mut returned = self.session.run(&inputs, &outputs)?.into_iter();
        let logits = returned.next().expect("the logits were asked for");
        let width = logits.shape.last().copied().unwrap_or(0);
        let values = logits.f32()?;
        let last = values[values.len().saturating_sub(width)..].to_vec();
        drop(inputs);
        cache.tensors = returned.collect();
        cache.tokens += tokens.len();
        Ok(last)
    }
}

impl Reads {
    /// The tensors of a step, or the name of an input that there is nothing for.
    fn inputs<'a>(&'a self, tokens: &[u32], cache: &'a Cache) -> Result<Vec<InputTensor<'a>>, &'a str> {
        let (new, all) = (tokens.len(), cache.tokens + tokens.len());
        let tensor = |port: &'a Port| {
            let name = port.name.as_str();
            let first = i64::try_from(cache.tokens).expect("a text has fewer than 2^63 tokens");
            let count = i64::try_from(new).expect("a text has fewer than 2^63 tokens");
            match (name, port.element) {
                ("input_ids", Element::I64) => {
                    let ids: Vec<i64> = tokens.iter().copied().map(i64::from).collect();
                    Some(InputTensor::i64(name, &[1, new], ids))
                }
                ("attention_mask", Element::I64) => Some(InputTensor::i64(name, &[1, all], vec![1; all])),
                ("attention_mask", Element::F32) => Some(InputTensor::f32(name, &[1, all], vec![1.0; all])),
                ("token_type_ids", Element::I64) => Some(InputTensor::i64(name, &[1, new], vec![0; new])),
                ("position_ids", Element::I64) => {
                    Some(InputTensor::i64(name, &[1, new], (first..first + count).collect::<Vec<i64>>()))
                }
                (_, Element::F32) => self.past_tensor(name, cache),
                (_, Element::I64 | Element::Other) => None,
            }
            .ok_or(name)
        };
        self.ports.iter().map(tensor).collect()
    }

    /// The keys or values of the past for an input: what the last step returned, before the first nothing.
    fn past_tensor<'a>(&'a self, name: &'a str, cache: &'a Cache) -> Option<InputTensor<'a>> {
        let past = self.past.iter().find(|past| past.input.name == name)?;
        match cache.tensors.iter().find(|tensor| tensor.name == past.output) {
            None => Some(InputTensor::f32(name, &past.input.empty_shape(1), Cow::Owned(Vec::new()))),
            Some(OutputTensor { shape, values: OutputValues::F32(values), .. }) => {
                Some(InputTensor::f32(name, shape, values.as_slice()))
            }
            Some(OutputTensor { values: OutputValues::I64(_), .. }) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(model: &str) -> Option<Decoder> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/models").join(model);
        if !folder.exists() {
            assert!(std::env::var_os("ANNOTC_REQUIRE_SHARED").is_none(), "{} is missing", folder.display());
            return None;
        }
        let runtime = crate::runtime::testing::library()?;
        Some(Decoder::open(runtime, &folder, 1).expect("a decoder"))
    }

    fn settings(sampling: Option<Sampling>) -> GenerationSettings {
        GenerationSettings { sampling, tokens: 40, stop: Vec::new() }
    }

    #[test]
    fn the_cache_changes_no_token() {
        for model in ["gpt2", "llama-chat"] {
            let Some(mut decoder) = open(model) else { return };
            assert!(!decoder.reads.past.is_empty(), "{model} was exported with past");
            let sampled = Sampling { temperature: 1.5, top_k: Some(200), top_p: 0.95, seed: 7 };
            for sampling in [None, Some(sampled)] {
                let settings = settings(sampling);
                for prompt in [&[1_u32][..], &[1, 17, 300, 42, 5, 99, 7]] {
                    let cached = decoder.generate_with("a", prompt, &[], &settings, true).expect("generated");
                    let plain = decoder.generate_with("a", prompt, &[], &settings, false).expect("generated");
                    assert_eq!(cached, plain, "{model}, {settings:?}");
                    assert!(cached.tokens.len() > 5 || cached.ending == Ending::EndToken, "{model}: {cached:?}");
                }
            }
        }
    }

    #[test]
    fn a_text_ends_at_an_end_token_a_stop_text_or_its_length() {
        let Some(mut decoder) = open("gpt2") else { return };
        let prompt = [1, 17, 300];
        let whole = decoder.generate("a", &prompt, &[], &settings(None)).expect("generated");
        assert_eq!((whole.ending, whole.tokens.len()), (Ending::Length, 40));
        let short = GenerationSettings { tokens: 3, ..settings(None) };
        assert_eq!(decoder.generate("a", &prompt, &[], &short).expect("generated").tokens, whole.tokens[..3]);
        // A token that ends is one that stands in the text: the text is what comes before its first place.
        let end = whole.tokens[6];
        let first = whole.tokens.iter().position(|token| *token == end).expect("it stands there");
        let ended = decoder.generate("a", &prompt, &[end], &settings(None)).expect("generated");
        assert_eq!((ended.ending, ended.tokens.as_slice()), (Ending::EndToken, &whole.tokens[..first]));
        let middle: String = whole.text.chars().skip(10).take(4).collect();
        let stop = GenerationSettings { stop: vec!["never said".to_owned(), middle.clone()], ..settings(None) };
        let stopped = decoder.generate("a", &prompt, &[], &stop).expect("generated");
        assert_eq!(stopped.ending, Ending::StopText);
        assert_eq!(Some(stopped.text.as_str()), whole.text.split(&middle).next());
        // 128 positions: no token is generated behind the last.
        let long: Vec<u32> = (5..130).collect();
        assert_eq!(decoder.generate("a", &long, &[], &settings(None)).expect("generated").tokens.len(), 3);
    }
}
