//! Sensitive collections: whoever takes a part out of one must find the mark on the part.

use std::sync::Arc;

use super::{Kind, Partial, Value};

impl Value {
    /// Marks all that is in something sensitive. An expression that takes a part hands the mark on; whoever walks into a
    /// value does not.
    pub fn spread_sensitive(&mut self) {
        // Instances share what is equal in them: to change it would be to copy it.
        if self.has_unmarked(false) {
            self.spread(false);
        }
    }

    /// Whether something that is not marked is in something that is.
    fn has_unmarked(&self, inside: bool) -> bool {
        if inside && !self.sensitive {
            return true;
        }
        let inside = inside || self.sensitive;
        match &self.kind {
            Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
                items.iter().any(|item| item.has_unmarked(inside))
            }
            Kind::Map(map) | Kind::Object(map) => map.values().any(|item| item.has_unmarked(inside)),
            Kind::Unknown(unknown) => match &unknown.partial {
                Some(Partial::Elements(all)) => all.iter().any(|element| element.value.has_unmarked(inside)),
                Some(Partial::Choice(all)) => all.iter().any(|value| value.has_unmarked(inside)),
                Some(Partial::Json(value)) => value.has_unmarked(inside),
                Some(Partial::Template(_)) | None => false,
            },
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => false,
        }
    }

    fn spread(&mut self, inside: bool) {
        self.sensitive |= inside;
        let inside = self.sensitive;
        let spread = |value: &mut Self| value.spread(inside);
        match &mut self.kind {
            Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
                Arc::make_mut(items).iter_mut().for_each(spread);
            }
            Kind::Map(map) | Kind::Object(map) => Arc::make_mut(map).values_mut().for_each(spread),
            Kind::Unknown(unknown) => match &mut Arc::make_mut(unknown).partial {
                Some(Partial::Elements(all)) => {
                    for element in Arc::make_mut(all).iter_mut() {
                        element.value.spread(inside);
                    }
                }
                Some(Partial::Choice(all)) => Arc::make_mut(all).iter_mut().for_each(spread),
                Some(Partial::Json(value)) => value.spread(inside),
                Some(Partial::Template(_)) | None => {}
            },
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_something_sensitive_is_sensitive() {
        let list = Value::tuple([Value::string("a"), Value::object([("k".into(), Value::string("b"))])]);
        let mut value = Value::object([("open".into(), list.clone()), ("shut".into(), list.mark(true))]);
        value.spread_sensitive();
        let shut = value.get("shut").and_then(Value::items).unwrap();
        assert!(shut.iter().all(|item| item.sensitive) && shut[1].get("k").unwrap().sensitive);
        assert!(!value.sensitive && !value.get("open").unwrap().holds_sensitive());
    }
}
