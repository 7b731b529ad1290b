//! PowerShell, as far as `mailgrant setup` writes it: a script is followed letter by letter, and every cmdlet in it sent
//! to the sandbox's control call of the same name, with the parameters as they are written.
//!
//! What is outside the subset is an error, never skipped. As under `Set-StrictMode` a variable that was not set and a
//! property that is not there are errors too, and the first error ends the script.

mod evaluate;
mod parse;
mod reader;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};

use crate::sandbox::Sandbox;

/// A window in which somebody types.
pub struct Session<'s> {
    sandbox: &'s Sandbox,
    variables: BTreeMap<String, Value>,
    /// The tenants that `Connect-MgGraph` and `Connect-ExchangeOnline` named.
    graph: Option<String>,
    exchange: Option<String>,
    /// What was shown, a line each: by `Write-Host`, and the objects that commands put out.
    pub shown: Vec<String>,
    /// Every cmdlet that was sent, in order, with its parameters.
    pub sent: Vec<(String, Map<String, Value>)>,
    /// Every object that a command put out and nobody kept.
    pub output: Vec<Value>,
}

impl<'s> Session<'s> {
    pub fn new(sandbox: &'s Sandbox) -> Self {
        Self {
            sandbox,
            variables: BTreeMap::new(),
            graph: None,
            exchange: None,
            shown: Vec::new(),
            sent: Vec::new(),
            output: Vec::new(),
        }
    }

    /// Runs a script from its first line to its last, or to its first error.
    pub async fn run(&mut self, script: &str) -> Result<()> {
        self.check_modules(script).await?;
        let statements = parse::script(script)?;
        evaluate::block(self, &statements).await
    }

    /// Runs a line that somebody was told to type, in a window where the modules are loaded.
    pub async fn type_line(&mut self, line: &str) -> Result<()> {
        evaluate::block(self, &parse::script(line)?).await
    }

    /// Types a script step by step, going on with the next step after an error; gives the errors.
    pub async fn run_on(&mut self, script: &str) -> Result<Vec<String>> {
        self.check_modules(script).await?;
        let mut errors = Vec::new();
        for piece in script.split("\n# Step ") {
            let statements = parse::script(&format!("# {piece}\n"))?;
            if let Err(error) = evaluate::block(self, &statements).await {
                errors.push(format!("{error:#}"));
            }
        }
        Ok(errors)
    }

    /// What is behind a text of `Write-Host`: `client_id for the settings: 1111…` -> `1111…`.
    pub fn said(&self, text: &str) -> Option<&str> {
        let mut lines = self.shown.iter().rev();
        lines.find_map(|line| line.strip_prefix(text)?.strip_prefix(' '))
    }

    /// `#Requires -Modules …` names the module of every cmdlet that the script uses; nothing else would be loaded.
    async fn check_modules(&self, script: &str) -> Result<()> {
        let required: Vec<&str> = script
            .lines()
            .filter_map(|line| line.strip_prefix("#Requires -Modules "))
            .collect();
        let list = self.sandbox.look("cmdlets").await?;
        let list = list["cmdlets"].as_array().context("no list of cmdlets")?;
        let used: BTreeSet<String> = tree::cmdlets(&parse::script(script)?);
        for name in used.iter().filter(|name| !LOCAL.contains(&name.as_str())) {
            let known = list
                .iter()
                .find(|known| known["name"].as_str() == Some(name))
                .with_context(|| format!("{name} is no cmdlet"))?;
            let module = known["module"].as_str().unwrap_or_default();
            let quoted = format!("'{module}'");
            ensure!(
                required
                    .iter()
                    .any(|line| *line == module || line.contains(&quoted)),
                "{name} is in {module}, which is not required: {required:?}"
            );
        }
        Ok(())
    }

    /// Sends a cmdlet; gives the objects that it puts out.
    async fn send(&mut self, name: &str, parameters: Map<String, Value>) -> Result<Vec<Value>> {
        self.sent.push((name.to_owned(), parameters.clone()));
        let named = match name {
            "Connect-MgGraph" => text(&parameters, "TenantId"),
            // The same administrator signs in, and is of one tenant.
            "Connect-ExchangeOnline" => {
                text(&parameters, "Organization").or_else(|| self.graph.clone())
            }
            _ => None,
        };
        let tenant = match name.contains("-Mg") {
            true => &self.graph,
            false => &self.exchange,
        };
        let path = match tenant {
            Some(tenant) => format!("cmdlets/{name}?tenant={tenant}"),
            None => format!("cmdlets/{name}"),
        };
        let mut answer = self
            .sandbox
            .control(&path, &Value::Object(parameters))
            .await?;
        match name {
            "Connect-MgGraph" => self.graph = named,
            "Connect-ExchangeOnline" => self.exchange = named,
            _ => {}
        }
        match answer["output"].take() {
            Value::Array(output) => Ok(output),
            other => bail!("{name} put out {other}"),
        }
    }
}

fn text(parameters: &Map<String, Value>, name: &str) -> Option<String> {
    parameters.get(name)?.as_str().map(str::to_owned)
}

/// PowerShell's own.
const LOCAL: [&str; 3] = ["Write-Host", "Set-StrictMode", "Format-List"];
