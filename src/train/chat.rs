//! Rendering conversations with the model's own chat template, and knowing which characters are the answer.
//!
//! Which characters are learnt comes from the template's structure: each learnt turn's content is rendered between two
//! marks, and where the marks come out is where the answer is. The marked rendering without its marks must be the
//! plain rendering. A template that rewrites the text of a turn (Llama 3 trims it) fails that check with the content
//! as it is and passes with the trimmed content; one that rewrites it in another way is read by prefixes: the turn is
//! what comes between the rendering up to it, with the generation prompt, and the rendering with it.

use std::ops::Range;
use std::path::Path;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, Value, context};
use serde::{Deserialize, Serialize};

use super::TrainError;
use super::tokenizer::{Tokenizer, read_json};
use super::turns::{begin, left_out};

/// One turn of a conversation, as the training table's column of conversations has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user`, `assistant`, `tool`; or `prompt` and `completion`, which no chat template frames.
    pub role: String,
    /// Its text.
    pub content: String,
    /// Whether it is learnt.
    #[serde(default)]
    pub train: bool,
}

/// A rendered conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The text that is tokenized.
    pub text: String,
    /// The learnt parts, in bytes, in order; the end-of-turn token that follows each is not in it.
    pub learnt: Vec<Range<usize>>,
}

/// Whether messages are a plain text to be continued, and no conversation.
#[must_use]
pub fn is_completion(messages: &[Message]) -> bool {
    !messages.is_empty() && messages.iter().all(|message| matches!(message.role.as_str(), "prompt" | "completion"))
}

/// A prompt and its completion as one text, ended by `eos`.
#[must_use]
pub fn join_completion(messages: &[Message], eos: &str) -> Rendered {
    let mut text = String::new();
    let mut learnt = Vec::new();
    for message in messages {
        let start = text.len();
        text.push_str(&message.content);
        if message.train {
            learnt.push(start..text.len());
        }
    }
    text.push_str(eos);
    Rendered { text, learnt }
}

/// A model's chat template.
#[derive(Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    bos: String,
    eos: String,
}

/// A template that runs longer than this loops for ever.
const FUEL: u64 = 2_000_000;

/// Characters that no text of the world holds by agreement (noncharacters of Unicode); no filter trims them.
const MARKS: [char; 2] = ['\u{FDD0}', '\u{FDD1}'];

impl ChatTemplate {
    /// The template of a model's folder: `chat_template.jinja`, else `chat_template` in `tokenizer_config.json`.
    ///
    /// # Errors
    /// [`TrainError::Template`] where there is none or it does not parse.
    pub fn load(folder: &Path, tokenizer: &Tokenizer) -> Result<Self, TrainError> {
        let refuse = |message: String| TrainError::Template { folder: folder.to_path_buf(), message };
        let path = folder.join("chat_template.jinja");
        let source = if path.is_file() {
            std::fs::read_to_string(&path).map_err(TrainError::io(&path))?
        } else {
            configured(&read_json(&folder.join("tokenizer_config.json"))?).ok_or_else(|| {
                refuse(
                    "is missing: neither `chat_template.jinja` nor `chat_template` in `tokenizer_config.json`".into(),
                )
            })?
        };
        let text = |role| tokenizer.special_text(role).unwrap_or_default();
        Self::parse(source, text("bos_token"), text("eos_token")).map_err(|error| refuse(format!("is broken: {error}")))
    }

    /// Whether a model's folder has one.
    #[must_use]
    pub fn is_there(folder: &Path) -> bool {
        folder.join("chat_template.jinja").is_file()
            || read_json(&folder.join("tokenizer_config.json")).is_ok_and(|config| configured(&config).is_some())
    }

