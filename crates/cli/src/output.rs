//! Answers: tables for eyes, JSON for programs.
//!
//! On a terminal a table has lines and fits the width; elsewhere it is bare columns, one line an
//! entry, for `grep` and `awk`. JSON has the API's own field names, and times in ISO 8601 as the
//! AWS CLI writes them.

mod json;
mod words;

use std::io::{self, IsTerminal as _, Write as _};

use comfy_table::{ContentArrangement, Table as Drawing, presets};
use serde::Serialize;

use crate::error::Error;
pub(crate) use words::{duration, joined, moment, optional, secret_name, short_digest, size};

/// How to answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Tables
    #[default]
    Table,
    /// JSON
    Json,
}

/// A list for eyes.
#[derive(Debug)]
pub(crate) struct Table {
    /// What is listed, in the plural: an empty list is "no rules".
    what: &'static str,
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty list of `what`, a word in the plural.
    pub(crate) fn new(what: &'static str, header: &[&'static str]) -> Self {
        Self { what, header: header.to_vec(), rows: Vec::new() }
    }

    /// Adds an entry.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }
}

/// What stands about one thing, for eyes: a name and a value each.
#[derive(Debug, Default)]
pub(crate) struct Record(Vec<(&'static str, String)>);

impl Record {
    /// Adds a line.
    #[must_use]
    pub(crate) fn line(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// Adds a line where there is a value.
    #[must_use]
    pub(crate) fn maybe(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.line(name, value),
            None => self,
        }
    }
}

/// Where answers go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    format: Format,
    /// The columns of the terminal that stdout is.
    width: Option<u16>,
}

impl Output {
    /// Looks at stdout.
    pub(crate) fn new(format: Format) -> Self {
        let stdout = io::stdout();
        let size = || rustix::termios::tcgetwinsize(&stdout).ok().map(|size| size.ws_col);
        let width = stdout.is_terminal().then(|| size().filter(|width| *width > 0).unwrap_or(80));
        Self { format, width }
    }

    /// Tells whether a program reads.
    pub(crate) fn is_json(self) -> bool {
        self.format == Format::Json
    }

    /// Answers with a list.
    pub(crate) fn list(self, shape: &impl Serialize, table: &Table) -> Result<(), Error> {
        if self.is_json() {
            return print(&json::text(shape));
        }
        if table.rows.is_empty() {
            self.note(&format!("no {}", table.what));
            return Ok(());
        }
        print(&self.draw(Some(&table.header), &table.rows))
    }

    /// Answers with one thing.
    pub(crate) fn record(self, shape: &impl Serialize, record: &Record) -> Result<(), Error> {
        if self.is_json() {
            return print(&json::text(shape));
        }
        let rows: Vec<Vec<String>> =
            record.0.iter().map(|(name, value)| vec![(*name).to_owned(), value.clone()]).collect();
        print(&self.draw(None, &rows))
    }

    /// Answers with JSON where a program reads, else with a sentence.
    pub(crate) fn done(self, shape: &impl Serialize, sentence: &str) -> Result<(), Error> {
        if self.is_json() { print(&json::text(shape)) } else { print(&format!("{sentence}\n")) }
    }

    /// Says something beside the answer, to people only.
    pub(crate) fn note(self, text: &str) {
        if !self.is_json() {
            // Nobody is left to tell where stderr is closed.
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// Warns, whoever reads.
    pub(crate) fn warn(self, text: &str) {
        let _ = writeln!(io::stderr(), "cistern: warning: {text}");
    }

    fn draw(self, header: Option<&[&'static str]>, rows: &[Vec<String>]) -> String {
        let mut drawing = Drawing::new();
        match self.width {
            Some(width) => drawing
                .load_preset(presets::UTF8_FULL_CONDENSED)
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width),
            None => drawing.load_preset(presets::NOTHING),
        };
        if let Some(header) = header {
            drawing.set_header(header.to_vec());
        }
        for row in rows {
            drawing.add_row(row);
        }
        if self.width.is_none() {
            for column in drawing.column_iter_mut() {
                column.set_padding((0, 2));
            }
        }
        format!("{}\n", drawing.trim_fmt())
    }
}

/// Writes to stdout. A reader that left early is no failure.
fn print(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::Process { what: "write to stdout", source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new("rules", &["PREFIX", "UPSTREAM"]);
        table.row(["docker-hub".to_owned(), "registry-1.docker.io".to_owned()]);
        table.row(["k8s".to_owned(), "registry.k8s.io".to_owned()]);
        table
    }

    fn drawn(width: Option<u16>) -> String {
        let table = sample();
        Output { format: Format::Table, width }.draw(Some(&table.header), &table.rows)
    }

    #[test]
    fn columns_for_programs_are_bare() {
        insta::assert_snapshot!(drawn(None), @r"
        PREFIX      UPSTREAM
        docker-hub  registry-1.docker.io
        k8s         registry.k8s.io
        ");
    }

    #[test]
    fn a_terminal_gets_lines_and_no_more_than_its_width() {
        insta::assert_snapshot!(drawn(Some(80)), @r"
        ┌────────────┬──────────────────────┐
        │ PREFIX     ┆ UPSTREAM             │
        ╞════════════╪══════════════════════╡
        │ docker-hub ┆ registry-1.docker.io │
        │ k8s        ┆ registry.k8s.io      │
        └────────────┴──────────────────────┘
        ");
        assert!(drawn(Some(24)).lines().all(|line| line.chars().count() <= 24));
    }
}
