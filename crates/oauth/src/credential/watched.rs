//! Files that are read again each time, and what they said when they were last good.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use mailgrant_core::time::UnixTime;
use zeroize::Zeroizing;

use super::error::{CredentialError, Part};

/// What a file held. Overwritten when dropped.
pub(crate) type Content = Zeroizing<Vec<u8>>;

/// What a set of files means.
pub(crate) trait Meaning: Send + Sync + 'static {
    /// What they mean.
    type Value: Send + Sync + 'static;

    /// The files, in the order in which [`read`](Self::read) gets their contents.
    fn files(&self) -> Vec<(Part, &Path)>;

    /// Makes sense of the contents.
    fn read(&self, contents: &[Content]) -> Result<Self::Value, CredentialError>;

    /// Whether a value that was read may replace the one in use.
    fn check(&self, _value: &Self::Value, _now: UnixTime) -> Result<(), CredentialError> {
        Ok(())
    }
}

/// Reads the files each time; makes sense of them anew when a byte has changed.
///
/// Files that cannot be used, such as a certificate whose key is still being copied, are told of
/// once, and what they said before stays in use.
pub(crate) struct Watched<M: Meaning> {
    meaning: M,
    /// Never held while a file is read: files may hang.
    good: Mutex<Good<M::Value>>,
    seen: Mutex<Seen>,
}

/// What is in use.
struct Good<V> {
    value: Arc<V>,
    /// Of the contents; they themselves are secret.
    digest: Digest,
}

#[derive(Default)]
struct Seen {
    /// Why the newest contents are not in use; with their digest where they never will be.
    bad: Option<(Option<Digest>, CredentialError)>,
}

pub(super) type Digest = Vec<u8>;

impl<M: Meaning> Watched<M> {
    /// Reads the files for the first time.
    pub(crate) fn open(meaning: M) -> Result<Self, CredentialError> {
        let contents = contents(&meaning)?;
        let good = Mutex::new(Good {
            value: Arc::new(meaning.read(&contents)?),
            digest: digest(&contents),
        });
        Ok(Self {
            meaning,
            good,
            seen: Mutex::default(),
        })
    }

    /// What makes sense of them.
    pub(crate) const fn meaning(&self) -> &M {
        &self.meaning
    }

    /// What the files said when they were last looked at.
    pub(crate) fn last(&self) -> Arc<M::Value> {
        Arc::clone(&self.good().value)
    }

    /// Tells the contents in use now from any others.
    pub(crate) async fn fingerprint(self: &Arc<Self>, now: UnixTime) -> Digest {
        drop(self.current(now).await);
        self.good().digest.clone()
    }

    /// What the files say now. Off the runtime's own threads, and not waited for without end: files
    /// may be slow.
    pub(crate) async fn current(self: &Arc<Self>, now: UnixTime) -> Arc<M::Value> {
        let watched = Arc::clone(self);
        let looking = tokio::task::spawn_blocking(move || watched.look(now));
        if tokio::time::timeout(PATIENCE, looking).await.is_err() {
            let file = self.file().display();
            tracing::error!(%file, "the file cannot be read in time; what it held before stays in use");
        }
        self.last()
    }

