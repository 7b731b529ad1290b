//! The `scope` parameter: which API, which permissions, and what belongs to the sign-in itself.

use std::collections::BTreeSet;

use super::problem::{Problem, application, scope};
use crate::directory::{Application, Permission, PermissionKind, Resource};

/// A `scope` that was understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RequestedScopes {
    /// `openid`, `profile`, `email`, `offline_access`.
    pub identity: BTreeSet<Permission>,
    /// The APIs asked for, in order, each under the URI that was written.
    pub targets: Vec<Target>,
}

/// One API, with the permissions asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub audience: &'static str,
    pub resource: Resource,
    /// Written out; `.default` stands for what the application is configured with.
    pub permissions: BTreeSet<Permission>,
    pub is_default: bool,
}

impl RequestedScopes {
    /// Reads a delegated scope.
    pub(crate) fn parse(
        scope: &str,
        application: &Application,
        directory: &str,
    ) -> Result<Self, Problem> {
        let mut requested = Self::default();
        for word in scope.split(' ').filter(|word| !word.is_empty()) {
            requested.add(word, application, directory)?;
        }
        let mixed =
            requested.targets.len() > 1 && requested.targets.iter().any(|target| target.is_default);
        if mixed {
            return Err(scope::INVALID.with([scope]));
        }
        Ok(requested)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.identity
            .iter()
            .any(|permission| permission.name() == name)
    }

    /// Everything that must be agreed to.
    pub(crate) fn permissions(&self) -> BTreeSet<Permission> {
        let of_targets = self
            .targets
            .iter()
            .flat_map(|target| target.permissions.iter().copied());
        self.identity.iter().copied().chain(of_targets).collect()
    }

    /// The scope of a code or refresh token again.
    pub(crate) fn of_grant(permissions: &[Permission], audience: &str) -> Self {
        let mut requested = Self::default();
        for permission in permissions {
            if is_identity(*permission) {
                requested.identity.insert(*permission);
                continue;
            }
            let resource = permission.resource();
            let audience = match Resource::find(audience) {
                Some((of_audience, uri)) if of_audience == resource => uri,
                _ => resource.uri(),
            };
            requested
                .target(resource, audience)
                .permissions
                .insert(*permission);
        }
        requested
    }

    fn add(
        &mut self,
        word: &str,
        application: &Application,
        directory: &str,
    ) -> Result<(), Problem> {
        let (resource, audience, name) = match split(word) {
            Some((resource, name)) => {
                let found = Resource::find(resource)
                    .ok_or_else(|| scope::RESOURCE_NOT_FOUND.with([resource, directory]))?;
                (found.0, found.1, name)
            }
            // A bare name is one of Graph's: the token will not open IMAP.
            None => (Resource::Graph, Resource::Graph.uri(), word),
        };
        if name.eq_ignore_ascii_case(".default") {
            check_listed(application, resource, word)?;
            let configured: BTreeSet<_> = application
                .configured(resource, PermissionKind::Delegated)
                .filter(|p| !is_identity(*p))
                .collect();
            let target = self.target(resource, audience);
            if !target.permissions.is_empty() {
                return Err(scope::INVALID.with([word]));
            }
            target.is_default = true;
            target.permissions = configured;
            return Ok(());
        }
        let permission = Permission::find(resource, name)
            .filter(|permission| permission.kind() == PermissionKind::Delegated)
            .ok_or_else(|| {
                scope::UNKNOWN_PERMISSION.with([
                    &application.display_name,
                    name,
                    resource.application_id(),
                ])
            })?;
        if is_identity(permission) {
            self.identity.insert(permission);
            return Ok(());
        }
        let target = self.target(resource, audience);
        if target.is_default {
            return Err(scope::INVALID.with([word]));
        }
        target.permissions.insert(permission);
        Ok(())
    }

    fn target(&mut self, resource: Resource, audience: &'static str) -> &mut Target {
        let known = self
            .targets
            .iter()
            .position(|target| target.resource == resource);
        let index = known.unwrap_or(self.targets.len());
        if known.is_none() {
            self.targets.push(Target {
                audience,
                resource,
                permissions: BTreeSet::new(),
                is_default: false,
            });
        }
        #[expect(clippy::indexing_slicing, reason = "found or pushed just above")]
        &mut self.targets[index]
    }
}

/// The API of a client-credentials scope, which must be `{resource}/.default` and nothing else.
pub(crate) fn application_target(
    scope: &str,
    directory: &str,
) -> Result<(Resource, &'static str), Problem> {
    let not_default = || scope::NOT_DEFAULT.with([scope]);
    let mut words = scope.split(' ').filter(|word| !word.is_empty());
    let (resource, name) = words.next().and_then(split).ok_or_else(not_default)?;
    if !name.eq_ignore_ascii_case(".default") {
        return Err(not_default());
    }
    if words.next().is_some() {
        return Err(scope::SEVERAL_RESOURCES.with([scope]));
    }
    Resource::find(resource).ok_or_else(|| scope::RESOURCE_NOT_FOUND.with([resource, directory]))
}

