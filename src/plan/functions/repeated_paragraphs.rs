//! `repeated_paragraphs`: the share of paragraphs that stood there before.

use super::Argument::Text;
use super::parts::{Repeats, between_breaks};
use super::{Constants, Eval, Example, Function, Parameter, Parts, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "repeated_paragraphs",
    summary: "the share of paragraphs that stood in the text before, or of their characters",
    docs: "\
The share of paragraphs that are the same as one before; two or more line feeds part paragraphs, and whitespace around the text does
not count. By `chars`, the characters of the repeated paragraphs are taken as a share of the text's, whitespace around it
included. Null for the empty text.",
    parameters: &[TEXT, Parameter::word("by", &["count", "chars"], "count")],
    result: Eval::Ratio(eval).result(),
    examples: &[
        Example::with("Buy!\n\nIt is good.\n\nBuy!\n", &[Text("count")], "0.3333333333333333"),
        Example::with("Buy!\nIt is good.\nBuy!", &[Text("count")], "0"),
        Example::with("Buy!\n\nBuy!", &[Text("chars")], "0.4"),
        Example::with("", &[Text("chars")], "null"),
    ],
    version: 1,
    eval: Eval::Ratio(eval),
};

fn eval(of: &Parts<'_>, constants: &Constants) -> Option<f64> {
    if of.text().is_empty() {
        return None;
    }
    let repeats = Repeats::among(between_breaks(of.text().trim(), 2));
    match constants.text(0) {
        "chars" => of.share_of_chars(repeats.repeated_chars),
        _ => repeats.share(),
    }
}
