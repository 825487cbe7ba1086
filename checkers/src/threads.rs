//! Work on threads of which none can take the others down.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Works on all items, on so many threads; the order of the results is that of the items. One that breaks down is a reason.
pub(crate) fn on_threads<T: Send, R: Send>(
    items: Vec<T>,
    threads: usize,
    work: impl Fn(T) -> R + Sync,
) -> Vec<Result<R, String>> {
    let guarded = |item: T| {
        catch_unwind(AssertUnwindSafe(|| work(item)))
            .map_err(|p| format!("the judge broke down: {}", words(p.as_ref())))
    };
    let threads = threads.clamp(1, items.len().max(1));
    if threads == 1 {
        return items.into_iter().map(guarded).collect();
    }
    let count = items.len();
    let waiting = Mutex::new(items.into_iter().enumerate());
    let results: Mutex<Vec<Option<Result<R, String>>>> = Mutex::new((0..count).map(|_| None).collect());
    let work = || {
        while let Some((at, item)) = lock(&waiting).next() {
            let result = guarded(item);
            lock(&results)[at] = Some(result);
        }
    };
    std::thread::scope(|scope| {
        (1..threads).for_each(|_| {
            scope.spawn(work);
        });
        work();
    });
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.into_iter().map(|r| r.unwrap_or_else(|| Err("a dataId was not judged".to_owned()))).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a panic says.
pub(crate) fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()))
        .unwrap_or_else(|| "no reason given".to_owned())
}
