//! Terraform's numbers: binary floating point of 512 bits, with a fast path for the integers that configurations use.

/// A number.
#[derive(Clone, Debug, PartialEq)]
pub enum Number {
    /// A whole number that fits.
    Int(i64),
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
