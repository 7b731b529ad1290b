//! `/v1/accounts/{account}/emails/{email}/raw`: one email as it is (RFC 5322), in bounded memory.

use actix_web::{
    HttpResponse, get,
    http::header,
    web::{Bytes, Data},
};
use futures_util::stream;
use mailgrant_mail::imap;
use mailgrant_storage::Account;

use super::{account, email};
use crate::{
    email_id::EmailId,
    http::{Caller, MailRead, Path},
    pool::Lease,
    problem::Problem,
    reading::{self, Window, Windows},
    state::Gateway,
};

/// The email's octets. A download that breaks off is cut, never ended as if it were whole.
#[utoipa::path(tag = "mail", operation_id = "get_raw_email", params(("account" = String, Path), ("email" = String, Path)), security(("api_key" = ["mail:read"])),
    responses(
        (status = 200, description = "The email", body = Vec<u8>, content_type = "message/rfc822"),
        (status = 410, description = "`uidvalidity_changed`: the mailbox was rebuilt", body = crate::problem::Document, content_type = "application/problem+json"),
        (status = "4XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
    ))]
#[get("/accounts/{account}/emails/{email}/raw")]
pub(crate) async fn get(
    caller: Caller<MailRead>,
    gateway: Data<Gateway>,
    which: Path<email::Which>,
) -> Result<HttpResponse, Problem> {
    let id = email::id(&which.0)?;
    let account = account::find(&gateway, &caller.site, &which.0.account).await?;
    let (first, download) = Download::begin(gateway, account, id).await?;
    let name = format!(
        "attachment; filename=\"{}.eml\"",
        which.0.email.get(..24).unwrap_or("email")
    );
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "message/rfc822"))
        .insert_header((header::CONTENT_DISPOSITION, name))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .streaming(stream::try_unfold((first, Some(download)), step)))
}

/// A download under way: one window in memory at a time.
struct Download {
    gateway: Data<Gateway>,
    account: Account,
    lease: Lease,
    windows: Windows,
}

impl Download {
    /// Reads the first window, so that what can be refused is refused with a problem.
    async fn begin(
        gateway: Data<Gateway>,
        account: Account,
        id: EmailId,
    ) -> Result<(Option<Bytes>, Self), Problem> {
        let mut was_cut = false;
        let (lease, windows, first) = loop {
            let mut lease = gateway.pool.lease(&account).await?;
            let mut windows = Windows::of(id.uid);
            let first = async {
                if let Err(problem) = reading::open(lease.session(), &id).await? {
                    return Ok(Err(problem));
                }
                Ok::<_, imap::Error>(Ok(windows.next(lease.session(), WINDOW).await?))
            }
            .await;
            match first {
                Err(error) if lease.may_repeat(&error, &mut was_cut) => {}
                first => break (lease, windows, first),
            }
        };
        let first = match first {
            Err(error) => return Err(gateway.pool.failed(&account, lease, error).await.into()),
            Ok(Err(problem)) => {
                lease.give_back(gateway.now());
                return Err(problem);
            }
            Ok(Ok(Window::Gone)) => {
                lease.give_back(gateway.now());
                return Err(Problem::not_found("email"));
            }
            Ok(Ok(Window::Bytes(bytes))) => Some(bytes),
            Ok(Ok(Window::End)) => None,
        };
        Ok((
            first,
            Self {
                gateway,
                account,
                lease,
                windows,
            },
        ))
    }
}

type State = (Option<Bytes>, Option<Download>);

async fn step((ahead, download): State) -> Result<Option<(Bytes, State)>, Problem> {
    let Some(mut download) = download else {
        return Ok(None);
    };
    if let Some(bytes) = ahead {
        return Ok(Some((bytes, (None, Some(download)))));
    }
    match download
        .windows
        .next(download.lease.session(), WINDOW)
        .await
    {
        Ok(Window::Bytes(bytes)) => Ok(Some((bytes, (None, Some(download))))),
        Ok(Window::End) => {
            download.lease.give_back(download.gateway.now());
            Ok(None)
        }
        // An error ends the connection: the reader sees that it has not got everything.
        Ok(Window::Gone) => Err(Problem::not_found("email")),
        Err(error) => Err(download
            .gateway
            .pool
            .failed(&download.account, download.lease, error)
            .await
            .into()),
    }
}

/// Octets in memory at a time.
const WINDOW: usize = 256 * 1024;
