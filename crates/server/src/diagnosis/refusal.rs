//! What an authority's refusal means: a table, told apart by Entra's number, by `error` and by words.
//!
//! Entra's descriptions change and its numbers do not; other authorities have `error` and words only. Nothing is decided
//! here, only explained: what becomes of an account follows from `error` alone.

mod application;
mod credential;
mod google;
mod people;
mod words;

use mailgrant_core::token::ErrorResponse;
use mailgrant_oauth::Step;

use self::words::Words;
use super::{Asked, Diagnosis, needs_admin_consent, needs_reauthentication};

/// What is known of a refusal.
struct Refused<'a> {
    answer: &'a ErrorResponse,
    asked: &'a Asked<'a>,
    step: Step,
    numbers: Vec<u32>,
    said: String,
}

/// One cause.
struct Rule {
    /// Entra's numbers. Empty: told by `error` and words, where no number is known.
    numbers: &'static [u32],
    /// Only with this `error`.
    error: Option<&'static str>,
    /// Only when the description has one of these words; empty: whatever it says.
    says: &'static [&'static str],
    /// Only for an application that proves itself so.
    with: Option<Kind>,
    code: &'static str,
    title: &'static str,
    remedy: &'static [Line],
}

/// One step of a remedy, with `{names}` to be filled in.
struct Line {
    with: Option<Kind>,
    flow: Option<Flow>,
    text: &'static str,
}

/// How the application proves itself: [`Credential::kind`](mailgrant_oauth::Credential::kind).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    None,
    Secret,
    Certificate,
    Federated,
    ServiceAccount,
}

/// Whether a person stands behind the request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Delegated,
    AppOnly,
}

/// What a refusal in that step means.
pub(super) fn explained(answer: &ErrorResponse, asked: &Asked<'_>, step: Step) -> Diagnosis {
    let refused = Refused {
        answer,
        asked,
        step,
        numbers: numbers(answer),
        said: said(answer),
    };
    let diagnosis = match refused.rule() {
        _ if needs_admin_consent(answer) => refused.consent(),
        Some(rule) => refused.by(rule),
        None => refused.by(refused.fallback()),
    };
    Diagnosis {
        error_codes: refused.numbers,
        ..diagnosis
    }
}

/// Entra's numbers: `error_codes`, and what is written as `AADSTSnnnnn` or `error?code=nnnnn`. The most telling one is
/// the last: older answers wrap it in a general one.
pub(crate) fn numbers(answer: &ErrorResponse) -> Vec<u32> {
    let mut found = answer.error_codes.clone();
    let texts = [&answer.error_description, &answer.error_uri];
    for text in texts.into_iter().flatten() {
        for mark in ["AADSTS", "error?code="] {
            for rest in text.split(mark).skip(1) {
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                if let Ok(number) = digits.parse()
                    && !found.contains(&number)
                {
                    found.push(number);
                }
            }
        }
    }
    found
}

impl Refused<'_> {
    /// The rule of the most telling number; where no number is known, of `error` and words.
    fn rule(&self) -> Option<&'static Rule> {
        let tables = [
            credential::RULES,
            application::RULES,
            people::RULES,
            google::RULES,
        ];
        let rules = || tables.iter().copied().flatten();
        self.numbers
            .iter()
            .rev()
            .find_map(|number| {
                rules().find(|rule| rule.numbers.contains(number) && self.fits(rule))
            })
            .or_else(|| rules().find(|rule| rule.numbers.is_empty() && self.fits(rule)))
    }

    fn fits(&self, rule: &Rule) -> bool {
        let description = self
            .answer
            .error_description
            .as_deref()
            .unwrap_or_default()
            .to_lowercase();
        rule.error
            .is_none_or(|error| error == self.answer.error.as_str())
            && rule.with.is_none_or(|kind| kind == self.kind())
            && (rule.says.is_empty() || rule.says.iter().any(|word| description.contains(word)))
    }

    /// What `error` alone means.
    fn fallback(&self) -> &'static Rule {
        let error = self.answer.error.as_str();
        let named = |rule: &&Rule| rule.error == Some(error);
        match application::BY_ERROR.iter().find(named) {
            Some(rule) => rule,
            None if needs_reauthentication(self.answer) && self.flow() == Flow::Delegated => {
                &people::SIGN_IN_AGAIN
            }
            None => &application::UNKNOWN,
        }
    }

    fn by(&self, rule: &Rule) -> Diagnosis {
        let words = Words::of(self.asked);
        let mut remedy: Vec<String> = rule
            .remedy
            .iter()
            .filter(|line| line.with.is_none_or(|kind| kind == self.kind()))
            .filter(|line| line.flow.is_none_or(|flow| flow == self.flow()))
            .map(|line| words.fill(line.text))
            .collect();
        if remedy.is_empty() {
            remedy.push(AGAIN.text.to_owned());
        }
        let link = remedy.iter().any(|line| line.contains(CONSENT_LINK));
        Diagnosis {
            code: rule.code.to_owned(),
            title: rule.title.to_owned(),
            detail: self.said.clone(),
            remedy,
            admin_consent_url: link.then(|| self.asked.admin_consent_url()).flatten(),
            error_codes: Vec::new(),
        }
    }

    fn consent(&self) -> Diagnosis {
        self.by(&application::CONSENT)
    }

    fn kind(&self) -> Kind {
        match self.asked.application.credential.kind() {
            "secret" => Kind::Secret,
            "certificate" => Kind::Certificate,
            "federated" => Kind::Federated,
            "service_account" => Kind::ServiceAccount,
            _ => Kind::None,
        }
    }

    fn flow(&self) -> Flow {
        if super::is_app_only(self.step) {
            Flow::AppOnly
        } else {
            Flow::Delegated
        }
    }
}

fn said(answer: &ErrorResponse) -> String {
    let error = answer.error.as_str();
    match &answer.error_description {
        Some(description) => {
            let line = description.lines().next().unwrap_or_default().trim();
            format!("the authority answered {error}: {line}")
        }
        None => format!("the authority answered {error}"),
    }
}

impl Rule {
    const fn new(
        numbers: &'static [u32],
        code: &'static str,
        title: &'static str,
        remedy: &'static [Line],
    ) -> Self {
        Self {
            numbers,
            error: None,
            says: &[],
            with: None,
            code,
            title,
            remedy,
        }
    }

    const fn error(self, error: &'static str) -> Self {
        Self {
            error: Some(error),
            ..self
        }
    }

    const fn says(self, says: &'static [&'static str]) -> Self {
        Self { says, ..self }
    }

    const fn with(self, kind: Kind) -> Self {
        Self {
            with: Some(kind),
            ..self
        }
    }
}

const fn line(text: &'static str) -> Line {
    Line {
        with: None,
        flow: None,
        text,
    }
}

/// A step for applications that prove themselves so.
const fn with(kind: Kind, text: &'static str) -> Line {
    Line {
        with: Some(kind),
        ..line(text)
    }
}

/// A step where a person stands behind the request.
const fn delegated(text: &'static str) -> Line {
    Line {
        flow: Some(Flow::Delegated),
        ..line(text)
    }
}

/// A step where none does.
const fn app_only(text: &'static str) -> Line {
    Line {
        flow: Some(Flow::AppOnly),
        ..line(text)
    }
}

/// A remedy with these words carries the link.
const CONSENT_LINK: &str = "administrator consent link";
/// The last step of what an operator mends.
const AGAIN: Line = line("Then try again.");

#[cfg(test)]
mod tests;
