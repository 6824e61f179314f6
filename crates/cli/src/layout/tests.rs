//! Layouts that are written are read again; what is wrong with one is told, and nothing is believed.

use std::{fs, io::Write as _, path::Path};

use oci::{Algorithm, Digest};
use tar::{EntryType, Header};
use tempfile::TempDir;

use super::*;

const NAME: &str = "hub/app:1";

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

async fn put(writer: &mut Writer, bytes: &[u8], digest: &Digest) -> Result<(), Error> {
    let mut source = Whole(Some(bytes.to_vec()));
    writer.put(digest, bytes.len() as u64, &mut source).await
}

/// Writes a layout of one manifest.
async fn write_layout(mut writer: Writer, bytes: &[u8], algorithm: Algorithm) -> Digest {
    let digest = Digest::of_with(algorithm, bytes);
    assert!(!writer.has(&digest).await.unwrap());
    put(&mut writer, bytes, &digest).await.unwrap();
    assert!(writer.has(&digest).await.unwrap());
    let media_type = oci::media_type::OCI_MANIFEST;
    writer.list(Entry::named(NAME, media_type, &digest, bytes.len() as u64));
    writer.finish().unwrap();
    digest
}

#[test]
fn what_is_written_is_read_again() {
    let directory = TempDir::new().unwrap();
    // The name of a SHA-512 blob is longer than a header of a tar file holds.
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        for form in ["directory", "file"] {
            let path = directory.path().join(format!("{form}-{}", algorithm.as_str()));
            let writer = match form {
                "file" => Writer::file(&path),
                _ => Writer::directory(&path),
            };
            let digest = runtime().block_on(write_layout(writer.unwrap(), b"bytes", algorithm));
            let (reader, index) = Reader::open(&path).unwrap();
            let names: Vec<_> = index.manifests.iter().map(Entry::name).collect();
            assert_eq!(names, [Some(NAME)]);
            assert_eq!(reader.manifest(&digest).unwrap().unwrap(), b"bytes");
            assert!(reader.blob(&Digest::of(b"absent")).unwrap().is_none());
        }
    }
}

#[test]
fn images_are_added_to_a_directory() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("layout");
    for bytes in [b"one", b"two"] {
        let writer = Writer::directory(&path).unwrap();
        runtime().block_on(write_layout(writer, bytes, Algorithm::Sha256));
    }
    let (reader, index) = Reader::open(&path).unwrap();
    let digests: Vec<_> = index.manifests.iter().map(|entry| entry.digest.as_str()).collect();
    assert_eq!(digests, [Digest::of(b"two").as_str()], "one image of a name");
    assert!(reader.blob(&Digest::of(b"one")).unwrap().is_some());
    fs::write(directory.path().join("else"), "").unwrap();
    let error = Writer::directory(directory.path()).err().unwrap().to_string();
    assert!(error.contains("holds something else"), "{error}");
}

#[test]
fn bytes_that_are_not_what_they_should_be_are_not_kept() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("layout");
    let (right, wrong) = (Digest::of(b"right"), b"wrong");
    runtime().block_on(async {
        let mut writer = Writer::directory(&path).unwrap();
        let error = put(&mut writer, wrong, &right).await.unwrap_err();
        assert!(matches!(error, Error::Unproven { .. }), "{error}");
        for size in [4, 6] {
            let mut source = Whole(Some(b"right".to_vec()));
            let error = writer.put(&right, size, &mut source).await.unwrap_err();
            assert!(matches!(error, Error::Unproven { .. }), "{error}");
        }
        assert!(!writer.has(&right).await.unwrap());
        let blobs = fs::read_dir(path.join("blobs/sha256")).unwrap();
        assert_eq!(blobs.count(), 0, "nothing half is left");

        let file = directory.path().join("layout.tar");
        let mut writer = Writer::file(&file).unwrap();
        assert!(put(&mut writer, wrong, &right).await.is_err());
        drop(writer);
        assert!(!file.try_exists().unwrap(), "it takes its place when it is complete");
    });
    // A blob that was damaged where it lay is written again.
    runtime().block_on(async {
        let blob = path.join(blob_path(&right));
        fs::write(&blob, wrong).unwrap();
        let mut writer = Writer::directory(&path).unwrap();
        assert!(!writer.has(&right).await.unwrap());
        put(&mut writer, b"right", &right).await.unwrap();
        assert_eq!(fs::read(&blob).unwrap(), b"right");
    });
}

