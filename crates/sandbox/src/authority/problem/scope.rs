//! The `scope` parameter and the API it names.

use super::{INVALID_CLIENT, INVALID_GRANT, INVALID_RESOURCE, INVALID_SCOPE, Kind, table};

table! {
    INVALID = Kind::new(
        70011,
        INVALID_SCOPE,
        "The provided value for the input parameter 'scope' is not valid. The scope '{0}' is not valid.",
        "The application asked for a scope that is written wrongly.",
    );
    SEVERAL_RESOURCES_AT_REDEEM = Kind::new(
        28000,
        INVALID_GRANT,
        "Provided value for the input parameter scope '{0}' is not valid because it contains more than one resource.",
        "The application asked for one token for two APIs. Its developer asks for each API's token separately.",
    );
    SEVERAL_RESOURCES = Kind::new(
        700_022,
        INVALID_SCOPE,
        "The provided value for the input parameter scope '{0}' is not valid because it contains more than one resource.",
        "The application asked for one token for two APIs. Its developer asks for each API's token separately.",
    );
    NO_RESOURCE = Kind::new(
        700_023,
        INVALID_SCOPE,
        "The provided value for the input parameter scope '{0}' is not valid when requesting an access token.",
        "The application asked for a token with no API in its scope. Its developer adds one, such as https://outlook.office.com/IMAP.AccessAsUser.All.",
    );
    AT_REDEEM = Kind::new(
        28002,
        INVALID_GRANT,
        "Provided value for the input parameter scope '{0}' is not valid when requesting an access token. Please specify a valid scope.",
        "The application redeems its code with a scope that no token can carry. Its developer corrects the scope.",
    );
    EMPTY_AT_REDEEM = Kind::new(
        28003,
        INVALID_GRANT,
        "Provided value for the input parameter scope cannot be empty when requesting an access token using the provided authorization code. Please specify a valid scope.",
        "The application redeems its code with an empty scope. Its developer leaves 'scope' out or writes one.",
    );
    NOT_DEFAULT = Kind::new(
        1_002_012,
        INVALID_SCOPE,
        "The provided value for scope {0} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).",
        "Without a person, an application can only ask for '{resource}/.default'.",
    );
    RESOURCE_NOT_FOUND = Kind::new(
        500_011,
        INVALID_RESOURCE,
        "The resource principal named {0} was not found in the tenant named {1}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.",
        "The API that the application wants a token for does not exist here; often a typing error in the scope.",
    );
    RESOURCE_INVALID = Kind::new(
        50001,
        INVALID_RESOURCE,
        "The resource named {0} is disabled or does not exist. Check your app's code to ensure that you have specified the exact resource URL for the resource you are trying to access.",
        "The API that the application wants a token for is switched off or does not exist here.",
    );
    RESOURCE_DISABLED = Kind::new(
        500_014,
        INVALID_RESOURCE,
        "The service principal for resource '{0}' is disabled. This indicate that a subscription within the tenant has lapsed, or that the administrator for this tenant has disabled the application, preventing tokens from being issued for it.",
        "The organization's administrator has switched the API off, or its subscription has ended.",
    );
    UNKNOWN_PERMISSION = Kind::new(
        650_053,
        INVALID_CLIENT,
        "The application '{0}' asked for scope '{1}' that doesn't exist on the resource '{2}'. Contact the app vendor.",
        "The API does not publish the permission that the application asks for; often a typing error in the scope.",
    );
}
