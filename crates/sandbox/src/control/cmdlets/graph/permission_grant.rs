//! `New-`, `Get-`, `Update-` and `Remove-MgOauth2PermissionGrant`: consent to delegated permissions, for everybody or
//! for one person.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::call::{Call, Cmdlet, CmdletError, Kind, Output, mandatory, optional};
use super::{
    RESOURCES, SIGN_INS, bad_request, change_admin_consent, filter, not_found, principal, resource,
    resource_id,
};
use crate::directory::{
    ConsentEntry, Entry, Permission, PermissionKind, Resource, Tenant, TenantGuard, derived_guid,
};

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet {
        name: "New-MgOauth2PermissionGrant",
        module: SIGN_INS,
        parameters: &[
            optional("ClientId", Kind::String),
            optional("ConsentType", Kind::String),
            optional("PrincipalId", Kind::String),
            optional("ResourceId", Kind::String),
            optional("Scope", Kind::String),
            optional("BodyParameter", Kind::Hashtable),
        ],
        run: new,
    },
    Cmdlet {
        name: "Get-MgOauth2PermissionGrant",
        module: SIGN_INS,
        parameters: &[
            optional("OAuth2PermissionGrantId", Kind::String),
            optional("Filter", Kind::String),
            optional("Property", Kind::Strings),
            optional("All", Kind::Switch),
            optional("Top", Kind::String),
        ],
        run: get,
    },
    Cmdlet {
        name: "Update-MgOauth2PermissionGrant",
        module: SIGN_INS,
        parameters: &[
            mandatory("OAuth2PermissionGrantId", Kind::String),
            optional("Scope", Kind::String),
            optional("BodyParameter", Kind::Hashtable),
        ],
        run: update,
    },
    Cmdlet {
        name: "Remove-MgOauth2PermissionGrant",
        module: SIGN_INS,
        parameters: &[mandatory("OAuth2PermissionGrantId", Kind::String)],
        run: remove,
    },
];

/// What an application may do at one resource, for everybody or for one person.
#[derive(Clone)]
struct Grant {
    client_id: String,
    /// The application's enterprise application.
    principal: String,
    /// The person's object id.
    person: Option<String>,
    resource: Resource,
    permissions: Vec<Permission>,
}

impl Grant {
    /// All grants of the tenant.
    fn all(tenant: &TenantGuard<'_>) -> Vec<Self> {
        let mut grants = Vec::new();
        for application in tenant.all().enterprise_applications_of(tenant) {
            let people = tenant.users.iter().map(|user| Some(&user.object_id));
            for person in std::iter::once(None).chain(people) {
                let consented =
                    tenant.consented_by(&application.client_id, person.map(String::as_str));
                for resource in RESOURCES {
                    let permissions: Vec<Permission> = consented
                        .iter()
                        .copied()
                        .filter(|permission| {
                            permission.resource() == resource
                                && permission.kind() == PermissionKind::Delegated
                        })
                        .collect();
                    if !permissions.is_empty() {
                        grants.push(Self {
                            client_id: application.client_id.clone(),
                            principal: application.service_principal_id.clone(),
                            person: person.cloned(),
                            resource,
                            permissions,
                        });
                    }
                }
            }
        }
        grants
    }

    fn find(call: &Call<'_>) -> Result<Self, CmdletError> {
        let id = call.required("OAuth2PermissionGrantId");
        Self::all(&call.directory.tenant())
            .into_iter()
            .find(|grant| grant.id().eq_ignore_ascii_case(id))
            .ok_or_else(|| not_found(id))
    }

    fn id(&self) -> String {
        let name = format!(
            "{}\n{}",
            self.resource.application_id(),
            self.person.as_deref().unwrap_or_default()
        );
        derived_guid(&self.principal, "permission grant", &name)
    }

    fn is_for_the_same(&self, other: &Self) -> bool {
        self.id() == other.id()
    }

