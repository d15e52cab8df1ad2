//! The SNMP side of a device: v2c is answered here, so that faults can strike inside an answer; v3 goes to an agent of
//! the async-snmp crate, which is started when it is first asked for.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_snmp::{
    Agent, AuthProtocol, AuthoritativeEngine, DecodeConfig, DesSaltState, Oid, Pdu, PrivProtocol, Value,
    VarBind,
    handler::{BoxFuture, GetNextResult, GetResult, HandlerError, HandlerResult, MibHandler, RequestContext},
    message::{CommunityMessage, CommunityPdu},
    oid,
    pdu::{PduBody, StandardPduType},
};
use modtools::error::{Error, Result};
use tokio::{net::UdpSocket, sync::OnceCell, time::sleep};

use crate::{
    fault::Kind,
    fleet::Device,
    mib::{Mib, PROFILES, UP_TIME},
    server::Site,
    session_log::Event,
    time::Slot,
};

/// The largest datagram of an answer, as agents have it.
const LARGEST: usize = 1400;
/// How long a device has been up when the simulator starts.
const UP: Duration = Duration::from_secs(30 * 86_400);
/// A client that is silent for so long has gone.
const GONE: Duration = Duration::from_secs(60);
const TOO_BIG: i32 = 1;
const GEN_ERR: i32 = 5;

/// The slot and the generation whose objects are kept.
type Moment = (Slot, u32);

/// A device as its agents see it.
pub struct Model {
    site: Arc<Site>,
    device: Device,
    generation: AtomicU32,
    up_since: Mutex<Instant>,
    last_peer: Mutex<Option<SocketAddr>>,
    objects: Mutex<Option<(Moment, Arc<Mib>)>>,
}

impl Model {
    fn mib(&self) -> Arc<Mib> {
        let key = (self.site.clock.moment().slot, self.generation.load(Ordering::Relaxed));
        let mut kept = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((known, mib)) if *known == key => Arc::clone(mib),
            _ => {
                let mib = Arc::new(Mib::of(&self.device, key.0, key.1));
                *kept = Some((key, Arc::clone(&mib)));
                mib
            }
        }
    }

    /// A device that renumbers its interfaces starts again for every client.
    fn meet(&self, peer: SocketAddr) {
        let mut last = self.last_peer.lock().unwrap_or_else(PoisonError::into_inner);
        let known = last.replace(peer);
        if self.device.has(Kind::SnmpRenumber) && known.is_some_and(|known| known != peer) {
            self.generation.fetch_add(1, Ordering::Relaxed);
            *self.up_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
    }

    fn up_time(&self) -> Value {
        let since = *self.up_since.lock().unwrap_or_else(PoisonError::into_inner);
        let before = if self.generation.load(Ordering::Relaxed) == 0 { UP } else { Duration::ZERO };
        Value::TimeTicks(((since.elapsed() + before).as_millis() / 10) as u32)
    }

    fn of_the_moment(&self, oid: &Oid, value: &Value) -> Value {
        if oid.arcs() == UP_TIME { self.up_time() } else { value.clone() }
    }

    fn get(&self, oid: &Oid) -> Value {
        self.mib().get(oid).map_or(Value::NoSuchObject, |value| self.of_the_moment(oid, value))
    }

    /// The object behind another one, as far as the faults let it be.
    fn next(&self, oid: &Oid) -> std::result::Result<(Oid, Value), Kind> {
        let mib = self.mib();
        let column = profile_column();
        let here = *oid == column || oid.starts_with(&column);
        if here && self.device.has(Kind::SnmpGenErr) && !self.device.is_about_snr(Kind::SnmpGenErr) {
            return Err(Kind::SnmpGenErr);
        }
        if oid.starts_with(&signal_column()) && self.device.is_about_snr(Kind::SnmpGenErr) {
            return Err(Kind::SnmpGenErr);
        }
        if here && self.device.has(Kind::SnmpEndless) {
            let last = oid.strip_prefix(&column).and_then(|rest| rest.arcs().first().copied()).unwrap_or(0);
            return Ok((column.child(last + 1), Value::Gauge32(1)));
        }
        let Some((name, value)) = mib.next(oid) else { return Ok((oid.clone(), Value::EndOfMibView)) };
        if here && self.device.has(Kind::SnmpLoop) && !name.starts_with(&column) {
            let (first, value) = mib.next(&column).unwrap_or((name, value));
            return Ok((first.clone(), value.clone()));
        }
        Ok((name.clone(), self.of_the_moment(name, value)))
    }
}