    /// A template from its source, with the texts of the tokens that begin and end a sequence.
    ///
    /// # Errors
    /// What the template engine says.
    pub fn parse(source: String, bos: &str, eos: &str) -> Result<Self, Error> {
        let mut environment = Environment::new();
        // As Hugging Face configures Jinja for these templates.
        environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.set_fuel(Some(FUEL));
        environment.add_function("raise_exception", |message: String| -> Result<Value, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, message))
        });
        environment.add_template_owned("chat", without_generation_tags(&source))?;
        Ok(Self { environment, bos: bos.to_owned(), eos: eos.to_owned() })
    }

    /// Renders a conversation and finds its learnt parts.
    ///
    /// # Errors
    /// In words without any of the texts: the template refused the roles, leaves a turn out, rewrites a learnt one so that
    /// its place cannot be told, or writes another thing before it than what it gives a model to begin with.
    pub fn render(&self, messages: &[Message]) -> Result<Rendered, String> {
        let plain: Vec<Turn<'_>> = messages.iter().map(Turn::plain).collect();
        let text = self.render_turns(&plain, false)?;
        if let Some(turn) = left_out(messages, &text) {
            return Err(without_turn(&turn.role));
        }
        if !messages.iter().any(|message| message.train) {
            return Ok(Rendered { text, learnt: Vec::new() });
        }
        if messages.iter().any(|message| message.content.contains(MARKS)) {
            return Err("a turn holds a Unicode noncharacter (U+FDD0 or U+FDD1)".to_owned());
        }
        let learnt = self
            .by_marks(messages, &text, |content| content)
            .or_else(|| self.by_marks(messages, &text, str::trim))
            .or_else(|| self.by_prefixes(messages, &text))
            .ok_or("the template rewrites a learnt turn, so which characters are the answer cannot be told")?;
        let learnt = self.answers_as_begun(messages, &text, learnt)?;
        Ok(Rendered { text, learnt })
    }

    /// The answers from where a model begins to write them.
    fn answers_as_begun(
        &self,
        messages: &[Message],
        text: &str,
        learnt: Vec<Range<usize>>,
    ) -> Result<Vec<Range<usize>>, String> {
        let turns: Vec<Turn<'_>> = messages.iter().map(Turn::plain).collect();
        let answers = messages.iter().enumerate().filter(|(_, message)| message.train).map(|(at, _)| at);
        let as_begun = |(at, place): (usize, Range<usize>)| {
            if place.is_empty() {
                return Ok(place);
            }
            // A template that takes no beginning of this conversation gives a model nothing to begin with there.
            let Ok(prompt) = self.render_turns(&turns[..at], true) else { return Ok(place) };
            let start = begin(&text[..place.start], &prompt, messages[..at].last());
            start.map(|start| start..place.end).map_err(|(generated, trained)| {
                format!(
                    "generation begins with `{}`, and the answer is trained behind `{}`; make what the template writes for \
                     `add_generation_prompt` what it writes before an assistant's turn",
                    generated.escape_debug(),
                    trained.escape_debug()
                )
            })
        };
        answers.zip(learnt).map(as_begun).collect()
    }

    fn by_marks(&self, messages: &[Message], text: &str, content: fn(&str) -> &str) -> Option<Vec<Range<usize>>> {
        let turns: Vec<Turn<'_>> = messages
            .iter()
            .map(|message| {
                let mut turn = Turn::plain(message);
                if message.train {
                    let [begin, end] = MARKS;
                    turn.content = format!("{begin}{}{end}", content(&message.content)).into();
                }
                turn
            })
            .collect();
        let marked = self.render_turns(&turns, false).ok()?;
        let (unmarked, learnt) = take_marks(&marked)?;
        let turns = messages.iter().filter(|message| message.train).count();
        (unmarked == text && learnt.len() == turns).then_some(learnt)
    }

    fn by_prefixes(&self, messages: &[Message], text: &str) -> Option<Vec<Range<usize>>> {
        let turns: Vec<Turn<'_>> = messages.iter().map(Turn::plain).collect();
        let mut learnt = Vec::new();
        for (index, message) in messages.iter().enumerate().filter(|(_, message)| message.train) {
            let before = self.render_turns(&turns[..index], true).ok()?;
            let with = self.render_turns(&turns[..=index], false).ok()?;
            if message.role != "assistant" || !text.starts_with(&with) || !with.starts_with(&before) {
                return None;
            }
            let turn = &with[before.len()..];
            // The end of the turn is the template's, not the answer's; its first token is learnt with the answer.
            let end = self.turn_end(turn).unwrap_or(turn.len());
            learnt.push(before.len()..before.len() + end);
        }
        Some(learnt)
    }

    /// Where the end-of-sequence token stands in a turn.
    fn turn_end(&self, turn: &str) -> Option<usize> {
        if self.eos.is_empty() { None } else { turn.rfind(&self.eos) }
    }

    fn render_turns(&self, turns: &[Turn<'_>], generation_prompt: bool) -> Result<String, String> {
        let template = self.environment.get_template("chat").expect("the template was added when it was parsed");
        template
            .render(context! {
                messages => Value::from(minijinja::value::Serde(turns)),
                add_generation_prompt => generation_prompt,
                bos_token => self.bos.as_str(),
                eos_token => self.eos.as_str(),
                tools => Value::from(()),
                documents => Value::from(()),
            })
            .map_err(|error| reason(&error))
    }
}

