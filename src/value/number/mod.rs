//! Terraform's numbers: binary floating point of 512 bits, with a fast path for the integers that configurations use.

mod float;

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use float::Float;

/// A number. Each value has one representation: a whole number that fits in 64 bits is [`Number::Int`].
///
/// Terraform's negative zero is not kept apart from zero: only the text of `-0` would tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Number {
    /// A whole number that fits.
    Int(i64),
    /// Any other finite number.
    Big(Big),
    /// `1 / 0`
    Infinity,
    /// `-1 / 0`
    NegativeInfinity,
}

/// A finite number that is not a small integer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Big(Arc<Float>);

/// Why arithmetic has no result.
type Undefined = &'static str;

impl Number {
    /// Zero.
    pub const ZERO: Self = Self::Int(0);

    /// Reads decimal text as Terraform does: sign, digits, fraction, exponent, or `Inf`.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.as_bytes().first()? {
            b'-' => (true, text.get(1..)?),
            b'+' => (false, text.get(1..)?),
            _ => (false, text),
        };
        if digits.len() < 19 && digits.bytes().all(|b| b.is_ascii_digit()) {
            let value = digits.parse::<i64>().ok()?;
            return Some(Self::Int(if negative { -value } else { value }));
        }
        if digits == "Inf" || digits == "inf" {
            return Some(if negative { Self::NegativeInfinity } else { Self::Infinity });
        }
        let number = float::parse(digits)?;
        Some(if negative { -number } else { number })
    }

    /// The number that `value` shows as in the fewest digits: what Terraform's `pow` and `log`, which go through 64-bit
    /// floats, print. None for NaN.
    pub fn from_f64(value: f64) -> Option<Self> {
        if value.is_nan() {
            return None;
        }
        if value.is_infinite() {
            return Some(if value > 0.0 { Self::Infinity } else { Self::NegativeInfinity });
        }
        Self::parse(&format!("{value:e}"))
    }

    /// `self + other`
    pub fn add(&self, other: &Self) -> Result<Self, Undefined> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) if let Some(sum) = a.checked_add(*b) => Ok(Self::Int(sum)),
            (Self::Infinity, Self::NegativeInfinity) | (Self::NegativeInfinity, Self::Infinity) => {
                Err("can't compute sum of opposing infinities")
            }
            _ => Ok(match (self.to_float(), other.to_float()) {
                (Some(a), Some(b)) => a.add(&b),
                (None, _) => self.clone(),
                (_, None) => other.clone(),
            }),
        }
    }

    /// `self - other`
    pub fn sub(&self, other: &Self) -> Result<Self, Undefined> {
        self.add(&-other.clone()).map_err(|_| "can't subtract infinity from itself")
    }

    /// `self * other`
    pub fn mul(&self, other: &Self) -> Result<Self, Undefined> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) if let Some(product) = a.checked_mul(*b) => Ok(Self::Int(product)),
            _ => match (self.to_float(), other.to_float()) {
                (Some(a), Some(b)) => Ok(a.mul(&b)),
                _ if self.is_zero() || other.is_zero() => Err("can't multiply zero by infinity"),
                _ => Ok(Self::infinity(self.is_negative() != other.is_negative())),
            },
        }
    }

    /// `self / other`; by zero it is infinity.
    pub fn div(&self, other: &Self) -> Result<Self, Undefined> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) if *b != 0 && a.checked_rem(*b) == Some(0) => Ok(Self::Int(a / b)),
            _ => match (self.to_float(), other.to_float()) {
                (Some(_), Some(_)) if self.is_zero() && other.is_zero() => Err(DIVIDE),
                (Some(a), Some(b)) if !other.is_zero() => Ok(a.div(&b)),
                (None, None) => Err(DIVIDE),
                (Some(_), None) => Ok(Self::ZERO),
                _ => Ok(Self::infinity(self.is_negative() != other.is_negative())),
            },
        }
    }

    /// `self % other` with the sign of `self`; modulo zero it is `self`.
    pub fn modulo(&self, other: &Self) -> Result<Self, Undefined> {
        match (self, other) {
            (_, Self::Int(0)) => Ok(self.clone()),
            (Self::Int(a), Self::Int(b)) => Ok(Self::Int(a.wrapping_rem(*b))),
            _ if self.is_infinite() || other.is_infinite() => self.mul(other),
            // Not the exact remainder, but the steps that Terraform takes, each of them rounded.
            _ => self.sub(&self.div(other)?.truncate().mul(other)?),
        }
    }

    /// Without the fraction.
    #[must_use]
    pub fn truncate(&self) -> Self {
        match self {
            Self::Big(big) => big.0.truncate(),
            _ => self.clone(),
        }
    }

    /// The largest integer that is not greater.
    #[must_use]
    pub fn floor(&self) -> Self {
        let whole = self.truncate();
        if *self < whole { whole.sub(&Self::Int(1)).unwrap_or(whole) } else { whole }
    }

    /// The smallest integer that is not less.
    #[must_use]
    pub fn ceil(&self) -> Self {
        let whole = self.truncate();
        if *self > whole { whole.add(&Self::Int(1)).unwrap_or(whole) } else { whole }
    }

    /// Without the sign.
    #[must_use]
    pub fn abs(&self) -> Self {
        if self.is_negative() { -self.clone() } else { self.clone() }
    }

    /// Whether it is less than zero.
    pub fn is_negative(&self) -> bool {
        match self {
            Self::Int(value) => *value < 0,
            Self::Big(big) => big.0.is_negative(),
            Self::Infinity => false,
            Self::NegativeInfinity => true,
        }
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// Whether it is an infinity.
    pub fn is_infinite(&self) -> bool {
        matches!(self, Self::Infinity | Self::NegativeInfinity)
    }

    /// Whether it is finite and has no fraction.
    pub fn is_integer(&self) -> bool {
        match self {
            Self::Int(_) => true,
            Self::Big(big) => big.0.is_integer(),
            _ => false,
        }
    }

    /// The integer, if it is one that fits.
    pub fn to_i64(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The integer, if it is a non-negative one that fits.
    pub fn to_u64(&self) -> Option<u64> {
        match self {
            Self::Int(value) => u64::try_from(*value).ok(),
            Self::Big(big) => big.0.to_u64(),
            _ => None,
        }
    }

    /// The nearest 64-bit float.
    pub fn to_f64(&self) -> f64 {
        match self {
            Self::Infinity => f64::INFINITY,
            Self::NegativeInfinity => f64::NEG_INFINITY,
            _ => self.to_string().parse().unwrap_or(0.0),
        }
    }

    fn infinity(negative: bool) -> Self {
        if negative { Self::NegativeInfinity } else { Self::Infinity }
    }

    fn to_float(&self) -> Option<std::borrow::Cow<'_, Float>> {
        match self {
            Self::Int(value) => Some(std::borrow::Cow::Owned(Float::from(*value))),
            Self::Big(big) => Some(std::borrow::Cow::Borrowed(&big.0)),
            _ => None,
        }
    }
}