    fn look(&self, now: UnixTime) {
        // Who comes while somebody looks is served what is there: nobody queues behind a slow disk.
        let mut seen = match self.seen.try_lock() {
            Ok(seen) => seen,
            Err(TryLockError::Poisoned(seen)) => seen.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        match contents(&self.meaning) {
            Err(error) => seen.complain(None, error),
            Ok(contents) => {
                let digest = digest(&contents);
                let known_bad = |(bad, _): &(Option<Digest>, _)| bad.as_ref() == Some(&digest);
                if digest == self.good().digest {
                    if let Some((_, error)) = seen.bad.take() {
                        let file = error.path().display();
                        tracing::info!(%file, "the file is as it was before, and in use");
                    }
                } else if !seen.bad.as_ref().is_some_and(known_bad) {
                    self.replace(&mut seen, &contents, digest, now);
                }
            }
        }
    }

    fn replace(&self, seen: &mut Seen, contents: &[Content], digest: Digest, now: UnixTime) {
        let value = match self.meaning.read(contents) {
            Ok(value) => value,
            Err(error) => return seen.complain(Some(digest), error),
        };
        match self.meaning.check(&value, now) {
            // It may do later: a certificate that is not valid yet. So it is read again.
            Err(error) => seen.complain(None, error),
            Ok(()) => {
                let file = self.file().display();
                tracing::info!(%file, "the file was replaced; its new content is in use");
                *self.good() = Good {
                    value: Arc::new(value),
                    digest,
                };
                seen.bad = None;
            }
        }
    }

    fn good(&self) -> MutexGuard<'_, Good<M::Value>> {
        self.good.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first, in whose name all are spoken of.
    fn file(&self) -> &Path {
        let files = self.meaning.files();
        files.first().map_or(Path::new(""), |(_, path)| path)
    }
}

impl Seen {
    /// Says it once, however often the same is seen.
    fn complain(&mut self, digest: Option<Digest>, error: CredentialError) {
        if self.bad.as_ref().is_none_or(|(_, known)| *known != error) {
            tracing::error!(%error, "a credential's file cannot be used; what it held before stays in use");
        }
        self.bad = Some((digest, error));
    }
}

/// Reads a file of at most [`LARGEST`] bytes.
pub(crate) fn content(part: Part, path: &Path) -> Result<Content, CredentialError> {
    let unreadable = |error: std::io::Error| {
        CredentialError::new(part, path, format!("cannot be read: {error}"))
    };
    // Opening a pipe waits for its other end; and what can be read only once is of no use here.
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        let problem = "is not a file: name one that can be read again and again";
        return Err(CredentialError::new(part, path, problem));
    }
    let announced = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    let mut content = read(path, announced.min(LARGEST)).map_err(unreadable)?;
    if content.len() > announced {
        // It has grown meanwhile.
        content = read(path, LARGEST).map_err(unreadable)?;
    }
    if content.len() > LARGEST {
        let problem = format!("is larger than {LARGEST} bytes: that is another file");
        return Err(CredentialError::new(part, path, problem));
    }
    Ok(content)
}

/// As much as is expected, and one byte more if there is more.
fn read(path: &Path, expected: usize) -> std::io::Result<Content> {
    // Sized at once: a growing buffer would leave copies of secrets behind.
    let mut content = Zeroizing::new(Vec::with_capacity(expected + 1));
    let limit = u64::try_from(expected).unwrap_or(u64::MAX);
    let file = File::open(path)?;
    file.take(limit.saturating_add(1))
        .read_to_end(&mut content)?;
    Ok(content)
}

fn contents<M: Meaning>(meaning: &M) -> Result<Vec<Content>, CredentialError> {
    let files = meaning.files();
    files
        .iter()
        .map(|(part, path)| content(*part, path))
        .collect()
}

/// Of octets in order, each with its length.
pub(super) fn digest(contents: &[impl AsRef<[u8]>]) -> Digest {
    let mut context = Context::new(&SHA256);
    for content in contents {
        let content = content.as_ref();
        context.update(&content.len().to_be_bytes());
        context.update(content);
    }
    context.finish().as_ref().to_vec()
}

