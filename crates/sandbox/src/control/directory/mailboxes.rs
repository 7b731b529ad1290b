//! A mailbox of the directory has its place in the mail store.

use actix_web::web;

use crate::authority::Authority;
use crate::mailstore::MailStore;
use crate::{Error, seed};

/// Opens the mailboxes that are new, and fills them if that is wished.
pub(in crate::control) async fn open(
    authority: &Authority,
    store: web::Data<MailStore>,
    sample_mail: bool,
) -> Result<(), Error> {
    let new: Vec<seed::User> = authority
        .directory
        .tenants()
        .mailboxes()
        .filter(|mailbox| !store.contains(&mailbox.address))
        .map(|mailbox| seed::User {
            address: mailbox.address.clone(),
            display_name: mailbox.display_name.clone(),
        })
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    let now = authority.now();
    let opened = web::block(move || {
        for user in &new {
            store.mailbox(&user.address)?;
        }
        if sample_mail {
            seed::deliver(&store, &new, now)?;
        }
        Ok::<_, crate::mailstore::StoreError>(())
    });
    let problem = match opened.await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    Err(Error::Mail { problem })
}
