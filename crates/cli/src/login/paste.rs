//! By an address that is opened elsewhere, and the address that it ends at, pasted back.
//!
//! For hosts without a browser where device codes are blocked: the browser's device counts for the organisation's
//! policies, not this one.

use mailgrant_core::authorization::{Callback, Nonce, State};
use mailgrant_core::pkce::CodeVerifier;
use mailgrant_core::token::{AuthorizationCode, TokenResponse};
use mailgrant_oauth::{AuthorizationParameters, Client};
use mailgrant_server::{Application, Engine};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::time::{Duration, timeout};
use url::Url;

use super::ended::Ended;
use super::screen::Screen;
use crate::failure::Exit;

/// Shows the address, reads where it ended, redeems the code. Gives the nonce that the ID token must repeat.
pub(super) async fn sign_in(
    engine: &Engine,
    application: &Application,
    redirect_uri: &Url,
    screen: &Screen,
) -> Result<(TokenResponse, Nonce), Ended> {
    // As it was typed, not as it is written in full: the registration is compared to the letter.
    let redirect_uri = match redirect_uri.as_str().strip_suffix('/') {
        Some(bare) if redirect_uri.path() == "/" => bare,
        _ => redirect_uri.as_str(),
    };
    let client = super::client(engine, application, redirect_uri)?;
    let random = || {
        let mut bytes = [0; 32];
        engine.environment().random.fill(&mut bytes);
        bytes
    };
    let (state, nonce) = (State::from_random(random()), Nonce::from_random(random()));
    let verifier = CodeVerifier::from_random(random());
    let url = client
        .authorization_url(&AuthorizationParameters {
            state: &state,
            nonce: &nonce,
            code_challenge: &verifier.challenge(),
            scopes: application.scopes(),
            login_hint: None,
            prompt: None,
        })
        .await
        .map_err(|error| Ended::of(&error, application))?;
    screen.event(
        "authorization_url",
        &json!({"url": url, "redirect_uri": redirect_uri}),
    );
    screen.say(&format!(
        "Open this address in a browser, on any machine, and sign in:\n\n  {url}\n\n\
         It ends at a page that does not load. Copy that page's address, {redirect_uri}?code=…, and paste it here.\n\
         (AADSTS50011 instead? Add {redirect_uri} to the registration's redirect URIs, or name another by --redirect-uri.)\n"
    ));
    let code = match timeout(PATIENCE, pasted(&client, application, &state, screen)).await {
        Ok(code) => code?,
        Err(_) => {
            return Err(Ended::new(
                Exit::PersonNeeded,
                "expired",
                "The sign-in was not finished in time",
                "nothing was pasted; nothing was stored",
                &["Run the command again: it shows a new address."],
            ));
        }
    };
    let response = client
        .exchange_code(&code, &verifier)
        .await
        .map_err(|error| Ended::of(&error, application))?;
    Ok((response, nonce))
}

/// Reads lines until one is the answer to this sign-in.
async fn pasted(
    client: &Client,
    application: &Application,
    state: &State,
    screen: &Screen,
) -> Result<AuthorizationCode, Ended> {
    let mut lines = BufReader::new(tokio::io::stdin().take(LIMIT)).lines();
    for _ in 0..TRIES {
        let line = match lines.next_line().await {
            Ok(Some(line)) => line,
            Ok(None) | Err(_) => return Err(nothing_pasted()),
        };
        match read(&line, state) {
            Ok(callback) => {
                client
                    .check_callback_issuer(callback.iss())
                    .await
                    .map_err(|error| Ended::of(&error, application))?;
                return match callback {
                    Callback::Code { code, .. } => Ok(code),
                    Callback::Refused { error, .. } => Err(Ended::refused(&error, application)),
                    _ => Err(nothing_pasted()),
                };
            }
            Err(Unusable::Empty) => {}
            Err(Unusable::Wrong(why)) => {
                screen.event("not_usable", &json!({"detail": why}));
                screen.say(&format!("{why} Paste it again."));
            }
        }
    }
    Err(nothing_pasted())
}

#[derive(Debug, PartialEq, Eq)]
enum Unusable {
    Empty,
    Wrong(String),
}

/// The callback in a pasted line, if it answers the sign-in of that state. Nothing is sent anywhere otherwise.
fn read(line: &str, state: &State) -> Result<Callback, Unusable> {
    let line = line.trim().trim_matches(['"', '\'', '<', '>']);
    if line.is_empty() {
        return Err(Unusable::Empty);
    }
    let query = match line.split_once('?') {
        Some((_, query)) => query,
        None if line.starts_with("code=") || line.starts_with("error=") => line,
        None => {
            return Err(Unusable::Wrong(
                "That is not the whole address: it must hold ?code=… and &state=….".to_owned(),
            ));
        }
    };
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    let callback = Callback::parse(query).map_err(|error| Unusable::Wrong(format!("{error}.")))?;
    match callback.state() {
        Some(found) if found == state => Ok(callback),
        // An authority that did not get as far as reading the state has nothing to redeem either.
        None if matches!(callback, Callback::Refused { .. }) => Ok(callback),
        _ => Err(Unusable::Wrong(
            "That address belongs to another sign-in; nothing was sent anywhere.".to_owned(),
        )),
    }
}

fn nothing_pasted() -> Ended {
    Ended::new(
        Exit::PersonNeeded,
        "nothing_pasted",
        "No answer was pasted",
        "the sign-in was not finished; nothing was stored",
        &["Run the command again and paste the whole address of the page that does not load."],
    )
}

const PATIENCE: Duration = Duration::from_secs(15 * 60);
const TRIES: usize = 10;
const LIMIT: u64 = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State::parse("mine").unwrap()
    }

    #[test]
    fn an_address_is_read_however_it_was_copied() {
        for line in [
            "http://localhost/?code=c&state=mine",
            "  <http://localhost/?code=c&state=mine&session_state=x#top>\r",
            "'http://localhost/?state=mine&code=c'",
            "code=c&state=mine",
        ] {
            let callback = read(line, &state()).unwrap();
            assert!(matches!(callback, Callback::Code { code, .. } if code.expose() == "c"));
        }
    }

    #[test]
    fn the_answer_to_another_sign_in_is_not_taken() {
        let Err(Unusable::Wrong(why)) = read("http://localhost/?code=c&state=other", &state())
        else {
            panic!("taken")
        };
        assert!(why.contains("another sign-in"), "{why}");
        assert!(
            read(
                "http://localhost/?error=access_denied&state=other",
                &state()
            )
            .is_err()
        );
    }

    #[test]
    fn what_is_no_answer_is_said_to_be_none() {
        assert_eq!(read(" \t", &state()).unwrap_err(), Unusable::Empty);
        for line in [
            "abcdef",
            "http://localhost/",
            "http://localhost/?state=mine",
            "?code=c",
        ] {
            assert!(
                matches!(read(line, &state()), Err(Unusable::Wrong(_))),
                "{line}"
            );
        }
    }

    #[test]
    fn a_refusal_is_an_answer() {
        let callback = read("http://localhost/?error=access_denied", &state()).unwrap();
        assert!(matches!(callback, Callback::Refused { .. }));
    }
}