/// Whether `.default` means anything at this API: the registration must list a permission of it.
fn check_listed(application: &Application, resource: Resource, word: &str) -> Result<(), Problem> {
    let id = application.client_id.as_str();
    if application.permissions.is_empty() {
        return Err(application::NOTHING_REGISTERED.with([resource.display_name(), id]));
    }
    let listed: BTreeSet<_> = application
        .permissions
        .iter()
        .map(|permission| permission.resource())
        .collect();
    if listed.contains(&resource) {
        return match application.conditions.unknown_permissions.is_empty() {
            true => Ok(()),
            false => Err(application::NO_ENTITLEMENTS.with([resource.application_id(), id])),
        };
    }
    let listed: Vec<_> = listed.into_iter().map(Resource::application_id).collect();
    Err(application::RESOURCE_NOT_LISTED.with([
        id,
        &application.display_name,
        word.trim_end_matches("/.default"),
        resource.application_id(),
        &listed.join(", "),
    ]))
}

/// Whether a permission belongs to the sign-in rather than to an API.
pub(crate) fn is_identity(permission: Permission) -> bool {
    matches!(
        permission.name(),
        "openid" | "profile" | "email" | "offline_access"
    )
}

/// `https://host/Name` into its two parts; `https://host//.default` is written too.
fn split(word: &str) -> Option<(&str, &str)> {
    let (resource, name) = word.rsplit_once('/')?;
    Some((resource.trim_end_matches('/'), name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::TenantFile;

    fn parse(scope: &str) -> Result<RequestedScopes, Problem> {
        let directory = tempfile::tempdir().unwrap();
        let directory = crate::Directory::open(
            directory.path(),
            TenantFile::built_in().unwrap(),
            &[],
            mailgrant_core::time::UnixTime(1_800_000_000),
            std::sync::Arc::new(crate::SystemRandom),
        )
        .unwrap();
        let tenant = directory.tenant();
        RequestedScopes::parse(scope, &tenant.applications[0], "Tarnbrook")
    }

    #[test]
    fn names_are_sorted_into_sign_in_and_apis() {
        let scopes = parse(
            "openid offline_access https://outlook.office365.com/IMAP.AccessAsUser.All User.Read",
        )
        .unwrap();
        assert!(scopes.has("openid") && scopes.has("offline_access") && !scopes.has("email"));
        let audiences: Vec<_> = scopes
            .targets
            .iter()
            .map(|target| target.audience)
            .collect();
        assert_eq!(
            audiences,
            [
                "https://outlook.office365.com",
                "https://graph.microsoft.com"
            ]
        );
    }

    #[test]
    fn default_means_what_is_configured_and_stands_alone() {
        let scopes = parse("https://outlook.office.com/.default openid").unwrap();
        assert_eq!(scopes.targets[0].permissions.len(), 3);
        for scope in [
            "https://outlook.office.com/.default https://outlook.office.com/SMTP.Send",
            "https://outlook.office.com/SMTP.Send https://outlook.office.com/.default",
            "https://outlook.office.com/.default User.Read",
        ] {
            assert_eq!(parse(scope).unwrap_err().code(), 70011, "{scope}");
        }
    }

    #[test]
    fn what_does_not_exist_is_named() {
        assert_eq!(
            parse("https://outlok.office.com/SMTP.Send")
                .unwrap_err()
                .code(),
            500_011
        );
        assert_eq!(
            parse("https://outlook.office.com/IMAP.All")
                .unwrap_err()
                .code(),
            650_053
        );
        assert_eq!(
            parse("https://outlook.office.com/IMAP.AccessAsApp")
                .unwrap_err()
                .code(),
            650_053
        );
    }

    #[test]
    fn client_credentials_take_one_default() {
        for (scope, expected) in [
            (
                "https://outlook.office365.com/.default",
                Ok("https://outlook.office365.com"),
            ),
            (
                "https://graph.microsoft.com/.default",
                Ok("https://graph.microsoft.com"),
            ),
            (
                "https://outlook.office365.com/IMAP.AccessAsApp",
                Err(1_002_012),
            ),
            ("IMAP.AccessAsApp", Err(1_002_012)),
            ("", Err(1_002_012)),
            ("https://outlok.office365.com/.default", Err(500_011)),
            (
                "https://outlook.office365.com/.default https://graph.microsoft.com/.default",
                Err(700_022),
            ),
        ] {
            let found = application_target(scope, "x");
            assert_eq!(
                found.map(|(_, uri)| uri).map_err(|problem| problem.code()),
                expected,
                "{scope}"
            );
        }
    }
}
