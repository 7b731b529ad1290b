//! Which scopes are named when a refresh token is used, and what less will do.

use mailgrant_core::{
    scope::{Scope, Scopes},
    token::{RefreshToken, TokenResponse},
};
use mailgrant_oauth::{Client, Error, ErrorKind};

use crate::{diagnosis, settings::Application};

/// What to ask for, one after the other, with a token of which it is not known what was granted with it: all that the
/// application asks for, without knowing who it is, only what reading needs, and at last nothing by name. The more is
/// asked first.
pub(crate) fn of_unknown_grant(application: &Application) -> Vec<Option<Scopes>> {
    if !application.provider.refresh_names_scopes {
        return vec![None];
    }
    let all = application.scopes().clone();
    let reading = reading(application);
    let mut asks = Vec::new();
    for ask in [
        all.clone(),
        anonymous(&all),
        reading.clone(),
        anonymous(&reading),
    ] {
        if !asks.contains(&Some(ask.clone())) {
            asks.push(Some(ask));
        }
    }
    asks.push(None);
    asks
}

/// What to ask for with a token of which that is known. Who granted less than the application asks for today is not asked
/// for more: the authority would refuse all of it.
pub(crate) fn of_grant(application: &Application, granted: &Scopes) -> Option<Scopes> {
    if !application.provider.refresh_names_scopes {
        return None;
    }
    let all = application.scopes();
    let held: Scopes = all
        .iter()
        .filter(|scope| scope.as_str() == OFFLINE || holds(granted, scope))
        .cloned()
        .collect();
    let reads = held.iter().any(|scope| !is_of_sign_in(scope.as_str()));
    Some(if reads { held } else { all.clone() })
}

/// Which of these a token lacks that is made of such a grant: what the person did not agree to, and what the application
/// does not ask for today. An authority that calls what it grants by names of its own is believed.
pub(crate) fn missing(application: &Application, granted: &Scopes, needed: &Scopes) -> Scopes {
    let of_mail = |scope: &&Scope| !is_of_sign_in(scope.as_str());
    let is_held = |held: &Scopes, scope: &Scope| held.iter().any(|other| same(other, scope));
    let all = application.scopes();
    let names_otherwise = !all
        .iter()
        .filter(of_mail)
        .any(|scope| is_held(granted, scope));
    let held = match of_grant(application, granted) {
        Some(asked) => asked,
        None if names_otherwise => all.clone(),
        None => granted.clone(),
    };
    let lacks = needed.iter().filter(|scope| !is_held(&held, scope));
    lacks.cloned().collect()
}

/// Whether both are one permission. Exchange's worldwide resource has two names.
pub(crate) fn same(one: &Scope, other: &Scope) -> bool {
    let plain = |scope: &Scope| {
        let lower = scope.as_str().to_ascii_lowercase();
        lower.replace("://outlook.office365.com/", "://outlook.office.com/")
    };
    plain(one) == plain(other)
}

/// What is granted when that was asked and this answered. Authorities do not list the scopes of the sign-in itself, or by
/// other names; one that names no scope granted what was asked (RFC 6749 §5.1).
pub(crate) fn granted(asked: &Scopes, answered: Option<&Scopes>) -> Scopes {
    let Some(answered) = answered else {
        return asked.clone();
    };
    let unsaid = asked
        .iter()
        .filter(|scope| is_of_sign_in(scope.as_str()) && !holds(answered, scope));
    answered.iter().chain(unsaid).cloned().collect()
}

/// What the application asks for, without sending and without POP.
pub(crate) fn reading(application: &Application) -> Scopes {
    let provider = &application.provider;
    let besides =
        |scope: &str| provider.smtp_scopes.contains(scope) || provider.pop3_scopes.contains(scope);
    let all = application.scopes().iter();
    all.filter(|scope| !besides(scope.as_str()))
        .cloned()
        .collect()
}

/// Whether that was granted; not all authorities write scopes as they were asked.
pub(crate) fn holds(granted: &Scopes, scope: &Scope) -> bool {
    granted
        .iter()
        .any(|other| other.as_str().eq_ignore_ascii_case(scope.as_str()))
}

/// Whether it is of the sign-in itself, not of mail.
pub(crate) fn is_of_sign_in(scope: &str) -> bool {
    scope == OFFLINE || WHO.contains(&scope)
}

