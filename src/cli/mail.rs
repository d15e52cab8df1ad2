//! `mod-mail`: the flags.

use std::{path::PathBuf, time::Duration};

use clap::Parser;

use super::{Common, Tool, report::Layout};
use crate::{language::Language, units};

/// Mail a report as text, HTML and CSV, to each recipient exactly once
///
/// The report is what mod-report writes into a pipe. Each recipient gets a separate mail, so a refused
/// address does not affect the others.
#[derive(Clone, Debug, Parser)]
#[command(name = "mod-mail", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Mail {
    /// Mail to these addresses, separated by commas; may be repeated [default: TO_EMAILS]
    #[arg(long, value_name = "ADDRESSES")]
    pub to: Vec<String>,
    /// Sender [default: FROM_EMAIL]
    #[arg(long, value_name = "ADDRESS")]
    pub from: Option<String>,
    /// Subject; what the report lacks is appended [default: Modulation report DATE]
    #[arg(long, value_name = "TEXT")]
    pub subject: Option<String>,
    /// Language of the mail [default: MODTOOLS_LANG, else en]
    #[arg(long, value_name = "LANGUAGE", value_enum)]
    pub lang: Option<Language>,
    /// Columns of the attached CSV: all, or as the program that this one replaces has them
    #[arg(long, value_name = "LAYOUT", value_enum, default_value = "full")]
    pub layout: Layout,
    /// Mail the `event` records on standard input instead of a report: one short mail, none without events
    #[arg(long, conflicts_with_all = ["layout", "max_size", "check", "flush"])]
    pub events: bool,
    /// Leave the attached rows out when they are larger than this in the mail; above 1 MiB they are compressed
    #[arg(long, value_name = "SIZE", default_value = "8MiB", value_parser = units::size)]
    pub max_size: u64,
    /// Attach FILE too; may be repeated
    #[arg(long, value_name = "FILE")]
    pub attach: Vec<PathBuf>,
    /// Write the mails to standard output instead of sending them: one as it is, several as an mbox
    #[arg(long, conflicts_with = "check")]
    pub dry_run: bool,

    /// Connect, begin TLS, log in, and leave; reads no report
    #[arg(long, help_heading = "Delivery")]
    pub check: bool,
    /// Show the dialogue with the server, secrets masked
    #[arg(long, help_heading = "Delivery")]
    pub debug: bool,
    /// Spool mails that were not taken in DIR, and retry them in each run that names DIR
    #[arg(long, value_name = "DIR", help_heading = "Delivery")]
    pub spool: Option<PathBuf>,
    /// Only retry what waits in the spool; reads no report
    #[arg(long, requires = "spool", conflicts_with_all = ["dry_run", "check"], help_heading = "Delivery")]
    pub flush: bool,
    /// Resend what has been sent before
    #[arg(long, help_heading = "Delivery")]
    pub again: bool,
    /// Time limit for a connection and each answer; ten times as long for the last one
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = units::duration, help_heading = "Delivery")]
    pub timeout: Duration,

    /// The flags of every tool.
    #[command(flatten)]
    pub common: Common,
}

impl Tool for Mail {
    const NAME: &'static str = "mod-mail";

    fn input(&self) -> Option<&'static str> {
        (!self.check && !self.flush).then_some("a report of mod-report, or use --check or --flush")
    }

    fn common(&self) -> &Common {
        &self.common
    }
}

const AFTER_HELP: &str = "\
Server: SMTP_HOST (localhost), SMTP_PORT (25), SMTP_TLS, SMTP_CA_FILE, SMTP_USER, and as a secret SMTP_PASSWORD
(SMTP_PASSWORD_FILE, else $CREDENTIALS_DIRECTORY/smtp_password, else the environment or the env file).
SMTP_HELO is the name that we give to the server; default: the host name when it has a dot, else the domain of the
sender, else an address literal.
SMTP_TLS is one of
  opportunistic  STARTTLS when the server offers it (default); its certificate is verified only when a password
                 goes to another machine, and a password never goes there unencrypted
  required       STARTTLS with a verified certificate, or no mail
  wrapper        TLS from the first byte (mostly port 465), with a verified certificate
  none           no encryption, even for a password
Certificates are verified against SMTP_CA_FILE (PEM), else against the roots that Mozilla trusts.

Exactly once: a mail that a server took is noted in DIR/sent.ndjson of --spool, else in $STATE_DIRECTORY,
$XDG_STATE_HOME/modtools or ~/.local/state/modtools, and not sent to that server again without --again. A server
that was given the whole mail and did not answer has perhaps taken it: that is noted too, and logged. A report is
the same when window, CMTSs and --subject are; while its window is not over, also its moment. Its Message-ID stays
the same as well.

A refusal (5xx) of the recipient or of the message is final. Everything else is about us or the server (greeting,
EHLO, login, policy, 4xx, no connection): the mail goes to --spool and is retried by each run, for five days.
A report without samples, or with some missing, is mailed and its subject says so. Without any report on standard
input nothing is mailed: that is status 1. With --events and no event nothing is mailed: that is status 0.

Examples:
  mod-report | mod-mail --to noc@example.net --spool /var/spool/modtools/mail
  mod-report --date 2026-05-01 | mod-mail --lang nl --layout seed --attach notes.pdf
  mod-report | mod-mail --dry-run > report.eml
  mod-mail --events --to tickets@example.net <events.ndjson
  mod-mail --check --debug
  mod-mail --spool /var/spool/modtools/mail --flush

Exit status:
  0  every recipient has it, now or from before; or ENABLE_EMAIL_REPORTS is false
  1  nobody has it and nothing waits in the spool; or there was no report
  2  wrong usage or configuration; nothing was sent
  3  some recipients have it, perhaps have it, or will get it from the spool; one line on stderr for each that
     has not
  4  another mod-mail held the spool for ten minutes; nothing was sent";
