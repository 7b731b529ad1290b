//! A Rust compiler that can make wasm.
//!
//! Where rustup has the target's standard library the build is an ordinary one. Where it has not and cannot fetch it
//! (closed networks), Debian's `rustc-web` with `rust-web-src` builds the standard library itself (`-Zbuild-std`).

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{run::output, workspace};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// A compiler that was tried and can make wasm.
#[derive(Debug)]
pub(crate) struct Toolchain {
    pub(crate) cargo: PathBuf,
    pub(crate) rustc: PathBuf,
    pub(crate) standard_library: StandardLibrary,
    sysroot: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StandardLibrary {
    /// The toolchain ships it for the target.
    Shipped,
    /// The toolchain ships its source; cargo builds it.
    FromSource,
}

impl Toolchain {
    /// The first of the compiler on `PATH` and Debian's that can make wasm.
    pub(crate) fn find() -> Option<Self> {
        Self::on_path().or_else(Self::debian)
    }

    /// The compiler on `PATH`, usually rustup's.
    pub(crate) fn on_path() -> Option<Self> {
        let cargo = PathBuf::from(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        Self::probe(cargo, PathBuf::from("rustc"))
    }

    /// The compiler of Debian's `rustc-web`.
    pub(crate) fn debian() -> Option<Self> {
        Self::probe("/usr/bin/cargo".into(), "/usr/bin/rustc".into())
    }

    /// The inner cargo, rid of what the outer one put into the environment: it would pick the outer compiler.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(&self.cargo);
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            // rustup's own settings stay: without them it may fetch or update toolchains unasked.
            let keep = ["CARGO_HOME", "CARGO_NET_OFFLINE"].contains(&text.as_ref())
                || text.starts_with("RUSTUP_")
                || text.starts_with("CARGO_HTTP_")
                || text.starts_with("CARGO_REGISTRIES_")
                || text.starts_with("CARGO_SOURCE_");
            if (text.starts_with("CARGO") || text.starts_with("RUST")) && !keep {
                command.env_remove(&name);
            }
        }
        command.current_dir(workspace::root());
        command.env("RUSTC", &self.rustc);
        command.env("RUSTUP_AUTO_INSTALL", "0");
        // A panic names its source file; which machine built the widget is nobody's business.
        let mut flags = vec![
            format!(
                "--remap-path-prefix={}=mailgrant",
                workspace::root().display()
            ),
            format!("--remap-path-prefix={}=cargo", cargo_home().display()),
        ];
        if self.standard_library == StandardLibrary::FromSource {
            flags.extend(SMALLER.map(str::to_owned));
            command.env("RUSTC_BOOTSTRAP", "1");
            if let Some(linker) = self.linker() {
                command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
            }
        }
        // Between the flags stands a unit separator, so that a path may hold a space.
        command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
        command
    }

    /// What a build with this toolchain is told besides.
    pub(crate) fn build_arguments(&self) -> &'static [&'static str] {
        match self.standard_library {
            StandardLibrary::Shipped => &[],
            StandardLibrary::FromSource => &[
                "-Zbuild-std=std,panic_abort",
                "-Zbuild-std-features=optimize_for_size",
            ],
        }
    }

    fn probe(cargo: PathBuf, rustc: PathBuf) -> Option<Self> {
        let sysroot = PathBuf::from(output(Command::new(&rustc).args(["--print", "sysroot"]))?);
        output(Command::new(&cargo).arg("--version"))?;
        let libraries = sysroot.join("lib/rustlib");
        let standard_library = if ships_std(&libraries.join(TARGET).join("lib")) {
            StandardLibrary::Shipped
        } else if libraries.join("src/rust/library/std/Cargo.toml").is_file() && recent(&rustc) {
            StandardLibrary::FromSource
        } else {
            return None;
        };
        let found = Self {
            cargo,
            rustc,
            standard_library,
            sysroot,
        };
        (standard_library == StandardLibrary::Shipped || found.linker().is_some()).then_some(found)
    }

    /// The target's specification names `rust-lld`, which Debian does not ship: rustup's serves, and so does `wasm-ld`.
    fn linker(&self) -> Option<PathBuf> {
        let host = output(Command::new(&self.rustc).args(["--print", "host-tuple"]))?;
        let rustup = output(Command::new("rustc").args(["--print", "sysroot"])).map(PathBuf::from);
        let own = std::iter::once(self.sysroot.clone())
            .chain(rustup)
            .map(|sysroot| sysroot.join("lib/rustlib").join(&host).join("bin/rust-lld"))
            .find(|file| file.is_file());
        own.or_else(|| WASM_LD.iter().find_map(|name| workspace::on_path(name)))
    }
}

fn ships_std(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
    })
}

/// The workspace's `rust-version`; an older compiler would refuse the manifest.
fn recent(rustc: &Path) -> bool {
    let minor = output(Command::new(rustc).arg("--version")).and_then(|version| {
        let number = version.split_whitespace().nth(1)?.to_owned();
        number.split('.').nth(1)?.parse::<u32>().ok()
    });
    minor.is_some_and(|minor| minor >= 95)
}

fn cargo_home() -> PathBuf {
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cargo");
    env::var_os("CARGO_HOME").map_or_else(home, PathBuf::from)
}

/// What only a standard library built along with the widget allows.
const SMALLER: [&str; 4] = [
    "-Zunstable-options",
    "-Cpanic=immediate-abort",
    "-Zlocation-detail=none",
    "-Zfmt-debug=none",
];
const WASM_LD: [&str; 6] = [
    "wasm-ld",
    "wasm-ld-22",
    "wasm-ld-21",
    "wasm-ld-19",
    "wasm-ld-16",
    "wasm-ld-14",
];
