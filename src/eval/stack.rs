//! How deep evaluations nest, and stacks on which that fits.

use std::cell::Cell;

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use super::evaluator::{Eval, Stop};

/// Nested evaluations on one thread, also through locals and modules. Real configurations stay below 60; this many fit in
/// the 2 MiB of a thread's stack in builds without optimisation.
const MAX_DEPTH: usize = 200;

/// As [`MAX_DEPTH`], on a deep stack: locals, resources and modules refer to each other in chains.
const MAX_DEEP: usize = 2_000;

/// The bytes that those take. What is not used is never touched.
const DEEP_STACK: usize = 64 << 20;

/// The bytes that a thread of [`pool`] has beside those: who waits in a pool takes up other work meanwhile, one root module
/// inside of another.
const SPARE: usize = 16 << 20;

/// What is said of what is deeper.
pub(super) const TOO_DEEP: &str = "expressions nest too deeply";

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    static LIMIT: Cell<usize> = const { Cell::new(MAX_DEPTH) };
    /// Where the stack of a thread of [`pool`] begins.
    static BEGIN: Cell<Option<usize>> = const { Cell::new(None) };
}

/// A pool in which [`on_deep_stack`] need not make a thread for each root module; of as many threads as there are cores for
/// zero.
///
/// # Errors
/// The system has no more threads.
pub fn pool(threads: usize) -> Result<ThreadPool, ThreadPoolBuildError> {
    let begin = |_| BEGIN.set(Some(here()));
    let builder = ThreadPoolBuilder::new().num_threads(threads);
    builder.stack_size(DEEP_STACK + SPARE).start_handler(begin).build()
}

/// Does the work on a stack that is deep enough for chains through real modules: that of a thread of [`pool`], if enough of
/// it is left, or of a new thread; where none can be had, on this one.
pub fn on_deep_stack<T: Send>(work: impl Fn() -> T + Sync) -> T {
    let deep = || {
        let before = LIMIT.replace(MAX_DEEP);
        let result = work();
        LIMIT.set(before);
        result
    };
    if DEPTH.get() == 0 && BEGIN.get().is_some_and(|begin| begin.abs_diff(here()) < SPARE) {
        return deep();
    }
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(DEEP_STACK);
        match builder.spawn_scoped(scope, deep) {
            Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(_) => work(),
        }
    })
}

/// About where on its stack the thread is.
fn here() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(&here).addr()
}

/// Counts levels of nesting for as long as it lives.
pub(super) struct Level(usize);

impl Level {
    pub(super) fn enter() -> Eval<Self> {
        Self::enter_many(1)
    }

    /// Counts `count` levels: their frames are as large.
    pub(super) fn enter_many(count: usize) -> Eval<Self> {
        DEPTH.with(|depth| {
            if depth.get() + count > LIMIT.get() {
                return Err(Stop::Limit(TOO_DEEP));
            }
            depth.set(depth.get() + count);
            Ok(Self(count))
        })
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        DEPTH.with(|depth| depth.set(depth.get().saturating_sub(self.0)));
    }
}
