//! The forms in which an inventory is written, down to fields: bare names, a table with a header, NDJSON, a JSON
//! array, an answer of NetBox (`{"results": [...]}`); `--map` says where fields stand under other names.

use std::{collections::HashMap, str::FromStr};

use serde_json::Value;

use crate::tables::{Header, Problem, Row, Table};

/// The fields of a device, each with the names under which it is looked for.
const FIELDS: [(&str, &[&str]); 10] = [
    ("cmts", &["cmts", "name", "hostname", "ccap"]),
    ("host", &["host", "address", "ip"]),
    ("port", &["port"]),
    ("snmp_port", &["snmp_port"]),
    ("platform", &["platform"]),
    ("via", &["via"]),
    ("user", &["user"]),
    ("jump", &["jump"]),
    ("algorithms", &["algorithms"]),
    ("description", &["description"]),
];

/// `--map`: the names that fields have in this inventory, such as `cmts=name,host=primary_ip.address`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping(Vec<(&'static str, String)>);

impl FromStr for Mapping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut mapping = Vec::new();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (field, name) = pair
                .split_once('=')
                .map(|(field, name)| (field.trim(), name.trim()))
                .filter(|(_, name)| !name.is_empty())
                .ok_or_else(|| {
                    format!("invalid pair {pair:?}; example: cmts=name,host=primary_ip.address")
                })?;
            let known = FIELDS.iter().find(|(known, _)| *known == field).ok_or_else(|| {
                let fields = FIELDS.map(|(field, _)| field).join(", ");
                format!("unknown field {field:?}; expected one of {fields}")
            })?;
            mapping.push((known.0, name.to_owned()));
        }
        Ok(Mapping(mapping))
    }
}

impl Mapping {
    fn name(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(mapped, _)| *mapped == field).map(|(_, name)| name.as_str())
    }
}

/// A device as it is written: any field may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written(HashMap<&'static str, String>);

impl Written {
    /// A device of which only the name is given.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let mut written = Written::default();
        written.set("cmts", name);
        written
    }

    /// A field, without blanks around it; an empty one is missing.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }

    fn set(&mut self, field: &'static str, text: &str) {
        if !text.trim().is_empty() {
            self.0.insert(field, text.trim().to_owned());
        }
    }

    fn of_row(header: &Header, row: &Row, mapping: &Mapping) -> Self {
        let mut written = Written::default();
        for (field, names) in FIELDS {
            let cell = match mapping.name(field) {
                Some(name) => header.cell(row, name),
                None => names.iter().find_map(|name| header.cell(row, name)),
            };
            written.set(field, cell.unwrap_or_default());
        }
        written
    }

    fn of_json(device: &Value, mapping: &Mapping) -> Result<Self, String> {
        let mut written = Written::default();
        if let Value::String(name) = device {
            return Ok(Written::named(name));
        }
        if !device.is_object() {
            return Err("neither a name nor an object".to_owned());
        }
        for (field, names) in FIELDS {
            // Under its usual name an object is something else: NetBox has one called `platform`.
            let found = match mapping.name(field) {
                Some(name) => nested(device, name)
                    .map(|value| {
                        scalar(value).ok_or_else(|| format!("--map {field}={name}: not a single value"))
                    })
                    .transpose()?,
                None => {
                    names.iter().find_map(|name| device.get(name).and_then(scalar).filter(|s| !s.is_empty()))
                }
            };
            written.set(field, &found.unwrap_or_default());
        }
        if written.get("cmts").is_none() && mapping.name("cmts").is_none() {
            let names: Vec<&str> =
                device.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
            let names = names.iter().take(8).copied().collect::<Vec<_>>().join(", ");
            return Err(format!("has no cmts; --map cmts=FIELD names it (there is {names})"));
        }
        Ok(written)
    }
}

/// A value by its name, or by a path of names and indices with dots between them.
fn nested<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    if let Some(found) = value.get(path) {
        return Some(found);
    }
    path.split('.').try_fold(value, |value, part| match value {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        value => value.get(part),
    })
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// On the command line.
    Arguments,
    Line(u64),
    /// In this item of a JSON document, from 1.
    Item(usize),
}

/// One device that is written somewhere, or why it cannot be read.
pub type Entry = (At, Result<Written, String>);

