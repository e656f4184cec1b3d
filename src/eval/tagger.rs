//! Finding spans with a trained tagger, and measuring it on a table.

use std::path::Path;

use super::classifier::TestTable;
use super::tagged::{MissingTagged, TaggedEvaluated, TaggedPrediction};
use super::text_model::TextModel;
use crate::label::spans::LabelSpan;
use crate::runtime::Runtime;
use crate::train::{
    Example, FoundSpan, LOGITS, LengthLimit, Target, TrainError, Words, kinds_of, label_names, log_softmax, read_spans,
    tag_target,
};

/// A folder with a tagger: ours, or any that Optimum exports for token classification with tags for names.
pub struct Tagger {
    model: TextModel,
    /// The names of its outputs.
    tags: Vec<String>,
    kinds: Vec<String>,
}

/// What a tagger says of a text.
#[derive(Clone)]
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
        let model = TextModel::open(runtime, folder, limit, threads, &[LOGITS])?;
        let refuse = |message: String| TrainError::ModelFile { path: folder.join("config.json"), message };
        let &[_, _, outputs] = model.shape() else {
            return Err(refuse("the model classifies texts, and spans need a class for each token".to_owned()));
        };
        let tags = label_names(model.config());
        if outputs.is_some_and(|outputs| outputs != tags.len()) {
            return Err(refuse(format!("`id2label` names {} tags, and the model has other outputs", tags.len())));
        }
        let kinds = kinds_of(&tags).filter(|kinds| !kinds.is_empty()).ok_or_else(|| {
            refuse("`id2label` names no tags: `O`, and `B-` and `I-` with the kind of a span".to_owned())
        })?;
        Ok(Self { model, tags, kinds })
    }

    /// The kinds of spans that it finds.
    #[must_use]
    pub fn kinds(&self) -> &[String] {
        &self.kinds
    }

    /// BLAKE3 of the tokenizer.
    #[must_use]
    pub fn tokenizer_hash(&self) -> &str {
        self.model.tokenizer_hash()
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
        let mut examples = Vec::with_capacity(texts.len());
        for ((id, text), gold) in ids.iter().zip(texts).zip(golds) {
            let (tokens, is_cut) = self.model.tokens(id, text)?;
            let words = Words::of(text, &tokens);
            let target = Target::Tags(tag_target(words, gold, &self.tags, tokens.ids.len(), is_cut));
            examples.push(Example { id: id.clone(), tokens: tokens.ids, target });
        }
        let tags = &self.tags;
        self.model.run_over(&examples, |at, logits| {
            let Target::Tags(target) = &examples[at].target else { unreachable!("every example was made of tags") };
            let row = |token: usize| &logits[token * tags.len()..(token + 1) * tags.len()];
            let learnt = target.tags.iter().enumerate();
            let learnt = learnt.filter_map(|(token, tag)| Some((token, usize::try_from(*tag).ok()?)));
            let losses: Vec<f64> = learnt.map(|(token, tag)| -f64::from(log_softmax(row(token))[tag])).collect();
            let spans = target.words.found(logits, tags);
            Tagging { spans, loss: losses.iter().sum(), words: losses.len() as u64 }
        })
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
        slices: table.keys(&read, row),
    });
    let predictions = predictions.collect();
    let missing = missing.into_iter().map(|(id, kinds, reason)| MissingTagged { id, kinds, reason }).collect();
    Ok(TaggedEvaluated { kinds: kinds.clone(), by: table.slice_names(), predictions, missing })
}
