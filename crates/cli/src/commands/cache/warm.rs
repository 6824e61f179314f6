//! `cistern cache warm`: images pulled through their rules by the server.

use std::{collections::HashSet, time::Duration};

use aws::cistern::{
    CacheWarming, CancelCacheWarmingRequest, DescribeCacheWarmingRequest, Operation,
    StartCacheWarmingRequest, WarmedCacheImage,
};

use super::{
    Wanted,
    names::{Name, Names},
    progress::Progress,
};
use crate::{
    error::Error,
    interrupt::Interrupt,
    output::{Table, size},
    session::Session,
};

/// Images of one warming (`StartCacheWarming`).
const IMAGES_AT_ONCE: usize = 1000;
/// How often the server is asked how far it is.
const LOOK: Duration = Duration::from_millis(250);
/// How often it may fail to answer in a row: it goes on meanwhile.
const SILENCE_MAX: usize = 40;

/// Warms images, and fails where one was not.
pub(super) async fn run(session: &Session<'_>, wanted: &Wanted) -> Result<(), Error> {
    let names = wanted.names()?;
    let warmed = warm(session, wanted, &names).await?;
    let mut table = Table::new("images", &["IMAGE", "STATUS", "LAYERS", "SIZE", "NEW", "NOTE"]);
    for image in &warmed {
        table.row([
            name(image),
            image.status.to_lowercase(),
            format!("{}/{}", image.cached_layer_count, image.layer_count),
            bytes(image.size_in_bytes),
            bytes(image.new_size_in_bytes),
            note(image).unwrap_or_default(),
        ]);
    }
    session.output.list(&warmed, &table)?;
    check(&warmed)
}

/// Warms images and returns how each ended, whatever that was.
pub(super) async fn warm(
    session: &Session<'_>,
    wanted: &Wanted,
    names: &Names,
) -> Result<Vec<WarmedCacheImage>, Error> {
    let mut warmed = Vec::with_capacity(names.0.len());
    for names in names.0.chunks(IMAGES_AT_ONCE) {
        warmed.extend(one(session, wanted, names).await?.images);
    }
    Ok(warmed)
}

/// Fails where an image was not warmed, naming each.
pub(super) fn check(warmed: &[WarmedCacheImage]) -> Result<(), Error> {
    let is_whole = |image: &&WarmedCacheImage| image.status == "COMPLETE";
    let failed: Vec<_> = warmed
        .iter()
        .filter(|image| !is_whole(image))
        .map(|image| format!("{}: {}", name(image), note(image).unwrap_or_default()))
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    let count = format!("{} of {} images were not warmed", failed.len(), warmed.len());
    Err(Error::Failed(format!("{count}: {}", failed.join("; "))))
}

async fn one(
    session: &Session<'_>,
    wanted: &Wanted,
    names: &[Name],
) -> Result<CacheWarming, Error> {
    let request = StartCacheWarmingRequest {
        registry_id: None,
        images: names.iter().map(Name::to_shape).collect(),
        platforms: Some(wanted.platform.iter().map(ToString::to_string).collect()),
        include_referrers: Some(wanted.referrers),
    };
    // Before it is started: nothing could be told to end whose id is not known yet.
    let mut interrupt = Interrupt::take()?;
    let started: CacheWarming =
        session.client.cistern(Operation::StartCacheWarming, &request).await?;
    let id = started.warming_id.unwrap_or_default();
    let progress = Progress::new(session.output, "warming");
    tokio::select! {
        ended = follow(session, &id, &progress) => return ended,
        () = interrupt.comes() => {}
    }
    drop(progress);
    tokio::select! {
        canceled = cancel(session, id) => Err(canceled?),
        // Who asks twice does not want to wait.
        () = interrupt.comes() => Err(Error::Interrupted(
            "the server may not have heard of it: there the warming may go on".to_owned(),
        )),
    }
}

