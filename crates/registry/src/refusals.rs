//! What an upstream does not have, or a rule does not let in yet: remembered for a while, so that
//! whoever asks again and again costs the upstream nothing.
//!
//! A refusal holds for what asked under the very rule that it was made under: a change of that rule
//! ends it. So does a change of the tag here, such as a push.

use std::sync::Arc;

use metadata::{Span, Timestamp};
use oci::Reference;

use crate::{
    Match, PullError, hot::ByRepository, matching::BookedRule, pull::ImportKey,
    refresh::ImportWork, registry::Inner,
};

/// How long an image that is too young is not looked at again, in milliseconds: its tag may move
/// back to one that is not.
const YOUNG_MILLIS_MAX: u64 = 60_000;

/// How long an image that is archived here is not asked for again, in milliseconds: short, for who
/// restores it wants it at once.
const ARCHIVED_MILLIS: u64 = 10_000;

/// A refusal that is remembered.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    rule: Arc<BookedRule>,
    until: Timestamp,
    error: PullError,
}

/// Refusals by what was asked for.
pub(crate) type Refusals = ByRepository<Reference, Refusal>;

impl Inner {
    /// Returns why something would be refused again.
    pub(crate) fn refusal(&self, key: &ImportKey, matched: &Match) -> Option<PullError> {
        let refusal = self.hot.refusals.get(key)?;
        let holds = self.clock.now() < refusal.until && Arc::ptr_eq(&refusal.rule, &matched.booked);
        holds.then_some(refusal.error)
    }
}

impl ImportWork {
    /// Remembers an outcome that would be the same a moment later.
    pub(crate) fn remember(&self, error: &PullError) {
        let now = self.inner.clock.now();
        let span = match (error, &self.reference) {
            (PullError::ManifestUnknown { upstream: Some(_), .. }, Reference::Tag(_)) => {
                self.matched.policy().missing_for
            }
            (PullError::TooYoung { until, .. }, _) => {
                Span::Millis(until.millis_since(now).min(YOUNG_MILLIS_MAX))
            }
            (PullError::Archived { .. }, _) => Span::Millis(ARCHIVED_MILLIS),
            _ => return,
        };
        if let Some(until) = span.end(now).filter(|until| now < *until) {
            let key = (self.registry.clone(), self.repository.clone(), self.reference.clone());
            let (rule, error) = (Arc::clone(&self.matched.booked), error.clone());
            self.inner.hot.refusals.insert(key, Refusal { rule, until, error });
        }
    }
}