/// All entries of an inventory.
///
/// # Errors
/// [`Problem`] when nothing of it can be read.
pub fn entries(text: &str, mapping: &Mapping) -> Result<Vec<Entry>, Problem> {
    let mut reader = Reader { mapping, entries: Vec::new(), in_results: 0, counted: 0 };
    let first = content(text).next().map_or("", |(_, line)| line);
    let alone = |line: &str| serde_json::from_str::<Value>(line).is_ok_and(|value| value.is_object());
    if first.starts_with('[') || (first.starts_with('{') && !alone(first)) {
        match serde_json::from_str::<Value>(text) {
            Ok(document) => reader.document(&document),
            // A broken first line of NDJSON costs that line.
            Err(_) if first.starts_with('{') && content(text).any(|(_, line)| alone(line)) => {
                reader.lines(text)
            }
            Err(e) => {
                return Err(Problem {
                    line: e.line() as u64,
                    reason: format!("not JSON: {}", within_line(&e)),
                });
            }
        }
    } else if first.starts_with('{') {
        reader.lines(text);
    } else {
        reader.table_or_names(text)?;
    }
    reader.missing();
    Ok(reader.entries)
}

/// Lines that hold something, with their numbers.
fn content(text: &str) -> impl Iterator<Item = (u64, &str)> {
    let lines = (1u64..).zip(text.lines().map(str::trim));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

struct Reader<'m> {
    mapping: &'m Mapping,
    entries: Vec<Entry>,
    /// Devices in answers of NetBox, and how many it says that there are.
    in_results: u64,
    counted: u64,
}

impl Reader<'_> {
    fn table_or_names(&mut self, text: &str) -> Result<(), Problem> {
        let mut table = Table::new(text);
        let first = match table.clone().next() {
            None => return Ok(()),
            Some(first) => first?,
        };
        let header = Header::new(&first);
        let named = match self.mapping.name("cmts") {
            Some(name) => header.has(name),
            None => FIELDS[0].1.iter().any(|name| header.has(name)),
        };
        if !named && (table.separator().is_some() || self.mapping.name("cmts").is_some()) {
            let column = self.mapping.name("cmts").unwrap_or("cmts");
            let columns = first.cells.join(", ");
            let reason = format!(
                "no column {column:?}; a table needs a header line, and --map cmts=COLUMN names another \
                 column (there is {columns})"
            );
            return Err(Problem { line: first.line, reason });
        }
        if !named {
            self.lines(text);
            return Ok(());
        }
        if let Some((field, name)) = self.mapping.0.iter().find(|(_, name)| !header.has(name)) {
            let reason = format!("--map {field}={name}: no such column; there is {}", first.cells.join(", "));
            return Err(Problem { line: first.line, reason });
        }
        table.next();
        for row in table {
            let row = row.and_then(|row| header.check(&row).map(|()| row));
            self.entries.push(match row {
                Ok(row) => (At::Line(row.line), Ok(Written::of_row(&header, &row, self.mapping))),
                Err(problem) => (At::Line(problem.line), Err(problem.reason)),
            });
        }
        Ok(())
    }

    /// Bare names and NDJSON, line by line.
    fn lines(&mut self, text: &str) {
        for (number, line) in content(text) {
            if !line.starts_with('{') {
                self.entries.push((At::Line(number), bare(line)));
                continue;
            }
            match serde_json::from_str(line) {
                Ok(device) => self.value(&device, At::Line(number)),
                Err(e) => self
                    .entries
                    .push((At::Line(number), Err(format!("not a device in JSON: {}", within_line(&e))))),
            }
        }
    }

    fn document(&mut self, document: &Value) {
        match document {
            Value::Array(items) => {
                (1..).zip(items).for_each(|(number, item)| self.value(item, At::Item(number)));
            }
            one => self.value(one, At::Item(1)),
        }
    }

    /// A device, or an answer of NetBox with many.
    fn value(&mut self, value: &Value, at: At) {
        let Some(Value::Array(results)) = value.get("results") else {
            self.entries.push((at, Written::of_json(value, self.mapping)));
            return;
        };
        self.in_results += results.len() as u64;
        self.counted = self.counted.max(value.get("count").and_then(Value::as_u64).unwrap_or(0));
        for (number, device) in (1..).zip(results) {
            self.entries.push((At::Item(number), Written::of_json(device, self.mapping)));
        }
    }

    /// Answers of NetBox come in pages.
    fn missing(&mut self) {
        let (there, all) = (self.in_results, self.counted);
        if there < all {
            let reason = format!("results holds {there} of {all} devices: ask for all of them (?limit=0)");
            self.entries.push((At::Item(self.entries.len() + 1), Err(reason)));
        }
    }
}

/// What is wrong with JSON whose line is named already.
fn within_line(error: &serde_json::Error) -> String {
    error.to_string().replacen(&format!(" at line {} column ", error.line()), " at column ", 1)
}

fn bare(line: &str) -> Result<Written, String> {
    let comment = line
        .char_indices()
        .zip(line.chars().skip(1))
        .find(|((_, c), next)| c.is_whitespace() && *next == '#');
    let name = comment.map_or(line, |((at, _), _)| &line[..at]).trim();
    if name.contains([',', ';', '\t']) {
        return Err(format!(
            "{name:?} holds a separator, and the first line is not a header with a column cmts"
        ));
    }
    Ok(Written::named(name))
}
