//! `symbol_ratio`: hashes and ellipses for each word.

use memchr::{memchr_iter, memmem};

use super::Argument::Text;
use super::{Constants, Eval, Example, Function, Parameter, Parts, TEXT};

pub(super) const FUNCTION: Function = Function {
    name: "symbol_ratio",
    summary: "how many `#` and ellipses there are for each word",
    docs: "\
The number of hash signs and of ellipses (`...` or `\u{2026}`) for each word, as Gopher's filter has it; marks between words count
among the words here, as they do in its public implementations. `hash` and `ellipsis` count one of the two. It may be above
1; null for a text without words and marks.",
    parameters: &[TEXT, Parameter::word("symbol", &["hash", "ellipsis", "both"], "both")],
    result: Eval::Amount(eval).result(),
    examples: &[
        Example::with("# one # two", &[Text("both")], "0.5"),
        Example::with("and then ...", &[Text("both")], "0.3333333333333333"),
        Example::with("and then ...", &[Text("hash")], "0"),
        Example::with("#\u{2026}", &[Text("ellipsis")], "0.5"),
        Example::with("#", &[Text("hash")], "1"),
        Example::with("", &[Text("both")], "null"),
    ],
    version: 2,
    eval: Eval::Amount(eval),
};

fn eval(of: &Parts<'_>, constants: &Constants) -> Option<f64> {
    let bytes = of.text().as_bytes();
    let hashes = || memchr_iter(b'#', bytes).count();
    let ellipses =
        || memmem::find_iter(bytes, b"...").count() + memmem::find_iter(bytes, "\u{2026}".as_bytes()).count();
    let symbols = match constants.text(0) {
        "hash" => hashes(),
        "ellipsis" => ellipses(),
        _ => hashes() + ellipses(),
    };
    let pieces = of.pieces().len();
    (pieces > 0).then(|| symbols as f64 / pieces as f64)
}
