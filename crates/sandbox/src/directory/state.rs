//! What a sandbox knows: what the tenant file says, and what happened since.

use super::change;
use super::expiry::Ended;
use super::file::TenantFile;
use super::journal::Event;
use super::refresh_tokens::RefreshTokens;
use super::secrets::Secrets;
use super::tenants::{TenantKey, Tenants};
use super::{Error, Flow};

pub(super) struct State {
    pub tenants: Tenants,
    pub refresh_tokens: RefreshTokens,
    pub ended: Ended,
}

impl State {
    /// What the file says, and nothing else.
    pub(super) fn of(
        file: TenantFile,
        secrets: &Secrets,
        redirect_uris: &[String],
    ) -> Result<Self, Error> {
        let mut tenants = file.resolve(secrets)?;
        let applications = &mut tenants.first_mut().applications;
        for application in applications.iter_mut() {
            if application.flow == Flow::Delegated {
                application.add_redirect_uris(redirect_uris)?;
            }
        }
        Ok(Self {
            tenants,
            refresh_tokens: RefreshTokens::default(),
            ended: Ended::default(),
        })
    }

    /// Takes in what happened; whether it fits the tenant file, which may have changed since.
    pub(super) fn tell(
        &mut self,
        event: &Event,
        secrets: &Secrets,
        redirect_uris: &[String],
    ) -> bool {
        match event {
            Event::Consented { tenant, person, .. } => {
                let key = self.key(tenant.as_deref(), person.as_deref());
                match self.tenants.get_mut(&key) {
                    Some(tenant) => tenant.take_in(event),
                    None => return false,
                }
            }
            Event::ConsentWithdrawn { tenant, .. } => {
                match self.tenants.get_mut(&TenantKey::read(tenant.as_deref())) {
                    Some(tenant) => tenant.take_in(event),
                    None => return false,
                }
            }
            Event::RefreshTokenIssued(issued) => self.refresh_tokens.insert(issued.clone()),
            Event::Revoked { person, generation } => {
                self.refresh_tokens.set_generation(person, *generation);
            }
            Event::AccessTokensExpired { issued_to, until } => {
                self.ended.add(issued_to.clone(), *until);
            }
            Event::RefreshTokensExpired { issued_to, at } => {
                self.refresh_tokens.expire(issued_to, *at);
            }
            Event::Changed(changed) => {
                return change::replay(changed, &mut self.tenants, secrets, redirect_uris);
            }
        }
        true
    }

    /// Personal accounts were once written down among the people of the first tenant.
    fn key(&self, tenant: Option<&str>, person: Option<&str>) -> TenantKey {
        let personal = self.tenants.personal();
        match person.and_then(|person| personal.user_by_object_id(person)) {
            Some(_) => TenantKey::Personal,
            None => TenantKey::read(tenant),
        }
    }
}
