//! What the table of samples looks like on this server: the keyed table of ours, or the older one with a
//! surrogate id. Its column types decide what fits.

use std::collections::BTreeMap;

use super::zone::Zone;
use crate::{
    database::{Column, Limits, Repertoire, SampleTable, admit::NAME_CHARS},
    modulation::Modulation,
};

/// One row of information_schema.columns.
#[derive(Clone, Debug, Default)]
pub(super) struct ColumnType {
    /// `varchar`, `timestamp`.
    pub data: String,
    /// `varchar(64)`, `enum('QPSK','QAM64')`.
    pub full: String,
    /// Length in characters, for text.
    pub chars: Option<u64>,
    /// Character set, for text.
    pub charset: Option<String>,
    /// How text is compared.
    pub collation: Option<String>,
}

/// The table of samples, as far as storing depends on it.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// Its name.
    pub table: SampleTable,
    /// The primary key is (timestamp, cmts, upstream): a row is there once.
    pub keyed: bool,
    /// Name of the older table's AUTO_INCREMENT column.
    pub id: Option<String>,
    /// The server tells apart every two devices that we do, and has the rows of one together.
    pub gathers: bool,
    /// How times stand in it.
    pub zone: Zone,
    /// What its columns take.
    pub limits: Limits,
}

impl Shape {
    /// Understands a table by its columns and its primary key. `local` is the zone of DATETIME columns.
    ///
    /// # Errors
    /// What we cannot work with.
    pub fn of(
        table: SampleTable,
        columns: &BTreeMap<String, ColumnType>,
        key: &[String],
        local: Zone,
        store_all: bool,
    ) -> Result<Self, String> {
        let column = |name: &str| columns.get(name).ok_or_else(|| format!("it has no column {name}"));
        let zone = match column("timestamp")?.data.as_str() {
            "timestamp" => Zone::Utc,
            "datetime" => local,
            other => return Err(format!("its column timestamp is {other}, not TIMESTAMP or DATETIME")),
        };
        let keyed = key == ["timestamp", "cmts", "upstream"];
        let spared = !keyed && !store_all;
        let limits = Limits {
            cmts: names("cmts", column("cmts")?)?,
            upstream: names("upstream", column("upstream")?)?,
            words: words(column("modulation")?)?,
            left_out: if spared { unknown_to_others() } else { Vec::new() },
        };
        let id = (!keyed && key.len() == 1).then(|| key[0].clone());
        let is_exact = column("cmts")?.collation.as_ref().is_some_and(|name| name.ends_with("_bin"));
        let gathers = keyed && is_exact && zone == Zone::Utc;
        Ok(Shape { table, keyed, id, gathers, zone, limits })
    }

    /// For people.
    pub fn describe(&self) -> &'static str {
        if self.keyed { "keyed: timestamp, cmts, upstream" } else { "older: a surrogate id" }
    }
}

/// What the programs that read an older table do not know: they know three words.
fn unknown_to_others() -> Vec<Modulation> {
    let known = [Modulation::Qpsk, Modulation::Qam16, Modulation::Qam64];
    Modulation::ALL.into_iter().filter(|modulation| !known.contains(modulation)).collect()
}

fn is_text(column: &ColumnType) -> bool {
    matches!(column.data.as_str(), "varchar" | "char" | "tinytext" | "text" | "mediumtext" | "longtext")
}

fn names(name: &str, column: &ColumnType) -> Result<Column, String> {
    if !is_text(column) {
        return Err(format!("its column {name} is {}, not VARCHAR", column.full));
    }
    let chars = column.chars.and_then(|chars| usize::try_from(chars).ok()).unwrap_or(NAME_CHARS);
    let repertoire = match column.charset.as_deref() {
        Some("utf8mb4") => Repertoire::Unicode,
        Some("utf8" | "utf8mb3") => Repertoire::Basic,
        _ => Repertoire::Ascii,
    };
    // Our own tables, beside it, end at NAME_CHARS.
    Ok(Column { chars: chars.min(NAME_CHARS), repertoire })
}

fn words(column: &ColumnType) -> Result<Vec<Modulation>, String> {
    let fits: Box<dyn Fn(&str) -> bool> = if column.data == "enum" {
        Box::new(|word| column.full.contains(&format!("'{word}'")))
    } else if is_text(column) {
        let chars = column.chars.unwrap_or(u64::MAX);
        Box::new(move |word| word.len() as u64 <= chars)
    } else {
        return Err(format!("its column modulation is {}, not VARCHAR or ENUM", column.full));
    };
    Ok(Modulation::ALL.into_iter().filter(|modulation| fits(modulation.word())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(chars: u64, charset: &str) -> ColumnType {
        let full = format!("varchar({chars})");
        let (chars, charset) = (Some(chars), Some(charset.into()));
        ColumnType { data: "varchar".into(), full, chars, charset, collation: None }
    }

    fn other(full: &str) -> ColumnType {
        let data = full.split('(').next().unwrap_or_default().to_owned();
        ColumnType { data, full: full.into(), ..ColumnType::default() }
    }

    fn table(modulation: ColumnType, timestamp: &str) -> BTreeMap<String, ColumnType> {
        let columns = [
            ("id", other("int(11)")),
            ("cmts", text(20, "latin1")),
            ("upstream", text(255, "utf8mb3")),
            ("modulation", modulation),
            ("timestamp", other(timestamp)),
        ];
        columns.into_iter().map(|(name, column)| (name.to_owned(), column)).collect()
    }

    #[test]
    fn an_older_table_sets_its_own_limits() {
        let columns = table(other("enum('QPSK','QAM16','QAM64')"), "datetime");
        let local = Zone::Named(chrono_tz::Europe::Amsterdam);
        let shape = Shape::of(SampleTable::USUAL, &columns, &["id".into()], local, false).expect("usable");
        assert_eq!((shape.keyed, shape.id.as_deref(), shape.zone), (false, Some("id"), local));
        assert_eq!(shape.limits.cmts, Column { chars: 20, repertoire: Repertoire::Ascii });
        assert_eq!(shape.limits.upstream, Column { chars: 64, repertoire: Repertoire::Basic });
        assert_eq!(shape.limits.words, [Modulation::Qpsk, Modulation::Qam16, Modulation::Qam64]);
        assert_eq!(shape.limits.left_out, unknown_to_others());
        assert_eq!(shape.limits.left_out.len(), Modulation::ALL.len() - 3);

        let columns = table(text(5, "latin1"), "timestamp");
        let shape = Shape::of(SampleTable::USUAL, &columns, &["id".into()], local, true).expect("usable");
        assert_eq!(shape.zone, Zone::Utc);
        assert!(shape.limits.left_out.is_empty());
        assert!(!shape.limits.words.contains(&Modulation::Qam128));
        assert!(shape.limits.words.contains(&Modulation::Ofdma));
    }

    #[test]
    fn a_table_that_is_something_else_is_refused_by_what_is_wrong() {
        let key = ["id".to_owned()];
        for (columns, word) in [
            (table(text(16, "utf8mb4"), "int(11)"), "timestamp is int"),
            (table(other("tinyint(4)"), "timestamp"), "modulation is tinyint(4)"),
            (BTreeMap::new(), "no column timestamp"),
        ] {
            let reason = Shape::of(SampleTable::USUAL, &columns, &key, Zone::Utc, false).expect_err(word);
            assert!(reason.contains(word), "{reason}");
        }
    }
}
