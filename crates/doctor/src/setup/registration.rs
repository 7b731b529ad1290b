//! Signing in to Microsoft Graph, the app registration and the Enterprise application.

use super::{Access, Place, SetUp, Step, cloud::Cloud};
use crate::cmdlets::get_principal;
use crate::powershell::{Command, Condition, Source, Statement, Value};

/// Connects, to the tenant if it is known.
pub(super) fn sign_in(set_up: &SetUp<'_>, cloud: &Cloud, scopes: &[&str]) -> Step {
    let mut connect =
        Command::new("Connect-MgGraph").with("Scopes", Value::texts(scopes.iter().copied()));
    if let Some(tenant) = set_up.tenant() {
        connect = connect.with("TenantId", Value::text(tenant));
    }
    let connect = connect
        .with("Environment", Value::Word(cloud.graph))
        .with("NoWelcome", Value::Switch(true));
    let whose = set_up.tenant().unwrap_or("the administrator's own tenant");
    Step::new(
        "graph-sign-in",
        Place::Graph,
        "Sign in to Microsoft Graph PowerShell",
        "the app registration, its permissions and the consent belong to Entra ID",
    )
    .by_hand(cloud.graph_client.map(str::to_owned))
    .run([Statement::Run(connect)])
    .check(
        Command::new("Get-MgContext"),
        &["TenantId", "Account"],
        format!("TenantId is that of {whose}"),
    )
    .without(
        None,
        "every following command says: Authentication needed. Please call Connect-MgGraph.",
    )
}

/// Finds the app registration, or makes it when the settings name none yet. Leaves `$application` and `$clientId`.
pub(super) fn registration(set_up: &SetUp<'_>, cloud: &Cloud, audience: &'static str) -> Step {
    let name = set_up.name();
    let mut statements = match set_up.is_registered() {
        true => found_by_id(set_up),
        false => found_by_name_or_made(&name, audience),
    };
    statements.push(Statement::Say(
        "client_id for the settings:".to_owned(),
        Some(Value::Variable("clientId")),
    ));
    let by_hand = match set_up.is_registered() {
        true => format!(
            "{} > Entra ID > App registrations > All applications: the one with Application (client) ID {}.",
            cloud.portal,
            set_up.client_id.as_str()
        ),
        false => format!(
            "{} > Entra ID > App registrations > New registration. Name: {name}. Supported account types: {}. No redirect URI yet. Register; note the Application (client) ID.",
            cloud.portal,
            account_types(audience)
        ),
    };
    Step::new(
        "registration",
        Place::Graph,
        if set_up.is_registered() {
            "Find the app registration"
        } else {
            "Make the app registration"
        },
        "the authority knows mailgrant by it",
    )
    .by_hand([by_hand])
    .run(statements)
    .check(
        Command::new("Get-MgApplication").with("ApplicationId", Value::Variable("application.Id")),
        &["DisplayName", "AppId", "SignInAudience"],
        format!("AppId is the client_id of the settings, SignInAudience is {audience}"),
    )
    .without(
        match set_up.access {
            Access::AppOnly => Some(UNKNOWN_APPLICATION),
            Access::Delegated => Some(NOT_RETURNED),
        },
        match set_up.access {
            Access::AppOnly => "the authority does not know the client id (AADSTS700016)",
            Access::Delegated => {
                "the authority shows the person AADSTS700016 and does not send them back"
            }
        },
    )
}

