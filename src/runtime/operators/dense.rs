//! Products of matrices, by the kernels of the crate `gemm`.
//!
//! Each element is summed in an order that depends on the sizes alone: neither the caches of the processor nor the number of threads
//! nor the tiles that a result is cut into change a bit of it.

use std::marker::PhantomData;
use std::ops::Range;

use gemm::Parallelism;

/// Terms that are summed in one go, which the crate does on every processor. An element is the sum of such sums.
const TERMS: usize = 512;

/// The least side of a tile that a matrix is cut into, and the elements that a tile has more of: kernels for smaller ones sum in
/// another order.
const SIDE: usize = 64;
const SMALL: usize = 256;

/// A product of so few terms is computed by kernels for vectors, whose roundings depend on where an element stands.
const FEW: usize = 2;

/// Multiplications that are worth a thread.
pub(super) const WORTH: usize = 1 << 18;

/// Whether the crate can compute on this processor. It takes instructions of AVX2 for granted where it finds those that multiply and
/// add, and those of AVX-512 altogether where it finds the first; and it needs a second cache that can hold what it packs, which
/// virtual machines tell strange sizes of.
pub(super) fn is_supported() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        use std::is_x86_feature_detected as has;
        let avx2 = has!("avx2") && has!("bmi1") && has!("bmi2") && has!("lzcnt") && has!("popcnt");
        let avx512 = has!("avx512bw") && has!("avx512cd") && has!("avx512dq") && has!("avx512vl");
        if (has!("fma") && !avx2) || (has!("avx512f") && !(avx2 && avx512)) {
            return false;
        }
    }
    gemm_common::cache::CACHE_INFO[1].cache_bytes >= 1 << 17
}

/// A matrix that is read.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    /// How far apart two rows are, and two columns.
    strides: (usize, usize),
}

impl<'a> Matrix<'a> {
    /// Values in rows.
    ///
    /// # Panics
    /// Where there are fewer values than that.
    pub(super) fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        Self { values: &values[..rows * columns], rows, columns, strides: (columns, 1) }
    }

    pub(super) fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, strides: (self.strides.1, self.strides.0), ..self }
    }

    /// Itself or, where that is so, transposed.
    pub(super) fn turned(self, transposed: bool) -> Self {
        if transposed { self.transposed() } else { self }
    }

    /// Some of its rows.
    ///
    /// # Panics
    /// Where it has no such rows.
    pub(super) fn rows(self, rows: Range<usize>) -> Self {
        self.part(rows, 0..self.columns)
    }

    /// Some of its columns.
    ///
    /// # Panics
    /// Where it has no such columns.
    pub(super) fn columns(self, columns: Range<usize>) -> Self {
        self.part(0..self.rows, columns)
    }

    fn part(self, rows: Range<usize>, columns: Range<usize>) -> Self {
        let first = place((self.rows, self.columns), self.strides, &rows, &columns);
        Self { values: &self.values[first..], rows: rows.len(), columns: columns.len(), ..self }
    }
}

/// A matrix that is written. Its elements are nobody else's; what lies between them may be.
pub(super) struct MatrixMut<'a> {
    first: *mut f32,
    rows: usize,
    columns: usize,
    /// How far apart two rows are; the elements of one are side by side.
    apart: usize,
    values: PhantomData<&'a mut [f32]>,
}

// It is a mutable borrow of its elements, and numbers may be sent.
#[allow(unsafe_code)]
unsafe impl Send for MatrixMut<'_> {}

impl<'a> MatrixMut<'a> {
    /// Values in rows.
    ///
    /// # Panics
    /// Where there are fewer values than that.
    pub(super) fn new(values: &'a mut [f32], rows: usize, columns: usize) -> Self {
        let first = values[..rows * columns].as_mut_ptr();
        Self { first, rows, columns, apart: columns, values: PhantomData }
    }

    /// Some of its rows.
    ///
    /// # Panics
    /// Where it has no such rows.
    pub(super) fn rows(&mut self, rows: Range<usize>) -> MatrixMut<'_> {
        self.part(rows, 0..self.columns)
    }

    /// Some of its columns.
    ///
    /// # Panics
    /// Where it has no such columns.
    pub(super) fn columns(&mut self, columns: Range<usize>) -> MatrixMut<'_> {
        self.part(0..self.rows, columns)
    }

    fn part(&mut self, rows: Range<usize>, columns: Range<usize>) -> MatrixMut<'_> {
        let at = place((self.rows, self.columns), (self.apart, 1), &rows, &columns);
        // That is the place of one of its elements, or of what is behind its last for a part without any.
        #[allow(unsafe_code)]
        let first = unsafe { self.first.add(at) };
        MatrixMut { first, rows: rows.len(), columns: columns.len(), ..*self }
    }

    /// Cuts it into tiles for a product of so many terms, at least `least` where they do not become too small.
    pub(super) fn tiles(self, terms: usize, least: usize) -> Vec<Tile<'a>> {
        let least = if terms > FEW { least } else { 1 };
        let (mut down, mut along) = (1, 1);
        while down * along < least {
            let (height, width) = (self.rows / down, self.columns / along);
            let (parts, half, other) =
                if height >= width { (&mut down, height / 2, width) } else { (&mut along, width / 2, height) };
            if half < SIDE || half * other <= SMALL {
                break;
            }
            *parts *= 2;
        }
        let cut = |size: usize, parts: usize| (0..parts).map(move |at| size * at / parts..size * (at + 1) / parts);
        let mut tiles = Vec::new();
        for rows in cut(self.rows, down) {
            for columns in cut(self.columns, along) {
                let at = place((self.rows, self.columns), (self.apart, 1), &rows, &columns);
                // As in `part`; no two tiles share an element.
                #[allow(unsafe_code)]
                let first = unsafe { self.first.add(at) };
                let matrix = MatrixMut { first, rows: rows.len(), columns: columns.len(), ..self };
                tiles.push(Tile { matrix, rows: rows.clone(), columns });
            }
        }
        tiles
    }
}

