//! `mailgrant accounts add`: mailboxes that an application opens by itself, and the check of a set-up.

use std::time::Duration;

use mailgrant_server::{Code, Diagnosis, Engine, Problem};
use mailgrant_storage::AccountId;
use serde_json::json;

use crate::arguments::AddAccounts;
use crate::environment;
use crate::failure::{Exit, Failure, shown};
use crate::output::{print, tell};

/// Opens each mailbox, and stores it as an account when that worked. One that is an account already is opened all the same.
///
/// # Errors
/// When one of them does not open; the others are added.
pub(super) async fn run(engine: &Engine, wanted: AddAccounts, json: bool) -> Result<(), Failure> {
    let application = environment::application(engine.settings(), &wanted.application)?;
    let label = wanted.label.as_ref();
    let metadata = label.map_or_else(|| json!({}), |label| json!({"label": label}));
    let mut told = Told::default();
    for addresses in wanted.addresses.chunks(AT_ONCE) {
        let tenant = wanted.tenant.as_deref();
        let (site, addresses) = (&wanted.site, addresses.to_vec());
        let outcomes = engine
            .add_app_only(site, &application.id, tenant, addresses, metadata.clone())
            .await
            .map_err(|problem| failure(&problem))?;
        for (address, outcome) in outcomes {
            match outcome {
                Ok(account) => told.opened(&address, &account.id, true, json)?,
                Err(problem) => match again(engine, problem).await {
                    Ok(id) => told.opened(&address, &id, false, json)?,
                    Err(problem) => told.refused(&address, &problem, json)?,
                },
            }
        }
    }
    told.end()
}

/// What was told so far.
#[derive(Default)]
struct Told {
    opened: usize,
    refused: usize,
    /// Whose turn it is, of the first that did not open.
    exit: Option<Exit>,
}

impl Told {
    fn opened(
        &mut self,
        address: &str,
        id: &AccountId,
        added: bool,
        json: bool,
    ) -> Result<(), Failure> {
        self.opened += 1;
        if json {
            return print(json!({"address": address, "account_id": id.as_str(), "added": added}));
        }
        print(id)?;
        let address = shown(address);
        match added {
            true => tell(format_args!("{address} opens, and is connected as {id}.")),
            false => tell(format_args!(
                "{address} opens; it was connected before, as {id}."
            )),
        }
        Ok(())
    }

    fn refused(&mut self, address: &str, problem: &Problem, json: bool) -> Result<(), Failure> {
        self.refused += 1;
        let Failure { exit, message } = failure(problem);
        self.exit.get_or_insert(exit);
        if json {
            return print(json!({
                "address": address,
                "account_id": null,
                "problem": {
                    "code": problem.code(),
                    "detail": problem.detail(),
                    "diagnosis": problem.diagnosis(),
                },
            }));
        }
        tell(format_args!("{}: {}", shown(address), shown(&message)));
        Ok(())
    }

    fn end(self) -> Result<(), Failure> {
        match self.exit {
            None => Ok(()),
            Some(exit) => Err(Failure::new(
                exit,
                format!(
                    "{} of {} mailboxes opened, {} did not",
                    self.opened,
                    self.opened + self.refused,
                    self.refused
                ),
            )),
        }
    }
}

/// One that is an account already has to open as well.
async fn again(engine: &Engine, problem: Problem) -> Result<AccountId, Problem> {
    let Some(id) = problem.account().cloned() else {
        return Err(problem);
    };
    let Some(account) = engine.storage().accounts().lookup_any_site(&id).await? else {
        return Err(problem);
    };
    let live = engine.token_for(&account, Duration::ZERO).await?;
    engine
        .verify_mailbox(&account.application, &account.imap_user, &live.token)
        .await
        .map_err(|refusal| {
            Problem::new(Code::MailboxAccessRefused, refusal.detail.clone()).diagnosed(refusal)
        })?;
    Ok(id)
}

/// For a person: what was found, what was seen, what to do.
fn failure(problem: &Problem) -> Failure {
    let exit = exit(problem);
    let Some(Diagnosis {
        code,
        title,
        detail,
        remedy,
        ..
    }) = problem.diagnosis()
    else {
        return Failure::new(exit, problem.detail());
    };
    let mut message = format!("{title} [{code}]: {detail}");
    for step in remedy {
        message.push_str("\n  - ");
        message.push_str(step);
    }
    Failure::new(exit, message)
}

fn exit(problem: &Problem) -> Exit {
    match problem.code() {
        // An administrator has to give what is missing.
        Code::MailboxAccessRefused | Code::ConsentRequired | Code::AccountDisabled => {
            Exit::PersonNeeded
        }
        Code::AuthorityRefused
        | Code::Misconfigured
        | Code::TenantNotAllowed
        | Code::InvalidField => Exit::Configuration,
        Code::AuthorityUnavailable
        | Code::MailServerUnavailable
        | Code::StorageUnavailable
        | Code::Throttled
        | Code::Busy => Exit::Unavailable,
        _ => Exit::Failed,
    }
}

/// Mailboxes that are looked at together.
const AT_ONCE: usize = 100;
