//! Scopes (RFC 6749 §3.3), and the mistakes people make with those of mail.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::InvalidValue;
use crate::value::{self, Problem};

/// One scope.
///
/// ```text
/// scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope(String);

impl Scope {
    /// Checks the grammar.
    ///
    /// # Errors
    ///
    /// When it is empty or holds a space, a quote, a backslash or anything but printable ASCII.
    pub fn new(scope: impl Into<String>) -> Result<Self, InvalidValue> {
        let scope = scope.into();
        value::graphic("scope", &scope)?;
        match scope.find(['"', '\\']) {
            Some(at) => Err(InvalidValue::new("scope", Problem::Character { at })),
            None => Ok(Self(scope)),
        }
    }

    /// The scope as the wire has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Scopes in the order they were given, each once. On the wire and in JSON one string, separated
/// by spaces.
///
/// ```
/// use mailgrant_core::scope::Scopes;
///
/// let scopes: Scopes = "openid offline_access openid".parse().unwrap();
/// assert_eq!(scopes.to_string(), "openid offline_access");
/// assert!(scopes.contains("openid"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Reads scopes separated by spaces.
    ///
    /// # Errors
    ///
    /// When one of them is not a scope.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        text.split(' ')
            .filter(|part| !part.is_empty())
            .map(Scope::new)
            .collect()
    }

    /// Whether this very scope is among them.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|each| each.0 == scope)
    }

    /// Adds a scope unless it is there.
    pub fn insert(&mut self, scope: Scope) {
        if !self.0.contains(&scope) {
            self.0.push(scope);
        }
    }

    /// These and the others.
    #[must_use]
    pub fn union(&self, others: &Self) -> Self {
        self.0.iter().chain(&others.0).cloned().collect()
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What an answer's `scope` holds: what is no scope is left out.
    pub(crate) fn lenient(text: &str) -> Self {
        text.split_ascii_whitespace()
            .filter_map(|part| Scope::new(part).ok())
            .collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        let mut set = Self::default();
        scopes.into_iter().for_each(|scope| set.insert(scope));
        set
    }
}

impl FromStr for Scopes {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        Self::parse(text)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str(" ")?;
            }
            formatter.write_str(&scope.0)?;
        }
        Ok(())
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Refuses a mail scope that Entra would turn into a Microsoft Graph token.
///
/// A name without a resource belongs to Graph at Entra, and the portal lists the delegated mail
/// permissions under Microsoft Graph: both mislead people into scopes whose token IMAP, POP and
/// SMTP refuse with a bare `AUTHENTICATE failed`.
///
/// # Errors
///
/// Carries the scope that was meant.
///
/// ```
/// use mailgrant_core::scope::check_mail_scope;
///
/// assert!(check_mail_scope("https://outlook.office.com/IMAP.AccessAsUser.All").is_ok());
/// let problem = check_mail_scope("IMAP.AccessAsUser.All").unwrap_err();
/// assert_eq!(problem.corrected, "https://outlook.office.com/IMAP.AccessAsUser.All");
/// ```
pub fn check_mail_scope(scope: &str) -> Result<(), ScopeProblem> {
    check_mail_scope_for(scope, "https://outlook.office.com")
}

/// [`check_mail_scope`] for another cloud: `resource` is what a bare name is corrected to.
///
/// # Errors
///
/// Carries the scope that was meant.
pub fn check_mail_scope_for(scope: &str, resource: &str) -> Result<(), ScopeProblem> {
    let (graph_mail, name) = match scope.split_once("://") {
        Some((_, rest)) => {
            let (host, name) = rest.split_once('/').unwrap_or((rest, ""));
            let known = GRAPH
                .iter()
                .find(|(graph, _)| host.eq_ignore_ascii_case(graph));
            match known {
                Some((_, mail)) => (*mail, name.trim_start_matches('/')),
                None => return Ok(()),
            }
        }
        None => (resource, scope),
    };
    let bare = graph_mail == resource && !scope.contains("://");
    let is = |known: &&&str| name.eq_ignore_ascii_case(known);
    let corrected = if let Some(delegated) = DELEGATED.iter().find(is) {
        format!("{graph_mail}/{delegated}")
    } else if APPLICATION.iter().any(|known| is(&known)) || name == ".default" {
        let resource = graph_mail.replace("://outlook.office.com", "://outlook.office365.com");
        format!("{resource}/.default")
    } else {
        return Ok(());
    };
    Err(ScopeProblem {
        scope: scope.to_owned(),
        corrected,
        bare,
    })
}

