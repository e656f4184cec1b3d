//! Batches of matrices: tensors whose last two axes are a matrix's.

/// The axes that a tensor is a batch of matrices along, and the rows and columns of one.
pub(super) fn split(shape: &[i64]) -> ort::Result<(&[i64], (usize, usize))> {
    let Some((batch, &[rows, columns])) = shape.split_last_chunk::<2>() else {
        return Err(ort::Error::new("its operand is no matrix"));
    };
    let size = |size: i64| usize::try_from(size).map_err(|_| ort::Error::new("its operand has a negative size"));
    Ok((batch, (size(rows)?, size(columns)?)))
}

/// The axes that both are a batch along, where an axis of one place is repeated as numpy does.
pub(super) fn broadcast(a: &[i64], b: &[i64]) -> ort::Result<Vec<i64>> {
    let rank = a.len().max(b.len());
    let size = |batch: &[i64], at: usize| (at + batch.len()).checked_sub(rank).map_or(1, |at| batch[at]);
    let both = (0..rank).map(|at| match (size(a, at), size(b, at)) {
        (a, b) if a == b || b == 1 => Ok(a),
        (1, b) => Ok(b),
        (a, b) => Err(ort::Error::new(format!("its batches have {a} and {b} places"))),
    });
    both.collect()
}

/// Which matrix of an operand stands at each place of the batch that its own was broadcast to.
pub(super) fn places(batch: &[i64], own: &[i64]) -> Vec<usize> {
    let missing = batch.len() - own.len();
    batch.iter().enumerate().fold(vec![0], |places, (at, &size)| {
        let own = at.checked_sub(missing).map_or(1, |at| own[at]);
        let next =
            |place: usize| (0..size).map(move |at| place * own as usize + if own == 1 { 0 } else { at as usize });
        places.into_iter().flat_map(next).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_of_one_place_is_repeated() {
        let (a, b) = ([2, 1, 3], [4, 1]);
        let batch = broadcast(&a, &b).unwrap();
        assert_eq!(batch, [2, 4, 3]);
        assert_eq!(places(&batch, &a)[..15], [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 3, 4, 5]);
        assert_eq!(places(&batch, &b)[..14], [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 0, 0]);
        assert_eq!(places(&broadcast(&[], &[]).unwrap(), &[]), [0]);
        assert_eq!(broadcast(&[0, 2], &[1, 2]).unwrap(), [0, 2]);
    }
}
