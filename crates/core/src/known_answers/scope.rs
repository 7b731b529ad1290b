//! Mail scopes as people write them, and as they are meant.

use super::Table;
use crate::scope::check_mail_scope;

pub(super) fn check(table: &mut Table) {
    for scope in GOOD {
        table.equal(
            &format!("scope {scope} is left alone"),
            check_mail_scope(scope),
            (),
        );
    }
    for (scope, corrected) in CORRECTED {
        let found = match check_mail_scope(scope) {
            Err(problem) => Ok(problem.corrected),
            Ok(()) => Err("accepted"),
        };
        table.equal(
            &format!("scope {scope} is corrected"),
            found,
            (*corrected).to_owned(),
        );
    }
}

const GOOD: &[&str] = &[
    "openid",
    "offline_access",
    "https://outlook.office.com/IMAP.AccessAsUser.All",
    "https://outlook.office365.com/IMAP.AccessAsUser.All",
    "https://outlook.office365.com/.default",
    "https://ps.outlook.com/.default",
    "https://partner.outlook.cn/IMAP.AccessAsUser.All",
    "https://mail.google.com/",
    "https://graph.microsoft.com/User.Read",
    "https://www.fastmail.com/dev/protocol-imap",
    "mail-w",
    "mail:imap_full",
];

const CORRECTED: &[(&str, &str)] = &[
    (
        "IMAP.AccessAsUser.All",
        "https://outlook.office.com/IMAP.AccessAsUser.All",
    ),
    (
        "imap.accessasuser.all",
        "https://outlook.office.com/IMAP.AccessAsUser.All",
    ),
    (
        "POP.AccessAsUser.All",
        "https://outlook.office.com/POP.AccessAsUser.All",
    ),
    ("SMTP.Send", "https://outlook.office.com/SMTP.Send"),
    (
        "https://graph.microsoft.com/IMAP.AccessAsUser.All",
        "https://outlook.office.com/IMAP.AccessAsUser.All",
    ),
    (
        "https://graph.microsoft.us/IMAP.AccessAsUser.All",
        "https://outlook.office365.us/IMAP.AccessAsUser.All",
    ),
    (
        "https://microsoftgraph.chinacloudapi.cn/SMTP.Send",
        "https://partner.outlook.cn/SMTP.Send",
    ),
    (
        "https://graph.microsoft.com/.default",
        "https://outlook.office365.com/.default",
    ),
    (".default", "https://outlook.office365.com/.default"),
    ("IMAP.AccessAsApp", "https://outlook.office365.com/.default"),
    (
        "https://graph.microsoft.com/SMTP.SendAsApp",
        "https://outlook.office365.com/.default",
    ),
];
