//! A gate that a test holds shut until it has seen what it waits for.

use std::sync::Arc;

use tokio::sync::watch;

/// A gate, shut at first. Whoever reaches it waits until it is opened; it never shuts again.
#[derive(Clone, Debug)]
pub struct Gate {
    state: Arc<watch::Sender<State>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    open: bool,
    arrived: usize,
}

impl Gate {
    /// Makes a gate that is shut.
    pub fn shut() -> Self {
        Self { state: Arc::new(watch::Sender::new(State::default())) }
    }

    /// Opens the gate for everybody, for good.
    pub fn open(&self) {
        self.state.send_modify(|state| state.open = true);
    }

    /// Waits until the gate is open.
    pub async fn pass(&self) {
        self.state.send_modify(|state| state.arrived += 1);
        self.wait_for(|state| state.open).await;
    }

    /// Waits until `count` have come to the gate, whether they passed or not.
    pub async fn arrived(&self, count: usize) {
        self.wait_for(|state| state.arrived >= count).await;
    }

    async fn wait_for(&self, condition: impl FnMut(&State) -> bool) {
        let mut states = self.state.subscribe();
        states.wait_for(condition).await.expect("the sender lives in self");
    }
}
