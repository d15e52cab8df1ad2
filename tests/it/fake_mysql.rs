//! A MySQL server that is none: it speaks just enough of the protocol to let mod-store log in, learn that there is a
//! keyed table, and store; and it answers with a fault wherever a test wants one.

use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::net::UnixListener,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// Where a fault is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Connect,
    Statement,
    Prepare,
    Execute,
    Commit,
}

/// A fault, as often as is said.
#[derive(Clone, Copy, Debug)]
pub struct Trouble {
    pub at: Moment,
    pub code: u16,
    pub times: usize,
}

/// What the server answers in the place of everything else; bytes of whole packets without their headers.
pub type Answers = fn(command: u8, text: &str) -> Option<Vec<Vec<u8>>>;

/// How the server is reached.
#[derive(Clone)]
pub enum Way {
    Clear,
    /// The path of a Unix socket.
    Socket(PathBuf),
    /// TLS, and what is sent in clear behind the greeting.
    Tls(Arc<ServerConfig>, &'static [u8]),
}

impl Way {
    /// TLS with `cert.pem` and `key.pem` of a directory.
    pub fn tls(dir: &Path, in_clear: &'static [u8]) -> Self {
        let certificate = CertificateDer::from_pem_file(dir.join("cert.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(dir.join("key.pem")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = builder.unwrap().with_no_client_auth().with_single_cert(vec![certificate], key);
        Way::Tls(Arc::new(config.unwrap()), in_clear)
    }
}

/// What the server answers otherwise than one that is well.
#[derive(Clone)]
pub struct Manner {
    pub trouble: Option<Trouble>,
    pub read_only: bool,
    /// What it says of its `max_allowed_packet`.
    pub max_packet: usize,
    pub answers: Answers,
}

impl Default for Manner {
    fn default() -> Self {
        Manner { trouble: None, read_only: false, max_packet: 1 << 20, answers: |_, _| None }
    }
}

pub struct FakeServer {
    pub port: u16,
    /// Rows that were sent and committed.
    committed: Arc<AtomicU64>,
    /// Bytes of the longest packet that came.
    longest: Arc<AtomicU64>,
}

impl FakeServer {
    pub fn new(trouble: Option<Trouble>) -> Self {
        Self::of(&Way::Clear, Manner { trouble, ..Manner::default() })
    }

    pub fn with(trouble: Option<Trouble>, read_only: bool, answers: Answers) -> Self {
        Self::of(&Way::Clear, Manner { trouble, read_only, answers, ..Manner::default() })
    }

    pub fn of(way: &Way, manner: Manner) -> Self {
        let (committed, longest) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let trouble = Arc::new(Mutex::new(manner.trouble));
        let (rows, most) = (committed.clone(), longest.clone());
        let serve = move |stream: Box<dyn Stream>, way: Way| {
            let (trouble, rows, longest) = (trouble.clone(), rows.clone(), most.clone());
            let manner = manner.clone();
            thread::spawn(move || {
                // The client may go at any moment.
                let _ =
                    Session { stream, sequence: 0, trouble, rows, longest, pending: 0, manner }.serve(&way);
            });
        };
        let mut port = 0;
        match way.clone() {
            Way::Socket(path) => {
                let listener = UnixListener::bind(&path).unwrap();
                thread::spawn(move || {
                    listener.incoming().for_each(|stream| serve(Box::new(stream.unwrap()), Way::Clear));
                });
            }
            way => {
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                port = listener.local_addr().unwrap().port();
                thread::spawn(move || {
                    for stream in listener.incoming() {
                        let stream: TcpStream = stream.unwrap();
                        stream.set_nodelay(true).unwrap();
                        serve(Box::new(stream), way.clone());
                    }
                });
            }
        }
        FakeServer { port, committed, longest }
    }

    pub fn committed(&self) -> u64 {
        self.committed.load(Ordering::Relaxed)
    }

    pub fn longest(&self) -> u64 {
        self.longest.load(Ordering::Relaxed)
    }
}

trait Stream: Read + Write + Send {}
impl<S: Read + Write + Send> Stream for S {}

struct Session {
    stream: Box<dyn Stream>,
    sequence: u8,
    trouble: Arc<Mutex<Option<Trouble>>>,
    rows: Arc<AtomicU64>,
    longest: Arc<AtomicU64>,
    pending: u64,
    manner: Manner,
}

const PLUGIN: &[u8] = b"mysql_native_password\0";

impl Session {
    fn serve(mut self, way: &Way) -> io::Result<()> {
        let mut hello = vec![10];
        hello.extend(b"8.0.40\0");
        hello.extend([1, 0, 0, 0]);
        hello.extend(b"12345678\0");
        let tls = if matches!(way, Way::Tls(..)) { 0x800 } else { 0 };
        let capabilities: u32 = 1 | 8 | 0x200 | tls | 0x2000 | 0x8000 | 0x8_0000;
        hello.extend(&capabilities.to_le_bytes()[..2]);
        hello.extend([45, 2, 0]);
        hello.extend(&capabilities.to_le_bytes()[2..]);
        hello.push(21);
        hello.extend([0; 10]);
        hello.extend(b"123456789012\0");
        hello.extend(PLUGIN);
        // In one go, as somebody in between sends it.
        let in_clear = if let Way::Tls(_, in_clear) = way { in_clear } else { &[][..] };
        self.send_with(&hello, in_clear)?;
        if let Way::Tls(config, _) = way {
            let request = self.read()?;
            assert_eq!((request.len(), request[1] & 8), (32, 8), "a request for TLS");
            let session = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
            self.stream = Box::new(StreamOwned::new(session, self.stream));
        }
        let login = self.read()?;
        assert_eq!(login[1] & 8 != 0, matches!(way, Way::Tls(..)), "the login says whether there is TLS");
        if self.is_trouble(Moment::Connect)? {
            return Ok(());
        }
        self.ok(0)?;
        loop {
            let packet = self.read()?;
            let Some((&command, rest)) = packet.split_first() else { return Ok(()) };
            let text = String::from_utf8_lossy(rest).into_owned();
            if let Some(packets) = (self.manner.answers)(command, &text) {
                for packet in packets {
                    self.send(&packet)?;
                }
                continue;
            }
            match command {
                1 => return Ok(()),
                3 => self.query(&text)?,
                0x16 => self.prepare(&text)?,
                0x17 => {
                    if !self.is_trouble(Moment::Execute)? {
                        self.pending += 1;
                        self.ok(1)?;
                    }
                }
                0x19 => {}
                _ => self.ok(0)?,
            }
        }
    }

    fn query(&mut self, sql: &str) -> io::Result<()> {
        let moment = match sql {
            "START TRANSACTION" => Some(Moment::Statement),
            "COMMIT" => Some(Moment::Commit),
            _ => None,
        };
        if let Some(moment) = moment
            && self.is_trouble(moment)?
        {
            return Ok(());
        }
        if sql == "COMMIT" {
            self.rows.fetch_add(std::mem::take(&mut self.pending), Ordering::Relaxed);
        } else if sql == "ROLLBACK" || sql == "START TRANSACTION" {
            self.pending = 0;
        }
        let read_only = if self.manner.read_only { "1" } else { "0" };
        let max_packet = &*self.manner.max_packet.to_string();
        let rows: &[&[&str]] = if sql.contains("@@global.read_only") {
            &[&[max_packet, read_only]]
        } else if sql.contains("@@max_allowed_packet") {
            &[&[max_packet]]
        } else if sql == "SELECT 1" {
            &[&["1"]]
        } else if sql.contains("SELECT table_comment") {
            &[]
        } else if sql.contains("SELECT table_name, column_name") {
            &[&["modulation_new", "timestamp"]]
        } else if sql.contains("SELECT table_name") {
            &[&["modulation_new"]]
        } else if sql.starts_with("SHOW CREATE TABLE") {
            &[&["modulation_new", "CREATE TABLE `modulation_new` (...)"]]
        } else if sql.contains("information_schema.columns") {
            &[
                &["timestamp", "timestamp", "timestamp", "64", "x", "x"],
                &["cmts", "varchar", "varchar(64)", "64", "utf8mb4", "utf8mb4_bin"],
                &["upstream", "varchar", "varchar(64)", "64", "utf8mb4", "utf8mb4_bin"],
                &["modulation", "varchar", "varchar(16)", "16", "utf8mb4", "utf8mb4_bin"],
            ]
        } else if sql.contains("information_schema.statistics") {
            &[&["timestamp"], &["cmts"], &["upstream"]]
        } else {
            return self.ok(0);
        };
        let columns = rows.first().map_or(1, |row| row.len());
        self.send(&[columns as u8])?;
        for _ in 0..columns {
            self.send(&column())?;
        }
        self.send(&EOF)?;
        for row in rows {
            self.send(&row.iter().flat_map(|value| text(value)).collect::<Vec<_>>())?;
        }
        self.send(&EOF)
    }

    fn prepare(&mut self, sql: &str) -> io::Result<()> {
        if self.is_trouble(Moment::Prepare)? {
            return Ok(());
        }
        let parameters = sql.matches('?').count() as u16;
        let mut answer = vec![0, 1, 0, 0, 0, 0, 0];
        answer.extend(parameters.to_le_bytes());
        answer.extend([0, 0, 0]);
        self.send(&answer)?;
        for _ in 0..parameters {
            self.send(&column())?;
        }
        if parameters > 0 { self.send(&EOF) } else { Ok(()) }
    }

    /// Answers with the fault, if it is time for it.
    fn is_trouble(&mut self, moment: Moment) -> io::Result<bool> {
        let code = {
            let mut trouble = self.trouble.lock().unwrap();
            match trouble.as_mut() {
                Some(trouble) if trouble.at == moment && trouble.times > 0 => {
                    trouble.times -= 1;
                    trouble.code
                }
                _ => return Ok(false),
            }
        };
        let mut answer = vec![0xff];
        answer.extend(code.to_le_bytes());
        answer.extend(b"#HY000as the test wants it");
        self.send(&answer)?;
        Ok(true)
    }

    fn ok(&mut self, affected: u8) -> io::Result<()> {
        self.send(&[0, affected, 0, 2, 0, 0, 0])
    }

    fn send(&mut self, payload: &[u8]) -> io::Result<()> {
        self.send_with(payload, &[])
    }

    fn send_with(&mut self, payload: &[u8], behind: &[u8]) -> io::Result<()> {
        let mut packet = (payload.len() as u32).to_le_bytes()[..3].to_vec();
        packet.push(self.sequence);
        packet.extend(payload);
        packet.extend(behind);
        self.sequence = self.sequence.wrapping_add(1);
        self.stream.write_all(&packet)?;
        self.stream.flush()
    }

    fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut header = [0; 4];
        self.stream.read_exact(&mut header)?;
        self.sequence = header[3].wrapping_add(1);
        let mut payload = vec![0; u32::from_le_bytes([header[0], header[1], header[2], 0]) as usize];
        self.stream.read_exact(&mut payload)?;
        self.longest.fetch_max(payload.len() as u64, Ordering::Relaxed);
        Ok(payload)
    }
}

pub const EOF: [u8; 5] = [0xfe, 0, 0, 2, 0];

/// A text as the protocol writes it.
pub fn text(value: &str) -> Vec<u8> {
    let mut bytes = vec![value.len() as u8];
    bytes.extend(value.bytes());
    bytes
}

/// The definition of a column of text.
pub fn column() -> Vec<u8> {
    let mut bytes: Vec<u8> = ["def", "", "", "", "c", "c"].iter().flat_map(|part| text(part)).collect();
    bytes.extend([0x0c, 45, 0, 0, 1, 0, 0, 0xfd, 0, 0, 0, 0, 0]);
    bytes
}
