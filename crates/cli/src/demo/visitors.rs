//! Who visits the demonstration site: a cookie here, the sessions and the account there.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite};
use mailgrant_storage::{Random, random_secret};

/// All visitors; the oldest are forgotten when there are too many.
#[derive(Default)]
pub(super) struct Visitors(Mutex<Book>);

#[derive(Default)]
struct Book {
    visits: HashMap<String, Visit>,
    arrivals: VecDeque<String>,
}

/// What the site knows of one visitor.
#[derive(Clone, Debug, Default)]
pub(super) struct Visit {
    /// Connect sessions begun, newest first.
    pub sessions: VecDeque<String>,
    /// The account connected.
    pub account: Option<String>,
}

impl Visitors {
    /// The visitor a request comes from, if known.
    pub fn of(&self, request: &HttpRequest) -> Option<(String, Visit)> {
        let name = request.cookie(COOKIE)?.value().to_owned();
        let visit = self.book().visits.get(&name)?.clone();
        Some((name, visit))
    }

    /// The visitor a request comes from, or a new one with the cookie to set.
    pub fn of_or_new(
        &self,
        request: &HttpRequest,
        random: &dyn Random,
    ) -> (String, Option<Cookie<'static>>) {
        if let Some((name, _)) = self.of(request) {
            return (name, None);
        }
        let name = random_secret("", random).expose().to_owned();
        let mut book = self.book();
        book.visits.insert(name.clone(), Visit::default());
        book.arrivals.push_back(name.clone());
        if book.arrivals.len() > MOST_VISITORS
            && let Some(oldest) = book.arrivals.pop_front()
        {
            book.visits.remove(&oldest);
        }
        let cookie = Cookie::build(COOKIE, name.clone())
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .finish();
        (name, Some(cookie))
    }

    /// Notes a session begun.
    pub fn began(&self, visitor: &str, session: String) {
        if let Some(visit) = self.book().visits.get_mut(visitor) {
            visit.sessions.push_front(session);
            visit.sessions.truncate(MOST_SESSIONS);
        }
    }

    /// Ties an account to the visitor, or unties it.
    pub fn tie(&self, visitor: &str, account: Option<String>) {
        if let Some(visit) = self.book().visits.get_mut(visitor) {
            if account.is_none() {
                visit.sessions.clear();
            }
            visit.account = account;
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const COOKIE: &str = "quillhaven";
const MOST_VISITORS: usize = 10_000;
const MOST_SESSIONS: usize = 8;

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use mailgrant_storage::SystemRandom;

    use super::*;

    fn request(cookie: Option<Cookie<'static>>) -> HttpRequest {
        match cookie {
            Some(cookie) => TestRequest::default().cookie(cookie).to_http_request(),
            None => TestRequest::default().to_http_request(),
        }
    }

    #[test]
    fn a_visitor_is_known_by_the_cookie_only() {
        let visitors = Visitors::default();
        let (name, cookie) = visitors.of_or_new(&request(None), &SystemRandom);
        let cookie = cookie.unwrap();
        assert_eq!(
            (cookie.http_only(), cookie.same_site()),
            (Some(true), Some(SameSite::Lax))
        );
        visitors.began(&name, "cs_1".to_owned());
        visitors.tie(&name, Some("acc_1".to_owned()));
        let (again, visit) = visitors.of(&request(Some(cookie.clone()))).unwrap();
        assert_eq!(
            (again, visit.account.as_deref()),
            (name.clone(), Some("acc_1"))
        );
        assert_eq!(visit.sessions, ["cs_1"]);
        assert!(
            visitors
                .of_or_new(&request(Some(cookie)), &SystemRandom)
                .1
                .is_none()
        );
        assert!(
            visitors
                .of(&request(Some(Cookie::new(COOKIE, "forged"))))
                .is_none()
        );

        visitors.tie(&name, None);
        let visit = visitors
            .of(&request(Some(Cookie::new(COOKIE, name))))
            .unwrap()
            .1;
        assert!(
            visit.sessions.is_empty(),
            "an old session does not bring the account back"
        );
    }

    #[test]
    fn the_book_does_not_grow_without_end() {
        let visitors = Visitors::default();
        let (first, _) = visitors.of_or_new(&request(None), &SystemRandom);
        for _ in 0..MOST_VISITORS {
            visitors.of_or_new(&request(None), &SystemRandom);
        }
        assert_eq!(visitors.book().visits.len(), MOST_VISITORS);
        assert!(!visitors.book().visits.contains_key(&first));
    }
}
