//! Google: consent screen and OAuth client, or a service account with domain-wide delegation.

use super::{Guide, Place, Proof, SetUp, Step, finish, registration};

/// People sign in, at Gmail or Workspace.
pub(super) fn delegated(set_up: &SetUp<'_>) -> Guide {
    let title = format!(
        "Sign-in of people for application {} ({})",
        set_up.application, set_up.provider.display_name
    );
    let mut guide = Guide::new(set_up, title);
    guide.needed = vec![
        "A Google Cloud project, and the right to change its Google Auth Platform pages."
            .to_owned(),
    ];
    let uri = set_up.redirect_uri();
    guide.steps = vec![
        Step::new("consent-screen", Place::Portal, "Set up the consent screen", "it is what people see when they sign in")
            .by_hand([
                "https://console.cloud.google.com > Google Auth Platform > Branding: app name, support address, and the domain of the gateway under Authorized domains.",
                "Audience: Internal, if all people are in your Workspace organization (no verification, nothing ends). Otherwise External.",
                "External and Testing: only the people listed as test users can sign in (at most 100), and their refresh tokens end after 7 days. Publish the app (In production) before anybody relies on it.",
            ])
            .open("Google Auth Platform", "https://console.cloud.google.com/auth/overview")
            .without(
                Some("grant_revoked"),
                "in Testing: people outside the list are stopped (access_denied), the others have to sign in again every 7 days",
            ),
        scope_step()
            .by_hand([
                "Google Auth Platform > Data access > Add or remove scopes: https://mail.google.com/ (enter it under Manually add scopes), openid, .../auth/userinfo.email, .../auth/userinfo.profile.",
                "https://mail.google.com/ is a restricted scope. In production and External it needs Google's verification, with a yearly security assessment where mail is kept on servers. Until then people see a warning, and at most 100 of them can agree.",
            ])
            .without(Some("imap_refused"), "without it, or when a person unticks it, the token opens no mailbox"),
        Step::new("registration", Place::Portal, "Make the OAuth client", "the authority knows mailgrant by it")
            .by_hand([
                format!("Google Auth Platform > Clients > Create client. Application type: Web application. Authorized redirect URIs: {uri}"),
                "Note the Client ID and the Client secret; the secret is shown this once.".to_owned(),
            ])
            .open("Clients", "https://console.cloud.google.com/auth/clients")
            .without(
                Some(registration::NOT_RETURNED),
                "without the redirect URI Google shows the person redirect_uri_mismatch and does not send them back",
            ),
        admission(),
        finish::settings(set_up),
        finish::prove_delegated(set_up),
    ];
    guide
}

/// Nobody signs in: a service account in the name of each mailbox.
pub(super) fn service_account(set_up: &SetUp<'_>) -> Guide {
    let set_up = &SetUp {
        proof: match &set_up.proof {
            proof @ Proof::ServiceAccount { .. } => proof.clone(),
            _ => Proof::ServiceAccount { client_id: None },
        },
        ..set_up.clone()
    };
    let title = format!(
        "Service account of application {} with domain-wide delegation ({})",
        set_up.application, set_up.provider.display_name
    );
    let mut guide = Guide::new(set_up, title);
    guide.needed = vec![
        "A Google Cloud project, and a super administrator of the Workspace domain. There is no such way in for gmail.com accounts.".to_owned(),
    ];
    let number = match &set_up.proof {
        Proof::ServiceAccount {
            client_id: Some(number),
        } => number.clone(),
        _ => "the service account's Unique ID (client_id in its JSON file)".to_owned(),
    };
    guide.steps = vec![
        Step::new("service-account", Place::Portal, "Make a service account with a key", "it signs requests in the name of mailboxes")
            .by_hand([
                "https://console.cloud.google.com > IAM & Admin > Service accounts > Create service account; no roles are needed.",
                "Its page > Keys > Add key > Create new key > JSON. The file downloads once; it goes to the gateway's machine. (An organization policy, iam.disableServiceAccountKeyCreation, may forbid keys.)",
            ])
            .open("Service accounts", "https://console.cloud.google.com/iam-admin/serviceaccounts")
            .without(None, "the gateway does not start: the settings name the file"),
        Step::new(
            "delegation",
            Place::Portal,
            "Delegate the domain's mailboxes to it",
            "only the domain's administrator can let it act for people",
        )
        .by_hand([
            "https://admin.google.com > Security > Access and data control > API controls > Manage domain-wide delegation > Add new.".to_owned(),
            format!("Client ID: {number}. OAuth scopes: {}. Authorize. It can take up to 24 hours, usually minutes.", service_scope(set_up)),
        ])
        .open("Domain-wide delegation", "https://admin.google.com/ac/owl/domainwidedelegation")
        .without(
            Some("domain_wide_delegation_missing"),
            "Google answers unauthorized_client: Client is unauthorized to retrieve access tokens using this method",
        ),
        admission(),
        finish::settings(set_up),
        finish::prove_app_only(set_up),
    ];
    guide
}

fn scope_step() -> Step {
    Step::new(
        "permissions",
        Place::Portal,
        "Add the scope https://mail.google.com/",
        "it is the only scope that opens IMAP and SMTP; gmail.readonly and its like are for the Gmail API",
    )
}

fn admission() -> Step {
    Step::new(
        "imap",
        Place::Portal,
        "In a Workspace domain: let IMAP and the application in",
        "an administrator can switch IMAP off for everybody, and block applications that were not admitted",
    )
    .by_hand([
        "https://admin.google.com > Apps > Google Workspace > Gmail > End User Access > POP and IMAP access: IMAP on (for any mail client, or for allowed ones).",
        "https://admin.google.com > Security > Access and data control > API controls > Manage app access: add the client id as Trusted, where access is restricted.",
    ])
    .open("Gmail settings of the domain", "https://admin.google.com/ac/apps/gmail/enduseraccess")
    .without(Some("imap_refused"), "the login fails although the token is in order")
}

fn service_scope(set_up: &SetUp<'_>) -> String {
    match set_up.provider.app_only_scopes.is_empty() {
        true => "https://mail.google.com/".to_owned(),
        false => set_up
            .provider
            .app_only_scopes
            .to_string()
            .replace(' ', ","),
    }
}
