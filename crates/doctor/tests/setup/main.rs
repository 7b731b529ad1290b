//! What `mailgrant setup` says, whole, for each kind of set-up.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]

mod syntax;

use mailgrant_core::{provider::Provider, time::UnixTime, token::ClientId};
use mailgrant_doctor::setup::{Access, Address, Guide, Proof, SetUp, UNREGISTERED};

const CLIENT_ID: &str = "11111111-2222-3333-4444-555555555555";
const TENANT: &str = "contoso.onmicrosoft.com";

struct Wanted {
    provider: &'static str,
    tenant: Option<&'static str>,
    client_id: &'static str,
    proof: Proof,
    access: Access,
    mailboxes: &'static [&'static str],
    sends: bool,
    foreign: bool,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            provider: "microsoft365",
            tenant: Some(TENANT),
            client_id: CLIENT_ID,
            proof: Proof::Secret,
            access: Access::AppOnly,
            mailboxes: &["orders@contoso.example"],
            sends: false,
            foreign: false,
        }
    }
}

impl Wanted {
    fn guide(self) -> Result<Guide, mailgrant_doctor::setup::Error> {
        let provider = Provider::preset(self.provider).unwrap();
        let client_id = ClientId::new(self.client_id).unwrap();
        let mailboxes: Vec<Address> = self
            .mailboxes
            .iter()
            .map(|address| Address::new(*address).unwrap())
            .collect();
        SetUp {
            application: "contoso",
            provider: &provider,
            tenant: self.tenant,
            foreign: self.foreign,
            client_id: &client_id,
            proof: self.proof,
            access: self.access,
            mailboxes: &mailboxes,
            sends: self.sends,
            gateway: "https://mail.example.com",
            now: UnixTime(1_795_305_600),
        }
        .guide()
    }
}

/// All three forms.
fn shown(name: &str, wanted: Wanted) {
    let guide = wanted.guide().unwrap();
    let script = guide.script();
    assert!(script.is_ascii());
    insta::assert_snapshot!(format!("{name}.txt"), guide.to_string());
    insta::assert_snapshot!(format!("{name}.ps1"), script);
    insta::assert_snapshot!(
        format!("{name}.json"),
        serde_json::to_string_pretty(&guide.to_json()).unwrap()
    );
}

#[test]
fn worldwide_app_only() {
    shown(
        "worldwide",
        Wanted {
            mailboxes: &["orders@contoso.example", "o'brien@contoso.example"],
            sends: true,
            ..Wanted::default()
        },
    );
}

#[test]
fn an_application_that_is_yet_to_be_registered() {
    let guide = Wanted {
        client_id: UNREGISTERED,
        ..Wanted::default()
    };
    insta::assert_snapshot!("unregistered.ps1", guide.guide().unwrap().script());
}

#[test]
fn gcc_high_with_a_certificate() {
    shown(
        "gcc-high",
        Wanted {
            provider: "microsoft365-gcc-high",
            tenant: Some("contoso.onmicrosoft.us"),
            proof: Proof::Certificate {
                base64: "MIIBszCCAVmgAwIBAgIUZ3VpZGU=".to_owned(),
                fingerprint: "8f4b1c22a9e07d35".to_owned(),
            },
            ..Wanted::default()
        },
    );
}

#[test]
fn china_with_a_federated_credential() {
    shown(
        "china",
        Wanted {
            provider: "microsoft365-china",
            tenant: Some("contoso.partner.onmschina.cn"),
            proof: Proof::Federated {
                issuer: "https://kubernetes.example/issuer".to_owned(),
                subject: "system:serviceaccount:mail:gateway".to_owned(),
                audience: "api://AzureADTokenExchangeChina".to_owned(),
            },
            ..Wanted::default()
        },
    );
}

#[test]
fn delegated() {
    shown(
        "delegated",
        Wanted {
            access: Access::Delegated,
            ..Wanted::default()
        },
    );
}

#[test]
fn google_delegated() {
    shown(
        "google",
        Wanted {
            provider: "google",
            tenant: None,
            client_id: "1234-abc.apps.googleusercontent.com",
            access: Access::Delegated,
            ..Wanted::default()
        },
    );
}

#[test]
fn google_service_account() {
    shown(
        "google-service-account",
        Wanted {
            provider: "google",
            tenant: None,
            proof: Proof::ServiceAccount {
                client_id: Some("104512345678901234567".to_owned()),
            },
            ..Wanted::default()
        },
    );
}

#[test]
fn outlook() {
    shown(
        "outlook",
        Wanted {
            provider: "outlook",
            tenant: None,
            access: Access::Delegated,
            mailboxes: &[],
            ..Wanted::default()
        },
    );
}

