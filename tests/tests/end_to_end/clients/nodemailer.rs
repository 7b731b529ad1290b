//! nodemailer.

use mailgrant_tests::{client::Client, needs};
use serde_json::json;

use super::{assert_printed, sandbox};

#[tokio::test]
async fn sends_after_starttls_with_a_long_initial_response() {
    needs!("node");
    let (sandbox, _dir) = sandbox();
    let printed = Client::run(&sandbox, "nodemailer.mjs", &[]).unwrap();
    let letter = r#"Ihre Bestellung: größer als ein ü "Dear customer,\r\n\r\n.a line that begins with a dot\r\n""#;
    assert_printed(
        &printed,
        &[
            "sent to ada.finch@tarnbrook.test and customer@elsewhere.example: 250 2.0.0 OK <",
            &format!("INBOX of ada.finch@tarnbrook.test: {letter}"),
            &format!("Sent Items of support@tarnbrook.test: {letter}"),
            "as another: EMESSAGE 554 554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException",
            "with a bad token: EAUTH 535 535 5.7.3 Authentication unsuccessful",
        ],
    );
    let logins = sandbox.requests_of("smtp_login").await.unwrap();
    let outcomes: Vec<_> = logins
        .iter()
        .map(|login| login["outcome"] == "ok")
        .collect();
    assert_eq!(outcomes, [true, true, false], "{logins:?}");

    let outbox = sandbox.look("outbox").await.unwrap();
    let sent = outbox["sent"].as_array().unwrap();
    let [sent] = &sent[..] else {
        panic!("one message, not {outbox}")
    };
    assert_eq!(
        sent["recipients"],
        json!(["ada.finch@tarnbrook.test", "customer@elsewhere.example"]),
        "{sent}"
    );
}
