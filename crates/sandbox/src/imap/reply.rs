use std::borrow::Cow;

/// How a command ends.
#[derive(Debug)]
pub(super) enum Reply {
    Ok(Cow<'static, str>),
    No(Cow<'static, str>),
    Bad(Cow<'static, str>),
}

impl Reply {
    /// `OK FETCH completed.`
    pub(super) fn done(command: &str) -> Reply {
        Reply::Ok(format!("{command} completed.").into())
    }

    pub(super) fn invalid_state() -> Reply {
        Reply::Bad("Command received in Invalid state.".into())
    }

    pub(super) fn invalid_argument() -> Reply {
        Reply::Bad("Command Argument Error. 11".into())
    }

    pub(super) fn unknown() -> Reply {
        Reply::Bad("Command Error. 12".into())
    }
}
