//! An administrator agrees for the whole tenant: by link, by the portal's button or by command.

use mailgrant_core::authorization::{AdminConsentRequest, admin_consent_url};
use mailgrant_core::scope::Scopes;

use super::{Error, Link, Place, SetUp, Step, cloud, cloud::Cloud, permissions};
use crate::powershell::{Command, Condition, Source, Statement, Value};

/// Consent to the application permissions.
pub(super) fn to_application(set_up: &SetUp<'_>, cloud: &Cloud) -> Result<Step, Error> {
    let mut statements = match set_up.foreign {
        true => permissions::look_up_roles(set_up),
        false => Vec::new(),
    };
    statements.push(Statement::Set("granted", Value::List(Vec::new())));
    statements.push(Statement::ForEach(
        "assignment",
        Source::Command(
            Command::new("Get-MgServicePrincipalAppRoleAssignment")
                .with("ServicePrincipalId", Value::Variable("principal.Id"))
                .with("All", Value::Switch(true)),
        ),
        vec![Statement::Add(
            "granted",
            Value::Variable("assignment.AppRoleId"),
        )],
    ));
    statements.push(Statement::ForEach(
        "role",
        Source::Value(Value::Variable("roles")),
        vec![Statement::If(
            Condition::Lacks(Value::Variable("granted"), Value::Variable("role.Id")),
            vec![Statement::Keep(
                "null",
                Command::new("New-MgServicePrincipalAppRoleAssignment")
                    .with("ServicePrincipalId", Value::Variable("principal.Id"))
                    .with("PrincipalId", Value::Variable("principal.Id"))
                    .with("ResourceId", Value::Variable("exchange.Id"))
                    .with("AppRoleId", Value::Variable("role.Id")),
            )],
            Vec::new(),
        )],
    ));
    let mut step = Step::new(
        "consent",
        Place::Graph,
        "Consent for the tenant",
        "the authority gives a token to an application that was granted nothing, too; it only opens nothing",
    )
    .by_hand([by_hand(set_up, cloud)]);
    step.links = links_for_application(set_up, cloud)?;
    Ok(step
        .run(statements)
        .check(
            Command::new("Get-MgServicePrincipalAppRoleAssignment")
                .with("ServicePrincipalId", Value::Variable("principal.Id"))
                .with("All", Value::Switch(true)),
            &["ResourceDisplayName", "AppRoleId"],
            format!(
                "a line for each of {}, with ResourceDisplayName Office 365 Exchange Online",
                permissions::roles(set_up).join(", ")
            ),
        )
        .without(
            Some("token_lacks_permission"),
            "the token has no roles, and the mail server refuses it",
        ))
}

/// Consent to the delegated permissions, for everybody.
pub(super) fn to_delegated(set_up: &SetUp<'_>, cloud: &Cloud) -> Result<Step, Error> {
    let mut statements = match set_up.foreign {
        true => permissions::look_up_services(),
        false => Vec::new(),
    };
    statements.push(Statement::Set(
        "principalId",
        Value::Variable("principal.Id"),
    ));
    for (resource, names) in [
        ("graph.Id", permissions::identity_scopes(set_up)),
        ("exchange.Id", permissions::mail_scopes(set_up)),
    ] {
        if !names.is_empty() {
            statements.extend(grant(resource, &names));
        }
    }
    let mut step = Step::new(
        "consent",
        Place::Graph,
        "Consent for everybody",
        "since November 2025 Microsoft's policy for user consent lets nobody but an administrator agree to IMAP, POP and SMTP for a new application; in a tenant with a policy of its own people may agree themselves",
    )
    .by_hand([
        format!(
            "{} > Entra ID > Enterprise apps > {} > Permissions > Grant admin consent. Or one of the links below, opened by an administrator. Either replaces the commands.",
            cloud.portal,
            set_up.name()
        ),
        "Or let the first person's sign-in be answered with such a link: the connect session then waits, and goes on when an administrator has agreed.".to_owned(),
        format!(
            "The policy: {} > Entra ID > Enterprise apps > Consent and permissions > User consent settings.",
            cloud.portal
        ),
    ]);
    let mut asked = set_up.provider.scopes.clone();
    if set_up.sends {
        asked = asked.union(&set_up.provider.smtp_scopes);
    }
    step.links = vec![
        link(set_up, "Everything that the registration lists", None)?,
        link(set_up, "What mailgrant asks for", Some(&asked))?,
    ];
    Ok(step.run(statements).without(
        Some("admin_consent_required"),
        "people are stopped (AADSTS90094, AADSTS90095) until an administrator has agreed",
    ))
}

