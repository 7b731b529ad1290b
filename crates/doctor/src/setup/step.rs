//! A step: one thing that somebody does, where, why, and what to see afterwards.

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::powershell::{Command, Statement};

/// One thing to do.
#[derive(Clone, Debug)]
pub struct Step {
    /// Stable; programs name the step by it.
    pub id: &'static str,
    /// What is done, in a line.
    pub title: String,
    /// What it is for.
    pub why: String,
    /// Where it is done.
    pub place: Place,
    /// How it is done by hand, a sentence each: the portal's way, where there are commands too.
    pub words: Vec<String>,
    /// Pages to open.
    pub links: Vec<Link>,
    /// What to type.
    pub lines: Vec<Line>,
    /// How to see that it worked.
    pub checks: Vec<Check>,
    /// The code of the gateway's diagnosis when this step is missing; none where something else says so.
    pub if_left_out: Option<&'static str>,
    /// What else can be said of leaving it out.
    pub otherwise: String,
}

/// Where a step is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// The provider's web pages.
    Portal,
    /// Microsoft Graph PowerShell.
    Graph,
    /// Exchange Online PowerShell.
    Exchange,
    /// The gateway's machine.
    Mailgrant,
}

/// A page to open.
#[derive(Clone, Debug, Serialize)]
pub struct Link {
    /// What it is.
    pub title: String,
    /// Where it is.
    pub url: String,
}

/// Something to type.
#[derive(Clone, Debug)]
pub enum Line {
    /// In PowerShell.
    PowerShell(Statement),
    /// In a POSIX shell on the gateway's machine.
    Shell(String),
    /// Into the settings file.
    Settings(String),
}

/// A command that shows whether a step worked.
#[derive(Clone, Debug)]
pub struct Check {
    /// What to type; nothing where looking is enough.
    pub command: Option<Command>,
    /// The properties to look at.
    pub properties: &'static [&'static str],
    /// What it must show.
    pub shows: String,
}

impl Step {
    pub(super) fn new(
        id: &'static str,
        place: Place,
        title: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self {
            id,
            title: title.into(),
            why: why.into(),
            place,
            words: Vec::new(),
            links: Vec::new(),
            lines: Vec::new(),
            checks: Vec::new(),
            if_left_out: None,
            otherwise: String::new(),
        }
    }

    pub(super) fn by_hand<T: Into<String>>(mut self, words: impl IntoIterator<Item = T>) -> Self {
        self.words.extend(words.into_iter().map(Into::into));
        self
    }

    pub(super) fn open(mut self, title: impl Into<String>, url: impl Into<String>) -> Self {
        self.links.push(Link {
            title: title.into(),
            url: url.into(),
        });
        self
    }

    pub(super) fn run(mut self, statements: impl IntoIterator<Item = Statement>) -> Self {
        self.lines
            .extend(statements.into_iter().map(Line::PowerShell));
        self
    }

    pub(super) fn shell(mut self, line: impl Into<String>) -> Self {
        self.lines.push(Line::Shell(line.into()));
        self
    }

    pub(super) fn settings(mut self, lines: impl Into<String>) -> Self {
        self.lines.push(Line::Settings(lines.into()));
        self
    }

    /// A command whose output shows it, and the properties to look at.
    pub(super) fn check(
        mut self,
        command: Command,
        properties: &'static [&'static str],
        shows: impl Into<String>,
    ) -> Self {
        self.checks.push(Check {
            command: Some(command),
            properties,
            shows: shows.into(),
        });
        self
    }

    /// What to see without a command.
    pub(super) fn see(mut self, shows: impl Into<String>) -> Self {
        self.checks.push(Check {
            command: None,
            properties: &[],
            shows: shows.into(),
        });
        self
    }

    /// The gateway's diagnosis without this step, and in words.
    pub(super) fn without(
        mut self,
        code: impl Into<Option<&'static str>>,
        words: impl Into<String>,
    ) -> Self {
        self.if_left_out = code.into();
        self.otherwise = words.into();
        self
    }

    /// `{"id", "title", "why", "where", "words", "url"?, "links", "commands", "checks", "if_left_out"}`
    pub(super) fn to_json(&self) -> Json {
        let mut commands = Vec::new();
        for line in &self.lines {
            match line {
                Line::PowerShell(statement) => {
                    for (command, variable, condition) in statement.commands() {
                        commands.push(of_command(command, variable, condition));
                    }
                }
                Line::Shell(text) => {
                    let program = text.split(' ').next().unwrap_or_default();
                    commands.push(json!({"cmdlet": program, "parameters": {}, "text": text}));
                }
                Line::Settings(_) => {}
            }
        }
        let checks: Vec<Json> = self.checks.iter().map(Check::to_json).collect();
        let settings: Vec<&str> = self.lines.iter().filter_map(Line::settings).collect();
        let mut step = json!({
            "id": self.id,
            "title": self.title,
            "why": self.why,
            "where": self.place,
            "words": self.words,
            "links": self.links,
            "commands": commands,
            "checks": checks,
            "if_left_out": self.if_left_out,
            "otherwise": self.otherwise,
        });
        if let Some(object) = step.as_object_mut() {
            if let Some(first) = self.links.first() {
                object.insert("url".to_owned(), json!(first.url));
            }
            if !settings.is_empty() {
                object.insert("settings".to_owned(), json!(settings.join("\n")));
            }
        }
        step
    }
}

impl Check {
    /// The command as it is typed.
    pub(super) fn text(&self) -> Option<String> {
        let command = self.command.as_ref()?;
        Some(match self.properties {
            [] => command.to_string(),
            properties => format!("{command} | Format-List {}", properties.join(", ")),
        })
    }

    fn to_json(&self) -> Json {
        let mut command = self.command.as_ref().map(Command::to_json);
        if let (Some(command), Some(text)) = (&mut command, self.text()) {
            command.insert("text".to_owned(), json!(text));
        }
        json!({"command": command, "properties": self.properties, "shows": self.shows})
    }
}

impl Line {
    fn settings(&self) -> Option<&str> {
        match self {
            Self::Settings(text) => Some(text),
            Self::PowerShell(_) | Self::Shell(_) => None,
        }
    }
}

fn of_command(command: &Command, variable: Option<&str>, condition: Option<String>) -> Json {
    let mut object: Map<String, Json> = command.to_json();
    if let Some(variable) = variable {
        object.insert("assigns".to_owned(), json!(format!("${variable}")));
    }
    if let Some(condition) = condition {
        object.insert("only_if".to_owned(), json!(condition));
    }
    Json::Object(object)
}
