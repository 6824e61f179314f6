//! What the warm path keeps in memory, so that it asks no database.
//!
//! Every entry repeats a stored fact. What a change names is taken out at once; an entry read
//! before a change and kept after it would live for ever, so keeping checks that nothing was taken
//! out since the read began ([`Epoch`]).

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use metadata::{AccountId, Change, RegistryId, TagFact, Timestamp};
use oci::{Digest, Reference, RepositoryName, Tag};
use quick_cache::{
    DefaultHashBuilder, Equivalent, OptionsBuilder, UnitWeighter, Weighter,
    sync::{Cache, DefaultLifecycle},
};

use crate::{Permissions, Settings, matching::RuleBook, refusals::Refusals, upstreams::Eyes};

/// A manifest ready to be served.
#[derive(Debug)]
pub(crate) struct StoredManifest {
    pub(crate) bytes: Bytes,
    pub(crate) digest: Digest,
    pub(crate) media_type: Arc<str>,
    /// Whether it is archived, and so not served.
    pub(crate) is_archived: bool,
    /// When a pull of it was last remembered, in milliseconds since the epoch.
    remembered_at: AtomicI64,
}

impl StoredManifest {
    pub(crate) fn new(bytes: Bytes, digest: Digest, media_type: &str, is_archived: bool) -> Self {
        let remembered_at = AtomicI64::new(i64::MIN);
        Self { bytes, digest, media_type: media_type.into(), is_archived, remembered_at }
    }

    /// Tells whether a pull at this moment is one to remember: of those within a second, one is
    /// enough.
    pub(crate) fn is_to_remember(&self, at: Timestamp) -> bool {
        let is_new = self.remembered_at.load(Ordering::Relaxed).abs_diff(at.0) >= 1000;
        if is_new {
            self.remembered_at.store(at.0, Ordering::Relaxed);
        }
        is_new
    }
}

/// What is kept of a repository is named by something in it.
type Key<T> = (RegistryId, RepositoryName, T);
pub(crate) type ByRepository<T, V, W = UnitWeighter> = Cache<Key<T>, V, W>;
pub(crate) type ContentKey = Key<Digest>;

/// A [`Key`] to look something up by, made of what is at hand.
#[derive(Hash)]
pub(crate) struct KeyRef<'k, T>(
    pub(crate) &'k RegistryId,
    pub(crate) &'k RepositoryName,
    pub(crate) &'k T,
);

impl<T: Eq> Equivalent<Key<T>> for KeyRef<'_, T> {
    fn equivalent(&self, (registry, repository, named): &Key<T>) -> bool {
        self.2 == named && self.1 == repository && self.0 == registry
    }
}

/// What a manifest takes in memory, in bytes.
#[derive(Clone, Debug)]
pub(crate) struct ManifestBytes;

impl Weighter<ContentKey, Arc<StoredManifest>> for ManifestBytes {
    fn weight(&self, _: &ContentKey, manifest: &Arc<StoredManifest>) -> u64 {
        manifest.bytes.len() as u64 + 512
    }
}

/// The rules of a registry, as last read.
#[derive(Debug)]
struct Shelved {
    book: Arc<RuleBook>,
    /// Whether nothing is known to have changed since.
    is_current: bool,
}

/// The moment a read began; see the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch(u64);

/// The entries.
#[derive(Debug)]
pub(crate) struct Hot {
    pub(crate) tags: ByRepository<Tag, Arc<TagFact>>,
    pub(crate) manifests: ByRepository<Digest, Arc<StoredManifest>, ManifestBytes>,
    /// Size of the linked blob in bytes; none of those that are archived.
    pub(crate) links: ByRepository<Digest, u64>,
    /// What would be refused again.
    pub(crate) refusals: Refusals,
    /// Credentials that the secret of an ARN holds, by registry and ARN as typed.
    pub(crate) eyes: Cache<(RegistryId, String), Eyes>,
    /// What roles may do, by account and the id of the role.
    pub(crate) permissions: Cache<(AccountId, String), Permissions>,
    /// Whether there is a repository of this name, for names that could be short ones.
    pub(crate) short_names: Cache<(RegistryId, RepositoryName), bool>,
    books: RwLock<HashMap<RegistryId, Shelved, DefaultHashBuilder>>,
    /// Read-locked to keep something, write-locked to take something out.
    gate: RwLock<()>,
    epoch: AtomicU64,
}

impl Hot {
    pub(crate) fn new(settings: &Settings) -> Self {
        let entries_max = usize::try_from(settings.hot_entries_max).unwrap_or(usize::MAX);
        Self {
            tags: Cache::new(entries_max),
            manifests: manifests(settings.hot_manifest_bytes_max),
            links: Cache::new(entries_max),
            refusals: Cache::new(entries_max),
            eyes: Cache::new(1024),
            permissions: Cache::new(1024),
            short_names: Cache::new(entries_max),
            books: RwLock::default(),
            gate: RwLock::default(),
            epoch: AtomicU64::new(0),
        }
    }

    /// Marks the beginning of a read.
    pub(crate) fn epoch(&self) -> Epoch {
        Epoch(self.epoch.load(Ordering::Acquire))
    }

