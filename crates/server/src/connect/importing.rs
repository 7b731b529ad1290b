//! A refresh token that another program obtained with the same registration.

use mailgrant_core::token::{RefreshToken, TokenResponse};
use mailgrant_oauth::{Client, ErrorKind};

use crate::{diagnosis, settings::Application};

/// Redeems the token. Asks for what the application asks for, where a refresh has to name it; where the token was granted
/// less, for what was granted. The answer always has a refresh token: the old one, where that stays good.
///
/// At an authority that lets a refresh token be used once, the old one is void from now on, whatever becomes of the new.
///
/// # Errors
/// As [`Client::refresh`].
pub async fn redeem_import(
    client: &Client,
    application: &Application,
    refresh_token: RefreshToken,
) -> Result<TokenResponse, mailgrant_oauth::Error> {
    let named = application.provider.refresh_names_scopes;
    let scopes = named.then(|| application.scopes());
    let mut response = match client.refresh(&refresh_token, scopes).await {
        Err(error)
            if named
                && matches!(error.kind(), ErrorKind::Refused(answer) if diagnosis::is_of_the_scopes(answer)) =>
        {
            client.refresh(&refresh_token, None).await
        }
        outcome => outcome,
    }?;
    response.refresh_token.get_or_insert(refresh_token);
    Ok(response)
}
