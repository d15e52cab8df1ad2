//! What the upstreams are configured to: `interface upstream 1/1.1`, and under it frequency, width,
//! description, and the logical channels with their profiles.

use std::borrow::Cow;

use foldhash::HashMap;

use super::{Taken, Upstream, is_upstream};
use crate::platform::lines::{Words, frequency, is_number};

/// The ports that were shown.
#[derive(Default)]
pub(super) struct Config<'a> {
    ports: Vec<Port<'a>>,
    index: HashMap<&'a str, usize>,
    /// Logical channels by port and number.
    channels: HashMap<(usize, &'a str), usize>,
    open: Option<usize>,
}

#[derive(Default)]
struct Port<'a> {
    name: &'a str,
    center_hz: Option<u64>,
    width_hz: Option<u64>,
    description: Option<&'a str>,
    shut: bool,
    taken: bool,
    channels: Vec<Channel<'a>>,
}

#[derive(Default)]
struct Channel<'a> {
    number: &'a str,
    profile: Option<u32>,
    width_hz: Option<u64>,
    description: Option<&'a str>,
    shut: bool,
    taken: bool,
}

/// What is configured at one place: a logical channel with its port, or a port as a whole.
pub(super) struct Place<'a> {
    pub profile: Option<u32>,
    pub shut: bool,
    center_hz: Option<u64>,
    width_hz: Option<u64>,
    description: Option<&'a str>,
}

impl<'a> Place<'a> {
    /// Adds to an upstream what the configuration knows of it.
    pub fn describe(&self, upstream: &mut Upstream<'a>) {
        upstream.center_hz = self.center_hz;
        upstream.width_hz = self.width_hz;
        upstream.description = self.description.map(Cow::Borrowed);
    }
}

impl<'a> Config<'a> {
    /// Whether an upstream is configured that is not shut down.
    pub fn in_service(&self) -> bool {
        self.ports.iter().any(|port| {
            !port.shut && (port.channels.is_empty() || port.channels.iter().any(|channel| !channel.shut))
        })
    }

    /// Ends the block that is open: what is next does not belong to its port.
    pub fn close(&mut self) {
        self.open = None;
    }

    /// Whether an upstream's configuration was there.
    pub fn seen(&self) -> bool {
        !self.ports.is_empty()
    }

    /// Returns what a line was taken for, or none when it has nothing to do with the configuration.
    pub fn line(&mut self, text: &'a str, mut words: Words<'a>) -> Option<Taken> {
        let mut first = words.next()?;
        let negates = || text.trim_ascii().strip_prefix("no ");
        let negated = if first == "no" { negates() } else { None };
        if let Some(bare) = negated {
            words = Words::new(bare.trim_start());
            first = words.next()?;
        }
        let negated = negated.is_some();
        if first.eq_ignore_ascii_case("interface") {
            return self.interface(words);
        }
        if matches!(first, "exit" | "end" | "!") {
            self.close();
            return Some(Taken::Ignored("the end of a block"));
        }
        let Some((open, port)) = self.open.and_then(|open| Some((open, self.ports.get_mut(open)?))) else {
            return (first == "logical-channel")
                .then_some(Taken::Unparsed("a logical channel outside of an interface"));
        };
        Some(match first {
            "logical-channel" => port.channel((open, &mut self.channels), negated, words),
            "shutdown" => {
                port.shut = !negated;
                Taken::Row("state of a port")
            }
            "description" => {
                port.description = Some(unquoted(words.rest())).filter(|text| !text.is_empty() && !negated);
                Taken::Row("description")
            }
            "frequency" if !negated => read(&mut port.center_hz, words.next(), "frequency"),
            "channel-width" if !negated => read(&mut port.width_hz, words.next(), "width"),
            // A table may follow a block that was not ended.
            word if is_upstream(word) => {
                self.close();
                return None;
            }
            _ => Taken::Ignored("configuration"),
        })
    }

