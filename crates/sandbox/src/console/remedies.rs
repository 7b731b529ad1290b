//! The texts of the explanations, as data.

/// What a kind of request asks, and what its outcomes mean. `{application}`, `{user}`, `{detail}` and `{grant}` stand
/// for what the entry says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub name: &'static str,
    /// Of `token`: the grant type; any when empty.
    pub grant_type: &'static str,
    pub asked: &'static str,
    pub granted: &'static str,
    /// Without an AADSTS number, which says it by itself.
    pub refused: &'static str,
}

/// The texts for a kind of request.
pub(super) fn kind(name: &str, grant_type: Option<&str>) -> Kind {
    let of_kind = || KINDS.iter().filter(move |kind| kind.name == name);
    of_kind()
        .find(|kind| !kind.grant_type.is_empty() && grant_type == Some(kind.grant_type))
        .or_else(|| of_kind().find(|kind| kind.grant_type.is_empty()))
        .copied()
        .unwrap_or(UNKNOWN)
}

pub(super) static KINDS: &[Kind] = &[
    Kind {
        name: "authorize",
        grant_type: "",
        asked: "{application} sent somebody here to sign in.",
        granted: "The request is in order: the person goes on to the pages.",
        refused: REFUSED,
    },
    Kind {
        name: "sign_in",
        grant_type: "",
        asked: "{user} typed a password to go on to {application}.",
        granted: "Signed in.",
        refused: REFUSED,
    },
    Kind {
        name: "second_step",
        grant_type: "",
        asked: "{user} was asked for a second step, to go on to {application}.",
        granted: "Confirmed: it counts as long as the policies say.",
        refused: REFUSED,
    },
    Kind {
        name: "token",
        grant_type: "password",
        asked: "{application} sent a person's password for tokens.",
        granted: "It got them. Entra grants this only to accounts without a second step.",
        refused: REFUSED,
    },
    Kind {
        name: "consent",
        grant_type: "",
        asked: "{user} was asked to agree to what {application} wants to do.",
        granted: "Agreed, and remembered: the same is not asked again.",
        refused: REFUSED,
    },
    Kind {
        name: "admin_consent",
        grant_type: "",
        asked: "An administrator was sent here to approve {application} for everybody.",
        granted: "The request is in order: the administrator signs in and decides.",
        refused: REFUSED,
    },
    Kind {
        name: "token",
        grant_type: "authorization_code",
        asked: "{application} redeemed the code of a sign-in for tokens.",
        granted: "It got an access token, and a refresh token if it had asked for offline_access.",
        refused: REFUSED,
    },
    Kind {
        name: "token",
        grant_type: "refresh_token",
        asked: "{application} asked for a new access token by its refresh token.",
        granted: "It got one, and a new refresh token. The old refresh token goes on working, as at Entra.",
        refused: REFUSED,
    },
    Kind {
        name: "token",
        grant_type: "client_credentials",
        asked: "{application} asked for a token of its own, without a person.",
        granted: "It got one. Whether that opens a mailbox is decided by its roles, the service principal in Exchange and the permission on the mailbox.",
        refused: REFUSED,
    },
    Kind {
        name: "token",
        grant_type: "device_code",
        asked: "{application} asked whether its device code has been approved.",
        granted: "It has: the program got its tokens.",
        refused: REFUSED,
    },
    Kind {
        name: "token",
        grant_type: "",
        asked: "{application} asked for a token with grant_type {grant}.",
        granted: "It got one.",
        refused: REFUSED,
    },
    Kind {
        name: "device_code",
        grant_type: "",
        asked: "{application} asked for a code that a person types in on another device.",
        granted: "It got one and now waits for a person to approve it.",
        refused: REFUSED,
    },
    Kind {
        name: "device_approval",
        grant_type: "",
        asked: "{user} decided about a device code of {application}.",
        granted: "Approved: the program gets its tokens when it asks next.",
        refused: "Not approved: the program is told so when it asks next.",
    },
    Kind {
        name: "discovery",
        grant_type: "",
        asked: "A program read where the authority's addresses are.",
        granted: "It got the metadata.",
        refused: REFUSED,
    },
    Kind {
        name: "federated_issuer",
        grant_type: "",
        asked: "The sandbox asked an issuer that an application trusts for its keys.",
        granted: "It got them.",
        refused: "It got none, so the application's token could not be checked.",
    },
    Kind {
        name: "instance_discovery",
        grant_type: "",
        asked: "A program asked which cloud this authority belongs to, as MSAL does first.",
        granted: "It got the answer.",
        refused: REFUSED,
    },
    Kind {
        name: "keys",
        grant_type: "",
        asked: "A program read the keys that tokens are signed with.",
        granted: "It got them.",
        refused: REFUSED,
    },
    Kind {
        name: "userinfo",
        grant_type: "",
        asked: "A program asked whom its access token is about.",
        granted: "It got the person's claims.",
        refused: "Refused: the token is not one for Microsoft Graph, or has ended. A token for IMAP does not open this.",
    },
    Kind {
        name: "logout",
        grant_type: "",
        asked: "A browser signed everybody out.",
        granted: "Nobody is signed in there any more. Tokens that were given stay valid.",
        refused: REFUSED,
    },
    Kind {
        name: "imap_login",
        grant_type: "",
        asked: "{user} was to be opened by IMAP.",
        granted: "The mailbox is open.",
        refused: "Refused with \"NO AUTHENTICATE failed.\", the same words for every reason.",
    },
    Kind {
        name: "imap_command",
        grant_type: "",
        asked: "A program gave an IMAP command in the mailbox {user}.",
        granted: "It was carried out.",
        refused: "The command was refused.",
    },
    Kind {
        name: "smtp_login",
        grant_type: "",
        asked: "{user} was to send by SMTP.",
        granted: "The login holds; what is sent is checked by itself.",
        refused: "Refused with a 535 that does not tell this reason from others.",
    },
    Kind {
        name: "smtp_send",
        grant_type: "",
        asked: "{user} sent a message by SMTP.",
        granted: "It was taken: it lies in the outbox and in the mailboxes of this tenant that it is for.",
        refused: "The message was not taken.",
    },
    Kind {
        name: "pop3_login",
        grant_type: "",
        asked: "{user} was to be opened by POP3.",
        granted: "The mailbox is open.",
        refused: "Refused with \"-ERR Authentication failure: unknown user name or bad password.\", the same words for every reason.",
    },
    Kind {
        name: "fault",
        grant_type: "",
        asked: "A request came for {detail}.",
        granted: "It was answered.",
        refused: REFUSED,
    },
    Kind {
        name: "control",
        grant_type: "",
        asked: "The sandbox was told: {detail}.",
        granted: "Done.",
        refused: "Refused; the answer to the call says why.",
    },
];