const DIVIDE: Undefined = "can't divide zero by zero or infinity by infinity";

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<usize> for Number {
    fn from(value: usize) -> Self {
        i64::try_from(value).map_or_else(|_| float::from_usize(value), Self::Int)
    }
}

impl std::ops::Neg for Number {
    type Output = Self;

    fn neg(self) -> Self {
        match self {
            Self::Int(value) => match value.checked_neg() {
                Some(value) => Self::Int(value),
                None => Float::from(value).negate(),
            },
            Self::Big(big) => big.0.negate(),
            Self::Infinity => Self::NegativeInfinity,
            Self::NegativeInfinity => Self::Infinity,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            _ if self == other => Ordering::Equal,
            (Self::Infinity, _) | (_, Self::NegativeInfinity) => Ordering::Greater,
            (_, Self::Infinity) | (Self::NegativeInfinity, _) => Ordering::Less,
            _ => match (self.to_float(), other.to_float()) {
                (Some(a), Some(b)) => a.compare(&b),
                _ => Ordering::Equal,
            },
        }
    }
}

impl fmt::Display for Number {
    /// As `tostring`: never an exponent, the fewest digits that tell the number from its neighbours.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => value.fmt(f),
            Self::Big(big) => f.write_str(&big.0.to_decimal()),
            Self::Infinity => f.write_str("+Inf"),
            Self::NegativeInfinity => f.write_str("-Inf"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn arithmetic_is_that_of_512_bits() {
        assert_eq!(n("0.1").add(&n("0.2")).unwrap(), n("0.3"));
        assert_eq!(n("1").div(&n("3")).unwrap().mul(&n("3")).unwrap(), n("1"));
        assert!(n("11").modulo(&n("5.1")).unwrap().to_string().starts_with("0.800000"));
        assert_eq!(n("-7").modulo(&n("3")).unwrap(), n("-1"));
        assert_eq!(n("7").modulo(&n("-3")).unwrap(), n("1"));
        assert_eq!(n("5.5").modulo(&n("0")).unwrap(), n("5.5"));
        assert_eq!(Number::Int(i64::MIN).modulo(&n("-1")).unwrap(), n("0"));
        assert_eq!(Number::Int(i64::MIN).div(&n("-1")).unwrap(), n("9223372036854775808"));
        assert_eq!(Number::Int(i64::MAX).add(&n("1")).unwrap().sub(&n("1")).unwrap(), Number::Int(i64::MAX));
    }

    #[test]
    fn infinities_follow_terraform() {
        assert_eq!(n("5").div(&n("0")).unwrap(), Number::Infinity);
        assert_eq!(n("-0.5").div(&n("0")).unwrap(), Number::NegativeInfinity);
        assert!(n("0").div(&n("0")).is_err());
        assert!(Number::Infinity.sub(&Number::Infinity).is_err());
        assert!(Number::Infinity.mul(&n("0")).is_err());
        assert_eq!(n("3").div(&Number::Infinity).unwrap(), n("0"));
        assert!(Number::NegativeInfinity < n("-1e300") && n("1e300") < Number::Infinity);
    }

    #[test]
    fn text_is_exact_and_shortest() {
        for text in
            ["123456789012345678901234567890", "0.1", "-0.000000000000000000000000000001", "1.5", "-3"]
        {
            assert_eq!(n(text).to_string(), text);
        }
        assert_eq!(n("1e400").to_string(), format!("1{}", "0".repeat(400)));
        assert_eq!(n("2").div(&n("3")).unwrap().to_string(), format!("0.{}7", "6".repeat(153)));
        assert_eq!(n("1").div(&n("3")).unwrap().to_string(), format!("0.{}5", "3".repeat(154)));
        assert_eq!(n("1e3"), n("1000"));
        assert_eq!(n("+.5"), n("5e-1"));
        assert_eq!(n("5."), n("5"));
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        for text in
            ["", "-", ".", "0x10", "1_000", " 1", "1 ", "1e", "e5", "1.2.3", "--1", "1e+-2", "NaN", "١"]
        {
            assert_eq!(Number::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn absurd_exponents_cost_nothing() {
        assert_eq!(n("1e999999999999"), Number::Infinity);
        assert_eq!(n("-1e-999999999999"), n("0"));
        let mut value = n("1e300");
        for _ in 0..100 {
            value = value.mul(&value).unwrap();
        }
        assert_eq!(value, Number::Infinity);
    }

    #[test]
    fn sixty_four_bit_floats_keep_their_text() {
        assert_eq!(Number::from_f64(0.1), Some(n("0.1")));
        assert_eq!(Number::from_f64(1024.0), Some(n("1024")));
        assert_eq!(n("18446744073709551615").to_u64(), Some(u64::MAX));
        assert_eq!(n("0.5").floor(), n("0"));
        assert_eq!(n("-0.5").floor(), n("-1"));
        assert_eq!(n("-1.5").ceil(), n("-1"));
    }
}
