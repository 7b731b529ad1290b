//! What people and administrators have agreed to.

use super::{ACCESS_DENIED, CONSENT_REQUIRED, INVALID_GRANT, Kind, LOGIN_REQUIRED, table};

table! {
    MISSING = Kind::new(
        65001,
        INVALID_GRANT,
        "The user or administrator has not consented to use the application with ID '{0}' named '{1}'. Send an interactive authorization request for this user and resource.",
        "Nobody has agreed yet that this application may have this access. Sign in once with the consent page, or let an administrator agree for everybody.",
    )
    .suberror("consent_required");
    ADMINISTRATOR_NEEDED = Kind::new(
        90094,
        CONSENT_REQUIRED,
        "The grant requires admin permission. An administrator of {0} has set a policy that prevents you from granting {1} the permissions it is requesting. Contact an administrator of {2}, who can grant permissions to this app on your behalf.",
        "The organization lets only administrators agree to applications that open mail. An administrator opens the approval link.",
    )
    .suberror("consent_required");
    /// Where the organization lets people ask for approval.
    APPROVAL_REQUESTED = Kind::new(
        90095,
        CONSENT_REQUIRED,
        "Admin consent is required for the permissions requested by {0}. An admin consent request may be sent to the admin.",
        "The organization lets only administrators agree to applications that open mail, and a request was sent to them. The person waits for their answer and tries again.",
    )
    .suberror("consent_required");
    RISKY_APPLICATION = Kind::new(
        900_941,
        CONSENT_REQUIRED,
        "Administrator consent is required. App is considered risky. (AdminConsentRequiredDueToRiskyApp)",
        "The application looks risky (for instance, its publisher is not verified), so only an administrator may agree to it.",
    )
    .suberror("consent_required");
    DECLINED = Kind::new(
        65004,
        ACCESS_DENIED,
        "User declined to consent to access the app.",
        "The person chose not to give the access. Nothing was changed.",
    );
    NOT_SIGNED_IN = Kind::new(
        50058,
        LOGIN_REQUIRED,
        "A silent sign-in request was sent but no user is signed in.",
        "The application wanted a sign-in without any page, but nobody is signed in. It sends the person to the sign-in page.",
    );
}
