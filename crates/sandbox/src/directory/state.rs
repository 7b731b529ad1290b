//! What a sandbox knows: what the tenant file says, and what happened since.

use std::sync::Arc;

use super::change;
use super::expiry::Ended;
use super::file::TenantFile;
use super::journal::{Event, Same};
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

    /// The tenants as a file, to compare.
    fn written(&self) -> Option<String> {
        TenantFile::of(&self.tenants).to_toml().ok()
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

/// Looks whether two rows of events make the same tenants of a file. What is not in its entries (tokens, and until when
/// they were ended) does not depend on the order of events.
pub(super) fn comparison(
    file: TenantFile,
    secrets: Arc<Secrets>,
    redirect_uris: Vec<String>,
) -> Box<Same> {
    Box::new(move |one, other| {
        let outcome = |events: &[Event]| {
            let mut state = State::of(file.clone(), &secrets, &redirect_uris).ok()?;
            let of_tenants = events.iter().filter(|event| event.is_of_tenants());
            for event in of_tenants {
                state.tell(event, &secrets, &redirect_uris);
            }
            state.written()
        };
        let one = outcome(one);
        one.is_some() && one == outcome(other)
    })
}