/// That a template leaves a turn out, and what to do.
fn without_turn(role: &str) -> String {
    let instead = match role {
        "system" => "leave out the `system` turn, or put its text into the first turn of the user",
        _ => "leave such turns out",
    };
    format!(
        "the text of its `{role}` turn is not in what the template makes of it, so it would never be read; take a chat template \
         that writes it as it is, or {instead}"
    )
}

/// Some templates enclose the answer in `{% generation %}` blocks for Hugging Face's own masks. Jinja does not know the
/// tag; a condition that always holds keeps the text and its whitespace control.
fn without_generation_tags(source: &str) -> String {
    let tag = regex::Regex::new(r"(\{%[-+]?\s*)(end)?generation(\s*[-+]?%\})").expect("the pattern is well formed");
    tag.replace_all(source, |found: &regex::Captures<'_>| {
        let inner = if found.get(2).is_some() { "endif" } else { "if true" };
        format!("{}{inner}{}", &found[1], &found[3])
    })
    .into_owned()
}

/// What the engine says of an error, without the values that a template may have put into it: a template's own
/// `raise_exception` is the template's text, and is kept, as is the name of a function, filter or test that there is none of.
fn reason(error: &Error) -> String {
    let detail = match error.kind() {
        ErrorKind::InvalidOperation => error.detail().unwrap_or("an invalid operation"),
        // The name, as the template writes it.
        ErrorKind::UnknownFunction | ErrorKind::UnknownFilter | ErrorKind::UnknownTest => {
            error.detail().unwrap_or_default()
        }
        _ => "",
    };
    let line = error.line().map(|line| format!(" (line {line} of the template)")).unwrap_or_default();
    format!("{}{}{detail}{line}", error.kind(), if detail.is_empty() { "" } else { ": " })
}

/// `chat_template` is a string, or a list of named templates of which `default` counts.
fn configured(config: &serde_json::Value) -> Option<String> {
    let template = config.get("chat_template")?;
    if let Some(source) = template.as_str() {
        return Some(source.to_owned());
    }
    let named = template.as_array()?;
    let default =
        named.iter().find(|entry| entry.get("name").and_then(serde_json::Value::as_str) == Some("default"))?;
    default.get("template")?.as_str().map(str::to_owned)
}

/// A message as templates see it: our own `train` is not for them.
#[derive(Serialize)]
struct Turn<'a> {
    role: &'a str,
    content: std::borrow::Cow<'a, str>,
}

impl<'a> Turn<'a> {
    fn plain(message: &'a Message) -> Self {
        Self { role: &message.role, content: message.content.as_str().into() }
    }
}