/// The registration is in its own tenant alone; elsewhere there is only what the tenant has of it, and the first of the
/// links makes that too.
fn by_hand(set_up: &SetUp<'_>, cloud: &Cloud) -> String {
    let (place, uri) = (cloud.portal, set_up.redirect_uri());
    match set_up.foreign {
        true => format!(
            "{place} > Entra ID > Enterprise apps > All applications: the one with Application ID {} > Permissions > Grant admin consent. Or one of the links below, opened by an administrator: they admit the application, too. Its registration then has the redirect URI {uri} (type Web). Either replaces the commands.",
            set_up.client_id.as_str()
        ),
        false => format!(
            "{place} > Entra ID > App registrations > {} > API permissions > Grant admin consent. Or one of the links below, opened by an administrator; the registration then needs the redirect URI {uri} (type Web). Either replaces the commands.",
            set_up.name()
        ),
    }
}

/// Both forms of the link; the second with each resource that Microsoft's document names.
fn links_for_application(set_up: &SetUp<'_>, cloud: &Cloud) -> Result<Vec<Link>, Error> {
    let resource = |resource: &str| Scopes::parse(&format!("{resource}/.default"));
    let own = set_up.provider.app_only_scopes.clone();
    let mail = match cloud.has_ps_outlook {
        true => resource("https://ps.outlook.com")?,
        false => own.clone(),
    };
    let mut links = vec![
        link(set_up, "Everything that the registration lists", None)?,
        link(set_up, "IMAP and POP", Some(&mail))?,
    ];
    if set_up.sends && mail != own {
        links.push(link(set_up, "SMTP", Some(&own))?);
    }
    Ok(links)
}

fn link(set_up: &SetUp<'_>, title: &str, scopes: Option<&Scopes>) -> Result<Link, Error> {
    let tenant = match set_up.tenant() {
        Some("common" | "consumers") | None => "organizations",
        Some(tenant) => tenant,
    };
    let authority = cloud::login(set_up.provider, tenant).ok_or(Error::NoTenant)?;
    let url = admin_consent_url(
        &authority,
        &AdminConsentRequest {
            tenant,
            client_id: set_up.client_id,
            redirect_uri: &set_up.redirect_uri(),
            scopes,
            state: None,
        },
    )?;
    // Only the registration knows its id; whoever opens the link puts it in.
    let url = match set_up.is_registered() {
        true => url,
        false => url.replace(super::UNREGISTERED, "CLIENT_ID"),
    };
    Ok(Link {
        title: title.to_owned(),
        url,
    })
}

/// Grants the scopes of one resource to everybody, beside those that were granted before.
fn grant(resource: &'static str, names: &[String]) -> Vec<Statement> {
    let is_it = Condition::Both(
        Box::new(Condition::Equal(
            Value::Variable("candidate.ResourceId"),
            Value::Variable(resource),
        )),
        Box::new(Condition::Equal(
            Value::Variable("candidate.ConsentType"),
            Value::text("AllPrincipals"),
        )),
    );
    vec![
        Statement::Set("grant", Value::Null),
        Statement::ForEach(
            "candidate",
            Source::Command(
                Command::new("Get-MgOauth2PermissionGrant")
                    .with("Filter", Value::Expanded("clientId eq '$principalId'"))
                    .with("All", Value::Switch(true)),
            ),
            vec![Statement::If(
                is_it,
                vec![Statement::Set("grant", Value::Variable("candidate"))],
                Vec::new(),
            )],
        ),
        Statement::If(
            Condition::Is(Value::Variable("grant")),
            vec![
                Statement::Set("granted", Value::Variable("grant.Scope")),
                Statement::ForEach(
                    "name",
                    Source::Value(Value::texts(names.iter().cloned())),
                    vec![Statement::If(
                        Condition::Lacks(Value::Words("granted"), Value::Variable("name")),
                        vec![Statement::Set("granted", Value::Expanded("$granted $name"))],
                        Vec::new(),
                    )],
                ),
                Statement::Run(
                    Command::new("Update-MgOauth2PermissionGrant")
                        .with("OAuth2PermissionGrantId", Value::Variable("grant.Id"))
                        .with("Scope", Value::Variable("granted")),
                ),
            ],
            vec![Statement::Keep(
                "null",
                Command::new("New-MgOauth2PermissionGrant")
                    .with("ClientId", Value::Variable("principal.Id"))
                    .with("ConsentType", Value::Word("AllPrincipals"))
                    .with("ResourceId", Value::Variable(resource))
                    .with("Scope", Value::text(names.join(" "))),
            )],
        ),
    ]
}
