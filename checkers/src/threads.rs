//! Work on several threads, and work that may break down.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Works on all items, on at most so many threads; the order of the results is that of the items. Who breaks down breaks all down.
pub(crate) fn on_threads<T: Send, R: Send>(items: Vec<T>, threads: usize, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let threads = threads.clamp(1, items.len().max(1));
    if threads == 1 {
        return items.into_iter().map(work).collect();
    }
    let found = Mutex::new(Vec::with_capacity(items.len()));
    let waiting = Mutex::new(items.into_iter().enumerate());
    let take = || lock(&waiting).next();
    let worker = || {
        let mut mine = Vec::new();
        while let Some((at, item)) = take() {
            mine.push((at, work(item)));
        }
        lock(&found).append(&mut mine);
    };
    std::thread::scope(|scope| {
        (1..threads).for_each(|_| {
            scope.spawn(worker);
        });
        worker();
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_unstable_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, result)| result).collect()
}

/// What work answers, or what it said when it broke down.
pub(crate) fn caught<R>(work: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
        text.unwrap_or_else(|| "no reason given".to_owned())
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        for threads in [1, 2, 7, 100] {
            let got = on_threads((0..50).collect(), threads, |n: u32| n * n);
            assert_eq!(got, (0..50).map(|n| n * n).collect::<Vec<u32>>());
        }
        assert!(on_threads(Vec::<u32>::new(), 3, |n| n).is_empty());
    }

    #[test]
    fn one_that_breaks_down_takes_nobody_along() {
        let got = on_threads(vec![1, 2, 3], 2, |n| caught(|| if n == 2 { panic!("no {n}") } else { n }));
        assert_eq!(got, vec![Ok(1), Err("no 2".to_owned()), Ok(3)]);
    }
}
