//! The application: known, switched on, and meant for these accounts.

use actix_web::http::StatusCode;

use super::{INVALID_CLIENT, INVALID_REQUEST, Kind, UNAUTHORIZED_CLIENT, table};

table! {
    NOT_FOUND = Kind::new(
        700_016,
        UNAUTHORIZED_CLIENT,
        "Application with identifier '{0}' was not found in the directory '{1}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.",
        "No application of this client id is registered in this organization. The client id or the tenant in the application's settings is wrong.",
    );
    /// Known elsewhere, and never installed here.
    NOT_INSTALLED = Kind::new(
        700_011,
        UNAUTHORIZED_CLIENT,
        "Application with identifier '{0}' was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.",
        "The application exists, but has never been installed in this organization. An administrator opens its approval link.",
    );
    /// What client credentials are told where the registration is known and the enterprise application is not there.
    NO_SERVICE_PRINCIPAL = Kind::new(
        7_000_229,
        INVALID_CLIENT,
        "The client application {0} is missing service principal in the tenant {1}. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119.",
        "The application has no enterprise application (service principal) in this organization. An administrator opens its approval link.",
    )
    .status(StatusCode::UNAUTHORIZED);
    DISABLED = Kind::new(
        7_000_112,
        UNAUTHORIZED_CLIENT,
        "Application '{0}'({1}) is disabled.",
        "The application was switched off by an administrator.",
    );
    /// The enterprise application of this tenant is switched off, the registration is not.
    DISABLED_HERE = Kind::new(
        1_000_031,
        UNAUTHORIZED_CLIENT,
        "Application {0} can't be accessed at this time. Contact your administrator.",
        "This organization's administrator has switched sign-in to the application off.",
    );
    DISABLED_OLD = Kind::new(
        70001,
        UNAUTHORIZED_CLIENT,
        "The application named {0} was not found in the tenant named {1}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.",
        "The application is not installed in this organization, or was switched off.",
    );
    SINGLE_TENANT = Kind::new(
        50194,
        INVALID_REQUEST,
        "Application '{0}'({1}) is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or configure the application to be multi-tenant.",
        "The application is registered for one organization only, so it cannot use the address for all ('common'). It uses its tenant's id in the address.",
    );
    CONSUMERS_ONLY = Kind::new(
        9_002_331,
        UNAUTHORIZED_CLIENT,
        "Application '{0}'({1}) is configured for use by Microsoft Account users only. Please use the /consumers endpoint to serve this request.",
        "The application is registered for personal accounts only. It uses the address for those ('consumers').",
    );
    NOT_FOR_CONSUMERS = Kind::new(
        9_002_332,
        UNAUTHORIZED_CLIENT,
        "Application '{0}'({1}) is configured for use by Azure Active Directory users only. Please do not use the /consumers endpoint to serve this request.",
        "The application is registered for organizations only, so it cannot use the address for personal accounts ('consumers').",
    );
    NOT_ON_COMMON = Kind::new(
        90130,
        INVALID_REQUEST,
        "Application '{0}' ({1}) is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.",
        "The application serves organizations only. It uses 'organizations' or the tenant's id in the address.",
    );
    RESOURCE_NOT_ON_COMMON = Kind::new(
        90124,
        INVALID_REQUEST,
        "Resource '{0}' ({1}) is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.",
        "The API serves organizations only. The application uses 'organizations' or the tenant's id in the address.",
    );
    RESOURCE_NOT_SUBSCRIBED = Kind::new(
        650_052,
        INVALID_CLIENT,
        "The app is trying to access a service '{0}'({1}) that your organization '{2}' lacks a service principal for. Contact your IT Admin to review the configuration of your service subscriptions or consent to the application in order to create the required service principal.",
        "The organization has no subscription to the API that the application needs.",
    );
    RESOURCE_REMOVED = Kind::new(
        650_054,
        INVALID_CLIENT,
        "The application '{0}' asked for permissions to access a resource '{1}' that has been removed or is no longer available. Contact the app vendor.",
        "The API that the application asks for was removed from the organization.",
    );
    NOTHING_REGISTERED = Kind::new(
        650_056,
        INVALID_CLIENT,
        "Misconfigured application. This could be due to one of the following: the client has not listed any permissions for '{0}' in the requested permissions in the client's application registration. Or, the admin has not consented in the tenant. Or, check the application identifier in the request to ensure it matches the configured client application identifier. Or, check the certificate in the request to ensure it's valid. Please contact your admin to fix the configuration or consent on behalf of the tenant. Client app ID: {1}.",
        "The application's registration lists no permissions at all, so '.default' means nothing. Its operator adds the permissions under 'API permissions'.",
    );
    RESOURCE_NOT_LISTED = Kind::new(
        650_057,
        INVALID_CLIENT,
        "Invalid resource. The client has requested access to a resource which is not listed in the requested permissions in the client's application registration. Client app ID: {0}({1}). Resource value from request: {2}. Resource app ID: {3}. List of valid resources from app registration: {4}.",
        "The application's registration lists no permission of this API, so '.default' means nothing there. Its operator adds one under 'API permissions', or corrects the scope.",
    );
    NO_ENTITLEMENTS = Kind::new(
        65006,
        INVALID_CLIENT,
        "Resource '{0}' had no entitlements matching required permissions configured on the required resource access for client '{1}'.",
        "The application's registration lists a permission id that the API does not have. Its operator removes it and adds the permission again by its name.",
    );
    MISCONFIGURED = Kind::new(
        65005,
        INVALID_CLIENT,
        "The application '{0}' asked for permissions to access a resource '{1}' that is not specified in its required resource access list. Contact the app vendor.",
        "The application asks for an API that its registration does not list. Its operator adds the permission under 'API permissions'.",
    );
}
