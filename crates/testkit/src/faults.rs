//! Which calls of a store fail, wait, and how many there were.

use std::{
    collections::HashMap,
    fmt::Debug,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::Gate;

/// What is planned for the calls of a store. `O` names its operations.
#[derive(Debug)]
pub struct Faults<O>(Mutex<State<O>>);

#[derive(Debug)]
struct State<O> {
    plans: Vec<Plan<O>>,
    calls: HashMap<O, usize>,
}

#[derive(Debug)]
struct Plan<O> {
    operation: O,
    /// Calls that still go well before the plan begins.
    spared: usize,
    /// Calls that are left to fail; `None` for all.
    left: Option<usize>,
    /// Where calls wait; without a gate they fail.
    gate: Option<Gate>,
}

impl<O> Default for Faults<O> {
    fn default() -> Self {
        Self(Mutex::new(State { plans: Vec::new(), calls: HashMap::new() }))
    }
}

impl<O: Copy + Eq + Hash + Debug> Faults<O> {
    /// Makes every call of `operation` fail from now on.
    pub fn fail(&self, operation: O) {
        self.plan(Plan { operation, spared: 0, left: None, gate: None });
    }

    /// Makes one call of `operation` fail: the `nth` from now on, the next being the first.
    pub fn fail_nth(&self, operation: O, nth: usize) {
        let spared = nth.checked_sub(1).expect("calls are counted from one");
        self.plan(Plan { operation, spared, left: Some(1), gate: None });
    }

    /// Makes every call of `operation` wait at `gate` before it does anything.
    pub fn hold(&self, operation: O, gate: &Gate) {
        self.plan(Plan { operation, spared: 0, left: None, gate: Some(gate.clone()) });
    }

    /// Forgets every plan.
    pub fn heal(&self) {
        self.lock().plans.clear();
    }

    /// Counts the calls of `operation` so far, failed ones included.
    pub fn calls(&self, operation: O) -> usize {
        self.lock().calls.get(&operation).copied().unwrap_or_default()
    }

    /// Counts all calls so far.
    pub fn calls_in_all(&self) -> usize {
        self.lock().calls.values().sum()
    }

    fn plan(&self, plan: Plan<O>) {
        self.lock().plans.push(plan);
    }

    /// Counts a call and tells whether it fails; waits at the gates in its way.
    pub(crate) async fn meet(&self, operation: O) -> bool {
        let (fails, gates) = self.count(operation);
        for gate in gates {
            gate.pass().await;
        }
        fails
    }

    /// Counts a call that cannot wait and tells whether it fails.
    pub(crate) fn count(&self, operation: O) -> (bool, Vec<Gate>) {
        let mut state = self.lock();
        *state.calls.entry(operation).or_default() += 1;
        let (mut fails, mut gates) = (false, Vec::new());
        for plan in state.plans.iter_mut().filter(|plan| plan.operation == operation) {
            if let Some(spared) = plan.spared.checked_sub(1) {
                plan.spared = spared;
            } else if let Some(gate) = &plan.gate {
                gates.push(gate.clone());
            } else if plan.left != Some(0) {
                plan.left = plan.left.map(|left| left - 1);
                fails = true;
            }
        }
        (fails, gates)
    }

    fn lock(&self) -> MutexGuard<'_, State<O>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
