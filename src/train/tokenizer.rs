//! The only door to `tokenizers`: texts to token ids with their places in the text.

mod piece;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::{
    AddedToken, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
};

use super::TrainError;
use super::example::Cut;
use super::wordpiece::{self, CONTINUATION};
pub use piece::Piece;
use piece::Spelling;

/// The files of a model's folder that belong to its tokenizer.
pub const TOKENIZER_FILES: &[&str] = &[
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "generation_config.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "added_tokens.json",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
];

/// A text as tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The tokens' numbers.
    pub ids: Vec<u32>,
    /// Each token's bytes in the text, `start..end`; empty for one that the tokenizer added.
    pub offsets: Vec<(usize, usize)>,
}

/// A model's tokenizer.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    config: Value,
    pad: Option<u32>,
    vocabulary: usize,
    spelling: Spelling,
    hash: String,
    threads: usize,
}

/// What is said of a model's folder without a tokenizer.
const ABSENT: &str = "no such file; a model's folder needs its tokenizer beside `model.onnx` and `config.json`: copy \
                      `tokenizer.json` from where the model comes from, or write it with \
                      `AutoTokenizer.from_pretrained(…).save_pretrained(…)` of transformers";

impl Tokenizer {
    /// Reads `tokenizer.json` and, where they are, `tokenizer_config.json` and `special_tokens_map.json`.
    ///
    /// Truncation and padding that the file asks for are put aside: `length` and the batches decide.
    ///
    /// # Errors
    /// [`TrainError::ModelFile`] where a file is missing or is no tokenizer.
    pub fn load(folder: &Path) -> Result<Self, TrainError> {
        let path = folder.join("tokenizer.json");
        let refuse = |message: String| TrainError::ModelFile { path: path.clone(), message };
        let bytes = std::fs::read(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound if folder.is_dir() => refuse(ABSENT.to_owned()),
            _ => TrainError::io(&path)(error),
        })?;
        let mut inner =
            tokenizers::Tokenizer::from_bytes(&bytes).map_err(|error| refuse(format!("no tokenizer: {error}")))?;
        let asked_pad = inner.get_padding().map(|padding| padding.pad_id);
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|error| refuse(error.to_string()))?;
        let mut config = read_json(&folder.join("tokenizer_config.json"))?;
        let special = read_json(&folder.join("special_tokens_map.json"))?;
        if let (Some(config), Some(special)) = (config.as_object_mut(), special.as_object()) {
            for (name, value) in special {
                config.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        let pad = token_text(&config, "pad_token").and_then(|token| inner.token_to_id(token)).or(asked_pad);
        Ok(Self {
            pad,
            config,
            vocabulary: inner.get_vocab_size(true),
            spelling: Spelling::of(&inner),
            hash: blake3::hash(&bytes).to_hex().to_string(),
            threads: 1,
            inner,
        })
    }

    /// The same tokenizer, for tables whose records become tokens on so many threads.
    #[must_use]
    pub fn on_threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// On how many threads the records of a table become tokens; the tokens are the same on any number.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// BLAKE3 of `tokenizer.json`.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Tokens that the tokenizer knows; ids are below it where the vocabulary has no holes.
    #[must_use]
    pub fn vocabulary_size(&self) -> usize {
        self.vocabulary
    }

    /// The greatest number that a token has: with holes in the vocabulary it is more than the number of tokens.
    #[must_use]
    pub fn greatest_id(&self) -> Option<u32> {
        self.inner.get_vocab(true).into_values().max()
    }

    /// The number of the padding token. What it is makes no difference to the loss: padding is masked by place.
    #[must_use]
    pub fn pad_id(&self) -> u32 {
        self.pad.unwrap_or(0)
    }

    /// A special token of the configuration by its role, such as `bos_token`: its text.
    #[must_use]
    pub fn special_text(&self, role: &str) -> Option<&str> {
        token_text(&self.config, role)
    }

    /// A token's number.
    #[must_use]
    pub fn id_of(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// Whether a token is one of the special ones, which no text contains by itself.
    #[must_use]
    pub fn is_special(&self, id: u32) -> bool {
        self.inner.get_added_vocabulary().get_added_tokens_decoder().get(&id).is_some_and(|token| token.special)
    }

    /// The special tokens that characters of a text become, in their order.
    #[must_use]
    pub fn specials_in(&self, text: &str) -> Vec<u32> {
        let split = self.inner.get_added_vocabulary().extract_and_normalize(self.inner.get_normalizer(), text);
        let parts = split.get_splits(OffsetReferential::Original, OffsetType::Byte);
        let added = parts.into_iter().filter_map(|(_, _, tokens)| tokens.as_ref()).flatten();
        added.map(|token| token.id).filter(|id| self.is_special(*id)).collect()
    }

    /// `tokenizer_config.json`, completed by `special_tokens_map.json`.
    #[must_use]
    pub fn config(&self) -> &Value {
        &self.config
    }

    /// The most tokens that the model takes, where the configuration says so in earnest.
    #[must_use]
    pub fn model_max_length(&self) -> Option<usize> {
        let limit = self.config.get("model_max_length")?.as_u64()?;
        usize::try_from(limit).ok().filter(|limit| *limit < 1 << 24)
    }

    /// Tokens of a text. With `special`, those that the tokenizer frames a text with are added.
    ///
    /// # Errors
    /// What the tokenizer says; its message does not hold the text.
    pub fn encode(&self, text: &str, special: bool) -> Result<Tokens, String> {
        let encoding = self.inner.encode(text, special).map_err(|error| error.to_string())?;
        Ok(tokens_of(&encoding))
    }

    /// At most `limit` tokens of a text's start or end, the frame of special tokens kept.
    ///
    /// # Errors
    /// Where `limit` leaves no room beside the special tokens.
    pub fn encode_cut(&self, text: &str, limit: usize, cut: Cut) -> Result<Tokens, String> {
        let mut tokens = self.encode(text, true)?;
        let lost = self.lost(&tokens, limit, cut)?;
        tokens.ids.drain(lost.clone());
        tokens.offsets.drain(lost);
        Ok(tokens)
    }

    /// Which tokens of a framed text go, so that `limit` are left.
    ///
    /// # Errors
    /// Where `limit` leaves no room beside the special tokens.
    pub fn lost(&self, tokens: &Tokens, limit: usize, cut: Cut) -> Result<Range<usize>, String> {
        let frame = self.encode("", true)?;
        if frame.ids.len() >= limit {
            return Err(format!("{limit} tokens leave no room beside {} special ones", frame.ids.len()));
        }
        let excess = tokens.ids.len().saturating_sub(limit);
        // What the tokenizer adds before and after a text has no place in it.
        let is_added = |offset: &(usize, usize)| offset.0 == offset.1;
        let first = tokens.offsets.iter().take_while(|offset| is_added(offset)).count();
        let last = tokens.offsets.iter().rev().take_while(|offset| is_added(offset)).count();
        let start = match cut {
            Cut::KeepStart => tokens.ids.len().saturating_sub(last + excess),
            Cut::KeepEnd => first.min(limit),
        };
        Ok(start..start + excess)
    }

    /// The text of tokens, special ones left out.
    ///
    /// # Errors
    /// What the tokenizer says.
    pub fn decode(&self, ids: &[u32]) -> Result<String, String> {
        self.inner.decode(ids, true).map_err(|error| error.to_string())
    }
}

fn tokens_of(encoding: &tokenizers::Encoding) -> Tokens {
    Tokens { ids: encoding.get_ids().to_vec(), offsets: encoding.get_offsets().to_vec() }
}

/// A special token is written as a string or as an object with `content`.
fn token_text<'a>(config: &'a Value, role: &str) -> Option<&'a str> {
    let value = config.get(role)?;
    value.as_str().or_else(|| value.get("content")?.as_str())
}

