//! The last steps: the gateway's settings, and the commands that prove that all of it works.

use serde_json::json;

use super::{Access, Place, Proof, SetUp, Step, credential::end_of_secret};

/// What the settings file needs.
pub(super) fn settings(set_up: &SetUp<'_>) -> Step {
    let mut lines = vec![
        "[[application]]".to_owned(),
        format!("id = {}", toml(set_up.application)),
    ];
    lines.push(format!("provider = {}", toml(&set_up.provider.id)));
    let tenant = set_up
        .tenant
        .filter(|_| set_up.provider.has_tenants() && !set_up.foreign);
    if let Some(tenant) = tenant {
        lines.push(format!("tenant = {}", toml(tenant)));
    }
    match set_up.proof {
        // It is in the key file.
        Proof::ServiceAccount { .. } => {}
        _ if set_up.is_registered() => {
            lines.push(format!("client_id = {}", toml(set_up.client_id.as_str())));
        }
        _ => lines
            .push("client_id = \"...\"                      # the one that was shown".to_owned()),
    }
    let kept = match set_up.proof {
        Proof::Secret => {
            lines.push("client_secret_file = \"client-secret\"   # a file with the secret's value, nothing else".to_owned());
            if super::cloud::Cloud::of(set_up.provider).is_some() {
                lines.push(format!(
                    "client_secret_expires = {}",
                    end_of_secret(set_up.now)
                ));
            }
            "the client id and the secret"
        }
        Proof::Certificate { .. } => {
            lines.push(
                "certificate = { file = \"...\" }          # with its key: PEM or PKCS#12"
                    .to_owned(),
            );
            "the client id and the certificate with its key"
        }
        Proof::Federated { .. } => {
            lines.push("federated = { token_file = \"...\" }".to_owned());
            "the client id and where the token is"
        }
        Proof::ServiceAccount { .. } => {
            lines.push("service_account = { file = \"service-account.json\" }".to_owned());
            "the service account's key"
        }
        Proof::Nothing => "the client id",
    };
    Step::new(
        "settings",
        Place::Mailgrant,
        format!("Tell mailgrant: {kept}"),
        "until the settings name them, the gateway asks in the name of nobody",
    )
    .settings(lines.join("\n"))
    .without(
        match set_up.access {
            Access::AppOnly => Some("authority_configuration"),
            Access::Delegated => None,
        },
        "the gateway has nothing to prove itself with",
    )
}

/// App-only: the accounts, and their mail.
pub(super) fn prove_app_only(set_up: &SetUp<'_>) -> Step {
    let mut add = format!(
        "mailgrant accounts add --application {}",
        shell(set_up.application)
    );
    if let (true, Some(tenant)) = (set_up.foreign, set_up.tenant) {
        add.push_str(&format!(" --tenant {}", shell(tenant)));
    }
    for mailbox in set_up.mailboxes {
        add.push(' ');
        add.push_str(&shell(mailbox.as_str()));
    }
    let mut step = Step::new(
        "prove",
        Place::Mailgrant,
        "Prove it",
        "a token alone proves nothing: only an opened mailbox does",
    )
    .by_hand([
        "The first command is typed on the gateway's machine. For the second GATEWAY is the gateway's address, API_KEY a key with mail:read, ACCOUNT an id that the first one printed.",
    ]);
    if super::cloud::Cloud::of(set_up.provider).is_some() {
        step.words.push("Exchange acts on what it was told after some minutes, at times after an hour or two: try again before you look for a fault.".to_owned());
    }
    step.shell(add)
        .shell("curl -sS \"$GATEWAY/v1/accounts/$ACCOUNT/emails?limit=1\" -H \"Authorization: Bearer $API_KEY\"")
        .see("that each mailbox opens, and the newest email. A refusal has a code in brackets, which is named at the step that is missing")
}

/// Delegated: a connect session that somebody goes through.
pub(super) fn prove_delegated(set_up: &SetUp<'_>) -> Step {
    let mut body = json!({"application": set_up.application, "user_label": "Test"});
    if let (Some(first), Some(object)) = (set_up.mailboxes.first(), body.as_object_mut()) {
        object.insert("login_hint".to_owned(), json!(first.as_str()));
    }
    Step::new(
        "prove",
        Place::Mailgrant,
        "Prove it",
        "only a person who signs in and a mailbox that opens prove it",
    )
    .by_hand([
        "GATEWAY is the gateway's address, API_KEY a key with connect, accounts:read and mail:read, SESSION the id and ACCOUNT the account_id in the answers. Open connect_url of the first answer in a browser.",
    ])
    .shell(format!(
        "curl -sS \"$GATEWAY/v1/connect-sessions\" -H \"Authorization: Bearer $API_KEY\" -H 'Content-Type: application/json' -d {}",
        shell(&body.to_string())
    ))
    .shell("curl -sS \"$GATEWAY/v1/connect-sessions/$SESSION\" -H \"Authorization: Bearer $API_KEY\"")
    .shell("curl -sS \"$GATEWAY/v1/accounts/$ACCOUNT/emails?limit=1\" -H \"Authorization: Bearer $API_KEY\"")
    .see("status is connected, then the newest email. Otherwise the session's diagnosis has a code, which is named at the step that is missing")
}

/// A word for a POSIX shell.
fn shell(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "@._-+".contains(letter);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// A basic string of TOML; JSON's escapes are TOML's.
fn toml(text: &str) -> String {
    json!(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words_in_a_shell() {
        for (word, expected) in [
            ("orders@contoso.example", "orders@contoso.example"),
            ("", "''"),
            ("a b", "'a b'"),
            ("$(x)", "'$(x)'"),
            ("o'brien@x.example", r"'o'\''brien@x.example'"),
        ] {
            assert_eq!(shell(word), expected);
        }
    }
}
