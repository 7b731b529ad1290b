//! A name and a password: whose they are.

use mailgrant_core::secret::Secret;

use super::gate;
use super::loops::LOCKED_AFTER;
use super::problem::{Problem, person};
use super::state::Authority;
use super::tenant::TenantSegment;
use crate::directory::{Application, User};

/// The person with that name and password, whose account is in order.
///
/// # Errors
///
/// Why not. After [`LOCKED_AFTER`] wrong passwords within a minute the account is locked for the rest of it.
pub(crate) fn check(
    authority: &Authority,
    segment: &TenantSegment,
    application: &Application,
    name: &str,
    password: &str,
) -> Result<User, Problem> {
    let tenants = authority.directory.tenants();
    let user = tenants
        .user(name)
        .ok_or_else(|| person::NOT_FOUND.with([name, &segment.tenant(&tenants).display_name]))?;
    let now = authority.now();
    if authority.wrong_passwords.count(&user.object_id, now) >= LOCKED_AFTER {
        return Err(person::LOCKED.problem());
    }
    if user.sign_in.no_password {
        return Err(person::NO_PASSWORD.problem());
    }
    if user.password != Secret::new(password) {
        authority.wrong_passwords.add(&user.object_id, now);
        return Err(person::BAD_PASSWORD.problem());
    }
    authority.wrong_passwords.clear(&user.object_id);
    gate::check_account(tenants.of(user), application, user)?;
    if user.sign_in.password_expired {
        return Err(match user.sign_in.synchronized {
            true => person::PASSWORD_EXPIRED_ON_PREMISES.problem(),
            false => person::PASSWORD_EXPIRED.problem(),
        });
    }
    Ok(user.clone())
}
