//! A report as a MIME message: text, HTML and attachments. No text from a device or a user reaches a header
//! with a control character in it.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use lettre::{
    Message,
    message::{
        Body, MultiPart, SinglePart,
        header::{ContentTransferEncoding, Header, HeaderName, HeaderValue},
    },
};
use sha2::{Digest, Sha256};

use super::{
    address::{Address, Mailbox},
    event,
    input::Reading,
    period::Period,
};
use crate::{
    error::{Error, Result},
    record::{Event, Timestamp},
};

/// No subject is longer than this, in characters.
const SUBJECT: usize = 250;
/// No file name is longer than this, in bytes: three characters for each must fit into a line of a header.
const FILE_NAME: usize = 240;

/// A file in a mail.
#[derive(Clone, Debug)]
pub struct Attachment {
    name: String,
    body: Body,
}

impl Attachment {
    /// A file with this name and content; every byte arrives as it is.
    #[must_use]
    pub fn new(name: &str, content: Vec<u8>) -> Self {
        let encoded = Body::new_with_encoding(content, ContentTransferEncoding::Base64);
        let body = encoded.expect("invariant: Base64 encodes everything");
        Attachment { name: file_name(name), body }
    }

    fn part(&self) -> SinglePart {
        SinglePart::builder()
            .header(NamedType(self.name.clone()))
            .header(Disposition(self.name.clone()))
            .body(self.body.clone())
    }
}

/// `Content-Type` of an attachment, with its name for Outlook, which reads no other when the letters are not ASCII.
#[derive(Clone)]
struct NamedType(String);

impl Header for NamedType {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Content-Type")
    }

    fn parse(text: &str) -> std::result::Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(NamedType(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        let value = format!("{};\r\n name=\"{}\"", content_type(&self.0), encoded_words(&self.0));
        HeaderValue::dangerous_new_pre_encoded(Self::name(), value.clone(), value)
    }
}

/// `Content-Disposition` of an attachment. A name is never cut into `filename*0`, `filename*1`: many programs
/// read the first part only, or none.
#[derive(Clone)]
struct Disposition(String);

impl Header for Disposition {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Content-Disposition")
    }

    fn parse(text: &str) -> std::result::Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Disposition(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        let Disposition(name) = self;
        let value = if name.is_ascii() {
            format!("attachment;\r\n filename=\"{name}\"")
        } else {
            format!("attachment;\r\n filename*=utf-8''{}", percent_encoded(name))
        };
        HeaderValue::dangerous_new_pre_encoded(Self::name(), value.clone(), value)
    }
}

/// RFC 2047: words of at most 75 characters, whole letters in each; ASCII stays as it is.
fn encoded_words(name: &str) -> String {
    if name.is_ascii() {
        return name.to_owned();
    }
    // 45 bytes are 60 characters of Base64.
    let mut words = vec![String::new()];
    for c in name.chars() {
        match words.last_mut() {
            Some(word) if word.len() + c.len_utf8() <= 45 => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    let words = words.iter().map(|word| format!("=?utf-8?B?{}?=", BASE64_STANDARD.encode(word)));
    words.collect::<Vec<_>>().join("\r\n ")
}

/// RFC 5987.
fn percent_encoded(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            text.push(char::from(byte));
        } else {
            text += &format!("%{byte:02X}");
        }
    }
    text
}

/// Everything that the mails of one report have in common.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct Letter {
    pub from: Mailbox,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub attachments: Vec<Attachment>,
    pub date: Timestamp,
    /// What the report is; see [`identity`].
    pub identity: String,
    /// The same without its rows, for a server that does not take so much.
    pub short: Option<Box<Letter>>,
}

impl Letter {
    /// The Message-ID of the mail to one recipient: the same for the same report and recipient.
    #[must_use]
    pub fn message_id(&self, to: &Mailbox) -> String {
        let domain = self.from.email.domain();
        let domain = if domain.is_ascii() { domain } else { "localhost" };
        let to = format!("{}@{}", to.email.user(), to.email.domain().to_ascii_lowercase());
        format!("<modulation-report.{}@{domain}>", digest([self.identity.as_str(), &to]))
    }

