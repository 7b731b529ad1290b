//! `/control/folder`: folders come, go, and begin anew with another UIDVALIDITY.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::{refusal, store_refusal};
use crate::authority::Authority;
use crate::mailstore::{MailStore, Mailbox, StoreError};

/// The mailbox, and one thing to do.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    mailbox: String,
    create: Option<String>,
    delete: Option<String>,
    rename: Option<String>,
    /// The new path, with `rename`.
    to: Option<String>,
    recreate: Option<String>,
}

enum Step {
    Create(String),
    Delete(String),
    Rename(String, String),
    Recreate(String),
}

/// Answers the folder as it is now.
pub(super) async fn post(
    authority: web::Data<Authority>,
    store: web::Data<MailStore>,
    change: web::Json<Change>,
) -> HttpResponse {
    let change = change.into_inner();
    let found = authority
        .directory
        .tenants()
        .mailbox(&change.mailbox)
        .map(|(_, mailbox)| mailbox.address.clone());
    let Some(address) = found else {
        return HttpResponse::NotFound()
            .json(json!({"error": format!("mailbox: there is no mailbox {}", change.mailbox)}));
    };
    let Some(step) = change.step() else {
        return refusal("send one of create, delete, recreate, or rename with to");
    };
    let done = web::block(move || {
        let mailbox = store.mailbox(&address)?;
        let path = step.take(&mailbox)?;
        let folder = path.map(|path| mailbox.folder(&path)).transpose()?;
        Ok(folder.map(|folder| {
            json!({
                "mailbox": address,
                "folder": folder.path,
                "uid_validity": folder.uid_validity,
                "uid_next": folder.uid_next,
                "messages": folder.entries().len(),
            })
        }))
    });
    match done.await {
        Ok(Ok(Some(folder))) => HttpResponse::Ok().json(folder),
        Ok(Ok(None)) => HttpResponse::NoContent().finish(),
        Ok(Err(error)) => store_refusal(&error),
        Err(_) => refusal("the sandbox is about to stop"),
    }
}

impl Change {
    fn step(self) -> Option<Step> {
        match (
            self.create,
            self.delete,
            self.rename,
            self.to,
            self.recreate,
        ) {
            (Some(path), None, None, None, None) => Some(Step::Create(path)),
            (None, Some(path), None, None, None) => Some(Step::Delete(path)),
            (None, None, Some(from), Some(to), None) => Some(Step::Rename(from, to)),
            (None, None, None, None, Some(path)) => Some(Step::Recreate(path)),
            _ => None,
        }
    }
}

impl Step {
    /// Takes the step; the path of the folder that is there then.
    fn take(self, mailbox: &Mailbox) -> Result<Option<String>, StoreError> {
        match self {
            Self::Create(path) => {
                mailbox.create(&path)?;
                Ok(Some(path))
            }
            Self::Delete(path) => {
                mailbox.delete(&path)?;
                Ok(None)
            }
            Self::Rename(from, to) => {
                mailbox.rename(&from, &to)?;
                Ok(Some(to))
            }
            Self::Recreate(path) => {
                recreate(mailbox, &path)?;
                Ok(Some(path))
            }
        }
    }
}

/// The same path and messages under another UIDVALIDITY, with other UIDs.
fn recreate(mailbox: &Mailbox, path: &str) -> Result<(), StoreError> {
    let old = mailbox.folder(path)?;
    let has_children = mailbox
        .folders()
        .iter()
        .any(|folder| crate::mailstore::path::is_below(&folder.path, &old.path));
    if has_children {
        return Err(StoreError::Fixed { path: old.path });
    }
    let aside = format!("{} (before)", old.path);
    mailbox.rename(&old.path, &aside)?;
    mailbox.create(&old.path)?;
    let uids: Vec<u32> = old.entries().iter().map(|entry| entry.uid).collect();
    mailbox.transfer(old.id, &old.path, &uids, false)?;
    mailbox.delete(&aside)
}
