//! Image content to push upstream: a real Debian, a multi-arch index, a single big layer. Each is an
//! OCI image layout on disk, written or read here byte for byte.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::program::{command, run, write};
use crate::skip::{Missing, tools_directory};

/// Media type of an OCI index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Media type of an OCI image manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// The name that a layout gives its one image.
const NAME: &str = "test";

/// An image in an OCI layout.
#[derive(Clone, Debug)]
pub struct Image {
    layout: PathBuf,
    /// The digest of its manifest or index.
    pub digest: String,
    /// The digests of the manifests below an index.
    pub manifests: Vec<String>,
    /// The digests of its configs and layers, each once.
    pub blobs: Vec<String>,
    /// Keeps the layout, where it is not a cached one.
    _owner: Option<Arc<TempDir>>,
}

impl Image {
    /// The minimal Debian that `tests/setup` made with `debootstrap` and `umoci`.
    ///
    /// # Errors
    /// [`Missing`] when `tests/setup` could not make it.
    pub fn debian() -> Result<Self, Missing> {
        let layout = tools_directory().join("images/debian");
        if !layout.join("index.json").is_file() {
            let remedy = "tests/setup makes it, as root, with debootstrap and umoci";
            return Err(Missing::new("the Debian image", remedy));
        }
        let index = read_json(&layout.join("index.json"));
        let digest = text(&index["manifests"][0]["digest"]);
        Ok(Self::read(layout, digest, None))
    }

    /// An index of two platforms (amd64 and arm64), each with three gzipped layers of its own.
    ///
    /// # Panics
    /// When `tar` or `gzip` fails.
    #[must_use]
    pub fn multi_arch() -> Self {
        let mut layout = Layout::new();
        let platforms: Vec<Value> = ["amd64", "arm64"]
            .into_iter()
            .map(|architecture| {
                let layers = (1..=3).map(|number| layout.gzipped_layer(architecture, number));
                let layers: Vec<Layer> = layers.collect();
                let mut descriptor = layout.manifest(architecture, &layers);
                descriptor["platform"] = json!({"os": "linux", "architecture": architecture});
                descriptor
            })
            .collect();
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": platforms});
        let descriptor = layout.put(INDEX, index.to_string().as_bytes());
        layout.finish(descriptor)
    }

    /// One layer that holds one file of random bytes, uncompressed.
    ///
    /// # Panics
    /// When `tar` fails or the disk is full.
    #[must_use]
    pub fn one_layer(size_bytes: u64) -> Self {
        let mut layout = Layout::new();
        let layer = layout.random_layer(size_bytes);
        let descriptor = layout.manifest("amd64", &[layer]);
        layout.finish(descriptor)
    }

    fn read(layout: PathBuf, digest: String, owner: Option<Arc<TempDir>>) -> Self {
        let mut image = Self { layout, digest, manifests: vec![], blobs: vec![], _owner: owner };
        let top: Value = image.json(&image.digest);
        let children = members(&top["manifests"]);
        image.manifests = children.iter().map(|child| text(&child["digest"])).collect();
        let manifests = match image.manifests.as_slice() {
            [] => vec![top],
            below => below.iter().map(|digest| image.json(digest)).collect(),
        };
        for manifest in manifests {
            let layers = members(&manifest["layers"]).into_iter();
            for descriptor in std::iter::once(manifest["config"].clone()).chain(layers) {
                let digest = text(&descriptor["digest"]);
                if !image.blobs.contains(&digest) {
                    image.blobs.push(digest);
                }
            }
        }
        image
    }

    /// skopeo's name of it.
    #[must_use]
    pub fn source(&self) -> String {
        let name = if self.is_cached() { "debian" } else { NAME };
        format!("oci:{}:{name}", self.layout.display())
    }

    fn is_cached(&self) -> bool {
        self._owner.is_none()
    }

