//! Codes, refresh tokens and their proofs.

use super::{INVALID_GRANT, Kind, table};

table! {
    MALFORMED = Kind::new(
        9_002_313,
        INVALID_GRANT,
        "Invalid request. Request is malformed or invalid.",
        "The request is not in the form that the authority understands; often the code or refresh token is not whole.",
    );
    CODE_REDEEMED = Kind::new(
        54005,
        INVALID_GRANT,
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.",
        "The code of this sign-in was already used. A code works once; begin again.",
    );
    CODE_EXPIRED = Kind::new(
        70008,
        INVALID_GRANT,
        "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.",
        "The code was not used in time (ten minutes). Begin again.",
    );
    OF_ANOTHER = Kind::new(
        70000,
        INVALID_GRANT,
        "The provided value for the input parameter 'code' or 'refresh_token' is not valid: it was issued to another application.",
        "The code or refresh token cannot be used here: it was given to another application, or is not valid any more.",
    );
    OF_ANOTHER_TENANT = Kind::new(
        700_005,
        INVALID_GRANT,
        "Provided Authorization Code is intended to use against other tenant, thus rejected.",
        "The code was issued by another tenant's address than the one it is redeemed at.",
    );
    VERIFIER_MISMATCH = Kind::new(
        501_481,
        INVALID_GRANT,
        "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
        "The PKCE proof does not belong to the request that the sign-in began with. Often two sign-ins were mixed up.",
    );
    VERIFIER_MISSING = Kind::new(
        50148,
        INVALID_GRANT,
        "The code_verifier does not match the code_challenge supplied in the authorization request for PKCE.",
        "The application began with PKCE and did not prove it when it redeemed the code. Its developer sends code_verifier.",
    );
    REFRESH_TOKEN_EXPIRED = Kind::new(
        700_082,
        INVALID_GRANT,
        "The refresh token has expired due to inactivity. The token was issued on {0} and was inactive for 90.00:00:00.",
        "The refresh token was not used for 90 days. The person connects again.",
    )
    .suberror("bad_token");
    SPA_REFRESH_TOKEN_EXPIRED = Kind::new(
        700_084,
        INVALID_GRANT,
        "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of 1.00:00:00, which cannot be extended. It is now expired and a new sign in request must be sent by the SPA to the sign in page. The token was issued on {0}.",
        "The refresh token of a single-page application ends after 24 hours. The redirect URI should be of type Web.",
    )
    .suberror("bad_token");
    REVOKED = Kind::new(
        50173,
        INVALID_GRANT,
        "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password.",
        "The access was withdrawn: the password was changed, or somebody signed the person out everywhere. The person connects again.",
    )
    .suberror("bad_token");
    PASSWORD_CHANGED = Kind::new(
        50133,
        INVALID_GRANT,
        "Session is invalid due to expiration or recent password change.",
        "The password was changed since the application was connected. The person connects again.",
    )
    .suberror("bad_token");
    SESSION_EXPIRED = Kind::new(
        50132,
        INVALID_GRANT,
        "Credentials have been revoked due to the session not being valid: password expiration or recent password change.",
        "The session ended with the password. The person connects again.",
    )
    .suberror("bad_token");
}
