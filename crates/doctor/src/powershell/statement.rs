//! Statements: commands with what surrounds them in a script.

use std::fmt::{self, Write as _};

use super::{Command, Value, quoted};

/// A line of a script, or a block of lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// A command whose output is shown.
    Run(Command),
    /// `$variable = command`; the variable `null` throws the output away.
    Keep(&'static str, Command),
    /// `$variable = value`
    Set(&'static str, Value),
    /// `$variable += value`
    Add(&'static str, Value),
    /// `if (…) { … } else { … }`
    If(Condition, Vec<Statement>, Vec<Statement>),
    /// `foreach ($variable in …) { … }`
    ForEach(&'static str, Source, Vec<Statement>),
    /// Ends the script with a message.
    Throw(String),
    /// Shows a text and a value to the person.
    Say(String, Option<Value>),
}

/// A command, the variable that keeps its output, and the condition under which it runs.
pub type Told<'s> = (&'s Command, Option<&'static str>, Option<String>);

/// What a loop goes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The items of a list, or a lone value; none of `$null`.
    Value(Value),
    /// What a command puts out.
    Command(Command),
}

/// What an `if` asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Neither empty nor false.
    Is(Value),
    /// The opposite.
    Not(Value),
    /// Without regard to case.
    Equal(Value, Value),
    /// With regard to case, as for URLs.
    Same(Value, Value),
    /// Differs, without regard to case.
    Differ(Value, Value),
    /// The first, a list, has the second.
    Contains(Value, Value),
    /// The first, a list, lacks the second.
    Lacks(Value, Value),
    /// The same with regard to case, as for URLs.
    LacksSame(Value, Value),
    /// Both hold.
    Both(Box<Condition>, Box<Condition>),
}

impl Statement {
    /// The commands in it, each with the variable that keeps its output and the condition under which it runs.
    pub fn commands(&self) -> Vec<Told<'_>> {
        match self {
            Self::Run(command) | Self::Keep("null", command) => vec![(command, None, None)],
            Self::Keep(variable, command) => vec![(command, Some(*variable), None)],
            Self::If(condition, then, otherwise) => {
                let mut commands = under(then, &condition.to_string());
                commands.extend(under(otherwise, &format!("-not ({condition})")));
                commands
            }
            Self::ForEach(variable, source, body) => {
                let mut commands = match source {
                    Source::Command(command) => vec![(command, Some(*variable), None)],
                    Source::Value(_) => Vec::new(),
                };
                commands.extend(body.iter().flat_map(Self::commands));
                commands
            }
            Self::Set(..) | Self::Add(..) | Self::Throw(_) | Self::Say(..) => Vec::new(),
        }
    }

    /// Its lines, indented by four spaces a block.
    pub fn print(&self, text: &mut String, depth: usize) {
        let indent = "    ".repeat(depth);
        // Writing to a String cannot fail.
        let mut line = |words: fmt::Arguments<'_>| {
            let _ = writeln!(text, "{indent}{words}");
        };
        match self {
            Self::Run(command) => line(format_args!("{command}")),
            Self::Keep(variable, command) => line(format_args!("${variable} = {command}")),
            Self::Set(variable, value) => line(format_args!("${variable} = {value}")),
            Self::Add(variable, value) => line(format_args!("${variable} += {value}")),
            Self::Throw(message) => line(format_args!("throw {}", quoted(message))),
            Self::Say(message, None) => line(format_args!("Write-Host {}", quoted(message))),
            Self::Say(message, Some(value)) => {
                line(format_args!("Write-Host {} {value}", quoted(message)));
            }
            Self::If(condition, then, otherwise) => {
                line(format_args!("if ({condition}) {{"));
                print(then, text, depth);
                if !otherwise.is_empty() {
                    let _ = writeln!(text, "{indent}}} else {{");
                    print(otherwise, text, depth);
                }
                let _ = writeln!(text, "{indent}}}");
            }
            Self::ForEach(variable, source, body) => {
                line(format_args!("foreach (${variable} in {source}) {{"));
                print(body, text, depth);
                let _ = writeln!(text, "{indent}}}");
            }
        }
    }
}

/// The commands of a block that runs only under a condition.
fn under<'s>(block: &'s [Statement], condition: &str) -> Vec<Told<'s>> {
    let told = |(command, variable, inner): Told<'s>| {
        let condition = match inner {
            Some(inner) => format!("({condition}) -and ({inner})"),
            None => condition.to_owned(),
        };
        (command, variable, Some(condition))
    };
    block
        .iter()
        .flat_map(Statement::commands)
        .map(told)
        .collect()
}

fn print(block: &[Statement], text: &mut String, depth: usize) {
    for statement in block {
        statement.print(text, depth.saturating_add(1));
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => write!(formatter, "{value}"),
            Self::Command(command) => write!(formatter, "({command})"),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(value) => write!(formatter, "{value}"),
            Self::Not(value) => write!(formatter, "-not {value}"),
            Self::Equal(left, right) => write!(formatter, "{left} -eq {right}"),
            Self::Same(left, right) => write!(formatter, "{left} -ceq {right}"),
            Self::Differ(left, right) => write!(formatter, "{left} -ne {right}"),
            Self::Contains(list, item) => write!(formatter, "{list} -contains {item}"),
            Self::Lacks(list, item) => write!(formatter, "{list} -notcontains {item}"),
            Self::LacksSame(list, item) => write!(formatter, "{list} -cnotcontains {item}"),
            Self::Both(first, second) => write!(formatter, "({first}) -and ({second})"),
        }
    }
}
