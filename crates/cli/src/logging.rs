//! What is logged, and what never is.

use std::io::IsTerminal as _;

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, LevelFilter, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::registry;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::failure::Failure;

/// Logs to standard error by `directives` (a level, or `target=level` pairs); by default from info on, without the web
/// server's talk of its threads, and for `quiet` commands, whose standard error is read by a person, from warnings on.
///
/// Beneath info, only mailgrant's own crates may speak: async-imap prints every command with its
/// token at trace, h2 and hyper print headers, sqlx prints statements.
///
/// # Errors
/// When the directives cannot be read.
pub(crate) fn install(directives: Option<&str>, json: bool, quiet: bool) -> Result<(), Failure> {
    let default = if quiet { QUIET } else { DEFAULT };
    subscriber(
        Some(directives.unwrap_or(default)),
        json,
        std::io::stderr().is_terminal(),
        std::io::stderr,
    )?
    .try_init()
    .map_err(|error| Failure::configuration(format!("logging cannot be set up: {error}")))
}

fn subscriber<W>(
    directives: Option<&str>,
    json: bool,
    colours: bool,
    writer: W,
) -> Result<Box<dyn Subscriber + Send + Sync>, Failure>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let wanted = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .parse(directives.unwrap_or(DEFAULT))
        .map_err(|error| {
            Failure::configuration(format!(
                "MAILGRANT_LOG: {error}; write a level such as debug, or mailgrant_mail=trace"
            ))
        })?;
    let filter = wanted.and(filter_fn(may_speak));
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(colours);
    Ok(if json {
        Box::new(registry().with(layer.json().flatten_event(true).with_filter(filter)))
    } else {
        Box::new(registry().with(layer.with_filter(filter)))
    })
}

fn may_speak(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    let ours = target
        .strip_prefix("mailgrant")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::") || rest.starts_with('_'));
    ours || *metadata.level() <= Level::INFO
}

const DEFAULT: &str = "info,actix_server=warn";
const QUIET: &str = "warn";

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(directives: &str, json: bool, speak: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = subscriber(Some(directives), json, false, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, speak);
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn everybody_speaks() {
        tracing::trace!(target: "async_imap::imap_stream", "canary LOGIN");
        tracing::trace!(target: "imap_proto", "canary");
        tracing::debug!(target: "hyper::proto::h1", "canary");
        tracing::debug!(target: "h2::codec", "canary");
        tracing::trace!(target: "rustls::client", "canary");
        tracing::debug!(target: "sqlx::query", "canary");
        tracing::trace!(target: "mailgrantish", "canary");
        tracing::trace!(target: "mailgrant_mail::imap", "ours");
        tracing::info!(target: "actix_server", "theirs");
    }

    #[test]
    fn no_directive_lets_a_library_print_what_it_sends() {
        for directives in [
            "trace",
            "async_imap=trace,async_imap::imap_stream=trace,h2::codec=trace",
            "trace,sqlx::query=debug,hyper::proto::h1=trace,rustls::client=trace",
        ] {
            let text = logged(directives, false, everybody_speaks);
            assert!(!text.contains("canary"), "{directives}: {text}");
        }
        let text = logged("trace", false, everybody_speaks);
        assert!(text.contains("ours") && text.contains("theirs"), "{text}");
    }

    #[test]
    fn records_of_the_log_crate_are_held_back_too() {
        let lines = Lines::default();
        let writer = lines.clone();
        // One test of the process may install the bridge; nextest gives each its own process.
        subscriber(Some("trace"), false, false, move || writer.clone())
            .unwrap()
            .try_init()
            .unwrap();
        log::trace!(target: "async_imap::imap_stream", "canary LOGIN");
        log::info!(target: "some_library", "theirs");
        let bytes = lines.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        assert!(!text.contains("canary"), "{text}");
        assert!(text.contains("theirs"), "{text}");
    }

    #[test]
    fn json_is_one_object_a_line() {
        let text = logged("info", true, || {
            tracing::info!(target: "mailgrant", account = "acc_1", "first");
            tracing::warn!(target: "mailgrant", "second\nline");
        });
        let objects: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(objects.len(), 2, "{text}");
        assert_eq!(objects[0]["account"], "acc_1");
        assert_eq!(objects[1]["message"], "second\nline");
    }

    #[test]
    fn a_directive_that_cannot_be_read_is_refused() {
        assert!(install(Some("mailgrant=loudly"), false, false).is_err());
    }
}