const UNKNOWN: Kind = Kind {
    name: "",
    grant_type: "",
    asked: "A request came.",
    granted: "It went well.",
    refused: REFUSED,
};

const REFUSED: &str = "Refused.";

/// What to do about a mail login or command that was refused, by a part of the reason. The first that fits.
pub(super) static MAIL: &[(&str, &str)] = &[
    (
        "not a JWT",
        "Send the access token as the token endpoint gave it: not the id_token, not the refresh token, not a token of another service, and in base64 once.",
    ),
    (
        "signature",
        "Get a new access token. If that does not help, the program changes the token, cuts it off, or keeps one from another sandbox directory.",
    ),
    (
        "another authority or tenant",
        "Use this tenant's id in the authority's address, and a token from there.",
    ),
    (
        "another tenant than the one",
        "A token opens mailboxes of the tenant in whose name it was issued. Ask for one at the address of the mailbox's own tenant: client credentials under its id, a person by signing in as one of its people.",
    ),
    (
        "audience",
        "Ask for the scope with its resource: https://outlook.office.com/IMAP.AccessAsUser.All for a person, https://outlook.office365.com/.default for an application. A bare IMAP.AccessAsUser.All is Graph's.",
    ),
    (
        "has ended",
        "Get a new access token by the refresh token (or by client credentials) before expires_in is over, and log in again with it.",
    ),
    (
        "not valid yet",
        "The clock was put back after the token was issued, or the machine's clock is wrong. Put the sandbox's clock right and get a new token.",
    ),
    (
        "carries no permission for this protocol",
        "A person's token needs IMAP.AccessAsUser.All, POP.AccessAsUser.All or SMTP.Send in scp: ask for it and agree to it. An application's needs IMAP.AccessAsApp, POP.AccessAsApp or SMTP.SendAsApp in roles: an administrator grants it.",
    ),
    (
        "gone or blocked",
        "Unblock the person, or let somebody else sign in.",
    ),
    (
        "no mailbox of that address",
        "Check the address in user= of the login string: it must be the mailbox's primary address or its owner's user principal name.",
    ),
    (
        "no full access on this mailbox",
        "Log in to the mailbox of the person who signed in, or give that person full access: Add-MailboxPermission -AccessRights FullAccess.",
    ),
    (
        "no service principal",
        "Tell Exchange of the application: New-ServicePrincipal -AppId CLIENT_ID -ObjectId OBJECT_ID_OF_THE_ENTERPRISE_APPLICATION, then Add-MailboxPermission.",
    ),
    (
        "another object id",
        "Remove-ServicePrincipal, then New-ServicePrincipal with the object id of the enterprise application. The one on the App registration's page is another object's.",
    ),
    (
        "which SMTP demands",
        "Put the user principal name of the person who signed in into user=. To send from a shared mailbox or another address, name it in MAIL FROM and From, with Add-RecipientPermission -AccessRights SendAs.",
    ),
    (
        "SMTP AUTH is switched off for the tenant",
        "Switch it on for the tenant (Set-TransportConfig -SmtpClientAuthenticationDisabled $false), or for this mailbox (Set-CASMailbox -SmtpClientAuthenticationDisabled $false).",
    ),
    (
        "password was sent where only OAuth",
        "Use AUTH XOAUTH2 with an access token; tenant.submission.passwords says what becomes of passwords here.",
    ),
    (
        "has no Send As on",
        "Send from the mailbox that logged in, or give it the right: Add-RecipientPermission -Identity ADDRESS_IN_FROM -Trustee MAILBOX -AccessRights SendAs.",
    ),
    (
        "ProhibitSendQuota",
        "Empty the mailbox, or raise send_quota of the mailbox.",
    ),
    (
        "Concurrent connections limit",
        "Send at most three messages of one mailbox at the same time, and try again later.",
    ),
    (
        "SubmissionQuotaExceededException",
        "The mailbox has written to as many recipients as it may in 24 hours: wait, move the clock, or raise tenant.submission.recipients_per_day.",
    ),
    (
        "switched off for this mailbox",
        "Switch the protocol on for the mailbox: Set-CASMailbox -ImapEnabled $true (or -PopEnabled $true, or -SmtpClientAuthenticationDisabled $false).",
    ),
    (
        "nothing is behind the login",
        "Give the application the mailbox (Add-MailboxPermission -AccessRights FullAccess), and the mailbox a licence.",
    ),
    (
        "told to",
        "Take the fault back under Faults, or with POST /control/faults and {}.",
    ),
];

