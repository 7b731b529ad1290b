//! May the holder of this token open that mailbox? What Exchange decides at `AUTHENTICATE`.

use mailgrant_core::time::UnixTime;
use serde::Deserialize;

use super::mailbox::{Mailbox, MailboxRight};
use super::opaque::is_opaque;
use super::permission::Resource;
use super::tenant::{Tenant, User};
use super::tenants::Tenants;
use super::{Directory, Protocol};

/// A login that is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxAccess {
    /// The mailbox's primary address, in the directory's spelling.
    pub mailbox: String,
    /// Who came in.
    pub holder: Holder,
    /// The client id of the application that the token was issued to.
    pub client_id: String,
    /// Whether a mailbox stands behind the login, or every later command is answered
    /// `BAD User is authenticated but not connected.`
    pub connected: bool,
    /// When the token ends, and with it the session.
    pub until: UnixTime,
}

/// Who holds the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A person, by user principal name, through an application.
    Person(String),
    /// An application by itself, by client id.
    Application(String),
}

/// Why a login is refused. Exchange says `NO AUTHENTICATE failed.` to them all; the sandbox's log says which it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Not a JWT of this authority.
    #[error("the token is not a JWT that this authority issues")]
    NotAToken,
    /// Signed with another or a retired key, or altered.
    #[error("the token's signature does not hold")]
    Signature,
    /// From another tenant or authority.
    #[error("the token was issued by another authority or tenant")]
    Issuer,
    /// For a mailbox of another organization.
    #[error("the mailbox is in another tenant than the one that the token was issued in")]
    OtherTenant,
    /// For another API.
    #[error("the token's audience is not Exchange: the scope was a bare or a Graph one")]
    Audience,
    /// Not valid any more.
    #[error("the token has ended")]
    Expired,
    /// Not valid yet.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Lacks the permission for this protocol.
    #[error("the token carries no permission for this protocol in scp or roles")]
    Permission,
    /// The person who signed in does not exist any more or is blocked.
    #[error("the person who signed in is gone or blocked")]
    UnknownPerson,
    /// No such mailbox.
    #[error("there is no mailbox of that address")]
    UnknownMailbox,
    /// A person without full access on somebody else's mailbox.
    #[error("the person who signed in has no full access on this mailbox")]
    NoMailboxPermission,
    /// SMTP wants the name of the person who signed in, whatever else they may open.
    #[error(
        "user= is not the user principal name of the person who signed in, which SMTP demands; a shared mailbox is sent \
         from by MAIL FROM, with Send As"
    )]
    NotTheSignedInPerson,
    /// The application was not registered in Exchange.
    #[error("the application has no service principal in Exchange (New-ServicePrincipal)")]
    NoServicePrincipal,
    /// The application was registered with the object id of the wrong object.
    #[error(
        "the service principal in Exchange has another object id than the enterprise application"
    )]
    ServicePrincipalObject,
    /// The protocol is switched off for the mailbox.
    #[error("the protocol is switched off for this mailbox")]
    ProtocolDisabled,
}

impl Directory {
    /// Decides whether the bearer of `token` may open the mailbox `user` by IMAP.
    ///
    /// # Errors
    ///
    /// The reason for which Exchange would refuse.
    pub fn check_access_token(
        &self,
        token: &str,
        user: &str,
        now: UnixTime,
    ) -> Result<MailboxAccess, Refusal> {
        self.check_access_token_for(Protocol::Imap, token, user, now)
    }

