//! Running other programs: each says what it runs, shows progress, keeps its output, and shows the end of it on failure.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{BufRead, BufReader, IsTerminal, Read, Write},
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::workspace;

/// The terminal (or the plain log, where there is none) that every step reports to.
pub(crate) struct Console {
    bars: MultiProgress,
    interactive: bool,
    started: Instant,
}

impl Console {
    pub(crate) fn new() -> Self {
        Self {
            bars: MultiProgress::new(),
            interactive: std::io::stderr().is_terminal(),
            started: now(),
        }
    }

    /// A line for the reader, above any progress bars.
    pub(crate) fn say(&self, line: impl AsRef<str>) {
        let line = line.as_ref();
        if self.interactive {
            // The terminal may be gone; then nobody is reading.
            let _ = self.bars.println(line);
        } else {
            eprintln!("{line}");
        }
    }

    /// Since the command was started.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Runs a program as the step `name`; its output goes to `target/xtask/{name}.log`.
    ///
    /// # Errors
    /// When it cannot be started, or ends with another status than 0: with the last lines it printed.
    pub(crate) fn step(&self, name: &str, command: &mut Command) -> Result<()> {
        let log_path = self.log_path(name)?;
        let mut log = File::create(&log_path)
            .with_context(|| format!("cannot write {}", log_path.display()))?;
        let line = shown(command);
        writeln!(log, "$ {line}")?;
        let begun = now();
        let bar = self.bar(name, &line);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{line}`"))?;
        let (sender, lines) = mpsc::channel();
        let readers = [
            child.stdout.take().map(|out| forward(out, sender.clone())),
            child.stderr.take().map(|err| forward(err, sender)),
        ];
        let mut tail = VecDeque::new();
        for output in lines {
            writeln!(log, "{output}")?;
            match &bar {
                Some(bar) => bar.set_message(output.clone()),
                None => eprintln!("  {name}: {output}"),
            }
            tail.push_back(output);
            if tail.len() > TAIL {
                tail.pop_front();
            }
        }
        for reader in readers.into_iter().flatten() {
            // A reader ends when its pipe does; it has no result.
            let _ = reader.join();
        }
        let status = child.wait()?;
        let seconds = begun.elapsed().as_secs_f32();
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        if status.success() {
            self.say(format!("✓ {name} ({seconds:.1} s)"));
            return Ok(());
        }
        self.say(format!("✗ {name} after {seconds:.1} s: {status}"));
        let tail: Vec<_> = tail.into();
        bail!(
            "`{line}` failed ({status}). Its last lines:\n{}\nThe whole output: {}",
            tail.join("\n"),
            log_path.display()
        )
    }

    /// Runs a program on this terminal, with nothing between it and the reader.
    ///
    /// # Errors
    /// When it cannot be started or ends with another status than 0.
    pub(crate) fn hand_over(&self, name: &str, command: &mut Command) -> Result<()> {
        let line = shown(command);
        self.say(format!("▶ {name}: {line}"));
        let begun = now();
        let status = command
            .status()
            .with_context(|| format!("cannot start `{line}`"))?;
        let seconds = begun.elapsed().as_secs_f32();
        if !status.success() {
            bail!("{name} failed after {seconds:.1} s ({status}): `{line}`");
        }
        self.say(format!("✓ {name} ({seconds:.1} s)"));
        Ok(())
    }

    fn log_path(&self, name: &str) -> Result<PathBuf> {
        let dir = workspace::target().join("xtask");
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let name: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        Ok(dir.join(format!("{name}.log")))
    }

    fn bar(&self, name: &str, line: &str) -> Option<ProgressBar> {
        if !self.interactive {
            eprintln!("▶ {name}: {line}");
            return None;
        }
        let style = ProgressStyle::with_template("{spinner} {prefix} {elapsed} {wide_msg:.dim}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = self.bars.add(ProgressBar::new_spinner().with_style(style));
        bar.set_prefix(name.to_owned());
        bar.set_message(line.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Some(bar)
    }
}

/// What a program printed, trimmed; `None` when it cannot be started or fails.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs independent jobs side by side and gives their results in order.
///
/// # Errors
/// The first failure, after all have ended.
pub(crate) fn together(jobs: Vec<Box<dyn FnOnce() -> Result<()> + Send + '_>>) -> Result<()> {
    let first_error = Arc::new(Mutex::new(None));
    thread::scope(|scope| {
        for job in jobs {
            let first_error = Arc::clone(&first_error);
            scope.spawn(move || {
                if let Err(error) = job() {
                    first_error
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .get_or_insert(error);
                }
            });
        }
    });
    let error = first_error
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    error.map_or(Ok(()), Err)
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

fn forward(
    source: impl Read + Send + 'static,
    lines: mpsc::Sender<String>,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut reader = BufReader::new(source);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if lines.send(text).is_err() {
                return;
            }
            line.clear();
        }
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place here that reads the clock"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

const TAIL: usize = 60;
