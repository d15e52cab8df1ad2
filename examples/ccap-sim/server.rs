//! The SSH servers, one per device: who may log in, and how a door misbehaves before a prompt is seen.

use std::{
    os::fd::{AsFd, OwnedFd},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use modtools::error::{Error, Result};
use russh::{
    Channel, ChannelId, MethodKind, MethodSet, Pty,
    keys::PublicKey,
    server::{
        Auth, ChannelOpenHandle, Config, Handler, Msg, Response, Session, VerifiedPublicKey, run_stream,
    },
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::SockRef;
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedSender, unbounded_channel},
    task::AbortHandle,
    time::sleep,
};

use crate::{
    agent,
    door::{Door, Doors},
    fault::Kind,
    fleet::Device,
    keys,
    printer::Printer,
    session_log::{Event, SessionLog},
    shell::{Keyboard, Shell},
    time::Clock,
    wire::{Knife, Wire},
};

/// Longer than any client waits.
const FOREVER: Duration = Duration::from_secs(24 * 3600);

/// What all devices have in common.
pub struct Site {
    /// Their clock.
    pub clock: Clock,
    /// How far away they are.
    pub latency: Duration,
    /// Before the first prompt.
    pub login_latency: Duration,
    /// Who may log in.
    pub user: String,
    /// With which password.
    pub password: String,
    /// Or with which key.
    pub key: Option<PublicKey>,
    /// Where what happens is written.
    pub session_log: SessionLog,
}

/// Starts to serve every open door; the tasks end with the runtime.
///
/// # Errors
/// A listener or a host key that cannot be used.
pub fn start(site: &Arc<Site>, fleet: Vec<Device>, doors: &mut Doors) -> Result<()> {
    let sessions = Arc::new(AtomicU64::new(0));
    for (device, socket) in fleet.iter().zip(&mut doors.agents) {
        if let Some(socket) = socket.take() {
            tokio::spawn(agent::serve(Arc::clone(site), device.clone(), socket));
        }
    }
    for (device, door) in fleet.into_iter().zip(&mut doors.doors) {
        if !matches!(door, Door::Open(_)) {
            continue;
        }
        let Door::Open(listener) = std::mem::replace(door, Door::Shared) else { continue };
        let listener = TcpListener::from_std(listener).map_err(Error::system("listening"))?;
        let config = Arc::new(config(site, &device)?);
        let (site, sessions, device) = (Arc::clone(site), Arc::clone(&sessions), Arc::new(device));
        tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    // Out of descriptors, most likely; some session will end.
                    sleep(Duration::from_millis(50)).await;
                    continue;
                };
                let session = sessions.fetch_add(1, Ordering::Relaxed) + 1;
                let (site, device, config) = (Arc::clone(&site), Arc::clone(&device), Arc::clone(&config));
                tokio::spawn(async move {
                    site.session_log.note(&device.name, session, Event::Open);
                    serve(&site, &device, config, session, stream).await;
                    site.session_log.note(&device.name, session, Event::Close);
                });
            }
        });
    }
    Ok(())
}

fn config(site: &Site, device: &Device) -> Result<Config> {
    let key =
        keys::host_key(device).map_err(|e| Error::usage(format!("host key of {}: {e}", device.name)))?;
    let mut methods = MethodSet::empty();
    if site.key.is_some() {
        methods.push(MethodKind::PublicKey);
    }
    if !device.has(Kind::KbdInteractive2) {
        methods.push(MethodKind::Password);
    }
    methods.push(MethodKind::KeyboardInteractive);
    Ok(Config {
        server_id: keys::software(device.platform),
        methods,
        auth_rejection_time: Duration::from_millis(50),
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys: vec![key],
        preferred: keys::algorithms(device),
        max_auth_attempts: 6,
        inactivity_timeout: Some(FOREVER),
        ..Config::default()
    })
}

async fn serve(
    site: &Arc<Site>,
    device: &Arc<Device>,
    config: Arc<Config>,
    session: u64,
    mut stream: TcpStream,
) {
    if device.has(Kind::Silent) {
        let mut ignored = [0; 512];
        while stream.read(&mut ignored).await.is_ok_and(|n| n > 0) {}
        return;
    }
    // Neither can fail on a socket that is still open, and a closed one is noticed soon enough.
    let _ = stream.set_nodelay(true);
    if device.has(Kind::ResetMidOutput) {
        let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    }
    let hangs = device.has(Kind::AuthHang).then(|| stream.as_fd().try_clone_to_owned());
    let Ok(hangs) = hangs.transpose() else { return };
    let (wire, knife) = Wire::new(stream);
    let visitor = Visitor {
        site: Arc::clone(site),
        device: Arc::clone(device),
        session,
        knife,
        channel: None,
        keyboard: None,
        shell: None,
        hangs,
    };
    if let Ok(running) = run_stream(config, wire, visitor).await {
        // How it ends is the client's affair.
        let _ = running.await;
    }
}

