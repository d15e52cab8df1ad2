//! The formats of a report, a file each. Every one writes rows; those that can also write sums of upstreams.

mod csv;
mod excel;
mod json;
mod ndjson;
mod prom;
pub mod seed;
mod table;

use std::{
    fmt::Debug,
    io::{self, Write},
};

use clap::ValueEnum as _;

use super::{findings::Findings, groups::Groups, request::View};
use crate::{
    cli::report::{By, Format as Word, Layout},
    error::{Error, Result},
};

/// Writes a report: its upstreams, under its header where the format has one.
pub trait Format: Debug + Sync {
    /// Writes all of it.
    fn write(&self, view: &View, findings: &Findings<'_>, output: &mut dyn Write) -> io::Result<()>;
}

/// Writes a report whose upstreams are summed up.
pub trait GroupFormat: Debug + Sync {
    /// Writes all of it.
    fn write_groups(&self, groups: &Groups<'_, '_>, output: &mut dyn Write) -> io::Result<()>;
}

/// A report as it was asked for.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Each upstream.
    Rows(&'static dyn Format),
    /// Sums of them.
    Groups(By, &'static dyn GroupFormat),
}

impl Shape {
    /// The shape that goes by a word.
    ///
    /// # Errors
    /// [`Error::Usage`] when this format does not exist in this form.
    pub fn new(word: Word, layout: Layout, by: Option<By>) -> Result<Self> {
        let (shape, what) = match by {
            Some(by) => (of_groups(word).map(|format| Shape::Groups(by, format)), "--by"),
            None => (of_rows(word, layout).map(Shape::Rows), "a report"),
        };
        shape.ok_or_else(|| Error::usage(format!("{what}: it is not available as --format {}", name(word))))
    }

    /// Writes what a window came to.
    pub fn write(self, view: &View, findings: &Findings<'_>, output: &mut dyn Write) -> io::Result<()> {
        match self {
            Shape::Rows(format) => format.write(view, findings, output),
            Shape::Groups(by, format) => format.write_groups(&Groups::new(by, view, findings), output),
        }
    }
}

fn of_rows(word: Word, layout: Layout) -> Option<&'static dyn Format> {
    match (word, layout) {
        (Word::Csv, Layout::Seed) => Some(&seed::Csv),
        (Word::Json, Layout::Seed) => Some(&seed::Json),
        (Word::Csv, Layout::Full) => Some(&csv::Csv),
        (Word::CsvExcel, _) => Some(&excel::Excel),
        (Word::Json, Layout::Full) => Some(&json::Json),
        (Word::Ndjson, _) => Some(&ndjson::Ndjson),
        (Word::Table, _) => Some(&table::Table),
        (Word::Prom, _) => Some(&prom::Prom),
        (Word::Samples | Word::Changes | Word::Days | Word::Check, _) => None,
    }
}

fn of_groups(word: Word) -> Option<&'static dyn GroupFormat> {
    match word {
        Word::Csv => Some(&csv::Csv),
        Word::CsvExcel => Some(&excel::Excel),
        Word::Json => Some(&json::Json),
        Word::Ndjson => Some(&ndjson::Ndjson),
        Word::Table => Some(&table::Table),
        Word::Samples | Word::Changes | Word::Days | Word::Prom | Word::Check => None,
    }
}

fn name(word: Word) -> String {
    word.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
