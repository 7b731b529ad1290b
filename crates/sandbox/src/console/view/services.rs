//! Addresses, ports, and lines to paste.

use crate::directory::{Flow, Tenant};
use crate::running::{Description, MailServer, SubmissionServer};

/// A service of the sandbox, with what one types elsewhere to use it.
pub(in crate::console) struct Service {
    pub name: &'static str,
    pub note: &'static str,
    pub settings: Vec<Setting>,
}

/// Something to copy.
pub(in crate::console) struct Setting {
    pub label: &'static str,
    pub value: String,
    /// Whether it is an address that a browser opens.
    pub opens: bool,
}

pub(super) fn of(description: &Description) -> Vec<Service> {
    let tenant = &description.tenant;
    let ca = description.ca_file.display();
    let mut services = vec![Service {
        name: "Authority",
        note: "Where people sign in and programs get tokens. Libraries such as MSAL want the one with HTTPS.",
        settings: vec![
            plain(
                "With HTTPS",
                format!("{}/{tenant}", description.authority_tls),
            ),
            plain("Without", format!("{}/{tenant}", description.authority)),
            link(
                "Metadata",
                format!(
                    "{}/{tenant}/v2.0/.well-known/openid-configuration",
                    description.authority
                ),
            ),
            plain(
                "Token",
                format!("{}/{tenant}/oauth2/v2.0/token", description.authority),
            ),
        ],
    }];
    let imap = mail(
        "IMAP",
        "XOAUTH2 only, as Exchange Online has it.",
        &description.imap,
    );
    services.push(imap);
    services.push(submission(&description.smtp));
    services.push(mail(
        "POP3",
        "XOAUTH2, in Exchange's two lines.",
        &description.pop3,
    ));
    services.push(Service {
        name: "Certificate authority",
        note: "Trust it where a program speaks TLS with the sandbox.",
        settings: vec![
            plain("File", ca.to_string()),
            link("Download", format!("{}/ca.pem", description.authority)),
            plain("Node.js", format!("export NODE_EXTRA_CA_CERTS={ca}")),
            plain("Python, curl", format!("export SSL_CERT_FILE={ca}")),
        ],
    });
    services.push(Service {
        name: "Control API",
        note: "Everything that this page does, for tests: send X-Sandbox-Control: 1.",
        settings: vec![
            plain("Address", description.control.clone()),
            plain(
                "Requests so far",
                format!(
                    "curl -H 'X-Sandbox-Control: 1' {}/requests",
                    description.control
                ),
            ),
        ],
    });
    services
}

/// The shortest way to see it work: a token for an application, and a mailbox opened with it.
pub(super) fn trial(description: &Description, tenant: &Tenant) -> Option<String> {
    let application = description
        .applications
        .iter()
        .find(|application| application.flow == Flow::AppOnly)?;
    let secret = application.client_secret.as_deref()?;
    let mailbox = tenant
        .mailbox_permissions
        .iter()
        .find(|permission| permission.trustee == application.client_id)?;
    Some(format!(
        "TOKEN=$(curl -s {}/{}/oauth2/v2.0/token \\\n  -d grant_type=client_credentials -d client_id={} \\\n  --data-urlencode 'client_secret={secret}' \\\n  -d scope=https://outlook.office365.com/.default | sed 's/.*\"access_token\":\"\\([^\"]*\\).*/\\1/')\ncurl --cacert '{}' --user {} --oauth2-bearer \"$TOKEN\" \\\n  imaps://{}:{}/ -X 'STATUS INBOX (MESSAGES)'",
        description.authority,
        description.tenant,
        application.client_id,
        description.ca_file.display(),
        mailbox.mailbox,
        description.imap.host,
        description.imap.port,
    ))
}

fn mail(name: &'static str, note: &'static str, server: &MailServer) -> Service {
    Service {
        name,
        note,
        settings: vec![
            plain("Host", server.host.clone()),
            plain("TLS port", server.port.to_string()),
            plain("STARTTLS port", server.starttls_port.to_string()),
            plain(
                "Look in",
                format!(
                    "openssl s_client -quiet -connect {}:{}",
                    server.host, server.port
                ),
            ),
        ],
    }
}

fn submission(server: &SubmissionServer) -> Service {
    let (host, port) = (&server.host, server.port);
    let mut settings = vec![
        plain("Host", host.clone()),
        plain("STARTTLS port", port.to_string()),
    ];
    if let Some(port) = server.tls_port {
        settings.push(plain("TLS port", port.to_string()));
    }
    settings.push(plain(
        "Look in",
        format!("openssl s_client -quiet -starttls smtp -connect {host}:{port}"),
    ));
    Service {
        name: "SMTP",
        note: "Submission with XOAUTH2; what is sent arrives in the mailboxes here, and in the outbox.",
        settings,
    }
}

fn plain(label: &'static str, value: String) -> Setting {
    Setting {
        label,
        value,
        opens: false,
    }
}

fn link(label: &'static str, value: String) -> Setting {
    Setting {
        label,
        value,
        opens: true,
    }
}