/// How long a request waits for its credential's files.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// A PKCS#12 file with a long chain has less than half of it.
const LARGEST: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::path::PathBuf;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    /// Two files that must begin alike.
    struct Halves(PathBuf, PathBuf);

    impl Meaning for Halves {
        type Value = String;

        fn files(&self) -> Vec<(Part, &Path)> {
            vec![(Part::Certificate, &self.0), (Part::Key, &self.1)]
        }

        fn read(&self, contents: &[Content]) -> Result<String, CredentialError> {
            let (first, second) = (contents[0].first(), contents[1].first());
            if first != second {
                return Err(CredentialError::new(Part::Key, &self.1, "does not belong"));
            }
            Ok(String::from_utf8(contents[0].to_vec()).unwrap())
        }

        fn check(&self, value: &String, now: UnixTime) -> Result<(), CredentialError> {
            if value.ends_with("later") && now == NOW {
                return Err(CredentialError::new(
                    Part::Certificate,
                    &self.0,
                    "too early",
                ));
            }
            Ok(())
        }
    }

    struct Files {
        folder: tempfile::TempDir,
        watched: Watched<Halves>,
        log: Log,
    }

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Files {
        fn open() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = |name: &str| folder.path().join(name);
            std::fs::write(path("one"), "a canary").unwrap();
            std::fs::write(path("two"), "a").unwrap();
            let watched = Watched::open(Halves(path("one"), path("two"))).unwrap();
            Self {
                folder,
                watched,
                log: Log::default(),
            }
        }

        fn write(&self, name: &str, content: &str) {
            std::fs::write(self.folder.path().join(name), content).unwrap();
        }

        /// Looks, and gives what is in use and what was logged meanwhile.
        fn look(&self, now: UnixTime) -> (String, String) {
            self.log.0.lock().unwrap().clear();
            let log = self.log.clone();
            let subscriber = tracing_subscriber::fmt()
                .with_writer(move || log.clone())
                .with_ansi(false)
                .finish();
            tracing::subscriber::with_default(subscriber, || self.watched.look(now));
            let value = self.watched.last();
            let log = String::from_utf8(self.log.0.lock().unwrap().clone()).unwrap();
            assert!(!log.contains("canary"), "{log}");
            (value.as_ref().clone(), log)
        }
    }

    #[test]
    fn what_cannot_be_used_is_told_of_once_with_its_file() {
        let files = Files::open();
        assert_eq!(files.look(NOW), ("a canary".to_owned(), String::new()));

        files.write("one", "b canary");
        let (value, log) = files.look(NOW);
        assert_eq!(value, "a canary");
        assert!(
            log.contains("ERROR") && log.contains("two: does not belong"),
            "{log}"
        );
        assert_eq!(files.look(NOW), ("a canary".to_owned(), String::new()));

        files.write("two", "b");
        let (value, log) = files.look(NOW);
        assert_eq!(value, "b canary");
        assert!(
            log.contains("INFO") && log.contains("its new content is in use"),
            "{log}"
        );
        assert_eq!(files.look(NOW), ("b canary".to_owned(), String::new()));
    }

    #[test]
    fn a_file_that_is_gone_is_told_of_once_and_again_when_it_is_back() {
        let files = Files::open();
        std::fs::remove_file(files.folder.path().join("two")).unwrap();
        let (value, log) = files.look(NOW);
        assert_eq!(value, "a canary");
        assert!(log.contains("two: cannot be read"), "{log}");
        assert_eq!(files.look(NOW).1, "");
        files.write("two", "a");
        let (value, log) = files.look(NOW);
        assert_eq!(value, "a canary");
        assert!(log.contains("as it was before"), "{log}");
        assert_eq!(files.look(NOW).1, "");
    }

    #[test]
    fn nobody_queues_behind_a_slow_disk() {
        let files = Files::open();
        files.write("one", "a second");
        let somebody_looks = files.watched.seen.lock().unwrap();
        assert_eq!(files.look(NOW), ("a canary".to_owned(), String::new()));
        drop(somebody_looks);
        assert_eq!(files.look(NOW).0, "a second");
    }

    #[test]
    #[cfg(unix)]
    fn what_is_no_file_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        // Opening a pipe without a writer would never return.
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for path in [pipe.as_path(), folder.path(), Path::new("/dev/null")] {
            let error = content(Part::Secret, path).unwrap_err();
            assert!(error.problem().contains("is not a file"), "{error}");
        }
    }

    #[test]
    fn what_may_do_later_is_looked_at_again() {
        let files = Files::open();
        files.write("one", "a later");
        let (value, log) = files.look(NOW);
        assert_eq!(value, "a canary");
        assert!(log.contains("one: too early"), "{log}");
        assert_eq!(files.look(NOW).1, "");
        assert_eq!(files.look(UnixTime(NOW.0 + 1)).0, "a later");
    }
}
