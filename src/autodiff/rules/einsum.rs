//! Sums over named axes: the gradient of an operand is again a sum of products, of the result's gradient and the other
//! operands, with the operand's axes as the result.

use super::{Parts, Site};
use crate::onnx::{Attribute, Op, shapes::Equation};

/// y[out] = Σ over what is not in `out`: a[…]·b[…]·…
pub(super) fn einsum(s: &mut Site<'_>) -> Parts {
    let text = s.node.text("equation").ok_or("it has no equation")?.to_owned();
    let ranks = (0..s.node.inputs.len()).map(|at| s.rank(at)).collect::<Result<Vec<_>, _>>()?;
    let equation = Equation::parse(&text, &ranks).ok_or_else(|| format!("its equation `{text}` does not fit"))?;
    let repeats = |letters: &[char]| (1..letters.len()).any(|at| letters[..at].contains(&letters[at]));
    if equation.operands.iter().any(|letters| repeats(letters)) {
        return Err(format!("its equation `{text}` takes a diagonal"));
    }
    (0..ranks.len()).map(|at| if s.wants(at) { s.einsum_part(&equation, at).map(Some) } else { Ok(None) }).collect()
}

impl Site<'_> {
    fn einsum_part(&mut self, equation: &Equation, position: usize) -> Result<String, String> {
        let (g, x) = (self.g()?, self.x(position)?);
        let mut terms: Vec<(&[char], String)> = vec![(&equation.output, g.clone())];
        for (at, letters) in equation.operands.iter().enumerate().filter(|&(at, _)| at != position) {
            terms.push((letters, self.x(at)?));
        }
        // A number takes part as a factor: not every version of the operator accepts an operand without axes.
        let (factors, terms): (Vec<_>, Vec<_>) = terms.into_iter().partition(|(letters, _)| letters.is_empty());
        let own = &equation.operands[position];
        let (kept, lonely): (Vec<usize>, Vec<usize>) =
            (0..own.len()).partition(|&at| terms.iter().any(|(letters, _)| letters.contains(&own[at])));
        let target: Vec<char> = kept.iter().map(|&at| own[at]).collect();
        let mut part = match terms.as_slice() {
            [] => None,
            [(letters, only)] if *letters == target => Some(only.clone()),
            terms => {
                let sides: Vec<String> = terms.iter().map(|(letters, _)| letters.iter().collect()).collect();
                let text = format!("{}->{}", sides.join(","), target.iter().collect::<String>());
                let operands: Vec<&str> = terms.iter().map(|(_, name)| name.as_str()).collect();
                Some(self.b.node(Op::Einsum, &operands, &[("equation", Attribute::String(text.into_bytes()))]))
            }
        };
        for (_, factor) in factors {
            part = Some(part.map_or(factor.clone(), |part| self.b.mul(&part, &factor)));
        }
        let mut part = part.unwrap_or(g);
        // An axis that only this operand has was summed by itself: the gradient is the same all along it.
        if !lonely.is_empty() && !target.is_empty() {
            let axes = self.b.ints(&lonely.iter().map(|&at| at as i64).collect::<Vec<_>>());
            part = self.b.binary(Op::Unsqueeze, &part, &axes);
        }
        if !lonely.is_empty() {
            return Ok(self.b.expand_like(&part, &x));
        }
        Ok(self.b.unbroadcast(&part, &x))
    }
}
