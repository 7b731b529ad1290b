//! The guide for people to read.

use std::fmt::{self, Write as _};

use super::{Guide, Line, Place, Step};
use crate::powershell::Statement;

impl fmt::Display for Guide {
    /// Numbered steps: why, how by hand, what to type, what to see, and what goes wrong without.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&wrapped(&self.title, 0, 0))?;
        formatter.write_str("\nWhat is needed:\n")?;
        for needed in &self.needed {
            formatter.write_str(&wrapped(&format!("- {needed}"), 2, 4))?;
        }
        if self.has_commands() {
            formatter.write_str(&wrapped(&format!("- {SCRIPT}"), 2, 4))?;
        }
        for (index, step) in self.steps.iter().enumerate() {
            formatter.write_str("\n")?;
            formatter.write_str(&of_step(step, index.saturating_add(1)))?;
        }
        Ok(())
    }
}

fn of_step(step: &Step, number: usize) -> String {
    let place = match step.place {
        Place::Portal => "in the portal",
        Place::Graph => "Microsoft Graph PowerShell",
        Place::Exchange => "Exchange Online PowerShell",
        Place::Mailgrant => "at the gateway",
    };
    let mut text = wrapped(&format!("{number}. {} ({place})", step.title), 0, 3);
    text.push_str(&wrapped(&format!("Why: {}.", step.why), 3, 3));
    let by_command = step
        .lines
        .iter()
        .any(|line| matches!(line, Line::PowerShell(_)));
    let mut by_hand = if by_command && step.place == Place::Graph && step.id != "graph-sign-in" {
        "By hand: "
    } else {
        ""
    };
    for words in &step.words {
        text.push_str(&wrapped(&format!("{by_hand}{words}"), 3, 3));
        by_hand = "";
    }
    for link in &step.links {
        // Links stay whole.
        let _ = write!(text, "   {}:\n     {}\n", link.title, link.url);
    }
    typed(step, &mut text);
    for check in &step.checks {
        match check.text() {
            Some(line) => {
                text.push_str("   To see that it worked:\n");
                let _ = writeln!(text, "     {line}");
                text.push_str(&wrapped(&sentence("You should see: ", &check.shows), 3, 3));
            }
            None => text.push_str(&wrapped(&sentence("You should see: ", &check.shows), 3, 3)),
        }
    }
    let mut otherwise = match step.otherwise.as_str() {
        "" => String::new(),
        words => sentence("If left out: ", words),
    };
    if let Some(code) = step.if_left_out {
        otherwise.push_str(" The gateway then says ");
        otherwise.push_str(code);
        otherwise.push('.');
    }
    if !otherwise.is_empty() {
        text.push_str(&wrapped(&otherwise, 3, 3));
    }
    text
}

/// Words with a full stop, unless they have one.
fn sentence(start: &str, words: &str) -> String {
    let stop = if words.ends_with('.') { "" } else { "." };
    format!("{start}{words}{stop}")
}

fn typed(step: &Step, text: &mut String) {
    let mut lines = String::new();
    let mut into = "Type";
    for line in &step.lines {
        match line {
            Line::PowerShell(statement) => Statement::print(statement, &mut lines, 0),
            // Writing to a String cannot fail.
            Line::Shell(line) => {
                let _ = writeln!(lines, "{line}");
            }
            Line::Settings(toml) => {
                into = "In the settings";
                let _ = writeln!(lines, "{toml}");
            }
        }
    }
    if !lines.is_empty() {
        let _ = writeln!(text, "   {into}:");
        for line in lines.lines() {
            let _ = writeln!(text, "     {line}");
        }
    }
}

/// Words in lines that a terminal and a mail show whole.
fn wrapped(words: &str, first: usize, others: usize) -> String {
    let mut text = String::new();
    let mut line = " ".repeat(first);
    let mut empty = true;
    for word in words.split_whitespace() {
        if !empty && line.chars().count().saturating_add(word.chars().count()) >= WIDTH {
            text.push_str(line.trim_end());
            text.push('\n');
            line = " ".repeat(others);
        }
        line.push_str(word);
        line.push(' ');
        empty = false;
    }
    text.push_str(line.trim_end());
    text.push('\n');
    text
}

const WIDTH: usize = 80;
const SCRIPT: &str = "Either by hand or by command, step by step. All commands together are one script: the same mailgrant \
setup with --format ps1. Send that as a file, since mail programs break long lines.";
