//! The newest changes, each at its revision.

use std::collections::VecDeque;

use crate::{CHANGES_KEPT, Change, Changes, Revision};

/// The last changes of a store; the newest has the revision `newest`, the one before it one less.
#[derive(Debug, Default)]
pub(super) struct History {
    newest: u64,
    kept: VecDeque<Change>,
}

impl History {
    /// Adds a change at the next revision and forgets one that is too old.
    pub(super) fn record(&mut self, change: Change) {
        self.newest += 1;
        self.kept.push_back(change);
        if self.kept.len() as u64 > CHANGES_KEPT {
            self.kept.pop_front();
        }
    }

    /// Returns what changed after `since`.
    pub(super) fn since(&self, since: Revision) -> Changes {
        // A revision ahead of this history is one of another history.
        let missed = self.newest.checked_sub(since.0);
        let known = missed.filter(|missed| *missed <= self.kept.len() as u64);
        let changes = known.map(|missed| {
            let skipped = self.kept.len() - usize::try_from(missed).unwrap_or(self.kept.len());
            self.kept.iter().skip(skipped).cloned().collect()
        });
        Changes { revision: Revision(self.newest), changes }
    }
}