/// What to do in the sandbox about an AADSTS number, beyond what its meaning says: where the cause is set.
pub(super) static CODES: &[(u32, &str)] = &[
    (
        50011,
        "The addresses that are registered stand under Applications; --redirect-uri adds one at the start.",
    ),
    (
        50034,
        "The people of the tenant and their addresses stand under People.",
    ),
    (50057, "The person's entry has enabled = false."),
    (50126, "The passwords stand under People."),
    (
        50173,
        "The person's tokens were revoked here. A new sign-in gives new ones.",
    ),
    (
        54005,
        "Look whether the program sends the token request twice, or retries it after a time-out.",
    ),
    (
        65001,
        "Consents stand with their application; a sign-in in the browser adds one.",
    ),
    (
        70008,
        "If the clock was moved between the sign-in and this request, begin the sign-in again.",
    ),
    (
        90002,
        "This tenant's id and domains stand at the top of the page at /.",
    ),
    (
        90094,
        "The consent policy is among the switches; the administrator of the tenant can approve by the link on the page that was shown.",
    ),
    (
        700_016,
        "The client ids that exist stand under Applications.",
    ),
    (
        700_082,
        "If the clock was moved on by 90 days, this is what it was moved for; put it right or sign in again.",
    ),
    (
        700_084,
        "If the clock was moved on by a day, this is what it was moved for; put it right or sign in again.",
    ),
    (7_000_112, "The application's entry has enabled = false."),
    (
        7_000_215,
        "The secrets stand under Applications; a secret must be form-encoded in the body.",
    ),
    (
        7_000_222,
        "Put the clock right, or give the application a secret that lasts longer.",
    ),
];