fn profile_column() -> Oid {
    Oid::from_slice(&PROFILES).child(4)
}

fn signal_column() -> Oid {
    oid!(1, 3, 6, 1, 2, 1, 10, 127, 1, 1, 4, 1, 5)
}

/// Serves one device; ends with the runtime.
pub async fn serve(site: Arc<Site>, device: Device, socket: std::net::UdpSocket) -> Result<()> {
    let socket = Arc::new(UdpSocket::from_std(socket).map_err(Error::system("listening"))?);
    let model = Arc::new(Model {
        site,
        device,
        generation: AtomicU32::new(0),
        up_since: Mutex::new(Instant::now()),
        last_peer: Mutex::new(None),
        objects: Mutex::new(None),
    });
    let front = Arc::new(Front { model, socket, replies: AtomicU64::new(0), agent: OnceCell::new() });
    let mut buffer = vec![0; 65_535];
    loop {
        // What went wrong with one datagram is the affair of its client.
        let Ok((length, peer)) = front.socket.recv_from(&mut buffer).await else { continue };
        if front.model.device.has(Kind::SnmpSilent) || front.model.device.has(Kind::BlackHole) {
            continue;
        }
        front.model.meet(peer);
        let (front, datagram) = (Arc::clone(&front), buffer[..length].to_vec());
        tokio::spawn(async move {
            sleep(front.model.site.latency).await;
            front.handle(datagram, peer).await;
        });
    }
}

struct Front {
    model: Arc<Model>,
    socket: Arc<UdpSocket>,
    replies: AtomicU64,
    agent: OnceCell<Option<SocketAddr>>,
}

impl Front {
    async fn handle(&self, datagram: Vec<u8>, peer: SocketAddr) {
        if version(&datagram) == Some(3) {
            return self.pass_on(datagram, peer).await;
        }
        let Ok(decoded) = CommunityMessage::decode(datagram.into(), DecodeConfig::default()) else { return };
        let (_, community, pdu) = decoded.value.into_parts();
        let wrong = self.model.device.has(Kind::SnmpCommunity);
        if wrong || community.as_bytes() != self.model.site.password.as_bytes() {
            return;
        }
        let CommunityPdu::Standard(pdu) = pdu else { return };
        let Some(answer) = self.answer(pdu) else { return };
        let Ok(message) = CommunityMessage::v2c(community.clone(), answer.clone()) else { return };
        let Ok(message) = message.encode() else { return };
        if self.model.device.has(Kind::SnmpForeign) {
            self.send_foreign(&answer, community.as_bytes(), peer).await;
        }
        self.deliver(message.to_vec(), peer).await;
    }

