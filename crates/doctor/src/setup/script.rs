//! The guide as one PowerShell script.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Guide, Line, Place, Step};
use crate::powershell::{Statement, comment};

impl Guide {
    /// One `.ps1`: everything that is done by command, stopping at the first error. It may be run again: what is there
    /// is left as it is. In it there is no secret; one that it makes is shown when it is made.
    ///
    /// Where nothing is done by command (Google, any standard provider) the script says what to do by hand.
    #[must_use]
    pub fn script(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let modules = self.modules();
        if !modules.is_empty() {
            let _ = writeln!(text, "#Requires -Version 5.1");
            for module in &modules {
                let _ = writeln!(text, "#Requires -Modules {module}");
            }
        }
        let _ = writeln!(text, "# {}", comment(&self.title));
        let nature = match modules.is_empty() {
            true => "All of it is done by hand.",
            false => RUNNING,
        };
        let _ = writeln!(text, "#\n# Written by mailgrant setup. {nature}");
        for needed in &self.needed {
            let _ = writeln!(text, "# - {}", comment(needed));
        }
        if !modules.is_empty() {
            text.push_str(PROLOGUE);
        }
        for (index, step) in self.steps.iter().enumerate() {
            print(step, index.saturating_add(1), &mut text);
        }
        self.checks(&mut text);
        text
    }

    fn checks(&self, text: &mut String) {
        let mut steps = self
            .steps
            .iter()
            .filter(|step| step.place != Place::Mailgrant)
            .peekable();
        if steps.peek().is_none() || !self.has_commands() {
            return;
        }
        let _ = writeln!(text, "\n# What is there now.");
        for step in steps {
            for check in &step.checks {
                if let Some(line) = check.text() {
                    let _ = writeln!(text, "# Must show: {}\n{line}", comment(&check.shows));
                }
            }
        }
    }

    /// Whether any step is done by command.
    pub(super) fn has_commands(&self) -> bool {
        !self.modules().is_empty()
    }

    /// The modules of every command.
    fn modules(&self) -> BTreeSet<&'static str> {
        let of_lines = self.steps.iter().flat_map(|step| &step.lines);
        let statements = of_lines.filter_map(|line| match line {
            Line::PowerShell(statement) => Some(statement),
            Line::Shell(_) | Line::Settings(_) => None,
        });
        let commands = statements.flat_map(Statement::commands);
        commands
            .map(|(command, _, _)| module(command.cmdlet))
            .collect()
    }
}

fn print(step: &Step, number: usize, text: &mut String) {
    let _ = writeln!(
        text,
        "\n# Step {number} ({}): {}.",
        step.id,
        comment(&step.title)
    );
    let _ = writeln!(text, "# Why: {}.", comment(&step.why));
    let by_command = step
        .lines
        .iter()
        .any(|line| matches!(line, Line::PowerShell(_)));
    // At Exchange, and for signing in, words are no other way but what to know besides.
    if !by_command || step.place == Place::Exchange || step.id == "graph-sign-in" {
        for words in &step.words {
            let _ = writeln!(text, "# {}", comment(words));
        }
        for link in &step.links {
            let _ = writeln!(text, "# {}: {}", comment(&link.title), comment(&link.url));
        }
    }
    for line in &step.lines {
        match line {
            Line::PowerShell(statement) => statement.print(text, 0),
            Line::Shell(line) => {
                let _ = writeln!(text, "#     {}", comment(line));
            }
            Line::Settings(lines) => {
                for line in lines.lines() {
                    let _ = writeln!(text, "#     {}", comment(line));
                }
            }
        }
    }
}

/// Where a cmdlet is found.
fn module(cmdlet: &str) -> &'static str {
    match cmdlet {
        "Connect-MgGraph" | "Get-MgContext" => "Microsoft.Graph.Authentication",
        name if name.ends_with("-MgOauth2PermissionGrant") => "Microsoft.Graph.Identity.SignIns",
        name if name.contains("-Mg") => "Microsoft.Graph.Applications",
        // The first with -DisableWAM, without which signing in fails in a window where Graph is signed in.
        _ => "@{ ModuleName = 'ExchangeOnlineManagement'; ModuleVersion = '3.7.2' }",
    }
}

const RUNNING: &str = "It stops at the first error and may be run again: where a command says that something made a moment \
ago does not exist, wait a minute and run it again.\n# Run it so: pwsh -ExecutionPolicy Bypass -File setup.ps1 (Windows \
PowerShell: powershell instead of pwsh)";
/// A module's functions do not see `$ErrorActionPreference` of a script; default values of parameters do reach them.
const PROLOGUE: &str = "
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$PSDefaultParameterValues = @{ '*:ErrorAction' = 'Stop' }
";