/// Waits until the other side has closed or given up, whatever it said before.
async fn until_hung_up(socket: &OwnedFd) {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    while poll(&mut [PollFd::new(socket, PollFlags::RDHUP)], Some(&now)) == Ok(0) {
        sleep(Duration::from_millis(100)).await;
    }
}

/// One connection.
struct Visitor {
    site: Arc<Site>,
    device: Arc<Device>,
    session: u64,
    knife: Arc<Knife>,
    channel: Option<Channel<Msg>>,
    keyboard: Option<UnboundedSender<Vec<u8>>>,
    shell: Option<AbortHandle>,
    /// The connection, where it is never answered: nobody reads it any more, and its end must be seen.
    hangs: Option<OwnedFd>,
}

impl Drop for Visitor {
    fn drop(&mut self) {
        if let Some(shell) = &self.shell {
            shell.abort();
        }
    }
}

impl Visitor {
    async fn judge(&self, method: &str, user: &str, right: bool) -> Auth {
        let accepted = right
            && user == self.site.user
            && !self.device.has(Kind::RejectPassword)
            && !self.device.has(Kind::AuthHang);
        self.site.session_log.note(&self.device.name, self.session, Event::Auth { method, user, accepted });
        if let Some(socket) = &self.hangs {
            until_hung_up(socket).await;
        }
        if accepted { Auth::Accept } else { Auth::reject() }
    }
}

impl Handler for Visitor {
    type Error = russh::Error;

    async fn authentication_banner(&mut self) -> std::result::Result<Option<String>, Self::Error> {
        let banner = "#### > authorised users only < ####\r\n# > #\r\n";
        Ok(self.device.has(Kind::Banner).then(|| banner.to_owned()))
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> std::result::Result<Auth, Self::Error> {
        let right = password == self.site.password && !self.device.has(Kind::KbdInteractive2);
        Ok(self.judge("password", user, right).await)
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> std::result::Result<Auth, Self::Error> {
        let right = self.site.key.as_ref().is_some_and(|own| own.key_data() == key.public_key.key_data());
        Ok(self.judge("publickey", user, right).await)
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> std::result::Result<Auth, Self::Error> {
        let two = self.device.has(Kind::KbdInteractive2);
        let Some(mut response) = response else {
            let mut prompts = vec![("Password: ".into(), false)];
            if two {
                prompts.push(("Reason for access: ".into(), true));
            }
            return Ok(Auth::Partial { name: "".into(), instructions: "".into(), prompts: prompts.into() });
        };
        let password = response.next();
        let complete = !two || response.next().is_some();
        let right = complete && password.is_some_and(|given| given == self.site.password.as_bytes());
        Ok(self.judge("keyboard-interactive", user, right).await)
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> std::result::Result<(), Self::Error> {
        // One VTY a connection, as on the real ones; a second is refused by dropping the handle.
        if self.channel.is_none() && self.shell.is_none() {
            self.channel = Some(channel);
            reply.accept().await;
        }
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> std::result::Result<(), Self::Error> {
        session.channel_success(channel)
    }

    async fn shell_request(
        &mut self,
        id: ChannelId,
        session: &mut Session,
    ) -> std::result::Result<(), Self::Error> {
        let Some(channel) = self.channel.take() else {
            return session.channel_failure(id);
        };
        session.channel_success(id)?;
        // Only the writing half is kept: what is typed comes through `data`, which never waits.
        let (_, write) = channel.split();
        let (keyboard, typed) = unbounded_channel();
        self.keyboard = Some(keyboard);
        let printer = Printer::new(Arc::clone(&self.device), write, Arc::clone(&self.knife));
        let (site, device) = (Arc::clone(&self.site), Arc::clone(&self.device));
        let shell = Shell::new(site, device, self.session, Keyboard::new(typed), printer);
        self.shell = Some(tokio::spawn(shell.run()).abort_handle());
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _command: &[u8],
        session: &mut Session,
    ) -> std::result::Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn data(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        session: &mut Session,
    ) -> std::result::Result<(), Self::Error> {
        if self.device.has(Kind::EchoAtOnce) {
            let echo = String::from_utf8_lossy(data).replace('\n', "\r\n");
            session.data(channel, echo.into_bytes())?;
        }
        if let Some(keyboard) = &self.keyboard {
            // A session that was left does not read any more.
            let _ = keyboard.send(data.to_vec());
        }
        Ok(())
    }

    async fn channel_eof(
        &mut self,
        _channel: ChannelId,
        _session: &mut Session,
    ) -> std::result::Result<(), Self::Error> {
        self.keyboard = None;
        Ok(())
    }

    async fn channel_close(
        &mut self,
        _channel: ChannelId,
        _session: &mut Session,
    ) -> std::result::Result<(), Self::Error> {
        self.keyboard = None;
        Ok(())
    }
}
