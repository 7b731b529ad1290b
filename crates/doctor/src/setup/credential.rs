//! How the application proves itself: secret, certificate or federated credential.

use mailgrant_core::time::UnixTime;

use super::{Access, Place, Proof, SetUp, Step, cloud::Cloud, date::day};
use crate::powershell::{Command, Condition, Source, Statement, Value};

/// The step that registers the application's proof; none for a public client.
pub(super) fn step(set_up: &SetUp<'_>, cloud: &Cloud) -> Option<Step> {
    let page = format!(
        "{} > Entra ID > App registrations > {} > Certificates & secrets",
        cloud.portal,
        set_up.name()
    );
    match &set_up.proof {
        Proof::Secret => Some(secret(set_up, &page)),
        Proof::Certificate {
            base64,
            fingerprint,
        } => Some(certificate(&page, base64, fingerprint)),
        Proof::Federated {
            issuer,
            subject,
            audience,
        } => Some(federated(set_up, &page, issuer, subject, audience)),
        Proof::Nothing | Proof::ServiceAccount { .. } => None,
    }
}

/// The day on which a secret made now ends: a year, of the two that Entra allows at most.
pub(super) fn end_of_secret(now: UnixTime) -> String {
    day(UnixTime(now.0.saturating_add(YEAR)))
}

fn secret(set_up: &SetUp<'_>, page: &str) -> Step {
    let name = format!("{} {}", set_up.name(), day(set_up.now));
    let end = end_of_secret(set_up.now);
    let made = Command::new("Add-MgApplicationPassword")
        .with("ApplicationId", Value::Variable("application.Id"))
        .with(
            "PasswordCredential",
            Value::Table(vec![
                ("displayName", Value::text(&name)),
                ("endDateTime", Value::text(format!("{end}T00:00:00Z"))),
            ]),
        );
    Step::new(
        "credential",
        Place::Graph,
        "Make a client secret",
        "the application proves itself with it. It ends: Entra allows two years at most; this one lasts until the day below, and mailgrant gives notice 30, 7 and 1 days before",
    )
    .by_hand([format!(
        "{page} > Client secrets > New client secret, with an end. Copy its Value, not its Secret ID: it is shown this once."
    )])
    .run([
        Statement::Set("secret", Value::Null),
        Statement::ForEach(
            "candidate",
            Source::Value(Value::Variable("application.PasswordCredentials")),
            vec![Statement::If(
                Condition::Equal(Value::Variable("candidate.DisplayName"), Value::text(&name)),
                vec![Statement::Set("secret", Value::Variable("candidate"))],
                Vec::new(),
            )],
        ),
        Statement::If(
            Condition::Is(Value::Variable("secret")),
            vec![Statement::Say(
                "A client secret of this name was made before. Its value was shown then and is not shown again.".to_owned(),
                None,
            )],
            vec![
                Statement::Keep("secret", made),
                Statement::Say(
                    "client secret, its value, shown this once:".to_owned(),
                    Some(Value::Variable("secret.SecretText")),
                ),
            ],
        ),
    ])
    .see(format!("a value is shown; the secret ends on {end}"))
    .without(
        match set_up.access {
            Access::AppOnly => Some("authority_configuration"),
            Access::Delegated => Some("client_credential_missing"),
        },
        "there is nothing to ask with. The secret's id in place of its value: client_secret_wrong; an ended one: client_secret_expired",
    )
}

