//! Accounts of vendors, who act for many customers: `rules/iam/vendors.tsv`, each with the page of the vendor that says so.

/// Account, vendor and page with tabs between them, sorted.
const TABLE: &str = include_str!("../../rules/iam/vendors.tsv");

/// Whose the account is, if it is one of a vendor that is known.
pub fn of_account(account: &str) -> Option<&'static str> {
    rows().find(|(known, ..)| *known == account).map(|(_, vendor, _)| vendor)
}

fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    TABLE.lines().filter_map(|line| {
        let mut columns = line.split('\t');
        Some((columns.next()?, columns.next()?, columns.next()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_has_a_vendor_and_a_page() {
        let all: Vec<_> = rows().collect();
        assert_eq!(all.len(), TABLE.lines().count());
        assert!(all.is_sorted(), "sorted by account");
        for (account, vendor, page) in all {
            assert!(account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()), "{account}");
            assert!(!vendor.is_empty() && page.starts_with("https://"), "{account}");
        }
        assert_eq!(of_account("464622532012"), Some("Datadog"));
        assert_eq!(of_account("111122223333"), None);
    }
}