    /// The answer to a request; none where the device falls silent.
    fn answer(&self, request: Pdu) -> Option<Pdu> {
        let device = &self.model.device;
        let (id, body, asked) = request.into_raw_parts();
        let objects: Vec<Oid> = asked.into_iter().map(|binding| binding.oid).collect();
        let failed = |status: i32, objects: &[Oid]| {
            let error_index = i32::from(!objects.is_empty());
            let body =
                PduBody::Standard { pdu_type: StandardPduType::Response, error_status: status, error_index };
            Pdu::from_raw_parts(id, body, objects.iter().map(|oid| VarBind::null(oid.clone())).collect())
        };
        let repetitions = match body {
            PduBody::GetBulk { max_repetitions, .. } => Some(max_repetitions),
            PduBody::Standard { pdu_type: StandardPduType::GetRequest, .. } => None,
            PduBody::Standard { .. } => return None,
        };
        let words = objects.first().map_or(String::new(), ToString::to_string);
        device_note(&self.model, &words, repetitions);
        if device.has(Kind::SnmpHangs) && objects.iter().any(|oid| oid.starts_with(&profile_column())) {
            return None;
        }
        let most = device.fault(Kind::SnmpTooBig).map_or(u64::MAX, |fault| fault.number(4));
        if repetitions.is_some_and(|rows| u64::from(rows) > most) {
            return Some(failed(TOO_BIG, &[]));
        }
        let bindings = match repetitions {
            None => objects.iter().map(|oid| VarBind::new(oid.clone(), self.model.get(oid))).collect(),
            Some(rows) => match self.rows(&objects, rows) {
                Ok(rows) => rows,
                Err(_) => return Some(failed(GEN_ERR, &objects)),
            },
        };
        let body = PduBody::Standard { pdu_type: StandardPduType::Response, error_status: 0, error_index: 0 };
        Some(Pdu::from_raw_parts(id, body, bindings))
    }

    fn rows(&self, objects: &[Oid], rows: u32) -> std::result::Result<Vec<VarBind>, Kind> {
        let (mut last, mut bindings, mut size) = (objects.to_vec(), Vec::new(), 60);
        for _ in 0..rows {
            for oid in &mut last {
                let (name, value) = self.model.next(oid)?;
                size +=
                    2 * name.len() + 16 + if let Value::OctetString(text) = &value { text.len() } else { 4 };
                if size > LARGEST && !bindings.is_empty() {
                    return Ok(bindings);
                }
                *oid = name.clone();
                bindings.push(VarBind::new(name, value));
            }
        }
        Ok(bindings)
    }

    /// Everything but the answer: of another request, for another community, from elsewhere, and no message at all.
    async fn send_foreign(&self, answer: &Pdu, community: &[u8], peer: SocketAddr) {
        let (id, body, bindings) = answer.clone().into_raw_parts();
        let wrong =
            bindings.iter().map(|b| VarBind::new(b.oid.clone(), Value::Integer(99))).collect::<Vec<_>>();
        let other_id = Pdu::from_raw_parts(id.wrapping_sub(1).max(0), body.clone(), wrong.clone());
        let same_id = Pdu::from_raw_parts(id, body, wrong);
        let encoded = |community: &[u8], pdu: &Pdu| {
            CommunityMessage::v2c(community.to_vec(), pdu.clone())
                .ok()?
                .encode()
                .ok()
                .map(|bytes| bytes.to_vec())
        };
        // Whether they come is not for us to care about.
        for datagram in
            [encoded(community, &other_id), encoded(b"another", &same_id), Some(b"\x30\x82nonsense".to_vec())]
        {
            let _ = self.socket.send_to(&datagram.unwrap_or_default(), peer).await;
        }
        let (Ok(elsewhere), Some(datagram)) =
            (UdpSocket::bind((self.model.device.address, 0)).await, encoded(community, &same_id))
        else {
            return;
        };
        let _ = elsewhere.send_to(&datagram, peer).await;
    }

    /// Sends a reply, with what the line does to it.
    async fn deliver(&self, mut datagram: Vec<u8>, peer: SocketAddr) {
        let device = &self.model.device;
        let number = self.replies.fetch_add(1, Ordering::Relaxed);
        if device.has(Kind::SnmpLost) && number % 3 == 2 {
            return;
        }
        if device.has(Kind::SnmpCut) && datagram.len() > 160 {
            datagram.truncate(datagram.len() * 2 / 3);
        }
        if let Some(late) = device.fault(Kind::SnmpLate).filter(|_| number % 4 == 1) {
            sleep(Duration::from_millis(late.number(1500))).await;
        }
        for _ in 0..if device.has(Kind::SnmpDoubled) { 2 } else { 1 } {
            let _ = self.socket.send_to(&datagram, peer).await;
        }
    }