/// Uses a refresh token, asking for less as long as the authority refuses what is asked: a refused request uses up
/// nothing. Returns what was asked at last.
///
/// # Errors
/// As [`Client::refresh`].
pub(crate) async fn refresh(
    client: &Client,
    refresh_token: &RefreshToken,
    asks: &[Option<Scopes>],
) -> Result<(TokenResponse, Option<Scopes>), Error> {
    let (last, more) = asks.split_last().unwrap_or((&None, &[]));
    for ask in more {
        match client.refresh(refresh_token, ask.as_ref()).await {
            Err(error) if matches!(error.kind(), ErrorKind::Refused(answer) if diagnosis::is_of_the_scopes(answer)) =>
                {}
            outcome => return outcome.map(|response| (response, ask.clone())),
        }
    }
    let response = client.refresh(refresh_token, last.as_ref()).await?;
    Ok((response, last.clone()))
}

/// The same, without a word of who it is.
fn anonymous(scopes: &Scopes) -> Scopes {
    let rest = scopes.iter().filter(|scope| !WHO.contains(&scope.as_str()));
    rest.cloned().collect()
}

const WHO: [&str; 3] = ["openid", "profile", "email"];
const OFFLINE: &str = "offline_access";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mailgrant_core::provider::Provider;

    use super::*;
    use crate::diagnosis::fixture;

    const IMAP: &str = "https://outlook.office.com/IMAP.AccessAsUser.All";
    const SMTP: &str = "https://outlook.office.com/SMTP.Send";

    fn application(scopes: &str) -> Application {
        let mut provider = Provider::preset("microsoft365").unwrap();
        provider.scopes = parsed(scopes);
        Application {
            provider: Arc::new(provider),
            ..fixture::application("openid")
        }
    }

    fn parsed(text: &str) -> Scopes {
        Scopes::parse(text).unwrap()
    }

    #[test]
    fn less_is_asked_step_by_step() {
        let whole = format!("openid profile offline_access {IMAP} {SMTP}");
        let asks: Vec<_> = of_unknown_grant(&application(&whole))
            .into_iter()
            .map(|ask| ask.map(|scopes| scopes.to_string()))
            .collect();
        assert_eq!(
            asks,
            [
                Some(whole.clone()),
                Some(format!("offline_access {IMAP} {SMTP}")),
                Some(format!("openid profile offline_access {IMAP}")),
                Some(format!("offline_access {IMAP}")),
                None,
            ]
        );
        let one = of_unknown_grant(&application(&format!("offline_access {IMAP}")));
        assert_eq!(one.len(), 2, "nothing is asked twice");
    }

    #[test]
    fn who_granted_less_is_not_asked_for_more() {
        let whole = format!("openid offline_access {IMAP} {SMTP}");
        let application = application(&whole);
        let ask = |granted: &str| {
            of_grant(&application, &parsed(granted))
                .unwrap()
                .to_string()
        };
        assert_eq!(ask(&whole), whole);
        assert_eq!(ask(&format!("openid {IMAP} {SMTP}").to_uppercase()), whole);
        assert_eq!(ask(IMAP), format!("offline_access {IMAP}"));
        assert_eq!(ask("a-word-of-its-own"), whole, "it names scopes otherwise");
    }

    #[test]
    fn a_token_does_what_was_asked_and_agreed_to_and_no_more() {
        let lacks = |settings: &str, granted: &str, by_name: bool| {
            let mut application = application(&format!("openid offline_access {settings}"));
            Arc::make_mut(&mut application.provider).refresh_names_scopes = by_name;
            let needed = parsed(SMTP);
            !missing(&application, &parsed(granted), &needed).is_empty()
        };
        let both = format!("{IMAP} {SMTP}");
        for by_name in [true, false] {
            assert!(!lacks(&both, &both, by_name));
            assert!(!lacks(&both, &both.to_uppercase(), by_name));
            assert!(lacks(&both, IMAP, by_name), "connected before it was asked");
            assert!(lacks(IMAP, IMAP, by_name));
            assert!(!lacks(&both, "words of-its-own", by_name));
            let other_name = both.replace("office.com", "office365.com");
            assert!(!lacks(&other_name, &other_name, by_name));
        }
        assert!(lacks(IMAP, &both, true), "it is not named any more");
        assert!(!lacks(IMAP, &both, false), "all that was granted comes");
    }

    #[test]
    fn what_the_authority_does_not_list_of_the_sign_in_was_granted_with_it() {
        let asked = parsed(&format!("openid offline_access {IMAP} {SMTP}"));
        let answered = parsed(IMAP);
        assert_eq!(
            granted(&asked, Some(&answered)).to_string(),
            format!("{IMAP} openid offline_access")
        );
        assert_eq!(granted(&asked, None), asked);
    }
}