/// Has the server end a warming; returns what to say about it.
async fn cancel(session: &Session<'_>, id: String) -> Result<Error, Error> {
    let request = CancelCacheWarmingRequest { registry_id: None, warming_id: id };
    let ended: CacheWarming =
        session.client.cistern(Operation::CancelCacheWarming, &request).await?;
    let whole = ended.images.iter().filter(|image| image.status == "COMPLETE").count();
    Ok(Error::Interrupted(format!(
        "{whole} of {} images are warm, and of the others what came is kept: repeat the command to \
         go on",
        ended.images.len()
    )))
}

/// Asks how far a warming is until it has ended.
async fn follow(
    session: &Session<'_>,
    id: &str,
    progress: &Progress,
) -> Result<CacheWarming, Error> {
    let request = DescribeCacheWarmingRequest { registry_id: None, warming_id: id.to_owned() };
    let (mut told, mut silences) = (HashSet::new(), 0);
    loop {
        let asked = session.client.cistern(Operation::DescribeCacheWarming, &request).await;
        let warming: CacheWarming = match asked {
            Ok(warming) => warming,
            Err(Error::Unreachable { .. }) if silences < SILENCE_MAX => {
                silences += 1;
                tokio::time::sleep(LOOK).await;
                continue;
            }
            Err(Error::Refused(refusal)) if refusal.message.contains("there is no warming") => {
                return Err(Error::Failed(
                    "the server was restarted and has forgotten what it was to do: repeat the \
                     command, what came so far is kept"
                        .to_owned(),
                ));
            }
            Err(error) => return Err(error),
        };
        silences = 0;
        tell(&warming, &mut told, progress);
        if warming.status.as_deref() != Some("IN_PROGRESS") {
            return Ok(warming);
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn tell(warming: &CacheWarming, told: &mut HashSet<usize>, progress: &Progress) {
    let sum = |of: fn(&WarmedCacheImage) -> u64| warming.images.iter().map(of).sum();
    let (mut running, mut ended) = (Vec::new(), 0);
    for (at, image) in warming.images.iter().enumerate() {
        match image.status.as_str() {
            "PENDING" => continue,
            "IN_PROGRESS" => running.push(name(image)),
            _ => {
                ended += 1;
                if told.insert(at) {
                    tell_ended(image, progress);
                }
            }
        }
    }
    let running = running.join(", ");
    let what = format!("{ended}/{} images  {running}", warming.images.len());
    progress.at(sum(|image| image.cached_size_in_bytes), sum(|image| image.size_in_bytes), what);
}

fn tell_ended(image: &WarmedCacheImage, progress: &Progress) {
    let name = name(image);
    match (image.status.as_str(), note(image)) {
        ("COMPLETE", note) => {
            let (all, new) = (bytes(image.size_in_bytes), bytes(image.new_size_in_bytes));
            progress.line(&format!("{name}: {all}, {new} of it new"));
            if let Some(note) = note {
                progress.warn(&format!("{name}: {note}"));
            }
        }
        (_, note) => progress.line(&format!("{name}: {}", note.unwrap_or_default())),
    }
}

/// What is to be said about an image beside its numbers.
fn note(image: &WarmedCacheImage) -> Option<String> {
    if let Some(reason) = &image.failure_reason {
        return Some(reason.clone());
    }
    if image.status == "CANCELED" {
        return Some("canceled".to_owned());
    }
    let stale = image.stale_reason.as_ref();
    let stale = stale.map(|reason| format!("not confirmed by the upstream: {reason}"));
    let missing = image.missing_platforms.as_ref();
    let missing = missing.map(|missing| format!("it has no {}", missing.join(", ")));
    let notes: Vec<_> = stale.into_iter().chain(missing).collect();
    Some(notes.join("; ")).filter(|text| !text.is_empty())
}

fn name(image: &WarmedCacheImage) -> String {
    let WarmedCacheImage { repository_name, image_tag, image_digest, .. } = image;
    match (image_tag, image_digest) {
        (Some(tag), _) => format!("{repository_name}:{tag}"),
        (None, Some(digest)) => format!("{repository_name}@{digest}"),
        (None, None) => repository_name.clone(),
    }
}

fn bytes(bytes: u64) -> String {
    size(i64::try_from(bytes).ok())
}
