#![doc = include_str!("../README.md")]

pub mod cmdlets;
pub mod powershell;
pub mod setup;
