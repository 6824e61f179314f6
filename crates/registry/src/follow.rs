//! What runs beside the requests: following changes, writing down pulls, giving up idle uploads,
//! deleting secrets whose time has come; and the proof at start.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use metadata::{MetadataStore, Revision};

use crate::{Keyring, StartError, chain, registry::Inner};

/// How often another process's changes are looked for: DESIGN 2 promises a second.
const FOLLOW_EVERY: Duration = Duration::from_millis(500);
/// How many looks pass between two batches of pulls, and two looks for idle uploads.
const LOOKS_PER_BATCH: u32 = 20;
/// How many looks pass between two purges of secrets: ten minutes. Windows of recovery are days.
const LOOKS_PER_PURGE: u32 = 1200;

/// The record that proves the keyring.
pub(crate) const KEYRING_MARKER: &str = "keyring";
const KEYRING_PROOF: &[u8] = b"cistern";

/// Checks that this keyring opens what this store's keyring sealed; leaves a seal where there is
/// none yet.
pub(crate) async fn prove_keyring(
    metadata: &dyn MetadataStore,
    keyring: &Keyring,
) -> Result<(), StartError> {
    let sealed = match metadata.marker(KEYRING_MARKER).await? {
        Some(sealed) => sealed,
        None => {
            let proof = keyring.seal(KEYRING_MARKER, KEYRING_PROOF);
            match metadata.create_marker(KEYRING_MARKER, &proof).await {
                Ok(()) => proof,
                // Another replica was first: its seal is the one to open.
                Err(metadata::Error::AlreadyExists) => {
                    metadata.marker(KEYRING_MARKER).await?.unwrap_or_default()
                }
                Err(error) => return Err(error.into()),
            }
        }
    };
    match keyring.open(KEYRING_MARKER, &sealed) {
        Ok(plain) if plain == KEYRING_PROOF => Ok(()),
        _ => Err(StartError::WrongKeyring),
    }
}

/// Starts the task that follows changes and writes down pulls. It ends with the registry.
pub(crate) async fn spawn(inner: &Arc<Inner>) -> Result<(), StartError> {
    let since = inner.metadata.changes_since(Revision(u64::MAX)).await?.revision;
    tokio::spawn(follow(Arc::downgrade(inner), since));
    Ok(())
}

async fn follow(registry: Weak<Inner>, mut since: Revision) {
    let mut look = tokio::time::interval(FOLLOW_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut looks = 0u32;
    loop {
        look.tick().await;
        let Some(inner) = registry.upgrade() else { return };
        if looks.is_multiple_of(LOOKS_PER_PURGE) {
            inner.purge_secrets().await;
        }
        match inner.metadata.changes_since(since).await {
            Ok(found) => {
                since = found.revision;
                if found.changes.as_ref().is_none_or(|changes| !changes.is_empty()) {
                    inner.hot.forget(found.changes.as_deref());
                }
            }
            Err(error) => {
                // Not knowing what changed, nothing kept can be trusted.
                inner.hot.forget(None);
                tracing::error!(
                    error = chain(&error),
                    "changes of the metadata store cannot be read"
                );
            }
        }
        looks = looks.wrapping_add(1);
        if looks.is_multiple_of(LOOKS_PER_BATCH) {
            inner.flush_pulls().await;
        }
        if looks % LOOKS_PER_BATCH == 1 {
            inner.expire_uploads().await;
        }
    }
}
