//! What the benchmarks share: which of them is meant, how figures are rounded, where they go.

use std::{
    env, fs,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::Value;

/// Whether `cargo xtask bench FILTER` means this one.
#[must_use]
pub fn wanted(name: &str) -> bool {
    env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'))
        .is_none_or(|filter| name.contains(&filter))
}

/// Prints what was measured since `begun`, and writes it to `MAILGRANT_BENCH_OUT/NAME.json`.
///
/// # Panics
/// When it cannot be written.
pub fn publish(name: &str, begun: Instant, mut report: Value) {
    report["seconds"] = begun.elapsed().as_secs().into();
    let text = serde_json::to_string_pretty(&report).unwrap();
    println!("{text}");
    if let Some(out) = env::var_os("MAILGRANT_BENCH_OUT") {
        fs::write(Path::new(&out).join(format!("{name}.json")), text).unwrap();
    }
}

/// How many a second.
#[must_use]
pub fn rate(count: usize, time: Duration) -> f64 {
    (count as f64 / time.as_secs_f64()).round()
}

/// How many times faster the second is than the first.
#[must_use]
pub fn ratio(baseline: Duration, measured: Duration) -> f64 {
    (baseline.as_secs_f64() / measured.as_secs_f64() * 100.0).round() / 100.0
}

/// Milliseconds, to a hundredth.
#[must_use]
pub fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e5).round() / 100.0
}

/// Microseconds, to a tenth.
#[must_use]
pub fn micros(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e7).round() / 10.0
}
