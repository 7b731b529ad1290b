//! Client authentication: secrets and assertions.

use actix_web::http::StatusCode;

use super::{INVALID_CLIENT, Kind, table};

const UNAUTHORIZED: StatusCode = StatusCode::UNAUTHORIZED;

table! {
    INVALID_SECRET = Kind::new(
        7_000_215,
        INVALID_CLIENT,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{0}'.",
        "The client secret is wrong. Often the secret's id was pasted instead of its value.",
    )
    .status(UNAUTHORIZED);
    /// The older words, with a second number in them.
    INVALID_SECRET_OLD = Kind::new(
        70002,
        INVALID_CLIENT,
        "Error validating credentials. AADSTS50012: Invalid client secret is provided.",
        "The client secret is wrong. Often the secret's id was pasted instead of its value.",
    )
    .status(UNAUTHORIZED);
    EXPIRED_SECRET = Kind::new(
        7_000_222,
        INVALID_CLIENT,
        "The provided client secret keys for app '{0}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.",
        "The client secret has ended. The operator makes a new one and enters it.",
    )
    .status(UNAUTHORIZED);
    MISSING_SECRET = Kind::new(
        7_000_218,
        INVALID_CLIENT,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        "The application must prove its identity with a secret or certificate and sent none.",
    )
    .status(UNAUTHORIZED);
    PUBLIC_CLIENT_SECRET = Kind::new(
        700_025,
        INVALID_CLIENT,
        "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
        "The application is registered without a secret and sent one.",
    )
    .status(UNAUTHORIZED);
}
