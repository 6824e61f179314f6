//! The commands, one module for each kind of thing.

mod cache;
mod gc;
mod image;
mod login;
mod repository;
mod rule;
mod secret;
mod settings;
mod template;
mod why;

use crate::{Surroundings, connection::Options, error::Error, session::Session};

/// A kind of thing, and what to do with it.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Task {
    /// Pull through cache rules: which upstream is served under which prefix
    Rule(Group<rule::RuleCommand>),
    /// Secrets: the credentials for upstreams
    Secret(Group<secret::SecretCommand>),
    /// Repository creation templates: what repositories get when they come into being
    Template(Group<template::TemplateCommand>),
    /// Repositories
    Repository(Group<repository::RepositoryCommand>),
    /// Images in repositories
    Image(Group<image::ImageCommand>),
    /// Free the space of what nobody needs any more
    Gc(gc::GcArgs),
    /// What is kept of upstreams: warmed before it is needed, carried elsewhere
    Cache(Group<cache::CacheCommand>),
    /// Say what a pull of an image would come to, and why
    Why(why::Why),
    /// Print a password for `docker login --username AWS --password-stdin`, good for 12 hours
    LoginPassword(Options),
}

/// What to do with a kind of thing, and whom to ask.
#[derive(Debug, clap::Args)]
pub(crate) struct Group<C: clap::Subcommand> {
    #[command(subcommand)]
    command: C,
    #[command(flatten)]
    options: Options,
}

impl Task {
    /// Does what was asked for.
    pub(crate) async fn run(self, surroundings: &Surroundings<'_>) -> Result<(), Error> {
        let open = |options: &Options| Session::open(options, surroundings);
        match self {
            Self::Rule(Group { command, options }) => command.run(&open(&options)?).await,
            Self::Secret(Group { command, options }) => command.run(&open(&options)?).await,
            Self::Template(Group { command, options }) => command.run(&open(&options)?).await,
            Self::Repository(Group { command, options }) => command.run(&open(&options)?).await,
            Self::Gc(args) => gc::run(&open(&args.options)?, args.dry_run).await,
            Self::Why(why) => {
                let session = open(&why.options)?;
                why.run(&session).await
            }
            Self::LoginPassword(options) => login::run(&open(&options)?).await,
            Self::Cache(Group { command, options }) => command.run(&open(&options)?).await,
            Self::Image(Group { command, options }) => command.run(&open(&options)?).await,
        }
    }
}
