//! The form of a request: parameters, redirect URI, verb, PKCE.

use super::{
    INVALID_CLIENT, INVALID_GRANT, INVALID_REQUEST, Kind, UNSUPPORTED_GRANT_TYPE,
    UNSUPPORTED_RESPONSE_TYPE, table,
};

table! {
    REDIRECT_URI_MISMATCH = Kind::new(
        50011,
        INVALID_CLIENT,
        "The redirect URI '{0}' specified in the request does not match the redirect URIs configured for the application '{1}'. Make sure the redirect URI sent in the request matches one added to your application in the portal.",
        "The application asked for the answer to be sent to an address that is not registered for it. Its developer adds exactly this redirect URI to the registration, or corrects the request: scheme, host, port, path and letter case all count.",
    );
    REDIRECT_URI_CHANGED = Kind::new(
        500_112,
        INVALID_CLIENT,
        "The reply address '{0}' does not match the reply address '{1}' provided when requesting Authorization code.",
        "The application redeems its code with another redirect URI than the one it began with.",
    );
    NO_REPLY_ADDRESS = Kind::new(
        900_971,
        INVALID_REQUEST,
        "No reply address provided.",
        "The request names no redirect URI. The application's developer adds it.",
    );
    NO_REPLY_ADDRESS_REGISTERED = Kind::new(
        500_113,
        INVALID_REQUEST,
        "No reply address is registered for the application.",
        "No redirect URI is registered for the application. Its operator adds one under 'Authentication'.",
    );
    MISSING_PARAMETER = Kind::new(
        900_144,
        INVALID_REQUEST,
        "The request body must contain the following parameter: '{0}'.",
        "A parameter is missing in the request. Its developer adds it.",
    );
    MISSING_FIELD = Kind::new(
        90014,
        INVALID_REQUEST,
        "The required field '{0}' is missing from the credential. Ensure that you have all the necessary parameters for the login request.",
        "A parameter is missing in the request. Its developer adds it.",
    );
    EMPTY_PARAMETER = Kind::new(
        90100,
        INVALID_REQUEST,
        "{0} parameter is empty or not valid.",
        "A parameter of the request is there without a value. Its developer mends it.",
    );
    MALFORMED = Kind::new(
        9_002_313,
        INVALID_REQUEST,
        "Invalid request. Request is malformed or invalid.",
        "The request is not in the form that the authority understands.",
    );
    NOT_A_FORM = Kind::new(
        90004,
        INVALID_REQUEST,
        "The request is not properly formatted. The parameters must be in the request body in format x-www-form-urlencoded.",
        "The request is not a form. The application's developer sends application/x-www-form-urlencoded, not JSON.",
    );
    RESOURCE_PARAMETER = Kind::new(
        901_002,
        INVALID_REQUEST,
        "The 'resource' request parameter is not supported.",
        "The application sends 'resource', which the addresses with /v2.0 do not know. Its developer writes the API into 'scope'.",
    );
    WRONG_VERB = Kind::new(
        900_561,
        INVALID_REQUEST,
        "The endpoint only accepts POST requests. Received a {0} request.",
        "The token address is for POST only; often a browser was sent back to it.",
    );
    CODE_BY_GET = Kind::new(
        90056,
        INVALID_REQUEST,
        "The resource is disabled or the resource named does not exist. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. To redeem the code for an access token, the app should send a POST request to the /token endpoint. Also, prior to this, you should provide an authorization code and send it in the POST request to the /token endpoint.",
        "The application redeems its code in the address. Its developer sends the code in the body of a POST.",
    );
    UNSUPPORTED_GRANT = Kind::new(
        70003,
        UNSUPPORTED_GRANT_TYPE,
        "The app requested an unsupported grant type '{0}'.",
        "The application asked for a token in a way that the authority does not offer.",
    );
    UNSUPPORTED_RESPONSE = Kind::new(
        70005,
        UNSUPPORTED_RESPONSE_TYPE,
        "The app returned an unsupported response type '{0}'.",
        "The application asked for an answer that it is not set up for. It uses response_type=code.",
    );
    IMPLICIT_OFF = Kind::new(
        700_054,
        UNSUPPORTED_RESPONSE_TYPE,
        "response_type 'id_token' is not enabled for the application.",
        "The application asked for an id_token without a code and is not set up for that. It uses response_type=code.",
    );
    UNSUPPORTED_RESPONSE_MODE = Kind::new(
        70007,
        INVALID_REQUEST,
        "'{0}' is not a supported value of 'response_mode' when requesting a token.",
        "The application asked for the answer to be delivered in an unknown way. It uses query, fragment or form_post.",
    );
    PROMPT_AND_HINT = Kind::new(
        90023,
        INVALID_REQUEST,
        "The values of 'prompt' and 'login_hint' exclude each other: an account cannot be both given and chosen.",
        "The application names an account and wants it chosen at the same time. Its developer leaves out login_hint or prompt=select_account.",
    );
    UNSUPPORTED_PROMPT = Kind::new(
        90023,
        INVALID_REQUEST,
        "'{0}' is not a supported value of 'prompt'.",
        "The application sent a value for 'prompt' that does not exist.",
    );
    CHALLENGE_MISSING = Kind::new(
        50147,
        INVALID_REQUEST,
        "Invalid size of Code_Challenge parameter. The code_challenge_method was sent without a code_challenge.",
        "The application named a PKCE method and sent no challenge. Its developer sends both.",
    );
    CHALLENGE_SIZE = Kind::new(
        501_491,
        INVALID_REQUEST,
        "Invalid size of Code_Challenge parameter.",
        "The PKCE challenge must be 43 to 128 characters long.",
    );
    CHALLENGE_METHOD = Kind::new(
        50149,
        INVALID_REQUEST,
        "The code_challenge_method '{0}' is not supported.",
        "The application asked for a PKCE method that does not exist. Its developer uses S256.",
    );
    PKCE_REQUIRED = Kind::new(
        9_002_325,
        INVALID_REQUEST,
        "Proof Key for Code Exchange is required for cross-origin authorization code redemption.",
        "A single-page application must use PKCE.",
    );
    CROSS_ORIGIN = Kind::new(
        9_002_326,
        INVALID_REQUEST,
        "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type.",
        "A browser tried to redeem a code or secret that belongs to a server. The redirect URI would have to be of type Single-Page Application; for a server, the browser must not call the token address.",
    );
    SPA_ONLY = Kind::new(
        9_002_327,
        INVALID_REQUEST,
        "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.",
        "The redirect URI is of type Single-Page Application, so only a browser may redeem its codes. For a server, register it as type Web.",
    );
    /// Nothing of Entra's: a page of the sandbox that belongs to nobody.
    FLOW_LOST = Kind::new(
        165_900,
        INVALID_REQUEST,
        "The sign-in was begun in another browser, or is over. Go back to the application and begin again.",
        "The sign-in is over, or this page belongs to another browser. Go back to the application and begin again.",
    );
    FLOW_EXPIRED = Kind::new(
        50089,
        INVALID_GRANT,
        "Authentication failed due to flow token expired.",
        "The sign-in took too long. Go back to the application and begin again.",
    );
}
