//! Products of matrices by the crate gemm on one thread, of the sizes of MiniLM-L6's and a small Llama's layers, as
//! `with_onnxruntime.py` does them: `products`.

use std::time::Instant;

use gemm::Parallelism;

/// How far apart two rows are, and two columns.
type Strides = (isize, isize);

fn main() {
    for (rows, terms, columns) in [(1024, 384, 384), (1024, 384, 1536), (1024, 1536, 384), (1024, 256, 4096)] {
        let sizes = format!("{rows}×{terms}×{columns}");
        let (down, along) = (terms as isize, columns as isize);
        measure(&format!("{sizes} forward"), 1, (rows, terms, columns), (down, 1), (along, 1));
        measure(&format!("{sizes} by its input"), 1, (rows, columns, terms), (along, 1), (1, along));
        measure(&format!("{sizes} by its weights"), 1, (terms, rows, columns), (1, down), (along, 1));
    }
    for (heads, places, size) in [(96, 128, 32), (32, 256, 32)] {
        let (sizes, wide, narrow) = (format!("{heads} heads of {places}×{size}"), places as isize, size as isize);
        measure(&format!("{sizes} scores"), heads, (places, size, places), (narrow, 1), (1, narrow));
        measure(&format!("{sizes} results"), heads, (places, places, size), (wide, 1), (narrow, 1));
        measure(&format!("{sizes} by keys"), heads, (places, places, size), (1, wide), (narrow, 1));
    }
}

/// Prints the median of 31 runs of so many products of these rows, terms and columns.
fn measure(what: &str, count: usize, (rows, terms, columns): (usize, usize, usize), a: Strides, b: Strides) {
    let numbers = |length: usize| -> Vec<f32> { (0..length).map(|at| (at % 97) as f32 * 0.01 - 0.4).collect() };
    let (left, right) = (numbers(count * rows * terms), numbers(count * terms * columns));
    let mut result = numbers(count * rows * columns);
    let mut all = || {
        let operands = left.chunks_exact(rows * terms).zip(right.chunks_exact(terms * columns));
        for (result, (left, right)) in result.chunks_exact_mut(rows * columns).zip(operands) {
            // The slices have as many numbers as the sizes say, and the strides are those of their rows or of their columns.
            #[allow(unsafe_code)]
            unsafe {
                let (to, left, right) = (result.as_mut_ptr(), left.as_ptr(), right.as_ptr());
                let along = columns as isize;
                gemm::gemm(
                    rows,
                    columns,
                    terms,
                    to,
                    1,
                    along,
                    false,
                    left,
                    a.1,
                    a.0,
                    right,
                    b.1,
                    b.0,
                    0.0,
                    1.0,
                    false,
                    false,
                    false,
                    Parallelism::None,
                );
            }
        }
    };
    all();
    let mut seconds: Vec<f64> = (0..31)
        .map(|_| {
            let start = Instant::now();
            all();
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    let operations = 2.0 * (count * rows * terms * columns) as f64;
    println!("{what:36} {:8.3} ms {:6.1} GFLOP/s", seconds[15] * 1e3, operations / seconds[15] / 1e9);
}
