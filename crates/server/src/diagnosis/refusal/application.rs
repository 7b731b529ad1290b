//! The application's registration, the tenant, and what is asked for.

use super::{AGAIN, Kind, Line, Rule, app_only, delegated, line, people::SIGN_IN, with};

pub(super) const RULES: &[Rule] = &[
    Rule::new(
        &[90_112],
        "client_id_malformed",
        "The client id is not one of Entra's",
        CLIENT_ID,
    ),
    Rule::new(
        &[700_016, 700_011, 70_001, 7_000_229, 90_099],
        "application_not_in_tenant",
        "The tenant does not know the application",
        &[
            line(
                "Check client_id of application `{application}`: {client_id} must be the Application (client) ID on the registration's overview, not its Object ID and not a Secret ID.",
            ),
            line(
                "Check the tenant: {tenant} was asked; Directory (tenant) ID on the overview is the registration's own.",
            ),
            line(
                "Where {tenant} is another organisation than the registration's, an administrator there opens the administrator consent link; that puts the application into their tenant. The registration must be for accounts in any organizational directory.",
            ),
            AGAIN,
        ],
    ),
    Rule::new(
        &[90_002],
        "tenant_unknown",
        "There is no such tenant",
        &[
            line(
                "{tenant} was asked. Copy Directory (tenant) ID from Microsoft Entra admin center > Overview, or a domain of the tenant.",
            ),
            CLOUD,
            AGAIN,
        ],
    ),
    Rule::new(
        &[900_023, 90_013],
        "tenant_malformed",
        "The tenant is neither an id nor a domain",
        &[
            line(
                "{tenant} was asked. Write Directory (tenant) ID, such as 00000000-0000-0000-0000-000000000000, or a domain of the tenant.",
            ),
            AGAIN,
        ],
    ),
    Rule::new(
        &[50_059, 50_128, 90_019, 90_133],
        "tenant_missing",
        "The request does not say for which tenant it is",
        &[
            line(
                "Set `tenant` of application `{application}` to the tenant's id or domain; for an app-only account of a multi-tenant application give the customer's `tenant` with the address.",
            ),
            AGAIN,
        ],
    ),
    Rule::new(
        &[50_194],
        "application_single_tenant",
        "The application is registered for one tenant only",
        &[
            line(
                "Set `tenant` of application `{application}` to the registration's Directory (tenant) ID.",
            ),
            line(
                "Or let other tenants in: App registrations > {client_id} > Authentication > Supported account types > Accounts in any organizational directory.",
            ),
            AGAIN,
        ],
    ),
    Rule::new(
        &[9_002_332, 90_130, 90_124, 9_001_023, 9_002_331, 9_002_346],
        "application_not_for_these_accounts",
        "The application is not registered for accounts of this kind",
        &[
            line(
                "{tenant} was asked. App registrations > {client_id} > Authentication > Supported account types says whose accounts may sign in; set `tenant` of application `{application}` to fit: the tenant's id, `organizations`, `consumers` or `common`.",
            ),
            AGAIN,
        ],
    ),
    Rule::new(
        &[90_038, 90_043, 90_051, 900_382, 900_432, 1_000_104],
        "tenant_in_another_cloud",
        "The tenant lives in another of Microsoft's clouds",
        &[
            CLOUD,
            line(
                "The application has to be registered in that cloud too: its client id and credential are others.",
            ),
            AGAIN,
        ],
    ),
    Rule::new(
        &[7_000_112, 1_000_031],
        "application_disabled",
        "The application is switched off in the tenant",
        &[
            line(
                "An administrator of {tenant} switches it on: Microsoft Entra admin center > Enterprise applications > {client_id} > Properties > Enabled for users to sign-in > Yes.",
            ),
            line(
                "A registration that Microsoft or its owner has deactivated says so on its overview page.",
            ),
            AGAIN,
        ],
    ),
    Rule::new(
        &[65_002],
        "application_of_microsoft",
        "The client id is one of Microsoft's own, or of somebody else's program",
        &[
            line(
                "{client_id} is set as client_id of application `{application}`. Register an application of your own: `mailgrant setup --application {application}` prints the steps.",
            ),
            AGAIN,
        ],
    ),
    Rule::new(
        &[50_002, 500_021, 500_022],
        "tenant_restricted",
        "A proxy on the way lets nobody sign in to this tenant",
        &[
            line(
                "The organisation whose network the request comes from restricts tenants (header Restrict-Access-To-Tenants of its proxy): its administrator adds {tenant}, or the request takes a way around that proxy.",
            ),
            SIGN_IN,
            AGAIN,
        ],
    ),
    Rule::new(
        &[500_212, 500_213],
        "cross_tenant_policy",
        "A policy between the two organisations forbids the sign-in",
        &[
            line(
                "Microsoft Entra admin center > External Identities > Cross-tenant access settings: an administrator allows it, outbound in the person's own tenant (AADSTS500212) or inbound in {tenant} (AADSTS500213).",
            ),
            SIGN_IN,
            AGAIN,
        ],
    ),
    Rule::new(
        &[
            50_033, 50_087, 70_012, 90_006, 90_012, 90_024, 90_033, 90_090,
        ],
        "authority_unavailable",
        "The authority is busy or has a fault of its own",
        &[line(
            "This passes by itself when the authority answers again; the gateway asks again.",
        )],
    ),
    Rule::new(
        &[90_055],
        "authority_throttled",
        "The authority asks for a pause",
        &[line("Wait; the gateway tries again by itself.")],
    ),
    Rule::new(
        &[1_002_012],
        "scope_not_default",
        "An application's own scope must end in /.default",
        &[
            line(
                "Set app_only_scopes = [\"https://outlook.office365.com/.default\"] (in China https://partner.outlook.cn/.default, for GCC High and DoD https://outlook.office365.us/.default); `{app_only_scopes}` was asked for.",
            ),
            AGAIN,
        ],
    ),
    Rule::new(
        &[70_011, 28_000, 28_002, 28_003, 700_022, 700_023, 650_053],
        "authority_invalid_scope",
        "The authority does not take the scopes that were asked for",
        SCOPES,
    ),
    Rule::new(
        &[500_011, 50_001, 500_014, 650_052, 650_054],
        "resource_not_in_tenant",
        "The tenant has no such service",
        &[
            delegated(
                "`{scopes}` was asked for: the part before the last slash names the service. Worldwide it is https://outlook.office.com, in China https://partner.outlook.cn, for GCC High and DoD https://outlook.office365.us.",
            ),
            app_only(
                "`{app_only_scopes}` was asked for: the part before the last slash names the service. Worldwide it is https://outlook.office365.com, in China https://partner.outlook.cn, for GCC High and DoD https://outlook.office365.us.",
            ),
            line(
                "Check that {tenant} is the right tenant and has Exchange Online: without a licence for it the service is missing.",
            ),
            AGAIN,
        ],
    ),
    Rule::new(
        &[650_056, 650_057, 65_005, 65_006],
        "permission_not_registered",
        "The registration does not list the permission",
        &[
            app_only(
                "App registrations > {client_id} > API permissions > Add a permission > APIs my organization uses > Office 365 Exchange Online > Application permissions > IMAP.AccessAsApp.",
            ),
            delegated(
                "App registrations > {client_id} > API permissions > Add a permission > Microsoft Graph > Delegated permissions > IMAP.AccessAsUser.All (it counts for Exchange too).",
            ),
            line("Then Grant admin consent on the same page."),
            AGAIN,
        ],
    ),
    Rule::new(
        &[50_011, 500_113, 500_112, 900_971, 70_004],
        "redirect_uri_unknown",
        "The redirect URI is not registered",
        &[
            line(
                "Add the gateway's redirect URI (public_url followed by /oauth/callback), to the letter: App registrations > {client_id} > Authentication > Add a platform > Web.",
            ),
            AGAIN,
        ],
    ),
    Rule::new(
        &[9_002_327, 9_002_326, 9_002_325, 700_084],
        "redirect_uri_of_wrong_type",
        "The redirect URI is registered for single-page applications",
        &[
            line(
                "App registrations > {client_id} > Authentication: remove the gateway's redirect URI from Single-page application and add it under Web. Grants made through the former end after 24 hours.",
            ),
            line("Then the person connects again."),
        ],
    ),
    Rule::new(
        &[501_481, 50_147, 50_148, 501_491, 700_005],
        "sign_ins_mixed_up",
        "The answer belongs to another sign-in",
        &[line(
            "Start again, in one window: two sign-ins of one person were mixed up.",
        )],
    ),
    Rule::new(
        &[
            70_003, 70_005, 70_007, 700_054, 900_144, 90_004, 90_014, 90_023, 90_056, 90_100,
            9_002_313, 900_561, 901_002, 90_027, 500_201,
        ],
        "authority_invalid_request",
        "The authority cannot read the request",
        REQUEST,
    ),
];

