//! A mailbox's access token as the line that IMAP, SMTP and POP3 take, for an application with a certificate or for a
//! person at a terminal:
//!
//! ```sh
//! xoauth2 TENANT CLIENT_ID MAILBOX app.pem      # nobody signs in: client credentials, proven by a certificate
//! xoauth2 TENANT CLIENT_ID MAILBOX              # a person does, by a device code
//! ```
//!
//! With `ISSUER=https://localhost:40002/{tenant}/v2.0` and `CA_FILE=ca.pem` it asks `mailgrant sandbox`.

use std::{env, error::Error, sync::Arc, time::SystemTime};

use mailgrant_core::{
    device::DevicePoll,
    provider::{Endpoints, Provider},
    sasl::InitialResponse,
    time::UnixTime,
    token::{AccessToken, ClientId},
};
use mailgrant_oauth::{
    Client, Credential, Policy, Registration, Surroundings,
    credential::{Certificate, CertificateSource},
    http_client,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let mut next = || {
        arguments
            .next()
            .ok_or("xoauth2 TENANT CLIENT_ID MAILBOX [CERTIFICATE]")
    };
    let (tenant, client_id, mailbox) = (next()?, ClientId::new(next()?)?, next()?);
    let credential = match next() {
        Ok(file) => Credential::Certificate(Certificate::open(CertificateSource::file(file))?),
        Err(_) => Credential::None,
    };

    let mut provider = Provider::preset("microsoft365").ok_or("no such preset")?;
    if let Some(issuer) = variable("ISSUER") {
        provider.endpoints = Endpoints::Discovery { issuer };
    }
    let ca = variable("CA_FILE").map(std::fs::read).transpose()?;
    let (policy, app_only) = (Policy::default(), credential.kind() != "none");
    let registration = Registration {
        provider: Arc::new(provider),
        tenant: Some(tenant),
        client_id,
        credential,
        redirect_uri: String::new(),
    };
    let surroundings = Surroundings::new(now, random);
    let client = Client::new(
        http_client(ca.as_deref(), &policy)?,
        registration,
        policy,
        surroundings,
    )?;

    let token = match app_only {
        true => {
            let scopes = &client.registration().provider.app_only_scopes;
            client.app_only(scopes, Some(&mailbox)).await?.access_token
        }
        false => by_device(&client).await?,
    };
    println!(
        "AUTHENTICATE XOAUTH2 {}",
        *InitialResponse::xoauth2(&mailbox, &token)?.base64()
    );
    Ok(())
}

async fn by_device(client: &Client) -> Result<AccessToken, Box<dyn Error>> {
    let codes = client
        .authorize_device(&client.registration().provider.scopes)
        .await?;
    eprintln!(
        "Open {} and enter {}",
        codes.verification_uri.as_str(),
        codes.user_code
    );
    let mut pause = codes.interval;
    loop {
        tokio::time::sleep(pause).await;
        match client.poll_device(&codes.device_code).await {
            // A program that goes on would keep its refresh_token, too.
            Ok(DevicePoll::Granted(response)) => return Ok(response.access_token),
            Ok(DevicePoll::Pending) => {}
            Ok(DevicePoll::SlowDown) => pause += std::time::Duration::from_secs(5),
            Ok(DevicePoll::Declined) => return Err("the person declined".into()),
            Ok(_) => return Err("the code has expired: begin anew".into()),
            Err(error) if error.is_transient() => pause *= 2,
            Err(error) => return Err(error.into()),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a program's own clock")]
fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    UnixTime(since.map_or(0, |since| since.as_secs().try_into().unwrap_or(i64::MAX)))
}

#[expect(clippy::expect_used, reason = "without chance nothing can be signed")]
fn random(bytes: &mut [u8]) {
    aws_lc_rs::rand::fill(bytes).expect("random bytes");
}

#[expect(clippy::disallowed_methods, reason = "a program's own variables")]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}