/// An absent file is an empty object.
pub(crate) fn read_json(path: &Path) -> Result<Value, TrainError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(json!({})),
        Err(error) => return Err(TrainError::io(path)(error)),
    };
    serde_json::from_slice(&bytes)
        .map_err(|error| TrainError::ModelFile { path: path.to_path_buf(), message: format!("not JSON: {error}") })
}

/// The special tokens of a new encoder's tokenizer, with their roles; their numbers are their places here.
const NEW_SPECIAL: [(&str, &str); 5] = [
    ("pad_token", "[PAD]"),
    ("unk_token", "[UNK]"),
    ("cls_token", "[CLS]"),
    ("sep_token", "[SEP]"),
    ("mask_token", "[MASK]"),
];

/// Trains a lower-casing WordPiece tokenizer of at most `size` pieces, as BERT has it, and writes its three files into
/// `folder`. The same texts, in any order, give the same bytes. Returns the number of pieces.
///
/// # Errors
/// `size` leaves no room beside the special tokens, or a file cannot be written.
pub fn train_wordpiece<'a>(
    texts: impl IntoIterator<Item = &'a str>,
    size: usize,
    max_length: usize,
    folder: &Path,
) -> Result<usize, TrainError> {
    if size <= NEW_SPECIAL.len() {
        let needed = NEW_SPECIAL.len();
        return Err(TrainError::Settings(format!(
            "a vocabulary of {size} pieces leaves no room beside the {needed} special ones"
        )));
    }
    let failed = |error: tokenizers::Error| TrainError::Settings(format!("the tokenizer cannot be built: {error}"));
    let normalizer = BertNormalizer::new(true, true, None, true);
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for text in texts {
        for word in words(&normalizer, text).map_err(failed)? {
            *counts.entry(word).or_default() += 1;
        }
    }
    let special: Vec<&str> = NEW_SPECIAL.iter().map(|(_, token)| *token).collect();
    let pieces = wordpiece::learn(&counts, &special, size);
    let vocabulary: serde_json::Map<String, Value> =
        (0_u32..).zip(&pieces).map(|(id, piece)| (piece.clone(), json!(id))).collect();
    let model = json!({
        "type": "WordPiece",
        "unk_token": "[UNK]",
        "continuing_subword_prefix": CONTINUATION,
        "max_input_chars_per_word": 100,
        "vocab": vocabulary,
    });
    let model: WordPiece =
        serde_json::from_str(&model.to_string()).expect("the model has every field of a WordPiece model");
    let mut tokenizer = tokenizers::Tokenizer::new(model);
    tokenizer.with_normalizer(Some(normalizer)).map_err(failed)?;
    tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
    tokenizer.with_post_processor(Some(BertProcessing::new(("[SEP]".to_owned(), 3), ("[CLS]".to_owned(), 2))));
    tokenizer.with_decoder(Some(tokenizers::decoders::wordpiece::WordPiece::default()));
    tokenizer.add_special_tokens(special.iter().map(|token| AddedToken::from(*token, true))).map_err(failed)?;
    let text = tokenizer.to_string(true).map_err(failed)?;
    write(&folder.join("tokenizer.json"), &text)?;
    write_companions(folder, max_length)?;
    Ok(pieces.len())
}

