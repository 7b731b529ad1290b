//! Tenant files.

use std::sync::Arc;

use super::{NOW, folder};
use crate::SystemRandom;
use crate::directory::{Directory, TenantFile};

/// A tenant file in TOML; what can be read is started with.
pub fn tenant(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let Ok(file) = TenantFile::parse(text) else {
        return;
    };
    thread_local! {
        // With its signing keys, which cost too much to be made for each input.
        static FOLDER: tempfile::TempDir = folder();
    }
    let opened = FOLDER.with(|folder| {
        // Nothing of the input before.
        let _ = std::fs::remove_file(folder.path().join("directory.jsonl"));
        let uris = ["http://localhost/cb".to_owned()];
        Directory::open(folder.path(), file, &uris, NOW, Arc::new(SystemRandom))
    });
    if let Ok(directory) = opened {
        let tenant = directory.tenant();
        assert!(!tenant.domains.is_empty(), "a tenant without a domain");
    }
}
