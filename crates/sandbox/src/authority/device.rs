//! Device codes: a quarter of an hour, once, bound to the application (RFC 8628).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest;
use mailgrant_core::secret::Secret;
use mailgrant_core::time::UnixTime;

use super::problem::{Problem, device, grant};
use super::scopes::RequestedScopes;
use crate::Random;

/// How long a code is good.
pub(crate) const LIFETIME: Duration = Duration::from_secs(900);
/// How long a device shall wait between its questions.
pub(crate) const INTERVAL: Duration = Duration::from_secs(5);

/// What a device asked for.
#[derive(Clone, Debug)]
pub(crate) struct DeviceRequest {
    pub client_id: String,
    /// The tenant as the address names it.
    pub segment: String,
    pub scopes: RequestedScopes,
    pub issued_at: UnixTime,
}

/// Which of the codes is meant, without knowing it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DeviceKey(Vec<u8>);

/// What the person did with a code.
#[derive(Clone, Debug)]
pub(crate) enum Decision {
    /// Agreed: the person's object id, and when they did a second step.
    Approved(String, Option<UnixTime>),
    /// Said no, or was not allowed to say yes.
    Refused(Problem),
}

/// The codes that were issued and are not forgotten.
#[derive(Default)]
pub(crate) struct DeviceCodes(Mutex<HashMap<DeviceKey, Issued>>);

struct Issued {
    request: DeviceRequest,
    user_code: String,
    polled_at: Option<UnixTime>,
    state: State,
}

enum State {
    Waiting,
    Decided(Decision),
    Redeemed,
}

impl DeviceCodes {
    /// A code for the device, and one for the person.
    pub(crate) fn issue(&self, request: DeviceRequest, random: &dyn Random) -> (Secret, String) {
        let device_code = Secret::new(format!("{PREFIX}{}", random.token(150)));
        let mut codes = self.lock();
        codes.retain(|_, issued| request.issued_at.since(issued.request.issued_at) < REMEMBERED);
        if codes.len() >= MOST {
            let oldest = codes
                .iter()
                .min_by_key(|(_, issued)| issued.request.issued_at)
                .map(|(key, _)| key.clone());
            oldest.and_then(|key| codes.remove(&key));
        }
        let user_code = loop {
            let code = user_code(random);
            if codes.values().all(|issued| issued.user_code != code) {
                break code;
            }
        };
        codes.insert(
            key(device_code.expose()),
            Issued {
                request,
                user_code: user_code.clone(),
                polled_at: None,
                state: State::Waiting,
            },
        );
        (device_code, user_code)
    }

    /// What a code that a person typed stands for, however it was spelt.
    pub(crate) fn find(
        &self,
        typed: &str,
        now: UnixTime,
    ) -> Result<(DeviceKey, DeviceRequest), Problem> {
        let typed: String = typed
            .chars()
            .filter(|character| character.is_ascii_alphanumeric())
            .map(|character| character.to_ascii_uppercase())
            .collect();
        let codes = self.lock();
        let (key, issued) = codes
            .iter()
            .find(|(_, issued)| issued.user_code == typed)
            .ok_or_else(|| device::BAD_CODE.problem())?;
        if issued.is_over(now) {
            return Err(device::USER_CODE_EXPIRED.problem());
        }
        match issued.state {
            State::Waiting => Ok((key.clone(), issued.request.clone())),
            _ => Err(device::BAD_CODE.problem()),
        }
    }

    /// Remembers what the person did. Only the first decision counts.
    pub(crate) fn decide(
        &self,
        key: &DeviceKey,
        decision: Decision,
        now: UnixTime,
    ) -> Result<(), Problem> {
        let mut codes = self.lock();
        let issued = codes
            .get_mut(key)
            .ok_or_else(|| device::BAD_CODE.problem())?;
        if issued.is_over(now) {
            return Err(device::USER_CODE_EXPIRED.problem());
        }
        match issued.state {
            State::Waiting => {
                issued.state = State::Decided(decision);
                Ok(())
            }
            _ => Err(device::BAD_CODE.problem()),
        }
    }

