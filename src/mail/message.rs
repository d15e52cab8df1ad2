//! A report as a MIME message: text and HTML, and the attachments. Nothing that comes from a device or a
//! user reaches a header with a control character in it.

use std::time::{Duration, SystemTime};

use lettre::{
    Message,
    message::{
        Body, MultiPart, SinglePart,
        header::{ContentDisposition, ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
};
use sha2::{Digest, Sha256};

use super::{address::Mailbox, input::Reading, period::Period};
use crate::{
    error::{Error, Result},
    record::Timestamp,
};

/// No subject is longer than this, in characters.
const SUBJECT: usize = 250;
/// No file name is longer than this, in characters.
const FILE_NAME: usize = 120;

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
            .header(content_type(&self.name))
            .header(ContentDisposition::attachment(&self.name))
            .body(self.body.clone())
    }
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
            .map_err(|e| Error::usage(format!("{}: no mail can be made: {e}", to.email)))?;
        Ok(message.formatted())
    }
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
    let name = header_text(name, FILE_NAME).replace(['/', '\\', ':', '"', '<', '>', '|', '?', '*'], "_");
    match name.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None if name.is_empty() => "_".to_owned(),
        None => name,
    }
}

fn content_type(name: &str) -> ContentType {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    let kind = match extension.as_deref().unwrap_or_default() {
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
    };
    ContentType::parse(kind).expect("invariant: the table holds MIME types")
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
