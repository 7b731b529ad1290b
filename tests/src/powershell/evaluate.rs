//! Doing.

use std::future::Future;
use std::pin::Pin;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

use super::Session;
use super::tree::{Command, Expression, Part, Pipeline, Statement};

type Doing<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + 'a>>;

pub(super) fn block<'a>(
    session: &'a mut Session<'_>,
    statements: &'a [Statement],
) -> Doing<'a, ()> {
    Box::pin(async move {
        for statement in statements {
            one(session, statement).await?;
        }
        Ok(())
    })
}

async fn one(session: &mut Session<'_>, statement: &Statement) -> Result<()> {
    match statement {
        Statement::Assign { name, add, value } => {
            let value = pipeline(session, value).await?;
            let value = match add {
                true => added(session.variable(name)?, value)?,
                false => value,
            };
            if name != "null" {
                session.variables.insert(name.to_ascii_lowercase(), value);
            }
        }
        Statement::If {
            condition,
            then,
            otherwise,
        } => {
            let holds = is_true(&expression(session, condition).await?);
            block(session, if holds { then } else { otherwise }).await?;
        }
        Statement::ForEach { name, items, body } => {
            for item in items_of(expression(session, items).await?) {
                session.variables.insert(name.to_ascii_lowercase(), item);
                block(session, body).await?;
            }
        }
        Statement::Throw(message) => {
            let message = expression(session, message).await?;
            bail!("{}", message.as_str().unwrap_or_default());
        }
        Statement::Run(run) => {
            let output = pipeline(session, run).await?;
            for object in items_of(output) {
                session.shown.push(object.to_string());
                session.output.push(object);
            }
        }
    }
    Ok(())
}

/// One object as it is, several as a list, none as `$null`.
fn pipeline<'a>(session: &'a mut Session<'_>, pipeline: &'a Pipeline) -> Doing<'a, Value> {
    Box::pin(async move {
        let commands = match pipeline {
            Pipeline::Expression(value) => return expression(session, value).await,
            Pipeline::Commands(commands) => commands,
        };
        let mut objects = Vec::new();
        for command in commands {
            objects = run(session, command, objects).await?;
        }
        Ok(match objects.len() {
            0 => Value::Null,
            1 => objects.remove(0),
            _ => Value::Array(objects),
        })
    })
}

async fn run(
    session: &mut Session<'_>,
    command: &Command,
    input: Vec<Value>,
) -> Result<Vec<Value>> {
    let mut arguments = Vec::new();
    for argument in &command.arguments {
        arguments.push(expression(session, argument).await?);
    }
    let mut parameters = Map::new();
    for (name, value) in &command.parameters {
        let value = match value {
            None => Value::Bool(true),
            Some(value) => expression(session, value).await?,
        };
        let twice = parameters.insert(name.clone(), value);
        ensure!(twice.is_none(), "{}: -{name} is given twice", command.name);
    }
    match command.name.as_str() {
        "Set-StrictMode" => Ok(Vec::new()),
        "Write-Host" => {
            let words: Vec<String> = arguments.iter().map(written).collect();
            session.shown.push(words.join(" "));
            Ok(Vec::new())
        }
        "Format-List" => {
            let properties: Vec<String> = arguments.iter().map(written).collect();
            input
                .into_iter()
                .map(|object| selected(&object, &properties))
                .collect()
        }
        name => {
            ensure!(
                arguments.is_empty() && input.is_empty(),
                "{name}: only parameters by name are understood"
            );
            session.send(name, parameters).await
        }
    }
}

