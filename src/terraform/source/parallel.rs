//! One evaluation by several threads, where a root module has many instances of a module.
//!
//! Everything is evaluated when something asks for it. So each thread has an evaluation of its own, asks it for some of the
//! instances, and evaluates once more only what they share. Instances are taken in portions by whoever is free; what they
//! give is put together in the order in which one thread would have made it, and is the same. Where it would not be, because
//! it depends on what was asked for first (cycles, limits), one thread does it all.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::diagnostic::Diagnostic;
use crate::eval::{self, Directory, Mode};
use crate::program::{Program, ProviderConfig};
use crate::value::Value;

use super::calls::Called;
use super::instance::{self, MAX_RESOURCES};
use super::module::Definition;
use super::providers::Identity;
use super::run::{Run, Said, Taken};
use super::scope::ModuleScope;

/// Calls with fewer instances are left to one thread.
const LARGE: usize = 64;

/// So many instances are taken at once.
const PORTION: usize = 16;

/// Each helper evaluates once more what the instances share: it must have more to do than that, and too many of them only
/// take memory.
const PORTIONS_OF_HELPER: usize = 2;
const MAX_HELPERS: usize = 7;

/// What an evaluation begins with.
pub(super) struct Start<'a> {
    /// The root module's definition, then those of the modules that are called.
    pub(super) definitions: &'a [Definition<'a>],
    pub(super) directory: Option<Directory<'a>>,
    pub(super) workspace: Option<&'a str>,
    pub(super) mode: Mode,
    /// The root module's variables.
    pub(super) variables: BTreeMap<&'a str, Value>,
}

/// The calls of the root module with many instances.
struct Large<'a>(BTreeMap<&'a str, Portions>);

/// Which instances of a call are still to be evaluated.
struct Portions {
    next: AtomicUsize,
    end: usize,
}

/// Where a portion stands among the others: the place of its call, from one, and the first of its instances.
type Place = (usize, usize);

/// What one thread made.
struct Share {
    portions: Vec<(Place, Program)>,
    providers: Vec<(Identity, ProviderConfig)>,
    /// Of provider configurations.
    diagnostics: Vec<Diagnostic>,
    expressions: usize,
    taken: Taken,
    depends_on_order: bool,
}

