//! Reading.

use anyhow::{Context, Result, bail, ensure};

use super::{
    reader::Reader,
    tree::{Command, Expression, Part, Pipeline, Statement},
};

pub(super) fn script(text: &str) -> Result<Vec<Statement>> {
    ensure!(
        text.is_ascii(),
        "not ASCII: Windows PowerShell reads it in the machine's code page"
    );
    let mut reader = Reader::new(text);
    let block = reader.block(None);
    block.with_context(|| format!("line {}", text[..reader.at].lines().count()))
}

impl Reader<'_> {
    /// Statements up to the end, or to the bracket that closes the block.
    fn block(&mut self, close: Option<&str>) -> Result<Vec<Statement>> {
        let mut statements = Vec::new();
        loop {
            self.lines();
            match close {
                Some(close) if self.take(close) => return Ok(statements),
                None if self.rest().is_empty() => return Ok(statements),
                _ => {}
            }
            ensure!(!self.rest().is_empty(), "a block is not closed");
            statements.push(self.statement()?);
            self.spaces();
            let ended = self.rest().is_empty() || self.rest().starts_with(['\n', ';', '#', '}']);
            ensure!(ended, "not understood: {}", self.line());
        }
    }

    fn statement(&mut self) -> Result<Statement> {
        if self.word("if") {
            let condition = self.bracketed()?;
            let then = self.braced()?;
            let before = self.at;
            self.spaces();
            let otherwise = match self.word("else") {
                true => self.braced()?,
                false => {
                    self.at = before;
                    Vec::new()
                }
            };
            return Ok(Statement::If {
                condition,
                then,
                otherwise,
            });
        }
        if self.word("foreach") {
            self.spaces();
            self.expect("(")?;
            self.spaces();
            self.expect("$")?;
            let name = self.name()?;
            self.spaces();
            ensure!(self.word("in"), "foreach without in");
            let items = self.expression()?;
            self.spaces();
            self.expect(")")?;
            let body = self.braced()?;
            return Ok(Statement::ForEach { name, items, body });
        }
        if self.word("throw") {
            return Ok(Statement::Throw(self.expression()?));
        }
        let before = self.at;
        if self.take("$") {
            let name = self.name()?;
            self.spaces();
            let add = self.take("+=");
            if add || self.take("=") {
                let value = self.pipeline()?;
                return Ok(Statement::Assign { name, add, value });
            }
            self.at = before;
        }
        Ok(Statement::Run(self.pipeline()?))
    }

    fn pipeline(&mut self) -> Result<Pipeline> {
        self.spaces();
        if !self
            .rest()
            .starts_with(|letter: char| letter.is_ascii_alphabetic())
        {
            return Ok(Pipeline::Expression(self.expression()?));
        }
        let mut commands = vec![self.command()?];
        while self.take("|") {
            commands.push(self.command()?);
        }
        Ok(Pipeline::Commands(commands))
    }

    fn command(&mut self) -> Result<Command> {
        self.spaces();
        let name = self.while_(|letter| letter.is_ascii_alphanumeric() || letter == '-');
        ensure!(name.contains('-'), "{name} is no cmdlet");
        let mut command = Command {
            name,
            parameters: Vec::new(),
            arguments: Vec::new(),
        };
        loop {
            self.spaces();
            if self.rest().is_empty() || self.rest().starts_with(['\n', '|', ')', '}', ';']) {
                return Ok(command);
            }
            let is_parameter = self.rest().starts_with('-');
            if !is_parameter {
                command.arguments.push(self.argument()?);
                self.spaces();
                self.take(",");
                continue;
            }
            self.expect("-")?;
            let name = self.name()?;
            if self.take(":") {
                let value = self.argument()?;
                command.parameters.push((name, Some(value)));
                continue;
            }
            self.spaces();
            let ends =
                self.rest().is_empty() || self.rest().starts_with(['-', '\n', '|', ')', '}', ';']);
            let value = match ends {
                true => None,
                false => Some(self.argument()?),
            };
            command.parameters.push((name, value));
        }
    }

    /// As an expression, but that a bare word is a text.
    fn argument(&mut self) -> Result<Expression> {
        if self
            .rest()
            .starts_with(|letter: char| letter.is_ascii_alphanumeric())
        {
            let word = self.while_(|letter| letter.is_ascii_alphanumeric() || letter == '.');
            return Ok(text(&word));
        }
        self.primary()
    }

    fn expression(&mut self) -> Result<Expression> {
        self.spaces();
        if self.word("-not") {
            self.spaces();
            return Ok(Expression::Not(Box::new(self.primary()?)));
        }
        let left = self.primary()?;
        self.spaces();
        let Some(operator) = OPERATORS.iter().find(|operator| self.word(operator)) else {
            return Ok(left);
        };
        self.spaces();
        let right = self.primary()?;
        Ok(Expression::Binary(
            Box::new(left),
            (*operator).to_owned(),
            Box::new(right),
        ))
    }

    fn primary(&mut self) -> Result<Expression> {
        let mut value = self.atom()?;
        while self.rest().starts_with('.') {
            self.expect(".")?;
            value = Expression::Property(Box::new(value), self.name()?);
        }
        Ok(value)
    }

    fn atom(&mut self) -> Result<Expression> {
        if self.take("'") {
            return self.literal();
        }
        if self.take("\"") {
            return self.expandable();
        }
        if self.take("@(") {
            return self.list();
        }
        if self.take("@{") {
            return self.table();
        }
        if self.take("[System.Convert]::FromBase64String(") {
            // Octets go over the wire in base64.
            let octets = self.primary()?;
            self.expect(")")?;
            return Ok(octets);
        }
        if self.take("$") {
            return Ok(Expression::Variable(self.name()?));
        }
        if self.take("(") {
            let inner = self.pipeline()?;
            self.spaces();
            self.expect(")")?;
            return Ok(Expression::Parentheses(Box::new(inner)));
        }
        bail!("not understood: {}", self.line())
    }

    /// After `'`; two of them are one.
    fn literal(&mut self) -> Result<Expression> {
        let mut found = String::new();
        loop {
            found.push_str(&self.while_(|letter| letter != '\''));
            ensure!(self.take("'"), "a text is not closed");
            if !self.take("'") {
                return Ok(text(&found));
            }
            found.push('\'');
        }
    }

    /// After `"`.
    fn expandable(&mut self) -> Result<Expression> {
        let mut parts = Vec::new();
        let mut units = Vec::new();
        loop {
            units.extend(
                self.while_(|letter| !"\"`$".contains(letter))
                    .encode_utf16(),
            );
            if self.take("\"") {
                parts.push(Part::Units(units));
                return Ok(Expression::Text(parts));
            }
            if self.take("`") {
                let escaped = self.rest().chars().next().context("a text is not closed")?;
                ensure!(
                    "\"`$".contains(escaped),
                    "an escape that is not in the subset: {escaped}"
                );
                self.at += 1;
                units.extend(escaped.encode_utf16(&mut [0; 2]).iter());
            } else if self.take("$([char]0x") {
                let digits = self.while_(|letter| letter.is_ascii_hexdigit());
                units.push(u16::from_str_radix(&digits, 16)?);
                self.expect(")")?;
            } else {
                self.expect("$")?;
                parts.push(Part::Units(std::mem::take(&mut units)));
                parts.push(Part::Variable(self.name()?));
            }
        }
    }

    fn list(&mut self) -> Result<Expression> {
        let mut items = Vec::new();
        loop {
            self.spaces();
            if self.take(")") {
                return Ok(Expression::List(items));
            }
            items.push(self.primary()?);
            self.spaces();
            ensure!(
                self.take(",") || self.rest().starts_with(')'),
                "a list goes on strangely: {}",
                self.line()
            );
        }
    }

    fn table(&mut self) -> Result<Expression> {
        let mut entries = Vec::new();
        loop {
            self.spaces();
            if self.take("}") {
                return Ok(Expression::Table(entries));
            }
            let name = match self.take("'") {
                true => {
                    let name = self.while_(|letter| letter != '\'');
                    self.expect("'")?;
                    name
                }
                false => self.name()?,
            };
            self.spaces();
            self.expect("=")?;
            self.spaces();
            entries.push((name, self.primary()?));
            self.spaces();
            ensure!(
                self.take(";") || self.rest().starts_with('}'),
                "a table goes on strangely: {}",
                self.line()
            );
        }
    }

    fn bracketed(&mut self) -> Result<Expression> {
        self.spaces();
        self.expect("(")?;
        let inner = self.expression()?;
        self.spaces();
        self.expect(")")?;
        Ok(inner)
    }

    fn braced(&mut self) -> Result<Vec<Statement>> {
        self.spaces();
        self.expect("{")?;
        self.block(Some("}"))
    }
}

fn text(text: &str) -> Expression {
    Expression::Text(vec![Part::Units(text.encode_utf16().collect())])
}

const OPERATORS: [&str; 9] = [
    "-eq",
    "-ceq",
    "-ne",
    "-contains",
    "-notcontains",
    "-cnotcontains",
    "-and",
    "-split",
    "-gt",
];
