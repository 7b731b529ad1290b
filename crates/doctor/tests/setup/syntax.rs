//! The printed PowerShell, read by a grammar that others wrote: nothing but what we meant is in it, whatever is filled in.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use mailgrant_core::provider::{PRESETS, Provider};
use mailgrant_core::{time::UnixTime, token::ClientId};
use mailgrant_doctor::setup::{Access, Address, Proof, SetUp, UNREGISTERED};
use proptest::prelude::*;
use tree_sitter::{Node, Parser};

/// What is filled into a script.
#[derive(Clone, Debug)]
struct Filled {
    application: String,
    tenant: String,
    client_id: String,
    /// The part of an address before the `@`.
    local: String,
    gateway: String,
    issuer: String,
    subject: String,
    audience: String,
    fingerprint: String,
}

impl Filled {
    fn harmless() -> Self {
        Self {
            application: "contoso".to_owned(),
            tenant: "contoso.onmicrosoft.com".to_owned(),
            client_id: "11111111-2222-3333-4444-555555555555".to_owned(),
            local: "orders".to_owned(),
            gateway: "https://mail.example.com".to_owned(),
            issuer: "https://kubernetes.example/issuer".to_owned(),
            subject: "system:serviceaccount:mail:gateway".to_owned(),
            audience: "api://AzureADTokenExchange".to_owned(),
            fingerprint: "8f4b1c22a9e07d35".to_owned(),
        }
    }

    /// The same text everywhere.
    fn with(text: &str) -> Self {
        let text = text.to_owned();
        Self {
            application: text.clone(),
            tenant: text.clone(),
            client_id: text.clone(),
            local: text.clone(),
            gateway: format!("https://mail.example.com/{text}"),
            issuer: text.clone(),
            subject: text.clone(),
            audience: text.clone(),
            fingerprint: text,
        }
    }

    fn proofs(&self) -> [Proof; 4] {
        [
            Proof::Nothing,
            Proof::Secret,
            Proof::Certificate {
                base64: "MIIBszCCAVmgAwIBAgIUZ3VpZGU=".to_owned(),
                fingerprint: self.fingerprint.clone(),
            },
            Proof::Federated {
                issuer: self.issuer.clone(),
                subject: self.subject.clone(),
                audience: self.audience.clone(),
            },
        ]
    }

    /// What an address, a client id, a tenant or a URL cannot hold is refused before anything is printed; there the
    /// harmless one stays, so that the rest is tried.
    fn where_possible(self) -> Self {
        let harmless = Self::harmless();
        let tenant = |tenant: &String| {
            !tenant.is_empty()
                && tenant
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b".-_~".contains(&byte))
        };
        Self {
            // With the domain that `Connect-ExchangeOnline -Organization` takes, as the harmless one.
            tenant: Some(self.tenant)
                .filter(tenant)
                .map_or(harmless.tenant, |tenant| {
                    format!("{tenant}.onmicrosoft.com")
                }),
            client_id: Some(self.client_id)
                .filter(|id| ClientId::new(id.as_str()).is_ok())
                .unwrap_or(harmless.client_id),
            local: Some(self.local)
                .filter(|local| Address::new(format!("{local}@contoso.example")).is_ok())
                .unwrap_or(harmless.local),
            ..self
        }
    }
}

/// One kind of script.
#[derive(Clone)]
struct Kind {
    provider: &'static str,
    proof: Proof,
    access: Access,
    registered: bool,
    foreign: bool,
    sends: bool,
}

impl Kind {
    /// Every kind there is.
    fn all(filled: &Filled) -> Vec<Self> {
        let mut kinds = Vec::new();
        for provider in PRESETS {
            for proof in filled.proofs() {
                for access in [Access::AppOnly, Access::Delegated] {
                    for (registered, foreign, sends) in [
                        (true, false, true),
                        (false, false, false),
                        (true, true, true),
                    ] {
                        let proof = proof.clone();
                        kinds.push(Self {
                            provider,
                            proof,
                            access,
                            registered,
                            foreign,
                            sends,
                        });
                    }
                }
            }
        }
        kinds
    }

