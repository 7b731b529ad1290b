//! Reading and writing the sandbox's own small files, whole and private.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::Error;

/// The file's text, or `None` when there is no such file.
pub(crate) fn read(path: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(problem("read", path, source)),
    }
}

/// Writes a file that only its owner may read, in one step: a reader sees the old or the new content.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), Error> {
    let temporary = path.with_extension("new");
    let write = || {
        let mut file = private().truncate(true).write(true).open(&temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().map_err(|source| problem("write", path, source))
}

/// Opens a private file to append to.
pub(crate) fn append_private(path: &Path) -> Result<File, Error> {
    private()
        .append(true)
        .open(path)
        .map_err(|source| problem("write", path, source))
}

/// Appends all of it, or leaves the file as long as it was: after half a line of a full disk the next would be glued to it.
pub(crate) fn append_whole(file: &mut File, content: &[u8], durable: Durable) -> io::Result<()> {
    let before = file.metadata()?.len();
    let written = file.write_all(content).and_then(|()| match durable {
        Durable::PowerCut => file.sync_data(),
        Durable::Process => Ok(()),
    });
    if written.is_err() {
        file.set_len(before)?;
    }
    written
}

/// What something written outlives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durable {
    /// The end of the process, by kill -9 too.
    Process,
    /// The machine losing its power.
    PowerCut,
}

/// Makes the directory and its parents.
pub(crate) fn create_directory(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(|source| problem("create", path, source))
}

pub(crate) fn problem(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::File {
        action,
        path: path.to_owned(),
        source,
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).mode(0o600);
    options
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_was_written_is_private_and_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secrets.json");
        assert_eq!(read(&path).unwrap(), None);
        write_private(&path, b"one").unwrap();
        write_private(&path, b"two").unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some("two"));
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_named() {
        let error = write_private(Path::new("/proc/none/file"), b"").unwrap_err();
        assert!(error.to_string().contains("/proc/none/file"), "{error}");
    }
}
