//! Which organization, which cloud, which kind of account.

use super::{INVALID_GRANT, INVALID_REQUEST, Kind, table};

table! {
    UNKNOWN_INSTANCE = Kind::new(
        50049,
        "invalid_instance",
        "Unknown or invalid instance.",
        "The host that the application asked about is none of the sandbox's addresses.",
    );
    NOT_FOUND = Kind::new(
        90002,
        INVALID_REQUEST,
        "Tenant '{0}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.",
        "There is no organization of this id or domain here. The tenant in the application's settings is wrong.",
    );
    /// Neither a GUID nor a domain.
    NOT_A_NAME = Kind::new(
        900_023,
        INVALID_REQUEST,
        "Specified tenant identifier '{0}' is neither a valid DNS name, nor a valid external domain.",
        "The tenant in the address is neither an id nor a domain; often a placeholder was left in the application's settings.",
    );
    NOT_NAMED = Kind::new(
        50059,
        INVALID_REQUEST,
        "No tenant-identifying information found in either the request or implied by any provided credentials.",
        "The request does not say which organization it is for. The application uses the tenant's id or domain in the address instead of 'common'.",
    );
    NATIONAL_CLOUD = Kind::new(
        90038,
        INVALID_REQUEST,
        "The specified tenant '{0}' belongs to the National Cloud '{1}'. Current cloud instance '{2}' does not federate with {3}. A cloud redirect error is returned.",
        "The organization lives in another cloud (US Government or China) with its own login host. The application uses that host, and the mail servers of that cloud.",
    );
    NATIONAL_CLOUD_CODE = Kind::new(
        90043,
        INVALID_REQUEST,
        "NationalCloudAuthCodeRedirection - The feature is disabled.",
        "A code of one cloud was to be redeemed in another. The application uses the login host of the organization's own cloud throughout.",
    );
    NATIONAL_CLOUD_ID = Kind::new(
        90051,
        INVALID_REQUEST,
        "The national cloud identifier contains an invalid cloud identifier.",
        "The request names a cloud that does not exist. The application uses the login host of the organization's own cloud.",
    );
    /// A confidential client at the wrong cloud.
    NATIONAL_CLOUD_CONFIDENTIAL = Kind::new(
        900_382,
        INVALID_REQUEST,
        "Confidential Client is not supported in Cross Cloud request.",
        "The organization lives in another cloud, where this application is not registered. It is registered there again, and that cloud's login host is used.",
    );
    NATIONAL_CLOUD_CONFIDENTIAL_TOKEN = Kind::new(
        900_432,
        INVALID_REQUEST,
        "Confidential Client is not supported in Cross Cloud request.",
        "The organization lives in another cloud, where this application is not registered. It is registered there again, and that cloud's login host is used.",
    );
    GRANT_ON_COMMON = Kind::new(
        9_001_023,
        INVALID_REQUEST,
        "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.",
        "A password can be exchanged for a token only at the address of one organization, or of all organizations.",
    );
    VERSION_1_CONSUMERS = Kind::new(
        90027,
        INVALID_REQUEST,
        "We are unable to issue tokens from this API version on the MSA tenant. Please contact the application vendor as they need to use version 2.0 of the protocol to support this.",
        "Personal accounts exist at the addresses with /v2.0 only. The application's developer changes the address.",
    );
    VERSION_1_PERSONAL = Kind::new(
        500_201,
        INVALID_GRANT,
        "We are unable to issue tokens from this API version for a Microsoft account. Please contact the application vendor as they need to use version 2.0 of the protocol to support this.",
        "A personal account cannot be used at the addresses without /v2.0. The application's developer changes the address.",
    );
}