/// A part of a matrix that is written.
pub(super) struct Tile<'a> {
    pub(super) matrix: MatrixMut<'a>,
    /// Which rows it has.
    pub(super) rows: Range<usize>,
    /// Which columns it has.
    pub(super) columns: Range<usize>,
}

/// Where a part of a matrix begins.
fn place((rows, columns): (usize, usize), strides: (usize, usize), down: &Range<usize>, along: &Range<usize>) -> usize {
    assert!(down.start <= down.end && down.end <= rows && along.start <= along.end && along.end <= columns);
    if down.is_empty() || along.is_empty() { 0 } else { down.start * strides.0 + along.start * strides.1 }
}

/// What becomes of the numbers that stand in a result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Before {
    /// They are not looked at.
    Replaced,
    /// The product is added to them.
    Kept,
}

/// Writes α·a·b.
///
/// # Panics
/// Where the sizes do not fit together.
pub(super) fn multiply(alpha: f32, a: Matrix<'_>, b: Matrix<'_>, to: MatrixMut<'_>, before: Before) {
    assert!(a.columns == b.rows && to.rows == a.rows && to.columns == b.columns, "the sizes of a product fit together");
    // Without terms there is still a product, of zeros.
    for start in (0..a.columns.max(1)).step_by(TERMS) {
        let terms = start..(start + TERMS).min(a.columns);
        let (a, b) = (a.columns(terms.clone()), b.rows(terms));
        let adds = start > 0 || before == Before::Kept;
        // Each matrix lies where its constructor found it to: `Matrix` within a slice that is borrowed, `MatrixMut` in elements that
        // are its own.
        #[allow(unsafe_code)]
        unsafe {
            gemm::gemm(
                to.rows,
                to.columns,
                a.columns,
                to.first,
                1,
                to.apart as isize,
                adds,
                a.values.as_ptr(),
                a.strides.1 as isize,
                a.strides.0 as isize,
                b.values.as_ptr(),
                b.strides.1 as isize,
                b.strides.0 as isize,
                1.0,
                alpha,
                false,
                false,
                false,
                Parallelism::None,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|at| (((at + seed) * 7919 % 1009) as f32 / 504.5) - 1.0).collect()
    }

    /// Products of these sizes in every layout, in tiles for so many threads, against sums in double precision.
    fn check((rows, terms, columns): (usize, usize, usize)) {
        let (a, b, old) = (numbers(rows * terms, 1), numbers(terms * columns, 5), numbers(rows * columns, 3));
        let turned = |values: &[f32], rows: usize, columns: usize| -> Vec<f32> {
            (0..columns).flat_map(|column| (0..rows).map(move |row| values[row * columns + column])).collect()
        };
        for layout in 0..4 {
            let [of_a, of_b] = [1, 2].map(|bit| layout & bit != 0);
            let a_values = if of_a { turned(&a, rows, terms) } else { a.clone() };
            let b_values = if of_b { turned(&b, terms, columns) } else { b.clone() };
            let shaped = |values, turned, (rows, columns)| match turned {
                true => Matrix::new(values, columns, rows).transposed(),
                false => Matrix::new(values, rows, columns),
            };
            let (left, right) = (shaped(&a_values, of_a, (rows, terms)), shaped(&b_values, of_b, (terms, columns)));
            for before in [Before::Replaced, Before::Kept] {
                let mut first: Option<Vec<f32>> = None;
                for least in [1, 2, 3, 16] {
                    let mut y = old.clone();
                    for tile in MatrixMut::new(&mut y, rows, columns).tiles(terms, least) {
                        multiply(0.5, left.rows(tile.rows), right.columns(tile.columns), tile.matrix, before);
                    }
                    for (at, found) in y.iter().enumerate() {
                        let (row, column) = (at / columns, at % columns);
                        let of = |term: usize| f64::from(a[row * terms + term]) * f64::from(b[term * columns + column]);
                        let kept = if before == Before::Kept { f64::from(old[at]) } else { 0.0 };
                        let expected = kept + 0.5 * (0..terms).map(of).sum::<f64>();
                        // Sums of numbers up to 1 in single precision.
                        let tolerance = 1e-6 * (4.0 + terms as f64);
                        assert!((f64::from(*found) - expected).abs() < tolerance, "{found} is not {expected}");
                    }
                    let same = *first.get_or_insert_with(|| y.clone()) == y;
                    assert!(same, "{least} tiles of {rows}×{terms}×{columns}, layout {layout}");
                }
            }
        }
    }

    #[test]
    fn products_do_not_depend_on_tiles() {
        for sizes in [
            (1, 1, 1),
            (3, 0, 5),
            (1, 40, 300),
            (300, 40, 1),
            (130, 2, 130),
            (130, 40, 3),
            (130, 513, 130),
            (70, 700, 150),
            (200, 33, 200),
        ] {
            check(sizes);
        }
    }
}
