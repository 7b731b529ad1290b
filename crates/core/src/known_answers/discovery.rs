//! Discovery documents.

use super::Table;
use crate::discovery::{Metadata, MetadataError};

pub(super) fn check(table: &mut Table) {
    for (name, document, template, tenant) in GOOD {
        let found = Metadata::parse(document.as_bytes())
            .and_then(|metadata| metadata.check_issuer(template, tenant).map(|()| metadata));
        table.equal(
            name,
            found.map(|metadata| metadata.token_endpoint.as_str().ends_with("/token")),
            true,
        );
    }
    for (name, document, template, tenant) in REFUSED {
        table.refused(
            name,
            Metadata::parse(document.as_bytes())
                .and_then(|metadata| metadata.check_issuer(template, tenant)),
        );
    }
    table.equal(
        "Entra: members of the document",
        Metadata::parse(ENTRA.as_bytes()).map(|metadata| {
            (
                metadata
                    .token_endpoint_auth_methods_supported
                    .unwrap_or_default()
                    .len(),
                metadata.device_authorization_endpoint.is_some(),
                metadata.end_session_endpoint.is_some(),
                metadata.authorization_response_iss_parameter_supported,
            )
        }),
        (3, true, true, false),
    );
    table.equal(
        "another issuer's document",
        match Metadata::parse(GOOGLE.as_bytes())
            .and_then(|metadata| metadata.check_issuer("https://corp.test", ""))
        {
            Err(MetadataError::Issuer { expected, found }) => Ok((expected, found)),
            other => Err(other),
        },
        (
            "https://corp.test".to_owned(),
            "https://accounts.google.com".to_owned(),
        ),
    );
}

/// Name, document, configured issuer, tenant.
type Document = (&'static str, &'static str, &'static str, &'static str);

const GOOD: &[Document] = &[
    (
        "Entra: document of organizations",
        ENTRA,
        ENTRA_ISSUER,
        "organizations",
    ),
    (
        "Entra: document of a domain",
        ENTRA_TENANT,
        ENTRA_ISSUER,
        "contoso.onmicrosoft.com",
    ),
    (
        "Entra: document of a tenant id",
        ENTRA_TENANT,
        ENTRA_ISSUER,
        "8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd",
    ),
    (
        "Google: document",
        GOOGLE,
        "https://accounts.google.com",
        "",
    ),
];

const REFUSED: &[Document] = &[
    (
        "Entra: document of another tenant",
        ENTRA_TENANT,
        ENTRA_ISSUER,
        "11111111-2222-3333-4444-555555555555",
    ),
    (
        "a document with an endpoint that is not https",
        NOT_HTTPS,
        "https://corp.test",
        "",
    ),
    (
        "a page instead of a document",
        "<html></html>",
        "https://corp.test",
        "",
    ),
];

const ENTRA_ISSUER: &str = "https://login.microsoftonline.com/{tenant}/v2.0";

const ENTRA: &str = r#"{
    "token_endpoint":"https://login.microsoftonline.com/organizations/oauth2/v2.0/token",
    "token_endpoint_auth_methods_supported":["client_secret_post","private_key_jwt","client_secret_basic"],
    "jwks_uri":"https://login.microsoftonline.com/organizations/discovery/v2.0/keys",
    "response_modes_supported":["query","fragment","form_post"],
    "subject_types_supported":["pairwise"],
    "id_token_signing_alg_values_supported":["RS256"],
    "scopes_supported":["openid","profile","email","offline_access"],
    "issuer":"https://login.microsoftonline.com/{tenantid}/v2.0",
    "request_uri_parameter_supported":false,
    "userinfo_endpoint":"https://graph.microsoft.com/oidc/userinfo",
    "authorization_endpoint":"https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize",
    "device_authorization_endpoint":"https://login.microsoftonline.com/organizations/oauth2/v2.0/devicecode",
    "http_logout_supported":true,"frontchannel_logout_supported":true,
    "end_session_endpoint":"https://login.microsoftonline.com/organizations/oauth2/v2.0/logout",
    "tenant_region_scope":null,"cloud_instance_name":"microsoftonline.com",
    "msgraph_host":"graph.microsoft.com"}"#;

const ENTRA_TENANT: &str = r#"{
    "token_endpoint":"https://login.microsoftonline.com/8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd/oauth2/v2.0/token",
    "jwks_uri":"https://login.microsoftonline.com/8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd/discovery/v2.0/keys",
    "issuer":"https://login.microsoftonline.com/8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd/v2.0",
    "authorization_endpoint":"https://login.microsoftonline.com/8a61fd74-2f8e-4d27-9b66-9cbd2a6de1cd/oauth2/v2.0/authorize",
    "tenant_region_scope":"EU"}"#;

const GOOGLE: &str = r#"{"issuer":"https://accounts.google.com",
    "authorization_endpoint":"https://accounts.google.com/o/oauth2/v2/auth",
    "device_authorization_endpoint":"https://oauth2.googleapis.com/device/code",
    "token_endpoint":"https://oauth2.googleapis.com/token",
    "userinfo_endpoint":"https://openidconnect.googleapis.com/v1/userinfo",
    "revocation_endpoint":"https://oauth2.googleapis.com/revoke",
    "jwks_uri":"https://www.googleapis.com/oauth2/v3/certs",
    "token_endpoint_auth_methods_supported":["client_secret_post","client_secret_basic"],
    "code_challenge_methods_supported":["plain","S256"]}"#;

const NOT_HTTPS: &str = r#"{"issuer":"https://corp.test",
    "authorization_endpoint":"https://corp.test/authorize","token_endpoint":"http://corp.test/token"}"#;
