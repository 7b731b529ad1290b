//! Resources and the permissions they publish.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An API that tokens are issued for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// Office 365 Exchange Online: what IMAP, POP and SMTP accept.
    Exchange,
    /// Microsoft Graph: what a bare scope name means.
    Graph,
}

impl Resource {
    /// The application id under which the resource is known to every tenant.
    #[must_use]
    pub fn application_id(self) -> &'static str {
        match self {
            Self::Exchange => "00000002-0000-0ff1-ce00-000000000000",
            Self::Graph => "00000003-0000-0000-c000-000000000000",
        }
    }

    /// The resource's name as an administrator sees it.
    #[must_use]
    pub fn display_name(self) -> &'static str {
        match self {
            Self::Exchange => "Office 365 Exchange Online",
            Self::Graph => "Microsoft Graph",
        }
    }

    /// The URIs that name it, the usual one first. A token's audience is the URI that was asked for.
    #[must_use]
    pub fn uris(self) -> &'static [&'static str] {
        match self {
            Self::Exchange => &[
                "https://outlook.office.com",
                "https://outlook.office365.com",
                "https://ps.outlook.com",
            ],
            Self::Graph => &["https://graph.microsoft.com"],
        }
    }

    /// The usual URI.
    #[must_use]
    pub fn uri(self) -> &'static str {
        match self {
            Self::Exchange => "https://outlook.office.com",
            Self::Graph => "https://graph.microsoft.com",
        }
    }

    /// The resource that a URI or application id names, with the URI to put into `aud`.
    #[must_use]
    pub fn find(name: &str) -> Option<(Self, &'static str)> {
        let name = name.trim_end_matches('/');
        [Self::Exchange, Self::Graph]
            .into_iter()
            .find_map(|resource| {
                if name.eq_ignore_ascii_case(resource.application_id()) {
                    return Some((resource, resource.uri()));
                }
                let uri = resource
                    .uris()
                    .iter()
                    .find(|uri| uri.eq_ignore_ascii_case(name))?;
                Some((resource, *uri))
            })
    }
}

/// Who holds a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PermissionKind {
    /// An application on behalf of a signed-in person: claim `scp`.
    Delegated,
    /// An application by itself: claim `roles`.
    Application,
}

/// A permission that some resource publishes.
///
/// Written `https://outlook.office.com/IMAP.AccessAsUser.All`; a bare name is one of Microsoft Graph's.
#[derive(Clone, Copy)]
pub struct Permission(&'static Row);

impl Permission {
    /// Which API publishes it.
    #[must_use]
    pub fn resource(self) -> Resource {
        self.0.resource
    }

    /// Its bare name, as in `scp` and `roles`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Who holds it.
    #[must_use]
    pub fn kind(self) -> PermissionKind {
        self.0.kind
    }

    /// What it lets an application do, for the person who is asked to allow it.
    #[must_use]
    pub fn plain_words(self) -> &'static str {
        self.0.words
    }

    /// Whether it opens mail, which a tenant may reserve to its administrators.
    #[must_use]
    pub fn opens_mail(self) -> bool {
        !matches!(
            self.0.name,
            "openid" | "profile" | "email" | "offline_access" | "User.Read"
        )
    }

    /// The permission of that name at that resource; names are compared without regard to case.
    #[must_use]
    pub fn find(resource: Resource, name: &str) -> Option<Self> {
        ROWS.iter()
            .find(|row| row.resource == resource && row.name.eq_ignore_ascii_case(name))
            .map(Self)
    }
}

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = match text.rsplit_once('/') {
            Some((resource, name)) => {
                Resource::find(resource).and_then(|(resource, _)| Self::find(resource, name))
            }
            None => Self::find(Resource::Graph, text),
        };
        found.ok_or_else(|| UnknownPermission(text.to_owned()))
    }
}

/// No resource publishes such a permission.
#[derive(Debug, thiserror::Error)]
#[error(
    "no permission \"{0}\" is known; write a mail permission with its resource, such as \
     \"https://outlook.office.com/IMAP.AccessAsUser.All\" or \"https://outlook.office365.com/IMAP.AccessAsApp\""
)]
pub struct UnknownPermission(String);

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.resource {
            Resource::Graph => formatter.write_str(self.0.name),
            resource => write!(formatter, "{}/{}", resource.uri(), self.0.name),
        }
    }
}

