//! By a refresh token that some other program obtained for the same application.

use std::io::Read as _;
use std::path::Path;

use mailgrant_core::secret::Secret;
use mailgrant_core::token::{ErrorCode, RefreshToken, TokenResponse};
use mailgrant_oauth::ErrorKind;
use mailgrant_server::{Application, Engine, redeem_import};

use super::ended::Ended;
use super::screen::Screen;
use crate::failure::Exit;

/// Redeems the refresh token in `file`, or on standard input where that is `-`.
pub(super) async fn take_over(
    engine: &Engine,
    application: &Application,
    file: &Path,
    screen: &Screen,
) -> Result<TokenResponse, Ended> {
    let token = read(file).await?;
    let client = super::client(engine, application, super::LOOPBACK)?;
    let response = redeem_import(&client, application, token.clone())
        .await
        .map_err(|error| refused(&error, application))?;
    if response.refresh_token.as_ref() != Some(&token) {
        screen.say(
            "The authority gave a new refresh token; the imported one may be void from now on.",
        );
    }
    Ok(response)
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

/// Refresh tokens are one or two thousand characters long.
const LIMIT: u64 = 64 * 1024;