    /// Hands a message of v3 to the agent, and the reply back.
    async fn pass_on(&self, datagram: Vec<u8>, peer: SocketAddr) {
        let Some(agent) = self.agent.get_or_init(|| start(Arc::clone(&self.model))).await else { return };
        let Ok(back) = UdpSocket::bind("127.0.0.1:0").await else { return };
        if back.connect(agent).await.is_err() || back.send(&datagram).await.is_err() {
            return;
        }
        let mut buffer = vec![0; 65_535];
        let reply = tokio::time::timeout(GONE, back.recv(&mut buffer)).await;
        if let Ok(Ok(length)) = reply {
            if self.model.device.has(Kind::SnmpForeign) {
                let _ = self.socket.send_to(b"\x30\x0b\x02\x01\x03nonsense", peer).await;
            }
            self.deliver(buffer[..length].to_vec(), peer).await;
        }
    }
}

fn device_note(model: &Model, object: &str, repetitions: Option<u32>) {
    model.site.session_log.note(&model.device.name, 0, Event::Asked { object, repetitions });
}

/// The version in the head of a message.
fn version(datagram: &[u8]) -> Option<u8> {
    let length = *datagram.get(1)?;
    let skip = if length < 0x80 { 2 } else { 2 + usize::from(length & 0x7f) };
    (datagram.get(skip..skip + 2)? == [2, 1]).then(|| datagram.get(skip + 2).copied())?
}

/// Starts the agent of a device.
async fn start(model: Arc<Model>) -> Option<SocketAddr> {
    let agent = build(model).await.ok()?;
    let address = agent.local_addr();
    tokio::spawn(async move { agent.run().await });
    Some(address)
}

async fn build(model: Arc<Model>) -> std::result::Result<Agent, Box<dyn std::error::Error + Send + Sync>> {
    let (site, device) = (&model.site, &model.device);
    let password = if device.has(Kind::SnmpUser) { "another password" } else { &site.password };
    let mut id = vec![0x80, 0, 0x1f, 0x88, 4];
    id.extend_from_slice(device.name.as_bytes());
    let engine = AuthoritativeEngine::install(id, |_| Ok::<(), Infallible>(()))?;
    let salt = DesSaltState::install(|_| Ok::<(), Infallible>(()))?;
    let (user, password) = (site.user.clone().into_bytes(), password.as_bytes().to_vec());
    let agent = Agent::builder()
        .bind("127.0.0.1:0")
        .authoritative_engine(engine)
        .des_salt_state(salt)
        .usm_user(user, |user| {
            user.auth_priv(AuthProtocol::Sha1, &password, PrivProtocol::Aes128, &password)
        })?
        .handler(oid!(1, 3, 6), Arc::new(Handler(Arc::clone(&model))))
        .without_builtin_handlers()
        .allow_all_access();
    Ok(agent.build().await?)
}

struct Handler(Arc<Model>);

impl MibHandler for Handler {
    fn get<'a>(&'a self, _: &'a RequestContext, oid: &'a Oid) -> BoxFuture<'a, HandlerResult<GetResult>> {
        let value = self.0.get(oid);
        Box::pin(async move {
            Ok(match value {
                Value::NoSuchObject => GetResult::NoSuchObject,
                value => GetResult::Value(value),
            })
        })
    }

    fn get_next<'a>(
        &'a self,
        _: &'a RequestContext,
        oid: &'a Oid,
    ) -> BoxFuture<'a, HandlerResult<GetNextResult>> {
        let next = self.0.next(oid);
        Box::pin(async move {
            match next {
                Ok((_, Value::EndOfMibView)) => Ok(GetNextResult::EndOfMibView),
                Ok((name, value)) => Ok(GetNextResult::Value(VarBind::new(name, value))),
                Err(_) => Err(HandlerError::new("simulated")),
            }
        })
    }
}
