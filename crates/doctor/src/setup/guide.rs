//! The steps together.

use serde_json::{Value as Json, json};

use super::{Access, SetUp, Step};

/// Everything that has to be done, in order.
#[derive(Clone, Debug)]
pub struct Guide {
    /// What it is for, in a line.
    pub title: String,
    /// What to have at hand before the first step.
    pub needed: Vec<String>,
    /// In order.
    pub steps: Vec<Step>,
    pub(super) head: Head,
}

/// What the guide was made from, for the JSON's readers.
#[derive(Clone, Debug)]
pub(super) struct Head {
    application: String,
    provider: String,
    tenant: Option<String>,
    client_id: Option<String>,
    access: Access,
    mailboxes: Vec<String>,
}

impl Guide {
    pub(super) fn new(set_up: &SetUp<'_>, title: String) -> Self {
        Self {
            title,
            needed: Vec::new(),
            steps: Vec::new(),
            head: Head {
                application: set_up.application.to_owned(),
                provider: set_up.provider.id.clone(),
                tenant: set_up.tenant.map(str::to_owned),
                client_id: set_up
                    .is_registered()
                    .then(|| set_up.client_id.as_str().to_owned()),
                access: set_up.access,
                mailboxes: set_up.mailboxes.iter().map(ToString::to_string).collect(),
            },
        }
    }

    /// For programs.
    ///
    /// ```text
    /// {"title", "application", "provider", "tenant", "client_id", "flow", "mailboxes", "needed",
    ///  "steps": [{"id", "title", "why", "where": "portal"|"graph"|"exchange"|"mailgrant", "words", "url"?, "links",
    ///             "commands": [{"cmdlet", "parameters", "assigns"?, "only_if"?, "text"}],
    ///             "checks": [{"command", "shows"}], "settings"?, "if_left_out", "otherwise"}]}
    /// ```
    #[must_use]
    pub fn to_json(&self) -> Json {
        let head = &self.head;
        json!({
            "title": self.title,
            "application": head.application,
            "provider": head.provider,
            "tenant": head.tenant,
            "client_id": head.client_id,
            "flow": match head.access {
                Access::Delegated => "delegated",
                Access::AppOnly => "app_only",
            },
            "mailboxes": head.mailboxes,
            "needed": self.needed,
            "steps": self.steps.iter().map(Step::to_json).collect::<Vec<_>>(),
        })
    }
}

/// What to install before the first command. Nobody has to be an administrator of the machine.
pub(super) fn modules(names: &[&str]) -> String {
    format!(
        "PowerShell 7 or Windows PowerShell 5.1, and the modules: Install-Module {} -Scope CurrentUser",
        names.join(", ")
    )
}
