//! What is partly known, for people: the known text as it is, and where a part is not known, what it is of.

use std::fmt::{self, Display, Formatter};

use super::{Cause, Piece};

impl Display for Piece {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Hole(value) if value.sensitive => f.write_str("${(sensitive)}"),
            Self::Hole(value) => match (&value.reference, value.as_unknown().map(|unknown| &unknown.cause)) {
                (Some(reference), _) | (None, Some(Cause::Resource(reference) | Cause::Data(reference))) => {
                    write!(f, "${{{reference}}}")
                }
                (None, Some(Cause::Variable(name))) => write!(f, "${{var.{name}}}"),
                _ => f.write_str("${…}"),
            },
        }
    }
}
