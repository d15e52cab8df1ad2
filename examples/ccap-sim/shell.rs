//! The interactive session: echo, line editing, prompt, and what faults make of them.

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc::UnboundedReceiver, time::sleep};

use crate::{
    fault::Kind,
    fleet::Device,
    personality::{self, Need, Reply},
    printer::{Gone, LOG_LINE, Printer},
    server::Site,
    session_log::Event,
};

/// Width at which the terminal of a device wraps what is typed.
const COLUMNS: usize = 80;

/// What a client types.
pub struct Keyboard {
    typed: UnboundedReceiver<Vec<u8>>,
    waiting: std::vec::IntoIter<u8>,
}

impl Keyboard {
    /// Reads what comes over this channel.
    pub fn new(typed: UnboundedReceiver<Vec<u8>>) -> Self {
        Keyboard { typed, waiting: Vec::new().into_iter() }
    }

    /// The next byte that was typed.
    pub async fn key(&mut self) -> Result<u8, Gone> {
        loop {
            if let Some(key) = self.waiting.next() {
                return Ok(key);
            }
            self.waiting = self.typed.recv().await.ok_or(Gone)?.into_iter();
        }
    }

    /// Whether another byte has already come.
    fn has_more(&self) -> bool {
        self.waiting.len() > 0
    }
}

/// A session at a prompt.
pub struct Shell {
    site: Arc<Site>,
    device: Arc<Device>,
    session: u64,
    keyboard: Keyboard,
    printer: Printer,
    privileged: bool,
    tables: usize,
    /// Tables behind which a log message was printed.
    logged: usize,
    after_cr: bool,
}

impl Shell {
    /// A session that has just been logged in.
    pub fn new(
        site: Arc<Site>,
        device: Arc<Device>,
        session: u64,
        keyboard: Keyboard,
        printer: Printer,
    ) -> Self {
        let privileged = personality::of(device.platform).user_prompt(&device).is_none();
        Shell { site, device, session, keyboard, printer, privileged, tables: 0, logged: 0, after_cr: false }
    }

    /// Serves the client until it leaves or goes away.
    pub async fn run(mut self) {
        // Whoever went away is told nothing.
        let _ = self.serve().await;
        self.printer.close().await;
    }

    async fn serve(&mut self) -> Result<(), Gone> {
        sleep(self.site.login_latency).await;
        self.refuse().await?;
        self.greet().await?;
        loop {
            self.prompt().await?;
            self.log_behind_prompt().await?;
            let line = self.line(true).await?;
            if line.trim().is_empty() {
                continue;
            }
            self.site.session_log.note(
                &self.device.name,
                self.session,
                Event::Command { command: line.trim() },
            );
            sleep(self.site.latency).await;
            let moment = self.site.clock.moment();
            match personality::reply(&self.device, moment, self.privileged, &line) {
                Reply::Table(text, need) => self.table(&text, need).await?,
                Reply::Text(text) => self.printer.print(&text).await?,
                Reply::PagingOff => self.printer.paging = false,
                Reply::Enable => self.enable().await?,
                Reply::Logout => break,
            }
        }
        self.site.session_log.note(&self.device.name, self.session, Event::Logout);
        Ok(())
    }

    /// The questions of a shell that lets nobody in, whatever is typed.
    async fn refuse(&mut self) -> Result<(), Gone> {
        let question = if self.device.has(Kind::SecondLogin) {
            "\n\nUser Name:"
        } else if self.device.has(Kind::ExpiredPassword) {
            "Your password has expired.\n(current) UNIX password: "
        } else {
            return Ok(());
        };
        loop {
            self.printer.print(question).await?;
            self.line(true).await?;
        }
    }