    /// The mail to one recipient, ready to be sent: ASCII, CRLF, no line too long.
    ///
    /// # Errors
    /// [`Error::Usage`] when its headers cannot be made.
    pub fn to(&self, to: &Mailbox) -> Result<Vec<u8>> {
        let alternatives = MultiPart::alternative_plain_html(self.text.clone(), self.html.clone());
        let mixed = MultiPart::mixed().multipart(alternatives);
        let parts = self.attachments.iter().fold(mixed, |parts, file| parts.singlepart(file.part()));
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(self.date.0.try_into().unwrap_or_default());
        let message = Message::builder()
            .from(self.from.clone())
            .to(to.clone())
            .subject(header_text(&self.subject, SUBJECT))
            .date(date)
            .message_id(Some(self.message_id(to)))
            // RFC 3834, and what Exchange goes by: no answer from those who are out of office.
            .raw_header(raw_header(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated"))
            .raw_header(raw_header(HeaderName::new_from_ascii_str("X-Auto-Response-Suppress"), "All"))
            .multipart(parts)
            .map_err(|e| Error::usage(format!("{}: cannot make a mail: {e}", to.email)))?;
        Ok(message.formatted())
    }
}

/// A mail as an entry of an mbox (RFC 4155), its lines that begin with `From ` quoted.
#[must_use]
pub fn mbox_entry(from: &Address, now: Timestamp, mail: &[u8]) -> Vec<u8> {
    let mut entry = format!("From {from} {}\r\n", now.utc().format("%a %b %e %H:%M:%S %Y")).into_bytes();
    for line in mail.split_inclusive(|&byte| byte == b'\n') {
        let quotes = line.iter().take_while(|&&byte| byte == b'>').count();
        if line[quotes..].starts_with(b"From ") {
            entry.push(b'>');
        }
        entry.extend_from_slice(line);
    }
    entry.extend_from_slice(b"\r\n");
    entry
}

fn raw_header(name: HeaderName, value: &str) -> HeaderValue {
    HeaderValue::new(name, value.to_owned())
}

/// What a report is, for all who ask whether it is the same: its window, its CMTSs and the user's subject;
/// while its window is not over, also when it was made.
#[must_use]
pub fn identity(reading: &Reading, subject: Option<&str>) -> String {
    let report = &reading.report;
    let unfinished = (report.generated_at < report.to).then(|| report.generated_at.to_string());
    let window = [report.from.to_string(), report.to.to_string(), unfinished.unwrap_or_default()];
    let words = [report.tz.as_str(), subject.unwrap_or_default()];
    let digest = digest(window.iter().map(String::as_str).chain(words).chain(reading.cmts()));
    format!("{}.{digest}", Period::of(report).file_label())
}

/// What a mail of events is: these events and no others.
#[must_use]
pub fn identity_of_events(events: &[Event]) -> String {
    let keys: BTreeSet<_> = events.iter().map(event::key).collect();
    format!("events.{}", digest(keys.iter().map(String::as_str)))
}

/// What so many bytes are in Base64, line ends included.
#[must_use]
pub fn encoded_size(bytes: usize) -> u64 {
    let characters = bytes.div_ceil(3) as u64 * 4;
    characters + characters.div_ceil(76) * 2
}

/// A digest of texts, each apart from the next.
fn digest<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Text for a header: a control character would begin a header of its own, a turn of direction hide one.
fn header_text(text: &str, longest: usize) -> String {
    let blank = |c: char| if c.is_control() || is_invisible(c) { ' ' } else { c };
    let text: String = text.chars().map(blank).collect();
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").chars().take(longest).collect()
}

/// Marks of direction, separators of lines: they show nothing, and change what is shown.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A name for a file that a mail program may write: no path, no quote, letters of any language.
fn file_name(name: &str) -> String {
    let name =
        shortened(&header_text(name, FILE_NAME)).replace(['/', '\\', ':', '"', '<', '>', '|', '?', '*'], "_");
    match name.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None if name.is_empty() => "_".to_owned(),
        None => name,
    }
}

/// At most [`FILE_NAME`] bytes, the ending kept: it says what the file is.
fn shortened(name: &str) -> String {
    if name.len() <= FILE_NAME {
        return name.to_owned();
    }
    let (stem, ending) = name.rsplit_once('.').filter(|(_, ending)| ending.len() <= 10).unwrap_or((name, ""));
    let ending = if ending.is_empty() { String::new() } else { format!(".{ending}") };
    let mut end = FILE_NAME - ending.len();
    while !stem.is_char_boundary(end.min(stem.len())) {
        end -= 1;
    }
    format!("{}{ending}", &stem[..end.min(stem.len())])
}

fn content_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref().unwrap_or_default() {
        "csv" => "text/csv; charset=utf-8",
        "txt" | "log" => "text/plain; charset=utf-8",
        "html" | "htm" => "text/html; charset=utf-8",
        "json" => "application/json",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "svg" => "image/svg+xml",
        "zip" => "application/zip",
        "gz" => "application/gzip",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(subject: &str, attachment: &str) -> Letter {
        Letter {
            from: "NOC <noc@example.net>".parse().expect("an address"),
            subject: subject.to_owned(),
            text: "text".to_owned(),
            html: "<p>html</p>".to_owned(),
            attachments: vec![Attachment::new(attachment, b"a\nb\r\n.\r\n\xff".to_vec())],
            date: Timestamp(1_777_636_800),
            identity: "2026-05-01.0".to_owned(),
            short: None,
        }
    }

    fn headers(letter: &Letter) -> String {
        let to = "Ops <ops@example.org>".parse().expect("an address");
        let mail = String::from_utf8(letter.to(&to).expect("a mail")).expect("ASCII");
        mail.split("\r\n\r\n").next().expect("headers").to_owned()
    }

    #[test]
    fn neither_subject_nor_file_name_makes_a_header() {
        for hostile in ["a\r\nBcc: spy@example.org", "a\nBcc: x", "a\u{2028}Bcc: x", "é\r\nBcc: x\u{202e}y\0"]
        {
            let letter = letter(hostile, hostile);
            let headers = headers(&letter);
            assert!(headers.lines().all(|line| !line.to_lowercase().starts_with("bcc")), "{headers}");
            let to = "ops@example.org".parse().expect("an address");
            let mail = letter.to(&to).expect("a mail");
            assert!(mail.is_ascii());
            assert!(!String::from_utf8_lossy(&mail).to_lowercase().contains("\nbcc"));
        }
        assert_eq!(file_name("../../etc/passwd"), "_./_.._etc_passwd".replace("/_", "_"));
        assert_eq!(file_name("\n"), "_");
    }

    #[test]
    fn a_file_name_is_whole_in_one_header_for_every_mail_program() {
        let headers = |name: &str| {
            let mail = letter("s", name).to(&"ops@example.org".parse().expect("an address")).expect("a mail");
            String::from_utf8(mail).expect("ASCII")
        };
        let ascii = headers(
            "a_name_that_is_longer_than_a_line_of_a_mail_should_be_but_not_longer_than_it_may_be.csv",
        );
        let name =
            "\"a_name_that_is_longer_than_a_line_of_a_mail_should_be_but_not_longer_than_it_may_be.csv\"";
        assert!(
            ascii.contains(&format!("\r\n name={name}")) && ascii.contains(&format!("\r\n filename={name}"))
        );
        let other = headers("\u{dc}bersicht der St\u{f6}rungen.txt");
        assert!(other.contains("filename*=utf-8''%C3%9Cbersicht%20der%20St%C3%B6rungen.txt\r\n"), "{other}");
        assert!(
            other.contains(" name=\"=?utf-8?B?w5xiZXJzaWNodCBkZXIgU3TDtnJ1bmdlbi50eHQ=?=\"\r\n"),
            "{other}"
        );
        let long = headers(&format!("{}.txt", "\u{1f4c8}".repeat(200)));
        assert!(long.lines().all(|line| line.len() <= 998) && !long.contains("filename*0"));
        assert!(long.contains(".txt\r\n"));
    }

    #[test]
    fn an_mbox_entry_quotes_what_would_begin_another() {
        let from = "noc@example.net".parse().expect("an address");
        let entry = mbox_entry(&from, Timestamp(0), b"Subject: x\r\n\r\nFrom a\r\n>From b\r\n From c\r\n");
        let text = String::from_utf8(entry).expect("ASCII");
        let body = "Subject: x\r\n\r\n>From a\r\n>>From b\r\n From c\r\n\r\n";
        assert_eq!(text, format!("From noc@example.net Thu Jan  1 00:00:00 1970\r\n{body}"));
    }

    #[test]
    fn the_message_id_is_that_of_the_report_and_the_recipient() {
        let one = letter("one", "a.csv");
        let id = |to: &str| one.message_id(&to.parse().expect("an address"));
        assert_eq!(id("ops@example.org"), id("Ops <ops@EXAMPLE.org>"));
        assert_ne!(id("ops@example.org"), id("noc@example.org"));
        assert!(id("ops@example.org").ends_with("@example.net>"), "{}", id("ops@example.org"));
        let other = Letter { identity: "2026-05-02.0".to_owned(), ..one.clone() };
        let to = "ops@example.org".parse().expect("an address");
        assert_ne!(one.message_id(&to), other.message_id(&to));
    }
}
