//! `Get-`, `New-`, `Update-` and `Remove-MgApplication`: app registrations. Their `Id` is not the one Exchange wants.

use serde_json::{Value, json};

use super::super::call::{Call, Cmdlet, CmdletError, Kind, Output, entry, mandatory, optional};
use super::{APPLICATIONS, RESOURCES, bad_request, filter, key_credential, not_found};
use crate::directory::{
    Application, ApplicationEntry, ApplicationSecret, Audience, Entry, Flow, Permission,
    PermissionKind, Platform, RedirectUri, RedirectUriEntry, Resource, Tenant,
};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet {
        name: "Get-MgApplication",
        module: APPLICATIONS,
        parameters: &[
            optional("ApplicationId", Kind::String),
            optional("Filter", Kind::String),
            optional("Property", Kind::Strings),
            optional("All", Kind::Switch),
            optional("Top", Kind::String),
            optional("ConsistencyLevel", Kind::String),
            optional("CountVariable", Kind::String),
        ],
        run: get,
    },
    Cmdlet {
        name: "New-MgApplication",
        module: APPLICATIONS,
        parameters: &[
            mandatory("DisplayName", Kind::String),
            optional("SignInAudience", Kind::String),
            optional("IsFallbackPublicClient", Kind::Switch),
            optional("RequiredResourceAccess", Kind::Hashtables),
            optional("Web", Kind::Hashtable),
            optional("Spa", Kind::Hashtable),
            optional("PublicClient", Kind::Hashtable),
        ],
        run: new,
    },
    Cmdlet {
        name: "Update-MgApplication",
        module: APPLICATIONS,
        parameters: &[
            mandatory("ApplicationId", Kind::String),
            optional("DisplayName", Kind::String),
            optional("SignInAudience", Kind::String),
            optional("RequiredResourceAccess", Kind::Hashtables),
            optional("Web", Kind::Hashtable),
            optional("Spa", Kind::Hashtable),
            optional("PublicClient", Kind::Hashtable),
            optional("KeyCredentials", Kind::Hashtables),
        ],
        run: update,
    },
    Cmdlet {
        name: "Remove-MgApplication",
        module: APPLICATIONS,
        parameters: &[mandatory("ApplicationId", Kind::String)],
        run: remove,
    },
];

/// The app registration with that object id; its client id is something else.
pub(super) fn registration<'t>(
    tenant: &'t Tenant,
    id: &str,
) -> Result<&'t Application, CmdletError> {
    tenant
        .applications
        .iter()
        .find(|application| application.object_id.eq_ignore_ascii_case(id))
        .ok_or_else(|| not_found(id))
}

pub(super) fn sign_in_audience(audience: Audience) -> &'static str {
    match audience {
        Audience::MyOrganization => "AzureADMyOrg",
        Audience::AnyOrganization => "AzureADMultipleOrgs",
        Audience::AnyOrganizationAndPersonal => "AzureADandPersonalMicrosoftAccount",
        Audience::Personal => "PersonalMicrosoftAccount",
    }
}

/// A secret without its value, which is shown once only.
pub(super) fn password_credential(secret: &ApplicationSecret) -> Value {
    let end = secret
        .expires
        .and_then(|at| jiff::Timestamp::from_second(at.0).ok());
    json!({
        "KeyId": secret.id,
        "DisplayName": secret.display_name,
        "EndDateTime": end.map(|end| end.to_string()),
        "Hint": secret.value.expose().chars().take(3).collect::<String>(),
        "SecretText": null,
    })
}

fn get(call: &Call<'_>) -> Output {
    let tenant = call.directory.tenant();
    match call.text("ApplicationId") {
        Some(id) => {
            let wanted = call.texts("Property");
            let mut object = object(registration(&tenant, id)?);
            let named = |name: &&&str| name.eq_ignore_ascii_case("KeyCredentials");
            if wanted.iter().find(named).is_none() {
                key_credential::without_keys(&mut object);
            }
            Ok(vec![filter::select(object, &wanted)])
        }
        None => filter::apply(call, tenant.applications.iter().map(object).collect()),
    }
}

/// As in Entra, there is no enterprise application yet, and no secret.
fn new(call: &Call<'_>) -> Output {
    let random = &*call.authority.random;
    let mut made = ApplicationEntry::new(random.uuid().to_string(), Flow::AppOnly);
    made.object_id = Some(random.uuid().to_string());
    made.enterprise_application = false;
    made.audience = Audience::MyOrganization;
    made.public = call.switch("IsFallbackPublicClient");
    change(call, &mut made)?;
    if made.redirect_uris.is_empty() && !made.public {
        made.flow = Flow::AppOnly;
    } else {
        made.flow = Flow::Delegated;
    }
    if call.what_if {
        return Ok(Vec::new());
    }
    let directory = &call.directory;
    let client_id = made.client_id.clone();
    directory.put_entry(made)?;
    let tenant = directory.tenant();
    Ok(tenant
        .application(&client_id)
        .map(object)
        .into_iter()
        .collect())
}