    /// The bytes behind one of its digests.
    ///
    /// # Panics
    /// When the layout does not hold it.
    #[must_use]
    pub fn bytes(&self, digest: &str) -> Vec<u8> {
        let path = blob_path(&self.layout, digest);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The digest of its largest blob.
    ///
    /// # Panics
    /// When the layout does not hold its own blobs.
    #[must_use]
    pub fn largest_blob(&self) -> &str {
        let size = |digest: &&String| {
            fs::metadata(blob_path(&self.layout, digest)).expect("the layout holds it").len()
        };
        self.blobs.iter().max_by_key(size).expect("an image has a config")
    }

    fn json(&self, digest: &str) -> Value {
        serde_json::from_slice(&self.bytes(digest)).expect("manifests are JSON")
    }
}

/// A layer with the two digests that an image needs.
struct Layer {
    descriptor: Value,
    diff_id: String,
}

/// A layout that is being written.
struct Layout {
    directory: TempDir,
}

impl Layout {
    fn new() -> Self {
        let directory = TempDir::with_prefix("image-").expect("a temporary directory");
        fs::create_dir_all(directory.path().join("blobs/sha256")).expect("a fresh directory");
        write(&directory.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#);
        Self { directory }
    }

    /// Stores bytes and describes them.
    fn put(&mut self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = sha256(bytes);
        write(&blob_path(self.directory.path(), &digest), bytes);
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    }

    /// A layer whose file differs by platform and number, compressed as registries hold them.
    fn gzipped_layer(&mut self, architecture: &str, number: usize) -> Layer {
        let text: String = (0..20_000 * number)
            .map(|line| format!("{architecture} layer {number} line {line}\n"))
            .collect();
        let name = format!("layer-{number}.txt");
        let tar = self.tar(&name, |path| write(path, &text));
        let diff_id = sha256(&fs::read(&tar).expect("tar wrote it"));
        run(command("gzip", self.directory.path()).args(["-n", "-1"]).arg(&tar)).success();
        let gzipped = tar.with_extension("tar.gz");
        let bytes = fs::read(&gzipped).expect("gzip wrote it");
        fs::remove_file(gzipped).expect("a file of ours");
        Layer { descriptor: self.put(LAYER_GZIP, &bytes), diff_id }
    }

    fn random_layer(&mut self, size_bytes: u64) -> Layer {
        let tar = self.tar("random.bin", |path| {
            let random = fs::File::open("/dev/urandom").expect("every unix has it");
            let mut file = fs::File::create(path).expect("a fresh directory");
            std::io::copy(&mut random.take(size_bytes), &mut file).expect("the disk has room");
        });
        let bytes = fs::read(&tar).expect("tar wrote it");
        fs::remove_file(tar).expect("a file of ours");
        Layer { descriptor: self.put(LAYER, &bytes), diff_id: sha256(&bytes) }
    }

    /// Packs one file, always into the same bytes.
    fn tar(&self, name: &str, fill: impl FnOnce(&Path)) -> PathBuf {
        let directory = self.directory.path();
        fill(&directory.join(name));
        let tar = directory.join("layer.tar");
        let mut pack = command("tar", directory);
        pack.args(["--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--remove-files"]);
        run(pack.arg("-C").arg(directory).arg("-cf").arg(&tar).arg(name)).success();
        tar
    }

    fn manifest(&mut self, architecture: &str, layers: &[Layer]) -> Value {
        let diff_ids: Vec<&String> = layers.iter().map(|layer| &layer.diff_id).collect();
        let config = json!({
            "architecture": architecture, "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        let config = self.put(CONFIG, config.to_string().as_bytes());
        let layers: Vec<&Value> = layers.iter().map(|layer| &layer.descriptor).collect();
        // Not what a serializer would write: only stored bytes come out the same.
        let manifest = format!(
            "{{\n   \"schemaVersion\": 2,\n   \"mediaType\": \"{MANIFEST}\",\n   \
             \"config\": {config},\n   \"layers\": {}\n}}\n",
            json!(layers),
        );
        self.put(MANIFEST, manifest.as_bytes())
    }

    fn finish(self, mut top: Value) -> Image {
        let digest = text(&top["digest"]);
        top["annotations"] = json!({"org.opencontainers.image.ref.name": NAME});
        let index = json!({"schemaVersion": 2, "manifests": [top]});
        write(&self.directory.path().join("index.json"), index.to_string());
        Image::read(self.directory.path().to_owned(), digest, Some(Arc::new(self.directory)))
    }
}

/// `sha256:…` of some bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn blob_path(layout: &Path, digest: &str) -> PathBuf {
    layout.join("blobs").join(digest.replace(':', "/"))
}

fn read_json(path: &Path) -> Value {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn members(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().expect("descriptors have a digest").to_owned()
}
