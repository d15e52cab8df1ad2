//! What the account may do, from `SHOW GRANTS`.

use crate::database::SampleTable;

/// What storing needs, and what for.
pub(super) const NEEDED: [(&str, &str); 7] = [
    ("SELECT", "to recognise what is there"),
    ("INSERT", "to store"),
    ("UPDATE", "to keep channels and devices"),
    ("CREATE", "for --init"),
    ("ALTER", "to make partitions ahead"),
    ("DELETE", "for mod-prune"),
    ("DROP", "for mod-prune, which drops partitions"),
];

/// The rights of [`NEEDED`] that none of the grants gives on this database.
pub(super) fn missing(
    grants: &[String],
    database: &str,
    samples: SampleTable,
) -> Vec<(&'static str, &'static str)> {
    let given: Vec<&str> = grants
        .iter()
        .filter_map(|grant| scope(grant, database, samples))
        .flat_map(|rights| rights.split(','))
        .collect();
    let has = |right: &str| {
        given.iter().any(|given| {
            // `SELECT (column)` is a right on a column; ALL stands for all.
            let word = given.trim().split([' ', '(']).next().unwrap_or_default();
            word.eq_ignore_ascii_case(right) || word.eq_ignore_ascii_case("ALL")
        })
    };
    NEEDED.into_iter().filter(|(right, _)| !has(right)).collect()
}

/// The list of rights of a grant that holds for the database or for the table of samples in it.
fn scope<'a>(grant: &'a str, database: &str, samples: SampleTable) -> Option<&'a str> {
    let (rights, rest) = grant.strip_prefix("GRANT ")?.split_once(" ON ")?;
    let object = rest.split_once(" TO ")?.0;
    let (schema, table) = object.rsplit_once('.')?;
    let table = table.trim_matches('`');
    let holds = (schema == "*" || matches(schema.trim_matches('`'), database))
        && (table == "*" || table == samples.name());
    holds.then_some(rights)
}

/// A database name of a grant is a pattern: `%`, `_`, and `\` before either.
fn matches(pattern: &str, name: &str) -> bool {
    fn from(pattern: &[char], name: &[char]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            (['\\', p, rest @ ..], [n, name @ ..]) if p == n => from(rest, name),
            (['%', rest @ ..], name) => (0..=name.len()).any(|skip| from(rest, &name[skip..])),
            (['_', rest @ ..], [_, name @ ..]) => from(rest, name),
            ([p, rest @ ..], [n, name @ ..]) if p == n => from(rest, name),
            _ => false,
        }
    }
    from(&pattern.chars().collect::<Vec<_>>(), &name.chars().collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_read_by_their_scope() {
        let words = |grants: &[&str]| -> Vec<&str> {
            let grants: Vec<_> = grants.iter().map(|&grant| grant.to_owned()).collect();
            missing(&grants, "access_1", SampleTable::USUAL).into_iter().map(|(right, _)| right).collect()
        };
        assert_eq!(words(&["GRANT ALL PRIVILEGES ON *.* TO `root`@`%` WITH GRANT OPTION"]), [""; 0]);
        assert_eq!(words(&["GRANT ALL PRIVILEGES ON `access\\_1`.* TO `u`@`%`"]), [""; 0]);
        assert_eq!(words(&["GRANT ALL PRIVILEGES ON `acc%`.* TO `u`@`%`"]), [""; 0]);
        assert_eq!(
            words(&[
                "GRANT USAGE ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*ALL ON'",
                "GRANT SELECT, INSERT (cmts, upstream), UPDATE ON `access_1`.`modulation_new` TO `u`@`%`",
            ]),
            ["CREATE", "ALTER", "DELETE", "DROP"]
        );
        assert_eq!(words(&["GRANT ALL PRIVILEGES ON `other`.* TO `u`@`%`"]).len(), NEEDED.len());
    }
}
