//! What a script is, once read.

use std::collections::BTreeSet;

#[derive(Debug)]
pub(super) enum Statement {
    /// `$name = …`, or `+=`.
    Assign {
        name: String,
        add: bool,
        value: Pipeline,
    },
    If {
        condition: Expression,
        then: Vec<Statement>,
        otherwise: Vec<Statement>,
    },
    ForEach {
        name: String,
        items: Expression,
        body: Vec<Statement>,
    },
    Throw(Expression),
    Run(Pipeline),
}

#[derive(Debug)]
pub(super) enum Pipeline {
    Expression(Expression),
    /// Commands, each with what the one before puts out.
    Commands(Vec<Command>),
}

#[derive(Debug)]
pub(super) struct Command {
    pub name: String,
    /// Without the dash; a switch has no value.
    pub parameters: Vec<(String, Option<Expression>)>,
    pub arguments: Vec<Expression>,
}

#[derive(Debug)]
pub(super) enum Expression {
    Text(Vec<Part>),
    Variable(String),
    Property(Box<Expression>, String),
    List(Vec<Expression>),
    Table(Vec<(String, Expression)>),
    Not(Box<Expression>),
    Binary(Box<Expression>, String, Box<Expression>),
    Parentheses(Box<Pipeline>),
}

/// A piece of a text.
#[derive(Debug)]
pub(super) enum Part {
    /// UTF-16, as PowerShell has it.
    Units(Vec<u16>),
    Variable(String),
}

/// The names of every command.
pub(super) fn cmdlets(block: &[Statement]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for statement in block {
        match statement {
            Statement::Assign { value, .. } | Statement::Run(value) => {
                of_pipeline(value, &mut names)
            }
            Statement::If {
                condition,
                then,
                otherwise,
            } => {
                of_expression(condition, &mut names);
                names.extend(cmdlets(then));
                names.extend(cmdlets(otherwise));
            }
            Statement::ForEach { items, body, .. } => {
                of_expression(items, &mut names);
                names.extend(cmdlets(body));
            }
            Statement::Throw(_) => {}
        }
    }
    names
}

fn of_pipeline(pipeline: &Pipeline, names: &mut BTreeSet<String>) {
    match pipeline {
        Pipeline::Commands(commands) => {
            names.extend(commands.iter().map(|command| command.name.clone()))
        }
        Pipeline::Expression(expression) => of_expression(expression, names),
    }
}

fn of_expression(expression: &Expression, names: &mut BTreeSet<String>) {
    if let Expression::Parentheses(inner) = expression {
        of_pipeline(inner, names);
    }
}
