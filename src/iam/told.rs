//! Yes, no, or why it cannot be told: the logic of three values, with the cause of the first that decides.

use crate::value::Cause;

/// What is said of a policy.
pub type Told = Result<bool, Cause>;

pub(super) fn not(told: Told) -> Told {
    told.map(|is| !is)
}

/// Both; the second is not asked for where the first is a no.
pub fn both(a: Told, b: impl FnOnce() -> Told) -> Told {
    match a {
        Ok(true) => b(),
        Ok(false) => Ok(false),
        Err(cause) => match b() {
            Ok(false) => Ok(false),
            _ => Err(cause),
        },
    }
}

/// One of the two.
pub fn either(a: Told, b: impl FnOnce() -> Told) -> Told {
    not(both(not(a), || not(b())))
}

/// Whether one of them is. The cause is the first.
pub fn any(all: impl Iterator<Item = Told>) -> Told {
    let mut result = Ok(false);
    for told in all {
        match told {
            Ok(true) => return Ok(true),
            Err(cause) if result.is_ok() => result = Err(cause),
            _ => {}
        }
    }
    result
}

/// Whether all of them are.
pub fn all(all: impl Iterator<Item = Told>) -> Told {
    not(any(all.map(not)))
}