impl<'a> Start<'a> {
    fn scope(&self, root: &'a Definition<'a>) -> Rc<ModuleScope<'a>> {
        let run = Run::new(self.definitions, self.directory, self.workspace, self.mode);
        ModuleScope::root(Rc::new(run), root, self.variables.clone())
    }

    /// Evaluates every resource and data block of the root module, and of those that it calls.
    pub(super) fn expand(&self) -> Program {
        let Some(root) = self.definitions.first() else { return Program::default() };
        let mut scope = self.scope(root);
        // Also where there is one thread: what comes out is the same on every machine.
        let large = Large::of(&scope);
        // Other threads have no stack that is deep enough.
        let threads = rayon::current_thread_index().map_or(1, |_| rayon::current_num_threads());
        let helpers = (threads - 1).min(large.portions() / PORTIONS_OF_HELPER).min(MAX_HELPERS);
        if helpers > 0 && !scope.run.depends_on_order() {
            if let Some(program) = self.shared(root, &scope, &large, helpers) {
                return program;
            }
            scope = self.scope(root);
            let _ = Large::of(&scope);
        }
        let mut program = Program::default();
        instance::expand_module(&scope, &mut program);
        program.providers = scope.run.providers.evaluated();
        program.diagnostics = scope.run.diagnostics.take();
        program.expressions = scope.run.expressions();
        in_source_order(program)
    }

    /// As [`Start::expand`], together with other threads; [`None`] if that would not give the same.
    fn shared(
        &self,
        root: &'a Definition<'a>,
        scope: &ModuleScope<'a>,
        large: &Large<'a>,
        helpers: usize,
    ) -> Option<Program> {
        let shares = Mutex::new(Vec::new());
        let keep = |share: Share| shares.lock().unwrap_or_else(PoisonError::into_inner).push(share);
        rayon::in_place_scope(|threads| {
            for _ in 0..helpers {
                threads.spawn(|_| {
                    // Nothing may be left for who comes late.
                    if large.is_open() {
                        keep(eval::on_deep_stack(|| Share::of(&self.scope(root), large, false)));
                    }
                });
            }
            keep(Share::of(scope, large, true));
        });
        put_together(shares.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<'a> Large<'a> {
    fn of(scope: &ModuleScope<'a>) -> Self {
        let repeated = scope.module.calls.iter().filter(|(_, declared)| {
            let body = declared.body();
            body.attribute("for_each").or_else(|| body.attribute("count")).is_some()
        });
        let large = repeated.filter_map(|(&name, &declared)| match &*scope.called(name, declared) {
            Called::Instances(_, instances) if instances.len() >= LARGE => {
                Some((name, Portions { next: AtomicUsize::new(0), end: instances.len() }))
            }
            _ => None,
        });
        Self(large.collect())
    }

    fn portions(&self) -> usize {
        self.0.values().map(|portions| portions.end / PORTION).sum()
    }

    fn instances(&self) -> usize {
        self.0.values().map(|portions| portions.end).sum()
    }

    fn is_open(&self) -> bool {
        self.0.values().any(|portions| portions.next.load(Ordering::Relaxed) < portions.end)
    }
}

impl Portions {
    /// The first instance of the next portion.
    fn take(&self) -> Option<usize> {
        let begin = self.next.fetch_add(PORTION, Ordering::Relaxed);
        (begin < self.end).then_some(begin)
    }
}

impl Share {
    /// What the thread makes that has `scope`. The first one makes all that is not in `large`.
    fn of(scope: &ModuleScope<'_>, large: &Large<'_>, is_first: bool) -> Self {
        let run = &scope.run;
        let mut portions = Vec::new();
        let mut portion = |place: Place, make: &dyn Fn(&mut Program)| {
            let mut program = Program::default();
            make(&mut program);
            program.diagnostics = run.diagnostics.take();
            portions.push((place, program));
        };
        if is_first {
            portion((0, 0), &|program| {
                if instance::expand_blocks(scope, program).is_break() {
                    run.depend_on_order();
                }
            });
        }
        for (at, (&name, &declared)) in (1..).zip(&scope.module.calls) {
            let Some(left) = large.0.get(name) else {
                if is_first {
                    portion((at, 0), &|program| instance::expand_call(name, declared, scope, program));
                }
                continue;
            };
            let called = scope.called(name, declared);
            let Called::Instances(expansion, instances) = &*called else { continue };
            while let Some(begin) = left.take() {
                let end = (begin + PORTION).min(instances.len());
                let some = instances.get(begin..end).unwrap_or_default();
                portion((at, begin), &|program| {
                    instance::expand_instances(declared, expansion, some, program);
                });
            }
        }
        let configurations = run.providers.evaluated();
        let providers = run.providers.identities().into_iter().zip(configurations).collect();
        let mut taken = run.taken();
        if !is_first {
            // They are the same instances.
            taken.modules = taken.modules.saturating_sub(large.instances());
        }
        Self {
            portions,
            providers,
            diagnostics: run.diagnostics.take(),
            expressions: run.expressions(),
            taken,
            depends_on_order: run.depends_on_order(),
        }
    }
}

/// What the shares make together; [`None`] if one thread might make something else.
fn put_together(shares: Vec<Share>) -> Option<Program> {
    let taken = shares.iter().fold(Taken::default(), |taken, share| taken.and(share.taken));
    let resources: usize =
        shares.iter().flat_map(|share| &share.portions).map(|(_, program)| program.resources.len()).sum();
    let depends_on_order = shares.iter().any(|share| share.depends_on_order);
    if depends_on_order || !taken.is_allowed() || resources >= MAX_RESOURCES {
        return None;
    }
    let providers = shares.iter().flat_map(|share| share.providers.iter().cloned());
    let providers: BTreeMap<Identity, ProviderConfig> = providers.collect();
    let places: BTreeMap<&Identity, usize> = providers.keys().zip(0..).collect();
    let (mut whole, mut portions, mut late) = (Program::default(), Vec::new(), Vec::new());
    for mut share in shares {
        whole.expressions += share.expressions;
        late.append(&mut share.diagnostics);
        let places: Vec<_> = share.providers.iter().map(|(one, _)| places.get(one).copied()).collect();
        for resource in share.portions.iter_mut().flat_map(|(_, program)| &mut program.resources) {
            resource.provider = resource.provider.and_then(|at| places.get(at).copied().flatten());
        }
        portions.append(&mut share.portions);
    }
    whole.providers = providers.into_values().collect();
    portions.sort_by_key(|(place, _)| *place);
    whole.resources.reserve_exact(resources);
    for (_, mut portion) in portions {
        whole.resources.append(&mut portion.resources);
        whole.calls.append(&mut portion.calls);
        whole.repeated.append(&mut portion.repeated);
        whole.unfollowed.append(&mut portion.unfollowed);
        whole.diagnostics.append(&mut portion.diagnostics);
    }
    whole.diagnostics.append(&mut late);
    let mut said = Said::default();
    whole.diagnostics.retain(|diagnostic| said.is_new(diagnostic));
    Some(in_source_order(whole))
}

/// Findings and instances are told in source order; of one block in the order of modules and keys, as they are now.
fn in_source_order(mut program: Program) -> Program {
    program.resources.sort_by_key(|resource| resource.site);
    program
}
