use serde::{Deserialize, Serialize};

use super::{Distortion, ImapRule};

/// Faults that were seen in the field, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Preset {
    /// Each command: `NO Request is throttled. Suggested Backoff Time: 299961 milliseconds`, for that time.
    Throttled,
    /// The same at the first command after the login, as `BAD`, and `* BYE Connection closed. 14`.
    ThrottledAndClosed,
    /// Each command: `NO Server Unavailable. 15`
    ServerUnavailable,
    /// Each command: `NO [UNAVAILABLE] …`
    Unavailable,
    /// Each command: `* BYE Connection closed. 14`, and nothing else.
    ConnectionClosed,
    /// Each command: `* BYE Session invalidated - AccessTokenExpired`, and nothing else.
    TokenExpired,
    /// Each command: `BAD Command Argument Error. 11`
    ArgumentError,
    /// Each command is left without an answer.
    Unanswered,
    /// Each answer has a line in it that is no IMAP.
    GarbageLine,
    /// The second LIST of a session: `NO [SERVERBUG] …`
    SecondListFails,
    /// LIST finds nothing, and says that all is well.
    ListEmpty,
    /// LIST answers lines that are no folders, and says that all is well.
    ListUnusable,
    /// LSUB: `BAD Command Error. 12`
    LsubRefused,
    /// SELECT and EXAMINE of a folder that LIST shows: `NO`, and the connection is cut.
    SelectRefused,
    /// SELECT of a folder that has a new UIDVALIDITY and new UIDs.
    UidValidityChanges,
    /// SELECT: `[UIDVALIDITY 0]`
    UidValidityZero,
    /// SELECT: a UIDVALIDITY that is no 32-bit number.
    UidValidityInvalid,
    /// SELECT without UIDVALIDITY.
    UidValidityMissing,
    /// FETCH without the FLAGS that were asked for.
    FetchWithoutFlags,
    /// FETCH: addresses of the ENVELOPE without a host.
    EnvelopeWithoutHost,
    /// FETCH: `NO FETCH failed.`
    FetchRefused,
    /// FETCH leaves the last message out.
    MessageMissing,
    /// FETCH announces more octets than it sends.
    LiteralTooShort,
    /// FETCH announces fewer octets than it sends.
    LiteralTooLong,
    /// FETCH is cut in the middle of a literal.
    CutInLiteral,
    /// FETCH has `* 1 EXPUNGE` in the middle of its answer, which is not allowed there.
    ExpungeInAnswer,
    /// FETCH has `* n EXISTS` in the middle of its answer, which is.
    ExistsInAnswer,
    /// IDLE tells nothing.
    IdleMute,
    /// IDLE is cut after a second (`delay_ms`).
    IdleCut,
    /// LOGOUT without BYE.
    LogoutWithoutBye,
    /// LOGIN: `NO Basic authentication is disabled.`, as personal accounts are told.
    BasicAuthDisabled,
    /// LOGIN: `NO LOGIN failed.` with the detail `BasicAuthBlocked`.
    BasicAuthBlocked,
    /// AUTHENTICATE: the account was blocked by Microsoft for abuse.
    AccountBlocked,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Preset; 33] = [
        Preset::Throttled,
        Preset::ThrottledAndClosed,
        Preset::ServerUnavailable,
        Preset::Unavailable,
        Preset::ConnectionClosed,
        Preset::TokenExpired,
        Preset::ArgumentError,
        Preset::Unanswered,
        Preset::GarbageLine,
        Preset::SecondListFails,
        Preset::ListEmpty,
        Preset::ListUnusable,
        Preset::LsubRefused,
        Preset::SelectRefused,
        Preset::UidValidityChanges,
        Preset::UidValidityZero,
        Preset::UidValidityInvalid,
        Preset::UidValidityMissing,
        Preset::FetchWithoutFlags,
        Preset::EnvelopeWithoutHost,
        Preset::FetchRefused,
        Preset::MessageMissing,
        Preset::LiteralTooShort,
        Preset::LiteralTooLong,
        Preset::CutInLiteral,
        Preset::ExpungeInAnswer,
        Preset::ExistsInAnswer,
        Preset::IdleMute,
        Preset::IdleCut,
        Preset::LogoutWithoutBye,
        Preset::BasicAuthDisabled,
        Preset::BasicAuthBlocked,
        Preset::AccountBlocked,
    ];

    /// Its name in a plan: `second_list_fails`.
    #[must_use]
    pub fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => name,
            // A unit variant is written as a string.
            _ => String::new(),
        }
    }

    /// Gives a rule what it leaves out.
    pub(super) fn fill_in(self, rule: &mut ImapRule) {
        let own = self.rule();
        let ImapRule {
            at,
            after,
            backoff_ms,
            delay_ms,
            reply,
            raw,
            silent,
            insert,
            distort,
            uid_validity,
            bye,
            close,
            ..
        } = own;
        rule.at = rule.at.take().or(at);
        rule.after = rule.after.or(after);
        rule.backoff_ms = rule.backoff_ms.or(backoff_ms);
        rule.delay_ms = rule.delay_ms.or(delay_ms);
        rule.reply = rule.reply.take().or(reply);
        rule.raw = rule.raw.take().or(raw);
        rule.insert = rule.insert.take().or(insert);
        rule.uid_validity = rule.uid_validity.take().or(uid_validity);
        rule.bye = rule.bye.take().or(bye);
        rule.silent |= silent;
        rule.close |= close;
        if rule.distort.is_empty() {
            rule.distort = distort;
        }
    }

    fn rule(self) -> ImapRule {
        match self {
            Self::Throttled => ImapRule {
                backoff_ms: Some(BACKOFF_MS),
                ..replies(
                    None,
                    "NO Request is throttled. Suggested Backoff Time: $backoff milliseconds",
                )
            },
            Self::ThrottledAndClosed => ImapRule {
                backoff_ms: Some(BACKOFF_MS),
                bye: Some("Connection closed. 14".to_owned()),
                ..replies(
                    None,
                    "BAD Request is throttled. Suggested Backoff Time: $backoff milliseconds",
                )
            },
            Self::ServerUnavailable => replies(None, "NO Server Unavailable. 15"),
            Self::Unavailable => replies(
                None,
                "NO [UNAVAILABLE] Temporary System Problem. Try again later",
            ),
            Self::ConnectionClosed => ImapRule {
                bye: Some("Connection closed. 14".to_owned()),
                ..ImapRule::default()
            },
            Self::TokenExpired => ImapRule {
                bye: Some("Session invalidated - AccessTokenExpired".to_owned()),
                ..ImapRule::default()
            },
            Self::ArgumentError => replies(None, "BAD Command Argument Error. 11"),
            Self::Unanswered => ImapRule {
                silent: true,
                ..ImapRule::default()
            },
            Self::GarbageLine => inserts(None, "%&/ \u{80}\u{ff} garbage {3 (\r\n"),
            Self::SecondListFails => ImapRule {
                after: Some(1),
                ..replies(Some("LIST"), "NO [SERVERBUG] Internal error occurred.")
            },
            Self::ListEmpty => replies(Some("LIST"), "OK LIST completed."),
            Self::ListUnusable => ImapRule {
                at: Some("LIST".to_owned()),
                raw: Some(
                    "* LIST (\\HasNoChildren \"/\"\r\n* LIST () NIL\r\n$tag OK LIST completed.\r\n"
                        .to_owned(),
                ),
                ..ImapRule::default()
            },
            Self::LsubRefused => replies(Some("LSUB"), "BAD Command Error. 12"),
            Self::SelectRefused => ImapRule {
                close: true,
                ..replies(
                    Some("SELECT"),
                    "NO The requested folder could not be opened.",
                )
            },
            Self::UidValidityChanges => says_uid_validity("new"),
            Self::UidValidityZero => says_uid_validity("0"),
            Self::UidValidityInvalid => says_uid_validity("4294967296000"),
            Self::UidValidityMissing => says_uid_validity(""),
            Self::FetchWithoutFlags => distorts("FETCH", Distortion::WithoutFlags),
            Self::EnvelopeWithoutHost => distorts("FETCH", Distortion::NilHost),
            Self::FetchRefused => replies(Some("FETCH"), "NO FETCH failed."),
            Self::MessageMissing => distorts("FETCH", Distortion::MissingMessage),
            Self::LiteralTooShort => distorts("FETCH", Distortion::ShortLiteral),
            Self::LiteralTooLong => distorts("FETCH", Distortion::LongLiteral),
            Self::CutInLiteral => distorts("FETCH", Distortion::CutLiteral),
            Self::ExpungeInAnswer => inserts(Some("FETCH"), "* 1 EXPUNGE\r\n"),
            Self::ExistsInAnswer => inserts(Some("FETCH"), "* $count EXISTS\r\n"),
            Self::IdleMute => distorts("IDLE", Distortion::Mute),
            Self::IdleCut => ImapRule {
                at: Some("IDLE".to_owned()),
                delay_ms: Some(1_000),
                close: true,
                ..ImapRule::default()
            },
            Self::LogoutWithoutBye => ImapRule {
                close: true,
                ..replies(Some("LOGOUT"), "OK LOGOUT completed.")
            },
            Self::BasicAuthDisabled => {
                replies(Some("LOGIN"), "NO Basic authentication is disabled.")
            }
            Self::BasicAuthBlocked => replies(
                Some("LOGIN"),
                "NO [Error=\"AuthFailed:LogonDenied-BasicAuthBlocked\"] LOGIN failed.",
            ),
            Self::AccountBlocked => replies(
                Some("AUTHENTICATE"),
                "NO LOGIN failed. Account is blocked. Login to your account via a web browser to verify your identity.",
            ),
        }
    }
}

fn at(command: Option<&str>) -> ImapRule {
    ImapRule {
        at: command.map(str::to_owned),
        ..ImapRule::default()
    }
}

fn replies(command: Option<&str>, reply: &str) -> ImapRule {
    ImapRule {
        reply: Some(reply.to_owned()),
        ..at(command)
    }
}

fn inserts(command: Option<&str>, insert: &str) -> ImapRule {
    ImapRule {
        insert: Some(insert.to_owned()),
        ..at(command)
    }
}

fn distorts(command: &str, distortion: Distortion) -> ImapRule {
    ImapRule {
        distort: vec![distortion],
        ..at(Some(command))
    }
}

fn says_uid_validity(value: &str) -> ImapRule {
    ImapRule {
        uid_validity: Some(value.to_owned()),
        ..at(Some("SELECT"))
    }
}

/// As threads show it: five minutes, nearly.
const BACKOFF_MS: u32 = 299_961;
