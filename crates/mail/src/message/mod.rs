//! MIME to the Email object.