    /// A log message that came too late for the table before it.
    async fn log_behind_prompt(&mut self) -> Result<(), Gone> {
        if !self.device.has(Kind::LogBehindPrompt) || self.tables == self.logged {
            return Ok(());
        }
        self.logged = self.tables;
        let (first, rest) = LOG_LINE.split_at(30);
        for part in ["\n", first, rest, "\n"] {
            self.printer.print(part).await?;
            sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// What crosses a command on its way: its first character was typed, and its echo has not been sent.
    async fn cross(&mut self) -> Result<(), Gone> {
        let log = if self.device.has(Kind::Redraw) { LOG_LINE } else { "" };
        let fault = self.device.fault(Kind::Redraw).or(self.device.fault(Kind::SurplusPrompt));
        let Some(ahead) = fault.map(|fault| Duration::from_millis(fault.number(80))) else { return Ok(()) };
        self.printer.print(&format!("\n{log}")).await?;
        self.prompt().await?;
        sleep(ahead).await;
        Ok(())
    }

    async fn greet(&mut self) -> Result<(), Gone> {
        self.printer.print(&personality::of(self.device.platform).greeting(&self.device)).await?;
        if self.device.has(Kind::Banner) {
            let name = &self.device.name;
            let rule = "#".repeat(60);
            // Each part is a packet of its own; some end in # or > as a prompt does.
            let parts = [
                format!("{rule}\n# > AUTHORISED ACCESS ONLY < #\n#"),
                format!("{}\n> {name}#\n>", " all sessions are logged ".trim_end()),
                format!(" enquiries: noc# or duty> \n{rule}"),
                format!("\n{name}-old#\n\n"),
            ];
            for part in parts {
                self.printer.print(&part).await?;
                sleep(Duration::from_millis(60)).await;
            }
        }
        Ok(())
    }

    async fn table(&mut self, text: &str, need: Need) -> Result<(), Gone> {
        self.tables += 1;
        let Some(fault) = self.device.fault(Kind::EchoAtOnce) else {
            return self.printer.table(text, need, &mut self.keyboard).await;
        };
        let pause = Duration::from_millis(fault.number(200));
        let middle = text[..text.len() / 2].rfind('\n').map_or(0, |at| at + 1);
        self.printer.print(&text[..middle]).await?;
        self.printer.print(LOG_LINE).await?;
        self.prompt().await?;
        sleep(pause).await;
        self.printer.print("\n").await?;
        self.printer.table(&text[middle..], need, &mut self.keyboard).await
    }

    async fn enable(&mut self) -> Result<(), Gone> {
        let asks = self.device.fault(Kind::UserMode).is_some_and(|f| f.argument.as_deref() == Some("ask"));
        if asks {
            self.printer.send(b"Password: ".to_vec()).await?;
            if self.line(false).await? != self.site.password {
                return self.printer.print("% Access denied\n\n").await;
            }
        }
        self.privileged = true;
        Ok(())
    }

    fn prompt_text(&self) -> String {
        let privileged = || personality::prompt(&self.device);
        let user = personality::of(self.device.platform).user_prompt(&self.device);
        let prompt = user.filter(|_| !self.privileged).unwrap_or_else(privileged);
        match self.device.fault(Kind::PromptChanges) {
            Some(fault) if self.tables > 0 => {
                let what = fault.argument.as_deref().unwrap_or("(diag)");
                format!("{}{what}#", prompt.trim_end_matches('#'))
            }
            _ => prompt,
        }
    }

    async fn prompt(&mut self) -> Result<(), Gone> {
        let mut text = self.prompt_text();
        if self.device.has(Kind::Ansi) {
            text = format!("\x1b]0;{}\x07\x1b[1m{text}\x1b[0m", self.device.name);
        }
        if self.device.has(Kind::PromptSplit) {
            let rest = text.split_off(text.len() / 2);
            self.printer.send(text.into_bytes()).await?;
            sleep(Duration::from_millis(120)).await;
            text = rest;
        }
        self.printer.send(text.into_bytes()).await
    }

    /// Reads a line and echoes it as it comes.
    async fn line(&mut self, echo: bool) -> Result<String, Gone> {
        let (mut line, mut answer) = (Vec::new(), Vec::new());
        let mut column = self.prompt_text().len();
        let wraps = self.device.has(Kind::EchoWrap80);
        let silent = self.device.fault(Kind::NoEcho).or(self.device.fault(Kind::EchoAtOnce)).cloned();
        let (echo, mut crossed) = (echo && silent.is_none(), !echo);
        loop {
            let key = self.keyboard.key().await?;
            let after_cr = std::mem::replace(&mut self.after_cr, key == b'\r');
            match key {
                b'\n' if after_cr => continue,
                b'\r' | b'\n' => {
                    if silent.as_ref().is_some_and(|fault| fault.argument.as_deref() != Some("line-end")) {
                        return Ok(String::from_utf8_lossy(&line).into_owned());
                    }
                    answer.extend_from_slice(self.printer.line_end());
                    self.printer.send(answer).await?;
                    return Ok(String::from_utf8_lossy(&line).into_owned());
                }
                0x08 | 0x7f => {
                    if line.pop().is_some() {
                        answer.extend_from_slice(b"\x08 \x08");
                    }
                }
                0x03 => line.clear(),
                _ if key < b' ' => {}
                _ => {
                    if !std::mem::replace(&mut crossed, true) {
                        self.cross().await?;
                    }
                    line.push(key);
                    if echo {
                        answer.push(key);
                        column += 1;
                    }
                    if wraps && echo && column.is_multiple_of(COLUMNS) {
                        answer.extend_from_slice(b"\r\n");
                    }
                }
            }
            if !answer.is_empty() && !self.keyboard.has_more() {
                self.printer.send(std::mem::take(&mut answer)).await?;
            }
        }
    }
}
