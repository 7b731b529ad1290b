//! `mailgrant serve`: the gateway.

use mailgrant_server::{Environment, Gateway};
use serde_json::json;

use crate::arguments::Serve;
use crate::failure::{Exit, Failure};
use crate::shutdown::{Signals, within_limit};
use crate::{environment, ready};

/// Runs the gateway until a signal ends it.
///
/// # Errors
/// When the settings are wrong or the gateway cannot start.
pub(crate) async fn run(arguments: Serve, surroundings: Environment) -> Result<(), Failure> {
    let settings = environment::settings(&arguments.configuration)?;
    let mut signals = Signals::listen()?;
    let mut gateway = Gateway::start(settings, surroundings).await?;
    ready::write(
        arguments.ready_file.as_deref(),
        &json!({"gateway": gateway.url().as_str().trim_end_matches('/')}),
    )?;
    tokio::select! {
        () = signals.received() => {}
        _ = gateway.wait() => {
            return Err(Failure::new(Exit::Failed, "the gateway has ended by itself; its log says why"));
        }
    }
    within_limit(gateway.stop()).await;
    Ok(())
}