/// By `error` alone, where no number and no words tell more.
pub(super) const BY_ERROR: &[Rule] = &[
    Rule::new(
        &[],
        "access_denied",
        "Access was not granted",
        &[
            delegated("Try again and agree to the permissions that are shown."),
            app_only("The authority's administrator allows the application this access."),
        ],
    )
    .error("access_denied"),
    Rule::new(
        &[],
        "authority_invalid_client",
        "The authority does not accept the application's credential",
        &[
            line("Check client_id ({client_id}) of application `{application}` in the settings."),
            with(Kind::Secret, "Check that client_secret_file holds the secret's value, not its id, and that it has not expired; if so make a new one and put it there."),
            with(Kind::Certificate, "Check that the authority has the certificate's public part, that it has not expired, and that it takes proofs of this form (certificate.algorithm, certificate.audience, certificate.key_id)."),
            with(Kind::Federated, "Check that the registration trusts the token in the file of `federated`: issuer {issuer}, subject {subject}, audience {audience}."),
            with(Kind::ServiceAccount, "Check that the key in the service account's file has not been deleted or disabled."),
            with(Kind::None, "Where the registration has a secret, give it: client_secret_file."),
            AGAIN,
        ],
    )
    .error("invalid_client"),
    Rule::new(
        &[],
        "authority_unauthorized_client",
        "The authority does not know the application, or not for this",
        &[
            line("Check client_id ({client_id}) and tenant ({tenant}) of application `{application}` in the settings."),
            app_only("Check that the registration allows the client credentials grant."),
            delegated("Check that the registration allows the authorization code and refresh token grants."),
            AGAIN,
        ],
    )
    .error("unauthorized_client"),
    Rule::new(
        &[],
        "authority_invalid_scope",
        "The authority does not take the scopes that were asked for",
        SCOPES,
    )
    .error("invalid_scope"),
    Rule::new(
        &[],
        "resource_not_in_tenant",
        "The authority does not know the service that is asked for",
        SCOPES,
    )
    .error("invalid_resource"),
    Rule::new(
        &[],
        "grant_type_unsupported",
        "The authority does not offer this flow",
        &[
            app_only("Allow the client credentials grant for application {client_id}, or connect the mailbox by a person's sign-in."),
            delegated("Allow the authorization code and refresh token grants for application {client_id}."),
            AGAIN,
        ],
    )
    .error("unsupported_grant_type"),
    Rule::new(
        &[],
        "authority_invalid_request",
        "The authority cannot read the request",
        REQUEST,
    )
    .error("invalid_request"),
];