    /// The same for any protocol.
    ///
    /// # Errors
    ///
    /// The reason for which Exchange would refuse.
    pub fn check_access_token_for(
        &self,
        protocol: Protocol,
        token: &str,
        user: &str,
        now: UnixTime,
    ) -> Result<MailboxAccess, Refusal> {
        let claims: Claims = self.read_access_token(token)?;
        let tenants = self.tenants();
        // What is sealed is this sandbox's own.
        if !is_opaque(token) {
            claims.check_issuer(&tenants)?;
        }
        claims.check(now)?;
        if self.has_ended(&claims.oid, &claims.appid, UnixTime(claims.iat)) {
            return Err(Refusal::Expired);
        }
        let (tenant, mailbox) = tenants.mailbox(user).ok_or(Refusal::UnknownMailbox)?;
        if tenant.id != claims.tid {
            return Err(Refusal::OtherTenant);
        }
        let (holder, permitted) = match &claims.scp {
            Some(scopes) => claims.person(tenant, mailbox, scopes, protocol)?,
            None => claims.application(tenant, mailbox, protocol)?,
        };
        if protocol == Protocol::Smtp
            && let Holder::Person(name) = &holder
            && !name.eq_ignore_ascii_case(user)
        {
            return Err(Refusal::NotTheSignedInPerson);
        }
        if !protocol.enabled(mailbox, tenant) {
            return Err(Refusal::ProtocolDisabled);
        }
        Ok(MailboxAccess {
            mailbox: mailbox.address.clone(),
            holder,
            client_id: claims.appid,
            connected: permitted && mailbox.switches.licensed,
            until: UnixTime(claims.exp),
        })
    }
}

impl Directory {
    /// Whether a session that is open may stay so: the mailbox is still there and has its licence, and whoever opened
    /// it is neither gone nor blocked. Switches and permissions are looked at when one logs in, and not again.
    #[must_use]
    pub fn may_stay(&self, mailbox: &str, holder: &Holder) -> bool {
        let tenants = self.tenants();
        let Some((tenant, mailbox)) = tenants.mailbox(mailbox) else {
            return false;
        };
        let holds = match holder {
            Holder::Person(name) => tenant.user(name).is_some_and(|user| user.enabled),
            Holder::Application(client_id) => tenant.service_principal(client_id).is_some(),
        };
        mailbox.switches.licensed && holds
    }
}

/// What Exchange reads of an access token.
#[derive(Clone, Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    exp: i64,
    nbf: i64,
    iat: i64,
    tid: String,
    oid: String,
    appid: String,
    scp: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
}

impl Claims {
    fn check_issuer(&self, tenants: &Tenants) -> Result<(), Refusal> {
        let issued = tenants
            .organizations()
            .any(|tenant| self.tid == tenant.id && self.iss == tenant.access_token_issuer());
        match issued {
            true => Ok(()),
            false => Err(Refusal::Issuer),
        }
    }

    fn check(&self, now: UnixTime) -> Result<(), Refusal> {
        match Resource::find(&self.aud) {
            Some((Resource::Exchange, _)) => {}
            _ => return Err(Refusal::Audience),
        }
        if now.0 >= self.exp {
            return Err(Refusal::Expired);
        }
        if now.0 < self.nbf {
            return Err(Refusal::NotYetValid);
        }
        Ok(())
    }

    fn person(
        &self,
        tenant: &Tenant,
        mailbox: &Mailbox,
        scopes: &str,
        protocol: Protocol,
    ) -> Result<(Holder, bool), Refusal> {
        if !scopes
            .split(' ')
            .any(|scope| scope == protocol.delegated_permission())
        {
            return Err(Refusal::Permission);
        }
        let person: &User = tenant
            .user_by_object_id(&self.oid)
            .filter(|user| user.enabled)
            .ok_or(Refusal::UnknownPerson)?;
        let own = mailbox.owner.as_deref() == Some(person.object_id.as_str());
        if !own && !tenant.has_right(&mailbox.address, &person.address, MailboxRight::FullAccess) {
            return Err(Refusal::NoMailboxPermission);
        }
        Ok((Holder::Person(person.user_principal_name.clone()), true))
    }

    fn application(
        &self,
        tenant: &Tenant,
        mailbox: &Mailbox,
        protocol: Protocol,
    ) -> Result<(Holder, bool), Refusal> {
        if !self
            .roles
            .iter()
            .any(|role| role == protocol.application_permission())
        {
            return Err(Refusal::Permission);
        }
        let registered = tenant
            .service_principal(&self.appid)
            .ok_or(Refusal::NoServicePrincipal)?;
        if !registered.object_id.eq_ignore_ascii_case(&self.oid) {
            return Err(Refusal::ServicePrincipalObject);
        }
        // Without Add-MailboxPermission the login succeeds and nothing is behind it.
        let permitted = tenant.has_right(&mailbox.address, &self.appid, MailboxRight::FullAccess);
        Ok((Holder::Application(self.appid.clone()), permitted))
    }
}
