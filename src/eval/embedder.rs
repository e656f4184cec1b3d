//! Vectors of texts by a trained model, and measuring whether partners find each other.

use std::path::Path;

use super::evaluation::MissingRecord;
use super::language_model::ConversationTable;
use super::results::{RecordResult, Results};
use super::retrieval::{FoundPartner, found_partners, unit};
use super::text_model::TextModel;
use crate::runtime::Runtime;
use crate::train::{LengthLimit, Pooling, TrainError, partner_texts, read_pooling};

/// The outputs that hold a vector of each token.
const FEATURES: [&str; 2] = ["last_hidden_state", "token_embeddings"];

/// A folder with a model that makes a vector of each text, as sentence-transformers describe it.
pub struct Embedder {
    model: TextModel,
    pooling: Pooling,
    width: usize,
}

impl Embedder {
    /// Opens a folder. `limit` is the one that the model was trained with; `None` is what the model takes.
    ///
    /// # Errors
    /// A missing or broken file, a model that gives no vector of each token, a pooling that annotc does not have.
    pub fn open(
        runtime: &Runtime,
        folder: &Path,
        limit: Option<LengthLimit>,
        threads: usize,
    ) -> Result<Self, TrainError> {
        let pooling = read_pooling(folder)?.unwrap_or(Pooling::Mean);
        let model = TextModel::open(runtime, folder, limit, threads, &FEATURES)?;
        let &[_, _, Some(width)] = model.shape() else {
            let message = "it has no output with a vector of a fixed width for each token".to_owned();
            return Err(TrainError::Unusable { folder: folder.to_path_buf(), message });
        };
        Ok(Self { model, pooling, width })
    }

    /// BLAKE3 of the tokenizer.
    #[must_use]
    pub fn tokenizer_hash(&self) -> &str {
        self.model.tokenizer_hash()
    }

    /// The vectors of texts, of norm 1, in their order. `ids` name them in errors.
    ///
    /// # Errors
    /// The tokenizer or the runtime fails.
    pub fn embed(&mut self, ids: &[String], texts: &[&str]) -> Result<Vec<Vec<f32>>, TrainError> {
        let (pooling, width) = (self.pooling, self.width);
        self.model.run(ids, texts, |vectors, tokens| unit(&pooled(&vectors[..tokens.max(1) * width], width, pooling)))
    }
}

/// One vector of those of a text's tokens.
fn pooled(vectors: &[f32], width: usize, pooling: Pooling) -> Vec<f32> {
    match pooling {
        Pooling::Cls => vectors[..width].to_vec(),
        Pooling::Mean => {
            let mut sums = vec![0.0_f64; width];
            for vector in vectors.chunks(width) {
                sums.iter_mut().zip(vector).for_each(|(sum, value)| *sum += f64::from(*value));
            }
            let tokens = (vectors.len() / width) as f64;
            sums.into_iter().map(|sum| (sum / tokens) as f32).collect()
        }
    }
}

/// Measures every pair of texts of a table. `missing` are the records of the part that are not in it.
///
/// # Errors
/// As [`Embedder::embed`]; a record that is no pair of texts.
pub fn evaluate_partners(
    embedder: &mut Embedder,
    test: &ConversationTable<'_>,
    missing: Vec<MissingRecord>,
) -> Result<Results<FoundPartner>, TrainError> {
    let table = test.read()?;
    let texts = partner_texts(&table, test.messages)?;
    let (firsts, seconds): (Vec<&str>, Vec<&str>) =
        texts.chunks(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).unzip();
    let (own, others) = (embedder.embed(&table.ids, &firsts)?, embedder.embed(&table.ids, &seconds)?);
    let pairs: Vec<(u64, u64)> = firsts.iter().zip(&seconds).map(|(first, second)| (key(first), key(second))).collect();
    let found = found_partners(&own, &others, &pairs);
    let record =
        |(id, result): (&String, FoundPartner)| RecordResult { id: id.clone(), result, slices: test.keys(&table, id) };
    let records = table.ids.iter().zip(found).map(record).collect();
    Ok(Results { by: test.slice_names(), records, missing })
}

/// What equal texts share.
fn key(text: &str) -> u64 {
    u64::from_le_bytes(*blake3::hash(text.as_bytes()).as_bytes().first_chunk().expect("a hash has 32 bytes"))
}
