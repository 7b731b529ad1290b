//! What is nobody's fault: outages, and too many requests.

use actix_web::http::StatusCode;

use super::{INVALID_GRANT, Kind, SERVER_ERROR, TEMPORARILY_UNAVAILABLE, table};

const UNAVAILABLE: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

table! {
    DIRECTORY_UNAVAILABLE = Kind::new(
        90033,
        TEMPORARILY_UNAVAILABLE,
        "A transient error has occurred. Please try again.",
        "The directory could not be reached for a moment. Try again.",
    )
    .status(UNAVAILABLE);
    TRANSIENT = Kind::new(
        50033,
        TEMPORARILY_UNAVAILABLE,
        "A transient error has occurred. Please try again.",
        "Something went wrong for a moment. Try again.",
    )
    .status(UNAVAILABLE);
    EXTERNAL_SERVER = Kind::new(
        90006,
        TEMPORARILY_UNAVAILABLE,
        "The service is temporarily unavailable. Please retry later.",
        "A service behind the authority could not be reached for a moment. Try again.",
    )
    .status(UNAVAILABLE);
    TIMED_OUT = Kind::new(
        90012,
        SERVER_ERROR,
        "The request has timed out.",
        "The authority took too long. Try again.",
    )
    .status(StatusCode::GATEWAY_TIMEOUT);
    OVER_BUDGET = Kind::new(
        90024,
        SERVER_ERROR,
        "RequestBudgetExceededError - A transient error has occurred. Please try again.",
        "The authority took too long. Try again.",
    )
    .status(StatusCode::INTERNAL_SERVER_ERROR);
    GRAPH_UNAVAILABLE = Kind::new(
        90090,
        TEMPORARILY_UNAVAILABLE,
        "The service is temporarily unavailable. Please retry later.",
        "The directory could not be reached for a moment. Try again.",
    )
    .status(UNAVAILABLE);
    SECOND_STEP_UNAVAILABLE = Kind::new(
        50087,
        TEMPORARILY_UNAVAILABLE,
        "A transient error has occurred during strong authentication. Please try again.",
        "The second step at sign-in failed for a moment. Try again.",
    )
    .status(UNAVAILABLE);
    PERSONAL_ACCOUNTS_UNAVAILABLE = Kind::new(
        70012,
        SERVER_ERROR,
        "A server error occurred while authenticating an MSA (consumer) user. Try again.",
        "The service for personal accounts failed for a moment. Try again.",
    )
    .status(StatusCode::INTERNAL_SERVER_ERROR);
    CLIENT_LOOP = Kind::new(
        50196,
        INVALID_GRANT,
        "The server terminated an operation because it encountered a client request loop. Please contact your app vendor.",
        "The application sent the same request many times within minutes. Its developer keeps tokens until they end, and waits after an error.",
    );
    TOO_MANY_REQUESTS = Kind::new(
        90055,
        TEMPORARILY_UNAVAILABLE,
        "There are too many incoming requests. This exception is thrown for blocked tenants.",
        "The organization sends more requests than the authority takes. Wait as long as Retry-After says.",
    )
    .status(StatusCode::TOO_MANY_REQUESTS);
}
