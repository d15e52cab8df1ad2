//! How far a run is, for a person at a terminal; nothing otherwise.

use std::{collections::HashMap, time::Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::{text, units};

/// A line that is drawn over and over on a terminal.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    failed: u64,
    running: HashMap<String, Instant>,
}

impl Progress {
    /// Drawn only when stderr is a terminal.
    #[must_use]
    pub fn new(terminal: bool) -> Self {
        let style = ProgressStyle::with_template("{pos}/{len} devices, {msg}").ok();
        let bar = terminal
            .then(|| style.map_or(ProgressBar::new(0), |style| ProgressBar::new(0).with_style(style)));
        Progress { bar, failed: 0, running: HashMap::new() }
    }

    /// One more device to do.
    pub fn added(&self) {
        if let Some(bar) = &self.bar {
            bar.inc_length(1);
        }
    }

    /// A session begins.
    pub fn began(&mut self, cmts: &str) {
        if self.bar.is_some() {
            self.running.insert(cmts.to_owned(), Instant::now());
        }
    }

    /// A session ended.
    pub fn ended(&mut self, cmts: &str) {
        self.running.remove(cmts);
    }

    /// A device is done.
    pub fn done(&mut self, good: bool) {
        self.failed += u64::from(!good);
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// Draws it.
    pub fn show(&self, running: usize) {
        let Some(bar) = &self.bar else { return };
        let longest = self.running.iter().min_by_key(|(_, began)| **began);
        let longest = longest.map_or(String::new(), |(cmts, began)| {
            format!(", longest {} {}", text::terminal(cmts), units::human(began.elapsed()))
        });
        bar.set_message(format!("{} failed, {running} running{longest}", self.failed));
    }

    /// Does something that writes to stderr, without the line in the way.
    pub fn suspend(&self, say: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
