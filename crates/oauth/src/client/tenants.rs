//! The tenants asked lately.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Authority;
use crate::error::Error;

/// Keeps what was fetched of each tenant, for the [`MOST_TENANTS`] used last.
#[derive(Default)]
pub(super) struct Tenants(Mutex<Used>);

#[derive(Default)]
struct Used {
    /// Counts uses: the least is the oldest.
    uses: u64,
    tenants: HashMap<String, (u64, Arc<Authority>)>,
}

impl Tenants {
    pub(super) fn get(
        &self,
        tenant: &str,
        make: impl FnOnce() -> Result<Authority, Error>,
    ) -> Result<Arc<Authority>, Error> {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        used.uses += 1;
        let now = used.uses;
        if let Some((last, authority)) = used.tenants.get_mut(tenant) {
            *last = now;
            return Ok(Arc::clone(authority));
        }
        let authority = Arc::new(make()?);
        if used.tenants.len() >= MOST_TENANTS {
            let oldest = used.tenants.iter().min_by_key(|(_, (last, _))| *last);
            if let Some(oldest) = oldest.map(|(tenant, _)| tenant.clone()) {
                used.tenants.remove(&oldest);
            }
        }
        let kept = (now, Arc::clone(&authority));
        used.tenants.insert(tenant.to_owned(), kept);
        Ok(authority)
    }
}

/// A tenant's documents are a few tens of kilobytes.
pub(crate) const MOST_TENANTS: usize = 256;
