//! Records as a run reads them, to be looked at: each token, what it stands for, whether it is learnt, whether it is cut.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::TrainError;
use super::chat::Message;
use super::conversation::Speaker;
use super::example::{Cut, Fate, LengthLimit};
use super::pairs::answered;
use super::prepare::length_limit;
use super::run::Overflow;
use super::tokenizer::{Piece, Tokenizer, Tokens, read_json};

/// A record as a run reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenView {
    /// The text that is tokenized.
    pub text: String,
    /// Its tokens, those that are cut among them.
    pub tokens: Vec<ViewedToken>,
    /// What becomes of a record of this length.
    pub fate: Fate,
}

/// A token of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewedToken {
    /// Its number.
    pub id: u32,
    /// What it stands for.
    pub piece: Piece,
    /// Its bytes in the text; empty for one that the tokenizer added.
    pub place: Range<usize>,
    /// Whether it is learnt.
    pub learnt: bool,
    /// Whether it is cut off.
    pub lost: bool,
}

/// What records of a run are looked at with.
pub struct Viewer {
    folder: PathBuf,
    tokenizer: Tokenizer,
    limit: LengthLimit,
}

impl Viewer {
    /// Reads the tokenizer of a model's folder.
    ///
    /// # Errors
    /// A missing or broken file, a length that the model does not take.
    pub fn open(folder: &Path, length: usize, overflow: Overflow) -> Result<Self, TrainError> {
        let tokenizer = Tokenizer::load(folder)?;
        let config = read_json(&folder.join("config.json"))?;
        let limit = length_limit(Some(length), overflow, &config, &tokenizer)?;
        Ok(Self { folder: folder.to_path_buf(), tokenizer, limit })
    }

    /// A text that is classified: none of its tokens is learnt by itself.
    ///
    /// # Errors
    /// What the tokenizer says; a length that leaves no room.
    pub fn text(&self, id: &str, text: &str) -> Result<TokenView, TrainError> {
        let failed = |message| TrainError::Tokenize { id: id.to_owned(), message };
        let tokens = self.tokenizer.encode(text, true).map_err(failed)?;
        let fate = self.limit.fate(tokens.ids.len());
        let lost = self.lost(&tokens, fate, |cut| self.tokenizer.lost(&tokens, self.limit.tokens, cut));
        let lost = lost.map_err(failed)?;
        let learnt = vec![false; tokens.ids.len()];
        Ok(self.view(text.to_owned(), &tokens, &learnt, &lost, fate))
    }

    /// A conversation, or a prompt and its completion.
    ///
    /// # Errors
    /// As [`super::encode_conversations`] of this record alone.
    pub fn conversation(&self, id: &str, messages: &[Message]) -> Result<TokenView, TrainError> {
        let spoken = Speaker::new(&self.folder, &self.tokenizer)?.speak(id, messages)?;
        let fate = self.limit.fate(spoken.tokens.ids.len());
        let lost = self.lost(&spoken.tokens, fate, |cut| Ok::<_, TrainError>(spoken.lost(self.limit.tokens, cut)))?;
        let learnt = spoken.learnt(&lost);
        Ok(self.view(spoken.text, &spoken.tokens, &learnt, &lost, fate))
    }

    /// A prompt with one of its answers.
    ///
    /// # Errors
    /// As [`Viewer::conversation`].
    pub fn answer(&self, id: &str, prompt: &str, answer: &str) -> Result<TokenView, TrainError> {
        self.conversation(id, &answered(&self.folder, prompt, answer))
    }

    /// What of the tokens is lost, which a cut tells.
    fn lost<E>(
        &self,
        tokens: &Tokens,
        fate: Fate,
        of_cut: impl FnOnce(Cut) -> Result<Range<usize>, E>,
    ) -> Result<Range<usize>, E> {
        match fate {
            Fate::Whole => Ok(0..0),
            Fate::Cut(cut) => of_cut(cut),
            Fate::LeftOut | Fate::Refused => Ok(0..tokens.ids.len()),
        }
    }

    fn view(&self, text: String, tokens: &Tokens, learnt: &[bool], lost: &Range<usize>, fate: Fate) -> TokenView {
        let token = |at: usize| {
            let (id, (start, end)) = (tokens.ids[at], tokens.offsets[at]);
            let piece = self.tokenizer.piece(id);
            ViewedToken { id, piece, place: start..end, learnt: learnt[at], lost: lost.contains(&at) }
        };
        TokenView { tokens: (0..tokens.ids.len()).map(token).collect(), text, fate }
    }
}
