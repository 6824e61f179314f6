//! `cistern cache`: what is kept of upstreams, warmed before it is needed, carried elsewhere.

mod export;
mod import;
mod names;
mod progress;
mod warm;

use std::path::PathBuf;

use oci::Platform;

use self::names::Names;
use crate::{error::Error, session::Session};

/// What to do with the cache.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum CacheCommand {
    /// Have the server pull images through their rules, before anybody asks for them
    #[command(after_help = WARM_HELP)]
    Warm {
        #[command(flatten)]
        wanted: Wanted,
    },
    /// Write images to an OCI image layout, a directory or one tar file, to carry them elsewhere
    #[command(after_help = EXPORT_HELP)]
    Export {
        #[command(flatten)]
        wanted: Wanted,
        /// The directory; images are added to a layout that is there
        #[arg(long, value_name = "DIR", required_unless_present = "file", conflicts_with = "file")]
        output_dir: Option<PathBuf>,
        /// The tar file
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Read images from an OCI image layout into the cache, as if their rules had brought them
    #[command(after_help = IMPORT_HELP)]
    Import {
        /// The layout: a directory or a tar file
        #[arg(value_name = "DIR|FILE")]
        layout: PathBuf,
        /// What the one image of the layout is called here: REPOSITORY:TAG
        #[arg(long, value_name = "IMAGE", value_parser = names::parse)]
        name: Option<names::Name>,
    },
}

const WARM_HELP: &str = "\
An IMAGE is REPOSITORY:TAG or REPOSITORY@DIGEST; a FILE has one in each line, with comments after #,
and - is standard input. The server does the work: it goes on when this command is cut off, and ends
early with Ctrl-C. Repeating it costs a question to the upstream for each tag.";

const EXPORT_HELP: &str = "\
Images are warmed first, so that they are whole. Every byte is checked against its digest. Other tools
read the layout: skopeo copy oci:DIR:hub/library/alpine:3.20 …, oci-archive:FILE:…";

const IMPORT_HELP: &str = "\
A rule must match each repository: the images are kept as what it would have brought, and its upstream
is asked about their tags as soon as it can be. Blobs that are there are not sent again. A layout that
another tool wrote names its images in its own way: say with --name what the image is called here.";

/// The images that a command is about.
#[derive(Debug, clap::Args)]
pub(crate) struct Wanted {
    /// Images, or files that name them
    #[arg(value_name = "IMAGE|FILE", required = true)]
    images: Vec<String>,
    /// Only these platforms of an index, such as linux/amd64,linux/arm64 [default: all]
    #[arg(long, value_name = "OS/ARCH", value_delimiter = ',', value_parser = platform)]
    platform: Vec<Platform>,
    /// What refers to the images too: signatures, attestations
    #[arg(long)]
    referrers: bool,
}

fn platform(text: &str) -> Result<Platform, String> {
    Platform::parse(text).map_err(|error| error.to_string())
}

impl Wanted {
    fn names(&self) -> Result<Names, Error> {
        Names::read(&self.images)
    }
}

impl CacheCommand {
    /// Does it.
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<(), Error> {
        match self {
            Self::Warm { wanted } => warm::run(session, &wanted).await,
            Self::Export { wanted, output_dir, file } => {
                let target = match (output_dir, file) {
                    (Some(directory), _) => export::Target::Directory(directory),
                    (None, Some(file)) => export::Target::File(file),
                    (None, None) => {
                        return Err(Error::Missing {
                            what: "--output-dir or --file",
                            way_out: "say where the layout goes".to_owned(),
                        });
                    }
                };
                export::run(session, &wanted, target).await
            }
            Self::Import { layout, name } => import::run(session, &layout, name).await,
        }
    }
}
