//! What every integration test needs: the tools as processes in a clean environment, with a deadline.

use std::{
    ffi::{OsStr, OsString},
    io::{Read, Write},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// No tool may need longer in a test, on a machine however busy: what hangs is told from what waits for its turn.
pub const DEADLINE: Duration = Duration::from_secs(300);

/// A program that cargo built beside this test: a tool, or `examples/NAME`.
pub fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("own path");
    let profile = test.parent().and_then(Path::parent).expect("target directory");
    let program = profile.join(name);
    assert!(program.exists(), "{} is not built; run `make test`", program.display());
    program
}

/// A file of ../shared or tests/fixtures, from the package's root.
pub fn in_package(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A tool about to run: no environment but PATH, in an empty directory of its own unless told.
pub struct Tool {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    stdin: Vec<u8>,
    dir: Option<PathBuf>,
}

/// What a tool did.
#[derive(Debug)]
pub struct Run {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

pub fn tool(name: &str) -> Tool {
    Tool { program: built(name), args: Vec::new(), env: Vec::new(), stdin: Vec::new(), dir: None }
}

/// A script of examples/, which finds the tools that cargo built.
pub fn script(name: &str) -> Tool {
    let tools = built("mod-parse").parent().expect("a directory").to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(tools).chain(std::env::split_paths(&path)));
    let program = in_package(&format!("examples/{name}"));
    Tool { program, args: Vec::new(), env: Vec::new(), stdin: Vec::new(), dir: None }
        .env("PATH", path.expect("no colon in the target directory"))
}

impl Tool {
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|a| a.as_ref().to_owned()));
        self
    }

    /// A flag and its value.
    pub fn arg(self, flag: &str, value: impl AsRef<OsStr>) -> Self {
        self.args([flag.as_ref(), value.as_ref()])
    }

    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Run by another program, such as `prlimit --as=…`.
    pub fn under(mut self, wrapper: &[&str]) -> Self {
        let tool = std::mem::replace(&mut self.program, wrapper[0].into());
        let before = wrapper[1..].iter().map(OsString::from).chain([tool.into_os_string()]);
        self.args.splice(0..0, before);
        self
    }

    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// The command with its environment, for tests that wire the streams themselves.
    pub fn command(&self, dir: &Path) -> Command {
        let mut command = Command::new(&self.program);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.args(&self.args).env_clear().env("PATH", path).env("HOME", dir).current_dir(dir);
        command.envs(self.env.iter().map(|(k, v)| (k, v)));
        command
    }

    /// Runs it to its end.
    pub fn run(self) -> Run {
        let own = TempDir::new().expect("a temporary directory");
        let dir = self.dir.clone().unwrap_or_else(|| own.path().to_owned());
        let mut command = self.command(&dir);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the tool starts");
        let mut stdin = child.stdin.take().expect("piped");
        let input = self.stdin;
        let feed = thread::spawn(move || {
            // A tool may end without reading its input to the end.
            let _ = stdin.write_all(&input);
        });
        let out = drain(child.stdout.take().expect("piped"));
        let err = drain(child.stderr.take().expect("piped"));
        let status = wait(&mut child, DEADLINE);
        feed.join().expect("fed");
        Run {
            code: status.code(),
            signal: status.signal(),
            stdout: out.join().expect("read"),
            stderr: err.join().expect("read"),
        }
    }
}

impl Run {
    /// Asserts the exit code and a silent stderr.
    #[track_caller]
    pub fn clean(self, code: i32) -> Self {
        assert_eq!((self.code, self.stderr.as_str()), (Some(code), ""), "stdout: {}", self.stdout);
        self
    }

    /// Asserts the exit code, and that stderr is these lines' worth of words: each must stand in it.
    #[track_caller]
    pub fn says(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "stderr: {}\nstdout: {}", self.stderr, self.stdout);
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not in: {}", self.stderr);
        }
        self
    }

    /// The records of stdout.
    #[track_caller]
    pub fn records(&self) -> Vec<serde_json::Value> {
        records(&self.stdout)
    }
}

/// NDJSON as values.
#[track_caller]
pub fn records(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// Reads a stream to its end on a thread.
pub fn drain(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("readable");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Waits for a process, and kills it and fails when it takes longer than `patience`.
#[track_caller]
pub fn wait(child: &mut Child, patience: Duration) -> std::process::ExitStatus {
    let until = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait().expect("waitable") {
            return status;
        }
        if Instant::now() > until {
            child.kill().expect("killable");
            panic!("still running after {patience:?}");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Waits for a condition, and fails naming it when it does not come.
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let until = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < until, "{what} did not come within {DEADLINE:?}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The processor time of this thread so far, in seconds: on a busy machine it tells quick work from slow, as the clock does
/// not.
pub fn worked() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").expect("/proc");
    let fields = stat.rsplit(')').next().expect("fields").split_whitespace();
    // utime and stime (proc(5)), in hundredths of a second.
    fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum::<u64>() / 100
}
