//! `/v1/accounts/{account}/emails`: the emails of a mailbox, newest first.

use actix_web::{HttpRequest, HttpResponse, get, web::Data};
use mailgrant_core::time::UnixTime;
use mailgrant_mail::{
    imap::{self, PagePosition, Session, Summary},
    message::{self, EmailSummary},
};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::account;
use crate::{
    cursor::EmailCursor,
    email_id::is_mailbox_name,
    http::{Caller, Listing, MailRead, Path, Query, limit},
    problem::Problem,
    reading::{check_validity, facts, is_no_mailbox},
    state::Gateway,
};

#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    account: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// The mailbox; `INBOX` when left out.
    mailbox: Option<String>,
    /// At most so many, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// `next_cursor` of the page before, with the same mailbox and filters.
    cursor: Option<String>,
    /// Found in the From field.
    from: Option<String>,
    /// Found in the Subject field.
    subject: Option<String>,
    /// Found in header or text.
    text: Option<String>,
    /// Received at this moment or later: a date (`2026-11-22`, midnight UTC) or a moment (RFC 3339).
    since: Option<String>,
    /// Received before this moment.
    before: Option<String>,
    /// With this keyword, such as `$seen` or `$flagged`; several separated by commas.
    keyword: Option<String>,
    /// Without this keyword; several separated by commas.
    not_keyword: Option<String>,
}

/// The emails of a mailbox, newest first, as far as they match all filters.
#[utoipa::path(tag = "mail", operation_id = "list_emails", params(("account" = String, Path), Filter), security(("api_key" = ["mail:read"])),
    responses(
        (status = 200, description = "One page", body = Listing<EmailSummary>),
        (status = "4XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
        (status = "5XX", description = "A problem", body = crate::problem::Document, content_type = "application/problem+json"),
    ))]
#[get("/accounts/{account}/emails")]
pub(crate) async fn get(
    caller: Caller<MailRead>,
    gateway: Data<Gateway>,
    request: HttpRequest,
    which: Path<Which>,
    filter: Query<Filter>,
) -> Result<HttpResponse, Problem> {
    let wanted = Wanted::of(filter.0)?;
    let account = account::find(&gateway, &caller.site, &which.0.account).await?;
    let page = gateway
        .pool
        .run(&account, async |session| page(session, &wanted).await)
        .await??;
    Ok(page.respond(&request, &gateway.url("")))
}

/// The filters, checked.
struct Wanted {
    list: List,
    query: imap::Query,
    limit: usize,
    from: Option<EmailCursor>,
}

/// What a cursor is bound to.
#[derive(Debug, Serialize)]
struct List {
    mailbox: String,
    from: Option<String>,
    subject: Option<String>,
    text: Option<String>,
    since: Option<UnixTime>,
    before: Option<UnixTime>,
    keyword: Vec<String>,
    not_keyword: Vec<String>,
}

impl Wanted {
    fn of(filter: Filter) -> Result<Self, Problem> {
        let limit = usize::try_from(limit(filter.limit)?).unwrap_or(1);
        let list = List {
            mailbox: mailbox(filter.mailbox)?,
            from: searchable("from", filter.from)?,
            subject: searchable("subject", filter.subject)?,
            text: searchable("text", filter.text)?,
            since: moment("since", filter.since.as_deref())?,
            before: moment("before", filter.before.as_deref())?,
            keyword: keywords("keyword", filter.keyword.as_deref())?,
            not_keyword: keywords("not_keyword", filter.not_keyword.as_deref())?,
        };
        let from = filter
            .cursor
            .map(|cursor| {
                EmailCursor::decode(&cursor, &list)
                    .map_err(|error| Problem::field("cursor", error.to_string()))
            })
            .transpose()?;
        let query = imap::Query {
            from: list.from.clone(),
            subject: list.subject.clone(),
            text: list.text.clone(),
            since: list.since,
            before: list.before,
            keyword: list.keyword.clone(),
            not_keyword: list.not_keyword.clone(),
        };
        Ok(Self {
            list,
            query,
            limit,
            from,
        })
    }
}

async fn page(
    session: &mut Session,
    wanted: &Wanted,
) -> Result<Result<Listing<EmailSummary>, Problem>, imap::Error> {
    let mailbox = &wanted.list.mailbox;
    let selected = match session.examine(mailbox).await {
        Ok(selected) => selected,
        Err(error) if is_no_mailbox(&error) => {
            return Ok(Err(Problem::not_found("mailbox").naming("mailbox")));
        }
        Err(error) => return Err(error),
    };
    let uid_validity = selected.uid_validity;
    if let Some(cursor) = &wanted.from
        && let Err(problem) = check_validity(uid_validity, cursor.uid_validity)
    {
        return Ok(Err(problem));
    }
    let (summaries, next) = if wanted.query == imap::Query::default() {
        walk(session, wanted).await?
    } else {
        search(session, wanted).await?
    };
    let items = summaries
        .into_iter()
        .map(|summary| {
            message::summary(
                &summary.head,
                summary.head_complete,
                facts(mailbox, uid_validity, &summary),
            )
        })
        .collect();
    let next_cursor = next
        .map(|next| EmailCursor::new(&wanted.list, uid_validity, next.uid, next.sequence).encode());
    Ok(Ok(Listing { items, next_cursor }))
}