fn update(call: &Call<'_>) -> Output {
    let directory = &call.directory;
    let mut changed = {
        let tenant = directory.tenant();
        let application = registration(&tenant, call.required("ApplicationId"))?;
        ApplicationEntry::find(&tenant, &application.client_id)
            .ok_or_else(|| not_found(&application.client_id))?
    };
    change(call, &mut changed)?;
    if let Some(Value::Array(keys)) = call.value("KeyCredentials") {
        let tenant = directory.tenant();
        let application = registration(&tenant, call.required("ApplicationId"))?;
        changed.certificates = key_credential::replaced(application, keys)?;
    }
    if !call.what_if {
        directory.put_entry(changed)?;
    }
    Ok(Vec::new())
}

fn remove(call: &Call<'_>) -> Output {
    let directory = &call.directory;
    let client_id = registration(&directory.tenant(), call.required("ApplicationId"))?
        .client_id
        .clone();
    if !call.what_if {
        directory.remove_entry::<ApplicationEntry>(&client_id)?;
    }
    Ok(Vec::new())
}

fn change(call: &Call<'_>, application: &mut ApplicationEntry) -> Result<(), CmdletError> {
    if let Some(name) = call.text("DisplayName") {
        application.display_name = name.to_owned();
    }
    if let Some(audience) = call.text("SignInAudience") {
        application.audience = [
            Audience::MyOrganization,
            Audience::AnyOrganization,
            Audience::AnyOrganizationAndPersonal,
            Audience::Personal,
        ]
        .into_iter()
        .find(|known| sign_in_audience(*known).eq_ignore_ascii_case(audience))
        .ok_or_else(|| {
            bad_request(&format!(
                "Invalid value specified for property 'signInAudience': {audience}."
            ))
        })?;
    }
    if let Some(Value::Array(access)) = call.value("RequiredResourceAccess") {
        application.permissions = access
            .iter()
            .map(permissions)
            .collect::<Result<Vec<_>, _>>()?
            .concat();
    }
    for (name, platform) in PLATFORMS {
        let Some(table) = call.value(name) else {
            continue;
        };
        let uris = entry(table, "redirectUris").and_then(Value::as_array);
        application
            .redirect_uris
            .retain(|known| known.platform() != platform);
        application
            .redirect_uris
            .extend(
                uris.into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .map(|uri| {
                        RedirectUriEntry::Full(RedirectUri {
                            uri: uri.to_owned(),
                            platform,
                        })
                    }),
            );
    }
    Ok(())
}

/// `@{resourceAppId = …; resourceAccess = @(@{id = …; type = "Role"})}`
fn permissions(access: &Value) -> Result<Vec<Permission>, CmdletError> {
    let app_id = entry(access, "resourceAppId")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let resource = RESOURCES
        .into_iter()
        .find(|resource| resource.application_id().eq_ignore_ascii_case(app_id))
        .ok_or_else(|| {
            bad_request(&format!(
                "Invalid value specified for property 'resourceAppId': {app_id}."
            ))
        })?;
    let wanted = entry(access, "resourceAccess").and_then(Value::as_array);
    wanted
        .into_iter()
        .flatten()
        .map(|wanted| permission(resource, wanted))
        .collect()
}

fn permission(resource: Resource, wanted: &Value) -> Result<Permission, CmdletError> {
    let text = |key| {
        entry(wanted, key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let (id, kind) = (text("id"), text("type"));
    let kind = match kind.eq_ignore_ascii_case("Role") {
        true => PermissionKind::Application,
        false => PermissionKind::Delegated,
    };
    Permission::all(resource)
        .find(|known| known.id().eq_ignore_ascii_case(id) && known.kind() == kind)
        .ok_or_else(|| {
            bad_request(&format!(
                "Invalid value specified for property 'resourceAccess': {} publishes no such permission: {id}.",
                resource.display_name()
            ))
        })
}

fn object(application: &Application) -> Value {
    let uris = |platform: Platform| -> Value {
        let uris = application
            .redirect_uris
            .iter()
            .filter(|known| known.platform == platform);
        json!({"RedirectUris": uris.map(|known| &known.uri).collect::<Vec<_>>()})
    };
    let access = RESOURCES.into_iter().filter_map(|resource| {
        let wanted: Vec<Value> = application
            .permissions
            .iter()
            .filter(|permission| permission.resource() == resource)
            .map(|permission| {
                let kind = match permission.kind() {
                    PermissionKind::Application => "Role",
                    PermissionKind::Delegated => "Scope",
                };
                json!({"Id": permission.id(), "Type": kind})
            })
            .collect();
        (!wanted.is_empty())
            .then(|| json!({"ResourceAppId": resource.application_id(), "ResourceAccess": wanted}))
    });
    let secrets = application.secrets.iter().map(password_credential);
    let keys = application
        .certificates
        .iter()
        .map(|certificate| key_credential::object(application, certificate));
    json!({
        "Id": application.object_id,
        "AppId": application.client_id,
        "DisplayName": application.display_name,
        "SignInAudience": sign_in_audience(application.audience),
        "IsFallbackPublicClient": application.is_public(),
        "Web": uris(Platform::Web),
        "Spa": uris(Platform::Spa),
        "PublicClient": uris(Platform::Native),
        "PasswordCredentials": secrets.collect::<Vec<_>>(),
        "KeyCredentials": keys.collect::<Vec<_>>(),
        "RequiredResourceAccess": access.collect::<Vec<_>>(),
    })
}

const PLATFORMS: [(&str, Platform); 3] = [
    ("Web", Platform::Web),
    ("Spa", Platform::Spa),
    ("PublicClient", Platform::Native),
];