/// Takes the marks out and returns the ranges that they enclosed; `None` where they do not alternate.
fn take_marks(marked: &str) -> Option<(String, Vec<Range<usize>>)> {
    let [begin, end] = MARKS;
    let mut text = String::with_capacity(marked.len());
    let mut ranges = Vec::new();
    let mut open = None;
    for character in marked.chars() {
        if character == begin {
            if open.replace(text.len()).is_some() {
                return None;
            }
        } else if character == end {
            ranges.push(open.take()?..text.len());
        } else {
            text.push(character);
        }
    }
    open.is_none().then_some((text, ranges))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHATML: &str = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + \
                          message['content'] + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ \
                          '<|im_start|>assistant\n' }}{% endif %}";
    const LLAMA_3: &str = "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = \
                           '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | \
                           trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% \
                           endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ \
                           '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";
    const STRIPS: &str = "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}{{ '[INST] ' + \
                          m['content'].strip() + ' [/INST]' }}{% elif m['role'] == 'assistant' %}{{ ' ' + \
                          m['content'].strip() + ' ' + eos_token }}{% else %}{{ raise_exception('Only user and \
                          assistant roles are supported!') }}{% endif %}{% endfor %}";
    const DROPS_THOUGHT: &str = "{% for m in messages %}<{{ m.role }}>{% if '</think>' in m.content %}{{ \
                                 m.content.split('</think>')[-1] }}{% else %}{{ m.content }}{% endif %}</s>{% endfor \
                                 %}{% if add_generation_prompt %}<assistant>{% endif %}";

    fn turn(role: &str, content: &str, train: bool) -> Message {
        Message { role: role.to_owned(), content: content.to_owned(), train }
    }

    fn check(source: &str, messages: &[Message], learnt: &[&str]) {
        let template = ChatTemplate::parse(source.to_owned(), "<s>", "</s>").expect("a template");
        let rendered = template.render(messages).expect("rendered");
        let found: Vec<&str> = rendered.learnt.iter().map(|range| &rendered.text[range.clone()]).collect();
        assert_eq!(found, learnt, "{source}");
        for range in &rendered.learnt {
            assert!(!rendered.text[..range.start].ends_with("<user>"));
        }
    }

    #[test]
    fn the_answer_is_known_by_the_templates_structure() {
        // The answer's words stand in the question too: searching for them would find the wrong place.
        let chat = [
            turn("user", "say yes", false),
            turn("assistant", "yes", true),
            turn("user", "yes or no?", false),
            turn("assistant", " no \n", true),
        ];
        check(CHATML, &chat, &["yes", " no \n"]);
        check(LLAMA_3, &chat, &["yes", "no"]);
        // Generation begins behind `[/INST]`: the space is the model's to write.
        check(STRIPS, &chat, &[" yes", " no"]);
        let tagged = "{%- for m in messages %}{{ m.role }}: {% generation %}{{ m.content }}</s>{% endgeneration %}\n\
                      {%- endfor %}{% if add_generation_prompt %}assistant: {% endif %}";
        check(tagged, &chat, &["yes", " no \n"]);
        let muted = [
            turn("user", "a", false),
            turn("assistant", "b", false),
            turn("user", "b", false),
            turn("assistant", "b", true),
        ];
        let template = ChatTemplate::parse(CHATML.to_owned(), "", "").expect("a template");
        let rendered = template.render(&muted).expect("rendered");
        assert_eq!(rendered.learnt.len(), 1);
        assert_eq!(rendered.learnt[0].start, rendered.text.rfind("b<|im_end|>").expect("the last turn"));
    }

    #[test]
    fn a_template_that_rewrites_is_read_by_prefixes_or_refused() {
        let thought = [turn("user", "2+2?", false), turn("assistant", "<think>four</think>4", true)];
        check(DROPS_THOUGHT, &thought, &["4"]);
        let refused = |source: &str, word: &str| {
            let template = ChatTemplate::parse(source.to_owned(), "", "").expect("a template");
            let message = template.render(&thought).expect_err("refused");
            assert!(message.contains(word) && !message.contains("four"), "{message}");
        };
        refused("{% for m in messages %}{{ m.content }}{{ m.content | reverse }}{% endfor %}x", "rewrites");
        refused("{% for m in messages %}{{ m.content | reverse }}{% endfor %}x", "its `user` turn is not in");
    }

    #[test]
    fn a_templates_own_refusal_is_told() {
        let template = ChatTemplate::parse(STRIPS.to_owned(), "<s>", "</s>").expect("a template");
        let message = template.render(&[turn("system", "secret", false)]).expect_err("no system turn");
        assert!(message.contains("Only user and assistant") && !message.contains("secret"), "{message}");
        for (source, name) in [("{{ strftime_now('%d') }}", "strftime_now"), ("{{ messages | shout }}", "shout")] {
            let template = ChatTemplate::parse(source.to_owned(), "", "").expect("a template");
            let message = template.render(&[turn("user", "secret", false)]).expect_err("nobody knows it");
            assert!(message.contains(name) && !message.contains("secret"), "{message}");
        }
    }

    #[test]
    fn a_template_that_never_ends_is_stopped() {
        let source = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        let template = ChatTemplate::parse(source.to_owned(), "", "").expect("a template");
        assert!(template.render(&[turn("user", "a", false)]).is_err());
    }
}