/// Writes a tar file of these entries: kind, name, bytes.
fn tar_of(path: &Path, entries: &[(EntryType, &str, &[u8])]) {
    let mut builder = tar::Builder::new(fs::File::create(path).unwrap());
    for (kind, name, bytes) in entries {
        let mut header = Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_size(bytes.len() as u64);
        // As it is: `tar` itself refuses to write names that lead elsewhere.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    builder.finish().unwrap();
}

/// What is said of a tar file that is refused.
fn refusal(path: &Path) -> String {
    let error = Reader::open(path).expect_err("it is refused");
    assert!(matches!(error, Error::Layout { .. }), "{error:?}");
    error.to_string()
}

#[test]
fn tar_files_that_are_no_layouts_are_refused() {
    use EntryType::{Link, Regular, Symlink};
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("x.tar");
    let marker = (Regular, "oci-layout", MARKER_TEXT.as_bytes());
    let entries: [(&[_], &str); 7] = [
        (&[(Regular, "../../etc/passwd", b"x".as_slice())], "leads out of it"),
        (&[(Regular, "/etc/passwd", b"x")], "leads out of it"),
        (&[(Symlink, "blobs", b"")], "neither a file nor a directory"),
        (&[(Link, "blobs/x", b"")], "neither a file nor a directory"),
        (&[marker, marker], "twice"),
        (&[(Regular, "other", b"x")], "there is no oci-layout in it"),
        (&[marker], "there is no index.json in it"),
    ];
    for (entries, expected) in entries {
        tar_of(&path, entries);
        let said = refusal(&path);
        assert!(said.contains(expected), "{said}");
    }
    for (bytes, expected) in [
        (&[0x1f, 0x8b, 8, 0][..], "compressed with gzip"),
        (&[0x28, 0xb5, 0x2f, 0xfd], "compressed with zstd"),
        (&[], "it is empty"),
        (&[b'x'; 2048], "no tar file"),
    ] {
        fs::write(&path, bytes).unwrap();
        let said = refusal(&path);
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn tar_files_with_claims_are_refused() {
    use EntryType::{GNULongName, Regular, XHeader};
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("x.tar");
    let long = vec![b'a'; 70_000];
    tar_of(&path, &[(GNULongName, "././@LongLink", &long)]);
    assert!(refusal(&path).contains("an extended header has more than"));
    tar_of(&path, &[(XHeader, "x", b"12 size=999\n"), (Regular, "blobs/x", b"")]);
    assert!(refusal(&path).contains("pax header"));

    // A name may stand in a pax header, as Go's writer has it.
    let marker = b"19 path=oci-layout\n";
    let index = br#"{"schemaVersion":2,"manifests":[]}"#;
    tar_of(
        &path,
        &[
            (XHeader, "x", marker),
            (Regular, "wrong", MARKER_TEXT.as_bytes()),
            (Regular, "./index.json", index),
        ],
    );
    assert!(Reader::open(&path).is_ok());
    // It ends inside a file.
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1024 - 500]).unwrap();
    assert!(Reader::open(&path).is_err());
}

#[test]
fn indexes_are_bounded_and_of_a_version_that_is_known() {
    let directory = TempDir::new().unwrap();
    let root = directory.path();
    let said = |marker: &str, index: &[u8]| {
        fs::write(root.join(MARKER), marker).unwrap();
        fs::write(root.join(INDEX), index).unwrap();
        refusal(root)
    };
    assert!(said("{}", b"{}").contains("oci-layout: "));
    assert!(said(r#"{"imageLayoutVersion":"2.0.0"}"#, b"{}").contains("version 2.0.0"));
    assert!(said(MARKER_TEXT, b"[]").contains("index.json: "));
    assert!(said(MARKER_TEXT, br#"{"schemaVersion":1}"#).contains("schemaVersion 1"));
    let mut file = fs::File::create(root.join(INDEX)).unwrap();
    file.write_all(&vec![b' '; (INDEX_BYTES_MAX + 1) as usize]).unwrap();
    assert!(refusal(root).contains("at most 4194304"));
    fs::remove_file(root.join(INDEX)).unwrap();
    fs::create_dir(root.join(INDEX)).unwrap();
    assert!(matches!(Reader::open(root), Err(Error::File { .. })));
}
