//! Closed sets: enums whose word in records, tables and flags stands beside the variant, once. Everything
//! else, such as a list for help, a column per member, or a test of the documentation, iterates over `ALL`.

/// Declares an enum with `ALL`, `word`, `from_word`, `Display`, and serde by the same words.
macro_rules! closed_set {
    (
        $(#[$about:meta])*
        pub enum $name:ident { $($(#[$doc:meta])* $member:ident = $word:literal),+ $(,)? }
    ) => {
        $(#[$about])*
        #[derive(
            Clone,
            Copy,
            Debug,
            PartialEq,
            Eq,
            Hash,
            PartialOrd,
            Ord,
            serde::Serialize,
            serde::Deserialize,
            schemars::JsonSchema,
        )]
        pub enum $name { $($(#[$doc])* #[serde(rename = $word)] $member),+ }

        impl $name {
            /// All members, in the order of every table that lists them.
            pub const ALL: [$name; [$($word),+].len()] = [$($name::$member),+];

            /// The word in records, tables and flags.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $($name::$member => $word),+ }
            }

            /// The member with exactly this word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some($name::$member),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }
    };
}

pub(crate) use closed_set;

/// The words of a closed set for a message: `e6000, casa, cbr8`.
pub(crate) fn listed(words: impl IntoIterator<Item = &'static str>) -> String {
    words.into_iter().collect::<Vec<_>>().join(", ")
}
