//! Network addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::call::{Call, Outcome, number};
use crate::value::{Kind, Number, Type, Value};

/// An address with the length of its prefix; host bits are zero.
#[derive(Copy, Clone)]
pub(super) struct Network {
    /// The address; of IPv4 its 32 bits.
    pub(super) address: u128,
    /// How many bits are the network's.
    pub(super) length: u32,
    /// 32 or 128.
    pub(super) width: u32,
}

/// The lowest `bits` bits, all set.
fn ones(bits: u32) -> u128 {
    1_u128.checked_shl(bits).map_or(u128::MAX, |bit| bit - 1)
}

impl Network {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a network in CIDR notation");
        let (address, length) = text.split_once('/').ok_or_else(wrong)?;
        let (address, width) = parse_address(address).ok_or_else(wrong)?;
        let digits = !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
        let length = length.parse().ok().filter(|length| digits && *length <= width).ok_or_else(wrong)?;
        Ok(Self { address: address & !ones(width - length), length, width })
    }

    /// Whether all of `other`, which is of the same kind, lies in it.
    pub(super) fn contains(self, other: Self) -> bool {
        other.length >= self.length && other.address & !ones(self.width - self.length) == self.address
    }

    /// The address of a host in it, counted from the end if `number` is negative.
    fn host(self, number: &Number) -> Result<u128, String> {
        let hosts = ones(self.width - self.length);
        let number = integer(number)?;
        let offset = number.unsigned_abs();
        if number >= 0 && offset <= hosts {
            Ok(self.address | offset)
        } else if number < 0 && offset - 1 <= hosts {
            Ok(self.address | (hosts - (offset - 1)))
        } else {
            Err(format!("a prefix of {} bits does not accommodate a host numbered {number}", self.length))
        }
    }

    fn show_address(self, address: u128) -> String {
        match u32::try_from(address) {
            Ok(address) if self.width == 32 => Ipv4Addr::from(address).to_string(),
            _ => Ipv6Addr::from(address).to_string(),
        }
    }

    fn show(self) -> String {
        format!("{}/{}", self.show_address(self.address), self.length)
    }

    /// Terraform goes from IPv6 to IPv4 inside this range, which airgate does not follow.
    fn is_mapped(self) -> bool {
        self.width == 128 && self.address >> 32 == 0xffff
    }
}

/// An address and how many bits it has.
pub(super) fn parse_address(text: &str) -> Option<(u128, u32)> {
    match parse_v4(text) {
        Some(address) => Some((u128::from(address), 32)),
        None => Some((u128::from(text.parse::<Ipv6Addr>().ok()?), 128)),
    }
}

/// Leading zeros are read as decimal, as Terraform has always done.
fn parse_v4(text: &str) -> Option<u32> {
    let mut parts = text.split('.');
    let mut address = 0;
    for _ in 0..4 {
        let part = parts.next()?;
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        address = (address << 8) | u32::from(part.parse::<u8>().ok()?);
    }
    parts.next().is_none().then_some(address)
}

fn integer(number: &Number) -> Result<i128, String> {
    match number.to_i64() {
        Some(value) => Ok(value.into()),
        None if number.is_integer() => {
            number.to_string().parse().map_err(|_| "the number is too large".to_owned())
        }
        None => Err("a whole number is required".to_owned()),
    }
}

pub(super) fn cidrhost(call: &Call<'_>) -> Outcome {
    let network = Network::parse(call.text(0))?;
    if network.is_mapped() {
        return Ok(call.not_evaluated(Type::String));
    }
    let address = network.host(&call.number(1))?;
    Ok(Value::string(network.show_address(address)))
}

pub(super) fn cidrnetmask(call: &Call<'_>) -> Outcome {
    let network = Network::parse(call.text(0))?;
    if network.width != 32 {
        return Err("only IPv4 networks have a mask in this notation".to_owned());
    }
    Ok(Value::string(network.show_address(ones(32) & !ones(32 - network.length))))
}

pub(super) fn cidrsubnet(call: &Call<'_>) -> Outcome {
    let network = Network::parse(call.text(0))?;
    let bits = call.whole(1)?;
    let index = integer(&call.number(2))?;
    if network.is_mapped() || bits < 0 || index < 0 {
        // Negative numbers have a result in Terraform, though not a sensible one.
        return Ok(call.not_evaluated(Type::String));
    }
    let bits = u32::try_from(bits).unwrap_or(u32::MAX);
    let length = network.length.saturating_add(bits);
    if length > network.width {
        return Err(format!("a prefix of {} bits cannot be extended by {bits}", network.length));
    }
    let index = index.unsigned_abs();
    if index > ones(bits) {
        return Err(format!("{bits} bits do not accommodate a subnet numbered {index}"));
    }
    let address = network.address | index.checked_shl(network.width - length).unwrap_or(0);
    Ok(Value::string(Network { address, length, ..network }.show()))
}

pub(super) fn cidrsubnets(call: &Call<'_>) -> Outcome {
    let network = Network::parse(call.text(0))?;
    if network.is_mapped() {
        return Ok(call.not_evaluated(Type::list(Type::String)));
    }
    let last = network.address | ones(network.width - network.length);
    let mut next = Some(network.address);
    let mut subnets = Vec::new();
    for bits in call.args.iter().skip(1).filter_map(number) {
        let bits =
            bits.to_i64().and_then(|bits| u32::try_from(bits).ok()).filter(|bits| (1..=32).contains(bits));
        let bits = bits.ok_or("a prefix can be extended by 1 to 32 bits")?;
        let length = network.length + bits;
        if length > network.width {
            return Err(format!("a prefix of {} bits cannot be extended by {bits}", network.length));
        }
        let hosts = ones(network.width - length);
        // The next multiple of the size.
        let start = next.and_then(|next| next.checked_add(hosts)).map(|end| end & !hosts);
        let Some(address) = start.filter(|start| *start <= last) else {
            return Err(format!(
                "there is no space left in {} for a prefix of {length} bits",
                network.show()
            ));
        };
        subnets.push(Value::string(Network { address, length, ..network }.show()));
        next = (address | hosts).checked_add(1);
    }
    Ok(Kind::List(subnets.into()).into())
}
