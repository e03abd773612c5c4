//! Whether a value can be walked: how large it is when all it holds is counted as often as it is held, and how deep.
//!
//! Values share their parts: sixty locals, each a pair of the one before, take no memory and have 2⁶⁰ leaves. Whoever
//! walks such a value (to compare, to convert, to print) never ends, and a million locals, each a list of the one before,
//! end every stack; so none is ever made.

use crate::value::{Kind, Value};

/// Levels of a value that is walked: twice what one expression can nest.
const MAX_DEPTH: usize = 400;

/// The number of values in `value`, itself included; [`None`] if they are more than `max`, or nest too deeply.
pub(super) fn size(value: &Value, max: usize) -> Option<usize> {
    let mut count = 0;
    walk(value, max, MAX_DEPTH, &mut count);
    (count <= max).then_some(count)
}

fn walk(value: &Value, max: usize, depth: usize, count: &mut usize) {
    *count = if depth == 0 { max + 1 } else { *count + 1 };
    let mut each = |item: &Value| {
        if *count <= max {
            walk(item, max, depth - 1, count);
        }
        *count <= max
    };
    match &value.kind {
        Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => items.iter().all(&mut each),
        Kind::Map(map) | Kind::Object(map) => map.values().all(&mut each),
        _ => true,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_parts_count_each_time_up_to_the_limit() {
        let mut value = Value::tuple([Value::int(1), Value::object([("a".into(), Value::int(2))])]);
        assert_eq!(size(&value, 100), Some(4));
        for _ in 0..60 {
            value = Value::tuple([value.clone(), value]);
        }
        assert_eq!(size(&value, 100), None);
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |levels: usize| (1..levels).fold(Value::NULL, |value, _| Value::tuple([value]));
        assert_eq!(size(&nested(MAX_DEPTH), 1000), Some(MAX_DEPTH));
        assert_eq!(size(&nested(MAX_DEPTH + 1), 1000), None);
    }
}
