//! What the organization's policies stop.

use super::{INVALID_GRANT, Kind, table};

table! {
    BLOCKED = Kind::new(
        53003,
        INVALID_GRANT,
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
        "A Conditional Access policy of the organization forbids this. Its administrator sees which one in the sign-in log, by the correlation id.",
    )
    .suberror("message_only");
    SUSPICIOUS = Kind::new(
        50131,
        INVALID_GRANT,
        "Device is not in required device state: {0}. Or, the request was blocked due to suspicious activity, access policy, or security policy decisions.",
        "The organization's policies take this sign-in for suspicious. Its administrator looks at the sign-in log.",
    )
    .suberror("message_only");
    SECURITY_POLICY = Kind::new(
        530_032,
        INVALID_GRANT,
        "The tenant admin has configured a security policy that blocks this request. Check the security policies that are defined on the tenant level to determine if your request meets the policy requirements.",
        "A security policy of the organization forbids this. Its administrator looks at the sign-in log.",
    )
    .suberror("message_only");
    DEVICE_NOT_COMPLIANT = Kind::new(
        53000,
        INVALID_GRANT,
        "Device is not in required device state: {0}. Conditional Access policy requires a compliant device, and the device is not compliant. The user must enroll their device with an approved MDM provider like Intune.",
        "A Conditional Access policy lets only managed devices in. A server is none: an administrator excludes the application from the policy.",
    )
    .suberror("message_only");
    DEVICE_NOT_JOINED = Kind::new(
        53001,
        INVALID_GRANT,
        "Device is not in required device state: {0}. Conditional Access policy requires a domain joined device, and the device is not domain joined.",
        "A Conditional Access policy lets only devices of the organization's domain in. A server is none: an administrator excludes the application from the policy.",
    )
    .suberror("message_only");
    APPLICATION_NOT_APPROVED = Kind::new(
        53002,
        INVALID_GRANT,
        "Application used is not an approved application for Conditional Access. User needs to use one of the apps from the list of approved applications to use in order to get access.",
        "A Conditional Access policy lets only certain applications in. An administrator excludes the application from the policy.",
    )
    .suberror("message_only");
    DEVICE_REQUIRED = Kind::new(
        50097,
        INVALID_GRANT,
        "Device authentication is required.",
        "A Conditional Access policy lets only known devices in. A server is none: an administrator excludes the application from the policy.",
    )
    .suberror("additional_action");
    DEVICE_NOT_REGISTERED = Kind::new(
        50129,
        INVALID_GRANT,
        "Device is not workplace joined. Workplace join is required to register the device.",
        "A Conditional Access policy lets only registered devices in. The person registers the device, or an administrator excludes the application.",
    )
    .suberror("additional_action");
    SECURITY_DEFAULTS = Kind::new(
        530_035,
        INVALID_GRANT,
        "Access has been blocked by security defaults. This is due to the request using legacy auth or being deemed unsafe by security defaults policies.",
        "The organization's security defaults forbid signing in with a password alone. The application uses a sign-in in the browser.",
    )
    .suberror("message_only");
    SIGN_IN_FREQUENCY = Kind::new(
        70043,
        INVALID_GRANT,
        "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access. The token was issued on {0} and the maximum allowed lifetime for this request is {1}.",
        "The organization demands a new sign-in every so often. The person connects again.",
    )
    .suberror("bad_token");
}
