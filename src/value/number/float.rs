//! Finite binary floating point of 512 bits, rounded half to even: integers and one rounding, nothing clever.

use std::cmp::Ordering;
use std::sync::Arc;

use dashu_int::ops::{BitTest, DivRem, UnsignedAbs};
use dashu_int::{IBig, Sign, UBig};

use super::{Big, Number};

/// Terraform's precision.
const PRECISION: usize = 512;

/// The largest power of two, either way. Terraform goes on to 2³¹, where a number's text takes a gigabyte; here larger
/// numbers are infinite and smaller ones zero.
const MAX_EXPONENT: i64 = 1 << 16;

/// Decimal exponents beyond this are beyond [`MAX_EXPONENT`] with any mantissa of this many digits.
const MAX_DECIMAL: i64 = 40_000;

/// `mantissa · 2^exponent`, the mantissa odd or zero: one representation for each value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Float {
    mantissa: IBig,
    exponent: i64,
}

impl From<i64> for Float {
    fn from(value: i64) -> Self {
        Self { mantissa: value.into(), exponent: 0 }
    }
}

/// A number of the platform's size.
pub(super) fn from_usize(value: usize) -> Number {
    round(value.into(), 0, false)
}

/// Reads unsigned decimal text.
pub(super) fn parse(text: &str) -> Option<Number> {
    let (digits, exponent) = match text.find(['e', 'E']) {
        Some(at) => (text.get(..at)?, parse_exponent(text.get(at + 1..)?)?),
        None => (text, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all: String = [whole, fraction].concat();
    if all.is_empty() || !all.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let significant = all.trim_start_matches('0');
    if significant.is_empty() {
        return Some(Number::ZERO);
    }
    let magnitude = exponent
        .saturating_add(i64::try_from(significant.len()).ok()?)
        .saturating_sub(i64::try_from(fraction.len()).ok()?);
    if magnitude > MAX_DECIMAL {
        return Some(Number::Infinity);
    }
    if significant.len() > 1 << 20 {
        return None;
    }
    if magnitude < -MAX_DECIMAL {
        return Some(Number::ZERO);
    }
    let mantissa = IBig::from_str_radix(significant, 10).ok()?;
    let exponent = exponent.saturating_sub(i64::try_from(fraction.len()).ok()?);
    let power = UBig::from(10u8).pow(usize::try_from(exponent.unsigned_abs()).ok()?);
    Some(if exponent >= 0 { round(mantissa * power, 0, false) } else { quotient(mantissa, &power.into(), 0) })
}

/// `+12`; a larger exponent than any that matters is cut to one that is still too large.
fn parse_exponent(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value = digits.parse::<i64>().unwrap_or(i64::MAX / 2);
    Some(if negative { -value } else { value })
}

/// `a / b · 2^exponent`, correctly rounded; `b` is not zero.
fn quotient(a: IBig, b: &IBig, exponent: i64) -> Number {
    // Enough bits that the rounding position is inside the quotient; what remains only breaks ties.
    let shift = (PRECISION + 2 + b.bit_len()).saturating_sub(a.bit_len());
    let (quotient, rest) = (a << shift).div_rem(b);
    round(quotient, exponent - as_i64(shift), rest != IBig::ZERO)
}

/// `mantissa · 2^exponent` to the nearest number; `sticky` says that the true magnitude is a little larger.
fn round(mantissa: IBig, mut exponent: i64, sticky: bool) -> Number {
    let (sign, mut magnitude) = mantissa.into_parts();
    let excess = magnitude.bit_len().saturating_sub(PRECISION);
    if excess > 0 {
        let kept = &magnitude >> excess;
        let rest = magnitude - (&kept << excess);
        let up = match rest.cmp(&(UBig::ONE << (excess - 1))) {
            Ordering::Greater => true,
            Ordering::Equal => sticky || kept.bit(0),
            Ordering::Less => false,
        };
        magnitude = if up { kept + UBig::ONE } else { kept };
        exponent += as_i64(excess);
    }
    let Some(zeros) = magnitude.trailing_zeros() else {
        return Number::ZERO;
    };
    magnitude >>= zeros;
    exponent += as_i64(zeros);
    let top = exponent + as_i64(magnitude.bit_len());
    if top > MAX_EXPONENT {
        return Number::infinity(sign == Sign::Negative);
    }
    if top < -MAX_EXPONENT {
        return Number::ZERO;
    }
    let float = Float { mantissa: IBig::from_parts(sign, magnitude), exponent };
    match float.to_i64() {
        Some(value) => Number::Int(value),
        None => Number::Big(Big(Arc::new(float))),
    }
}

impl Float {
    pub(super) fn add(&self, other: &Self) -> Number {
        let (a, b, exponent) = self.align(other);
        round(a + b, exponent, false)
    }

    pub(super) fn mul(&self, other: &Self) -> Number {
        round(&self.mantissa * &other.mantissa, self.exponent + other.exponent, false)
    }

    /// `other` is not zero.
    pub(super) fn div(&self, other: &Self) -> Number {
        quotient(self.mantissa.clone(), &other.mantissa, self.exponent - other.exponent)
    }

    pub(super) fn negate(&self) -> Number {
        round(-&self.mantissa, self.exponent, false)
    }

    pub(super) fn truncate(&self) -> Number {
        if self.exponent >= 0 {
            return round(self.mantissa.clone(), self.exponent, false);
        }
        let (sign, magnitude) = self.mantissa.clone().into_parts();
        round(IBig::from_parts(sign, magnitude >> as_usize(-self.exponent)), 0, false)
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let (a, b, _) = self.align(other);
        a.cmp(&b)
    }

    pub(super) fn is_negative(&self) -> bool {
        self.mantissa.sign() == Sign::Negative
    }

    pub(super) fn is_integer(&self) -> bool {
        self.exponent >= 0
    }

    pub(super) fn to_u64(&self) -> Option<u64> {
        (0..64)
            .contains(&self.exponent)
            .then(|| u64::try_from(&self.mantissa << as_usize(self.exponent)).ok())?
    }

    fn to_i64(&self) -> Option<i64> {
        (0..64)
            .contains(&self.exponent)
            .then(|| i64::try_from(&self.mantissa << as_usize(self.exponent)).ok())?
    }

    /// Both mantissas at the smaller exponent. The bound on exponents bounds the shift.
    fn align(&self, other: &Self) -> (IBig, IBig, i64) {
        let exponent = self.exponent.min(other.exponent);
        let shifted = |float: &Self| &float.mantissa << as_usize(float.exponent - exponent);
        (shifted(self), shifted(other), exponent)
    }

    /// The fewest decimal digits that are nearer to this number than to its neighbours, without an exponent.
    pub(super) fn to_decimal(&self) -> String {
        let magnitude = self.mantissa.clone().unsigned_abs();
        let sign = if self.is_negative() { "-" } else { "" };
        let bits = magnitude.bit_len();
        if self.exponent >= 0 && bits + as_usize(self.exponent) <= PRECISION {
            return format!("{sign}{}", magnitude << as_usize(self.exponent));
        }
        let (digits, power) = Shortest::new(&magnitude, self.exponent).digits();
        format!("{sign}{}", positional(&digits, power))
    }
}

/// A positive number and half the distance to its neighbours as fractions of one denominator.
struct Shortest {
    value: UBig,
    half: UBig,
    denominator: UBig,
    /// The number lies in `[10^(magnitude - 1), 10^magnitude)`.
    magnitude: i64,
    /// The bounds themselves round to the number.
    inclusive: bool,
}

impl Shortest {
    fn new(mantissa: &UBig, exponent: i64) -> Self {
        let pad = PRECISION.saturating_sub(mantissa.bit_len());
        let full = mantissa << pad;
        // One bit more than the precision: its unit is half the distance.
        let exponent = exponent - as_i64(pad) - 1;
        let inclusive = !full.bit(0);
        let mut value = full << 1;
        let (mut half, mut denominator) = (UBig::ONE, UBig::ONE);
        if exponent >= 0 {
            value <<= as_usize(exponent);
            half <<= as_usize(exponent);
        } else {
            denominator <<= as_usize(-exponent);
        }
        // log10(2) ≈ 30103 / 100000; off by one at most for exponents of this size, so adjusted below.
        let bits = as_i64(value.bit_len()) - as_i64(denominator.bit_len());
        let mut this = Self { value, half, denominator, magnitude: bits * 30103 / 100_000 - 2, inclusive };
        while this.scaled(this.magnitude).0 >= this.scaled(this.magnitude).2 {
            this.magnitude += 1;
        }
        this
    }

    /// Value, half and denominator in units of `10^power`.
    fn scaled(&self, power: i64) -> (UBig, UBig, UBig) {
        let factor = UBig::from(10u8).pow(as_usize(power.abs()));
        if power >= 0 {
            (self.value.clone(), self.half.clone(), &self.denominator * factor)
        } else {
            (&self.value * &factor, &self.half * factor, self.denominator.clone())
        }
    }

    /// Digits and the power of ten of the last one.
    fn digits(&self) -> (String, i64) {
        // If n digits do, n + 1 do: halve between one and what always does, 1 + ⌈512 · log10(2)⌉.
        let (mut low, mut high) = (1, 156);
        while low < high {
            let middle = i64::midpoint(low, high);
            if self.with_digits(middle).is_some() {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        let digits = self.with_digits(low).unwrap_or_default();
        (digits.to_string(), self.magnitude - low)
    }

    /// The nearest number of `count` digits, if it is near enough.
    fn with_digits(&self, count: i64) -> Option<UBig> {
        let (value, half, denominator) = self.scaled(self.magnitude - count);
        let (down, below) = value.div_rem(&denominator);
        let above = denominator - &below;
        let near = |distance: &UBig| *distance < half || self.inclusive && *distance == half;
        match (near(&below), near(&above)) {
            (true, true) if below < above || below == above && !down.bit(0) => Some(down),
            (true, false) => Some(down),
            (_, true) => Some(down + UBig::ONE),
            (false, false) => None,
        }
    }
}

/// Places the point: the last digit stands for `10^power`.
fn positional(digits: &str, power: i64) -> String {
    if power >= 0 {
        return format!("{digits}{}", "0".repeat(as_usize(power)));
    }
    let places = as_usize(-power);
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = padded.split_at(padded.len() - places);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

fn as_i64(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn as_usize(n: i64) -> usize {
    usize::try_from(n).unwrap_or(0)
}
