//! `Add-` and `Remove-MgApplicationPassword`: client secrets.

use serde_json::{Value, json};

use super::super::call::{Call, Cmdlet, CmdletError, Kind, Output, entry, mandatory, optional};
use super::application::{password_credential, registration};
use super::{APPLICATIONS, bad_request};
use crate::directory::{ApplicationEntry, SecretEntry};
use crate::random::client_secret;

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet {
        name: "Add-MgApplicationPassword",
        module: APPLICATIONS,
        parameters: &[
            mandatory("ApplicationId", Kind::String),
            optional("PasswordCredential", Kind::Hashtable),
            optional("BodyParameter", Kind::Hashtable),
        ],
        run: add,
    },
    Cmdlet {
        name: "Remove-MgApplicationPassword",
        module: APPLICATIONS,
        parameters: &[
            mandatory("ApplicationId", Kind::String),
            mandatory("KeyId", Kind::String),
        ],
        run: remove,
    },
];

fn add(call: &Call<'_>) -> Output {
    let directory = &call.directory;
    let client_id = client_id(call)?;
    let credential = call.value("PasswordCredential").or_else(|| {
        call.value("BodyParameter")
            .and_then(|body| entry(body, "passwordCredential"))
    });
    let text = |key| {
        credential
            .and_then(|credential| entry(credential, key))
            .and_then(Value::as_str)
    };
    let now = call.authority.now();
    let expires = match text("endDateTime") {
        Some(end) => end.parse::<jiff::Timestamp>(),
        None => jiff::Timestamp::from_second(now.0.saturating_add(TWO_YEARS)),
    };
    let expires = expires.map_err(|_| {
        bad_request(
            "Invalid value specified for property 'endDateTime' of resource 'PasswordCredential'.",
        )
    })?;
    if call.what_if {
        return Ok(Vec::new());
    }
    let random = &*call.authority.random;
    let (id, value) = (random.uuid().to_string(), client_secret(random));
    let secret = SecretEntry {
        id: Some(id.clone()),
        value: value.clone(),
        expires: Some(expires.to_string()),
        display_name: text("displayName").map(str::to_owned),
    };
    directory.update::<ApplicationEntry>(&client_id, |application| {
        application.secrets.get_or_insert_default().push(secret);
    })?;
    let tenant = directory.tenant();
    let added = tenant.application(&client_id).and_then(|application| {
        let mut secrets = application.secrets.iter();
        secrets.find(|secret| secret.id == id)
    });
    let mut output = added.map(password_credential).unwrap_or_default();
    if let Some(output) = output.as_object_mut() {
        let start = jiff::Timestamp::from_second(now.0).ok();
        output.insert("SecretText".to_owned(), json!(value.expose()));
        output.insert(
            "StartDateTime".to_owned(),
            json!(start.map(|start| start.to_string())),
        );
    }
    Ok(vec![output])
}

fn remove(call: &Call<'_>) -> Output {
    let directory = &call.directory;
    let client_id = client_id(call)?;
    let id = call.required("KeyId");
    let known = directory
        .tenant()
        .application(&client_id)
        .is_some_and(|application| {
            let mut secrets = application.secrets.iter();
            secrets.any(|secret| secret.id.eq_ignore_ascii_case(id))
        });
    if !known {
        return Err(bad_request(
            "No password credential found with keyId, or the deletion of it was done before.",
        ));
    }
    if !call.what_if {
        directory.update::<ApplicationEntry>(&client_id, |application| {
            if let Some(secrets) = &mut application.secrets {
                secrets.retain(|secret| !secret.is_called(id));
            }
        })?;
    }
    Ok(Vec::new())
}

fn client_id(call: &Call<'_>) -> Result<String, CmdletError> {
    let tenant = call.directory.tenant();
    Ok(registration(&tenant, call.required("ApplicationId"))?
        .client_id
        .clone())
}

/// What Graph gives when nothing is said, in seconds.
const TWO_YEARS: i64 = 2 * 365 * 24 * 60 * 60;
