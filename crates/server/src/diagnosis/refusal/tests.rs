mod known;

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};

use self::known::KNOWN;
use super::*;
use crate::diagnosis::fixture::application;

const EXCHANGE: &str = "openid offline_access https://outlook.office.com/IMAP.AccessAsUser.All";

fn answer(error: &str, number: u32, description: &str) -> ErrorResponse {
    let description = format!(
        "AADSTS{number}: {description}\r\nTrace ID: 1\r\nCorrelation ID: 2\r\nTimestamp: 2026-11-22 10:00:00Z"
    );
    serde_json::from_value(
        json!({"error": error, "error_description": description, "error_codes": [number]}),
    )
    .unwrap()
}

fn found(error: &str, number: u32, description: &str, step: Step) -> Diagnosis {
    let application = application(EXCHANGE);
    explained(
        &answer(error, number, description),
        &Asked::by(&application),
        step,
    )
}

#[test]
fn each_number_has_its_cause_and_its_next_step() {
    for &(number, error, description, code, named) in KNOWN {
        let diagnosis = found(error, number, description, Step::Refresh);
        assert_eq!(diagnosis.code, code, "AADSTS{number} {description}");
        assert_eq!(diagnosis.error_codes, [number]);
        assert!(
            diagnosis.remedy.iter().any(|step| step.contains(named)),
            "AADSTS{number}: no {named} in {:#?}",
            diagnosis.remedy
        );
        assert!(
            !diagnosis.detail.contains("Trace ID"),
            "{}",
            diagnosis.detail
        );
        assert!(
            diagnosis
                .detail
                .contains(description.split('.').next().unwrap())
        );
    }
}

#[test]
fn the_number_wrapped_in_an_older_answer_decides() {
    let description =
        "Error validating credentials. AADSTS50012: Invalid client secret is provided.";
    let mut application = application(EXCHANGE);
    let secret = mailgrant_core::token::ClientSecret::new("secret").unwrap();
    application.credential = secret.into();
    let diagnosis = explained(
        &answer("invalid_client", 70_002, description),
        &Asked::by(&application),
        Step::ClientCredentials,
    );
    assert_eq!(diagnosis.code, "client_secret_wrong");
    assert_eq!(diagnosis.error_codes, [70_002, 50_012]);
}

#[test]
fn a_number_is_found_wherever_it_stands() {
    for text in [
        json!({"error": "invalid_client", "error_codes": [7_000_222]}),
        json!({"error": "invalid_client", "error_description": "AADSTS7000222: ended"}),
        json!({"error": "invalid_client", "error_uri": "https://login.test/error?code=7000222"}),
    ] {
        let answer: ErrorResponse = serde_json::from_value(text).unwrap();
        assert_eq!(numbers(&answer), [7_000_222]);
    }
}

#[test]
fn a_policy_is_mended_elsewhere_for_an_application_than_for_a_person() {
    let person = found(
        "invalid_grant",
        53_003,
        "Access has been blocked",
        Step::Refresh,
    );
    let application = found(
        "invalid_grant",
        53_003,
        "Access has been blocked",
        Step::ClientCredentials,
    );
    assert_eq!(person.code, application.code);
    let says = |diagnosis: &Diagnosis, words| diagnosis.remedy.join("\n").contains(words);
    assert!(says(&application, "workload identities") && !says(&person, "workload identities"));
    assert!(says(&person, "reauth_url") && !says(&application, "reauth_url"));
}

#[test]
fn a_grant_that_google_ended_tells_of_the_seven_days() {
    let body = json!({"error": "invalid_grant", "error_description": "Token has been expired or revoked."});
    let application = application("https://mail.google.com/");
    let answer = serde_json::from_value(body).unwrap();
    let diagnosis = explained(&answer, &Asked::by(&application), Step::Refresh);
    assert_eq!(diagnosis.code, "grant_revoked");
    let remedy = diagnosis.remedy.join("\n");
    assert!(
        remedy.contains("seven days") && remedy.contains("Publish app"),
        "{remedy}"
    );
}

#[test]
fn google_is_told_apart_by_error_and_words() {
    let application = application("https://mail.google.com/");
    for (error, description, code, named) in [
        (
            "invalid_grant",
            "reauth related error (invalid_rapt)",
            "reauthentication_policy",
            "session control",
        ),
        ("admin_policy_enforced", "", "admin_policy", "Trusted"),
        (
            "org_internal",
            "",
            "application_internal",
            "User type External",
        ),
        (
            "deleted_client",
            "The OAuth client was deleted.",
            "application_unknown_to_google",
            "new OAuth client",
        ),
        (
            "disabled_client",
            "The OAuth client was disabled.",
            "application_disabled",
            "switch it on",
        ),
        (
            "invalid_client",
            "The OAuth client was not found.",
            "application_unknown_to_google",
            "client_id",
        ),
    ] {
        let body = json!({"error": error, "error_description": description});
        let answer = serde_json::from_value(body).unwrap();
        let diagnosis = explained(&answer, &Asked::by(&application), Step::Refresh);
        assert_eq!(diagnosis.code, code, "{error}: {description}");
        let remedy = diagnosis.remedy.join("\n");
        assert!(remedy.contains(named), "{error}: {remedy}");
    }
}

