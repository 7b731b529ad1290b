//! Who may open which mailbox: the table of outcomes that a doctor must tell apart.

use mailgrant_sandbox::directory::{Holder, Protocol, Refusal};

use crate::support::*;

async fn person_token(world: &World, address: &str, scope: &str) -> String {
    let answer = Browser::new(world)
        .connect(&world.authorize_url(&[("scope", scope)]), address)
        .await;
    let tokens = world
        .redeem(&answer.parameter("code").unwrap(), &[])
        .await
        .ok();
    tokens["access_token"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_person_opens_their_own_mailbox_and_those_shared_with_them() {
    let world = World::start().await;
    let directory = world.running.directory();
    let ada = person_token(&world, ADA, SCOPE).await;
    let access = directory
        .check_access_token(&ada, "ADA@Quillmere.test", NOW)
        .unwrap();
    assert_eq!(access.mailbox, ADA);
    assert_eq!(access.holder, Holder::Person(ADA.to_owned()));
    assert_eq!((access.connected, access.until.0), (true, NOW.0 + 3599));
    for (mailbox, expected) in [
        (SHARED, Refusal::NoMailboxPermission),
        (BRUNO, Refusal::NoMailboxPermission),
        ("nobody@quillmere.test", Refusal::UnknownMailbox),
        ("ada@quillmere.test\\support", Refusal::UnknownMailbox),
        ("", Refusal::UnknownMailbox),
    ] {
        assert_eq!(
            directory
                .check_access_token(&ada, mailbox, NOW)
                .unwrap_err(),
            expected,
            "{mailbox}"
        );
    }
    let bruno = person_token(&world, BRUNO, SCOPE).await;
    for mailbox in [SHARED, BRUNO, "bruno.keller@quillmere.test"] {
        assert!(
            directory
                .check_access_token(&bruno, mailbox, NOW)
                .unwrap()
                .connected,
            "{mailbox}"
        );
    }
    let smtp = directory.check_access_token_for(Protocol::Smtp, &ada, ADA, NOW);
    assert_eq!(smtp.unwrap_err(), Refusal::Permission);
}

#[actix_web::test]
async fn switches_and_licences_count() {
    let world = World::start().await;
    let directory = world.running.directory();
    let token = person_token(&world, NO_IMAP, SCOPE).await;
    assert_eq!(
        directory
            .check_access_token(&token, NO_IMAP, NOW)
            .unwrap_err(),
        Refusal::ProtocolDisabled
    );
    let token = person_token(&world, UNLICENSED, SCOPE).await;
    assert!(
        !directory
            .check_access_token(&token, UNLICENSED, NOW)
            .unwrap()
            .connected
    );
    let token = person_token(&world, ADA, "https://outlook.office.com/SMTP.Send").await;
    assert_eq!(
        directory.check_access_token(&token, ADA, NOW).unwrap_err(),
        Refusal::Permission
    );
    // The tenant has SMTP submission off, and the mailbox does not say otherwise.
    let smtp = directory.check_access_token_for(Protocol::Smtp, &token, ADA, NOW);
    assert_eq!(smtp.unwrap_err(), Refusal::ProtocolDisabled);
}

#[actix_web::test]
async fn an_application_needs_role_principal_and_permission() {
    let world = World::start().await;
    let directory = world.running.directory();
    let scope = "https://outlook.office365.com/.default";
    let check = async |client_id: &str, mailbox: &str| {
        let answer = world.client_credentials(client_id, scope).await.ok();
        directory.check_access_token(answer["access_token"].as_str().unwrap(), mailbox, NOW)
    };
    let access = check(APP_ONLY, SHARED).await.unwrap();
    assert_eq!(access.holder, Holder::Application(APP_ONLY.to_owned()));
    assert!(access.connected);
    assert!(
        !check(APP_ONLY, ADA).await.unwrap().connected,
        "no Add-MailboxPermission: nothing behind the login"
    );
    for (client_id, expected) in [
        (NO_ROLES, Refusal::Permission),
        (NO_PRINCIPAL, Refusal::NoServicePrincipal),
        (WRONG_PRINCIPAL, Refusal::ServicePrincipalObject),
    ] {
        assert_eq!(
            check(client_id, SHARED).await.unwrap_err(),
            expected,
            "{client_id}"
        );
    }
}

#[actix_web::test]
async fn tokens_of_others_are_refused() {
    let world = World::start().await;
    let directory = world.running.directory();
    let token = person_token(&world, ADA, SCOPE).await;
    let at = |seconds: i64| mailgrant_core::time::UnixTime(NOW.0 + seconds);
    assert_eq!(
        directory
            .check_access_token(&token, ADA, at(3599))
            .unwrap_err(),
        Refusal::Expired
    );
    assert_eq!(
        directory
            .check_access_token(&token, ADA, at(-1))
            .unwrap_err(),
        Refusal::NotYetValid
    );
    assert_eq!(
        directory
            .check_access_token("EwBAAl3B", ADA, NOW)
            .unwrap_err(),
        Refusal::NotAToken
    );
    let (head, signature) = token.rsplit_once('.').unwrap();
    let forged = format!(
        "{head}.{}",
        signature.replacen(char::is_alphanumeric, "-", 9)
    );
    assert_eq!(
        directory.check_access_token(&forged, ADA, NOW).unwrap_err(),
        Refusal::Signature
    );
    let elsewhere = World::start().await;
    let foreign = person_token(&elsewhere, ADA, SCOPE).await;
    assert_eq!(
        directory
            .check_access_token(&foreign, ADA, NOW)
            .unwrap_err(),
        Refusal::Signature
    );
    directory.change(|tenant| {
        tenant
            .users
            .iter_mut()
            .for_each(|user| user.enabled = false)
    });
    assert_eq!(
        directory.check_access_token(&token, ADA, NOW).unwrap_err(),
        Refusal::UnknownPerson
    );
}
