//! What the registration asks for. Ids are looked up by command: nobody types them.

use super::{Access, Place, SetUp, Step, cloud::Cloud};
use crate::cmdlets::{EXCHANGE_ONLINE, MICROSOFT_GRAPH, get_principal};
use crate::powershell::{Command, Condition, Source, Statement, Value};

/// The application permissions of app-only access.
pub(super) fn roles(set_up: &SetUp<'_>) -> Vec<&'static str> {
    match set_up.sends {
        true => vec!["IMAP.AccessAsApp", "SMTP.SendAsApp"],
        false => vec!["IMAP.AccessAsApp"],
    }
}

/// The delegated mail permissions, by the names that Exchange gives them.
pub(super) fn mail_scopes(set_up: &SetUp<'_>) -> Vec<String> {
    let provider = set_up.provider;
    let wanted = match set_up.sends {
        true => provider.scopes.union(&provider.smtp_scopes),
        false => provider.scopes.clone(),
    };
    let names = wanted
        .iter()
        .filter_map(|scope| scope.as_str().rsplit_once('/'));
    names.map(|(_, name)| name.to_owned()).collect()
}

/// The permissions of the sign-in itself, which are Microsoft Graph's.
pub(super) fn identity_scopes(set_up: &SetUp<'_>) -> Vec<String> {
    let scopes = set_up.provider.scopes.iter();
    let names = scopes.map(|scope| scope.as_str().to_owned());
    names.filter(|name| !name.contains('/')).collect()
}

/// Leaves Exchange in `$exchange` and its roles that are wanted in `$roles`.
pub(super) fn look_up_roles(set_up: &SetUp<'_>) -> Vec<Statement> {
    let names = roles(set_up);
    let mut statements = vec![
        Statement::Keep(
            "exchange",
            get_principal(Value::text(format!("appId eq '{EXCHANGE_ONLINE}'"))),
        ),
        needs_exchange(),
        Statement::Set("roles", Value::List(Vec::new())),
        Statement::ForEach(
            "role",
            Source::Value(Value::Variable("exchange.AppRoles")),
            vec![Statement::If(
                Condition::Contains(
                    Value::texts(names.iter().copied()),
                    Value::Variable("role.Value"),
                ),
                vec![Statement::Add("roles", Value::Variable("role"))],
                Vec::new(),
            )],
        ),
    ];
    statements.push(Statement::If(
        Condition::Not(Value::Variable("roles")),
        vec![Statement::Throw(format!(
            "Office 365 Exchange Online publishes no {} in this tenant: has it a subscription with Exchange?",
            names.join(", ")
        ))],
        Vec::new(),
    ));
    statements
}

/// A tenant without a subscription does not know Exchange, and asking nothing for its roles is an error that says little.
fn needs_exchange() -> Statement {
    Statement::If(
        Condition::Not(Value::Variable("exchange")),
        vec![Statement::Throw(
            "This tenant does not know Office 365 Exchange Online: has it a subscription with Exchange?".to_owned(),
        )],
        Vec::new(),
    )
}

/// Lists the application permissions in the registration, keeping those that it lists already.
pub(super) fn of_application(set_up: &SetUp<'_>, cloud: &Cloud) -> Step {
    let names = roles(set_up).join(", ");
    let mut statements = look_up_roles(set_up);
    statements.extend(start_of_list());
    statements.extend(listed("exchange", "roles", "role", "Role"));
    statements.push(written());
    Step::new(
        "permissions",
        Place::Graph,
        format!("List the application permission{} {names}", plural(set_up.sends)),
        "they are permissions of Office 365 Exchange Online. Those of Microsoft Graph, such as Mail.Read, open no mail server",
    )
    .by_hand([format!(
        "{} > Entra ID > App registrations > {} > API permissions > Add a permission > APIs my organization uses > Office 365 Exchange Online > Application permissions: {names}. (The list shows only a part: type Office 365 to find it.)",
        cloud.portal,
        set_up.name()
    )])
    .run(statements)
    .without(
        Some("token_lacks_permission"),
        "an administrator has nothing to consent to, and the token opens nothing",
    )
}

/// Lists the delegated permissions.
pub(super) fn delegated(set_up: &SetUp<'_>, cloud: &Cloud) -> Step {
    let mail = mail_scopes(set_up);
    let identity = identity_scopes(set_up);
    let asked: Vec<&str> = set_up
        .provider
        .scopes
        .iter()
        .map(|scope| scope.as_str())
        .collect();
    let mut statements = Vec::new();
    // A tenant in which an application for personal accounts is registered may have no Exchange. Graph, which is
    // everywhere, publishes the mail permissions too.
    let wanted = match set_up.provider.id.as_str() {
        "outlook" => {
            statements.push(service("graph", MICROSOFT_GRAPH));
            vec![("graph", "scopes", [identity.clone(), mail.clone()].concat())]
        }
        _ => {
            statements.extend(look_up_services());
            vec![
                ("graph", "identityScopes", identity.clone()),
                ("exchange", "mailScopes", mail.clone()),
            ]
        }
    };
    statements.extend(start_of_list());
    for (resource, found, names) in wanted {
        let published = match resource {
            "graph" => "graph.Oauth2PermissionScopes",
            _ => "exchange.Oauth2PermissionScopes",
        };
        statements.push(Statement::Set(found, Value::List(Vec::new())));
        statements.push(Statement::ForEach(
            "scope",
            Source::Value(Value::Variable(published)),
            vec![Statement::If(
                Condition::Contains(Value::texts(names), Value::Variable("scope.Value")),
                vec![Statement::Add(found, Value::Variable("scope"))],
                Vec::new(),
            )],
        ));
        statements.extend(listed(resource, found, "scope", "Scope"));
    }
    statements.push(written());
    Step::new(
        "permissions",
        Place::Graph,
        "List the delegated permissions",
        "people and administrators then see beforehand what they are asked for",
    )
    .by_hand([
        format!(
            "{} > Entra ID > App registrations > {} > API permissions > Add a permission > Microsoft Graph > Delegated permissions: {}.",
            cloud.portal,
            set_up.name(),
            identity.iter().chain(&mail).map(String::as_str).collect::<Vec<_>>().join(", ")
        ),
        format!(
            "The portal lists the mail permissions under Microsoft Graph. What mailgrant asks for is nevertheless: {}. A bare name would give a token for Graph, which no mail server takes.",
            asked.join(" ")
        ),
    ])
    .run(statements)
    .without(
        None,
        match set_up.access {
            Access::Delegated => "each sign-in still asks for what it needs; the link without a scope then asks for nothing",
            Access::AppOnly => "",
        },
    )
}

/// The two services whose delegated permissions are asked for, in `$graph` and `$exchange`.
pub(super) fn look_up_services() -> Vec<Statement> {
    vec![
        service("graph", MICROSOFT_GRAPH),
        service("exchange", EXCHANGE_ONLINE),
        needs_exchange(),
    ]
}

/// A service that the tenant knows, in a variable.
fn service(variable: &'static str, app_id: &str) -> Statement {
    let filter = Value::text(format!("appId eq '{app_id}'"));
    Statement::Keep(variable, get_principal(filter))
}

/// The registration's list, taken apart as it goes: `$required` collects it anew.
fn start_of_list() -> Vec<Statement> {
    vec![
        Statement::Set("required", Value::List(Vec::new())),
        Statement::ForEach(
            "access",
            Source::Value(Value::Variable("application.RequiredResourceAccess")),
            vec![Statement::Add("required", Value::Variable("access"))],
        ),
    ]
}

/// Puts what was found at a resource into `$required`, beside what is listed of it already.
fn listed(
    resource: &'static str,
    found: &'static str,
    each: &'static str,
    kind: &'static str,
) -> Vec<Statement> {
    let (app_id, id) = match (resource, each) {
        ("graph", _) => ("graph.AppId", "scope.Id"),
        (_, "role") => ("exchange.AppId", "role.Id"),
        _ => ("exchange.AppId", "scope.Id"),
    };
    vec![
        Statement::Set("listed", Value::List(Vec::new())),
        Statement::Set("others", Value::List(Vec::new())),
        Statement::ForEach(
            "access",
            Source::Value(Value::Variable("required")),
            vec![Statement::If(
                Condition::Equal(
                    Value::Variable("access.ResourceAppId"),
                    Value::Variable(app_id),
                ),
                vec![Statement::Add(
                    "listed",
                    Value::Variable("access.ResourceAccess"),
                )],
                vec![Statement::Add("others", Value::Variable("access"))],
            )],
        ),
        Statement::ForEach(
            each,
            Source::Value(Value::Variable(found)),
            vec![
                Statement::Set("known", Value::Bool(false)),
                Statement::ForEach(
                    "entry",
                    Source::Value(Value::Variable("listed")),
                    vec![Statement::If(
                        Condition::Equal(Value::Variable("entry.Id"), Value::Variable(id)),
                        vec![Statement::Set("known", Value::Bool(true))],
                        Vec::new(),
                    )],
                ),
                Statement::If(
                    Condition::Not(Value::Variable("known")),
                    vec![Statement::Add(
                        "listed",
                        Value::Table(vec![
                            ("id", Value::Variable(id)),
                            ("type", Value::Text(kind.to_owned())),
                        ]),
                    )],
                    Vec::new(),
                ),
            ],
        ),
        Statement::Set("required", Value::Variable("others")),
        Statement::Add(
            "required",
            Value::Table(vec![
                ("resourceAppId", Value::Variable(app_id)),
                ("resourceAccess", Value::Variable("listed")),
            ]),
        ),
    ]
}

fn written() -> Statement {
    Statement::Run(
        Command::new("Update-MgApplication")
            .with("ApplicationId", Value::Variable("application.Id"))
            .with("RequiredResourceAccess", Value::Variable("required")),
    )
}

fn plural(many: bool) -> &'static str {
    if many { "s" } else { "" }
}
