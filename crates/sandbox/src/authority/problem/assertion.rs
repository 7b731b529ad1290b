//! Assertions: of clients, signed with a certificate or by a federated issuer, and of people (on behalf of).

use actix_web::http::StatusCode;

use super::{INVALID_CLIENT, INVALID_GRANT, INVALID_REQUEST, Kind, table};

const UNAUTHORIZED: StatusCode = StatusCode::UNAUTHORIZED;

table! {
    MALFORMED = Kind::new(
        50027,
        INVALID_REQUEST,
        "JWT token is invalid or malformed.",
        "The signed proof that the application sent is not a JWT in the form that the authority understands.",
    );
    NO_THUMBPRINT = Kind::new(
        5_002_723,
        INVALID_REQUEST,
        "Invalid JWT token. No certificate SHA-1 thumbprint, certificate SHA-256 thumbprint, nor keyId specified in token header.",
        "The signed proof does not say which certificate it was signed with: send x5t or x5t#S256 in its header.",
    );
    ALGORITHM = Kind::new(
        5_002_730,
        INVALID_REQUEST,
        "Invalid JWT token. Unsupported key for the signing algorithm.",
        "The signed proof uses an algorithm that certificates of applications do not work with. Use PS256 or RS256.",
    );
    KEY_NOT_FOUND = Kind::new(
        700_027,
        INVALID_CLIENT,
        "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Thumbprint of key used by client: '{0}', Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '{1}'.]",
        "The application signs with a certificate that is not registered for it, has ended, or does not fit the signature. The operator registers the certificate that is really used.",
    )
    .status(UNAUTHORIZED);
    KEY_EXPIRED = Kind::new(
        700_027,
        INVALID_CLIENT,
        "Client assertion failed signature validation. [Reason - The key used is expired., Thumbprint of key used by client: '{0}', Found key 'Start={1}, End={2}']",
        "The certificate that the application signs with has ended. The operator makes a new one and registers it.",
    )
    .status(UNAUTHORIZED);
    SIGNATURE = Kind::new(
        700_027,
        INVALID_CLIENT,
        "Client assertion failed signature validation. [Reason - The provided signature value did not match the expected signature value., Thumbprint of key used by client: '{0}', Found key 'Start={1}, End={2}']",
        "The signature is not one of the certificate that the application names. Its private key and the registered certificate do not belong together.",
    )
    .status(UNAUTHORIZED);
    SUBJECT = Kind::new(
        50048,
        INVALID_CLIENT,
        "Subject must match the issuer claim in the client assertion.",
        "The signed proof names two different senders: its 'iss' and 'sub' must both be the client id.",
    )
    .status(UNAUTHORIZED);
    CLIENT = Kind::new(
        700_021,
        INVALID_CLIENT,
        "Client assertion application identifier doesn't match 'client_id' parameter. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
        "The signed proof is for another application than the one named by client_id.",
    )
    .status(UNAUTHORIZED);
    AUDIENCE = Kind::new(
        700_023,
        INVALID_CLIENT,
        "Client assertion audience claim does not match Realm issuer. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
        "The signed proof is for another address: its 'aud' must be the tenant's token endpoint.",
    )
    .status(UNAUTHORIZED);
    TIME = Kind::new(
        700_024,
        INVALID_CLIENT,
        "Client assertion is not within its valid time range. Current time: {0}, assertion valid from {1}, expiry time of assertion {2}. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
        "The signed proof is not valid now: it has ended, or a clock is wrong.",
    )
    .status(UNAUTHORIZED);
    /// A person's token, sent by a server to get another in its place.
    USER_SIGNATURE = Kind::new(
        50013,
        INVALID_GRANT,
        "Assertion failed signature validation. [Reason - The provided signature value did not match the expected signature value.]",
        "The person's token that the application sent was not signed by this authority, or was altered.",
    );
    USER_TIME = Kind::new(
        500_133,
        INVALID_GRANT,
        "Assertion is not within its valid time range. Ensure that the access token is not expired before using it for user assertion, or request a new token. Current time: {0}, expiry time of assertion {1}.",
        "The person's token that the application sent has ended. It asks for a new one first.",
    );
    USER_AUDIENCE = Kind::new(
        500_131,
        INVALID_GRANT,
        "Assertion audience does not match the Client app presenting the assertion. The audience in the assertion was '{0}' and the expected audience is '{1}' or one of the Application Uris of this application with App ID '{2}'({3}).",
        "The person's token that the application sent is for another application.",
    );
    NO_FEDERATED_CREDENTIALS = Kind::new(
        70025,
        INVALID_CLIENT,
        "The client '{0}'({1}) has no configured federated identity credentials.",
        "The application sent another issuer's token as its proof, but trusts no issuer. Its operator adds a federated credential.",
    )
    .status(UNAUTHORIZED);
    FEDERATED_ISSUER = Kind::new(
        700_211,
        INVALID_CLIENT,
        "No matching federated identity record found for presented assertion issuer '{0}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation .",
        "The application trusts no issuer of this name. Issuer names are compared exactly, the slash at the end included.",
    )
    .status(UNAUTHORIZED);
    FEDERATED_AUDIENCE = Kind::new(
        700_212,
        INVALID_CLIENT,
        "No matching federated identity record found for presented assertion audience '{0}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation .",
        "The token of the trusted issuer is for another audience than the federated credential says.",
    )
    .status(UNAUTHORIZED);
    FEDERATED_SUBJECT = Kind::new(
        700_213,
        INVALID_CLIENT,
        "No matching federated identity record found for presented assertion subject '{0}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation .",
        "The token of the trusted issuer is about another subject than the federated credential says; letter case counts.",
    )
    .status(UNAUTHORIZED);
    FEDERATED_TOKEN_KIND = Kind::new(
        700_229,
        INVALID_CLIENT,
        "Forbidden token type. Only app-only tokens may be used as Federated Identity Credentials for AAD issuer.",
        "A person's token cannot stand for an application. Only an application's own token can.",
    )
    .status(UNAUTHORIZED);
    FEDERATED_DISCOVERY = Kind::new(
        501_661,
        INVALID_REQUEST,
        "Request to External OIDC endpoint failed.",
        "The keys of the issuer that the application trusts could not be fetched. The sandbox asks on this machine in plain HTTP only; give the keys in the federated credential otherwise.",
    );
    FEDERATED_KEY_NOT_FOUND = Kind::new(
        7_000_272,
        INVALID_CLIENT,
        "The certificate with identifier {0} used to sign the federated credential could not be found in the metadata of identity provider {1}. Please validate that your Identity Provider's metadata exposes the key used to sign the incoming token.",
        "The issuer that the application trusts does not publish the key that the token was signed with.",
    )
    .status(UNAUTHORIZED);
    FEDERATED_SIGNATURE = Kind::new(
        700_027,
        INVALID_CLIENT,
        "Client assertion failed signature validation. [Reason - The provided signature value did not match the expected signature value.]",
        "The token's signature does not hold under the issuer's published key.",
    )
    .status(UNAUTHORIZED);
}
