//! By device code (RFC 8628): the person signs in on any device and types a code there.

use std::time::Duration;

use mailgrant_core::device::{DeviceAuthorizationResponse, DevicePoll};
use mailgrant_core::token::{TokenError, TokenResponse};
use mailgrant_oauth::Client;
use mailgrant_server::{Application, Engine};
use serde_json::json;
use tokio::time::Instant;

use super::ended::Ended;
use super::screen::Screen;
use crate::environment::moment;
use crate::failure::Exit;

/// Shows a code and waits until somebody has signed in with it.
pub(super) async fn sign_in(
    engine: &Engine,
    application: &Application,
    screen: &Screen,
) -> Result<TokenResponse, Ended> {
    let client = super::client(engine, application, super::LOOPBACK)?;
    let codes = client
        .authorize_device(application.scopes())
        .await
        .map_err(|error| Ended::of(&error, application))?;
    show(engine, &codes, screen);
    wait(&client, application, &codes, screen).await
}

fn show(engine: &Engine, codes: &DeviceAuthorizationResponse, screen: &Screen) {
    let (page, code) = (codes.verification_uri.as_str(), &codes.user_code);
    let complete = codes
        .verification_uri_complete
        .as_ref()
        .map(|complete| complete.as_str());
    screen.event(
        "code",
        &json!({
            "verification_uri": page,
            "verification_uri_complete": complete,
            "user_code": code,
            "expires_at": moment(engine.now() + codes.expires_in),
            "interval": codes.interval.as_secs(),
        }),
    );
    screen.say(&format!(
        "Open this page on any device, and enter the code:\n\n  {page}\n  {code}\n"
    ));
    if let Some(complete) = complete {
        screen.say(&format!(
            "Or open this, which has the code in it:\n\n  {complete}\n"
        ));
    }
}

async fn wait(
    client: &Client,
    application: &Application,
    codes: &DeviceAuthorizationResponse,
    screen: &Screen,
) -> Result<TokenResponse, Ended> {
    let deadline = Instant::now() + codes.expires_in.min(LONGEST);
    let mut pause = codes.interval;
    let mut waiting = screen.waiting();
    loop {
        rest(pause, deadline, &mut waiting).await;
        match client.poll_device(&codes.device_code).await {
            Ok(DevicePoll::Granted(response)) => return Ok(*response),
            Ok(DevicePoll::Pending) => pause = pause.max(codes.interval),
            // For good, RFC 8628 section 3.5.
            Ok(DevicePoll::SlowDown) => pause += SLOWER,
            Ok(DevicePoll::Declined) => return Err(declined(application)),
            Ok(DevicePoll::Expired) => return Err(expired()),
            Ok(DevicePoll::Failed(TokenError::Refused(answer))) => {
                return Err(Ended::refused(&answer, application));
            }
            Ok(_) => return Err(unreadable()),
            // The same section: after a timeout ever less often.
            Err(error) if error.is_transient() => {
                tracing::debug!(%error, "asked in vain");
                let asked = error.retry_after().unwrap_or_default();
                pause = (pause * 2).min(SLOWEST).max(asked.min(SLOWEST));
            }
            Err(error) => return Err(Ended::of(&error, application)),
        }
        if Instant::now() >= deadline {
            return Err(expired());
        }
    }
}

/// Waits for the next question, showing the time that the person still has.
async fn rest(pause: Duration, deadline: Instant, waiting: &mut super::screen::Waiting) {
    // Not beyond the end of the code, whatever interval the authority asks for.
    let until = deadline.min(Instant::now() + pause.min(LONGEST));
    loop {
        let now = Instant::now();
        waiting.left(
            "Waiting for the sign-in",
            deadline.saturating_duration_since(now),
        );
        if now >= until {
            return;
        }
        tokio::time::sleep_until(until.min(now + Duration::from_secs(1))).await;
    }
}

/// The authority says no more than that: whether the person did not want to, or was not allowed to, stood on its page.
fn declined(application: &Application) -> Ended {
    let mut ended = Ended::new(
        Exit::PersonNeeded,
        "declined",
        "The person declined",
        "the authority says that the sign-in was refused; nothing was stored",
        &["Run the command again and agree to the permissions that are shown."],
    );
    if application.provider.admin_consent {
        ended.needs_admin = true;
        ended.diagnosis.remedy.push(
            "If the page asked for an administrator's approval, send an administrator the link for them first."
                .to_owned(),
        );
    }
    ended
}

fn expired() -> Ended {
    Ended::new(
        Exit::PersonNeeded,
        "expired",
        "The code has expired",
        "nobody finished the sign-in in time; nothing was stored",
        &["Run the command again: it shows a new code."],
    )
}

fn unreadable() -> Ended {
    Ended::new(
        Exit::Configuration,
        "authority_malformed",
        "The authority's answer cannot be read",
        "it is neither a token nor a refusal",
        &["Check the provider's endpoints in the settings."],
    )
}

/// What `slow_down` adds to the interval.
const SLOWER: Duration = Duration::from_secs(5);
const SLOWEST: Duration = Duration::from_secs(60);
/// A code that claims to be good for longer is not waited for any longer.
const LONGEST: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_waits_longer_than_the_code_is_good() {
        let mut waiting = Screen::new(true).waiting();
        for interval in [1_000_000, i64::MAX.unsigned_abs(), u64::MAX] {
            let deadline = Instant::now() + Duration::from_millis(10);
            let waited = rest(Duration::from_secs(interval), deadline, &mut waiting);
            let waited = tokio::time::timeout(Duration::from_secs(5), waited).await;
            assert!(waited.is_ok(), "{interval}");
        }
    }
}