    /// Those whose statements differ.
    fn telling(filled: &Filled) -> Vec<Self> {
        let all = Self::all(filled).into_iter();
        all.filter(|kind| match kind.provider {
            "microsoft365" => {
                kind.foreign
                    != matches!(
                        kind.proof,
                        Proof::Secret | Proof::Certificate { .. } | Proof::Federated { .. }
                    )
            }
            "outlook" | "google" => kind.proof == Proof::Secret && kind.registered && !kind.foreign,
            _ => false,
        })
        .collect()
    }

    /// None where there is no such way in.
    fn script(&self, filled: &Filled) -> Option<String> {
        let known = if self.registered {
            filled.client_id.as_str()
        } else {
            UNREGISTERED
        };
        let addresses = [
            format!("{}@contoso.example", filled.local),
            "second@contoso.example".to_owned(),
        ];
        let guide = SetUp {
            application: &filled.application,
            provider: &Provider::preset(self.provider).unwrap(),
            tenant: Some(&filled.tenant),
            foreign: self.foreign,
            client_id: &ClientId::new(known).unwrap(),
            proof: self.proof.clone(),
            access: self.access,
            mailboxes: &addresses.map(|address| Address::new(address).unwrap()),
            sends: self.sends,
            gateway: &filled.gateway,
            now: UnixTime(1_795_305_600),
        }
        .guide();
        guide.ok().map(|guide| guide.script())
    }
}

/// All that is in a script but the contents of its texts and comments.
///
/// # Panics
/// When the grammar does not know what it is.
fn shape(script: &str) -> Vec<String> {
    // Windows PowerShell reads a file without a byte order mark in the machine's code page: ASCII is the same in all.
    let odd = script
        .bytes()
        .find(|byte| !matches!(byte, b'\n' | b' '..=b'~'));
    assert_eq!(odd, None, "{script}");
    // The grammar wants a statement in a file, PowerShell does not.
    if script
        .lines()
        .all(|line| line.is_empty() || line.starts_with('#'))
    {
        return script.lines().map(|_| "line".to_owned()).collect();
    }
    let mut parser = Parser::new();
    parser
        .set_language(&tree_sitter_powershell::LANGUAGE.into())
        .unwrap();
    let tree = parser.parse(script, None).unwrap();
    let mut shape = Vec::new();
    describe(tree.root_node(), script, 0, &mut shape);
    shape
}

fn describe(node: Node<'_>, script: &str, depth: usize, shape: &mut Vec<String>) {
    let text = &script[node.byte_range()];
    assert!(
        !node.is_error() && !node.is_missing(),
        "{:?}: {text:?} in {script}",
        node.start_position()
    );
    match node.kind() {
        "comment" => {
            assert!(text.starts_with('#') && !text.contains('\n'), "{text:?}");
            shape.push(format!("{depth} comment"));
        }
        "string_literal" => {
            shape.push(format!("{depth} text"));
            variables(node, script, shape);
        }
        kind => {
            let leaf = if node.child_count() == 0 { text } else { "" };
            shape.push(format!("{depth} {kind} {leaf}"));
            for child in node.children(&mut node.walk()) {
                describe(child, script, depth + 1, shape);
            }
        }
    }
}

/// What a text expands: variables of ours, and letters by their numbers, which count as text.
fn variables(node: Node<'_>, script: &str, shape: &mut Vec<String>) {
    for child in node.children(&mut node.walk()) {
        let text = &script[child.byte_range()];
        match child.kind() {
            "sub_expression" => {
                let number = text
                    .strip_prefix("$([char]0x")
                    .and_then(|rest| rest.strip_suffix(')'));
                let number = number.unwrap_or_else(|| panic!("{text:?} runs in {script}"));
                assert!(
                    number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_hexdigit()),
                    "{text}"
                );
            }
            "variable" | "braced_variable" => shape.push(format!("expands {text}")),
            _ => variables(child, script, shape),
        }
    }
}

