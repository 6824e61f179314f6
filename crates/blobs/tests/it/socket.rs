//! Mapped windows on their way through a real socket.

use std::{fs::OpenOptions, io::IoSlice};

use blobs::{
    Access, BlobStore,
    conformance::{put, sample},
};
use bytes::Bytes;
use tempfile::tempdir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::{open, path_of};

const LENGTH: usize = 5_000_000;

/// A connection whose other end collects what it receives.
async fn connection() -> (TcpStream, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let receiver = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut received = Vec::new();
        socket.read_to_end(&mut received).await.unwrap();
        received
    });
    (TcpStream::connect(address).await.unwrap(), receiver)
}

async fn write_vectored(socket: &mut TcpStream, mut bytes: Bytes) -> std::io::Result<()> {
    while !bytes.is_empty() {
        let middle = bytes.len() / 2;
        let slices = [IoSlice::new(&bytes[..middle]), IoSlice::new(&bytes[middle..])];
        let written = socket.write_vectored(&slices).await?;
        drop(bytes.split_to(written));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_arrive_as_they_were_stored() {
    let dir = tempdir().unwrap();
    let bytes = sample("arrives", LENGTH);
    let (digest, _) = put(&open(dir.path()).await, &bytes).await;
    let blob = open(dir.path()).await.open(&digest).await.unwrap();
    for start in [0, 1, 1_234_567] {
        let (mut socket, receiver) = connection().await;
        let mut offset = start;
        while offset < LENGTH {
            let left = LENGTH - offset;
            let read = blob.content.read(offset as u64, left, Access::Kernel).await.unwrap();
            offset += read.len();
            write_vectored(&mut socket, read).await.unwrap();
        }
        drop(socket);
        assert!(receiver.await.unwrap() == bytes[start..]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_of_a_truncated_file_fails_the_write_and_nothing_else() {
    let dir = tempdir().unwrap();
    let store = open(dir.path()).await;
    for cut in [0, 500_000] {
        let bytes = sample("fails the write", LENGTH);
        let (digest, blob) = put(&store, &bytes).await;
        let window = blob.content.read(0, LENGTH, Access::Kernel).await.unwrap();
        assert_eq!(window.len(), 1 << 20);
        let file = OpenOptions::new().write(true).open(path_of(dir.path(), &digest)).unwrap();
        file.set_len(cut).unwrap();

        let (mut socket, receiver) = connection().await;
        let error = write_vectored(&mut socket, window).await.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(rustix::io::Errno::FAULT.raw_os_error()));
        drop(socket);
        let received = receiver.await.unwrap();
        // What is left of the page that was cut reads as zeros; nothing else is wrong.
        let good = received.len().min(cut as usize);
        assert!(received.len() < 1 << 20 && received[..good] == bytes[..good]);

        assert!(!store.probe(&digest, LENGTH as u64, 0).await.unwrap());
        put(&store, &bytes).await;
        assert_eq!(store.stat(&digest).await.unwrap(), LENGTH as u64);
    }
}
