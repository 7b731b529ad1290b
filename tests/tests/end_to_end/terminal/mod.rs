//! Without a browser: `mailgrant login`, `token` and `accounts`, and the programs that live on them.

mod accounts;
mod import;
mod login;
mod reader_gone;
mod token;

mod tools;
