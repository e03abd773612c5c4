//! Members of a binding: whom Google's IAM grants a role to.

use smol_str::SmolStr;

/// Whom a member is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// Everybody on the internet.
    AllUsers,
    /// Everybody with an account of Google.
    AllAuthenticatedUsers,
    /// A service account, by its address.
    ServiceAccount(SmolStr, Account),
    /// A person, a group or all of a domain.
    People(SmolStr),
    /// One identity of a pool: `principal://…`.
    Principal(SmolStr),
    /// Identities of a pool: `principalSet://…`.
    PrincipalSet(SmolStr),
    /// Those who hold a basic role of a project: `projectEditor:p`.
    Convenience(SmolStr),
    /// Somebody who is gone: `deleted:…`.
    Deleted,
    /// What is no member that is known.
    Other(SmolStr),
}

/// Whose service account it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Account {
    /// One that the user made.
    Own,
    /// That of Compute Engine or App Engine, which all use who name none.
    Default,
    /// One that Google runs a service as.
    ServiceAgent,
}

impl Member {
    /// Reads one.
    pub fn parse(text: &str) -> Self {
        match text {
            "allUsers" => return Self::AllUsers,
            "allAuthenticatedUsers" => return Self::AllAuthenticatedUsers,
            _ => {}
        }
        match text.split_once(':') {
            Some(("serviceAccount", email)) => Self::ServiceAccount(email.into(), Account::of(email)),
            Some(("user" | "group" | "domain", _)) => Self::People(text.into()),
            Some(("principal", _)) => Self::Principal(text.into()),
            Some(("principalSet", _)) => Self::PrincipalSet(text.into()),
            Some(("projectOwner" | "projectEditor" | "projectViewer", _)) => Self::Convenience(text.into()),
            Some(("deleted", _)) => Self::Deleted,
            _ => Self::Other(text.into()),
        }
    }

    /// Whether anybody is meant.
    pub const fn is_public(&self) -> bool {
        matches!(self, Self::AllUsers | Self::AllAuthenticatedUsers)
    }

    /// Whether it is all of a pool of foreign identities: `principalSet://…/workloadIdentityPools/p/*`.
    pub fn is_whole_pool(&self) -> bool {
        matches!(self, Self::PrincipalSet(text) if text.ends_with("/*"))
    }

    /// Whether it is a service of Google.
    pub const fn is_service_agent(&self) -> bool {
        matches!(self, Self::ServiceAccount(_, Account::ServiceAgent))
    }
}

impl Account {
    /// That of an address.
    pub fn of(email: &str) -> Self {
        let (name, domain) = email.split_once('@').unwrap_or((email, ""));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match domain {
            "developer.gserviceaccount.com" | "appspot.gserviceaccount.com" => Self::Default,
            "cloudservices.gserviceaccount.com" | "cloudbuild.gserviceaccount.com" => Self::ServiceAgent,
            _ if domain.starts_with("gcp-sa-") => Self::ServiceAgent,
            // `service-123@compute-system.iam.gserviceaccount.com`; nobody may begin a name of theirs so.
            _ if name.strip_prefix("service-").is_some_and(is_number) => Self::ServiceAgent,
            _ => Self::Own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_told_apart() {
        let account = |email: &str| match Member::parse(&format!("serviceAccount:{email}")) {
            Member::ServiceAccount(_, account) => account,
            other => panic!("{other:?}"),
        };
        assert_eq!(account("agent@p.iam.gserviceaccount.com"), Account::Own);
        assert_eq!(account("123-compute@developer.gserviceaccount.com"), Account::Default);
        assert_eq!(account("p@appspot.gserviceaccount.com"), Account::Default);
        assert_eq!(account("service-123@gcp-sa-aiplatform.iam.gserviceaccount.com"), Account::ServiceAgent);
        assert_eq!(account("service-123@compute-system.iam.gserviceaccount.com"), Account::ServiceAgent);
        assert_eq!(account("service-desk@p.iam.gserviceaccount.com"), Account::Own);
        assert!(Member::parse("allUsers").is_public() && Member::parse("allAuthenticatedUsers").is_public());
        assert!(!Member::parse("domain:example.com").is_public());
        let pool = "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p";
        assert!(Member::parse(&format!("{pool}/*")).is_whole_pool());
        assert!(!Member::parse(&format!("{pool}/attribute.repository/o/r")).is_whole_pool());
        assert_eq!(Member::parse("deleted:user:a@example.com?uid=1"), Member::Deleted);
    }
}
