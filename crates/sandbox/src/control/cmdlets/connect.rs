//! `Connect-ExchangeOnline`, `Connect-MgGraph` and their ends: a script may begin with them, nothing needs them.

use serde_json::json;

use super::call::{Call, Cmdlet, CmdletError, Kind, Output, optional};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet {
        name: "Connect-ExchangeOnline",
        module: "ExchangeOnlineManagement",
        parameters: &[
            optional("Organization", Kind::String),
            optional("ExchangeEnvironmentName", Kind::String),
            optional("UserPrincipalName", Kind::String),
            optional("AppId", Kind::String),
            optional("CertificateThumbprint", Kind::String),
            optional("DelegatedOrganization", Kind::String),
            optional("Device", Kind::Switch),
            optional("DisableWAM", Kind::Switch),
            optional("ManagedIdentity", Kind::Switch),
            optional("ShowBanner", Kind::Boolean),
            optional("ShowProgress", Kind::Boolean),
            optional("CommandName", Kind::Strings),
        ],
        run: |call| {
            check_tenant(call, "Organization")?;
            check_tenant(call, "DelegatedOrganization")?;
            Ok(Vec::new())
        },
    },
    Cmdlet {
        name: "Disconnect-ExchangeOnline",
        module: "ExchangeOnlineManagement",
        parameters: &[],
        run: |_| Ok(Vec::new()),
    },
    Cmdlet {
        name: "Connect-MgGraph",
        module: "Microsoft.Graph.Authentication",
        parameters: &[
            optional("Scopes", Kind::Strings),
            optional("TenantId", Kind::String),
            optional("ClientId", Kind::String),
            optional("CertificateThumbprint", Kind::String),
            optional("UseDeviceCode", Kind::Switch),
            optional("Identity", Kind::Switch),
            optional("NoWelcome", Kind::Switch),
            optional("ContextScope", Kind::String),
            optional("Environment", Kind::String),
        ],
        run: |call| {
            check_tenant(call, "TenantId")?;
            Ok(Vec::new())
        },
    },
    Cmdlet {
        name: "Get-MgContext",
        module: "Microsoft.Graph.Authentication",
        parameters: &[],
        run: context,
    },
    Cmdlet {
        name: "Disconnect-MgGraph",
        module: "Microsoft.Graph.Authentication",
        parameters: &[],
        run: |_| Ok(Vec::new()),
    },
];

fn check_tenant(call: &Call<'_>, parameter: &str) -> Result<(), CmdletError> {
    let Some(name) = call.text(parameter) else {
        return Ok(());
    };
    if call.authority.directory.tenants().named(name).is_some() {
        return Ok(());
    }
    Err(CmdletError::Written(format!(
        "AADSTS90002: Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into \
         the correct cloud."
    )))
}

fn context(call: &Call<'_>) -> Output {
    let tenant = call.directory.tenant();
    let administrator = tenant.users.iter().find(|user| user.administrator);
    Ok(vec![json!({
        "TenantId": tenant.id,
        "Account": administrator.map(|user| &user.user_principal_name),
        "AuthType": "Delegated",
        "Environment": "Global",
    })])
}
