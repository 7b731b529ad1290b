//! `New-`, `Get-` and `Remove-MgApplicationFederatedIdentityCredential`: whose tokens stand for an application.

use serde_json::{Value, json};

use super::super::call::{Call, Cmdlet, Kind, Output, mandatory, optional};
use super::application::registration;
use super::{APPLICATIONS, bad_request, filter, not_found};
use crate::directory::{Application, ApplicationEntry, FederatedCredential, derived_guid};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet {
        name: "New-MgApplicationFederatedIdentityCredential",
        module: APPLICATIONS,
        parameters: &[
            mandatory("ApplicationId", Kind::String),
            mandatory("Name", Kind::String),
            mandatory("Issuer", Kind::String),
            mandatory("Subject", Kind::String),
            mandatory("Audiences", Kind::Strings),
            optional("Description", Kind::String),
        ],
        run: new,
    },
    Cmdlet {
        name: "Get-MgApplicationFederatedIdentityCredential",
        module: APPLICATIONS,
        parameters: &[
            mandatory("ApplicationId", Kind::String),
            optional("Filter", Kind::String),
            optional("Property", Kind::Strings),
            optional("All", Kind::Switch),
            optional("Top", Kind::String),
        ],
        run: get,
    },
    Cmdlet {
        name: "Remove-MgApplicationFederatedIdentityCredential",
        module: APPLICATIONS,
        parameters: &[
            mandatory("ApplicationId", Kind::String),
            mandatory("FederatedIdentityCredentialId", Kind::String),
        ],
        run: remove,
    },
];

fn new(call: &Call<'_>) -> Output {
    let directory = &call.directory;
    let [audience] = call.texts("Audiences")[..] else {
        return Err(bad_request(
            "Invalid value specified for property 'audiences': exactly one is taken.",
        ));
    };
    let made = FederatedCredential {
        name: Some(call.required("Name").to_owned()),
        issuer: call.required("Issuer").to_owned(),
        subject: call.required("Subject").to_owned(),
        audience: audience.to_owned(),
        jwks: None,
    };
    let client_id = {
        let tenant = directory.tenant();
        let application = registration(&tenant, call.required("ApplicationId"))?;
        let mut known = application.federated_credentials.iter();
        if known.any(|known| {
            (&known.issuer, &known.subject) == (&made.issuer, &made.subject)
                || known.name == made.name
        }) {
            return Err(bad_request(
                "FederatedIdentityCredential with the same name, or the same issuer and subject, already exists.",
            ));
        }
        application.client_id.clone()
    };
    if call.what_if {
        return Ok(Vec::new());
    }
    let added = made.clone();
    directory.update::<ApplicationEntry>(&client_id, |application| {
        application.federated_credentials.push(added);
    })?;
    let tenant = directory.tenant();
    let application = tenant.application(&client_id);
    Ok(application
        .map(|application| object(application, &made))
        .into_iter()
        .collect())
}

fn get(call: &Call<'_>) -> Output {
    let tenant = call.directory.tenant();
    let application = registration(&tenant, call.required("ApplicationId"))?;
    let all = application.federated_credentials.iter();
    filter::apply(
        call,
        all.map(|credential| object(application, credential))
            .collect(),
    )
}

fn remove(call: &Call<'_>) -> Output {
    let directory = &call.directory;
    let wanted = call.required("FederatedIdentityCredentialId");
    let (client_id, found) = {
        let tenant = directory.tenant();
        let application = registration(&tenant, call.required("ApplicationId"))?;
        let mut all = application.federated_credentials.iter();
        let found = all.find(|credential| {
            id(application, credential).eq_ignore_ascii_case(wanted)
                || credential.name.as_deref() == Some(wanted)
        });
        (
            application.client_id.clone(),
            found.cloned().ok_or_else(|| not_found(wanted))?,
        )
    };
    if !call.what_if {
        directory.update::<ApplicationEntry>(&client_id, |application| {
            application
                .federated_credentials
                .retain(|known| *known != found);
        })?;
    }
    Ok(Vec::new())
}

fn object(application: &Application, credential: &FederatedCredential) -> Value {
    json!({
        "Id": id(application, credential),
        "Name": credential.name,
        "Issuer": credential.issuer,
        "Subject": credential.subject,
        "Audiences": [credential.audience],
    })
}

fn id(application: &Application, credential: &FederatedCredential) -> String {
    let name = format!("{}\n{}", credential.issuer, credential.subject);
    derived_guid(&application.object_id, "federated credential", &name)
}
