//! What SMTP submission says.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mailgrant_sandbox::directory::PasswordSubmission;
use serde_json::json;

use crate::harness::{assert_claims, assert_rule};
use crate::line::{Line, SMTP_SEND, imap_login, smtp, smtp_login, token_of};
use crate::support::*;

const AWAY: &str = "far@away.test";

#[actix_web::test]
async fn smtp_tenant_disabled() {
    let world = World::start().await;
    let token = token_of(&world, ADA, SMTP_SEND).await;
    let (_, answer) = smtp_login(&world, ADA, &token).await;
    assert_rule(
        "smtp-tenant-disabled",
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. [",
        &answer,
    );
}

#[actix_web::test]
async fn smtp_mailbox_disabled() {
    let world = open_with(&user("mailbox = { smtp_auth = false }")).await;
    let token = token_of(&world, DORA, SMTP_SEND).await;
    let (_, answer) = smtp_login(&world, DORA, &token).await;
    assert_rule(
        "smtp-mailbox-disabled",
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled for more information. [",
        &answer,
    );
}

#[actix_web::test]
async fn smtp_basic_disabled() {
    let world = open().await;
    assert_rule(
        "smtp-basic-disabled",
        "535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [",
        &with_password(&world).await,
    );
    passwords(&world, PasswordSubmission::Retired);
    assert_rule(
        "smtp-basic-disabled",
        "550 5.7.30 Basic authentication is not supported for Client Submission. [",
        &with_password(&world).await,
    );
    passwords(&world, PasswordSubmission::Allowed);
    assert_eq!(
        with_password(&world).await,
        "235 2.7.0 Authentication successful"
    );
}

#[actix_web::test]
async fn smtp_criteria() {
    let world = open().await;
    passwords(&world, PasswordSubmission::BlockedByPolicy);
    assert_rule(
        "smtp-criteria",
        "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully. Contact your administrator. [",
        &with_password(&world).await,
    );
}

#[actix_web::test]
async fn smtp_auth_unsuccessful() {
    let world = open().await;
    let scope = format!("{SMTP_SEND} https://outlook.office.com/IMAP.AccessAsUser.All");
    let token = token_of(&world, BRUNO, &scope).await;
    let (_, answer) = smtp_login(&world, "bruno.keller@quillmere.test", &token).await;
    assert_eq!(answer, "235 2.7.0 Authentication successful");
    // His mail address is not his user principal name, and the shared mailbox is not him; IMAP takes both.
    for user in [BRUNO, SHARED] {
        let (_, answer) = smtp_login(&world, user, &token).await;
        assert_rule(
            "smtp-auth-unsuccessful",
            "535 5.7.3 Authentication unsuccessful [SANDBOX.PROD.OUTLOOK.TEST ",
            &answer,
        );
        assert!(imap_login(&world, user, &token).await.1.starts_with("t OK"));
    }
    let log = world.running.requests().entries();
    let refused = log.iter().rev().find(|entry| entry.kind == "smtp_login");
    let why = refused.unwrap().detail.as_ref().unwrap();
    assert!(why.contains("which SMTP demands"), "{why}");
}

#[actix_web::test]
async fn smtp_temp_auth() {
    let world = open().await;
    let token = token_of(&world, ADA, SMTP_SEND).await;
    let words = "454 4.7.0 Temporary authentication failure";
    let rule = json!({"at": "AUTH", "reply": words, "times": 1});
    let plan = json!({"smtp": {"rules": [rule]}});
    world.control("/faults", plan).await.ok();
    let (mut line, answer) = smtp_login(&world, ADA, &token).await;
    assert_rule("smtp-temp-auth", words, &answer);
    let again = format!("AUTH XOAUTH2 {}", crate::line::xoauth2(ADA, &token));
    assert!(line.smtp(&again).await.starts_with("235 "));
}

#[actix_web::test]
async fn smtp_not_authenticated() {
    let world = open().await;
    let answer = smtp(&world).await.smtp(&format!("MAIL FROM:<{ADA}>")).await;
    assert_rule(
        "smtp-not-authenticated",
        "530 5.7.57 Client not authenticated to send mail. [",
        &answer,
    );
}

#[actix_web::test]
async fn smtp_send_as() {
    let world = open().await;
    let mut line = logged_in(&world, ADA).await;
    let message = format!("From: {ADA}\r\n\r\nx");
    let answer = line.hand_in(BRUNO, &[AWAY], &message).await;
    assert_rule(
        "smtp-send-as",
        "550 5.7.60 SMTP; Client does not have permissions to send as this sender [",
        &answer,
    );
}

#[actix_web::test]
async fn smtp_send_as_denied() {
    let world = open_with(&unattended("")).await;
    let token = app_only(&world).await;
    let (mut line, answer) = smtp_login(&world, SHARED, &token).await;
    assert!(answer.starts_with("235 "), "{answer}");
    let message = format!("From: {ADA}\r\n\r\nx");
    let answer = line.hand_in(ADA, &[AWAY], &message).await;
    assert_rule(
        "smtp-send-as-denied",
        "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; ",
        &answer,
    );
    // A person reads who may not send as whom.
    let mut line = logged_in(&world, ADA).await;
    let message = format!("From: {SHARED}\r\n\r\nx");
    let answer = line.hand_in(SHARED, &[AWAY], &message).await;
    assert!(
        answer.starts_with(&format!(
            "554 5.2.252 SendAsDenied; {ADA} not allowed to send as {SHARED}; STOREDRV.Submission.Exception:SendAsDeniedException"
        )),
        "{answer}"
    );
}

#[actix_web::test]
async fn smtp_mailbox_logon() {
    let world = open_with(&unattended("")).await;
    let token = app_only(&world).await;
    let (mut line, answer) = smtp_login(&world, ADA, &token).await;
    assert!(answer.starts_with("235 "), "{answer}");
    let answer = line.hand_in(ADA, &[AWAY], "Subject: x\r\n\r\nx").await;
    assert_rule(
        "smtp-mailbox-logon",
        "430 4.2.0 STOREDRV; mailbox logon failure; STOREDRV.Submission.Exception:ConnectionFailedTransientException.MapiExceptionLogonFailed; ",
        &answer,
    );
}

#[actix_web::test]
async fn smtp_concurrency() {
    let world = open().await;
    let token = token_of(&world, ADA, SMTP_SEND).await;
    let mut lines = Vec::new();
    for _ in 0..4 {
        let (mut line, _) = smtp_login(&world, ADA, &token).await;
        assert!(line.begin(ADA, &[AWAY]).await.starts_with("354 "));
        lines.push(line);
    }
    let answer = lines[3].smtp("x\r\n.").await;
    assert_rule(
        "smtp-concurrency",
        "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information. [",
        &answer,
    );
    assert!(lines[0].smtp("x\r\n.").await.starts_with("250 2.0.0 OK"));
}

#[actix_web::test]
async fn smtp_daily_quota() {
    let world = open().await;
    let directory = world.running.directory();
    directory.change(|tenant| tenant.submission.recipients_per_day = 1);
    let mut line = logged_in(&world, ADA).await;
    assert!(line.hand_in(ADA, &[AWAY], "x").await.starts_with("250 "));
    let answer = line.hand_in(ADA, &[AWAY], "x").await;
    assert_rule(
        "smtp-daily-quota",
        "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; ",
        &answer,
    );
}

#[actix_web::test]
async fn smtp_mailbox_full() {
    let world = open_with(&user("mailbox = { send_quota = 10 }")).await;
    let mut line = logged_in(&world, DORA).await;
    let message = "Subject: the copy in Sent Items fills the mailbox\r\n\r\nx";
    assert!(
        line.hand_in(DORA, &[AWAY], message)
            .await
            .starts_with("250 ")
    );
    let answer = line.hand_in(DORA, &[AWAY], message).await;
    assert_rule(
        "smtp-mailbox-full",
        "554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded; ",
        &answer,
    );
}

#[actix_web::test]
async fn scp_missing_smtp() {
    let world = open().await;
    let token = token_of(&world, ADA, SCOPE).await;
    assert_claims("scp-missing-smtp", &token, ADA, NOW.0);
    refused(&world, ADA, &token, "no permission for this protocol").await;
}

#[actix_web::test]
async fn roles_missing_smtp() {
    let world = open().await;
    let scope = "https://outlook.office365.com/.default";
    let reply = world.client_credentials(APP_ONLY, scope).await.ok();
    let token = reply["access_token"].as_str().unwrap();
    assert_claims("roles-missing-smtp", token, SHARED, NOW.0);
    refused(&world, SHARED, token, "no permission for this protocol").await;
}

const DORA: &str = "dora@quillmere.test";
const SENDER: &str = "5d0f7a31-2f6e-4f0c-8b1c-0d9be1c2aa40";

/// A sandbox whose tenant lets SMTP in.
async fn open() -> World {
    open_with("").await
}

async fn open_with(entries: &str) -> World {
    let world = World::start_with(entries).await;
    world
        .running
        .directory()
        .change(|tenant| tenant.smtp_auth = true);
    world
}

/// One more person.
fn user(keys: &str) -> String {
    format!(
        "[[user]]\naddress = \"{DORA}\"\ndisplay_name = \"Dora\"\npassword = \"{PASSWORD}\"\n{keys}\n"
    )
}

/// An application that may send by itself, and has the shared mailbox.
fn unattended(more: &str) -> String {
    let permission = "https://outlook.office365.com/SMTP.SendAsApp";
    let object = "e2c57d90-3b1a-4f68-8c2e-71a9d4065b40";
    format!(
        "[[application]]\nclient_id = \"{SENDER}\"\ndisplay_name = \"Sender\"\nflow = \"app_only\"\n\
         service_principal_id = \"{object}\"\npermissions = [\"{permission}\"]\nadmin_consent = [\"{permission}\"]\n\
         [[service_principal]]\napplication = \"{SENDER}\"\nobject_id = \"{object}\"\n\
         [[mailbox_permission]]\nmailbox = \"{SHARED}\"\ntrustee = \"{SENDER}\"\n{more}"
    )
}

async fn app_only(world: &World) -> String {
    let scope = "https://outlook.office365.com/.default";
    let reply = world.client_credentials(SENDER, scope).await.ok();
    reply["access_token"].as_str().unwrap().to_owned()
}

async fn logged_in(world: &World, user: &str) -> Line {
    let token = token_of(world, user, SMTP_SEND).await;
    let (line, answer) = smtp_login(world, user, &token).await;
    assert_eq!(answer, "235 2.7.0 Authentication successful");
    line
}

fn passwords(world: &World, passwords: PasswordSubmission) {
    let directory = world.running.directory();
    directory.change(|tenant| tenant.submission.passwords = passwords);
}

async fn with_password(world: &World) -> String {
    let mut line = smtp(world).await;
    assert_eq!(line.smtp("AUTH LOGIN").await, "334 VXNlcm5hbWU6");
    let asked = line.smtp(&STANDARD.encode(ADA)).await;
    assert_eq!(asked, "334 UGFzc3dvcmQ6");
    line.smtp(&STANDARD.encode(PASSWORD)).await
}

/// SMTP says no more than no; the log says why.
async fn refused(world: &World, user: &str, token: &str, why: &str) {
    let (_, answer) = smtp_login(world, user, token).await;
    assert!(
        answer.starts_with("535 5.7.3 Authentication unsuccessful ["),
        "{answer}"
    );
    let log = world.running.requests().entries();
    let login = log.iter().rev().find(|entry| entry.kind == "smtp_login");
    let detail = login.unwrap().detail.as_deref().unwrap();
    assert!(detail.contains(why), "{detail}");
}