    /// The device's question whether the person is done: the request, the person and their second step.
    pub(crate) fn poll(
        &self,
        device_code: &str,
        client_id: &str,
        now: UnixTime,
    ) -> Result<(DeviceRequest, String, Option<UnixTime>), Problem> {
        let mut codes = self.lock();
        let issued = codes
            .get_mut(&key(device_code))
            .ok_or_else(|| device::BAD_CODE.problem())?;
        if !issued.request.client_id.eq_ignore_ascii_case(client_id) {
            return Err(grant::OF_ANOTHER.problem());
        }
        if issued.is_over(now) {
            return Err(device::EXPIRED.problem());
        }
        let before = issued.polled_at.replace(now);
        match &issued.state {
            State::Waiting if before.is_some_and(|before| now.since(before) < TOO_SOON) => {
                Err(device::SLOW_DOWN.problem())
            }
            State::Waiting => Err(device::PENDING.problem()),
            State::Decided(Decision::Refused(problem)) => Err(problem.clone()),
            State::Decided(Decision::Approved(person, second_step_at)) => {
                let answer = (issued.request.clone(), person.clone(), *second_step_at);
                issued.state = State::Redeemed;
                Ok(answer)
            }
            State::Redeemed => Err(grant::CODE_REDEEMED.problem()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DeviceKey, Issued>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Issued {
    fn is_over(&self, now: UnixTime) -> bool {
        now.since(self.request.issued_at) >= LIFETIME
    }
}

fn key(device_code: &str) -> DeviceKey {
    let digest = digest::digest(&digest::SHA256, device_code.as_bytes());
    DeviceKey(digest.as_ref().to_vec())
}

/// Nine characters that are not taken for one another and make no words (RFC 8628 §6.1).
fn user_code(random: &dyn Random) -> String {
    let mut code = String::with_capacity(USER_CODE_LENGTH);
    while code.len() < USER_CODE_LENGTH {
        let mut byte = [0];
        random.fill(&mut byte);
        // What lies beyond the last whole round would come up more rarely than the rest.
        let drawn = usize::from(byte[0] >> 3);
        code.extend(ALPHABET.get(drawn).copied().map(char::from));
    }
    code
}

const ALPHABET: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ23456789";
const USER_CODE_LENGTH: usize = 9;
/// As Entra's begin.
const PREFIX: &str = "DAQABIQEAAAD";
/// Entra's clients wait five seconds; the sandbox counts whole ones, and two may be lost to rounding and the way.
const TOO_SOON: Duration = Duration::from_secs(3);
/// A code that has ended is still told from one that never was.
const REMEMBERED: Duration = Duration::from_secs(60 * 60);
const MOST: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRandom;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn issued() -> (DeviceCodes, Secret, String) {
        let codes = DeviceCodes::default();
        let request = DeviceRequest {
            client_id: "c".to_owned(),
            segment: "common".to_owned(),
            scopes: RequestedScopes::default(),
            issued_at: NOW,
        };
        let (device_code, user_code) = codes.issue(request, &SystemRandom);
        (codes, device_code, user_code)
    }

    #[test]
    fn a_code_is_found_however_it_is_spelt() {
        let (codes, _, user_code) = issued();
        assert_eq!(user_code.len(), 9);
        assert!(user_code.bytes().all(|byte| ALPHABET.contains(&byte)));
        let (head, tail) = user_code.split_at(4);
        for typed in [
            user_code.clone(),
            user_code.to_lowercase(),
            format!(" {head}-{tail} "),
        ] {
            codes.find(&typed, NOW).unwrap();
        }
        for typed in ["", head, "ÄÖÜ"] {
            assert_eq!(codes.find(typed, NOW).unwrap_err().code(), 70018);
        }
        assert_eq!(
            codes.find(&user_code, NOW + LIFETIME).unwrap_err().code(),
            70019
        );
    }

    #[test]
    fn the_first_decision_counts_and_gives_one_grant() {
        let (codes, device_code, user_code) = issued();
        let (key, _) = codes.find(&user_code, NOW).unwrap();
        let approved = |person: &str| Decision::Approved(person.to_owned(), None);
        codes.decide(&key, approved("ada"), NOW).unwrap();
        assert_eq!(
            codes.decide(&key, approved("eve"), NOW).unwrap_err().code(),
            70018
        );
        assert_eq!(codes.find(&user_code, NOW).unwrap_err().code(), 70018);
        let (_, person, _) = codes.poll(device_code.expose(), "C", NOW).unwrap();
        assert_eq!(person, "ada");
        let again = codes.poll(device_code.expose(), "c", NOW).unwrap_err();
        assert_eq!(again.code(), 54005);
    }

    #[test]
    fn polling_at_the_interval_is_never_too_fast() {
        let (codes, device_code, _) = issued();
        let poll = |at: u64| {
            let problem = codes
                .poll(device_code.expose(), "c", NOW + Duration::from_secs(at))
                .unwrap_err();
            problem.error().to_owned()
        };
        for (at, expected) in [
            (0, "authorization_pending"),
            (5, "authorization_pending"),
            (9, "authorization_pending"),
            (10, "slow_down"),
            (15, "authorization_pending"),
            (899, "authorization_pending"),
            (900, "expired_token"),
        ] {
            assert_eq!(poll(at), expected, "{at}");
        }
    }
}
