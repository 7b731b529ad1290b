//! Folder paths: the components of a folder's name, joined by `/`.

/// What stands in a path for a `/` that belongs to a folder's own name.
///
/// Exchange does the same inside (`_xF8FF_` shows up in exports), and **does not present such folders over
/// IMAP at all**: they and their subtree are missing from `LIST`, and `SELECT` says that they do not exist
/// (imapsync issue 335, MailKit issue 1858, node-imap issue 553).
pub const SLASH_IN_NAME: char = '\u{F8FF}';

/// The longest path, in characters.
pub const MAX_PATH: usize = 1024;
/// The deepest hierarchy.
pub const MAX_DEPTH: usize = 32;

/// A path made of display names, which may hold slashes of their own.
///
/// ```
/// use mailgrant_sandbox::mailstore::path;
///
/// assert_eq!(path::join(["Projects", "Harbour"]), "Projects/Harbour");
/// assert_eq!(path::join(["In/Out"]), "In\u{F8FF}Out");
/// assert!(!path::is_presentable("In\u{F8FF}Out/2026"));
/// ```
pub fn join<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names
        .into_iter()
        .map(|name| name.replace('/', &SLASH_IN_NAME.to_string()))
        .collect();
    names.join("/")
}

/// Whether the folder is shown to mail clients; see [`SLASH_IN_NAME`].
pub fn is_presentable(path: &str) -> bool {
    !path.contains(SLASH_IN_NAME)
}

/// Whether a folder of that path may be made: no empty component, no control character, not too long or deep.
pub fn is_valid(path: &str) -> bool {
    path.chars().count() <= MAX_PATH
        && path.split('/').count() <= MAX_DEPTH
        && path.split('/').all(|name| !name.trim().is_empty())
        && !path.chars().any(char::is_control)
}

/// The path above, if there is one.
pub fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent)
}

/// Whether `path` lies below `ancestor`.
pub fn is_below(path: &str, ancestor: &str) -> bool {
    let (path, ancestor) = (key(path), key(ancestor));
    path.strip_prefix(&ancestor)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// What two spellings of the same folder have in common: Exchange's folder names ignore case.
pub fn key(path: &str) -> String {
    path.to_lowercase()
}
