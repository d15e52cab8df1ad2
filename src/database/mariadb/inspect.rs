//! `--check` on MySQL or MariaDB.

use ::mysql::prelude::Queryable;

use super::{
    MariaDb,
    prune::{has_time_index, time_index},
    read, rights, tables,
    zone::Zone,
};
use crate::{database::Inspection, record::Timestamp};

impl MariaDb {
    pub(super) fn look(&mut self) -> ::mysql::Result<Inspection> {
        let mut found = Inspection::default();
        self.look_at_server(&mut found)?;
        let samples = self.tables.samples;
        for (table, what) in self.tables.all() {
            found.fact(table, self.table_state(table));
            if !self.tables.has(table) {
                found.missing.push(format!("table {table} ({what}): mod-store --init makes it"));
            }
        }
        if self.tables.has_samples() {
            self.look_at_samples(&mut found)?;
        }
        if self.tables.has_samples() && !has_time_index(&mut self.connection, samples)? {
            found.missing.push(format!(
                "an index on {}.timestamp, without which reports and pruning read the whole table: {}",
                samples.name(),
                time_index(samples)
            ));
        }
        let grants: Vec<String> = self.connection.query("SHOW GRANTS")?;
        let lacking = rights::missing(&grants, &self.connector.server.database, samples);
        let words: Vec<_> =
            rights::NEEDED.iter().filter(|right| !lacking.contains(right)).map(|(right, _)| *right).collect();
        found.fact("rights", if words.is_empty() { "none".into() } else { words.join(", ") });
        for (right, purpose) in lacking {
            let database = &self.connector.server.database;
            found
                .missing
                .push(format!("right {right} {purpose}: GRANT {right} ON `{database}`.* TO the account"));
        }
        Ok(found)
    }

    fn look_at_server(&mut self, found: &mut Inspection) -> ::mysql::Result<()> {
        let version: Option<(String, String)> =
            self.connection.query_first("SELECT VERSION(), CURRENT_USER()")?;
        let (version, account) = version.unwrap_or_default();
        let kind = if version.contains("MariaDB") { "" } else { "MySQL " };
        found.fact("server", format!("{kind}{version}"));
        found.fact("account", account);
        let cipher: Option<(String, String)> =
            self.connection.query_first("SHOW SESSION STATUS LIKE 'Ssl_cipher'")?;
        let cipher = cipher.map(|(_, cipher)| cipher).filter(|cipher| !cipher.is_empty());
        found.fact("encryption", cipher.map_or_else(|| "none".into(), |cipher| format!("TLS, {cipher}")));
        Ok(())
    }

    fn table_state(&self, table: &'static str) -> String {
        if !self.tables.has(table) {
            "missing".into()
        } else if self.tables.partitioned().contains(&table) {
            match self.tables.end(table) {
                i64::MAX => "there, partitioned".into(),
                end => format!("there, partitioned until {}", Timestamp(end)),
            }
        } else {
            "there".into()
        }
    }

    fn look_at_samples(&mut self, found: &mut Inspection) -> ::mysql::Result<()> {
        found.fact("shape", self.shape.describe());
        let columns = tables::columns(&mut self.connection, self.tables.samples.name())?;
        for name in ["timestamp", "cmts", "upstream", "modulation"] {
            let column = columns.get(name).map(|column| column.full.as_str()).unwrap_or_default();
            let note = match self.shape.zone {
                Zone::Named(tz) if name == "timestamp" => {
                    format!(", local time of {tz}; the repeated hour reads as its first")
                }
                Zone::System if name == "timestamp" => {
                    ", local time of this machine (set MODTOOLS_TZ); the repeated hour reads as its first"
                        .into()
                }
                _ => String::new(),
            };
            found.fact(format!("column {name}"), format!("{column}{note}"));
        }
        if !self.shape.limits.left_out.is_empty() {
            let words: Vec<_> = self.shape.limits.left_out.iter().map(|word| word.word()).collect();
            found.fact("left out", format!("{} (without --store-all)", words.join(", ")));
        }
        let newest = read::newest(&mut self.connection, &self.shape)?;
        found.fact("newest sample", newest.map_or_else(|| "none yet".into(), |ts| ts.to_string()));
        Ok(())
    }
}
