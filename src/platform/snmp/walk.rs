//! The lines of a walk, as net-snmp's tools print them, and of a recording (`.snmprec`). A string may go over several
//! lines, and a line inside a string may look like any other. Without MIBs strings stand in quotation marks and are
//! read as such. With MIBs they stand bare, and nothing but what follows tells where one ends: a line that may be
//! part of a string counts only where no other line says something else of the same row.

use std::borrow::Cow;

use super::{
    columns::Column,
    device::Device,
    place::{Index, Place, Target},
    value::{self, Value},
};
use crate::platform::{
    Taken,
    collector::{Collector, Line},
};

/// The longest string of MIBs that stands bare: a DisplayString (RFC 2579), in characters.
const LONGEST_BARE: usize = 255;
/// The longest string in quotation marks, with its backslashes, bytes.
const LONGEST_QUOTED: usize = 4096;

/// Rows behind a string of which the later one is less in doubt: the shortest row has a dozen characters.
const ROWS_TOLD_APART: u8 = 31;

/// A line that is part of the string before it.
const MORE: Taken = Taken::Ignored("more of a string");

/// A bare string that may go on.
struct Open<'a> {
    place: Place<'a>,
    /// Characters that it may still have.
    left: usize,
    /// A line that is nothing else followed it: it goes over several lines.
    torn: bool,
    /// Lines that look like rows so far.
    rows: u8,
}

/// A row whose bare string is being read.
struct Pending<'a> {
    column: Column,
    index: Index,
    doubt: u8,
    text: Cow<'a, str>,
}

/// The text of one answer.
pub struct Walk<'a> {
    answer: usize,
    command: &'a str,
    /// What was walked, where that is known: other rows do not count.
    scope: Option<&'a str>,
    text: &'a str,
    at: usize,
    number: usize,
    open: Option<Open<'a>>,
    pending: Option<Pending<'a>>,
    /// The row that came last, where a string may be open.
    before: Option<Place<'a>>,
    last: Option<Column>,
}

impl<'a> Walk<'a> {
    /// Reads all lines of an answer.
    pub fn read(
        answer: usize,
        command: &'a str,
        scope: Option<&'a str>,
        text: &'a str,
        device: &mut Device<'a>,
        collector: &mut Collector<'_, '_, 'a>,
    ) {
        let (at, number, open, pending, before, last) = (0, 0, None, None, None, None);
        let mut walk = Walk { answer, command, scope, text, at, number, open, pending, before, last };
        while let Some(line) = walk.next() {
            walk.line(line, device, collector);
        }
        walk.close(device);
    }