/// All emails in their order.
async fn walk(
    session: &mut Session,
    wanted: &Wanted,
) -> Result<(Vec<Summary>, Option<PagePosition>), imap::Error> {
    let from = wanted.from.as_ref().map(|cursor| PagePosition {
        uid: cursor.uid,
        sequence: cursor.sequence,
    });
    let page = session.page(wanted.limit, from).await?;
    Ok((page.items, page.next))
}

/// Those that match, from below the last one listed.
async fn search(
    session: &mut Session,
    wanted: &Wanted,
) -> Result<(Vec<Summary>, Option<PagePosition>), imap::Error> {
    let found = session.search(&wanted.query).await?;
    let mut uids: Vec<u32> = match &wanted.from {
        Some(cursor) => found.into_iter().filter(|uid| *uid < cursor.uid).collect(),
        None => found,
    };
    let more = uids.len() > wanted.limit;
    uids.truncate(wanted.limit);
    let next = uids.last().filter(|_| more).map(|uid| PagePosition {
        uid: *uid,
        sequence: 0,
    });
    Ok((session.summaries(&uids).await?, next))
}

fn mailbox(given: Option<String>) -> Result<String, Problem> {
    let name = given.unwrap_or_else(|| "INBOX".to_owned());
    if is_mailbox_name(&name) {
        Ok(name)
    } else {
        Err(Problem::field(
            "mailbox",
            "must be a mailbox's name: 1 to 1024 bytes without control characters",
        ))
    }
}

fn searchable(field: &str, given: Option<String>) -> Result<Option<String>, Problem> {
    let Some(text) = given else { return Ok(None) };
    if text.is_empty() || text.len() > LONGEST_TERM {
        Err(Problem::field(
            field,
            format!("must be 1 to {LONGEST_TERM} bytes"),
        ))
    } else if text.chars().any(char::is_control) {
        Err(Problem::field(field, "must not hold control characters"))
    } else {
        Ok(Some(text))
    }
}

fn moment(field: &str, given: Option<&str>) -> Result<Option<UnixTime>, Problem> {
    let Some(text) = given else { return Ok(None) };
    let instant = text.parse::<jiff::Timestamp>().ok();
    let day = || {
        text.parse::<jiff::civil::Date>()
            .ok()?
            .to_zoned(jiff::tz::TimeZone::UTC)
            .ok()
    };
    instant
        .or_else(|| day().map(|midnight| midnight.timestamp()))
        .map(|moment| Some(UnixTime(moment.as_second())))
        .ok_or_else(|| {
            Problem::field(
                field,
                "must be a date (2026-11-22) or a moment (2026-11-22T10:00:00Z)",
            )
        })
}

fn keywords(field: &str, given: Option<&str>) -> Result<Vec<String>, Problem> {
    let Some(text) = given else {
        return Ok(Vec::new());
    };
    let keywords: Vec<String> = text.split(',').map(|word| word.trim().to_owned()).collect();
    // An atom (RFC 9051 §9), perhaps with the backslash of a system flag.
    let is_keyword = |word: &String| {
        let word = word.strip_prefix('\\').unwrap_or(word);
        !word.is_empty()
            && word.len() <= 64
            && word
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"(){%*\"\\]".contains(&byte))
    };
    if keywords.iter().all(is_keyword) {
        Ok(keywords)
    } else {
        Err(Problem::field(
            field,
            "must be keywords such as $seen, separated by commas",
        ))
    }
}

const LONGEST_TERM: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates_or_rfc_3339() {
        assert_eq!(
            moment("since", Some("2026-11-22")).unwrap(),
            Some(UnixTime(1_795_305_600))
        );
        assert_eq!(
            moment("since", Some("2026-11-22T01:00:00+01:00")).unwrap(),
            Some(UnixTime(1_795_305_600))
        );
        for text in ["", "yesterday", "2026-13-01", "22.11.2026", "1795305600"] {
            assert!(moment("since", Some(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_that_could_break_a_command_passes() {
        for text in ["a\r\nb", "\0", "", &"x".repeat(513)] {
            assert!(searchable("from", Some(text.to_owned())).is_err());
            assert!(keywords("keyword", Some(text)).is_err());
        }
        assert!(mailbox(Some("INBOX\r\nA1 LOGOUT".to_owned())).is_err());
        for text in ["$seen", "\\Seen", "$seen,$flagged", "work"] {
            assert!(keywords("keyword", Some(text)).is_ok(), "{text}");
        }
        for text in ["a b", "a,,b", "(x)", "x*"] {
            assert!(keywords("keyword", Some(text)).is_err(), "{text}");
        }
    }
}
