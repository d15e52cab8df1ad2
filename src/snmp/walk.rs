//! A walk through everything below one object, as a pure state machine: responses in, text and the next question out.

use super::{Oid, Value, message::Response};

/// Rows of an answer: with those of our columns it stays below 1,400 bytes.
const REPETITIONS: u32 = 15;

/// What is to be asked next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// What comes behind the last object.
    Behind,
    /// The root itself, because nothing is below it.
    Root,
    /// Nothing: the walk is over.
    Nothing,
}

/// Why a walk cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The agent's answer, in words: other walks may go well.
    Answer(String),
    /// More text than allowed.
    TooMuchText,
    /// More rows than allowed.
    TooManyRows,
}

#[derive(Debug)]
pub(super) struct Walk<'a> {
    root: &'a Oid,
    /// The object behind which the walk goes on.
    pub last: Oid,
    /// What `snmpbulkwalk` prints.
    pub text: String,
    /// Bytes that the text may have.
    most: u64,
    rows: usize,
    most_rows: usize,
}

impl<'a> Walk<'a> {
    pub fn new(root: &'a Oid, most: u64, most_rows: usize) -> Self {
        Walk { root, last: root.clone(), text: String::new(), most, rows: 0, most_rows }
    }

    /// Takes the answer to [`Next::Behind`].
    pub fn take(&mut self, response: &Response) -> Result<Next, Broken> {
        const NO_SUCH_NAME: u32 = 2;
        match response.error_status {
            0 => {}
            // How agents from the time of SNMP v1 end a walk.
            NO_SUCH_NAME => return Ok(self.end()),
            status => {
                return Err(Broken::Answer(format!(
                    "the agent answers {} behind {}",
                    error_name(status),
                    self.last
                )));
            }
        }
        if response.bindings.is_empty() {
            let error = format!("the reply holds nothing that can be decoded behind {}", self.last);
            return Err(Broken::Answer(error));
        }
        for (oid, value) in &response.bindings {
            if !oid.is_within(self.root) {
                return Ok(self.end());
            }
            if value.is_exception() {
                // net-snmp prints this line once for each row that it asked for.
                self.print(oid, value)?;
                return Ok(Next::Nothing);
            }
            if *oid <= self.last {
                return Err(Broken::Answer(format!("OID not increasing: {oid} comes behind {}", self.last)));
            }
            self.print(oid, value)?;
            self.last = oid.clone();
        }
        Ok(Next::Behind)
    }

    /// Takes the answer to [`Next::Root`]: what is walked may be an object without anything below it.
    pub fn take_root(&mut self, response: &Response) -> Result<(), Broken> {
        match response.bindings.first() {
            Some((oid, value)) if response.error_status == 0 && oid == self.root => self.print(oid, value),
            _ => Ok(()),
        }
    }

    fn end(&self) -> Next {
        if self.rows == 0 { Next::Root } else { Next::Nothing }
    }

    fn print(&mut self, oid: &Oid, value: &Value) -> Result<(), Broken> {
        if self.rows >= self.most_rows {
            return Err(Broken::TooManyRows);
        }
        let before = self.text.len();
        self.text.push_str(&format!("{oid} = "));
        value.print(&mut self.text);
        self.text.push('\n');
        if self.text.len() as u64 > self.most {
            self.text.truncate(before);
            return Err(Broken::TooMuchText);
        }
        self.rows += 1;
        Ok(())
    }
}

/// How many rows an answer may have: fewer once an agent says that they do not fit, and never none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Repetitions(pub u32);

impl Repetitions {
    pub fn new() -> Self {
        Repetitions(REPETITIONS)
    }

    /// Half as many; false when it was one row already.
    pub fn halve(&mut self) -> bool {
        let halved = self.0 > 1;
        self.0 = (self.0 / 2).max(1);
        halved
    }
}