    fn next(&mut self) -> Option<Line<'a>> {
        let rest = &self.text[self.at..];
        if rest.is_empty() {
            return None;
        }
        let end = rest.find('\n').unwrap_or(rest.len());
        self.at += (end + 1).min(rest.len());
        self.number += 1;
        let text = rest[..end].strip_suffix('\r').unwrap_or(&rest[..end]);
        let percent = text.contains('%');
        Some(Line { answer: self.answer, command: self.command, number: self.number, text, percent })
    }

    /// Ends what is open.
    fn close(&mut self, device: &mut Device<'a>) {
        self.open = None;
        self.flush(device);
    }

    fn flush(&mut self, device: &mut Device<'a>) {
        if let Some(Pending { column, index, doubt, text }) = self.pending.take() {
            device.row(column, index, doubt, Value::Text(value::one_line(text)));
        }
    }

    fn line(&mut self, line: Line<'a>, device: &mut Device<'a>, collector: &mut Collector<'_, '_, 'a>) {
        let text = line.text.trim_start();
        if text.is_empty() {
            return collector.take(line, Taken::Ignored("blank"));
        }
        if let Some((place, tag, value)) = recorded(text) {
            self.close(device);
            let taken = self.recorded(place, tag, value, device);
            return collector.take(line, taken);
        }
        match varbind(text) {
            Some((place, value)) => self.varbind(line, place, value, device, collector),
            None => {
                let taken = self.other(text, device);
                collector.take(line, taken);
            }
        }
    }

    /// A line that is not a row.
    fn other(&mut self, text: &'a str, device: &mut Device<'a>) -> Taken {
        if is_failure(text) {
            self.close(device);
            device.broken(self.last, text.trim_end());
            return Taken::Ignored("the walk broke off");
        }
        if is_remark(text) {
            self.close(device);
            return Taken::Ignored("a prompt, a command or a remark");
        }
        if self.spend(text) {
            if let Some(open) = &mut self.open {
                open.torn = true;
            }
            if let Some(pending) = &mut self.pending {
                pending.text = Cow::Owned(format!("{}\n{text}", pending.text));
            }
            return MORE;
        }
        self.flush(device);
        let oid = [".1.3.6.1.", "iso.3.6.1."].iter().any(|root| text.starts_with(root));
        if oid {
            Taken::Unparsed("an OID that cannot be read")
        } else {
            Taken::Ignored("not a line of a walk")
        }
    }

    /// Whether a line may be part of the string that is open; it is not open any more when the line is too much.
    fn spend(&mut self, text: &str) -> bool {
        let Some(open) = &mut self.open else { return false };
        match open.left.checked_sub(text.chars().count() + 1) {
            Some(left) => open.left = left,
            None => self.open = None,
        }
        self.open.is_some()
    }

    fn varbind(
        &mut self,
        line: Line<'a>,
        place: Place<'a>,
        text: &'a str,
        device: &mut Device<'a>,
        collector: &mut Collector<'_, '_, 'a>,
    ) {
        let mut doubt = 0;
        if self.open.as_ref().is_some_and(|open| place.continues(&open.place)) {
            self.open = None;
        } else if self.spend(line.text) {
            if self.is_inside(&place) {
                if let Some(pending) = &mut self.pending {
                    pending.text = Cow::Owned(format!("{}\n{}", pending.text, line.text));
                }
                return collector.take(line, MORE);
            }
            doubt = self.doubt(&place);
        }
        self.flush(device);
        if doubt == 0 {
            self.open = None;
        }
        if let Target::Row(column, _) = place.target {
            self.last = Some(column);
        }
        let bare = self.string(&place, text, collector, line, doubt, device);
        self.before = self.open.as_ref().map(|_| place.clone());
        if bare {
            let left = LONGEST_BARE.saturating_sub(text.chars().count());
            self.open = Some(Open { place, left, torn: false, rows: 0 });
        }
    }

    /// How much a row is in doubt that stands where the string that is open may go on. A string over several lines, a
    /// row in another form, and one that no other row of its column follows, add to it; of two rows the later one
    /// is less in doubt, since what follows a string stands behind it.
    fn doubt(&mut self, place: &Place<'a>) -> u8 {
        let next = self.text[self.at..].split('\n').find(|line| !line.trim().is_empty());
        let goes_on =
            next.and_then(|line| varbind(line.trim_start())).is_some_and(|(next, _)| next.continues(place));
        let Some(open) = &mut self.open else { return 0 };
        let reasons =
            2 * u8::from(open.torn) + 2 * u8::from(open.place.form != place.form) + u8::from(!goes_on);
        open.rows = (open.rows + 1).min(ROWS_TOLD_APART);
        (1 + reasons) * (ROWS_TOLD_APART + 1) - open.rows
    }

    /// Whether a line that looks like a row is part of the string that is open: what follows goes on where the
    /// string's own row stands, and up to there no row follows another one of its column, as in a walk. Scalars may be
    /// asked for one by one, with anything between them: then only a row in another form is known to be inside.
    fn is_inside(&self, place: &Place<'a>) -> bool {
        let Some(open) = &self.open else { return false };
        if self.before.as_ref().is_some_and(|before| place.continues(before)) {
            return false;
        }
        let scalar = open.place.is_scalar();
        let (mut left, mut torn) = (open.left, open.torn && !scalar || open.place.form != place.form);
        let mut before = place.clone();
        for line in self.text[self.at..].split('\n') {
            let text = line.trim_start();
            match varbind(text) {
                Some((next, _)) if next.continues(&open.place) => return torn,
                Some((next, _)) if next.continues(&before) => return false,
                Some((next, _)) => before = next,
                None if is_remark(text) || is_failure(text) => return false,
                None => torn |= !text.is_empty() && !scalar,
            }
            match left.checked_sub(line.chars().count() + 1) {
                Some(rest) => left = rest,
                None => return false,
            }
        }
        false
    }

    /// Reads the value of a row, with all of its lines. True when it is a bare string, which may go on.
    fn string(
        &mut self,
        place: &Place<'a>,
        text: &'a str,
        collector: &mut Collector<'_, '_, 'a>,
        line: Line<'a>,
        doubt: u8,
        device: &mut Device<'a>,
    ) -> bool {
        if value::is_nothing(text) {
            let taken = self.nothing(place, device);
            collector.take(line, taken);
            return false;
        }
        let (bare, hex) = value::without_type(text);
        let mut more = 0;
        let (string, open) = if hex {
            let (bytes, lines) = self.hex(bare);
            more = lines;
            (Cow::Owned(value::text_of(&bytes)), false)
        } else if let Some(inside) = self.quoted(place, bare) {
            more = inside.matches('\n').count();
            (value::unquote(inside), false)
        } else {
            (Cow::Borrowed(bare), true)
        };
        let (taken, pending) = self.row(place, string, doubt, open, device);
        collector.take(line, taken);
        for _ in 0..more {
            let Some(line) = self.next() else { break };
            collector.take(line, MORE);
        }
        self.pending = pending;
        let quick = bare.len() == text.trim_start().len() && place.target == Target::Other;
        let is_text = text.trim_start().starts_with("STRING:") || quick && bare.parse::<i64>().is_err();
        open && (is_text || self.pending.is_some())
    }

    /// The inside of a string in quotation marks, whose first one begins `bare`. Where a MIB was loaded, quotation
    /// marks belong to the text unless they hold all of its one line.
    fn quoted(&self, place: &Place<'_>, bare: &'a str) -> Option<&'a str> {
        let rest = bare.strip_prefix('"')?;
        let start = rest.as_ptr() as usize - self.text.as_ptr() as usize;
        let inside = value::quoted(&self.text[start..], LONGEST_QUOTED)?;
        (!place.named || !inside.contains('\n')).then_some(inside)
    }

    /// The bytes of hexadecimal digits that begin in `first`, and how many of the next lines belong to them.
    fn hex(&self, first: &str) -> (Vec<u8>, usize) {
        let (mut bytes, mut lines) = (Vec::new(), 0);
        value::hex(first, &mut bytes);
        for line in self.text[self.at..].split('\n') {
            if !value::hex(line, &mut bytes) {
                break;
            }
            lines += 1;
        }
        (bytes, lines)
    }

    /// Takes the value of a row. A bare string of a column that is read is not noted before its end is known.
    fn row(
        &self,
        place: &Place<'a>,
        string: Cow<'a, str>,
        doubt: u8,
        open: bool,
        device: &mut Device<'a>,
    ) -> (Taken, Option<Pending<'a>>) {
        let (column, index) = match place.target {
            Target::Row(column, index) => (column, index),
            Target::Hostile => return (Taken::Unparsed("an index that no row has"), None),
            Target::Columns(_) | Target::Other => return (NOT_READ, None),
        };
        if !self.is_in_scope(column) {
            return (Taken::Ignored("of another walk"), None);
        }
        let taken = taken(column, index);
        let value = match column {
            Column::SysUpTime => return (taken, None),
            Column::IfDescr | Column::IfName | Column::IfAlias if open => {
                return (taken, Some(Pending { column, index, doubt, text: string }));
            }
            Column::SysObjectId | Column::IfDescr | Column::IfName | Column::IfAlias => {
                Some(Value::Text(value::one_line(string)))
            }
            _ => value::number(column, &string).map(Value::Number),
        };
        let Some(value) = value else { return (Taken::Unparsed("a value that is not a number"), None) };
        let taken = match device.row(column, index, doubt, value) {
            true => taken,
            false => Taken::Ignored("more rows than any device has"),
        };
        (taken, None)
    }

    fn is_in_scope(&self, column: Column) -> bool {
        let below = |oid: &str, root: &str| {
            oid.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.scope.is_none_or(|scope| below(column.oid(), scope) || below(scope, column.oid()))
    }

    /// Takes a line of a recording.
    fn recorded(&mut self, place: Place<'a>, tag: &str, text: &'a str, device: &mut Device<'a>) -> Taken {
        let text = match tag {
            "4x" => value::packed_hex(text).map(|bytes| Cow::Owned(value::text_of(&bytes))),
            "2" | "4" | "6" | "65" | "66" | "67" | "70" => Some(Cow::Borrowed(text)),
            _ => None,
        };
        match text {
            Some(text) => self.row(&place, text, 0, false, device).0,
            None if matches!(place.target, Target::Row(..)) => Taken::Unparsed("a value of another type"),
            None => NOT_READ,
        }
    }

    /// Notes that what was asked for has no row.
    fn nothing(&self, place: &Place<'a>, device: &mut Device<'a>) -> Taken {
        match &place.target {
            Target::Row(column, _) => device.asked(*column),
            Target::Columns(columns) => columns.iter().for_each(|&column| device.asked(column)),
            Target::Hostile | Target::Other => {}
        }
        Taken::Ignored("no value")
    }
}