fn expression<'a>(session: &'a mut Session<'_>, wanted: &'a Expression) -> Doing<'a, Value> {
    Box::pin(async move {
        Ok(match wanted {
            Expression::Text(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Units(units) => text.push_str(&String::from_utf16(units)?),
                        Part::Variable(name) => text.push_str(&written(&session.variable(name)?)),
                    }
                }
                Value::String(text)
            }
            Expression::Variable(name) => session.variable(name)?,
            Expression::Property(of, name) => {
                let object = expression(session, of).await?;
                property(&object, name)?
            }
            Expression::List(items) => {
                let mut list = Vec::new();
                for item in items {
                    list.extend(items_of(expression(session, item).await?));
                }
                Value::Array(list)
            }
            Expression::Table(entries) => {
                let mut table = Map::new();
                for (name, value) in entries {
                    table.insert(name.clone(), expression(session, value).await?);
                }
                Value::Object(table)
            }
            Expression::Not(value) => json!(!is_true(&expression(session, value).await?)),
            Expression::Parentheses(inner) => pipeline(session, inner).await?,
            Expression::Binary(left, operator, right) => {
                let left = expression(session, left).await?;
                let right = expression(session, right).await?;
                binary(&left, operator, &right)?
            }
        })
    })
}

fn binary(left: &Value, operator: &str, right: &Value) -> Result<Value> {
    let scalar = || -> Result<()> {
        ensure!(
            !left.is_array(),
            "{operator} filters a list, which nothing here wants"
        );
        Ok(())
    };
    let has = || {
        items_of(left.clone())
            .iter()
            .any(|item| is_equal(item, right))
    };
    Ok(match operator {
        "-eq" => {
            scalar()?;
            json!(is_equal(left, right))
        }
        "-ne" => {
            scalar()?;
            json!(!is_equal(left, right))
        }
        "-ceq" => {
            scalar()?;
            json!(written(left) == written(right))
        }
        "-contains" => json!(has()),
        "-notcontains" => json!(!has()),
        "-cnotcontains" => {
            let same = |item: &Value| written(item) == written(right);
            json!(!items_of(left.clone()).iter().any(same))
        }
        "-and" => json!(is_true(left) && is_true(right)),
        "-split" => {
            let separator = written(right);
            written(left).split(separator.as_str()).collect()
        }
        other => bail!("{other} is not in the subset"),
    })
}

fn is_equal(left: &Value, right: &Value) -> bool {
    left.is_null() == right.is_null() && written(left).eq_ignore_ascii_case(&written(right))
}

fn added(to: Value, value: Value) -> Result<Value> {
    match to {
        Value::Array(mut list) => {
            match value {
                Value::Array(more) => list.extend(more),
                one => list.push(one),
            }
            Ok(Value::Array(list))
        }
        other => bail!("+= to {other}, which is no list"),
    }
}

/// A property, in any case; of nothing, and one that is not there, an error.
fn property(object: &Value, name: &str) -> Result<Value> {
    let properties = object.as_object();
    let found = properties.and_then(|properties| {
        let mut properties = properties.iter();
        properties.find(|(known, _)| known.eq_ignore_ascii_case(name))
    });
    let (_, value) = found.with_context(|| {
        format!("The property '{name}' cannot be found on this object: {object}")
    })?;
    Ok(value.clone())
}

fn selected(object: &Value, names: &[String]) -> Result<Value> {
    let mut kept = Map::new();
    for name in names {
        kept.insert(name.clone(), property(object, name)?);
    }
    Ok(Value::Object(kept))
}

fn items_of(value: Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items,
        one => vec![one],
    }
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => match items.as_slice() {
            [] => false,
            [one] => is_true(one),
            _ => true,
        },
        Value::Object(_) => true,
    }
}

fn written(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => other.to_string(),
    }
}

impl Session<'_> {
    fn variable(&self, name: &str) -> Result<Value> {
        match name.to_ascii_lowercase().as_str() {
            "null" => Ok(Value::Null),
            "true" => Ok(json!(true)),
            "false" => Ok(json!(false)),
            name => self.variables.get(name).cloned().with_context(|| {
                format!("The variable '${name}' cannot be retrieved because it has not been set.")
            }),
        }
    }
}
