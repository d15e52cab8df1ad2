//! The loopback address of each device, and how it behaves to those who knock: open, closed, or a hole.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, UdpSocket},
    time::Duration,
};

use modtools::error::{Error, Result};
use socket2::{Domain, Socket, Type};

use crate::{fault::Kind, fleet::Device};

/// Holds the port for this process, so that two simulators never share one.
const GATE: Ipv4Addr = Ipv4Addr::new(127, 77, 255, 254);
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 512;

/// A device's address.
pub enum Door {
    /// Accepts connections.
    Open(TcpListener),
    /// Bound and not listening: refuses them, and nobody else can take the address.
    Closed { _socket: Socket },
    /// The queue is full and stays so: the kernel drops every SYN.
    BlackHole { _sockets: Vec<Socket> },
    /// Another device lives here.
    Shared,
}

/// All doors, and the port that they have in common.
pub struct Doors {
    /// The port.
    pub port: u16,
    /// One for each device.
    pub doors: Vec<Door>,
    /// Where each device is asked by SNMP; none where nothing listens, or another device lives there.
    pub agents: Vec<Option<UdpSocket>>,
    _gate: Socket,
}

/// Binds every address of the fleet to one port; 0 picks one that is free on all of them.
pub fn open(fleet: &[Device], port: u16) -> Result<Doors> {
    let mut tries = if port == 0 { 50 } else { 1 };
    loop {
        tries -= 1;
        match try_open(fleet, port) {
            Err(e) if e.kind() == io::ErrorKind::AddrInUse && tries > 0 => {}
            result => {
                return result.map_err(Error::system(format!("listening on 127.77.0.0/16 port {port}")));
            }
        }
    }
}

fn try_open(fleet: &[Device], port: u16) -> io::Result<Doors> {
    let gate = bind(GATE, port)?;
    let port = gate.local_addr()?.as_socket().map_or(port, |address| address.port());
    let doors = fleet.iter().map(|device| door(device, port)).collect::<io::Result<_>>()?;
    let agents = fleet.iter().map(|device| agent(device, port)).collect::<io::Result<_>>()?;
    Ok(Doors { port, doors, agents, _gate: gate })
}

fn agent(device: &Device, port: u16) -> io::Result<Option<UdpSocket>> {
    if device.has(Kind::SameAddress) || device.has(Kind::Refused) {
        return Ok(None);
    }
    let socket = UdpSocket::bind((device.address, port))?;
    socket.set_nonblocking(true)?;
    Ok(Some(socket))
}

fn bind(address: Ipv4Addr, port: u16) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if port != 0 {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&SocketAddr::V4(SocketAddrV4::new(address, port)).into())?;
    Ok(socket)
}

fn door(device: &Device, port: u16) -> io::Result<Door> {
    if device.has(Kind::SameAddress) {
        return Ok(Door::Shared);
    }
    let socket = bind(device.address, port)?;
    if device.has(Kind::Refused) {
        return Ok(Door::Closed { _socket: socket });
    }
    if device.has(Kind::BlackHole) {
        return Ok(Door::BlackHole { _sockets: black_hole(socket)? });
    }
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(Door::Open(socket.into()))
}

/// Fills the queue of a socket that nobody accepts from, until a connection gets no answer.
fn black_hole(socket: Socket) -> io::Result<Vec<Socket>> {
    socket.listen(0)?;
    let address = socket.local_addr()?;
    let mut sockets = vec![socket];
    for _ in 0..8 {
        let filler = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        match filler.connect_timeout(&address, Duration::from_millis(30)) {
            Ok(()) => sockets.push(filler),
            Err(e) if e.kind() == io::ErrorKind::TimedOut => return Ok(sockets),
            Err(e) => return Err(e),
        }
    }
    Err(io::Error::other("connections to a full queue are still answered"))
}