/// Nothing that is filled in changes what a script does.
fn same_with(filled: &Filled) {
    static HARMLESS: LazyLock<Vec<Option<Vec<String>>>> = LazyLock::new(|| {
        let filled = Filled::harmless();
        let kinds = Kind::telling(&filled).into_iter();
        kinds
            .map(|kind| kind.script(&filled).map(|script| shape(&script)))
            .collect()
    });
    let kinds = Kind::telling(filled);
    assert_eq!(kinds.len(), HARMLESS.len());
    for (kind, harmless) in kinds.iter().zip(HARMLESS.iter()) {
        let script = kind.script(filled);
        assert_eq!(
            script.as_deref().map(shape),
            *harmless,
            "{filled:?}: {script:?}"
        );
    }
}

#[test]
fn every_script_is_powershell() {
    let filled = Filled::harmless();
    let kinds = Kind::all(&filled).into_iter();
    let scripts: BTreeSet<String> = kinds.filter_map(|kind| kind.script(&filled)).collect();
    assert!(scripts.len() > 60, "{}", scripts.len());
    for script in &scripts {
        let commands = shape(script)
            .iter()
            .filter(|part| part.contains(" command_name "))
            .count();
        let connects = script.contains("\nConnect-MgGraph ");
        assert_eq!(commands > 5, connects, "{commands}: {script}");
    }
}

/// The grammar sees what is injected where somebody forgets to quote.
#[test]
fn the_grammar_tells_an_injection() {
    let harmless = shape("Set-CASMailbox -Identity 'a' -ImapEnabled $true\n");
    for injected in [
        "Set-CASMailbox -Identity 'a'; Remove-Item x -ImapEnabled $true\n",
        "Set-CASMailbox -Identity ('a') -ImapEnabled $true\n",
        "Set-CASMailbox -Identity \"$a\" -ImapEnabled $true\n",
        "Set-CASMailbox -Identity 'a' -ImapEnabled $true\n# 'b'\nRemove-Item x\n",
    ] {
        assert_ne!(harmless, shape(injected));
    }
    assert!(std::panic::catch_unwind(|| shape("Set-X -A \"$(Remove-Item x)\"\n")).is_err());
    assert!(std::panic::catch_unwind(|| shape("Set-X -A 'a''\n")).is_err());
}

#[test]
fn hostile_names_stay_names() {
    for hostile in [
        "'; Remove-Item x; '",
        "\"; Remove-Item x; \"",
        "$(Remove-Item x)",
        "'$(Remove-Item x)",
        "`\"$(Remove-Item x)`\"",
        "a;b|c&d",
        "a\r\nRemove-Item x\r\n",
        "#> Remove-Item x <#",
        "'@\nRemove-Item x\n@'",
        "\"@\nRemove-Item x\n@\"",
        "\u{2018}; Remove-Item x; \u{2019}",
        "\u{201a}\u{201b}; Remove-Item x",
        "\u{201c}; Remove-Item x; \u{201d}",
        "\u{201e}\u{201f}; Remove-Item x",
        "--% $env:TEMP",
        "M\u{fc}ller \u{1f4ee} \u{85}\u{2028}\u{feff}\0",
        "`",
        "``\n",
        "@{a=1}",
        "@(1)",
        "%{ x }",
        "$clientId",
        "${clientId}",
        "'x",
        "x\"",
    ] {
        same_with(&Filled::with(hostile).where_possible());
        // Without spaces, an address and a client id hold it as well.
        let dense: String = hostile
            .chars()
            .filter(|letter| !letter.is_whitespace())
            .collect();
        same_with(&Filled::with(&dense).where_possible());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_name_gets_out(text in "[ -~'\"$`()@#;{}|\u{2018}-\u{201f}\r\n\u{e4}]{1,24}") {
        same_with(&Filled::with(&text).where_possible());
    }
}
