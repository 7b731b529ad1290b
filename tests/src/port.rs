//! Ports for programs that cannot choose one themselves, and for those that keep theirs over a restart.

use std::{
    env,
    fs::{self, File, Permissions},
    io,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::Mutex,
};

/// A port that nobody else is given while this process lives.
///
/// Every test is a process of its own and several run at once: a port that is merely free at the moment may be given to
/// another, or be taken by a connection that goes out, before its program listens. Hence one below those that the
/// kernel gives out by itself, with a locked file for each.
///
/// # Panics
///
/// When none of the range is left, or the folder for temporary files cannot be written.
pub fn free_port() -> u16 {
    let folder = env::temp_dir().join("mailgrant-test-ports");
    fs::create_dir_all(&folder).unwrap();
    // Another person on this machine may have made it; then this fails, and need not succeed.
    let _ = fs::set_permissions(&folder, Permissions::from_mode(0o777));
    let count = LAST - FIRST;
    // Where it begins differs from process to process, so that hardly any is asked for twice.
    let begin = std::process::id().wrapping_mul(STRIDE) % u32::from(count);
    let begin = u16::try_from(begin).unwrap();
    let mut held = HELD.lock().unwrap();
    for step in 0..count {
        let port = FIRST + (begin + step) % count;
        if let Some(lock) = hold(&folder, port).unwrap()
            && TcpListener::bind(("127.0.0.1", port)).is_ok()
        {
            held.push(lock);
            return port;
        }
    }
    panic!("no port between {FIRST} and {LAST} is free");
}

/// The file that stands for the port, unless somebody holds it, or it is another person's.
fn hold(folder: &Path, port: u16) -> io::Result<Option<File>> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(port.to_string()));
    let file = match file {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        file => file?,
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Until the process ends, when the kernel frees them.
static HELD: Mutex<Vec<File>> = Mutex::new(Vec::new());
/// Above what is well known, below what Linux gives out by itself (from 32768).
const FIRST: u16 = 17_000;
const LAST: u16 = 32_000;
/// A prime: neighbouring processes begin far from each other.
const STRIDE: u32 = 1_009;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_is_given_twice() {
        let mut ports: Vec<_> = (0..50).map(|_| free_port()).collect();
        assert!(ports.iter().all(|port| (FIRST..LAST).contains(port)));
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 50);
    }

    #[test]
    fn one_that_somebody_holds_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let held = hold(folder.path(), FIRST).unwrap();
        assert!(held.is_some());
        assert!(hold(folder.path(), FIRST).unwrap().is_none());
        drop(held);
        assert!(hold(folder.path(), FIRST).unwrap().is_some());
    }
}
