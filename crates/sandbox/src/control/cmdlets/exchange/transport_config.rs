//! `Set-` and `Get-TransportConfig`: SMTP submission of the whole organization.

use serde_json::json;

use super::super::call::{Cmdlet, Kind, optional};
use super::MODULE;
use crate::directory::TenantEntry;

pub(super) const CMDLETS: &[Cmdlet] = &[
    Cmdlet {
        name: "Set-TransportConfig",
        module: MODULE,
        parameters: &[
            optional("Identity", Kind::String),
            optional("SmtpClientAuthenticationDisabled", Kind::Boolean),
        ],
        run: |call| {
            if let (Some(disabled), false) = (
                call.boolean("SmtpClientAuthenticationDisabled"),
                call.what_if,
            ) {
                let directory = &call.directory;
                directory.update::<TenantEntry>("", |entry| entry.smtp_auth = !disabled)?;
            }
            Ok(Vec::new())
        },
    },
    Cmdlet {
        name: "Get-TransportConfig",
        module: MODULE,
        parameters: &[],
        run: |call| {
            let tenant = call.directory.tenant();
            Ok(vec![json!({
                "Identity": "Transport Settings",
                "Name": "Transport Settings",
                "SmtpClientAuthenticationDisabled": !tenant.smtp_auth,
            })])
        },
    },
];
