//! What can be wrong with a request, in Entra's words and numbers.
//!
//! Clients decide on `error` and the HTTP status; people look the number up. Texts follow the public error reference
//! and what issue trackers quote.

use actix_web::http::StatusCode;
use mailgrant_core::time::UnixTime;

/// Something wrong with a request. Its text is what follows `AADSTSnnnnn: `.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error(
        "Tenant '{0}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
    )]
    TenantNotFound(String),
    #[error(
        "No tenant-identifying information found in either the request or implied by any provided credentials."
    )]
    TenantNotNamed,
    #[error(
        "Application with identifier '{client_id}' was not found in the directory '{directory}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
    )]
    ApplicationNotFound {
        client_id: String,
        directory: String,
    },
    #[error("Application '{0}' is disabled.")]
    ApplicationDisabled(String),
    #[error(
        "Application '{0}' is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or configure the application to be multi-tenant."
    )]
    SingleTenantOnCommon(String),
    #[error(
        "The redirect URI '{redirect_uri}' specified in the request does not match the redirect URIs configured for the application '{client_id}'. Make sure the redirect URI sent in the request matches one added to your application in the portal."
    )]
    RedirectUriMismatch {
        redirect_uri: String,
        client_id: String,
    },
    #[error(
        "The reply address '{0}' does not match the reply address '{1}' provided when requesting Authorization code."
    )]
    RedirectUriChanged(String, String),
    #[error("No reply address provided.")]
    NoReplyAddress,
    #[error("The request body must contain the following parameter: '{0}'.")]
    MissingParameter(&'static str),
    #[error("Invalid request. Request is malformed or invalid.")]
    Malformed,
    #[error("Invalid request. Request is malformed or invalid.")]
    MalformedGrant,
    #[error("The endpoint only accepts POST requests. Received a GET request.")]
    WrongVerb,
    #[error("The app requested an unsupported grant type '{0}'.")]
    UnsupportedGrantType(String),
    #[error("The app returned an unsupported response type '{0}'.")]
    UnsupportedResponseType(String),
    #[error("response_type 'id_token' is not enabled for the application.")]
    ImplicitNotEnabled,
    #[error("'{0}' is not a supported value of 'response_mode' when requesting a token.")]
    UnsupportedResponseMode(String),
    #[error("'{0}' is not a supported value of 'prompt'.")]
    UnsupportedPrompt(String),
    #[error(
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{0}'."
    )]
    InvalidSecret(String),
    #[error(
        "The provided client secret keys for app '{0}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds."
    )]
    ExpiredSecret(String),
    #[error(
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
    )]
    MissingSecret,
    #[error(
        "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."
    )]
    PublicClientSecret,
    #[error("Client assertion failed signature validation. [Reason - The key was not found.]")]
    AssertionKeyNotFound,
    #[error(
        "The provided value for the input parameter 'scope' is not valid. The scope '{0}' is not valid."
    )]
    InvalidScope(String),
    #[error(
        "Provided value for the input parameter scope '{0}' is not valid because it contains more than one resource."
    )]
    SeveralResourcesAtRedeem(String),
    #[error(
        "The provided value for the input parameter scope '{0}' is not valid because it contains more than one resource."
    )]
    SeveralResources(String),
    #[error(
        "Provided value for the input parameter scope '{0}' is not valid when requesting an access token. Please specify a valid scope."
    )]
    ScopeAtRedeem(String),
    #[error(
        "The provided value for scope {0} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
    )]
    ScopeNotDefault(String),
    #[error(
        "The resource principal named {resource} was not found in the tenant named {directory}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant."
    )]
    ResourceNotFound { resource: String, directory: String },
    #[error(
        "The application '{application}' asked for scope '{scope}' that doesn't exist on the resource '{resource}'. Contact the app vendor."
    )]
    UnknownPermission {
        application: String,
        scope: String,
        resource: String,
    },
    #[error(
        "The user or administrator has not consented to use the application with ID '{client_id}' named '{application}'. Send an interactive authorization request for this user and resource."
    )]
    ConsentMissing {
        client_id: String,
        application: String,
    },
    #[error(
        "The grant requires admin permission. An administrator of {directory} has set a policy that prevents you from granting {application} the permissions it is requesting. Contact an administrator of {directory}, who can grant permissions to this app on your behalf."
    )]
    AdminConsentRequired {
        directory: String,
        application: String,
    },
    #[error("User declined to consent to access the app.")]
    ConsentDeclined,
    #[error("A silent sign-in request was sent but no user is signed in.")]
    NotSignedIn,
    #[error("Error validating credentials due to invalid username or password.")]
    BadPassword,
    #[error(
        "The user account '{name}' does not exist in the {directory} directory. To sign into this application, the account must be added to the directory."
    )]
    UserNotFound { name: String, directory: String },
    #[error("The user account is disabled.")]
    UserDisabled,
    #[error("The domain is not a valid login domain for the account type.")]
    AccountTypeNotAllowed,
    #[error(
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token."
    )]
    CodeRedeemed,
    #[error(
        "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource."
    )]
    CodeExpired,
    #[error("The provided authorization code or refresh token was issued to another application.")]
    GrantOfAnother,
    #[error("Provided Authorization Code is intended to use against other tenant, thus rejected.")]
    CodeOfAnotherTenant,
    #[error(
        "The Code_Verifier does not match the code_challenge supplied in the authorization request."
    )]
    VerifierMismatch,
    #[error(
        "The code_verifier is missing although a code_challenge was supplied in the authorization request for PKCE."
    )]
    VerifierMissing,
    #[error("Invalid size of Code_Challenge parameter.")]
    ChallengeInvalid,
    #[error("The code_challenge_method '{0}' is not supported.")]
    ChallengeMethod(String),
    #[error(
        "Proof Key for Code Exchange is required for cross-origin authorization code redemption."
    )]
    PkceRequired,
    #[error(
        "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type."
    )]
    CrossOrigin,
    #[error(
        "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests."
    )]
    SpaOnly,
    #[error(
        "The refresh token has expired due to inactivity. The token was issued on {issued} and was inactive for 90.00:00:00."
    )]
    RefreshTokenExpired { issued: String },
    #[error(
        "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of 1.00:00:00, which cannot be extended. It is now expired and a new sign in request must be sent by the SPA to the sign in page. The token was issued on {issued}."
    )]
    SpaRefreshTokenExpired { issued: String },
    #[error(
        "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password."
    )]
    GrantRevoked,
    #[error(
        "The sign-in took too long, or was begun in another browser. Go back to the application and begin again."
    )]
    FlowLost,
    #[error("A transient error has occurred. Please try again.")]
    Transient,
}