impl fmt::Debug for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

impl PartialEq for Permission {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Permission {}

impl PartialOrd for Permission {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Permission {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl Permission {
    fn key(self) -> (Resource, &'static str) {
        (self.0.resource, self.0.name)
    }
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

struct Row {
    resource: Resource,
    name: &'static str,
    kind: PermissionKind,
    words: &'static str,
}

const fn row(
    resource: Resource,
    kind: PermissionKind,
    name: &'static str,
    words: &'static str,
) -> Row {
    Row {
        resource,
        name,
        kind,
        words,
    }
}

use PermissionKind::{Application, Delegated};
use Resource::{Exchange, Graph};

static ROWS: &[Row] = &[
    row(
        Exchange,
        Delegated,
        "IMAP.AccessAsUser.All",
        "Read, change and delete the mail in your mailboxes (IMAP)",
    ),
    row(
        Exchange,
        Delegated,
        "POP.AccessAsUser.All",
        "Read and delete the mail in your inbox (POP)",
    ),
    row(
        Exchange,
        Delegated,
        "SMTP.Send",
        "Send mail in your name (SMTP)",
    ),
    row(
        Exchange,
        Delegated,
        "EWS.AccessAsUser.All",
        "Read, change and send your mail, calendar and contacts (EWS)",
    ),
    row(
        Exchange,
        Application,
        "IMAP.AccessAsApp",
        "Read, change and delete mail in mailboxes opened to it, with nobody signed in (IMAP)",
    ),
    row(
        Exchange,
        Application,
        "POP.AccessAsApp",
        "Read and delete mail in mailboxes opened to it, with nobody signed in (POP)",
    ),
    row(
        Exchange,
        Application,
        "SMTP.SendAsApp",
        "Send mail from mailboxes opened to it, with nobody signed in (SMTP)",
    ),
    row(
        Graph,
        Delegated,
        "openid",
        "Know that it is you who signs in",
    ),
    row(Graph, Delegated, "profile", "See your name and user name"),
    row(Graph, Delegated, "email", "See your mail address"),
    row(
        Graph,
        Delegated,
        "offline_access",
        "Keep the access you give it, also while you are away",
    ),
    row(
        Graph,
        Delegated,
        "User.Read",
        "Read your profile in the company directory",
    ),
    row(
        Graph,
        Delegated,
        "Mail.Read",
        "Read your mail (Graph only; IMAP does not accept this)",
    ),
    row(
        Graph,
        Delegated,
        "Mail.ReadWrite",
        "Read, change and delete your mail (Graph only; IMAP does not accept this)",
    ),
    row(
        Graph,
        Delegated,
        "Mail.Send",
        "Send mail in your name (Graph only; SMTP does not accept this)",
    ),
    row(
        Graph,
        Delegated,
        "IMAP.AccessAsUser.All",
        "Read, change and delete the mail in your mailboxes (IMAP)",
    ),
    row(
        Graph,
        Delegated,
        "POP.AccessAsUser.All",
        "Read and delete the mail in your inbox (POP)",
    ),
    row(
        Graph,
        Delegated,
        "SMTP.Send",
        "Send mail in your name (SMTP)",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for (text, resource, shown) in [
            (
                "IMAP.AccessAsUser.All",
                Resource::Graph,
                "IMAP.AccessAsUser.All",
            ),
            (
                "https://graph.microsoft.com/Mail.Read",
                Resource::Graph,
                "Mail.Read",
            ),
            (
                "https://outlook.office365.com/imap.accessasuser.all",
                Resource::Exchange,
                "https://outlook.office.com/IMAP.AccessAsUser.All",
            ),
            (
                "00000002-0000-0ff1-ce00-000000000000/IMAP.AccessAsApp",
                Resource::Exchange,
                "https://outlook.office.com/IMAP.AccessAsApp",
            ),
        ] {
            let permission: Permission = text.parse().unwrap();
            assert_eq!(permission.resource(), resource, "{text}");
            assert_eq!(permission.to_string(), shown, "{text}");
        }
        for text in [
            "",
            "IMAP.AccessAsApp",
            "https://outlok.office.com/SMTP.Send",
            "https://outlook.office.com/x",
        ] {
            assert!(text.parse::<Permission>().is_err(), "{text}");
        }
    }
}
