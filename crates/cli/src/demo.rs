//! `mailgrant demo`: sandbox, gateway and a site that uses them, in one process.

mod files;
mod gateway;
mod pages;
mod site;
mod upstream;
mod visitors;

use std::io::IsTerminal as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use mailgrant_sandbox::running::Description;
use mailgrant_sandbox::{Running, Sandbox, SandboxSettings};
use mailgrant_server::{Environment, Gateway, RunningGateway};
use serde::Serialize;
use tokio::time::Instant;

use self::site::{RunningSite, Site};
use crate::arguments::Demo;
use crate::failure::{Exit, Failure};
use crate::introduction::{people, quoted};
use crate::output::show;
use crate::ready;
use crate::sandbox::{self, Home};
use crate::shutdown::{Signals, within_limit};

/// Runs the demonstration until a signal ends it.
///
/// # Errors
/// When a port is taken or the folder cannot be used.
pub(crate) async fn run(
    arguments: Demo,
    surroundings: Environment,
    begun: Instant,
) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    let home = Home::open(arguments.dir.as_deref())?;
    let mut demo = tokio::select! {
        () = signals.received() => return Ok(()),
        started = Parts::start(&home, &arguments, &surroundings) => started?,
    };
    ready::write(arguments.ready_file.as_deref(), &demo.ready())?;
    demo.introduce(&home, begun);
    if !arguments.no_open && std::io::stdout().is_terminal() {
        open_browser(demo.site.url.clone());
    }
    let ended = tokio::select! {
        () = signals.received() => Ok(()),
        _ = demo.gateway.wait() => Err(Failure::new(Exit::Failed, "the gateway has ended by itself; its log says why")),
    };
    within_limit(demo.stop()).await;
    ended
}

/// What runs.
struct Parts {
    sandbox: Running,
    gateway: RunningGateway,
    site: RunningSite,
    api_key: String,
}

/// The ready file.
#[derive(Serialize)]
struct Ready<'a> {
    gateway: &'a str,
    site: &'a str,
    api_key: &'a str,
    #[serde(flatten)]
    sandbox: Description,
}

impl Parts {
    async fn start(
        home: &Home,
        arguments: &Demo,
        surroundings: &Environment,
    ) -> Result<Self, Failure> {
        let site = listen("--site-port", arguments.site_port)?;
        let site_url = format!("http://127.0.0.1:{}", port(&site)?);
        // The authority must know the gateway's address before the gateway can start: the port is
        // chosen here and free again just before the gateway takes it.
        let reserved = listen("--port", arguments.port)?;
        let gateway_port = port(&reserved)?;
        let gateway_url = format!("http://localhost:{gateway_port}");

        let mut wanted = SandboxSettings::new(home.path().join("sandbox"));
        wanted
            .redirect_uris
            .push(format!("{gateway_url}/oauth/callback"));
        let sandbox = Sandbox::start(wanted).await.map_err(sandbox::failure)?;
        let description = sandbox.description();

        let place = gateway::Place {
            folder: home.path().join("gateway"),
            port: gateway_port,
            url: &gateway_url,
            site: &site_url,
        };
        let settings = gateway::settings(&place, &description)?;
        let api_key = gateway::api_key(&settings, surroundings).await?;
        drop(reserved);
        let gateway = Gateway::start(settings, surroundings.clone()).await?;

        let site = Site::new(
            &site_url,
            &gateway_url,
            &api_key,
            &description,
            surroundings,
        )?
        .start(site)?;
        Ok(Self {
            sandbox,
            gateway,
            site,
            api_key: api_key.expose().to_owned(),
        })
    }

    fn ready(&self) -> Ready<'_> {
        Ready {
            gateway: self.gateway.url().as_str().trim_end_matches('/'),
            site: &self.site.url,
            api_key: &self.api_key,
            sandbox: self.sandbox.description(),
        }
    }

    fn introduce(&self, home: &Home, begun: Instant) {
        let ready = self.ready();
        show(format_args!("Open this     {}/", ready.site));
        show(format_args!(
            "Gateway       {}  (API: {}/docs)",
            ready.gateway, ready.gateway
        ));
        show(format_args!("API key       {}", ready.api_key));
        show(format_args!(
            "Authority     {}/{}",
            ready.sandbox.authority, ready.sandbox.tenant
        ));
        show(format_args!(
            "IMAP          {}:{} (TLS)",
            ready.sandbox.imap.host, ready.sandbox.imap.port
        ));
        show(format_args!(
            "SMTP          {}:{} (STARTTLS)",
            ready.sandbox.smtp.host, ready.sandbox.smtp.port
        ));
        show(format_args!(
            "POP3          {}:{} (TLS)",
            ready.sandbox.pop3.host, ready.sandbox.pop3.port
        ));
        show(format_args!(
            "Sandbox       {}/  (what was asked, and why it was refused)",
            ready.sandbox.authority
        ));
        for (heading, person) in people(&ready.sandbox) {
            show(format_args!("{heading:<13} {person}"));
        }
        let settings = home.path().join("gateway").join(gateway::SETTINGS);
        for (index, line) in by_terminal(&settings, &ready.sandbox).iter().enumerate() {
            let heading = if index == 0 { "By terminal" } else { "" };
            show(format_args!("{heading:<13} {line}"));
        }
        show(format_args!("Kept in       {}", home.notice()));
        if !files::are_built() {
            show("The pages are not built: run `cargo xtask web` first.");
        }
        show(format_args!(
            "Ready in {:.1} s; Ctrl-C ends it.",
            begun.elapsed().as_secs_f32()
        ));
    }

    async fn stop(self) {
        tokio::join!(self.site.stop(), self.gateway.stop());
        self.sandbox.stop().await;
    }
}

/// What can be pasted: a person's own mailbox, and shared ones without a person, at home and at a customer.
fn by_terminal(settings: &Path, sandbox: &Description) -> Vec<String> {
    let settings = quoted(&settings.display().to_string());
    let program = std::env::current_exe().ok();
    let folder = program.as_deref().and_then(Path::parent);
    let path = folder.map(|folder| {
        let folder = quoted(&folder.display().to_string());
        format!(" PATH={folder}:\"$PATH\"")
    });
    let mut lines = vec![
        format!(
            "export MAILGRANT_CONFIG={settings}{}",
            path.unwrap_or_default()
        ),
        "mailgrant login --application device".to_owned(),
    ];
    let add = "mailgrant accounts add --application";
    if let Some(shared) = sandbox.shared_mailboxes.first() {
        lines.push(format!("{add} app_only {}", shared.address));
    }
    for customer in &sandbox.organizations {
        if let (Some(domain), Some(shared)) =
            (customer.domains.first(), customer.shared_mailboxes.first())
        {
            let customers = gateway::CUSTOMERS;
            lines.push(format!(
                "{add} {customers} --tenant {domain} {}",
                shared.address
            ));
        }
    }
    lines
}

fn listen(option: &str, port: u16) -> Result<TcpListener, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
        Failure::new(
            Exit::Unavailable,
            format!("{option}: cannot listen on 127.0.0.1:{port}: {error}; 0 takes any free one"),
        )
    })
}

fn port(listener: &TcpListener) -> Result<u16, Failure> {
    listener
        .local_addr()
        .map(|address| address.port())
        .map_err(|error| {
            Failure::new(
                Exit::Failed,
                format!("a socket without an address: {error}"),
            )
        })
}

/// A browser that does not open is no reason to end.
fn open_browser(url: String) {
    tokio::task::spawn_blocking(move || {
        if let Err(error) = webbrowser::open(&url) {
            tracing::debug!(%error, "no browser opened");
        }
    });
}