/// A scope whose token the mail servers would refuse, and the one that was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScopeProblem {
    /// As it was given.
    pub scope: String,
    /// As it should be.
    pub corrected: String,
    /// Whether the resource is missing; otherwise it is Microsoft Graph.
    pub bare: bool,
}

impl fmt::Display for ScopeProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            scope,
            corrected,
            bare,
        } = self;
        let cause = if *bare {
            "names no resource and so"
        } else {
            "belongs to Microsoft Graph and"
        };
        write!(
            formatter,
            "scope \"{scope}\" {cause} yields a token that IMAP, POP and SMTP refuse; \
             write \"{corrected}\""
        )
    }
}

impl std::error::Error for ScopeProblem {}

/// Delegated permissions, spelled as Entra spells them.
const DELEGATED: [&str; 3] = ["IMAP.AccessAsUser.All", "POP.AccessAsUser.All", "SMTP.Send"];

/// Application permissions: asked for with `.default` only.
const APPLICATION: [&str; 3] = ["IMAP.AccessAsApp", "POP.AccessAsApp", "SMTP.SendAsApp"];

/// Microsoft Graph in each cloud, and the resource of Exchange Online there.
const GRAPH: [(&str, &str); 4] = [
    ("graph.microsoft.com", "https://outlook.office.com"),
    ("graph.microsoft.us", "https://outlook.office365.us"),
    ("dod-graph.microsoft.us", "https://outlook.office365.us"),
    (
        "microsoftgraph.chinacloudapi.cn",
        "https://partner.outlook.cn",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_is_no_scope() {
        for text in ["a\"b", "a\\b", "a\tb", "a\r\nb", "caf\u{e9}"] {
            assert!(Scopes::parse(text).is_err(), "{text:?}");
        }
        assert!(Scope::new("").is_err());
    }

    #[test]
    fn keeps_order_and_drops_repeats() {
        let scopes = Scopes::parse("b  a b c a").unwrap();
        assert_eq!(scopes.to_string(), "b a c");
        assert_eq!(scopes.len(), 3);
        assert_eq!(serde_json::to_string(&scopes).unwrap(), "\"b a c\"");
        assert_eq!(serde_json::from_str::<Scopes>("\"b a c\"").unwrap(), scopes);
        assert!(!scopes.contains("A"));
    }

    #[test]
    fn problems_say_what_to_write() {
        let problem = check_mail_scope("SMTP.Send").unwrap_err();
        assert!(
            problem
                .to_string()
                .ends_with("write \"https://outlook.office.com/SMTP.Send\"")
        );
        let problem = check_mail_scope("https://graph.microsoft.com/.default").unwrap_err();
        assert!(problem.to_string().contains("belongs to Microsoft Graph"));
        assert_eq!(problem.corrected, "https://outlook.office365.com/.default");
    }

    #[test]
    fn corrections_are_accepted() {
        for name in DELEGATED.iter().chain(&APPLICATION) {
            for prefix in [
                "",
                "https://graph.microsoft.com/",
                "https://graph.microsoft.us//",
            ] {
                let problem = check_mail_scope(&format!("{prefix}{name}")).unwrap_err();
                assert_eq!(
                    check_mail_scope(&problem.corrected),
                    Ok(()),
                    "{prefix}{name}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn never_panics(text: String, resource: String) {
            let _ = check_mail_scope_for(&text, &resource);
            let _ = Scopes::parse(&text);
        }

        #[test]
        fn round_trips(parts in proptest::collection::vec("[!#-\\[\\]-~]{1,12}", 0..6)) {
            let scopes = Scopes::parse(&parts.join(" ")).unwrap();
            prop_assert_eq!(Scopes::parse(&scopes.to_string()).unwrap(), scopes);
        }
    }
}
