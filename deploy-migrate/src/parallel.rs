//! The same for many things, on all processors.

use std::thread;

/// Fewer are done before a second thread has begun (ours: to read a file, or what is in it, takes some 20 µs).
pub(crate) const WORTH_A_THREAD: usize = 64;

/// As many threads as there are processors.
pub(crate) fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// What comes of each, in order.
pub(crate) fn map<T: Sync, R: Send>(all: &[T], does: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let some = |some: &[T]| some.iter().map(&does).collect::<Vec<R>>();
    if all.len() < WORTH_A_THREAD {
        return some(all);
    }
    thread::scope(|scope| {
        let parts = all.chunks(all.len().div_ceil(threads()));
        let running: Vec<_> = parts.map(|part| (part, scope.spawn(|| some(part)))).collect();
        // Whatever has stopped a thread stops this one here.
        running.into_iter().flat_map(|(part, one)| one.join().unwrap_or_else(|_| some(part))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_threads_do_comes_in_order() {
        for count in [0, 1, 63, 64, 1000] {
            let all: Vec<usize> = (0..count).collect();
            assert_eq!(map(&all, |one| one * 2), all.iter().map(|one| one * 2).collect::<Vec<_>>());
        }
    }
}
