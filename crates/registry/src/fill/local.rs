//! The directory of the fills of this process.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;

use super::{FillDirectory, FillKey, FillSource, Joined, Lease};

/// Every fill of this process, by key. Handles share it.
#[derive(Clone, Debug, Default)]
pub struct LocalDirectory {
    fills: Arc<Mutex<HashMap<FillKey, Arc<dyn FillSource>>>>,
}

#[async_trait]
impl FillDirectory for LocalDirectory {
    async fn join(&self, key: &FillKey) -> Joined {
        let mut fills = self.fills.lock().unwrap_or_else(PoisonError::into_inner);
        match fills.entry(key.clone()) {
            Entry::Occupied(fill) => Joined::Waiting(Arc::clone(fill.get())),
            Entry::Vacant(place) => {
                let (table, key) = (Arc::clone(&self.fills), key.clone());
                let lease = Lease::new(move || {
                    table.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
                });
                place.insert(lease.source());
                Joined::Started(lease)
            }
        }
    }
}
