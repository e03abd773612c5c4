//! Google's IAM: who a member is, and what a role lets its members do. The graph is not known here.

pub mod member;
pub mod roles;

/// Whether `action` is a permission of Google, or a pattern of them: `aiplatform.endpoints.predict`, `aiplatform.*`.
pub fn is_permission(action: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '*' | '_' | '-'))
    };
    action.contains('.') && action.split('.').all(is_word)
}

/// Whether a pattern of permissions and another have one in common: a part `*` is any, and all that follow where it is
/// the last; a part `get|list` is either.
pub fn meets(granted: &str, asked: &str) -> bool {
    let (mut granted, mut asked) = (granted.split('.').peekable(), asked.split('.').peekable());
    loop {
        match (granted.next(), asked.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) => {
                let open = one == "*" && granted.peek().is_none() || other == "*" && asked.peek().is_none();
                if open {
                    return true;
                }
                if one != "*" && other != "*" && !one.split('|').any(|one| one == other) {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_meet_where_they_have_a_permission_in_common() {
        assert!(meets("aiplatform.endpoints.get|predict", "aiplatform.endpoints.predict"));
        assert!(meets("aiplatform.*", "aiplatform.endpoints.predict"));
        assert!(meets("aiplatform.endpoints.get", "aiplatform.*"));
        assert!(meets("aiplatform.endpoints.get", "*.endpoints.get"));
        assert!(!meets("aiplatform.endpoints.get|list", "aiplatform.endpoints.predict"));
        assert!(!meets("aiplatform.endpoints.get", "aiplatform.endpoints"));
        assert!(!meets("ai.*", "aiplatform.endpoints.predict"), "a prefix is no service");
    }

    #[test]
    fn a_permission_has_dots_and_no_colon() {
        assert!(is_permission("aiplatform.endpoints.predict") && is_permission("aiplatform.*"));
        assert!(!is_permission("bedrock:InvokeModel") && !is_permission("*") && !is_permission("a..b"));
    }
}