#[test]
fn every_remedy_is_filled_and_every_rule_can_be_reached() {
    let tables = [
        credential::RULES,
        application::RULES,
        people::RULES,
        google::RULES,
        application::BY_ERROR,
    ];
    let mut numbers = BTreeSet::new();
    for rule in tables.into_iter().flatten().chain([
        &application::CONSENT,
        &application::UNKNOWN,
        &people::SIGN_IN_AGAIN,
    ]) {
        assert!(!rule.remedy.is_empty(), "{}", rule.code);
        assert!(
            rule.code
                .chars()
                .all(|letter| letter.is_ascii_lowercase() || letter == '_'),
            "{}",
            rule.code
        );
        for line in rule.remedy {
            let filled = Words::of(&Asked::by(&crate::diagnosis::fixture::application(
                EXCHANGE,
            )))
            .fill(line.text);
            assert!(
                !filled.contains('{') && !filled.contains('}'),
                "{}: {filled}",
                rule.code
            );
        }
        for number in rule.numbers {
            let conditional = rule.with.is_some() || rule.error.is_some() || !rule.says.is_empty();
            assert!(
                conditional || numbers.insert(*number),
                "{number} has two rules without a condition"
            );
        }
    }
}

/// Every text that public sources showed has a cause here; the catalogue lies beside the checkout on the makers' machines.
#[test]
fn the_catalogue_of_public_texts_is_known() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/facts/diagnosis-catalogue.json");
    let Ok(text) = fs::read_to_string(&path) else {
        eprintln!("left out: {} is not here", path.display());
        return;
    };
    let catalogue: Value = serde_json::from_str(&text).unwrap();
    let mut unknown = Vec::new();
    let mut seen = 0;
    for entry in catalogue["entries"].as_array().unwrap() {
        let places: Vec<_> = entry["where"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let Some(sample) = entry["sample"]
            .as_str()
            .filter(|sample| sample.contains("AADSTS"))
        else {
            continue;
        };
        if !["token", "refresh", "client_credentials"]
            .iter()
            .any(|place| places.contains(place))
        {
            continue;
        }
        seen += 1;
        let known = ["invalid_client", "invalid_grant"].iter().any(|error| {
            let answer =
                serde_json::from_value(json!({"error": error, "error_description": sample}))
                    .unwrap();
            let application = application(EXCHANGE);
            let code = explained(&answer, &Asked::by(&application), Step::Refresh).code;
            !["authority_invalid_client", "reauth_required"].contains(&code.as_str())
        });
        if !known {
            unknown.push(format!("{}: {sample}", entry["id"]));
        }
    }
    assert!(seen > 30, "{seen} texts");
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn a_federated_credential_is_told_to_the_letter() {
    use base64::Engine as _;
    let part =
        |text: Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text.to_string());
    let claims = json!({"iss": "https://kubernetes.test/", "sub": "system:serviceaccount:mail:gateway", "aud": ["api://AzureADTokenExchange"]});
    let token = format!("{}.{}.c2ln", part(json!({"alg": "RS256"})), part(claims));
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), &token).unwrap();
    let mut application = application(EXCHANGE);
    let federated = mailgrant_oauth::credential::Federated::file(file.path()).unwrap();
    application.credential = mailgrant_oauth::Credential::Federated(federated);
    let asked = Asked::by(&application);
    for number in [70_021, 70_025, 700_211, 700_212, 700_213] {
        let refused = answer("invalid_client", number, "No matching federated identity");
        let diagnosis = explained(&refused, &asked, Step::ClientCredentials);
        for line in [
            "Issuer: https://kubernetes.test/",
            "Subject identifier: system:serviceaccount:mail:gateway",
            "Audience: api://AzureADTokenExchange",
        ] {
            let said = diagnosis.remedy.iter().any(|step| step == line);
            assert!(said, "{line}: {:#?}", diagnosis.remedy);
        }
        assert!(!format!("{diagnosis:?}").contains(&token));
    }
    for number in [7_000_272, 900_384] {
        let refused = answer(
            "invalid_client",
            number,
            "The certificate could not be found",
        );
        let diagnosis = explained(&refused, &asked, Step::ClientCredentials);
        assert_eq!(diagnosis.code, "federated_signature");
        let remedy = diagnosis.remedy.join("\n");
        assert!(
            remedy.contains("https://kubernetes.test/") && remedy.contains("half an hour"),
            "{remedy}"
        );
    }
    let refused = answer("invalid_client", 700_024, "Not within its valid time range");
    let diagnosis = explained(&refused, &asked, Step::ClientCredentials);
    let remedy = diagnosis.remedy.join("\n");
    assert!(
        remedy.contains("renews it") && !remedy.contains("five minutes"),
        "{remedy}"
    );
}
