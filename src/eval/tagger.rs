//! Finding spans with a trained tagger, and measuring it on a table.

use std::path::Path;

use super::classifier::TestTable;
use super::opened::Opened;
use super::tagged::{MissingTagged, TaggedEvaluated, TaggedPrediction};
use crate::label::spans::LabelSpan;
use crate::runtime::Runtime;
use crate::train::{
    Example, FoundSpan, LengthLimit, Target, TrainError, kinds_of, log_softmax, read_spans, tag_target, words_of,
};

/// A folder with a tagger: ours, or any that Optimum exports for token classification with tags for names.
pub struct Tagger {
    opened: Opened,
    kinds: Vec<String>,
}

/// What a tagger says of a text.
struct Tagging {
    spans: Vec<FoundSpan>,
    /// The summed cross-entropy of the words' true tags, in nats.
    loss: f64,
    /// The words that have one.
    words: u64,
}

impl Tagger {
    /// Opens a folder; `limit` is as a classifier has it.
    ///
    /// # Errors
    /// A missing or broken file, a model that tags no tokens, outputs whose names are no tags.
    pub fn open(
        runtime: &Runtime,
        folder: &Path,
        limit: Option<LengthLimit>,
        threads: usize,
    ) -> Result<Self, TrainError> {
        Self::of(Opened::open(runtime, folder, limit, threads)?, folder)
    }

    pub(super) fn of(opened: Opened, folder: &Path) -> Result<Self, TrainError> {
        let refuse =
            |message: &str| TrainError::ModelFile { path: folder.join("config.json"), message: message.to_owned() };
        if !opened.is_of_tokens {
            return Err(refuse("the model classifies texts, and spans need a class for each token"));
        }
        let kinds = kinds_of(&opened.values)
            .ok_or_else(|| refuse("`id2label` names no tags: `O`, and `B-` and `I-` with the kind of a span"))?;
        Ok(Self { opened, kinds })
    }

    /// The kinds of spans that it finds.
    #[must_use]
    pub fn kinds(&self) -> &[String] {
        &self.kinds
    }

    /// BLAKE3 of the tokenizer.
    #[must_use]
    pub fn tokenizer_hash(&self) -> &str {
        self.opened.tokenizer.hash()
    }

    /// The spans of texts, in their order. `ids` name the texts in errors.
    ///
    /// # Errors
    /// The tokenizer or the runtime fails.
    pub fn find(&mut self, ids: &[String], texts: &[&str]) -> Result<Vec<Vec<FoundSpan>>, TrainError> {
        let golds = vec![Vec::new(); texts.len()];
        Ok(self.tag(ids, texts, golds)?.into_iter().map(|tagging| tagging.spans).collect())
    }

    fn tag(&mut self, ids: &[String], texts: &[&str], golds: Vec<Vec<LabelSpan>>) -> Result<Vec<Tagging>, TrainError> {
        let Opened { tokenizer, values, limit, cut, .. } = &self.opened;
        let mut examples = Vec::with_capacity(texts.len());
        for ((id, text), gold) in ids.iter().zip(texts).zip(golds) {
            let failed = |message| TrainError::Tokenize { id: id.clone(), message };
            let (tokens, words, is_cut) = words_of(tokenizer, text, *limit, *cut).map_err(failed)?;
            let target = Target::Tags(tag_target(words, gold, values, tokens.ids.len(), is_cut));
            examples.push(Example { id: id.clone(), tokens: tokens.ids, target });
        }
        let logits = self.opened.logits(&examples)?;
        let values = &self.opened.values;
        let tagging = |(example, logits): (&Example, Vec<f32>)| {
            let Target::Tags(target) = &example.target else { unreachable!("every example was made of tags") };
            let learnt =
                target.tags.iter().enumerate().filter_map(|(token, tag)| Some((token, usize::try_from(*tag).ok()?)));
            let losses = learnt.map(|(token, tag)| {
                -f64::from(log_softmax(&logits[token * values.len()..(token + 1) * values.len()])[tag])
            });
            let losses: Vec<f64> = losses.collect();
            Tagging {
                spans: target.words.found(&logits, values),
                loss: losses.iter().sum(),
                words: losses.len() as u64,
            }
        };
        Ok(examples.iter().zip(logits).map(tagging).collect())
    }
}

/// Tags every record of a test table. `missing` are the records of the part that are not in it, with the kinds of their true
/// spans where they are known.
///
/// # Errors
/// As [`Tagger::find`]; a true span of a kind that the model does not know.
pub fn evaluate_tagger(
    tagger: &mut Tagger,
    table: &TestTable<'_>,
    missing: Vec<(String, Option<Vec<String>>, String)>,
) -> Result<TaggedEvaluated, TrainError> {
    let read = table.read()?;
    let kinds = tagger.kinds.clone();
    let texts: Vec<&str> = read.column(table.text).iter().map(|text| text.as_deref().unwrap_or_default()).collect();
    let known = |spans: &Vec<LabelSpan>| spans.iter().all(|span| kinds.contains(&span.label));
    let gold = |(id, spans): (&String, &Option<String>)| {
        let gold = spans.as_deref().and_then(read_spans).filter(known);
        gold.ok_or_else(|| TrainError::UnknownLabel { id: id.clone(), values: kinds.len() })
    };
    let golds = read.ids.iter().zip(read.column(table.label)).map(gold).collect::<Result<Vec<_>, _>>()?;
    let taggings = tagger.tag(&read.ids, &texts, golds.clone())?;
    let rows = read.ids.iter().zip(golds).zip(taggings).enumerate();
    let predictions = rows.map(|(row, ((id, gold), tagging))| TaggedPrediction {
        id: id.clone(),
        gold,
        predicted: tagging.spans,
        loss: tagging.loss,
        words: tagging.words,
        slices: table.by.iter().map(|(_, column, _)| read.column(column)[row].clone()).collect(),
    });
    let predictions = predictions.collect();
    let missing = missing.into_iter().map(|(id, kinds, reason)| MissingTagged { id, kinds, reason }).collect();
    let by = table.by.iter().map(|(name, _, order)| (name.clone(), order.clone())).collect();
    Ok(TaggedEvaluated { kinds: kinds.clone(), by, predictions, missing })
}
