//! `--by`: sums over upstreams that have something in common, in place of the rows. What has none of it is a group
//! of its own, so that groups always add up to the report.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
};

use super::{findings::Findings, request::View};
use crate::{
    cli::report::{By, Sort},
    measure::natural,
    record::{Cell, Figure, Figures, Fold, Group, Key, KeyValue, Row, Timestamp, columns::rounded},
};

/// The groups in the order asked for.
pub struct Groups<'a, 'q> {
    /// What they are sums by.
    pub by: By,
    pub view: &'a View,
    pub findings: &'a Findings<'q>,
    all: Vec<Group>,
    shown: usize,
}

/// The sums before they are rounded.
#[derive(Default)]
struct Sum {
    upstreams: u64,
    degraded: u64,
    homes: HashMap<String, u64>,
    /// Each with how many rows have it.
    figures: Vec<(Figure, u64)>,
    why: BTreeMap<String, u64>,
}

impl Sum {
    fn add(&mut self, row: &Row) {
        self.upstreams += 1;
        self.degraded += u64::from(row.degraded_s > 0);
        if let Some((node, homes)) = row.node.as_ref().zip(row.homes) {
            self.homes.insert(node.clone(), homes);
        }
        let figures = row.figures();
        if self.figures.is_empty() {
            self.figures = figures.iter().map(|figure| (Figure { value: None, ..*figure }, 0)).collect();
        }
        for ((sum, rows), more) in self.figures.iter_mut().zip(figures) {
            if let Some(more) = more.value {
                sum.value = Some(sum.value.unwrap_or(0.0) + more);
                *rows += 1;
            }
        }
        for why in &row.why {
            *self.why.entry(why.word().to_owned()).or_default() += 1;
        }
    }

    fn group(self, ts: Timestamp, key: Key) -> Group {
        let folded = |(sum, rows): (Figure, u64)| match sum.fold {
            Fold::Sum => Figure { value: sum.value.map(rounded), ..sum },
            Fold::Mean => Figure { value: sum.value.map(|sum| rounded(sum / rows as f64)), ..sum },
        };
        Group {
            ts,
            key,
            upstreams: self.upstreams,
            degraded: self.degraded,
            homes: self.homes.into_values().reduce(|sum, homes| sum.saturating_add(homes)),
            figures: Figures(self.figures.into_iter().map(folded).collect()),
            why: self.why,
        }
    }
}

/// The field of a row that a group goes by.
fn key_name(by: By) -> &'static str {
    match by {
        By::Cmts => "cmts",
        By::Platform => "platform",
        By::Node => "node",
        By::Hub => "hub",
        By::Area => "area",
        By::Description => "description",
        By::Frequency => "center_hz",
    }
}

fn key_of(by: By, row: &Row) -> Option<KeyValue> {
    let text = |text: Option<&String>| text.cloned().map(KeyValue::Text);
    match by {
        By::Cmts => text(Some(&row.cmts)),
        By::Platform => text(row.platform.as_ref()),
        By::Node => text(row.node.as_ref()),
        By::Hub => text(row.hub.as_ref()),
        By::Area => text(row.area.as_ref()),
        By::Description => text(row.description.as_ref()),
        By::Frequency => row.center_hz.map(KeyValue::Number),
    }
}

impl<'a, 'q> Groups<'a, 'q> {
    /// Sums up.
    #[must_use]
    pub fn new(by: By, view: &'a View, findings: &'a Findings<'q>) -> Self {
        let mut sums: BTreeMap<Option<KeyValue>, Sum> = BTreeMap::new();
        for (row, _) in findings.exact_rows(view) {
            sums.entry(key_of(by, &row)).or_default().add(&row);
        }
        let ts = findings.frame.window.from;
        let key = |value| Key { name: key_name(by), value };
        let mut groups: Vec<_> = sums.into_iter().map(|(value, sum)| sum.group(ts, key(value))).collect();
        groups.sort_by(|a, b| order(view.sort, a, b));
        let shown = groups.len().min(view.top.unwrap_or(usize::MAX));
        Groups { by, view, findings, all: groups, shown }
    }

    /// At most `--top` of them.
    #[must_use]
    pub fn shown(&self) -> &[Group] {
        &self.all[..self.shown]
    }

    /// How many are not shown.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.all.len() - self.shown
    }

    /// The names of the columns that a table of them has.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let figures = self.all.iter().take(1).flat_map(|group| &group.figures.0).map(|figure| figure.name);
        let names = [key_name(self.by), "upstreams", "degraded", "homes"].into_iter().chain(figures);
        names.chain(["why"]).map(str::to_owned).collect()
    }
}

fn order(sort: Sort, a: &Group, b: &Group) -> Ordering {
    let figure = |name| b.figures.get(name).partial_cmp(&a.figures.get(name)).unwrap_or(Ordering::Equal);
    let first = match sort {
        Sort::Hops => figure("hops"),
        Sort::Lost => figure("lost_mbps").then_with(|| figure("lost_pct")),
        Sort::Degraded => figure("degraded_s").then(b.degraded.cmp(&a.degraded)),
        Sort::Customers => figure("customer_hours"),
        Sort::Cmts => Ordering::Equal,
    };
    first.then_with(|| natural::compare(&name(a), &name(b)))
}

/// What a group goes by; nothing for that of upstreams without it.
#[must_use]
pub fn name(group: &Group) -> String {
    match &group.key.value {
        Some(KeyValue::Text(text)) => text.clone(),
        Some(KeyValue::Number(number)) => number.to_string(),
        None => String::new(),
    }
}

/// The cells of a group, in the order of [`Groups::names`].
#[must_use]
pub fn cells(group: &Group) -> Vec<Cell<'_>> {
    let number = |number: Option<f64>| number.map_or(Cell::Missing, Cell::Number);
    let key = match &group.key.value {
        Some(KeyValue::Text(text)) => Cell::Text(text.into()),
        Some(KeyValue::Number(number)) => Cell::Number(*number as f64),
        None => Cell::Missing,
    };
    let counts = [Some(group.upstreams as f64), Some(group.degraded as f64), group.homes.map(|n| n as f64)];
    let figures = group.figures.0.iter().map(|figure| figure.value);
    let numbers = counts.into_iter().chain(figures).map(number);
    [key].into_iter().chain(numbers).chain([Cell::Text(whys(group).into())]).collect()
}

/// The reasons of a group's upstreams, with how many have each.
#[must_use]
pub fn whys(group: &Group) -> String {
    group.why.iter().map(|(word, count)| format!("{word} {count}")).collect::<Vec<_>>().join(", ")
}