/// Finds the Enterprise application or makes it. Leaves it in `$principal`: its `Id` is the one that Exchange wants.
pub(super) fn enterprise_application(set_up: &SetUp<'_>, cloud: &Cloud) -> Step {
    let mut statements = Vec::new();
    if set_up.foreign {
        statements.push(Statement::Set(
            "clientId",
            Value::text(set_up.client_id.as_str()),
        ));
    }
    statements.push(Statement::Keep(
        "principal",
        get_principal(Value::Expanded("appId eq '$clientId'")),
    ));
    statements.push(Statement::If(
        Condition::Not(Value::Variable("principal")),
        vec![Statement::Keep(
            "principal",
            Command::new("New-MgServicePrincipal").with("AppId", Value::Variable("clientId")),
        )],
        Vec::new(),
    ));
    statements.push(Statement::Say(
        "object id of the Enterprise application:".to_owned(),
        Some(Value::Variable("principal.Id")),
    ));
    Step::new(
        "enterprise-application",
        Place::Graph,
        "Fetch the Enterprise application, making it if it is not there",
        "it is the application in this tenant: consent hangs on it, and Exchange is told its object id. That of the app registration looks the same and does not work",
    )
    .by_hand([format!(
        "{} > Entra ID > Enterprise apps > All applications: {}. Its Object ID is on the Overview page.{}",
        cloud.portal,
        match set_up.foreign {
            true => format!("the one with Application ID {}", set_up.client_id.as_str()),
            false => set_up.name(),
        },
        match set_up.foreign {
            true => " Where it is missing, a link of the next step makes it.",
            false => "",
        }
    )])
    .run(statements)
    .check(
        get_principal(Value::Expanded("appId eq '$clientId'")),
        &["DisplayName", "AppId", "Id"],
        "one object; its Id is another than that of the app registration",
    )
    .without(
        match set_up.access {
            Access::AppOnly => Some(UNKNOWN_APPLICATION),
            Access::Delegated => None,
        },
        match set_up.access {
            Access::AppOnly => "the tenant does not know the application (AADSTS700016, AADSTS7000229)",
            Access::Delegated => "the first consent makes it",
        },
    )
}

fn found_by_id(set_up: &SetUp<'_>) -> Vec<Statement> {
    let client_id = set_up.client_id.as_str();
    vec![
        Statement::Set("clientId", Value::text(client_id)),
        Statement::Keep(
            "application",
            Command::new("Get-MgApplication")
                .with("Filter", Value::Expanded("appId eq '$clientId'")),
        ),
        Statement::If(
            Condition::Not(Value::Variable("application")),
            vec![Statement::Throw(format!(
                "No app registration of this tenant has the client id {client_id}: sign in to the tenant that has it, or correct client_id in the settings."
            ))],
            Vec::new(),
        ),
    ]
}

/// Names of registrations are not unique: none is taken by chance.
fn found_by_name_or_made(name: &str, audience: &'static str) -> Vec<Statement> {
    // OData doubles the quotation mark.
    let filter = format!("displayName eq '{}'", name.replace('\'', "''"));
    vec![
        Statement::Set("application", Value::Null),
        Statement::ForEach(
            "candidate",
            Source::Command(Command::new("Get-MgApplication").with("Filter", Value::text(filter))),
            vec![
                Statement::If(
                    Condition::Is(Value::Variable("application")),
                    vec![Statement::Throw(format!(
                        "Several app registrations are called {name}: put the client id of the right one into the settings."
                    ))],
                    Vec::new(),
                ),
                Statement::Set("application", Value::Variable("candidate")),
            ],
        ),
        Statement::If(
            Condition::Not(Value::Variable("application")),
            vec![Statement::Keep(
                "application",
                Command::new("New-MgApplication")
                    .with("DisplayName", Value::text(name))
                    .with("SignInAudience", Value::Word(audience)),
            )],
            Vec::new(),
        ),
        Statement::Set("clientId", Value::Variable("application.AppId")),
    ]
}

pub(super) fn account_types(audience: &str) -> &'static str {
    match audience {
        "AzureADMyOrg" => "Accounts in this organizational directory only",
        "AzureADMultipleOrgs" => "Accounts in any organizational directory",
        "PersonalMicrosoftAccount" => "Personal Microsoft accounts only",
        _ => "Accounts in any organizational directory and personal Microsoft accounts",
    }
}

/// Of connect sessions whose person the authority keeps.
pub(super) const NOT_RETURNED: &str = "not_returned";
const UNKNOWN_APPLICATION: &str = "application_not_in_tenant";
