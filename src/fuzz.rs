//! Properties that hold for any bytes. Each lives in the `fuzz` module beside what it is about, and panics when it is
//! broken; `fuzz/` gives them to a coverage-guided fuzzer, and the tests hold them for the corpus of `fuzz/corpus` and
//! for changes of it that are made up at random. `MODTOOLS_CASES` sets how many.

/// Panics when it is broken.
pub type Property = fn(&[u8]);

/// Whether `length` is within `factor` times the input and a bit.
pub(crate) fn bounded(what: &str, length: usize, factor: usize, input: &[u8]) {
    let most = factor * input.len() + (64 << 10);
    assert!(length <= most, "{what}: {length} bytes of {}", input.len());
}

/// Declares the test of each property, which holds it for the corpus of its name.
macro_rules! held {
    ($($property:ident: $test:ident),+ $(,)?) => { $(
        #[cfg(test)]
        #[test]
        fn $test() {
            $crate::fuzz::hold(stringify!($property), $property);
        }
    )+ };
}

pub(crate) use held;
#[cfg(test)]
pub(crate) use holds::hold;

#[cfg(test)]
mod holds {
    use std::{fs, path::Path};

    use super::Property;

    /// What parsers look for.
    const WORDS: [&[u8]; 24] = [
        b"\n",
        b"\r\n",
        b"\t",
        b";",
        b",",
        b"\"",
        b"'",
        b"\0",
        b"\xff",
        b"\x1b[",
        b"\x1b[999C",
        b"\x08",
        b"--More--",
        b"#",
        b">",
        b": ",
        b"SSH-2.0-x\r\n",
        b"${A}",
        b"@revoked ",
        b"[",
        b"{\"v\":1,",
        b"}",
        b"-1",
        b"18446744073709551616",
    ];

    /// Holds a property for the corpus of its name, and for changes of each file of it.
    pub fn hold(name: &str, property: Property) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        let files = fs::read_dir(&folder).unwrap_or_else(|e| unreachable!("{}: {e}", folder.display()));
        let corpus: Vec<Vec<u8>> =
            files.map(|file| fs::read(file.expect("listed").path()).expect("a file of the corpus")).collect();
        assert!(corpus.len() > 2, "{name}: the corpus is too small");
        let cases = std::env::var("MODTOOLS_CASES").ok().map(|text| text.parse().expect("a number"));
        let mut random = fastrand::Rng::with_seed(corpus.len() as u64);
        property(b"");
        for file in &corpus {
            property(file);
            for _ in 0..cases.unwrap_or(300) / corpus.len() + 1 {
                property(&changed(file, &corpus[random.usize(..corpus.len())], &mut random));
            }
        }
    }

    /// A file with a few of its parts left out, doubled, replaced, or taken from another one.
    fn changed(file: &[u8], other: &[u8], random: &mut fastrand::Rng) -> Vec<u8> {
        let mut bytes = file.to_vec();
        for _ in 0..random.usize(1..6) {
            let from = random.usize(..=bytes.len());
            let to = (from + random.usize(..40)).min(bytes.len());
            let part: Vec<u8> = match random.u8(..6) {
                0 => Vec::new(),
                1 => bytes[from..to].repeat(2),
                2 => WORDS[random.usize(..WORDS.len())].to_vec(),
                3 => bytes[from..to].iter().map(|byte| byte ^ 1 << random.u8(..8)).collect(),
                4 => (from..to).map(|_| random.u8(..)).collect(),
                _ => {
                    let begin = random.usize(..=other.len());
                    other[begin..(begin + random.usize(..200)).min(other.len())].to_vec()
                }
            };
            bytes.splice(from..to, part);
        }
        bytes
    }
}
