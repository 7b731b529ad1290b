//! The device authorization grant: RFC 8628 §3.5 in Entra's numbers.

use super::{Kind, table};

table! {
    PENDING = Kind::new(
        70016,
        "authorization_pending",
        "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
        "Nobody has finished the sign-in with the code yet. The device asks again.",
    );
    SLOW_DOWN = Kind::new(
        70016,
        "slow_down",
        "OAuth 2.0 device flow error. The device polls too often. Wait five seconds longer between requests.",
        "The device asks more often than it was told to.",
    );
    DECLINED = Kind::new(
        65004,
        "authorization_declined",
        "User declined to consent to access the app.",
        "The person said no on the page for the device's code. Nothing was changed.",
    );
    BAD_CODE = Kind::new(
        70018,
        "bad_verification_code",
        "Invalid verification code due to User typing in wrong user code for device code flow.",
        "The code of the device is not known here. Begin again on the device.",
    );
    USER_CODE_EXPIRED = Kind::new(
        70019,
        "expired_token",
        "Verification code expired.",
        "The code of the device has ended: it is good for a quarter of an hour. Begin again on the device.",
    );
    EXPIRED = Kind::new(
        70020,
        "expired_token",
        "The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
        "The code of the device has ended: it is good for a quarter of an hour. Begin again on the device.",
    );
}
