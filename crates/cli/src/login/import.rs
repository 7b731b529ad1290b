//! By a refresh token that some other program obtained for the same application.

use std::io::Read as _;
use std::path::Path;

use mailgrant_core::secret::Secret;
use mailgrant_core::token::{ErrorCode, RefreshToken};
use mailgrant_oauth::ErrorKind;
use mailgrant_server::{Application, Engine, ImportFailure, ImportFault, Kept};
use mailgrant_storage::{Connected, Error as StorageError, ImportRequest};

use super::ended::Ended;
use super::screen::Screen;
use crate::arguments::Login;
use crate::environment::moment;
use crate::failure::Exit;

/// Imports the refresh token in `file`, or on standard input where that is `-`.
pub(super) async fn take_over(
    engine: &Engine,
    application: &Application,
    arguments: &Login,
    file: &Path,
    screen: &Screen,
) -> Result<Connected, Ended> {
    let token = read(file).await?;
    screen.say("Importing the refresh token; the one in the file may be void from now on.");
    let request = ImportRequest {
        mailbox: arguments.mailbox.clone(),
        metadata: super::metadata(arguments),
        ..ImportRequest::default()
    };
    engine
        .import(&application.id, &arguments.site, request, token)
        .await
        .map_err(|failure| failed(failure, application))
}

/// It was interrupted, or the machine is going down.
pub(super) fn interrupted() -> Ended {
    Ended::new(
        Exit::Failed,
        "interrupted",
        "Interrupted",
        "the refresh token is kept, sealed, in case it was used already",
        &[AGAIN],
    )
}

async fn read(file: &Path) -> Result<RefreshToken, Ended> {
    let path = file.to_owned();
    // A blocking thread: standard input may be a person.
    let text = tokio::task::spawn_blocking(move || text(&path)).await;
    let unusable = |detail: String| {
        Ended::new(
            Exit::Configuration,
            "import_unreadable",
            "The refresh token cannot be read",
            format!("{}: {detail}", file.display()),
            &["Put the refresh token, and nothing else, into the file."],
        )
    };
    let text = text
        .map_err(|_| unusable("reading ended early".to_owned()))?
        .map_err(|error| unusable(error.to_string()))?;
    RefreshToken::new(text.expose().trim()).map_err(|problem| unusable(problem.to_string()))
}

fn text(path: &Path) -> std::io::Result<Secret> {
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().take(LIMIT).read_to_string(&mut text)?;
    } else {
        std::fs::File::open(path)?
            .take(LIMIT)
            .read_to_string(&mut text)?;
    }
    Ok(Secret::new(text))
}

fn failed(failure: ImportFailure, application: &Application) -> Ended {
    let mut ended = match failure.fault {
        ImportFault::Authority(error) => refused(&error, application),
        ImportFault::Ending(ending) => ending.into(),
        ImportFault::Storage(error @ StorageError::Conflict { .. }) => Ended::new(
            Exit::Failed,
            "already_connected",
            "The mailbox is connected already",
            format!(
                "{error}, and the authority does not say whether this refresh token is the same person's"
            ),
            &["Go on with that account, or remove it first: `mailgrant accounts remove`."],
        ),
        ImportFault::Storage(error) => super::not_stored(error),
        fault => Ended::new(
            Exit::Unavailable,
            "import_under_way",
            "The import is under way elsewhere",
            fault.to_string(),
            &["Run the same command again to see what became of it."],
        ),
    };
    if let Some(Kept {
        until,
        next_attempt_at,
    }) = failure.kept
    {
        let until = moment(until);
        ended.diagnosis.remedy.push(match next_attempt_at {
            Some(_) => format!(
                "The refresh token is not lost: it is kept, sealed, until {until}. {AGAIN}"
            ),
            None => format!(
                "The authority has replaced the refresh token; the new one is kept, sealed, until {until}: mend this, \
                 then run the command again with the same file."
            ),
        });
    }
    ended
}

fn refused(error: &mailgrant_oauth::Error, application: &Application) -> Ended {
    let mut ended = Ended::of(error, application);
    let ErrorKind::Refused(answer) = error.kind() else {
        return ended;
    };
    if answer.error == ErrorCode::INVALID_GRANT {
        let diagnosis = &mut ended.diagnosis;
        diagnosis.code = "refresh_token_refused".to_owned();
        diagnosis.title = "The authority does not take the refresh token".to_owned();
        diagnosis.remedy = vec![
            "Check that it was issued to this application (client_id, tenant) and has not been used or revoked since."
                .to_owned(),
            "Or sign in anew: `mailgrant login` without --import.".to_owned(),
        ];
    }
    ended
}

const AGAIN: &str = "Run the same command again, with the same file; a gateway on the same database goes on by itself.";
/// Refresh tokens are one or two thousand characters long.
const LIMIT: u64 = 64 * 1024;
