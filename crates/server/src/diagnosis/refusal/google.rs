//! Google: no numbers, so `error` and words tell.

use super::{AGAIN, Kind, Line, Rule, line, people::SIGN_IN};

pub(super) const RULES: &[Rule] = &[
    Rule::new(
        &[],
        "domain_wide_delegation_missing",
        "The domain has not allowed the service account to open its mailboxes",
        &[
            line("An administrator of the Google Workspace domain: Admin console (admin.google.com) > Security > Access and data control > API controls > Domain-wide delegation > Add new."),
            line("Client ID: {service_account}. OAuth scopes: {app_only_scopes}."),
            line("Allow up to 24 hours for it to spread. Mailboxes of gmail.com cannot be opened this way."),
            AGAIN,
        ],
    )
    .error("unauthorized_client")
    .with(Kind::ServiceAccount),
    Rule::new(
        &[],
        "service_account_scope",
        "The domain has not allowed the service account this scope",
        SERVICE_SCOPE,
    )
    .error("access_denied")
    .with(Kind::ServiceAccount),
    Rule::new(
        &[],
        "service_account_scope",
        "Google knows no such scope",
        SERVICE_SCOPE,
    )
    .error("invalid_scope")
    .with(Kind::ServiceAccount),
    Rule::new(&[], "mailbox_unknown", "The domain has no such mailbox", NO_MAILBOX)
        .error("invalid_grant")
        .says(&["invalid email or user id", "not a valid email"])
        .with(Kind::ServiceAccount),
    Rule::new(&[], "mailbox_unknown", "The domain has no such mailbox", NO_MAILBOX)
        .error("invalid_request")
        .says(&["invalid principal"])
        .with(Kind::ServiceAccount),
    Rule::new(
        &[],
        "service_account_key_unknown",
        "The service account's key is not valid any more",
        &[
            line("Make a new key: Google Cloud console > IAM & Admin > Service accounts > the account > Keys > Add key > JSON, and put the file where service_account.file of application `{application}` says."),
            AGAIN,
        ],
    )
    .error("invalid_grant")
    .says(&["invalid jwt signature", "no key found", "invalid signature"])
    .with(Kind::ServiceAccount),
    Rule::new(
        &[],
        "assertion_time",
        "The service account's signed proof is not valid at this time",
        &[
            line("Set the clock of the gateway's machine (NTP): the proof is made for each request."),
            AGAIN,
        ],
    )
    .error("invalid_grant")
    .says(&["short-lived token", "reasonable timeframe", "iat and exp"])
    .with(Kind::ServiceAccount),
    Rule::new(
        &[],
        "service_account_unknown",
        "Google does not know the service account",
        &[
            line("It may have been deleted or disabled: Google Cloud console > IAM & Admin > Service accounts. Put a key file of an account that exists where service_account.file of application `{application}` says."),
            AGAIN,
        ],
    )
    .error("invalid_grant")
    .says(&["account not found", "account has been deleted", "account is disabled", "invalid grant: account"])
    .with(Kind::ServiceAccount),
    Rule::new(
        &[],
        "reauthentication_policy",
        "The Google Workspace domain demands a new sign-in every so often",
        &[
            SIGN_IN,
            line("It will happen again until an administrator of the domain exempts the application: Admin console > Security > Access and data control > Google Cloud session control > Exempt Trusted apps, and the application ({client_id}) Trusted under API controls."),
        ],
    )
    .error("invalid_grant")
    .says(&["invalid_rapt", "reauth related error"]),
    Rule::new(
        &[],
        "grant_revoked",
        "The grant has ended or was withdrawn",
        &[
            SIGN_IN,
            line("If it ends after seven days each time: the consent screen is in Testing. Google Cloud console > Google Auth Platform > Audience > Publish app (or user type Internal), and then sign in once more."),
            line("Other causes: the person changed the password, took the access back at myaccount.google.com/permissions, or the grant was not used for six months."),
        ],
    )
    .error("invalid_grant")
    .says(&["token has been expired or revoked"]),
    Rule::new(
        &[],
        "application_unknown_to_google",
        "Google does not know the application",
        &[
            line("Check client_id of application `{application}`: {client_id}. Google Cloud console > Google Auth Platform > Clients shows those that exist; a deleted one does not come back."),
            AGAIN,
        ],
    )
    .error("invalid_client")
    .says(&["oauth client was not found"]),
    Rule::new(
        &[],
        "application_disabled",
        "The application is switched off at Google",
        &[
            line("Google Cloud console > Google Auth Platform > Clients > {client_id}: switch it on again; where Google itself has disabled it, its mail to the project's owners says why."),
            AGAIN,
        ],
    )
    .error("disabled_client"),
    Rule::new(
        &[],
        "application_internal",
        "The application is for people of one Google Workspace organization only",
        &[
            line("Google Cloud console > Google Auth Platform > Audience: User type External lets others in; with Internal only people of the organization that owns the project can sign in."),
            SIGN_IN,
        ],
    )
    .error("org_internal"),
    Rule::new(
        &[],
        "application_unknown_to_google",
        "The application was deleted at Google",
        &[
            line("Make a new OAuth client (Google Cloud console > Google Auth Platform > Clients > Create client > Web application) and put its id and secret into application `{application}` of the settings."),
            line("Then everybody signs in again."),
        ],
    )
    .error("deleted_client"),
    Rule::new(
        &[],
        "admin_policy",
        "The Google Workspace domain does not let the application in",
        &[
            line("An administrator of the domain: Admin console > Security > Access and data control > API controls > Manage third-party app access > Configure new app > {client_id} > Trusted."),
            SIGN_IN,
        ],
    )
    .error("admin_policy_enforced"),
];

const SERVICE_SCOPE: &[Line] = &[
    line(
        "The administrator of the Google Workspace domain adds the scope: Admin console > Security > Access and data control > API controls > Domain-wide delegation > the entry of Client ID {service_account} > Edit: {app_only_scopes}.",
    ),
    AGAIN,
];
const NO_MAILBOX: &[Line] = &[
    line(
        "Check the address: it must be the primary address of a person of the Google Workspace domain, not an alias, a group or a gmail.com address.",
    ),
    AGAIN,
];
