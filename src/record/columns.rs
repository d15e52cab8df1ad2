//! The columns of a record, made of its fields: tables, spreadsheets, pages and sums of groups all take them from
//! here, so that a field that is added to the record is in all of them.

use std::borrow::Cow;

use chrono::NaiveDate;

use super::{Delta, PerModulation, Snr, Timestamp, Why};
use crate::{modulation::Modulation, text, units::Plain};

/// What a column has of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Nothing: an empty cell.
    Missing,
    /// Text that others chose, or that looks like a number and is none.
    Text(Cow<'a, str>),
    /// A word, date or time of our own.
    Word(Cow<'static, str>),
    /// A number; whole ones up to 2^53.
    Number(f64),
}

impl Cell<'_> {
    /// As it stands in a CSV file.
    #[must_use]
    pub fn to_csv(&self) -> Cow<'_, str> {
        match self {
            Cell::Missing => Cow::Borrowed(""),
            Cell::Text(text) => text::csv_cell(text),
            Cell::Word(word) => Cow::Borrowed(word),
            // Most are: of nine modulations an upstream is seen at one or two.
            Cell::Number(number) if number.to_bits() == 0 => Cow::Borrowed("0"),
            Cell::Number(number) => Cow::Owned(Plain(*number).to_string()),
        }
    }
}

/// How a figure of several records is made of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// Added up, over those that have it.
    Sum,
    /// The mean of those that have it.
    Mean,
}

/// A figure that several records have together.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Figure {
    pub name: &'static str,
    pub fold: Fold,
    /// Whether it is a count.
    pub is_whole: bool,
    pub value: Option<f64>,
}

/// A field that stands in one column or in several.
pub trait Field {
    /// In how many columns.
    const COLUMNS: usize = 1;
    /// Whether it is a count.
    const IS_WHOLE: bool = false;

    /// The names of its columns, when the field has this one.
    fn names(name: &str) -> Vec<String> {
        vec![name.to_owned()]
    }

    /// Appends its cells, one for each column.
    fn append_to<'a>(&'a self, cells: &mut Vec<Cell<'a>>);

    /// The number that it is.
    fn figure(&self) -> Option<f64> {
        None
    }

    /// Rounds it to three decimals.
    fn round(&mut self) {}
}

impl<T: Field> Field for Option<T> {
    const COLUMNS: usize = T::COLUMNS;
    const IS_WHOLE: bool = T::IS_WHOLE;

    fn names(name: &str) -> Vec<String> {
        T::names(name)
    }

    fn append_to<'a>(&'a self, cells: &mut Vec<Cell<'a>>) {
        match self {
            Some(value) => value.append_to(cells),
            None => cells.extend(std::iter::repeat_n(Cell::Missing, T::COLUMNS)),
        }
    }

    fn figure(&self) -> Option<f64> {
        self.as_ref().and_then(T::figure)
    }

    fn round(&mut self) {
        self.iter_mut().for_each(T::round);
    }
}

impl Field for String {
    fn append_to<'a>(&'a self, cells: &mut Vec<Cell<'a>>) {
        cells.push(Cell::Text(self.into()));
    }
}

macro_rules! counts {
    ($($type:ty),*) => { $(impl Field for $type {
        const IS_WHOLE: bool = true;

        fn append_to<'a>(&'a self, cells: &mut Vec<Cell<'a>>) {
            cells.push(Cell::Number(*self as f64));
        }

        fn figure(&self) -> Option<f64> {
            Some(*self as f64)
        }
    })* };
}
counts!(u64, u32, i64);

impl Field for f64 {
    fn append_to<'a>(&'a self, cells: &mut Vec<Cell<'a>>) {
        cells.push(Cell::Number(*self));
    }

    fn figure(&self) -> Option<f64> {
        Some(*self)
    }

    fn round(&mut self) {
        *self = rounded(*self);
    }
}

macro_rules! words {
    ($($type:ty),*) => { $(impl Field for $type {
        fn append_to<'a>(&'a self, cells: &mut Vec<Cell<'a>>) {
            cells.push(Cell::Word(self.to_string().into()));
        }
    })* };
}
words!(Timestamp, NaiveDate);

impl Field for bool {
    fn append_to<'a>(&'a self, cells: &mut Vec<Cell<'a>>) {
        cells.push(Cell::Word(if *self { "true" } else { "false" }.into()));
    }
}

impl Field for Modulation {
    fn append_to<'a>(&'a self, cells: &mut Vec<Cell<'a>>) {
        cells.push(Cell::Word(self.word().into()));
    }
}

impl Field for Vec<Why> {
    fn append_to<'a>(&'a self, cells: &mut Vec<Cell<'a>>) {
        cells.push(Cell::Text(self.iter().map(|why| why.word()).collect::<Vec<_>>().join(" ").into()));
    }
}

impl Field for Delta {
    const COLUMNS: usize = 2;

