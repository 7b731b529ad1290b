//! The application's proof of itself: secrets, certificates, federated credentials.

use super::{AGAIN, Kind, Line, Rule, line, with};

pub(super) const RULES: &[Rule] = &[
    Rule::new(
        &[7_000_222],
        "client_secret_expired",
        "The application's client secret has expired",
        &[
            line(
                "The operator makes a new client secret in the app registration: Microsoft Entra admin center > App registrations > {client_id} > Certificates & secrets > New client secret.",
            ),
            NEW_SECRET,
            line("Set client_secret_expires to its end, to be told in time; a certificate or a federated credential lasts longer."),
            AGAIN,
        ],
    ),
    Rule::new(
        &[7_000_215],
        "client_secret_wrong",
        "The application's client secret is wrong",
        WRONG_SECRET,
    ),
    // The number of older answers for a secret as well as for an assertion.
    Rule::new(
        &[50_012, 70_002],
        "client_secret_wrong",
        "The application's client secret is wrong",
        WRONG_SECRET,
    )
    .with(Kind::Secret),
    Rule::new(
        &[7_000_218, 7_000_216],
        "client_credential_missing",
        "The registration wants a credential and none was sent",
        &[
            line("Give application `{application}` of the settings one: client_secret_file, certificate or federated."),
            line("Where it is meant to be a public client: App registrations > {client_id} > Authentication > Allow public client flows > Yes, and redirect URIs of the platform Mobile and desktop applications."),
            AGAIN,
        ],
    ),
    Rule::new(
        &[700_025],
        "client_is_public",
        "The registration is a public client and takes no credential",
        &[
            line("For the sign-in in a browser: App registrations > {client_id} > Authentication: remove the gateway's redirect URI from Mobile and desktop applications and add it under the platform Web."),
            line("Or take the credential (client_secret_file, certificate, federated) of application `{application}` out of the settings."),
            AGAIN,
        ],
    ),
    Rule::new(
        &[700_027, 50_012, 7_000_272, 501_661, 900_384],
        "federated_signature",
        "The federated credential's token is not signed by a key that its issuer publishes",
        &[
            line("The token's issuer is {issuer}. Entra fetches its keys from there: {issuer}/.well-known/openid-configuration and the jwks_uri in it must be reachable from the internet and hold the key."),
            line("Entra keeps an issuer's keys for a while: those of a new issuer, or after a change, may take half an hour to be known."),
            line("Check that the file in `federated` of application `{application}` is filled by that issuer."),
            AGAIN,
        ],
    )
    .with(Kind::Federated),
    Rule::new(
        &[700_027],
        "certificate_expired",
        "The application's certificate has expired",
        &[
            line("The operator makes a new certificate and uploads its public part: App registrations > {client_id} > Certificates & secrets > Certificates > Upload certificate."),
            NEW_CERTIFICATE,
            AGAIN,
        ],
    )
    .says(&["key used is expired", "is expired", "has expired"]),
    Rule::new(
        &[700_027],
        "certificate_key_mismatch",
        "The signature is not of the certificate that it names",
        &[
            line("Certificate and private key of application `{application}` do not belong together, or the file's certificate is another than the uploaded one of the same name: put both from one making into `certificate` (file, and key_file where they are apart)."),
            line("For an authority that knows the older form only, set certificate.algorithm = \"RS256\"."),
            AGAIN,
        ],
    )
    .says(&["signature value did not match"]),
    Rule::new(
        &[700_027, 700_030, 50_012, 70_002],
        "certificate_unknown",
        "The application signs with a certificate that is not registered for it",
        &[
            line("Upload the certificate's public part (.cer or .pem, without the key): App registrations > {client_id} > Certificates & secrets > Certificates > Upload certificate. The list there must show the thumbprint that the authority names above (x5t#S256: {thumbprint})."),
            line("Where another certificate is uploaded there, put that one with its key into `certificate` of application `{application}`."),
            AGAIN,
        ],
    ),
    Rule::new(
        &[700_024, 500_133],
        "assertion_time",
        "The application's signed proof is not valid at this time",
        &[
            with(Kind::Certificate, "The proof is made for each request and lives for five minutes: set the clock of the gateway's machine (NTP)."),
            with(Kind::Federated, "The token in the file of `federated` has ended or is not valid yet: see that whatever writes the file (Kubernetes, a CI system, …) still renews it."),
            with(Kind::Federated, "Check the clock of the machine that makes the token."),
            with(Kind::Secret, "Set the clock of the gateway's machine (NTP)."),
            AGAIN,
        ],
    ),
    Rule::new(
        &[700_023],
        "assertion_audience",
        "The application's signed proof is for another address",
        AUDIENCE,
    )
    .error("invalid_client"),
    Rule::new(
        &[700_021, 50_048],
        "assertion_client",
        "The application's signed proof is of another application",
        &[
            with(Kind::Certificate, "Check client_id of application `{application}`: {client_id} is sent, and the proof is signed for it."),
            with(Kind::Federated, "A federated token names its own issuer ({issuer}) and subject ({subject}): add the federated credential at App registrations > {client_id} > Certificates & secrets > Federated credentials, or check client_id in the settings."),
            AGAIN,
        ],
    ),
    Rule::new(
        &[50_027, 5_002_723, 5_002_730, 50_013],
        "assertion_malformed",
        "The authority cannot read the application's signed proof",
        &[
            with(Kind::Certificate, "Try the other form: certificate.algorithm = \"RS256\" (with the SHA-1 thumbprint) instead of \"PS256\", or the reverse."),
            with(Kind::Certificate, "The certificate must hold an RSA key of 2048 bits or more."),
            with(Kind::Federated, "The file of `federated` must hold one signed JWT of the trusted issuer and nothing else; Entra takes those signed with RS256."),
            AGAIN,
        ],
    ),
    Rule::new(
        &[70_025],
        "federated_credential_missing",
        "The registration trusts no other issuer",
        &[MATCH, ISSUER, SUBJECT, AUDIENCE_CLAIM, AGAIN],
    ),
    Rule::new(
        &[700_211],
        "federated_issuer",
        "The registration does not trust this token's issuer",
        &[MATCH, ISSUER, SUBJECT, AUDIENCE_CLAIM, AGAIN],
    ),
    Rule::new(
        &[700_212],
        "federated_audience",
        "The token is for another audience than the registration expects",
        &[
            MATCH,
            AUDIENCE_CLAIM,
            line("Entra's usual audience is api://AzureADTokenExchange; better have the issuer make tokens for it (Kubernetes: audience of the projected token)."),
            ISSUER,
            SUBJECT,
            AGAIN,
        ],
    ),
    Rule::new(
        &[700_213],
        "federated_subject",
        "The token is of another subject than the registration trusts",
        &[MATCH, SUBJECT, ISSUER, AUDIENCE_CLAIM, AGAIN],
    ),
    Rule::new(
        &[70_021],
        "federated_mismatch",
        "No federated credential of the registration fits the token",
        &[MATCH, ISSUER, SUBJECT, AUDIENCE_CLAIM, AGAIN],
    ),
    Rule::new(
        &[700_229],
        "federated_token_of_a_person",
        "A person's token cannot stand for an application",
        &[
            line("The file of `federated` must hold an application's own token of the trusted Entra tenant: that of a managed identity, or one of the client credentials flow."),
            AGAIN,
        ],
    ),
];

