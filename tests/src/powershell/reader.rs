//! A text and how far it is read: the words and marks of a script, one by one.

use anyhow::{Result, ensure};

pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn name(&mut self) -> Result<String> {
        let name = self.while_(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        ensure!(!name.is_empty(), "a name is missing: {}", self.line());
        Ok(name)
    }

    pub(super) fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    pub(super) fn line(&self) -> &str {
        self.rest().lines().next().unwrap_or_default()
    }

    pub(super) fn while_(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let rest = self.rest();
        let end = rest.find(|letter| !wanted(letter)).unwrap_or(rest.len());
        let found = rest[..end].to_owned();
        self.at += end;
        found
    }

    pub(super) fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    pub(super) fn expect(&mut self, token: &str) -> Result<()> {
        ensure!(
            self.take(token),
            "{token} is missing before: {}",
            self.line()
        );
        Ok(())
    }

    /// A word by itself.
    pub(super) fn word(&mut self, word: &str) -> bool {
        let after = self.rest().strip_prefix(word);
        let found = after
            .is_some_and(|after| !after.starts_with(|letter: char| letter.is_ascii_alphanumeric()));
        found && self.take(word)
    }

    pub(super) fn spaces(&mut self) {
        self.while_(|letter| letter == ' ');
    }

    /// Line ends, comments and what separates statements.
    pub(super) fn lines(&mut self) {
        loop {
            self.while_(|letter| " \n;".contains(letter));
            if !self.rest().starts_with('#') {
                return;
            }
            self.while_(|letter| letter != '\n');
        }
    }
}
