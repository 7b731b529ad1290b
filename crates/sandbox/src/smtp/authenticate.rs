//! AUTH (RFC 4954) with XOAUTH2, and LOGIN, which hands over a password.

use std::io;

use super::command::Mechanism;
use super::connection::{Connection, Next};
use super::{LoginRefusal, Proof};
use crate::net::{Credentials, Line, Security, sasl_response};

impl Connection {
    pub(super) async fn authenticate(
        &mut self,
        mechanism: Mechanism,
        initial: Option<String>,
    ) -> io::Result<Next> {
        if self.security == Security::Plain || mechanism == Mechanism::Other {
            self.tagged("504 5.7.4 Unrecognized authentication type");
            return Ok(Next::Command);
        }
        if self.login.is_some() {
            self.tagged("503 5.5.2 Already authenticated");
            return Ok(Next::Command);
        }
        let outcome = match mechanism {
            Mechanism::XOAuth2 => self.xoauth2(initial).await?,
            _ => self.password(initial).await?,
        };
        match outcome {
            Ok(()) => self.reply("235 2.7.0 Authentication successful"),
            Err(Failure::Refused(refusal)) => {
                // A wrong password or token is what such connections are cut for.
                self.errors = self.errors.saturating_add(1);
                self.tagged(refusal.reply());
            }
            Err(Failure::Canceled) => self.tagged("501 5.7.0 Authentication cancelled"),
            Err(Failure::Undecodable) => self.tagged("501 5.5.2 Cannot Decode response"),
            Err(Failure::Gone) => return Ok(Next::Close),
        }
        Ok(Next::Command)
    }

    async fn xoauth2(&mut self, initial: Option<String>) -> io::Result<Result<(), Failure>> {
        let response = match initial {
            Some(response) => decode(response.as_bytes()),
            None => self.ask("").await?,
        };
        let response = match response {
            Ok(response) => response,
            Err(failure) => return Ok(Err(failure)),
        };
        Ok(match Credentials::parse(&response) {
            Some(Credentials { user, token }) => self.log_in(user, Secret::Token(token)).await,
            None => Err(Failure::Refused(LoginRefusal::Credentials)),
        })
    }

    /// `334 Username:`, `334 Password:`, both in base64.
    async fn password(&mut self, initial: Option<String>) -> io::Result<Result<(), Failure>> {
        let user = match initial {
            Some(user) => decode(user.as_bytes()),
            None => self.ask("VXNlcm5hbWU6").await?,
        };
        let user = match user {
            Ok(user) => user,
            Err(failure) => return Ok(Err(failure)),
        };
        let password = match self.ask("UGFzc3dvcmQ6").await? {
            Ok(password) => password,
            Err(failure) => return Ok(Err(failure)),
        };
        let refused = Err(Failure::Refused(LoginRefusal::Credentials));
        let (Ok(user), Ok(password)) = (String::from_utf8(user), String::from_utf8(password))
        else {
            return Ok(refused);
        };
        Ok(self.log_in(user, Secret::Password(password)).await)
    }

    async fn ask(&mut self, challenge: &str) -> io::Result<Result<Vec<u8>, Failure>> {
        self.reply(&format!("334 {challenge}"));
        self.wire.flush().await?;
        Ok(match self.line().await? {
            Some(Line::Whole(line)) => {
                let line = line.trim_ascii_end();
                match line {
                    b"*" => Err(Failure::Canceled),
                    line => decode(line),
                }
            }
            _ => Err(Failure::Gone),
        })
    }

    async fn log_in(&mut self, user: String, secret: Secret) -> Result<(), Failure> {
        let service = self.service.clone();
        let judged = tokio::task::spawn_blocking(move || {
            let proof = match &secret {
                Secret::Token(token) => Proof::Token(token),
                Secret::Password(password) => Proof::Password(password),
            };
            service.office.log_in(&user, proof, service.clock.now())
        });
        match judged.await {
            Ok(Ok(login)) => {
                self.wire.owner().is(&login.mailbox);
                self.login = Some(login);
                Ok(())
            }
            Ok(Err(refusal)) => Err(Failure::Refused(refusal)),
            Err(_) => Err(Failure::Refused(LoginRefusal::Credentials)),
        }
    }
}

enum Secret {
    Token(String),
    Password(String),
}

enum Failure {
    Refused(LoginRefusal),
    Undecodable,
    Canceled,
    /// The client is silent, gone, or sends an endless line.
    Gone,
}

fn decode(line: &[u8]) -> Result<Vec<u8>, Failure> {
    sasl_response(line).ok_or(Failure::Undecodable)
}
