//! `short_lines`: the share of short lines.

use super::Argument::Whole;
use super::{Constants, Eval, Example, Function, Parameter, Parts, TEXT, share_of};

pub(super) const FUNCTION: Function = Function {
    name: "short_lines",
    summary: "the share of lines of at most so many characters",
    docs: "\
The share of lines with at most `most` code points among those that are not blank: menus and tables are high, running text
is low. Null for a text without such lines.",
    parameters: &[TEXT, Parameter::whole("most", 1, 1_000_000)],
    result: Eval::Ratio(eval).result(),
    examples: &[
        Example::with("Home\nContact\n\nThis line has more than thirty characters.", &[Whole(30)], "0.6666666666666666"),
        Example::with("caf\u{e9}", &[Whole(4)], "1"),
        Example::with("caf\u{e9}", &[Whole(3)], "0"),
        Example::with("", &[Whole(30)], "null"),
    ],
    version: 1,
    eval: Eval::Ratio(eval),
};

fn eval(of: &Parts<'_>, constants: &Constants) -> Option<f64> {
    let most = constants.whole(0);
    share_of(of.full_lines(), |line| line.len() <= most || line.chars().nth(most).is_none())
}