fn words(normalizer: &BertNormalizer, text: &str) -> tokenizers::Result<Vec<String>> {
    let mut normalized = NormalizedString::from(text);
    normalizer.normalize(&mut normalized)?;
    let mut split = PreTokenizedString::from(normalized);
    BertPreTokenizer.pre_tokenize(&mut split)?;
    Ok(split
        .get_splits(OffsetReferential::Normalized, OffsetType::Byte)
        .into_iter()
        .map(|(word, _, _)| word.to_owned())
        .collect())
}

fn write_companions(folder: &Path, max_length: usize) -> Result<(), TrainError> {
    let mut roles = serde_json::Map::new();
    for (role, token) in NEW_SPECIAL {
        roles.insert(role.to_owned(), json!(token));
    }
    let mut config = roles.clone();
    config.insert("do_lower_case".to_owned(), json!(true));
    config.insert("model_max_length".to_owned(), json!(max_length));
    config.insert("tokenizer_class".to_owned(), json!("BertTokenizer"));
    write(&folder.join("tokenizer_config.json"), &pretty(&Value::Object(config)))?;
    write(&folder.join("special_tokens_map.json"), &pretty(&Value::Object(roles)))
}

pub(super) fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("a JSON value can be written");
    text.push('\n');
    text
}

pub(super) fn write(path: &PathBuf, text: &str) -> Result<(), TrainError> {
    std::fs::write(path, text).map_err(TrainError::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: &[&str] = &[
        "My card has not arrived, where is my card?",
        "The card was swallowed by the machine.",
        "Where is the nearest machine? Where?",
        "Überweisung nicht angekommen, wo ist die Überweisung?",
    ];

    #[test]
    fn a_folder_without_a_tokenizer_says_where_one_comes_from() {
        let folder = tempfile::tempdir().expect("a folder");
        let said = Tokenizer::load(folder.path()).err().expect("no tokenizer").to_string();
        assert!(said.contains("tokenizer.json`: no such file") && said.contains("save_pretrained"), "{said}");
        let said = Tokenizer::load(&folder.path().join("none")).err().expect("no folder").to_string();
        assert!(!said.contains("save_pretrained"), "{said}");
    }

    fn files(texts: &[&str]) -> Vec<Vec<u8>> {
        let folder = tempfile::tempdir().expect("a folder");
        train_wordpiece(texts.iter().copied(), 120, 64, folder.path()).expect("trained");
        ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]
            .iter()
            .map(|name| std::fs::read(folder.path().join(name)).expect("written"))
            .collect()
    }

    #[test]
    fn training_gives_the_same_bytes_again() {
        let mut reversed = TEXTS.to_vec();
        reversed.reverse();
        let first = files(TEXTS);
        for _ in 0..3 {
            assert!(files(TEXTS) == first);
        }
        assert!(files(&reversed) == first, "the order of texts must not matter");
    }

    #[test]
    fn a_trained_tokenizer_frames_and_lowers_texts() {
        let folder = tempfile::tempdir().expect("a folder");
        let size = train_wordpiece(TEXTS.iter().copied(), 120, 64, folder.path()).expect("trained");
        assert!(size <= 120);
        let tokenizer = Tokenizer::load(folder.path()).expect("loads");
        assert_eq!((tokenizer.pad_id(), tokenizer.model_max_length()), (0, Some(64)));
        assert_eq!(tokenizer.vocabulary_size(), size);
        let tokens = tokenizer.encode("WHERE is my card?", true).expect("encodes");
        assert_eq!((tokens.ids[0], tokens.ids[tokens.ids.len() - 1]), (2, 3));
        assert_eq!(tokenizer.decode(&tokens.ids).as_deref(), Ok("where is my card?"));
        let whole = tokenizer.encode("where is my card where is my machine", true).expect("encodes").ids;
        let cut = |cut| tokenizer.encode_cut("where is my card where is my machine", 5, cut).expect("encodes").ids;
        assert_eq!(cut(Cut::KeepStart), [&whole[..4], &[3]].concat());
        assert_eq!(cut(Cut::KeepEnd), [&[2], &whole[whole.len() - 4..]].concat());
        assert!(tokenizer.encode_cut("card", 2, Cut::KeepStart).is_err());
        assert!(tokenizer.is_special(2) && !tokenizer.is_special(tokens.ids[1]));
    }
}
