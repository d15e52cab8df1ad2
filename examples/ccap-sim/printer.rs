//! How text gets to the client: line ends, pages, colours, log lines, speed, and how it breaks off.

use std::{future::pending, sync::Arc, time::Duration};

use russh::{ChannelWriteHalf, server::Msg};
use tokio::time::sleep;

use crate::{
    fault::Kind,
    fleet::Device,
    personality::{self, Need},
    shell::Keyboard,
    wire::Knife,
};

/// The client went away.
#[derive(Clone, Copy, Debug)]
pub struct Gone;

/// Lines on a page, the pager's own not counted.
const PAGE: usize = 23;
/// How long what was sent may take to leave before the connection is cut.
const LINGER: Duration = Duration::from_millis(100);

/// The way to the client.
pub struct Printer {
    device: Arc<Device>,
    channel: ChannelWriteHalf<Msg>,
    knife: Arc<Knife>,
    /// Whether output stops after a page.
    pub paging: bool,
    /// Pages so far whose pager was chosen.
    paged: usize,
}

impl Printer {
    /// Prints on this channel, and can cut its connection.
    pub fn new(device: Arc<Device>, channel: ChannelWriteHalf<Msg>, knife: Arc<Knife>) -> Self {
        Printer { device, channel, knife, paging: true, paged: 0 }
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: Vec<u8>) -> Result<(), Gone> {
        if let Some(slow) = self.device.fault(Kind::SlowLine) {
            sleep(Duration::from_millis(slow.number(150))).await;
        }
        let Some(drip) = self.device.fault(Kind::Drip) else {
            return self.channel.data_bytes(bytes).await.map_err(|_| Gone);
        };
        let tick = Duration::from_millis(20);
        let portion = (drip.number(4_000) / 50).max(1) as usize;
        for part in bytes.chunks(portion) {
            self.channel.data_bytes(part.to_vec()).await.map_err(|_| Gone)?;
            sleep(tick).await;
        }
        Ok(())
    }

    /// How a line ends.
    pub fn line_end(&self) -> &'static [u8] {
        if self.device.has(Kind::CrCrLf) { b"\r\r\n" } else { b"\r\n" }
    }

    /// Prints text with LF, however long.
    pub async fn print(&mut self, text: &str) -> Result<(), Gone> {
        let bytes = self.on_the_wire(text);
        self.send(bytes).await
    }

    fn on_the_wire(&self, text: &str) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(text.len() + text.len() / 40);
        for part in text.split_inclusive('\n') {
            let line = part.strip_suffix('\n');
            bytes.extend_from_slice(line.unwrap_or(part).as_bytes());
            if line.is_some() {
                bytes.extend_from_slice(self.line_end());
            }
        }
        bytes
    }

    /// Prints a table, page by page where paging is on, or as far as its fault lets it.
    pub async fn table(&mut self, text: &str, need: Need, keyboard: &mut Keyboard) -> Result<(), Gone> {
        let text = self.decorated(text);
        let breaks = |kind| need == Need::Last && self.device.has(kind);
        if breaks(Kind::HangMidOutput) || breaks(Kind::CloseMidOutput) || breaks(Kind::ResetMidOutput) {
            return self.break_off(&text).await;
        }
        if breaks(Kind::Endless) {
            return self.endless(&text).await;
        }
        let kinds = [Kind::PagerIgnoresOff, Kind::MoreBackspaces, Kind::PagerWordings];
        let stubborn = kinds.into_iter().any(|kind| self.device.has(kind));
        if self.paging || stubborn { self.pages(&text, keyboard).await } else { self.print(&text).await }
    }

    async fn break_off(&mut self, text: &str) -> Result<(), Gone> {
        let mut bytes = self.on_the_wire(text);
        bytes.truncate(bytes.len() / 2);
        self.send(bytes).await?;
        if !self.device.has(Kind::HangMidOutput) {
            sleep(LINGER).await;
            self.knife.cut();
        }
        // Not even the end of its input is noticed; the end of the connection ends this task.
        pending().await
    }

    async fn endless(&mut self, text: &str) -> Result<(), Gone> {
        self.print(text).await?;
        let rows: Vec<&str> = text.lines().rev().take(20).collect();
        let mut more = self.on_the_wire(&rows.join("\n"));
        more.extend_from_slice(self.line_end());
        loop {
            self.send(more.clone()).await?;
        }
    }

    async fn pages(&mut self, text: &str, keyboard: &mut Keyboard) -> Result<(), Gone> {
        let mut lines = text.split_inclusive('\n').peekable();
        let mut room = PAGE;
        loop {
            let page: String = lines.by_ref().take(room).collect();
            self.print(&page).await?;
            if lines.peek().is_none() {
                return Ok(());
            }
            let pager = self.pager();
            self.send(pager.as_bytes().to_vec()).await?;
            room = loop {
                match keyboard.key().await? {
                    b' ' => break PAGE,
                    b'\r' | b'\n' => break 1,
                    b'q' | b'Q' | 0x03 => break 0,
                    _ => {}
                }
            };
            let erase = self.erased(pager.len());
            self.send(erase).await?;
            if room == 0 {
                return Ok(());
            }
        }
    }

    fn pager(&mut self) -> &'static str {
        if !self.device.has(Kind::PagerWordings) {
            return personality::of(self.device.platform).pager();
        }
        self.paged += 1;
        WORDINGS[self.paged % WORDINGS.len()]
    }

    fn erased(&self, width: usize) -> Vec<u8> {
        let blank = " ".repeat(width);
        let text = if self.device.has(Kind::MoreBackspaces) {
            let back = "\x08".repeat(width);
            format!("{back}{blank}{back}")
        } else if width == 1 {
            "\r\x1b[K".to_owned()
        } else {
            format!("\r{blank}\r")
        };
        text.into_bytes()
    }

    /// Log lines between the rows, colours around them.
    fn decorated(&self, text: &str) -> String {
        let (logs, colours) = (self.device.has(Kind::SyslogInTable), self.device.has(Kind::Ansi));
        if !logs && !colours {
            return text.to_owned();
        }
        let count = text.lines().count();
        let mut decorated = String::with_capacity(text.len() * 2);
        for (i, line) in text.lines().enumerate() {
            if colours && i % 2 == 1 && !line.is_empty() {
                decorated.push_str("\x1b[0;32m");
                decorated.push_str(line);
                decorated.push_str("\x1b[0m\x1b[K");
            } else {
                decorated.push_str(line);
            }
            decorated.push('\n');
            if logs && count > 5 && (i == count / 2 || i == count * 3 / 4) {
                decorated.push_str(LOG_LINE);
            }
        }
        decorated
    }

    /// Ends the session from this side.
    pub async fn close(self) {
        // Where the client is gone already, there is nobody to tell.
        let _ = self.channel.exit_status(0).await;
        let _ = self.channel.eof().await;
        let _ = self.channel.close().await;
    }
}

/// What devices of other makers print where a page is full.
const WORDINGS: [&str; 7] = [
    "--More-- or (q)uit",
    "--More--(35%)",
    "-- MORE --, next page: Space, next line: Enter, quit: Control-C",
    "[more 12%] (use SPACE, Enter or q)",
    "<SPACE> for next page, <CR> for next line, Q to quit",
    "Press any key to continue (Q to quit)",
    "<--- More --->",
];

/// What a device prints for whoever is logged in, in the middle of anything.
pub const LOG_LINE: &str = "*Nov 24 10:44:05.123: %LINEPROTO-5-UPDOWN: Line protocol on Interface TenGigabitEthernet4/1/0, changed state to up\n";
