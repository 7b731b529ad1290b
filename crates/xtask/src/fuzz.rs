//! `cargo xtask fuzz`: the sandbox's parsers under libFuzzer, one after another, within limits.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    check::cargo,
    run::{Console, now},
    workspace,
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long each target runs
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Only this target; one of the folders of tests/fuzz/seeds
    target: Option<String>,
}

/// # Errors
/// When a target cannot be built, or an input broke something.
pub(crate) fn run(console: &Console, arguments: &Arguments) -> Result<()> {
    let targets = targets(arguments.target.as_deref())?;
    let path = tools(console)?;
    for target in &targets {
        console.step(&format!("build {target}"), fuzz(&path, "build").arg(target))?;
    }
    let mut broken = Vec::new();
    for target in &targets {
        if !one(console, &path, target, arguments.seconds)? {
            broken.push(target.as_str());
        }
    }
    if broken.is_empty() {
        return Ok(());
    }
    bail!(
        "an input broke {}; it is in tests/fuzz/artifacts, and tests/fuzz/README.md says how to run it again",
        broken.join(", ")
    )
}

/// Runs one target; whether it held.
fn one(console: &Console, path: &OsString, target: &str, seconds: u64) -> Result<bool> {
    let folder = folder();
    let corpus = folder.join("corpus").join(target);
    fs::create_dir_all(&corpus).with_context(|| format!("cannot make {}", corpus.display()))?;
    let logs = workspace::target().join("xtask");
    fs::create_dir_all(&logs)?;
    let log_path = logs.join(format!("fuzz-{target}.log"));
    let log = File::create(&log_path)?;
    let mut command = fuzz(path, "run");
    command
        .arg(target)
        .arg(corpus)
        .arg(folder.join("seeds").join(target))
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .args(LIMITS)
        .arg(format!(
            "-dict={}",
            folder.join("dictionaries").join(target).display()
        ))
        .stdout(log.try_clone()?)
        .stderr(log);
    console.say(format!("▶ fuzz {target} for {seconds} s"));
    let begun = now();
    let held = command.status()?.success();
    let printed = fs::read_to_string(&log_path)?;
    let mark = if held { '✓' } else { '✗' };
    let executions = last(&printed, "stat::number_of_executed_units:").unwrap_or("?");
    let edges = last(&printed, "cov:").unwrap_or("?");
    console.say(format!(
        "{mark} fuzz {target} ({:.0} s): {executions} executions, {edges} edges covered; the whole output: {}",
        begun.elapsed().as_secs_f32(),
        log_path.display()
    ));
    Ok(held)
}

/// Every target, or the one that was asked for.
fn targets(wanted: Option<&str>) -> Result<Vec<String>> {
    let mut targets: Vec<String> = fs::read_dir(folder().join("seeds"))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    targets.sort();
    match wanted {
        None => Ok(targets),
        Some(wanted) if targets.iter().any(|target| target == wanted) => {
            Ok(vec![wanted.to_owned()])
        }
        Some(wanted) => bail!(
            "there is no target {wanted}; there are {}",
            targets.join(", ")
        ),
    }
}

/// A `PATH` on which `cargo fuzz` is found; installed into `target/tools` where the machine lacks it.
fn tools(console: &Console) -> Result<OsString> {
    let own = workspace::target().join("tools");
    let path = env::var_os("PATH").unwrap_or_default();
    if workspace::on_path("cargo-fuzz").is_some() {
        return Ok(path);
    }
    if !own.join("bin/cargo-fuzz").is_file() {
        console.step(
            "cargo install cargo-fuzz",
            cargo()
                .args(["install", "cargo-fuzz", "--locked", "--root"])
                .arg(&own),
        )?;
    }
    let folders = std::iter::once(own.join("bin")).chain(env::split_paths(&path));
    Ok(env::join_paths(folders)?)
}

/// Without a sanitiser: those need a nightly compiler, and there is no unsafe code to watch.
fn fuzz(path: &OsString, action: &str) -> Command {
    let mut command = cargo();
    command
        .args(["fuzz", action, "--sanitizer", "none", "--fuzz-dir"])
        .arg(folder())
        .env("PATH", path);
    command
}

fn folder() -> PathBuf {
    Path::new(&workspace::root()).join("tests/fuzz")
}

/// The word after the last `label`.
fn last<'a>(printed: &'a str, label: &str) -> Option<&'a str> {
    let (_, rest) = printed.rsplit_once(label)?;
    rest.split_whitespace().next()
}

const LIMITS: [&str; 4] = [
    "-max_len=4096",
    "-rss_limit_mb=2048",
    "-timeout=20",
    "-print_final_stats=1",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_off_the_end() {
        let printed = "#2 INITED cov: 7 ft: 8\n#514412\tDONE   cov: 8179 ft: 27660\nstat::number_of_executed_units: 514412\n";
        assert_eq!(last(printed, "cov:"), Some("8179"));
        assert_eq!(
            last(printed, "stat::number_of_executed_units:"),
            Some("514412")
        );
        assert_eq!(last(printed, "none:"), None);
    }

    #[test]
    fn every_target_has_a_program_and_a_dictionary() {
        for target in targets(None).unwrap() {
            for file in [
                format!("targets/{target}.rs"),
                format!("dictionaries/{target}"),
            ] {
                assert!(folder().join(&file).is_file(), "{file}");
            }
        }
        assert!(targets(Some("nothing")).is_err());
    }
}
