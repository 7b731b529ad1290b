//! Finding an account by what a person at a terminal calls it.

use mailgrant_storage::{Account, AccountFilter, AccountId, Storage};

use crate::arguments::AccountName;
use crate::failure::{Exit, Failure};

/// The account of that id, or the only one with that address.
///
/// # Errors
/// When there is none, or more than one: the message lists them.
pub(crate) async fn find(storage: &dyn Storage, name: &AccountName) -> Result<Account, Failure> {
    match name {
        AccountName::Id(id) => storage
            .accounts()
            .lookup_any_site(id)
            .await?
            .ok_or_else(|| unknown(id)),
        AccountName::Address(address) => {
            let filter = AccountFilter {
                imap_user: Some(address.clone()),
                ..AccountFilter::default()
            };
            let mut found = Vec::new();
            let mut after: Option<AccountId> = None;
            loop {
                let page = storage
                    .accounts()
                    .list(&filter, after.as_ref(), PAGE)
                    .await?;
                found.extend(page.items);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            let described = |account: &Account| {
                format!(
                    "{} ({}, application {}, site {})",
                    account.id, account.state, account.application, account.site
                )
            };
            let described = found.iter().map(described).collect();
            only(address, found, described)
        }
    }
}

/// The only one of those found under an address.
///
/// # Errors
/// When there is none, or more than one.
pub(crate) fn only<T>(
    address: &str,
    mut found: Vec<T>,
    described: Vec<String>,
) -> Result<T, Failure> {
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (None, _) => Err(unknown(address)),
        _ => Err(Failure::new(
            Exit::Failed,
            format!(
                "{address} is more than one account; name it by its id:\n  {}",
                described.join("\n  ")
            ),
        )),
    }
}

fn unknown(name: impl std::fmt::Display) -> Failure {
    Failure::new(
        Exit::Failed,
        format!(
            "there is no account {name}; `mailgrant accounts` shows all, `mailgrant login` connects one"
        ),
    )
}

const PAGE: u32 = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_must_mean_one_account() {
        let of = |found: Vec<u8>| {
            let described = found.iter().map(ToString::to_string).collect();
            only("ada@example.com", found, described)
        };
        assert_eq!(of(vec![7]).unwrap(), 7);
        assert!(of(vec![]).unwrap_err().message.contains("mailgrant login"));
        let two = of(vec![7, 8]).unwrap_err();
        assert!(two.message.ends_with("7\n  8"), "{}", two.message);
    }
}
