//! The tables on MySQL and MariaDB. Every TIMESTAMP has a default of its own, because servers give
//! the first one of a table `ON UPDATE CURRENT_TIMESTAMP` otherwise.

use super::partitions::{self, Day};
use crate::database::SampleTable;

/// The version of the schema, kept in the comment of `modulation_device`, which is never emptied.
pub(super) const VERSION: u32 = 1;
const VERSION_COMMENT: &str = "modtools schema ";

/// Every table that we make besides that of the samples, and what is off without it.
const OTHERS: [(&str, &str); 6] = [
    ("modulation_detail", "profile, source and SNR of the last 48 hours"),
    ("modulation_channel", "platform, frequencies and descriptions of upstreams"),
    ("modulation_scan", "the outcome of scans, and knowing a replay in an older table of samples"),
    ("modulation_device", "when a device was last tried and last good"),
    ("modulation_day", "quick reports of finished days"),
    ("lastupdatemodulation", "the time of the last update"),
];

/// Every table that we make, that of the samples first, and what is off without it.
pub(super) fn tables(samples: SampleTable) -> impl Iterator<Item = (&'static str, &'static str)> {
    [(samples.name(), "everything")].into_iter().chain(OTHERS)
}

const ENGINE: &str = "ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";

/// The schema version in a table's comment; none: not made by us, or by hand.
pub(super) fn version(comment: &str) -> Option<u32> {
    comment.strip_prefix(VERSION_COMMENT)?.trim().parse().ok()
}

/// `CREATE TABLE IF NOT EXISTS …` for one of [`tables`]; any other name is one of samples.
pub(super) fn create(table: &str, days: &[Day]) -> String {
    let columns = match table {
        "modulation_detail" => {
            "timestamp TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, cmts VARCHAR(64) NOT NULL, \
             upstream VARCHAR(64) NOT NULL, profile INT UNSIGNED, source VARCHAR(16) NOT NULL, snr_db DOUBLE, \
             explained_by VARCHAR(16), PRIMARY KEY (timestamp, cmts, upstream)"
        }
        "modulation_channel" => {
            "cmts VARCHAR(64) NOT NULL, upstream VARCHAR(64) NOT NULL, platform VARCHAR(16), type VARCHAR(16), \
             center_hz BIGINT UNSIGNED, width_hz BIGINT UNSIGNED, description VARCHAR(255), \
             first_seen TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, \
             last_seen TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, modems BIGINT UNSIGNED, snr_db DOUBLE, \
             PRIMARY KEY (cmts, upstream)"
        }
        "modulation_scan" => {
            "ts TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, cmts VARCHAR(64) NOT NULL, platform VARCHAR(16), \
             status VARCHAR(32) COMMENT 'NULL: samples came without a scan', error VARCHAR(1000), \
             attempts INT UNSIGNED NOT NULL, elapsed_ms BIGINT UNSIGNED NOT NULL, \
             samples BIGINT UNSIGNED NOT NULL, unparsed BIGINT UNSIGNED NOT NULL, \
             built_in BIGINT UNSIGNED, PRIMARY KEY (ts, cmts)"
        }
        "modulation_device" => {
            "cmts VARCHAR(64) NOT NULL PRIMARY KEY, platform VARCHAR(16), \
             last_try TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, last_good TIMESTAMP NULL DEFAULT NULL, \
             last_status VARCHAR(32) NOT NULL"
        }
        "modulation_day" => {
            "day DATE NOT NULL, cmts VARCHAR(64) NOT NULL, upstream VARCHAR(64) NOT NULL, tz VARCHAR(64) NOT NULL, \
             interval_s INT UNSIGNED NOT NULL, samples BIGINT UNSIGNED NOT NULL, time_s VARCHAR(255) NOT NULL, \
             finished MEDIUMTEXT NOT NULL, PRIMARY KEY (day, cmts, upstream)"
        }
        "lastupdatemodulation" => "stamp BIGINT NOT NULL PRIMARY KEY",
        _ => {
            "timestamp TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, cmts VARCHAR(64) NOT NULL, \
             upstream VARCHAR(64) NOT NULL, modulation VARCHAR(16) NOT NULL, \
             PRIMARY KEY (timestamp, cmts, upstream)"
        }
    };
    let tail = match table {
        _ if !OTHERS.iter().any(|(other, _)| *other == table) || table == "modulation_detail" => {
            format!(" PARTITION BY RANGE (UNIX_TIMESTAMP(timestamp)) ({})", partitions::clause(days))
        }
        "modulation_device" => format!(" COMMENT='{VERSION_COMMENT}{VERSION}'"),
        _ => String::new(),
    };
    format!("CREATE TABLE IF NOT EXISTS `{table}` ({columns}) {ENGINE}{tail}")
}

/// The index behind the history of one upstream.
pub(super) fn history_index(samples: SampleTable) -> String {
    format!("ALTER TABLE {samples} ADD INDEX modulation_history (cmts, upstream, timestamp)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_the_comment() {
        assert_eq!(version(&format!("{VERSION_COMMENT}{VERSION}")), Some(VERSION));
        assert_eq!((version(""), version("modtools schema x")), (None, None));
        assert!(create("modulation_device", &[]).contains("COMMENT='modtools schema 1'"));
    }
}