const NEW_SECRET: Line = line(
    "Put its value (not its id) where application `{application}` of the settings says: client_secret_file is read again by itself; after a change of client_secret_env restart the gateway.",
);
const NEW_CERTIFICATE: Line = line(
    "Put certificate and key where `certificate` of application `{application}` says; the files are read again by themselves.",
);
const WRONG_SECRET: &[Line] = &[
    line(
        "The settings need the secret's Value, which the portal shows once, when the secret is made; the Secret ID, which looks like 00000000-0000-…, is refused. It must be a secret of application {client_id}.",
    ),
    line(
        "Where the value is lost, make a new secret: App registrations > {client_id} > Certificates & secrets > New client secret.",
    ),
    NEW_SECRET,
    AGAIN,
];
const AUDIENCE: &[Line] = &[
    with(
        Kind::Certificate,
        "The proof names the token endpoint of tenant {tenant}. For an authority that wants its issuer there, set certificate.audience = \"issuer\".",
    ),
    with(
        Kind::Federated,
        "The token's audience is {audience}; the federated credential and the issuer must agree on one, usually api://AzureADTokenExchange.",
    ),
    with(
        Kind::Secret,
        "Check the provider's endpoints in the settings.",
    ),
    AGAIN,
];
const MATCH: Line = line(
    "At App registrations > {client_id} > Certificates & secrets > Federated credentials there must be one with the following values, to the letter (a slash at the end and capital letters count).",
);
const ISSUER: Line = line("Issuer: {issuer}");
const SUBJECT: Line = line("Subject identifier: {subject}");
const AUDIENCE_CLAIM: Line = line("Audience: {audience}");