fn certificate(page: &str, base64: &str, fingerprint: &str) -> Step {
    let name = format!("mailgrant {fingerprint}");
    Step::new(
        "credential",
        Place::Graph,
        "Upload the certificate",
        "the application signs with its key, which never leaves the gateway; Entra needs the certificate to check that",
    )
    .by_hand([format!(
        "{page} > Certificates > Upload certificate: the certificate alone (.cer, .pem, .crt), never its key."
    )])
    .run([
        // Only asked for by name do the certificates come whole, and only whole can they be written back.
        Statement::Keep(
            "current",
            Command::new("Get-MgApplication")
                .with("ApplicationId", Value::Variable("application.Id"))
                .with("Property", Value::texts(["Id", "KeyCredentials"])),
        ),
        Statement::Set("certificates", Value::List(Vec::new())),
        Statement::Set("known", Value::Bool(false)),
        Statement::ForEach(
            "candidate",
            Source::Value(Value::Variable("current.KeyCredentials")),
            vec![
                Statement::Add("certificates", Value::Variable("candidate")),
                Statement::If(
                    Condition::Equal(Value::Variable("candidate.DisplayName"), Value::text(&name)),
                    vec![Statement::Set("known", Value::Bool(true))],
                    Vec::new(),
                ),
            ],
        ),
        Statement::If(
            Condition::Not(Value::Variable("known")),
            vec![
                Statement::Add(
                    "certificates",
                    Value::Table(vec![
                        ("displayName", Value::text(&name)),
                        ("type", Value::text("AsymmetricX509Cert")),
                        ("usage", Value::text("Verify")),
                        ("key", Value::Bytes(base64.to_owned())),
                    ]),
                ),
                Statement::Run(
                    Command::new("Update-MgApplication")
                        .with("ApplicationId", Value::Variable("application.Id"))
                        .with("KeyCredentials", Value::Variable("certificates")),
                ),
            ],
            Vec::new(),
        ),
    ])
    .see(format!(
        "on that page: {name}; the thumbprint is that of the certificate in the settings"
    ))
    .without(
        Some("certificate_unknown"),
        "the authority does not know the key that signed (AADSTS700027)",
    )
}

fn federated(set_up: &SetUp<'_>, page: &str, issuer: &str, subject: &str, audience: &str) -> Step {
    let (issuer_value, subject_value) = (Value::text(issuer), Value::text(subject));
    let same = Condition::Both(
        Box::new(Condition::Same(
            Value::Variable("candidate.Issuer"),
            issuer_value.clone(),
        )),
        Box::new(Condition::Same(
            Value::Variable("candidate.Subject"),
            subject_value.clone(),
        )),
    );
    Step::new(
        "credential",
        Place::Graph,
        "Trust the issuer of the gateway's token",
        "the application proves itself by a token that its surroundings give it; there is no secret that could end",
    )
    .by_hand([format!(
        "{page} > Federated credentials > Add credential > Other issuer. Issuer: {issuer} Subject: {subject} Audience: {audience} (exactly as in the token)."
    )])
    .run([
        Statement::Set("known", Value::Bool(false)),
        Statement::ForEach(
            "candidate",
            Source::Command(
                Command::new("Get-MgApplicationFederatedIdentityCredential")
                    .with("ApplicationId", Value::Variable("application.Id")),
            ),
            vec![Statement::If(
                same,
                vec![Statement::Set("known", Value::Bool(true))],
                Vec::new(),
            )],
        ),
        Statement::If(
            Condition::Not(Value::Variable("known")),
            vec![Statement::Keep(
                "null",
                Command::new("New-MgApplicationFederatedIdentityCredential")
                    .with("ApplicationId", Value::Variable("application.Id"))
                    .with("Name", Value::text(format!("mailgrant-{}", set_up.application)))
                    .with("Issuer", issuer_value)
                    .with("Subject", subject_value)
                    .with("Audiences", Value::texts([audience])),
            )],
            Vec::new(),
        ),
    ])
    .check(
        Command::new("Get-MgApplicationFederatedIdentityCredential")
            .with("ApplicationId", Value::Variable("application.Id")),
        &["Issuer", "Subject", "Audiences"],
        format!("Issuer {issuer}, Subject {subject}, Audiences {audience}"),
    )
    .without(
        Some("federated_credential_missing"),
        "the authority does not trust the token's issuer for this application (AADSTS70021, AADSTS700211, AADSTS700213)",
    )
}

/// In seconds.
const YEAR: i64 = 365 * 24 * 60 * 60;
