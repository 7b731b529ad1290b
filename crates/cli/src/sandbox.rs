//! `mailgrant sandbox`: the make-believe tenant alone.

use std::path::{Path, PathBuf};

use mailgrant_sandbox::directory::TenantFile;
use mailgrant_sandbox::{Sandbox, SandboxSettings};
use tokio::time::Instant;

use crate::arguments;
use crate::failure::{Exit, Failure};
use crate::introduction::Introduction;
use crate::output::show;
use crate::ready;
use crate::shutdown::{Signals, within_limit};

/// Runs the sandbox until a signal ends it. In `json` it prints what the ready file holds, as one line.
///
/// # Errors
/// When the tenant file is wrong or the sandbox cannot start.
pub(crate) async fn run(
    arguments: arguments::Sandbox,
    begun: Instant,
    json: bool,
) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    let home = Home::open(arguments.dir.as_deref())?;
    let mut settings = SandboxSettings::new(home.path());
    settings.sample_mail = !arguments.empty;
    settings.tenant = arguments.tenant.as_deref().map(tenant).transpose()?;
    settings.redirect_uris = arguments.redirect_uris;
    settings.authority_port = arguments.port;
    settings.authority_tls_port = arguments.tls_port;
    settings.imap_port = arguments.imap_port;
    settings.imap_starttls_port = arguments.imap_starttls_port;
    settings.smtp_port = arguments.smtp_port;
    settings.smtp_tls_port = arguments.smtp_tls_port;
    settings.pop3_port = arguments.pop3_port;
    settings.pop3_starttls_port = arguments.pop3_starttls_port;
    let sandbox = Sandbox::start(settings).await.map_err(failure)?;
    let description = sandbox.description();
    ready::write(arguments.ready_file.as_deref(), &description)?;

    if json {
        let line = serde_json::to_string(&description)
            .map_err(|error| Failure::new(Exit::Failed, format!("--json: {error}")))?;
        show(line);
    } else {
        show(format_args!(
            "{}\nKept in       {}\nReady in {:.1} s; Ctrl-C ends it.",
            Introduction(&description),
            home.notice(),
            begun.elapsed().as_secs_f32()
        ));
    }

    signals.received().await;
    within_limit(sandbox.stop()).await;
    Ok(())
}

/// The folder outside of which nothing is touched.
pub(crate) enum Home {
    /// Named by the person: kept.
    Kept(PathBuf),
    /// Made for this run: removed with it.
    Temporary(tempfile::TempDir),
}

impl Home {
    /// The folder `dir`, made where it is missing, or a new temporary one.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(dir: Option<&Path>) -> Result<Self, Failure> {
        let failed = |place: &Path, error: std::io::Error| {
            Failure::new(
                Exit::Configuration,
                format!("cannot make the folder {}: {error}", place.display()),
            )
        };
        match dir {
            Some(dir) => {
                std::fs::create_dir_all(dir).map_err(|error| failed(dir, error))?;
                let whole = std::path::absolute(dir).map_err(|error| failed(dir, error))?;
                Ok(Self::Kept(whole))
            }
            None => tempfile::Builder::new()
                .prefix("mailgrant-")
                .tempdir()
                .map(Self::Temporary)
                .map_err(|error| failed(&std::env::temp_dir(), error)),
        }
    }

    pub fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }

    /// Where it is and what becomes of it.
    pub fn notice(&self) -> String {
        match self {
            Self::Kept(path) => path.display().to_string(),
            Self::Temporary(folder) => format!(
                "{} (removed at the end; --dir DIR keeps it)",
                folder.path().display()
            ),
        }
    }
}

/// The sandbox's error with its exit code.
pub(crate) fn failure(error: mailgrant_sandbox::Error) -> Failure {
    let exit = match &error {
        mailgrant_sandbox::Error::Tenant { .. } | mailgrant_sandbox::Error::Damaged { .. } => {
            Exit::Configuration
        }
        mailgrant_sandbox::Error::Listen { .. } | mailgrant_sandbox::Error::File { .. } => {
            Exit::Unavailable
        }
        _ => Exit::Failed,
    };
    Failure::new(exit, error)
}

fn tenant(path: &Path) -> Result<TenantFile, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::configuration(format!("--tenant: cannot read {}: {error}", path.display()))
    })?;
    TenantFile::parse(&text)
        .map_err(|error| Failure::configuration(format!("{}: {error}", path.display())))
}
