//! What `mailgrant sandbox` says when everything answers: where it is, who lives there, what to type next.

use std::fmt::{self, Display, Formatter};

use mailgrant_sandbox::directory::Flow;
use mailgrant_sandbox::running::{Description, MailServer};

/// Text for a terminal.
///
/// ```text
/// Authority     https://localhost:40002/7c1e6a52-…
///               http://localhost:40001/7c1e6a52-… (without TLS)
/// Page          http://localhost:40001/
/// Trust         /tmp/mailgrant-x/ca.pem
/// IMAP          localhost:40003 (TLS), 40004 (STARTTLS)
/// SMTP          localhost:40005 (STARTTLS)
/// POP3          localhost:40006 (TLS), 40007 (STARTTLS)
/// Control       http://localhost:40001/control
/// Sign in as    ada.finch@tarnbrook.test  flint-hill-larch-3211
/// Applications  3f0b9f4e-…  delegated  tfUqF~k7…
///
/// A token, for a start:
///   curl --cacert /tmp/mailgrant-x/ca.pem https://localhost:40002/7c1e6a52-…/oauth2/v2.0/token \
///     -d grant_type=client_credentials …
/// ```
pub(crate) struct Introduction<'a>(pub &'a Description);

impl Display for Introduction<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let it = self.0;
        let (secure, plain) = (&it.authority_tls, &it.authority);
        row(out, "Authority", format_args!("{secure}/{}", it.tenant))?;
        row(out, "", format_args!("{plain}/{} (without TLS)", it.tenant))?;
        row(out, "Page", format_args!("{plain}/"))?;
        row(out, "Trust", it.ca_file.display())?;
        row(out, "IMAP", ports(&it.imap))?;
        row(
            out,
            "SMTP",
            format_args!("{}:{} (STARTTLS)", it.smtp.host, it.smtp.port),
        )?;
        row(out, "POP3", ports(&it.pop3))?;
        row(out, "Control", &it.control)?;
        for (heading, person) in people(it) {
            row(out, heading, person)?;
        }
        for (index, application) in it.applications.iter().enumerate() {
            let heading = if index == 0 { "Applications" } else { "" };
            let secret = application.client_secret.as_deref().unwrap_or("(public)");
            row(
                out,
                heading,
                format_args!("{}  {}  {secret}", application.client_id, application.id),
            )?;
        }
        writeln!(out, "\n{}", first_step(it))
    }
}

/// Who can sign in, of every organization, with the heading of each row.
pub(crate) fn people(it: &Description) -> Vec<(&'static str, String)> {
    let elsewhere = it.organizations.iter().flat_map(|other| {
        let name = other.display_name.as_str();
        other.users.iter().map(move |user| (user, Some(name)))
    });
    let alone = it.personal_accounts.iter();
    let everybody = (it.users.iter().map(|user| (user, None)))
        .chain(elsewhere)
        .chain(alone.map(|user| (user, Some("a personal account"))));
    let width = everybody
        .clone()
        .map(|(user, _)| user.address.len())
        .max()
        .unwrap_or_default();
    everybody
        .enumerate()
        .map(|(index, (user, of))| {
            let heading = if index == 0 { "Sign in as" } else { "" };
            let of = of.map(|name| format!("  ({name})")).unwrap_or_default();
            let address = &user.address;
            (heading, format!("{address:<width$}  {}{of}", user.password))
        })
        .collect()
}

fn row(out: &mut Formatter<'_>, heading: &str, text: impl Display) -> fmt::Result {
    writeln!(out, "{heading:<13} {text}")
}

fn ports(server: &MailServer) -> String {
    let MailServer {
        host,
        port,
        starttls_port,
        ..
    } = server;
    format!("{host}:{port} (TLS), {starttls_port} (STARTTLS)")
}

/// A line to paste: a token where some application gets one by itself, otherwise the authority's metadata.
fn first_step(it: &Description) -> String {
    let ca = quoted(&it.ca_file.display().to_string());
    let authority = format!("{}/{}", it.authority_tls, it.tenant);
    let unattended = it.applications.iter().find_map(|application| {
        let secret = application.client_secret.as_deref()?;
        (application.flow == Flow::AppOnly).then_some((&application.client_id, secret))
    });
    match unattended {
        Some((client_id, secret)) => format!(
            "A token, for a start:\n  curl --cacert {ca} {authority}/oauth2/v2.0/token \\\n    \
             -d grant_type=client_credentials -d scope=https://outlook.office365.com/.default \\\n    \
             -d client_id={client_id} --data-urlencode {}",
            quoted(&format!("client_secret={secret}"))
        ),
        None => format!(
            "For a start:\n  curl --cacert {ca} {authority}/v2.0/.well-known/openid-configuration"
        ),
    }
}

/// One word of a shell's line.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=:~".contains(c);
    if !word.is_empty() && !word.starts_with('~') && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one_in_the_shell() {
        assert_eq!(quoted("/tmp/s/ca.pem"), "/tmp/s/ca.pem");
        assert_eq!(quoted("client_secret=a~B.c-d_1"), "client_secret=a~B.c-d_1");
        assert_eq!(quoted("/tmp/my box/ca.pem"), "'/tmp/my box/ca.pem'");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }
}