    /// Keeps what was read since `epoch`, unless something was taken out in the meantime.
    pub(crate) fn keep<K, V, W>(&self, cache: &Cache<K, V, W>, epoch: Epoch, key: K, value: V)
    where
        K: Hash + Eq,
        V: Clone,
        W: Weighter<K, V> + Clone,
    {
        let _open = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        if self.epoch() == epoch {
            cache.insert(key, value);
        }
    }

    pub(crate) fn book(&self, registry: &RegistryId) -> Option<Arc<RuleBook>> {
        let books = self.books.read().unwrap_or_else(PoisonError::into_inner);
        books.get(registry).filter(|shelved| shelved.is_current).map(|it| Arc::clone(&it.book))
    }

    /// Returns the rules as last read, whatever changed since.
    pub(crate) fn former_book(&self, registry: &RegistryId) -> Option<Arc<RuleBook>> {
        let books = self.books.read().unwrap_or_else(PoisonError::into_inner);
        books.get(registry).map(|shelved| Arc::clone(&shelved.book))
    }

    pub(crate) fn keep_book(&self, epoch: Epoch, registry: &RegistryId, book: &Arc<RuleBook>) {
        let _open = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        if self.epoch() == epoch {
            let mut books = self.books.write().unwrap_or_else(PoisonError::into_inner);
            // Names of registries come from callers: do not let them fill the memory.
            if books.len() >= 1024 {
                books.clear();
            }
            books.insert(registry.clone(), Shelved { book: Arc::clone(book), is_current: true });
        }
    }

    /// Takes out what `changes` name; everything, where nobody knows what changed.
    pub(crate) fn forget(&self, changes: Option<&[Change]>) {
        let _shut = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        self.epoch.fetch_add(1, Ordering::AcqRel);
        let Some(changes) = changes else { return self.forget_all() };
        for change in changes {
            self.forget_one(change);
        }
    }

    fn forget_one(&self, change: &Change) {
        match change {
            Change::Rules(registry) => {
                let mut books = self.books.write().unwrap_or_else(PoisonError::into_inner);
                if let Some(shelved) = books.get_mut(registry) {
                    shelved.is_current = false;
                }
            }
            Change::Secret(..) => self.eyes.clear(),
            // Roles change rarely, and are told here by name but kept by id.
            Change::Role(..) => self.permissions.clear(),
            // Nothing else is kept of a repository before it is there, nor of its settings.
            Change::Repository(registry, repository) => {
                self.short_names.remove(&(registry.clone(), repository.clone()));
            }
            Change::RepositoryDeleted(registry, repository) => {
                self.short_names.remove(&(registry.clone(), repository.clone()));
                forget_repository(&self.tags, registry, repository);
                forget_repository(&self.manifests, registry, repository);
                forget_repository(&self.links, registry, repository);
                forget_repository(&self.refusals, registry, repository);
            }
            Change::Tag(registry, repository, tag) => {
                self.tags.remove(&KeyRef(registry, repository, tag));
                let reference = Reference::Tag(tag.clone());
                self.refusals.remove(&KeyRef(registry, repository, &reference));
            }
            Change::Manifest(registry, repository, digest) => {
                self.manifests.remove(&KeyRef(registry, repository, digest));
            }
            Change::Link(registry, repository, digest) => {
                self.links.remove(&KeyRef(registry, repository, digest));
            }
        }
    }

    fn forget_all(&self) {
        let mut books = self.books.write().unwrap_or_else(PoisonError::into_inner);
        books.values_mut().for_each(|shelved| shelved.is_current = false);
        drop(books);
        self.short_names.clear();
        self.eyes.clear();
        self.permissions.clear();
        self.tags.clear();
        self.refusals.clear();
        self.manifests.clear();
        self.links.clear();
    }
}

/// As many manifests as `bytes_max` have room for, in few shards: none may be larger than its shard.
fn manifests(bytes_max: u64) -> ByRepository<Digest, Arc<StoredManifest>, ManifestBytes> {
    let mut options = OptionsBuilder::new();
    options
        .weight_capacity(bytes_max)
        .estimated_items_capacity(bytes_max as usize / 2048)
        .shards(2);
    let options = options.build().expect("both capacities are given");
    let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
    Cache::with_options(options, ManifestBytes, hasher, lifecycle)
}

/// Takes everything of a repository out.
fn forget_repository<T, V, W>(
    cache: &ByRepository<T, V, W>,
    registry: &RegistryId,
    repository: &RepositoryName,
) where
    T: Hash + Eq,
    V: Clone,
    W: Weighter<Key<T>, V> + Clone,
{
    cache.retain(|key, _| key.1 != *repository || key.0 != *registry);
}

#[cfg(test)]
mod tests {
    use metadata::Region;

    use super::*;

    #[test]
    fn the_largest_manifest_is_kept() {
        let registry = RegistryId {
            account: AccountId::parse("000000000000").unwrap(),
            region: Region::parse("us-east-1").unwrap(),
        };
        let settings = Settings::new(registry.clone());
        let (hot, digest) = (Hot::new(&settings), Digest::of(b"x"));
        let bytes = Bytes::from(vec![0; 4 << 20]);
        let stored = StoredManifest::new(bytes, digest.clone(), "", false);
        let name = RepositoryName::parse("app").unwrap();
        let key = (registry.clone(), name.clone(), digest.clone());
        hot.keep(&hot.manifests, hot.epoch(), key, Arc::new(stored));
        assert!(hot.manifests.get(&KeyRef(&registry, &name, &digest)).is_some());
    }
}
