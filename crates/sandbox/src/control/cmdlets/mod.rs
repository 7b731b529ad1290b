//! `/control/cmdlets`: the administrator's PowerShell steps, under the cmdlets' own names.
//!
//! `POST /control/cmdlets/{Cmdlet-Name}` takes the cmdlet's parameters as a JSON object, in their own spelling (in any
//! case, and shortened as PowerShell allows), and answers the objects that the cmdlet puts out, with their own property
//! names; or 400 with what the cmdlet would write as its error. `GET /control/cmdlets` lists them.
//!
//! ```text
//! POST /control/cmdlets/New-ServicePrincipal
//! {"AppId": "a84d2c17-…", "ObjectId": "e2c57d90-…", "DisplayName": "Reader"}
//!
//! {"output": [{"Identity": "e2c57d90-…", "AppId": "a84d2c17-…", "ObjectId": "e2c57d90-…", "DisplayName": "Reader", …}]}
//! ```
//!
//! `?tenant=` with an id or domain says whose administrator calls, as `Connect-MgGraph -TenantId` and
//! `Connect-ExchangeOnline -Organization` do for a whole session; without it the first organization's.
//!
//! Exchange Online's own modules are thus not needed to walk through, or to test, what an administrator does. As in
//! Exchange, `New-ServicePrincipal` believes any object id: with that of the app registration, or of anything else, the
//! application's logins fail later.

mod call;
mod connect;
mod exchange;
mod graph;

use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};

use super::directory::{InTenant, open_mailboxes, refused};
use super::{failure, refusal};
use crate::authority::Authority;
use crate::mailstore::MailStore;
use call::{Call, Cmdlet, CmdletError};

/// Every cmdlet there is.
fn cmdlets() -> impl Iterator<Item = &'static Cmdlet> {
    let modules = [connect::CMDLETS]
        .into_iter()
        .chain(exchange::CMDLETS.iter().copied())
        .chain(graph::CMDLETS.iter().copied());
    modules.flatten()
}

/// `{"cmdlets": [{"name", "module", "parameters": [{"name", "type", "mandatory"}]}]}`
pub(super) async fn list() -> HttpResponse {
    HttpResponse::Ok().json(json!({"cmdlets": cmdlets().collect::<Vec<_>>()}))
}

/// Runs a cmdlet.
pub(super) async fn post(
    authority: web::Data<Authority>,
    store: web::Data<MailStore>,
    name: web::Path<String>,
    place: web::Query<InTenant>,
    arguments: web::Json<Map<String, Value>>,
) -> HttpResponse {
    let Some(cmdlet) = cmdlets().find(|cmdlet| cmdlet.name.eq_ignore_ascii_case(&name)) else {
        return HttpResponse::NotFound().json(json!({
            "error": format!(
                "The term '{name}' is not recognized as a name of a cmdlet, function, script file, or executable \
                 program."
            )
        }));
    };
    let directory = match place.directory(&authority) {
        Ok(directory) => directory,
        Err(reason) => return refused(&reason),
    };
    let output =
        Call::bind(cmdlet, &arguments, &authority, directory).and_then(|call| (cmdlet.run)(&call));
    match output {
        Ok(output) => match open_mailboxes(&authority, store, false).await {
            Ok(()) => HttpResponse::Ok().json(json!({ "output": output })),
            Err(error) => failure(&error),
        },
        Err(CmdletError::Written(text)) => refusal(&text),
        Err(CmdletError::Failed(error)) => failure(&error),
    }
}