/// A row of a table that is not of interest.
const NOT_READ: Taken = Taken::Ignored("not a column that is read");

/// What a row is taken for.
fn taken(column: Column, index: Index) -> Taken {
    match (column, index.1) {
        (Column::ModType, 5 | 6 | 9 | 10) => Taken::Profile,
        (Column::ModType | Column::ModControl, 0..=4 | 7..) if !matches!(index.1, 9 | 10) => {
            Taken::Ignored("a burst type without data")
        }
        _ => Taken::Row(column.name()),
    }
}

/// A line `OID = value`, or `OID value`, by its parts.
fn varbind(text: &str) -> Option<(Place<'_>, &str)> {
    let (left, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.trim_start();
    let behind = rest.strip_prefix('=').filter(|value| value.is_empty() || value.starts_with(' '));
    let place = Place::read(left, behind.is_some())?;
    Some((place, behind.unwrap_or(rest).trim_start()))
}

/// A line `OID|tag|value` of a recording, by its parts.
fn recorded(text: &str) -> Option<(Place<'_>, &str, &str)> {
    if !text.starts_with("1.3.6.") && !text.starts_with(".1.3.6.") {
        return None;
    }
    let (oid, rest) = text.split_once('|')?;
    let (tag, value) = rest.split_once('|')?;
    Some((Place::read(oid, false)?, tag, value))
}

/// Net-snmp's tools, by which their commands and their complaints begin.
const TOOLS: [&str; 6] = ["snmpwalk", "snmpbulkwalk", "snmpget", "snmpgetnext", "snmpbulkget", "snmptable"];

/// What a tool says when a walk is not whole.
fn is_failure(text: &str) -> bool {
    let said = [
        "Timeout:",
        "Error in packet",
        "Error: OID not increasing",
        "OID not increasing",
        "No Response from",
    ];
    let complains = |tool: &str| text.strip_prefix(tool).is_some_and(|rest| rest.starts_with(": "));
    said.iter().any(|words| text.starts_with(words)) || TOOLS.iter().any(|tool| complains(tool))
}

/// What is known not to be part of any string: commands, prompts, and what tools add.
fn is_remark(text: &str) -> bool {
    let text = text.trim_end();
    let remarks = ["Variables found: ", "Total traversal time", "End of MIB", "Cannot find module ("];
    let typed = |tool: &str| {
        text.find(tool).is_some_and(|at| {
            (at == 0 || text[..at].ends_with([' ', '/'])) && text[at + tool.len()..].starts_with(' ')
        })
    };
    let prompt = text.ends_with(['$', '#', '%', '>']) && (!text.contains(' ') || text.starts_with('['));
    remarks.iter().any(|words| text.starts_with(words)) || TOOLS.iter().any(|tool| typed(tool)) || prompt
}
