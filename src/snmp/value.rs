//! A value, and how `snmpbulkwalk -On` of net-snmp 5.9 prints it when it has no MIB to go by.

use std::fmt::Write;

use super::Oid;

/// Bytes of a line of `Hex-STRING`.
const HEX_LINE: usize = 16;

/// A value that an agent gave for an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `INTEGER`.
    Integer(i64),
    /// `OCTET STRING`, which may hold any bytes.
    Octets(Vec<u8>),
    /// `NULL`.
    Null,
    /// `OBJECT IDENTIFIER`.
    Object(Oid),
    /// `IpAddress`.
    Address([u8; 4]),
    /// `Counter32`.
    Counter32(u32),
    /// `Gauge32` and `Unsigned32`, which are one in the protocol.
    Gauge32(u32),
    /// `TimeTicks`, hundredths of a second.
    Timeticks(u32),
    /// `Opaque`.
    Opaque(Vec<u8>),
    /// `Counter64`.
    Counter64(u64),
    /// There is no such object.
    NoSuchObject,
    /// There is such an object, and not this instance.
    NoSuchInstance,
    /// There is nothing behind this object.
    EndOfMibView,
}

impl Value {
    /// Whether it says that there is no value.
    #[must_use]
    pub fn is_exception(&self) -> bool {
        matches!(self, Value::NoSuchObject | Value::NoSuchInstance | Value::EndOfMibView)
    }

    /// Appends `TYPE: value`, without a line end. Carriage returns are left out, as in every output of a device.
    pub fn print(&self, text: &mut String) {
        // Writing to a string cannot fail.
        let _ = match self {
            Value::Integer(number) => write!(text, "INTEGER: {number}"),
            Value::Octets(bytes) => {
                print_octets(bytes, text);
                Ok(())
            }
            Value::Null => write!(text, "NULL"),
            Value::Object(oid) => write!(text, "OID: {oid}"),
            Value::Address([a, b, c, d]) => write!(text, "IpAddress: {a}.{b}.{c}.{d}"),
            Value::Counter32(number) => write!(text, "Counter32: {number}"),
            Value::Gauge32(number) => write!(text, "Gauge32: {number}"),
            Value::Timeticks(ticks) => write!(text, "Timeticks: ({ticks}) {}", Uptime(*ticks)),
            Value::Opaque(bytes) => {
                text.push_str("OPAQUE: ");
                print_hex(bytes, text);
                Ok(())
            }
            Value::Counter64(number) => write!(text, "Counter64: {number}"),
            Value::NoSuchObject => write!(text, "No Such Object available on this agent at this OID"),
            Value::NoSuchInstance => write!(text, "No Such Instance currently exists at this OID"),
            Value::EndOfMibView => {
                write!(text, "No more variables left in this MIB View (It is past the end of the MIB tree)")
            }
        };
    }
}

/// Text where every byte is ASCII and printable or a blank, else bytes.
fn print_octets(bytes: &[u8], text: &mut String) {
    let is_blank = |byte: u8| byte.is_ascii_whitespace() || byte == 0x0b;
    if bytes.is_empty() {
        text.push_str("\"\"");
    } else if bytes.iter().all(|&byte| byte.is_ascii_graphic() || is_blank(byte)) {
        text.push_str("STRING: \"");
        for &byte in bytes.iter().filter(|&&byte| byte != b'\r') {
            if matches!(byte, b'"' | b'\\') {
                text.push('\\');
            }
            text.push(char::from(byte));
        }
        text.push('"');
    } else {
        text.push_str("Hex-STRING: ");
        print_hex(bytes, text);
    }
}

fn print_hex(bytes: &[u8], text: &mut String) {
    for (number, line) in bytes.chunks(HEX_LINE).enumerate() {
        if number > 0 {
            text.push('\n');
        }
        for byte in line {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02X} ");
        }
    }
}

struct Uptime(u32);

impl std::fmt::Display for Uptime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (hundredths, seconds) = (self.0 % 100, self.0 / 100);
        let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
        match days {
            0 => {}
            1 => f.write_str("1 day, ")?,
            days => write!(f, "{days} days, ")?,
        }
        write!(f, "{hours}:{:02}:{:02}.{hundredths:02}", seconds / 60 % 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(value: &Value) -> String {
        let mut text = String::new();
        value.print(&mut text);
        text
    }

    #[test]
    fn values_are_printed_as_net_snmp_prints_them() {
        let octets = |text: &str| Value::Octets(text.as_bytes().to_vec());
        for (value, text) in [
            (Value::Integer(-3), "INTEGER: -3"),
            (octets(""), "\"\""),
            (octets("a \"b\" \\c"), "STRING: \"a \\\"b\\\" \\\\c\""),
            (octets("one\r\ntwo"), "STRING: \"one\ntwo\""),
            (octets("Zürich"), "Hex-STRING: 5A C3 BC 72 69 63 68 "),
            (Value::Object(".1.3.6".parse().expect("an identifier")), "OID: .1.3.6"),
            (Value::Address([10, 0, 0, 1]), "IpAddress: 10.0.0.1"),
            (Value::Timeticks(12_345), "Timeticks: (12345) 0:02:03.45"),
            (Value::Timeticks(8_640_000), "Timeticks: (8640000) 1 day, 0:00:00.00"),
            (Value::Timeticks(u32::MAX), "Timeticks: (4294967295) 497 days, 2:27:52.95"),
            (Value::Counter64(u64::MAX), "Counter64: 18446744073709551615"),
        ] {
            assert_eq!(printed(&value), text);
        }
        assert_eq!(printed(&Value::Octets((0..17).collect())).lines().count(), 2);
    }
}
