//! `mailgrant accounts`: the connected mailboxes, for those at a terminal.

mod add;

use mailgrant_server::{Diagnosis, Engine, Environment};
use mailgrant_storage::{Account, AccountFilter, AccountId, AccountState, Flow};
use serde_json::{Value, json};

use crate::arguments::{AccountName, Accounts, AccountsCommand, Configuration};
use crate::environment::{self, moment};
use crate::failure::{Failure, shown};
use crate::mailbox;
use crate::output::{print, tell};

/// Does what the subcommand says; lists, where there is none.
///
/// # Errors
/// When the settings are wrong, the database cannot be used or there is no such account.
pub(crate) async fn run(
    arguments: Accounts,
    surroundings: Environment,
    json: bool,
) -> Result<(), Failure> {
    let configuration = Configuration {
        config: arguments.config,
    };
    let settings = environment::existing_settings(&configuration)?;
    let engine = Engine::open(settings, surroundings).await?;
    let done = match arguments
        .command
        .unwrap_or(AccountsCommand::List { site: None })
    {
        AccountsCommand::List { site } => list(&engine, site, json).await,
        AccountsCommand::Add(wanted) => add::run(&engine, wanted, json).await,
        AccountsCommand::Show { account } => show(&engine, &account, json).await,
        AccountsCommand::Remove { account } => remove(&engine, &account, json).await,
    };
    engine.close().await;
    done
}

async fn list(engine: &Engine, site: Option<String>, json: bool) -> Result<(), Failure> {
    let filter = AccountFilter {
        site,
        ..AccountFilter::default()
    };
    let mut after: Option<AccountId> = None;
    loop {
        let page = engine
            .storage()
            .accounts()
            .list(&filter, after.as_ref(), PAGE)
            .await?;
        if !json && after.is_none() && page.items.is_empty() {
            tell(
                "No mailbox is connected yet: `mailgrant login` connects one's own, `mailgrant accounts add` those of an application.",
            );
        }
        for account in &page.items {
            if json {
                print(view(engine, account).await?)?;
            } else {
                print(format_args!(
                    "{}  {:<15}  {:<9}  {:<16}  {}",
                    account.id,
                    account.state,
                    account.flow,
                    account.application,
                    shown(&account.imap_user)
                ))?;
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn show(engine: &Engine, name: &AccountName, json: bool) -> Result<(), Failure> {
    let account = mailbox::find(&**engine.storage(), name).await?;
    let view = view(engine, &account).await?;
    if json {
        return print(view);
    }
    let rows = [
        ("id", "/id"),
        ("state", "/state"),
        ("next try", "/next_attempt_at"),
        ("flow", "/flow"),
        ("application", "/application"),
        ("tenant", "/tenant"),
        ("site", "/site"),
        ("imap user", "/imap_user"),
        ("smtp user", "/smtp_user"),
        ("from", "/from"),
        ("person", "/identity/name"),
        ("signed in", "/grant/obtained_at"),
        ("refreshed", "/grant/refreshed_at"),
        ("credential", "/credential/kind"),
        ("… ends", "/credential/expires_at"),
        ("metadata", "/metadata"),
        ("created", "/created_at"),
        ("changed", "/updated_at"),
        ("what is wrong", "/diagnosis/title"),
        ("", "/diagnosis/detail"),
    ];
    for (heading, pointer) in rows {
        match view.pointer(pointer) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => row(heading, text)?,
            Some(Value::Object(object)) if object.is_empty() => {}
            Some(other) => row(heading, &other.to_string())?,
        }
    }
    let steps = view.pointer("/diagnosis/remedy").and_then(Value::as_array);
    for (index, step) in steps.into_iter().flatten().enumerate() {
        let heading = if index == 0 { "what to do" } else { "" };
        row(heading, step.as_str().unwrap_or_default())?;
    }
    if account.state == AccountState::ReauthRequired {
        let login = format!("mailgrant login --application {}", account.application);
        row("sign in again", &login)?;
        if let Some(url) = view.get("reauth_url").and_then(Value::as_str) {
            row("or open", url)?;
        }
    }
    Ok(())
}

async fn remove(engine: &Engine, name: &AccountName, json: bool) -> Result<(), Failure> {
    let account = mailbox::find(&**engine.storage(), name).await?;
    let removed = engine
        .storage()
        .accounts()
        .remove(&account.site, &account.id, engine.now())
        .await?;
    // Removed by somebody else in between: that is what was asked for.
    let account = removed.unwrap_or(account);
    if json {
        print(json!({"id": account.id.as_str(), "removed": true}))?;
    } else {
        print(&account.id)?;
        let rest = match account.flow {
            Flow::Delegated => {
                "What the person agreed to at the provider stays until they take it back there."
            }
            Flow::AppOnly => {
                "What the administrator gave the application stays until it is taken back there."
            }
        };
        tell(format_args!(
            "{} is forgotten. {rest}",
            shown(&account.imap_user)
        ));
    }
    Ok(())
}

/// The account as a program reads it; no secret is in it.
async fn view(engine: &Engine, account: &Account) -> Result<Value, Failure> {
    let diagnosis = account.diagnosis.as_ref().and_then(Diagnosis::from_json);
    let link = engine.storage().accounts().reauth_link(&account.id).await?;
    let base = engine.settings().server.public_url.as_ref();
    let reauth_url = link.zip(base).map(|(link, base)| {
        let base = base.as_str().trim_end_matches('/');
        format!("{base}/reauth/{}", link.expose())
    });
    let application = engine.settings().application(&account.application);
    Ok(json!({
        "id": account.id.as_str(),
        "site": account.site,
        "application": account.application,
        "tenant": account.tenant.as_deref().or_else(|| application?.tenant.as_deref()),
        "flow": account.flow.as_str(),
        "state": account.state.as_str(),
        "imap_user": account.imap_user,
        "smtp_user": account.smtp_user,
        "from": account.from_address,
        "identity": account.identity,
        "grant": account.grant.map(|grant| json!({
            "obtained_at": moment(grant.obtained_at),
            "refreshed_at": moment(grant.refreshed_at),
        })),
        "credential": application.map(|application| json!({
            "kind": application.credential.kind(),
            "expires_at": application.credential_ends_at().map(moment),
        })),
        "diagnosis": diagnosis,
        "reauth_url": reauth_url,
        "next_attempt_at": account.next_attempt_at.map(moment),
        "metadata": account.metadata,
        "created_at": moment(account.created_at),
        "updated_at": moment(account.updated_at),
    }))
}

fn row(heading: &str, text: &str) -> Result<(), Failure> {
    print(format_args!("{heading:<15}{}", shown(text)))
}

const PAGE: u32 = 200;
