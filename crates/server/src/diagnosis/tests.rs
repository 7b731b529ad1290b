use super::*;

fn refusal(refusal: &ErrorResponse) -> Diagnosis {
    super::refusal(refusal, &Asked::by(&fixture::application("openid")))
}

fn answer(error: &str, description: &str) -> ErrorResponse {
    serde_json::from_value(serde_json::json!({"error": error, "error_description": description}))
        .unwrap()
}

#[test]
fn admin_consent_is_recognised() {
    for (error, description) in [
        (
            "consent_required",
            "AADSTS90094: The grant requires admin permission.",
        ),
        ("consent_required", ""),
        ("access_denied", "AADSTS90095: Admin consent is required"),
        (
            "interaction_required",
            "AADSTS65001: The user or administrator has not consented",
        ),
        (
            "invalid_grant",
            "AADSTS65001: The user or administrator has not consented",
        ),
    ] {
        assert!(
            needs_admin_consent(&answer(error, description)),
            "{error} {description}"
        );
    }
    for (error, description) in [
        ("access_denied", "AADSTS65004: User declined to consent"),
        ("access_denied", ""),
        ("interaction_required", "AADSTS50076: MFA"),
        (
            "invalid_grant",
            "AADSTS700082: The refresh token has expired",
        ),
    ] {
        assert!(
            !needs_admin_consent(&answer(error, description)),
            "{error} {description}"
        );
    }
}

#[test]
fn an_authority_without_numbers_is_told_apart_by_its_error() {
    for (error, code) in [
        ("access_denied", "access_denied"),
        ("invalid_client", "authority_invalid_client"),
        ("unauthorized_client", "authority_unauthorized_client"),
        ("invalid_scope", "authority_invalid_scope"),
        ("invalid_grant", "reauth_required"),
        ("login_required", "reauth_required"),
        ("something_new", "authority_refused"),
    ] {
        let diagnosis = refusal(&answer(error, "No.\r\nRequest: y"));
        assert_eq!(diagnosis.code, code);
        assert!(diagnosis.error_codes.is_empty());
        assert!(!diagnosis.remedy.is_empty());
        assert_eq!(
            diagnosis.detail,
            format!("the authority answered {error}: No.")
        );
    }
}

#[test]
fn a_diagnosis_survives_storage() {
    let diagnosis = refusal(&answer("invalid_grant", "AADSTS50173: gone"));
    assert_eq!(Diagnosis::from_json(&diagnosis.to_json()), Some(diagnosis));
}
