//! The person: known, allowed in, with the right password and the second step.

use super::{INVALID_GRANT, INVALID_REQUEST, Kind, table};

table! {
    BAD_PASSWORD = Kind::new(
        50126,
        INVALID_GRANT,
        "Error validating credentials due to invalid username or password.",
        "The address or the password is wrong.",
    );
    NO_PASSWORD = Kind::new(
        50056,
        INVALID_GRANT,
        "Invalid or missing password: password does not exist in the directory for this user.",
        "This account has no password, such as one that signs in with a key or at another organization.",
    );
    CREDENTIALS_REFUSED = Kind::new(
        50064,
        INVALID_GRANT,
        "Credential validation on username or password has failed.",
        "The address or the password is wrong.",
    );
    NOT_FOUND = Kind::new(
        50034,
        INVALID_GRANT,
        "The user account {0} does not exist in the {1} directory. To sign into this application, the account must be added to the directory.",
        "There is no such account in this organization. Check the address for typing errors.",
    );
    NOT_IN_DIRECTORY = Kind::new(
        51004,
        INVALID_GRANT,
        "The user account {0} does not exist in the {1} directory. To sign into this application, the account must be added to the directory.",
        "The account was removed from this organization. An administrator adds it again, or the person uses another one.",
    );
    OF_OTHER_PROVIDER = Kind::new(
        50020,
        INVALID_GRANT,
        "User account '{0}' from identity provider '{1}' does not exist in tenant '{2}' and cannot access the application '{3}'({4}) in that tenant. The account needs to be added as an external user in the tenant first. Sign out and sign in again with a different Azure Active Directory user account.",
        "The account belongs to another organization, or is a personal one, and is no guest here. The person signs in with an account of this organization.",
    );
    /// A guest whose own organization would have to do the second step.
    GUEST_SECOND_STEP = Kind::new(
        90072,
        INVALID_GRANT,
        "User account '{0}' from identity provider '{1}' does not exist in tenant '{2}' and cannot access the application '{3}'({4}) in that tenant. The account needs to be added as an external user in the tenant first. Sign out and sign in again with a different Azure Active Directory user account.",
        "The guest cannot do the second step that this organization demands. The person signs in with an account of this organization.",
    );
    ACCOUNT_NOT_SUPPORTED = Kind::new(
        16000,
        INVALID_GRANT,
        "User account '{0}' from identity provider '{1}' does not exist in tenant '{2}' and cannot access the application '{3}'({4}) in that tenant. Either multiple user identities are available for the current request or selected account is not supported for the scenario.",
        "The account that is signed in cannot be used here. The person picks another one.",
    );
    NOT_ADDED = Kind::new(
        16003,
        INVALID_GRANT,
        "The user {0} has not been explicitly added to the tenant {1}.",
        "The account that is signed in was never added to this organization. The person picks another one.",
    );
    ACCOUNT_TYPE = Kind::new(
        500_208,
        INVALID_REQUEST,
        "The domain is not a valid login domain for the account type.",
        "Work accounts cannot sign in at the address for personal accounts ('consumers').",
    );
    DISABLED = Kind::new(
        50057,
        INVALID_GRANT,
        "The user account is disabled.",
        "An administrator has blocked this account from signing in.",
    );
    LOCKED = Kind::new(
        50053,
        INVALID_GRANT,
        "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.",
        "Too many wrong passwords in a short time, or a suspicious address. Wait a while and try again, or ask an administrator.",
    );
    PASSWORD_EXPIRED = Kind::new(
        50055,
        INVALID_GRANT,
        "The password is expired.",
        "The password has expired. The person sets a new one and signs in again.",
    );
    PASSWORD_EXPIRED_ON_PREMISES = Kind::new(
        50144,
        INVALID_GRANT,
        "The user's Active Directory password has expired. Generate a new password for the user or have the user use the self-service reset tool to reset their password.",
        "The password of the organization's own directory has expired. The person sets a new one and signs in again.",
    );
    NOT_ASSIGNED = Kind::new(
        50105,
        INVALID_GRANT,
        "Your administrator has configured the application {0} ('{1}') to block users unless they are specifically granted ('assigned') access to the application. The signed in user '{2}' is blocked because they are not a direct member of a group with access, nor had access directly assigned by an administrator. Please contact your administrator to assign access to this application.",
        "Only people to whom an administrator has assigned the application may use it. An administrator adds the person under 'Users and groups' of the enterprise application.",
    );
    SECOND_STEP = Kind::new(
        50076,
        INVALID_GRANT,
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '{0}'.",
        "The organization demands a second step at sign-in (multi-factor authentication). The person connects again in a browser.",
    )
    .suberror("basic_action");
    SECOND_STEP_FAILED = Kind::new(
        50074,
        INVALID_GRANT,
        "Strong Authentication is required.",
        "The second step at sign-in (multi-factor authentication) was not completed. The person connects again.",
    )
    .suberror("basic_action");
    SECOND_STEP_UNKNOWN = Kind::new(
        50079,
        INVALID_GRANT,
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access '{0}'.",
        "The organization demands a second step at sign-in, and the person has not set one up. They connect again in a browser and follow the pages.",
    )
    .suberror("basic_action");
    SECOND_STEP_ENROLMENT = Kind::new(
        50072,
        INVALID_GRANT,
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access '{0}'.",
        "The organization demands a second step at sign-in, and the person has not set one up. They sign in at the organization's own pages first and set it up.",
    )
    .suberror("basic_action");
    SECOND_STEP_EXPIRED = Kind::new(
        50078,
        INVALID_GRANT,
        "Presented multi-factor authentication has expired due to policies configured by your administrator, you must refresh your multi-factor authentication to access '{0}'.",
        "The second step at sign-in lies too far back for the organization's policy. The person connects again in a browser.",
    )
    .suberror("basic_action");
}
