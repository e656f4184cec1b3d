//! Records side by side on several threads, taken in their order.

use std::panic::resume_unwind;
use std::thread;

use super::TrainError;

/// Records that a thread is given at a time: many enough that to start it costs nothing, few enough that what is made of them takes no
/// memory to speak of.
const AT_A_TIME: usize = 512;

/// Gives `take` each item with what `make` makes of it, in the items' order; `make` runs on so many threads. An error is that of the
/// first item that has one, whatever the number of threads.
pub(super) fn in_order<T: Sync, R: Send>(
    threads: usize,
    items: &[T],
    make: impl Fn(&T) -> Result<R, TrainError> + Sync,
    mut take: impl FnMut(&T, R),
) -> Result<(), TrainError> {
    let threads = threads.max(1);
    for round in items.chunks(threads.saturating_mul(AT_A_TIME)) {
        let parts: Vec<&[T]> = round.chunks(round.len().div_ceil(threads)).collect();
        let made = thread::scope(|scope| {
            let make = &make;
            let others = parts[1..].iter().map(|part| scope.spawn(move || part.iter().map(make).collect()));
            let others: Vec<_> = others.collect();
            let mut made: Vec<Result<Vec<R>, TrainError>> = vec![parts[0].iter().map(make).collect()];
            made.extend(others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic))));
            made
        });
        for (part, made) in parts.into_iter().zip(made) {
            part.iter().zip(made?).for_each(|(item, made)| take(item, made));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_taken_in_order_and_the_first_error_is_told() {
        let items: Vec<usize> = (0..5000).collect();
        for threads in [0, 1, 2, 3, 8] {
            let mut taken = Vec::new();
            let made = in_order(threads, &items, |item| Ok(item * 2), |item, made| taken.push((*item, made)));
            assert!(made.is_ok() && taken.iter().copied().eq(items.iter().map(|item| (*item, item * 2))), "{threads}");
            let fails = |item: &usize| match *item {
                1300 | 1301 | 4000 => Err(TrainError::NoNumber { id: item.to_string() }),
                _ => Ok(()),
            };
            let error = in_order(threads, &items, fails, |_, ()| ()).expect_err("three items have errors");
            assert!(matches!(&error, TrainError::NoNumber { id } if id == "1300"), "{threads}: {error}");
        }
        assert!(in_order(2, &[] as &[usize], |_| Ok(()), |_, ()| ()).is_ok());
    }
}