impl Problem {
    /// The number: AADSTSnnnnn.
    pub(crate) fn code(&self) -> u32 {
        match self {
            Self::TenantNotFound(_) => 90002,
            Self::TenantNotNamed => 50059,
            Self::ApplicationNotFound { .. } => 700_016,
            Self::ApplicationDisabled(_) => 7_000_112,
            Self::SingleTenantOnCommon(_) => 50194,
            Self::RedirectUriMismatch { .. } => 50011,
            Self::RedirectUriChanged(..) => 500_112,
            Self::NoReplyAddress => 900_971,
            Self::MissingParameter(_) => 900_144,
            Self::Malformed | Self::MalformedGrant => 9_002_313,
            Self::WrongVerb => 900_561,
            Self::UnsupportedGrantType(_) => 70003,
            Self::UnsupportedResponseType(_) => 70005,
            Self::ImplicitNotEnabled => 700_054,
            Self::UnsupportedResponseMode(_) => 70007,
            Self::UnsupportedPrompt(_) => 90023,
            Self::InvalidSecret(_) => 7_000_215,
            Self::ExpiredSecret(_) => 7_000_222,
            Self::MissingSecret => 7_000_218,
            Self::PublicClientSecret => 700_025,
            Self::AssertionKeyNotFound => 700_027,
            Self::InvalidScope(_) => 70011,
            Self::SeveralResourcesAtRedeem(_) => 28000,
            Self::SeveralResources(_) => 700_022,
            Self::ScopeAtRedeem(_) => 28002,
            Self::ScopeNotDefault(_) => 1_002_012,
            Self::ResourceNotFound { .. } => 500_011,
            Self::UnknownPermission { .. } => 650_053,
            Self::ConsentMissing { .. } => 65001,
            Self::AdminConsentRequired { .. } => 90094,
            Self::ConsentDeclined => 65004,
            Self::NotSignedIn => 50058,
            Self::BadPassword => 50126,
            Self::UserNotFound { .. } => 50034,
            Self::UserDisabled => 50057,
            Self::AccountTypeNotAllowed => 500_208,
            Self::CodeRedeemed => 54005,
            Self::CodeExpired => 70008,
            Self::GrantOfAnother => 70000,
            Self::CodeOfAnotherTenant => 700_005,
            Self::VerifierMismatch => 501_481,
            Self::VerifierMissing => 50148,
            Self::ChallengeInvalid => 501_491,
            Self::ChallengeMethod(_) => 50149,
            Self::PkceRequired => 9_002_325,
            Self::CrossOrigin => 9_002_326,
            Self::SpaOnly => 9_002_327,
            Self::RefreshTokenExpired { .. } => 700_082,
            Self::SpaRefreshTokenExpired { .. } => 700_084,
            Self::GrantRevoked => 50173,
            Self::FlowLost => 165_900,
            Self::Transient => 90033,
        }
    }

