//! Every package of the graph is licensed as `.config/licences.toml` allows.

use std::{collections::BTreeSet, fs};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use spdx::{Expression, ParseMode};

use crate::{
    check::cargo,
    run::{Console, output},
    workspace,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    /// SPDX identifiers that may be relied on.
    allow: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
}

/// # Errors
/// Naming each package whose licence is absent, unreadable or not allowed.
pub(crate) fn check(console: &Console) -> Result<()> {
    let policy = workspace::root().join(".config/licences.toml");
    let policy: Policy = toml::from_str(&fs::read_to_string(&policy)?)
        .with_context(|| format!("in {}", policy.display()))?;
    let metadata = output(cargo().args(["metadata", "--locked", "--format-version", "1"]))
        .context("`cargo metadata` failed")?;
    let metadata: Metadata = serde_json::from_str(&metadata)?;
    let refused: Vec<_> = metadata
        .packages
        .iter()
        .filter(|package| !allowed(package, &policy))
        .map(|package| {
            let licence = package.license.as_deref().unwrap_or("no licence named");
            format!("  {} {}: {licence}", package.name, package.version)
        })
        .collect();
    if !refused.is_empty() {
        bail!(
            "licences that .config/licences.toml does not allow:\n{}",
            refused.join("\n")
        );
    }
    console.say(format!(
        "✓ licences of {} packages",
        metadata.packages.len()
    ));
    Ok(())
}

fn allowed(package: &Package, policy: &Policy) -> bool {
    let Some(licence) = &package.license else {
        return false;
    };
    Expression::parse_mode(licence, ParseMode::LAX).is_ok_and(|expression| {
        expression.evaluate(|requirement| {
            requirement
                .license
                .id()
                .is_some_and(|id| policy.allow.contains(id.name))
        })
    })
}
