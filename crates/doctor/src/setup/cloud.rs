//! Microsoft's clouds, as their PowerShell modules and portals name them.

use mailgrant_core::endpoint::Endpoint;
use mailgrant_core::provider::Provider;

/// What differs from cloud to cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cloud {
    /// `Connect-MgGraph -Environment`.
    pub graph: &'static str,
    /// What has to be done before `Connect-MgGraph` knows the cloud, if anything.
    pub graph_client: Option<&'static str>,
    /// `Connect-ExchangeOnline -ExchangeEnvironmentName`.
    pub exchange: &'static str,
    /// The Entra admin center.
    pub portal: &'static str,
    /// Whether the consent link for IMAP and POP has a resource of its own.
    pub has_ps_outlook: bool,
}

impl Cloud {
    /// The cloud of a provider; none where the authority is not Entra ID.
    ///
    /// A provider from the settings counts when its issuer has the form of Entra's and what it asks for is Exchange's.
    pub(super) fn of(provider: &Provider) -> Option<Self> {
        match provider.id.as_str() {
            "microsoft365" | "outlook" => Some(WORLDWIDE),
            "microsoft365-gcc-high" => Some(GCC_HIGH),
            "microsoft365-dod" => Some(DOD),
            "microsoft365-china" => Some(CHINA),
            _ => {
                let issuer = provider.endpoints.issuer()?;
                let scopes = provider
                    .scopes
                    .iter()
                    .chain(provider.app_only_scopes.iter());
                let mut resources = scopes.filter_map(|scope| scope.as_str().rsplit_once('/'));
                let is_exchange = resources.any(|(resource, _)| EXCHANGE.contains(&resource));
                (issuer.trim_end_matches('/').ends_with("/v2.0") && is_exchange)
                    .then_some(WORLDWIDE)
            }
        }
    }
}

/// The origin of the login host, for links.
pub(super) fn login(provider: &Provider, tenant: &str) -> Option<Endpoint> {
    Endpoint::new(provider.issuer(tenant)?).ok()
}

/// The tenant that a provider's issuer is already one of: `https://login.example/TENANT/v2.0`.
pub(super) fn tenant_of_issuer(provider: &Provider) -> Option<&str> {
    let (_, path) = provider
        .endpoints
        .issuer()?
        .split_once("://")?
        .1
        .split_once('/')?;
    path.trim_end_matches('/')
        .strip_suffix("/v2.0")
        .filter(|tenant| !tenant.contains(['/', '{']))
}

const WORLDWIDE: Cloud = Cloud {
    graph: "Global",
    graph_client: None,
    exchange: "O365Default",
    portal: "https://entra.microsoft.com",
    has_ps_outlook: true,
};
const GCC_HIGH: Cloud = Cloud {
    graph: "USGov",
    graph_client: None,
    exchange: "O365USGovGCCHigh",
    portal: "https://entra.microsoft.us",
    has_ps_outlook: false,
};
const DOD: Cloud = Cloud {
    graph: "USGovDoD",
    graph_client: None,
    exchange: "O365USGovDoD",
    portal: "https://entra.microsoft.us",
    has_ps_outlook: false,
};
const CHINA: Cloud = Cloud {
    graph: "China",
    graph_client: Some(
        "Microsoft Graph PowerShell's own application is not there in every tenant of this cloud. If signing in says AADSTS700016, do the steps of Graph in the portal, or register a public client application for PowerShell (redirect URI http://localhost) and add -ClientId with its id.",
    ),
    exchange: "O365China",
    portal: "https://entra.microsoftonline.cn",
    has_ps_outlook: false,
};
const EXCHANGE: [&str; 4] = [
    "https://outlook.office.com",
    "https://outlook.office365.com",
    "https://outlook.office365.us",
    "https://partner.outlook.cn",
];