#[test]
fn another_tenant_only_admits_the_application() {
    let guide = Wanted {
        foreign: true,
        tenant: Some("fabrikam.example"),
        ..Wanted::default()
    }
    .guide()
    .unwrap();
    let steps: Vec<&str> = guide.steps.iter().map(|step| step.id).collect();
    assert_eq!(
        steps,
        [
            "graph-sign-in",
            "enterprise-application",
            "consent",
            "exchange-sign-in",
            "service-principal",
            "mailbox-permission",
            "imap",
            "prove"
        ]
    );
    // What only the registration's own tenant has is not looked for elsewhere.
    let text = guide.to_string();
    assert!(
        !text.contains("App registrations") && !text.contains("client_secret"),
        "{text}"
    );
    assert!(text.contains("--tenant fabrikam.example"), "{text}");
    insta::assert_snapshot!("foreign.ps1", guide.script());
}

/// The scripts run in strict mode, in which a variable that nobody set ends them.
#[test]
fn a_script_sets_every_variable_before_it_uses_it() {
    for (access, foreign) in [
        (Access::AppOnly, false),
        (Access::AppOnly, true),
        (Access::Delegated, false),
        (Access::Delegated, true),
    ] {
        let wanted = Wanted {
            access,
            foreign,
            sends: true,
            ..Wanted::default()
        };
        let script = wanted.guide().unwrap().script();
        let mut set: Vec<&str> = vec![
            "true",
            "false",
            "null",
            "ErrorActionPreference",
            "PSDefaultParameterValues",
        ];
        let mut used = 0;
        for line in script
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
        {
            let names = line.split('$').skip(1).map(|rest| {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric());
                rest.split_at(end.unwrap_or(rest.len())).0
            });
            for (at, name) in names.enumerate() {
                let (assigned, loops) = (format!("${name} ="), format!("foreach (${name} in "));
                let begins = line.trim_start().starts_with(&assigned) || line.contains(&loops);
                if at == 0 && begins {
                    set.push(name);
                }
                assert!(
                    set.contains(&name),
                    "{access:?}, {foreign}: ${name} in {line}"
                );
                used += 1;
            }
        }
        assert!(used > 20, "{access:?}, {foreign}: {used}");
    }
}

#[test]
fn every_preset_has_a_guide_in_every_form() {
    for provider in mailgrant_core::provider::PRESETS {
        let guide = Wanted {
            provider,
            tenant: None,
            access: Access::Delegated,
            ..Wanted::default()
        }
        .guide()
        .unwrap();
        let ids: std::collections::BTreeSet<&str> =
            guide.steps.iter().map(|step| step.id).collect();
        assert_eq!(
            ids.len(),
            guide.steps.len(),
            "{provider}: a step's id names it"
        );
        assert!(guide.script().is_ascii());
        assert_eq!(guide.steps.last().unwrap().id, "prove");
    }
}

#[test]
fn app_only_access_needs_a_tenant_and_a_provider_that_has_it() {
    for tenant in [
        None,
        Some("organizations"),
        Some("common"),
        Some("consumers"),
    ] {
        let refused = Wanted {
            tenant,
            ..Wanted::default()
        }
        .guide();
        assert!(
            refused.unwrap_err().to_string().contains("--tenant"),
            "{tenant:?}"
        );
    }
    for provider in ["outlook", "yahoo", "fastmail"] {
        let refused = Wanted {
            provider,
            tenant: None,
            ..Wanted::default()
        }
        .guide();
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .contains("--flow delegated"),
            "{provider}"
        );
    }
}

#[test]
fn no_address_gets_out_of_its_quotation_marks() {
    let hostile = "x';Remove-Mailbox$(1)`\u{2019}@contoso.example";
    let provider = Provider::preset("microsoft365").unwrap();
    let client_id = ClientId::new("x';Remove-MgApplication").unwrap();
    // `;` is what an address may not have; the rest may stand in a local part.
    assert!(Address::new(hostile).is_err());
    let mailboxes = [Address::new(hostile.replace(';', "")).unwrap()];
    let guide = SetUp {
        application: "contoso",
        provider: &provider,
        tenant: Some(TENANT),
        foreign: false,
        client_id: &client_id,
        proof: Proof::Secret,
        access: Access::AppOnly,
        mailboxes: &mailboxes,
        sends: true,
        gateway: "https://mail.example.com",
        now: UnixTime(0),
    }
    .guide()
    .unwrap();
    let script = guide.script();
    assert!(
        script.contains("$clientId = \"x';Remove-MgApplication\""),
        "{script}"
    );
    let literal = "\"x'Remove-Mailbox`$(1)``$([char]0x2019)@contoso.example\"";
    let uses = script
        .lines()
        .filter(|line| line.contains("Remove-Mailbox") && !line.starts_with('#'));
    assert!(uses.clone().count() >= 8);
    for line in uses {
        assert!(line.contains(literal), "{line}");
    }
}
