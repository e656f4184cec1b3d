//! `tokens`: how many tokens of a model.

use super::Argument::Text;
use super::{Constants, Eval, Example, Function, Parameter, ParameterKind, Parts, TEXT, whole};

pub(super) const FUNCTION: Function = Function {
    name: "tokens",
    summary: "counts the tokens of a model's tokenizer",
    docs: "\
The number of tokens that the tokenizer of a declared `model` makes of the text, without those that it frames a text with. The
model comes from a folder, `model base { onnx \"models/base\" }`, of which `tokenizer.json` is read: a new model learns its tokenizer from the
data set itself and so has none yet. The tokenizer's content is part of what decides whether a data set is built anew. Null
where the tokenizer cannot read a text. The examples are counted by a tokenizer that was learnt from four
sentences.",
    parameters: &[TEXT, Parameter::of("model", ParameterKind::Model)],
    result: Eval::CountOrNull(eval).result(),
    examples: &[
        Example::with("Where is my card?", &[Text("base")], "5"),
        Example::with("card, card", &[Text("base")], "3"),
        Example::with("", &[Text("base")], "0"),
    ],
    version: 1,
    eval: Eval::CountOrNull(eval),
};

fn eval(of: &Parts<'_>, constants: &Constants) -> Option<i64> {
    let tokens = constants.tokenizer(0).encode(of.text(), false).ok()?;
    Some(whole(tokens.ids.len()))
}