    fn interface(&mut self, mut words: impl Iterator<Item = &'a str>) -> Option<Taken> {
        let (kind, name) = (words.next()?, words.next()?);
        // The heading of a table may begin with the same word, but names no interface.
        if !name.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        self.close();
        if !kind.eq_ignore_ascii_case("upstream") {
            return Some(Taken::Ignored("another interface"));
        }
        let name = name.trim_end_matches([',', ':']);
        if !is_upstream(name) {
            return Some(Taken::Unparsed("an upstream interface of another shape"));
        }
        // `1/1.1/0` is a logical channel of 1/1.1.
        let name = name.match_indices('/').nth(1).map_or(name, |(end, _)| &name[..end]);
        let next = self.ports.len();
        let place = *self.index.entry(name).or_insert(next);
        if place == next {
            self.ports.push(Port { name, ..Port::default() });
        }
        self.open = Some(place);
        Some(Taken::Header("an upstream interface"))
    }

    /// What is configured for an upstream, its logical channel or the port that it is; it is not among the rest then.
    pub fn take(&mut self, upstream: &str) -> Option<Place<'a>> {
        let (name, number) = match upstream.match_indices('/').nth(1) {
            Some((end, _)) => (&upstream[..end], Some(&upstream[end + 1..])),
            None => (upstream, None),
        };
        let at = *self.index.get(name)?;
        let port = &mut self.ports[at];
        let channel = number.and_then(|number| self.channels.get(&(at, number)).copied());
        match channel {
            Some(channel) => port.channels[channel].taken = true,
            None => port.taken |= number.is_none(),
        }
        Some(port.place(channel.map(|channel| &port.channels[channel])))
    }

    /// The name of every other logical channel, and what is configured. What was taken by its port, without a logical
    /// channel, was taken with all of them.
    pub fn rest(&self) -> impl Iterator<Item = (String, Place<'a>)> {
        self.ports.iter().filter(|port| !port.taken).flat_map(|port| {
            let named = move |channel: &Channel<'a>| {
                (format!("{}/{}", port.name, channel.number), port.place(Some(channel)))
            };
            port.channels.iter().filter(|channel| !channel.taken).map(named)
        })
    }
}

impl<'a> Port<'a> {
    fn channel(
        &mut self,
        (own, index): (usize, &mut HashMap<(usize, &'a str), usize>),
        negated: bool,
        mut words: Words<'a>,
    ) -> Taken {
        let Some(number) = words.next().filter(|number| is_number(number)) else {
            return Taken::Unparsed("a logical channel without a number");
        };
        let place = match self.channels.last() {
            // Its lines stand together.
            Some(last) if last.number == number => self.channels.len() - 1,
            _ => *index.entry((own, number)).or_insert(self.channels.len()),
        };
        if place == self.channels.len() {
            self.channels.push(Channel { number, ..Channel::default() });
        }
        let channel = &mut self.channels[place];
        match words.next() {
            Some("profile" | "modulation-profile") if !negated => {
                match words.next().and_then(|n| n.parse().ok()) {
                    Some(profile) => {
                        channel.profile = Some(profile);
                        Taken::Row("profile of a channel")
                    }
                    None => Taken::Unparsed("a profile without a number"),
                }
            }
            Some("description") if !negated => {
                channel.description = Some(unquoted(words.rest())).filter(|text| !text.is_empty());
                Taken::Row("description")
            }
            Some("channel-width") if !negated => read(&mut channel.width_hz, words.next(), "width"),
            Some("shutdown") => {
                channel.shut = !negated;
                Taken::Row("state of a channel")
            }
            _ => Taken::Ignored("configuration"),
        }
    }

    fn place(&self, channel: Option<&Channel<'a>>) -> Place<'a> {
        Place {
            profile: channel.and_then(|channel| channel.profile),
            shut: self.shut || channel.is_some_and(|channel| channel.shut),
            center_hz: self.center_hz,
            width_hz: channel.and_then(|channel| channel.width_hz).or(self.width_hz),
            description: channel.and_then(|channel| channel.description).or(self.description),
        }
    }
}

fn read(hz: &mut Option<u64>, word: Option<&str>, what: &'static str) -> Taken {
    match word.and_then(frequency) {
        Some(value) => {
            *hz = Some(value);
            Taken::Row(what)
        }
        None => Taken::Unparsed("an invalid frequency"),
    }
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}