    fn names(name: &str) -> Vec<String> {
        ["hops", "lost_pct"].map(|part| format!("{name}_{part}")).into()
    }

    fn append_to<'a>(&'a self, cells: &mut Vec<Cell<'a>>) {
        self.hops.append_to(cells);
        self.lost_pct.append_to(cells);
    }

    fn round(&mut self) {
        self.lost_pct.round();
    }
}

impl Field for Snr {
    const COLUMNS: usize = 4;

    fn names(name: &str) -> Vec<String> {
        ["median", "min", "degraded", "otherwise"].map(|part| format!("{name}_{part}")).into()
    }

    fn append_to<'a>(&'a self, cells: &mut Vec<Cell<'a>>) {
        [&self.median, &self.min].into_iter().for_each(|snr| snr.append_to(cells));
        [&self.degraded, &self.otherwise].into_iter().for_each(|snr| snr.append_to(cells));
    }

    fn round(&mut self) {
        [&mut self.median, &mut self.min].into_iter().for_each(Field::round);
        [&mut self.degraded, &mut self.otherwise].into_iter().for_each(Field::round);
    }
}

/// A column for each modulation; what was not seen is 0.
impl<T: Field> Field for PerModulation<T> {
    const COLUMNS: usize = Modulation::ALL.len();

    fn names(name: &str) -> Vec<String> {
        Modulation::ALL.map(|m| format!("{name}_{m}")).into()
    }

    fn append_to<'a>(&'a self, cells: &mut Vec<Cell<'a>>) {
        let first = cells.len();
        cells.extend(Modulation::ALL.map(|_| Cell::Number(0.0)));
        for (modulation, number) in self {
            cells[first + modulation.index()] = Cell::Number(number.figure().unwrap_or(0.0));
        }
    }

    fn round(&mut self) {
        self.values_mut().for_each(T::round);
    }
}

/// Three decimals.
#[must_use]
pub fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

/// Declares a record whose fields are columns. A field with `=> sum` or `=> mean` is a figure that groups of records
/// have too; one with `=> hidden` is in the record alone.
macro_rules! columns {
    (
        $(#[$about:meta])*
        pub struct $name:ident { $($(#[$doc:meta])* pub $field:ident: $type:ty $(=> $how:ident)?),+ $(,)? }
    ) => {
        $(#[$about])*
        pub struct $name { $($(#[$doc])* pub $field: $type),+ }

        impl $name {
            /// The names of its columns.
            #[must_use]
            pub fn names() -> Vec<String> {
                let mut names = Vec::new();
                $(columns!(@names names, $field, $type, $($how)?);)+
                names
            }

            /// Its cells, in the order of their names.
            #[must_use]
            pub fn cells(&self) -> Vec<$crate::record::Cell<'_>> {
                let mut cells = Vec::with_capacity(80);
                $(columns!(@cells cells, self, $field, $($how)?);)+
                cells
            }

            /// The figures that groups of it have too, in the order of its fields.
            #[must_use]
            #[allow(unused_mut, reason = "there are records without one")]
            pub fn figures(&self) -> Vec<$crate::record::Figure> {
                let mut figures = Vec::with_capacity(16);
                $(columns!(@figures figures, self, $field, $type, $($how)?);)+
                figures
            }

            /// As it is written: to three decimals.
            #[must_use]
            pub fn rounded(mut self) -> Self {
                $(columns!(@round self, $field, $($how)?);)+
                self
            }
        }
    };
    (@names $names:ident, $field:ident, $type:ty, hidden) => {};
    (@names $names:ident, $field:ident, $type:ty, $($how:ident)?) => {
        $names.extend(<$type as $crate::record::columns::Field>::names(stringify!($field)));
    };
    (@cells $cells:ident, $self:ident, $field:ident, hidden) => {};
    (@cells $cells:ident, $self:ident, $field:ident, $($how:ident)?) => {
        $crate::record::columns::Field::append_to(&$self.$field, &mut $cells);
    };
    (@figures $figures:ident, $self:ident, $field:ident, $type:ty, hidden) => {};
    (@figures $figures:ident, $self:ident, $field:ident, $type:ty,) => {};
    (@figures $figures:ident, $self:ident, $field:ident, $type:ty, $how:ident) => {
        $figures.push($crate::record::Figure {
            name: stringify!($field),
            fold: columns!(@fold $how),
            is_whole: <$type as $crate::record::columns::Field>::IS_WHOLE,
            value: $crate::record::columns::Field::figure(&$self.$field),
        });
    };
    (@round $self:ident, $field:ident, hidden) => {};
    (@round $self:ident, $field:ident, $($how:ident)?) => {
        $crate::record::columns::Field::round(&mut $self.$field);
    };
    (@fold sum) => { $crate::record::Fold::Sum };
    (@fold mean) => { $crate::record::Fold::Mean };
}

pub(crate) use columns;
