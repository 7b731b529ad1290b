//! Faults by name, for people who do not know the fault plan by heart.

use serde_json::{Map, Value, json};

use crate::control::FaultPlan;

/// A fault that the page offers.
#[derive(Clone, Debug)]
pub(crate) struct Preset {
    /// The part of the plan: `authority`, `imap`, …
    pub part: &'static str,
    pub name: &'static str,
    pub sentence: &'static str,
    /// That part of the plan, in JSON.
    fault: &'static str,
}

impl Preset {
    /// The plan with this part of it as the preset has it.
    pub(crate) fn plan(&self, current: &FaultPlan) -> Value {
        let mut plan = object(json!(current));
        let fault = serde_json::from_str(self.fault).unwrap_or(Value::Null);
        plan.insert(self.part.to_owned(), fault);
        Value::Object(plan)
    }

    /// Whether this part of the plan is as the preset has it.
    pub(crate) fn is_in_force(&self, current: &FaultPlan) -> bool {
        serde_json::from_value(self.plan(current)).is_ok_and(|plan: FaultPlan| plan == *current)
    }
}

/// The plan with one part of it well again.
pub(crate) fn well(part: &str, current: &FaultPlan) -> Value {
    let mut plan = object(json!(current));
    plan.remove(part);
    Value::Object(plan)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// The parts of the plan, with their names.
pub(crate) static PARTS: &[(&str, &str)] = &[
    ("authority", "Authority"),
    ("imap", "IMAP"),
    ("smtp", "SMTP"),
    ("pop3", "POP3"),
];

pub(crate) static PRESETS: &[Preset] = &[
    Preset {
        part: "authority",
        name: "Down",
        sentence: "Hangs up on every request, as when the network is gone.",
        fault: r#"{"down": true}"#,
    },
    Preset {
        part: "authority",
        name: "Overloaded",
        sentence: "Answers 503 with Retry-After: 30. A program should wait that long and keep its tokens.",
        fault: r#"{"status": 503, "retry_after": 30}"#,
    },
    Preset {
        part: "authority",
        name: "Too many requests",
        sentence: "Answers 429 with Retry-After: 10.",
        fault: r#"{"status": 429, "retry_after": 10}"#,
    },
    Preset {
        part: "authority",
        name: "Stumbles twice",
        sentence: "The next two token requests get 503, the third one works.",
        fault: r#"{"status": 503, "path": "/token", "times": 2}"#,
    },
    Preset {
        part: "authority",
        name: "HTML instead of JSON",
        sentence: "Answers 200 with a web page, as a proxy or a captive portal does.",
        fault: r#"{"html": true}"#,
    },
    Preset {
        part: "authority",
        name: "Very slow",
        sentence: "Takes 20 seconds for each answer: does the program give up in good time?",
        fault: r#"{"delay_ms": 20000}"#,
    },
    Preset {
        part: "authority",
        name: "No keys",
        sentence: "The signing keys answer 500: an id_token cannot be checked.",
        fault: r#"{"status": 500, "path": "/keys"}"#,
    },
    Preset {
        part: "imap",
        name: "Refuses every login",
        sentence: "NO AUTHENTICATE failed., whatever the token.",
        fault: r#"{"refuse_login": true}"#,
    },
    Preset {
        part: "imap",
        name: "Not connected",
        sentence: "The login succeeds, then every command answers BAD User is authenticated but not connected.",
        fault: r#"{"not_connected": true}"#,
    },
    Preset {
        part: "imap",
        name: "Throttled",
        sentence: "Every command: NO Request is throttled, with a backoff time of five minutes.",
        fault: r#"{"rules": [{"preset": "throttled"}]}"#,
    },
    Preset {
        part: "imap",
        name: "Server unavailable",
        sentence: "Every command: NO Server Unavailable. 15",
        fault: r#"{"rules": [{"preset": "server_unavailable"}]}"#,
    },
    Preset {
        part: "imap",
        name: "Token ends",
        sentence: "The next command: BYE Session invalidated - AccessTokenExpired.",
        fault: r#"{"rules": [{"preset": "token_expired"}]}"#,
    },
    Preset {
        part: "imap",
        name: "Second LIST fails",
        sentence: "The first LIST of a session works, the second is refused.",
        fault: r#"{"rules": [{"preset": "second_list_fails"}]}"#,
    },
    Preset {
        part: "imap",
        name: "SELECT refused",
        sentence: "A folder that LIST shows cannot be opened.",
        fault: r#"{"rules": [{"preset": "select_refused"}]}"#,
    },
    Preset {
        part: "imap",
        name: "UIDVALIDITY changes",
        sentence: "Each folder is numbered anew when it is opened, as after a restore.",
        fault: r#"{"rules": [{"preset": "uid_validity_changes"}]}"#,
    },
    Preset {
        part: "imap",
        name: "FETCH without FLAGS",
        sentence: "The flags are left out though they were asked for.",
        fault: r#"{"rules": [{"preset": "fetch_without_flags"}]}"#,
    },
    Preset {
        part: "imap",
        name: "Cut in a literal",
        sentence: "The connection ends in the middle of a message.",
        fault: r#"{"rules": [{"preset": "cut_in_literal"}]}"#,
    },
    Preset {
        part: "imap",
        name: "IDLE tells nothing",
        sentence: "New mail arrives, and IDLE keeps silent.",
        fault: r#"{"rules": [{"preset": "idle_mute"}]}"#,
    },
    Preset {
        part: "imap",
        name: "Garbage",
        sentence: "Each answer has a line in it that is no IMAP.",
        fault: r#"{"rules": [{"preset": "garbage_line"}]}"#,
    },
    Preset {
        part: "imap",
        name: "Slow drip",
        sentence: "32 octets a second.",
        fault: r#"{"transport": {"drip_bytes_per_second": 32}}"#,
    },
    Preset {
        part: "imap",
        name: "Hangs",
        sentence: "Says nothing more, and keeps the connection open.",
        fault: r#"{"transport": {"hang": true}}"#,
    },
    Preset {
        part: "imap",
        name: "Ports closed",
        sentence: "New connections are refused.",
        fault: r#"{"transport": {"down": true}}"#,
    },
    Preset {
        part: "smtp",
        name: "Refuses every login",
        sentence: "535 5.7.3 Authentication unsuccessful, whatever the token.",
        fault: r#"{"refuse_login": true}"#,
    },
    Preset {
        part: "smtp",
        name: "Mailbox logon failure",
        sentence: "The login holds, and each message is answered 430 4.2.0 STOREDRV.",
        fault: r#"{"not_connected": true}"#,
    },
    Preset {
        part: "smtp",
        name: "Too many at once",
        sentence: "MAIL is answered 432 4.3.2 Concurrent connections limit exceeded.",
        fault: r#"{"rules": [{"at": "MAIL", "reply": "432 4.3.2 Concurrent connections limit exceeded."}]}"#,
    },
    Preset {
        part: "smtp",
        name: "May not send as",
        sentence: "Each message is answered 554 5.2.252 SendAsDenied.",
        fault: r#"{"rules": [{"at": "MESSAGE", "reply": "554 5.2.252 SendAsDenied; the sender is not allowed to send as this address"}]}"#,
    },
    Preset {
        part: "smtp",
        name: "Slow",
        sentence: "Waits five seconds before each answer.",
        fault: r#"{"transport": {"latency_ms": 5000}}"#,
    },
    Preset {
        part: "smtp",
        name: "Ports closed",
        sentence: "New connections are refused.",
        fault: r#"{"transport": {"down": true}}"#,
    },
    Preset {
        part: "pop3",
        name: "Refuses every login",
        sentence: "-ERR Authentication failure: unknown user name or bad password.",
        fault: r#"{"refuse_login": true}"#,
    },
    Preset {
        part: "pop3",
        name: "Not connected",
        sentence: "The login succeeds, and nothing is behind it.",
        fault: r#"{"not_connected": true}"#,
    },
    Preset {
        part: "pop3",
        name: "Slow",
        sentence: "Waits five seconds before each answer.",
        fault: r#"{"transport": {"latency_ms": 5000}}"#,
    },
    Preset {
        part: "pop3",
        name: "Ports closed",
        sentence: "New connections are refused.",
        fault: r#"{"transport": {"down": true}}"#,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_a_fault_of_its_part_and_can_be_taken_back() {
        let healthy = FaultPlan::default();
        for preset in PRESETS {
            let name = preset.name;
            let plan: FaultPlan = serde_json::from_value(preset.plan(&healthy))
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_ne!(plan, healthy, "{name} does nothing");
            assert!(preset.is_in_force(&plan) && !preset.is_in_force(&healthy));
            let again: FaultPlan = serde_json::from_value(well(preset.part, &plan)).unwrap();
            assert_eq!(again, healthy, "{name}");
        }
    }

    #[test]
    fn a_fault_of_one_part_leaves_the_others() {
        let preset = |name| PRESETS.iter().find(|preset| preset.name == name).unwrap();
        let first = preset("Down").plan(&FaultPlan::default());
        let first: FaultPlan = serde_json::from_value(first).unwrap();
        let both = preset("Not connected").plan(&first);
        let both: FaultPlan = serde_json::from_value(both).unwrap();
        assert!(both.authority.down && both.imap.not_connected);
    }

    #[test]
    fn every_part_of_the_plan_has_presets_and_a_name() {
        for part in object(json!(FaultPlan::default())).keys() {
            assert!(PARTS.iter().any(|(known, _)| known == part), "{part}");
            assert!(PRESETS.iter().any(|preset| preset.part == part), "{part}");
        }
    }
}
