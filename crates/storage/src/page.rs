//! Pieces of long lists.

/// A piece of a list and where the next one starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, Id> {
    /// At most as many items as were asked for, oldest first.
    pub items: Vec<T>,
    /// The last identifier, to ask for what follows it; `None` when this is the end.
    pub next: Option<Id>,
}

impl<T, Id> Page<T, Id> {
    /// Makes a page of `limit` out of up to `limit + 1` rows: the extra one shows that there are more.
    pub(crate) fn of(mut rows: Vec<T>, limit: u32, id: impl Fn(&T) -> Id) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(id) } else { None };
        Self { items: rows, next }
    }
}
