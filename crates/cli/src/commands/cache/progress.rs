//! How far something long is: a bar on a terminal, else a line for each image that is done.

use std::{cell::Cell, io::IsTerminal as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::Output;

/// What is shown until it is known how much there is: a bar of nothing would be a full one.
const BEGUN: &str = "{prefix}  {wide_msg}";
/// What is shown from then on.
const MEASURED: &str =
    "{prefix} [{bar:30}] {bytes}/{total_bytes} {binary_bytes_per_sec}  {wide_msg}";

/// How far it is, told on stderr.
pub(super) struct Progress {
    output: Output,
    /// Absent where stderr is no terminal, or a program reads.
    bar: Option<ProgressBar>,
    is_measured: Cell<bool>,
}

impl Progress {
    /// Begins; `verb` is what is done.
    pub(super) fn new(output: Output, verb: &'static str) -> Self {
        let is_seen = !output.is_json() && std::io::stderr().is_terminal();
        let bar = is_seen.then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            bar.with_style(style(BEGUN)).with_prefix(verb)
        });
        Self { output, bar, is_measured: Cell::new(false) }
    }

    /// Says how many of how many bytes are done, and what is being done.
    pub(super) fn at(&self, done: u64, total: u64, what: impl Into<String>) {
        if let Some(bar) = &self.bar {
            if total > 0 && !self.is_measured.replace(true) {
                bar.set_style(style(MEASURED));
            }
            bar.set_length(total.max(done));
            bar.set_position(done);
            bar.set_message(what.into());
        }
    }

    /// Says that something is done.
    pub(super) fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => self.output.note(text),
        }
    }

    /// Warns, whoever reads.
    pub(super) fn warn(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.output.warn(text)),
            None => self.output.warn(text),
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).expect("a template that is right");
    style.progress_chars("=> ")
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