/// `error-status` by its name and number (RFC 3416, section 3).
fn error_name(status: u32) -> String {
    const NAMES: [&str; 19] = [
        "noError",
        "tooBig",
        "noSuchName",
        "badValue",
        "readOnly",
        "genErr",
        "noAccess",
        "wrongType",
        "wrongLength",
        "wrongEncoding",
        "wrongValue",
        "noCreation",
        "inconsistentValue",
        "resourceUnavailable",
        "commitFailed",
        "undoFailed",
        "authorizationError",
        "notWritable",
        "inconsistentName",
    ];
    let name = usize::try_from(status).ok().and_then(|status| NAMES.get(status)).unwrap_or(&"an error");
    format!("{name} (error-status {status})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(text: &str) -> Oid {
        text.parse().expect(text)
    }

    fn response(rows: &[(&str, Value)]) -> Response {
        let bindings = rows.iter().map(|(name, value)| (oid(name), value.clone())).collect();
        Response { error_status: 0, bindings }
    }

    #[test]
    fn a_walk_ends_where_its_subtree_does() {
        let root = oid("1.3.6.1.5");
        let mut walk = Walk::new(&root, 1000, 100);
        let rows = [("1.3.6.1.5.1", Value::Integer(1)), ("1.3.6.1.5.2", Value::Integer(2))];
        assert_eq!(walk.take(&response(&rows)), Ok(Next::Behind));
        assert_eq!(walk.last, oid("1.3.6.1.5.2"));
        let rows = [("1.3.6.1.5.10", Value::Integer(3)), ("1.3.6.1.6.1", Value::Integer(4))];
        assert_eq!(walk.take(&response(&rows)), Ok(Next::Nothing));
        assert_eq!(
            walk.text,
            ".1.3.6.1.5.1 = INTEGER: 1\n.1.3.6.1.5.2 = INTEGER: 2\n.1.3.6.1.5.10 = INTEGER: 3\n"
        );
        let mut empty = Walk::new(&root, 1000, 100);
        assert_eq!(empty.take(&response(&[("1.3.6.1.6.1", Value::Integer(4))])), Ok(Next::Root));
        assert_eq!(empty.take_root(&response(&[("1.3.6.1.5", Value::NoSuchObject)])), Ok(()));
        assert_eq!(empty.text, ".1.3.6.1.5 = No Such Object available on this agent at this OID\n");
        let mut last = Walk::new(&root, 1000, 100);
        assert_eq!(last.take(&response(&[("1.3.6.1.5", Value::EndOfMibView)])), Ok(Next::Nothing));
    }

    #[test]
    fn nothing_goes_round_in_circles_or_on_and_on() {
        let root = oid("1.3.6.1.5");
        for rows in [
            &[("1.3.6.1.5", Value::Null)][..],
            &[("1.3.6.1.5.2", Value::Null), ("1.3.6.1.5.1", Value::Null)],
            &[("1.3.6.1.5.2", Value::Null), ("1.3.6.1.5.2", Value::Null)],
            &[],
        ] {
            let mut walk = Walk::new(&root, 1000, 100);
            assert!(matches!(walk.take(&response(rows)), Err(Broken::Answer(_))), "{rows:?}");
        }
        let mut walk = Walk::new(&root, 1000, 100);
        let error = walk.take(&Response { error_status: 5, bindings: Vec::new() });
        assert!(matches!(error, Err(Broken::Answer(said)) if said.contains("genErr (error-status 5)")));
        let long = ("1.3.6.1.5.1", Value::Octets(vec![0; 1000]));
        assert_eq!(walk.take(&response(&[long])), Err(Broken::TooMuchText));
        let mut walk = Walk::new(&root, u64::MAX, 2500);
        let row = |n: u32| (oid(&format!("1.3.6.1.5.{n}")), Value::Integer(0));
        let many = |from: u32| Response { error_status: 0, bindings: (from..from + 1000).map(row).collect() };
        let ended = (0..).map(|n| walk.take(&many(n * 1000))).find(Result::is_err);
        assert_eq!(ended, Some(Err(Broken::TooManyRows)));
        assert_eq!(walk.text.lines().count(), 2500);
    }

    #[test]
    fn repetitions_are_halved_and_never_none() {
        let mut repetitions = Repetitions::new();
        let steps: Vec<u32> = std::iter::from_fn(|| repetitions.halve().then_some(repetitions.0)).collect();
        assert_eq!((steps, repetitions), (vec![7, 3, 1], Repetitions(1)));
    }
}