/// An administrator must agree first.
pub(super) const CONSENT: Rule = Rule::new(
    &[],
    "admin_consent_required",
    "An administrator must agree first",
    &[
        line("Send the administrator consent link to an administrator of your organisation."),
        delegated(
            "When the administrator has agreed, go back to the site and press its button again, or open once more the link that you were sent.",
        ),
        app_only("When the administrator has agreed, try again."),
    ],
);

/// Nothing is known of it.
pub(super) const UNKNOWN: Rule = Rule::new(
    &[],
    "authority_refused",
    "The authority refused",
    &[line(
        "Look the authority's numbers up in its documentation, or run `mailgrant doctor`.",
    )],
);

const CLIENT_ID: &[Line] = &[
    line(
        "{client_id} is set as client_id of application `{application}`; it must be the Application (client) ID on the registration's overview, of the form 00000000-0000-0000-0000-000000000000.",
    ),
    AGAIN,
];
const CLOUD: Line = line(
    "For a tenant of US Government or China choose that cloud's provider: microsoft365-gcc-high, microsoft365-dod or microsoft365-china.",
);
const SCOPES: &[Line] = &[
    delegated(
        "`{scopes}` was asked for: check scopes in the settings against the permissions of the registration. Exchange's are https://outlook.office.com/IMAP.AccessAsUser.All and offline_access, all of one service.",
    ),
    app_only(
        "`{app_only_scopes}` was asked for: check app_only_scopes in the settings. Exchange's is https://outlook.office365.com/.default, and nothing beside it.",
    ),
    AGAIN,
];
const REQUEST: &[Line] = &[
    line(
        "Check the provider's endpoints in the settings: token and authorization endpoint may have been interchanged.",
    ),
    line("If they are right, run `mailgrant doctor`."),
];
