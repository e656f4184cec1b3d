//! `perplexity`: how surprising a text is to a language model.

use super::Argument::Text;
use super::{Constants, Eval, Example, Function, Parameter, ParameterKind, Parts, TEXT};
use crate::eval::CausalModelError;

pub(super) const FUNCTION: Function = Function {
    name: "perplexity",
    summary: "how surprising the text is to a causal language model, from 1",
    docs: "\
exp of the mean negative logarithm of the probability that the model gives each token, given those before it: 1 for a text of which
every token was certain, the size of the vocabulary for one that was guessed. The `model` comes from a folder,
`model lm { onnx \"models/lm\" }`, as Optimum exports a causal language model, with past or without, in 32-bit floats: `model.onnx`,
`tokenizer.json` and `config.json` are read. The text is framed as the tokenizer's post-processor frames it: where that puts a
beginning before each text, the first token of the text is measured too, else it only helps to measure the next. Null for a text without
a token of its own, for one of fewer than two tokens with the frame, and where the tokenizer cannot read a text.

A text that is longer than what the model takes is measured in windows of as many tokens as it takes, and of 1,024 at most. They begin
half a window apart, and each measures what the one before it did not reach: each token behind the first window is judged after half a
window at least. The sum is of 64 bits, and the figure has four digits.

Every text is a run of its own on one thread, so that no figure depends on other texts or on `--jobs`; each worker has the model in
memory once. A network computes with rounded numbers, and processors with other instructions round otherwise: four digits hide it nearly
always, not always. So choose a threshold with a margin, and from figures of your own texts: they differ by orders of magnitude between
models. The content of the model's files and the version of onnxruntime are part of what decides whether a data set is built
anew. The examples are measured by a model that counted in four sentences which token follows which.",
    parameters: &[TEXT, Parameter::of("model", ParameterKind::LanguageModel)],
    result: Eval::Judged(eval).result(),
    examples: &[
        Example::with("Where is my card?", &[Text("base")], "2.368"),
        Example::with("card card is card", &[Text("base")], "369"),
        Example::with("", &[Text("base")], "null"),
    ],
    version: 1,
    eval: Eval::Judged(eval),
};

fn eval(of: &Parts<'_>, constants: &Constants) -> Result<Option<f64>, CausalModelError> {
    Ok(constants.language_model(0).perplexity(of.text())?.map(rounded))
}

/// The nearest number of four decimal digits.
fn rounded(figure: f64) -> f64 {
    format!("{figure:.3e}").parse().expect("a number in scientific notation is one")
}
