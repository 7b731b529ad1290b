//! What a mailbox is for.

use serde::{Deserialize, Serialize};

/// The special use of a mailbox, in JMAP's words (RFC 8621 §2, IANA "IMAP Mailbox Name Attributes").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Role {
    /// Every message, whatever mailbox it is in.
    All,
    /// Put aside for good.
    Archive,
    /// Not sent yet.
    Drafts,
    /// Every message with a flag.
    Flagged,
    /// Every message that matters.
    Important,
    /// Where mail arrives.
    Inbox,
    /// Unwanted mail.
    Junk,
    /// Copies of what was sent.
    Sent,
    /// Deleted mail.
    Trash,
}

impl Role {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Archive => "archive",
            Self::Drafts => "drafts",
            Self::Flagged => "flagged",
            Self::Important => "important",
            Self::Inbox => "inbox",
            Self::Junk => "junk",
            Self::Sent => "sent",
            Self::Trash => "trash",
        }
    }

    /// From a LIST attribute without its backslash, lower case (RFC 6154, RFC 8457).
    pub(super) fn from_attribute(attribute: &str) -> Option<Self> {
        Some(match attribute {
            "all" | "allmail" => Self::All,
            "archive" => Self::Archive,
            "drafts" => Self::Drafts,
            "flagged" | "starred" => Self::Flagged,
            "important" => Self::Important,
            "inbox" => Self::Inbox,
            "junk" | "spam" => Self::Junk,
            "sent" => Self::Sent,
            "trash" => Self::Trash,
            _ => return None,
        })
    }

    /// From the name of a mailbox at the top or right under INBOX, for servers that tell nothing.
    /// Exchange Online is one: its names are in the language of the mailbox.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        WELL_KNOWN
            .iter()
            .find(|(_, names)| names.contains(&name.as_str()))
            .map(|(role, _)| *role)
    }
}

/// Lower case, as Outlook, Exchange and common clients name them.
const WELL_KNOWN: [(Role, &[&str]); 5] = [
    (
        Role::Sent,
        &[
            "sent",
            "sent items",
            "sent messages",
            "sent mail",
            "gesendet",
            "gesendete elemente",
            "gesendete objekte",
            "éléments envoyés",
            "messages envoyés",
            "envoyés",
            "elementos enviados",
            "enviados",
            "itens enviados",
            "posta inviata",
            "inviata",
            "verzonden items",
            "verzonden",
            "skickat",
            "skickade objekt",
            "sendt post",
            "sendte elementer",
            "lähetetyt",
            "wysłane",
            "elementy wysłane",
            "odeslaná pošta",
            "отправленные",
            "надіслані",
            "gönderilmiş öğeler",
            "送信済みアイテム",
            "送信済み",
            "已发送邮件",
            "已发送",
            "寄件備份",
            "보낸 편지함",
        ],
    ),
    (
        Role::Trash,
        &[
            "trash",
            "deleted items",
            "deleted messages",
            "deleted",
            "bin",
            "papierkorb",
            "gelöschte elemente",
            "gelöschte objekte",
            "éléments supprimés",
            "corbeille",
            "elementos eliminados",
            "papelera",
            "itens excluídos",
            "lixeira",
            "posta eliminata",
            "cestino",
            "verwijderde items",
            "prullenbak",
            "borttaget",
            "borttagna objekt",
            "slettet post",
            "slettede elementer",
            "poistetut",
            "kosz",
            "elementy usunięte",
            "odstraněná pošta",
            "удаленные",
            "удалённые",
            "видалені",
            "silinmiş öğeler",
            "削除済みアイテム",
            "ごみ箱",
            "已删除邮件",
            "刪除的郵件",
            "지운 편지함",
        ],
    ),
    (
        Role::Drafts,
        &[
            "drafts",
            "draft",
            "entwürfe",
            "brouillons",
            "borradores",
            "rascunhos",
            "bozze",
            "concepten",
            "utkast",
            "kladder",
            "luonnokset",
            "wersje robocze",
            "koncepty",
            "черновики",
            "чернетки",
            "taslaklar",
            "下書き",
            "草稿",
            "임시 보관함",
        ],
    ),
    (
        Role::Junk,
        &[
            "junk",
            "junk email",
            "junk e-mail",
            "junk mail",
            "spam",
            "bulk mail",
            "junk-e-mail",
            "spamverdacht",
            "courrier indésirable",
            "correo no deseado",
            "correo electrónico no deseado",
            "lixo eletrônico",
            "lixo eletrónico",
            "posta indesiderata",
            "ongewenste e-mail",
            "ongewenste mail",
            "skräppost",
            "uønsket mail",
            "uønsket e-post",
            "søppelpost",
            "roskaposti",
            "wiadomości-śmieci",
            "nevyžádaná pošta",
            "нежелательная почта",
            "спам",
            "небажана пошта",
            "önemsiz e-posta",
            "迷惑メール",
            "垃圾邮件",
            "垃圾郵件",
            "정크 메일",
        ],
    ),
    (
        Role::Archive,
        &[
            "archive",
            "archives",
            "archiv",
            "archivo",
            "arquivo",
            "archivio",
            "archief",
            "arkiv",
            "arkisto",
            "archiwum",
            "архив",
            "архів",
            "arşiv",
            "アーカイブ",
            "存档",
            "封存",
        ],
    ),
];