    /// The OAuth error (RFC 6749 §5.2, §4.1.2.1; OpenID Connect Core §3.1.2.6).
    pub(crate) fn error(&self) -> &'static str {
        match self {
            Self::ApplicationNotFound { .. } | Self::ApplicationDisabled(_) => {
                "unauthorized_client"
            }
            Self::UnsupportedGrantType(_) => "unsupported_grant_type",
            Self::UnsupportedResponseType(_) | Self::ImplicitNotEnabled => {
                "unsupported_response_type"
            }
            Self::InvalidSecret(_)
            | Self::ExpiredSecret(_)
            | Self::MissingSecret
            | Self::PublicClientSecret
            | Self::AssertionKeyNotFound
            | Self::UnknownPermission { .. }
            | Self::RedirectUriMismatch { .. }
            | Self::RedirectUriChanged(..) => "invalid_client",
            Self::InvalidScope(_) | Self::ScopeNotDefault(_) | Self::SeveralResources(_) => {
                "invalid_scope"
            }
            Self::ResourceNotFound { .. } => "invalid_resource",
            Self::ConsentDeclined => "access_denied",
            Self::AdminConsentRequired { .. } => "consent_required",
            Self::NotSignedIn => "login_required",
            Self::ConsentMissing { .. }
            | Self::MalformedGrant
            | Self::BadPassword
            | Self::UserNotFound { .. }
            | Self::UserDisabled
            | Self::CodeRedeemed
            | Self::CodeExpired
            | Self::GrantOfAnother
            | Self::CodeOfAnotherTenant
            | Self::VerifierMismatch
            | Self::VerifierMissing
            | Self::SeveralResourcesAtRedeem(_)
            | Self::ScopeAtRedeem(_)
            | Self::RefreshTokenExpired { .. }
            | Self::SpaRefreshTokenExpired { .. }
            | Self::GrantRevoked => "invalid_grant",
            Self::Transient => "temporarily_unavailable",
            _ => "invalid_request",
        }
    }

    /// The finer class that clients such as MSAL look at.
    pub(crate) fn suberror(&self) -> Option<&'static str> {
        match self {
            Self::ConsentMissing { .. } | Self::AdminConsentRequired { .. } => {
                Some("consent_required")
            }
            Self::RefreshTokenExpired { .. }
            | Self::SpaRefreshTokenExpired { .. }
            | Self::GrantRevoked => Some("bad_token"),
            _ => None,
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Transient => StatusCode::SERVICE_UNAVAILABLE,
            _ if self.is_client_authentication() => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn is_client_authentication(&self) -> bool {
        matches!(
            self,
            Self::InvalidSecret(_)
                | Self::ExpiredSecret(_)
                | Self::MissingSecret
                | Self::PublicClientSecret
                | Self::AssertionKeyNotFound
        )
    }
}

/// The form in which Entra writes moments: `2026-11-22 07:10:23Z`.
pub(crate) fn timestamp(at: UnixTime) -> String {
    jiff::Timestamp::from_second(at.0).map_or_else(
        |_| "1970-01-01 00:00:00Z".to_owned(),
        |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
    )
}
