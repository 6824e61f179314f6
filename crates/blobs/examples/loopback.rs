//! Measures how the bytes of one big blob reach a loopback socket: mapped windows, copies, and
//! `sendfile` beside them; and what staging and committing cost.
//!
//! `cargo run --release -p blobs --example loopback [MiB]` prints wall and CPU seconds of the
//! sending process for each way, five times, alternated; the receiver is a process of its own.

use std::{
    fs::File,
    io::{ErrorKind, Read},
    net::TcpStream as StdStream,
    process::{Child, Command},
    time::Instant,
};

use anyhow::{Context, Result};
use blobs::{Access, Blob, BlobStore, FilesystemBlobs, Limits, conformance::sample};
use oci::{Algorithm, Digest, Hasher};
use tokio::{
    io::{AsyncWriteExt, Interest},
    net::{TcpListener, TcpStream},
    task::spawn_blocking,
};

#[derive(Clone, Copy, Debug)]
enum Way {
    Windows,
    Copies,
    Sendfile,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("receive"), Some(address)) => receive(&address),
        (mib, _) => {
            tokio::runtime::Runtime::new()?.block_on(measure(mib.unwrap_or("1024").parse()?))
        }
    }
}

async fn measure(mib: u64) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let store = FilesystemBlobs::open(dir.path(), Limits::default()).await?;
    let (digest, blob) = fill(&store, mib).await?;
    let path = dir.path().join("blobs/sha256").join(&digest.hex()[..2]).join(digest.hex());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    for _ in 0..5 {
        for way in [Way::Windows, Way::Copies, Way::Sendfile] {
            let receiver = spawn_receiver(&listener)?;
            let (socket, _) = listener.accept().await?;
            let meter = Meter::start()?;
            match way {
                Way::Windows => send(&blob, Access::Kernel, socket).await?,
                Way::Copies => send(&blob, Access::User, socket).await?,
                Way::Sendfile => sendfile(File::open(&path)?, socket).await?,
            }
            meter.print(&format!("{way:?}"))?;
            finish(receiver)?;
        }
    }
    Ok(())
}

/// Stages and commits a blob in appends of 256 KiB, as a fill does.
async fn fill(store: &FilesystemBlobs, mib: u64) -> Result<(Digest, Blob)> {
    let chunk = sample("loopback", 256 << 10);
    let mut hasher = Hasher::new(Algorithm::Sha256);
    (0..mib * 4).for_each(|_| hasher.update(&chunk));
    let digest = hasher.finish();

    let mut staged = store.stage(Algorithm::Sha256).await?;
    let meter = Meter::start()?;
    let appended = spawn_blocking(move || {
        (0..mib * 4).try_for_each(|_| staged.append(&chunk)).map(|()| staged)
    });
    let verified = appended.await??.verify(&digest, Some(mib << 20))?;
    meter.print("stage")?;
    let meter = Meter::start()?;
    let blob = verified.commit().await?;
    meter.print("commit")?;
    Ok((digest, blob))
}

async fn send(blob: &Blob, access: Access, mut socket: TcpStream) -> Result<()> {
    let mut offset = 0;
    while offset < blob.size_bytes {
        let bytes = blob.content.read(offset, (blob.size_bytes - offset) as usize, access).await?;
        offset += bytes.len() as u64;
        socket.write_all(&bytes).await?;
    }
    Ok(())
}

async fn sendfile(file: File, socket: TcpStream) -> Result<()> {
    let size_bytes = file.metadata()?.len();
    let mut offset = 0;
    while offset < size_bytes {
        socket.writable().await?;
        let sent = socket.try_io(Interest::WRITABLE, || {
            Ok(rustix::fs::sendfile(&socket, &file, Some(&mut offset), 1 << 20)?)
        });
        match sent {
            Err(cause) if cause.kind() == ErrorKind::WouldBlock => {}
            sent => drop(sent?),
        }
    }
    Ok(())
}

fn spawn_receiver(listener: &TcpListener) -> Result<Child> {
    let address = listener.local_addr()?.to_string();
    Ok(Command::new(std::env::current_exe()?).args(["receive", &address]).spawn()?)
}

fn finish(mut receiver: Child) -> Result<()> {
    anyhow::ensure!(receiver.wait()?.success(), "the receiver failed");
    Ok(())
}

fn receive(address: &str) -> Result<()> {
    let mut socket = StdStream::connect(address)?;
    let mut buffer = vec![0; 1 << 20];
    while socket.read(&mut buffer)? > 0 {}
    Ok(())
}

struct Meter {
    start: Instant,
    cpu_seconds: f64,
}

impl Meter {
    fn start() -> Result<Self> {
        Ok(Self { start: Instant::now(), cpu_seconds: cpu_seconds()? })
    }

    fn print(self, what: &str) -> Result<()> {
        let (wall, cpu) = (self.start.elapsed().as_secs_f64(), cpu_seconds()? - self.cpu_seconds);
        println!("{what}: {wall:.3} s wall, {cpu:.2} s CPU");
        Ok(())
    }
}

/// User and system time of this process (proc(5), `/proc/pid/stat`, fields 14 and 15, in ticks).
fn cpu_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(')').context("no name in /proc/self/stat")?.1;
    let ticks = after_name.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / 100.0)
}
