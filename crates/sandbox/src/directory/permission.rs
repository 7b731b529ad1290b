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

    /// The id that the resource publishes it under: of an app role or of a delegated scope.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.0.id
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

    /// All that a resource publishes.
    pub fn all(resource: Resource) -> impl Iterator<Item = Self> {
        ROWS.iter()
            .filter(move |row| row.resource == resource)
            .map(Self)
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
    id: &'static str,
    kind: PermissionKind,
    words: &'static str,
}

const fn row(
    resource: Resource,
    kind: PermissionKind,
    name: &'static str,
    id: &'static str,
    words: &'static str,
) -> Row {
    Row {
        resource,
        name,
        id,
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
        "195adc35-e27b-454b-a7ed-1ecdffa1c09f",
        "Read, change and delete the mail in your mailboxes (IMAP)",
    ),
    row(
        Exchange,
        Delegated,
        "POP.AccessAsUser.All",
        "fb698133-92fa-453e-a9ed-688e10f2e5ac",
        "Read and delete the mail in your inbox (POP)",
    ),
    row(
        Exchange,
        Delegated,
        "SMTP.Send",
        "76faac2a-0f20-42f1-928a-50de5b9dbe52",
        "Send mail in your name (SMTP)",
    ),
    row(
        Exchange,
        Delegated,
        "EWS.AccessAsUser.All",
        "3b5f3d61-589b-4a3c-a359-5dd4b5ee5bd5",
        "Read, change and send your mail, calendar and contacts (EWS)",
    ),
    row(
        Exchange,
        Application,
        "full_access_as_app",
        "dc890d15-9560-4a4c-9b7f-a736ec74ec40",
        "Everything in every mailbox, with nobody signed in (EWS only; IMAP does not accept this)",
    ),
    row(
        Exchange,
        Application,
        "IMAP.AccessAsApp",
        "5e5addcd-3e8d-4e90-baf5-964efab2b20a",
        "Read, change and delete mail in mailboxes opened to it, with nobody signed in (IMAP)",
    ),
    row(
        Exchange,
        Application,
        "POP.AccessAsApp",
        "cb842b43-da6e-4506-86fe-bb12199c656d",
        "Read and delete mail in mailboxes opened to it, with nobody signed in (POP)",
    ),
    row(
        Exchange,
        Application,
        "SMTP.SendAsApp",
        "7146a1f0-8703-45b3-9eae-527a64c00995",
        "Send mail from mailboxes opened to it, with nobody signed in (SMTP)",
    ),
    row(
        Graph,
        Delegated,
        "openid",
        "37f7f235-527c-4136-accd-4a02d197296e",
        "Know that it is you who signs in",
    ),
    row(
        Graph,
        Delegated,
        "profile",
        "14dad69e-099b-42c9-810b-d002981feec1",
        "See your name and user name",
    ),
    row(
        Graph,
        Delegated,
        "email",
        "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0",
        "See your mail address",
    ),
    row(
        Graph,
        Delegated,
        "offline_access",
        "7427e0e9-2fba-42fe-b0c0-848c9e6a8182",
        "Keep the access you give it, also while you are away",
    ),
    row(
        Graph,
        Delegated,
        "User.Read",
        "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
        "Read your profile in the company directory",
    ),
    row(
        Graph,
        Delegated,
        "Mail.Read",
        "570282fd-fa5c-430d-a7fd-fc8dc98a9dca",
        "Read your mail (Graph only; IMAP does not accept this)",
    ),
    row(
        Graph,
        Delegated,
        "Mail.ReadWrite",
        "024d486e-b451-40bb-833d-3e66d98c5c73",
        "Read, change and delete your mail (Graph only; IMAP does not accept this)",
    ),
    row(
        Graph,
        Delegated,
        "Mail.Send",
        "e383f46e-2787-4529-855e-0e479a3ffac0",
        "Send mail in your name (Graph only; SMTP does not accept this)",
    ),
    row(
        Graph,
        Application,
        "Mail.ReadBasic.All",
        "693c5e45-0940-467d-9b8a-1022fb9d42ef",
        "See whose mail is in every mailbox, with nobody signed in (Graph only; IMAP does not accept this)",
    ),
    row(
        Graph,
        Delegated,
        "IMAP.AccessAsUser.All",
        "652390e4-393a-48de-9484-05f9b1212954",
        "Read, change and delete the mail in your mailboxes (IMAP)",
    ),
    row(
        Graph,
        Delegated,
        "POP.AccessAsUser.All",
        "d7b7f2d9-0f45-4ea1-9d42-e50810c06991",
        "Read and delete the mail in your inbox (POP)",
    ),
    row(
        Graph,
        Delegated,
        "SMTP.Send",
        "258f6531-6087-4cc4-bb90-092c5fb3ed3f",
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