    /// Keeps the grant's permissions as the ones for its resource, in place of those of before.
    fn keep(&self, call: &Call<'_>) -> Result<(), CmdletError> {
        if call.what_if {
            return Ok(());
        }
        let resource = self.resource;
        let replace = |permissions: &mut Vec<Permission>| {
            permissions.retain(|known| {
                known.resource() != resource || known.kind() != PermissionKind::Delegated
            });
            permissions.extend(&self.permissions);
        };
        let directory = &call.directory;
        let Some(person) = &self.person else {
            return change_admin_consent(call, &self.client_id, replace);
        };
        let mut consent = {
            let tenant = directory.tenant();
            let user = match tenant.user_by_object_id(person) {
                Some(user) => user.address.clone(),
                None => person.clone(),
            };
            ConsentEntry::find(&tenant, &format!("{}/{user}", self.client_id)).unwrap_or_else(
                || ConsentEntry {
                    application: self.client_id.clone(),
                    user,
                    permissions: Vec::new(),
                },
            )
        };
        replace(&mut consent.permissions);
        match consent.permissions.is_empty() {
            true => directory.remove_entry::<ConsentEntry>(&consent.key())?,
            false => directory.put_entry(consent)?,
        }
        Ok(())
    }

    fn object(&self, tenant: &Tenant) -> Value {
        let names: BTreeSet<&str> = self.permissions.iter().map(|known| known.name()).collect();
        json!({
            "Id": self.id(),
            "ClientId": self.principal,
            "ConsentType": if self.person.is_some() { "Principal" } else { "AllPrincipals" },
            "PrincipalId": self.person,
            "ResourceId": resource_id(tenant, self.resource),
            "Scope": names.into_iter().collect::<Vec<_>>().join(" "),
        })
    }
}

fn new(call: &Call<'_>) -> Output {
    let grant = {
        let tenant = call.directory.tenant();
        let application = principal(&tenant, text(call, "ClientId")?)?;
        let resource = resource(&tenant, text(call, "ResourceId")?)?;
        let consent_type = text(call, "ConsentType")?;
        let person = match consent_type {
            kind if kind.eq_ignore_ascii_case("AllPrincipals") => None,
            kind if kind.eq_ignore_ascii_case("Principal") => {
                let id = text(call, "PrincipalId")?;
                let person = tenant.user_by_object_id(id).ok_or_else(|| not_found(id))?;
                Some(person.object_id.clone())
            }
            kind => {
                return Err(bad_request(&format!(
                    "Invalid value specified for property 'consentType': {kind}."
                )));
            }
        };
        let grant = Grant {
            client_id: application.client_id.clone(),
            principal: application.service_principal_id.clone(),
            person,
            resource,
            permissions: permissions(resource, text(call, "Scope")?)?,
        };
        if Grant::all(&tenant)
            .iter()
            .any(|known| known.is_for_the_same(&grant))
        {
            return Err(CmdletError::written(
                "[Request_MultipleObjectsWithSameKeyValue] : Permission entry already exists.",
            ));
        }
        grant
    };
    grant.keep(call)?;
    match call.what_if {
        true => Ok(Vec::new()),
        false => Ok(vec![grant.object(&call.directory.tenant())]),
    }
}

fn get(call: &Call<'_>) -> Output {
    if call.text("OAuth2PermissionGrantId").is_some() {
        let grant = Grant::find(call)?;
        return Ok(vec![grant.object(&call.directory.tenant())]);
    }
    let tenant = call.directory.tenant();
    let all = Grant::all(&tenant);
    filter::apply(
        call,
        all.iter().map(|grant| grant.object(&tenant)).collect(),
    )
}

fn update(call: &Call<'_>) -> Output {
    let mut grant = Grant::find(call)?;
    grant.permissions = permissions(grant.resource, text(call, "Scope")?)?;
    grant.keep(call)?;
    Ok(Vec::new())
}

fn remove(call: &Call<'_>) -> Output {
    let mut grant = Grant::find(call)?;
    grant.permissions.clear();
    grant.keep(call)?;
    Ok(Vec::new())
}

fn text<'c>(call: &'c Call<'_>, name: &str) -> Result<&'c str, CmdletError> {
    call.text(name)
        .or_else(|| call.entry("BodyParameter", name).and_then(Value::as_str))
        .ok_or_else(|| bad_request(&format!("A value is required for property '{name}'.")))
}

/// Scope names of one resource, separated by spaces.
fn permissions(resource: Resource, scope: &str) -> Result<Vec<Permission>, CmdletError> {
    scope
        .split_whitespace()
        .map(|name| {
            Permission::find(resource, name)
                .filter(|permission| permission.kind() == PermissionKind::Delegated)
                .ok_or_else(|| {
                    bad_request(&format!(
                        "{} publishes no delegated permission {name}.",
                        resource.display_name()
                    ))
                })
        })
        .collect()
}
