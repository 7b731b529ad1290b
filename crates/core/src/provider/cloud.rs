//! Microsoft's clouds: separate worlds with authorities, mail hosts and administration of their own.

/// One of Microsoft's clouds.
///
/// Sources: Microsoft's pages on authentication in national clouds, on `Connect-MgGraph` and on
/// `Connect-ExchangeOnline`. The mail hosts of GCC High and DoD are known from public code only.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cloud {
    /// The preset's id.
    pub id: &'static str,
    /// For people.
    pub display_name: &'static str,
    /// The authority's host.
    pub login: &'static str,
    /// What delegated mail scopes begin with.
    pub resource: &'static str,
    /// What the app-only scope begins with; Microsoft's page insists on it.
    pub app_only_resource: &'static str,
    /// The audiences of tokens that the mail servers take; v2.0 tokens name the application's id.
    pub audiences: &'static [&'static str],
    /// The IMAP and POP server.
    pub mail: &'static str,
    /// The submission server.
    pub smtp: &'static str,
    /// Microsoft Graph, whose tokens no mail server takes.
    pub graph: &'static str,
    /// `Connect-MgGraph -Environment …`
    pub graph_environment: &'static str,
    /// `Connect-ExchangeOnline -ExchangeEnvironmentName …`
    pub exchange_environment: &'static str,
    /// Where applications are registered.
    pub admin_portal: &'static str,
}

impl Cloud {
    /// Whether a token of this audience is for the mail servers.
    ///
    /// ```
    /// use mailgrant_core::provider::CLOUDS;
    ///
    /// let worldwide = &CLOUDS[0];
    /// assert!(worldwide.is_mail_audience("https://outlook.office.com/"));
    /// assert!(!worldwide.is_mail_audience(worldwide.graph));
    /// ```
    #[must_use]
    pub fn is_mail_audience(&self, audience: &str) -> bool {
        self.audiences.iter().any(|known| same(known, audience))
    }

    /// Whether a token of this audience is for Microsoft Graph.
    #[must_use]
    pub fn is_graph_audience(&self, audience: &str) -> bool {
        same(self.graph, audience) || same(GRAPH, audience)
    }
}

/// All of them, the worldwide one first. GCC is part of it.
pub static CLOUDS: [Cloud; 4] = [
    Cloud {
        id: "microsoft365",
        display_name: "Microsoft 365",
        login: "login.microsoftonline.com",
        resource: "https://outlook.office.com",
        app_only_resource: "https://outlook.office365.com",
        audiences: &[
            "https://outlook.office.com",
            "https://outlook.office365.com",
            "https://ps.outlook.com",
            EXCHANGE_ONLINE,
        ],
        mail: "outlook.office365.com",
        smtp: "smtp.office365.com",
        graph: "https://graph.microsoft.com",
        graph_environment: "Global",
        exchange_environment: "O365Default",
        admin_portal: "https://entra.microsoft.com",
    },
    Cloud {
        id: "microsoft365-gcc-high",
        display_name: "Microsoft 365 GCC High",
        login: "login.microsoftonline.us",
        resource: "https://outlook.office365.us",
        app_only_resource: "https://outlook.office365.us",
        audiences: &["https://outlook.office365.us", EXCHANGE_ONLINE],
        mail: "outlook.office365.us",
        smtp: "smtp.office365.us",
        graph: "https://graph.microsoft.us",
        graph_environment: "USGov",
        exchange_environment: "O365USGovGCCHigh",
        admin_portal: "https://portal.azure.us",
    },
    // The mail host is known from one public code base, whose author could not test it.
    Cloud {
        id: "microsoft365-dod",
        display_name: "Microsoft 365 DoD",
        login: "login.microsoftonline.us",
        resource: "https://outlook.office365.us",
        app_only_resource: "https://outlook.office365.us",
        audiences: &[
            "https://outlook.office365.us",
            "https://outlook-dod.office365.us",
            EXCHANGE_ONLINE,
        ],
        mail: "outlook-dod.office365.us",
        smtp: "outlook-dod.office365.us",
        graph: "https://dod-graph.microsoft.us",
        graph_environment: "USGovDoD",
        exchange_environment: "O365USGovDoD",
        admin_portal: "https://portal.azure.us",
    },
    Cloud {
        id: "microsoft365-china",
        display_name: "Microsoft 365 operated by 21Vianet",
        login: "login.partner.microsoftonline.cn",
        resource: "https://partner.outlook.cn",
        app_only_resource: "https://partner.outlook.cn",
        audiences: &["https://partner.outlook.cn", EXCHANGE_ONLINE],
        mail: "partner.outlook.cn",
        smtp: "smtp.partner.outlook.cn",
        graph: "https://microsoftgraph.chinacloudapi.cn",
        graph_environment: "China",
        exchange_environment: "O365China",
        admin_portal: "https://portal.azure.cn",
    },
];

fn same(known: &str, audience: &str) -> bool {
    known.eq_ignore_ascii_case(audience.trim_end_matches('/'))
}

/// The application id of Microsoft Graph, the same in every cloud.
const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
/// The application id of "Office 365 Exchange Online", the same in every cloud.
const EXCHANGE_ONLINE: &str = "00000002-0000-0ff1-ce00-000000000000";
