//! What the widget says, in the person's language.
//!
//! Only the button's label is in the loader, because it must be drawn before any WebAssembly arrives.

use crate::session::{ExitReason, Outcome, View};

/// The sentences of one language.
#[derive(Debug)]
#[non_exhaustive]
pub struct Texts {
    /// [`View::Waiting`]
    pub waiting: &'static str,
    /// [`View::Apart`]
    pub apart: &'static str,
    /// [`View::Finishing`]
    pub finishing: &'static str,
    /// [`View::AwaitingAdmin`]
    pub admin: &'static str,
    /// [`View::Agreed`]
    pub agreed: &'static str,
    /// Text of the administrator's link.
    pub admin_link: &'static str,
    /// [`View::Reconnecting`]
    pub reconnecting: &'static str,
    /// [`View::Stopping`]
    pub stopping: &'static str,
    /// [`Outcome::Success`]
    pub connected: &'static str,
    /// [`Outcome::Exit`]
    pub cancelled: &'static str,
    /// [`Outcome::Error`], code `expired`
    pub expired: &'static str,
    /// [`Outcome::Error`], code `unreachable`
    pub unreachable: &'static str,
    /// [`Outcome::Error`], any other
    pub failed: &'static str,
    /// Button that gives up.
    pub cancel: &'static str,
    /// Button that opens the sign-in window again.
    pub reopen: &'static str,
}

impl Texts {
    /// The texts for a BCP 47 language tag: by its primary subtag, English where there is none.
    ///
    /// ```
    /// use mailgrant_widget::text::Texts;
    ///
    /// assert_eq!(Texts::of("de-AT").cancel, "Abbrechen");
    /// assert_eq!(Texts::of("tlh").cancel, "Cancel");
    /// ```
    #[must_use]
    pub fn of(tag: &str) -> &'static Self {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        LANGUAGES
            .iter()
            .find(|(language, _)| language.eq_ignore_ascii_case(primary))
            .map_or(&ENGLISH, |(_, texts)| texts)
    }

    /// The sentence for a view.
    #[must_use]
    pub fn view(&self, view: View) -> &'static str {
        match view {
            View::Waiting => self.waiting,
            View::Apart => self.apart,
            View::Finishing => self.finishing,
            View::AwaitingAdmin => self.admin,
            View::Agreed => self.agreed,
            View::Reconnecting => self.reconnecting,
            View::Stopping => self.stopping,
        }
    }

    /// The sentence for an end.
    #[must_use]
    pub fn outcome(&self, outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Success { .. } => self.connected,
            Outcome::Exit(
                ExitReason::WindowClosed | ExitReason::Cancelled | ExitReason::Returned,
            ) => self.cancelled,
            Outcome::Error { diagnosis, .. } => match diagnosis.code.as_str() {
                "expired" | "not_returned" | "session_unknown" => self.expired,
                "unreachable" => self.unreachable,
                _ => self.failed,
            },
        }
    }
}

const ENGLISH: Texts = Texts {
    waiting: "Continue in the sign-in window.",
    apart: "Waiting for the sign-in window. You can cancel, or open it again.",
    finishing: "Checking the mailbox…",
    admin: "An administrator of your organisation has to approve this first.",
    agreed: "It has been approved. Open the sign-in window again to finish.",
    admin_link: "Link for your administrator",
    reconnecting: "No connection. Trying again…",
    stopping: "Cancelling…",
    connected: "Mailbox connected.",
    cancelled: "The sign-in was cancelled.",
    expired: "This sign-in has expired.",
    unreachable: "The server cannot be reached.",
    failed: "The mailbox could not be connected.",
    cancel: "Cancel",
    reopen: "Open again",
};

const LANGUAGES: [(&str, Texts); 11] = [
    (
        "de",
        Texts {
            waiting: "Weiter im Anmeldefenster.",
            apart: "Warten auf das Anmeldefenster. Sie können abbrechen oder es neu öffnen.",
            finishing: "Das Postfach wird geprüft …",
            admin: "Ein Administrator Ihrer Organisation muss zuerst zustimmen.",
            agreed: "Die Zustimmung ist da. Öffnen Sie das Anmeldefenster noch einmal.",
            admin_link: "Link für Ihren Administrator",
            reconnecting: "Keine Verbindung. Neuer Versuch …",
            stopping: "Wird abgebrochen …",
            connected: "Postfach verbunden.",
            cancelled: "Die Anmeldung wurde abgebrochen.",
            expired: "Diese Anmeldung ist abgelaufen.",
            unreachable: "Der Server ist nicht erreichbar.",
            failed: "Das Postfach konnte nicht verbunden werden.",
            cancel: "Abbrechen",
            reopen: "Neu öffnen",
        },
    ),
    (
        "fr",
        Texts {
            waiting: "Continuez dans la fenêtre de connexion.",
            apart: "En attente de la fenêtre de connexion. Vous pouvez annuler ou la rouvrir.",
            finishing: "Vérification de la boîte aux lettres…",
            admin: "Un administrateur de votre organisation doit d’abord donner son accord.",
            agreed: "L’accord est donné. Rouvrez la fenêtre de connexion pour terminer.",
            admin_link: "Lien pour votre administrateur",
            reconnecting: "Pas de connexion. Nouvel essai…",
            stopping: "Annulation…",
            connected: "Boîte aux lettres connectée.",
            cancelled: "La connexion a été annulée.",
            expired: "Cette connexion a expiré.",
            unreachable: "Le serveur est injoignable.",
            failed: "La boîte aux lettres n’a pas pu être connectée.",
            cancel: "Annuler",
            reopen: "Rouvrir",
        },
    ),
    (
        "es",
        Texts {
            waiting: "Continúe en la ventana de inicio de sesión.",
            apart: "Esperando la ventana de inicio de sesión. Puede cancelar o volver a abrirla.",
            finishing: "Comprobando el buzón…",
            admin: "Antes debe aprobarlo un administrador de su organización.",
            agreed: "Ya está aprobado. Vuelva a abrir la ventana de inicio de sesión.",
            admin_link: "Enlace para su administrador",
            reconnecting: "Sin conexión. Reintentando…",
            stopping: "Cancelando…",
            connected: "Buzón conectado.",
            cancelled: "Se canceló el inicio de sesión.",
            expired: "Este inicio de sesión ha caducado.",
            unreachable: "No se puede acceder al servidor.",
            failed: "No se pudo conectar el buzón.",
            cancel: "Cancelar",
            reopen: "Abrir de nuevo",
        },
    ),
    (
        "it",
        Texts {
            waiting: "Continua nella finestra di accesso.",
            apart: "In attesa della finestra di accesso. Puoi annullare o riaprirla.",
            finishing: "Verifica della casella…",
            admin: "Prima deve approvare un amministratore della tua organizzazione.",
            agreed: "È stato approvato. Riapri la finestra di accesso per finire.",
            admin_link: "Link per l’amministratore",
            reconnecting: "Nessuna connessione. Nuovo tentativo…",
            stopping: "Annullamento…",
            connected: "Casella collegata.",
            cancelled: "L’accesso è stato annullato.",
            expired: "Questo accesso è scaduto.",
            unreachable: "Il server non è raggiungibile.",
            failed: "Non è stato possibile collegare la casella.",
            cancel: "Annulla",
            reopen: "Riapri",
        },
    ),
    (
        "pt",
        Texts {
            waiting: "Continue na janela de início de sessão.",
            apart: "À espera da janela de início de sessão. Pode cancelar ou abri-la de novo.",
            finishing: "A verificar a caixa de correio…",
            admin: "Um administrador da sua organização tem de aprovar primeiro.",
            agreed: "Foi aprovado. Abra de novo a janela de início de sessão.",
            admin_link: "Link para o administrador",
            reconnecting: "Sem ligação. A tentar de novo…",
            stopping: "A cancelar…",
            connected: "Caixa de correio ligada.",
            cancelled: "O início de sessão foi cancelado.",
            expired: "Este início de sessão expirou.",
            unreachable: "Não é possível contactar o servidor.",
            failed: "Não foi possível ligar a caixa de correio.",
            cancel: "Cancelar",
            reopen: "Abrir de novo",
        },
    ),
    (
        "nl",
        Texts {
            waiting: "Ga verder in het aanmeldvenster.",
            apart: "Wachten op het aanmeldvenster. U kunt annuleren of het opnieuw openen.",
            finishing: "Postvak wordt gecontroleerd…",
            admin: "Een beheerder van uw organisatie moet dit eerst goedkeuren.",
            agreed: "Het is goedgekeurd. Open het aanmeldvenster opnieuw.",
            admin_link: "Link voor uw beheerder",
            reconnecting: "Geen verbinding. Nieuwe poging…",
            stopping: "Annuleren…",
            connected: "Postvak verbonden.",
            cancelled: "Het aanmelden is geannuleerd.",
            expired: "Deze aanmelding is verlopen.",
            unreachable: "De server is niet bereikbaar.",
            failed: "Het postvak kon niet worden verbonden.",
            cancel: "Annuleren",
            reopen: "Opnieuw openen",
        },
    ),
    (
        "pl",
        Texts {
            waiting: "Kontynuuj w oknie logowania.",
            apart: "Oczekiwanie na okno logowania. Możesz anulować lub otworzyć je ponownie.",
            finishing: "Sprawdzanie skrzynki…",
            admin: "Najpierw musi to zatwierdzić administrator Twojej organizacji.",
            agreed: "Zatwierdzono. Otwórz ponownie okno logowania, aby dokończyć.",
            admin_link: "Link dla administratora",
            reconnecting: "Brak połączenia. Kolejna próba…",
            stopping: "Anulowanie…",
            connected: "Skrzynka połączona.",
            cancelled: "Logowanie anulowano.",
            expired: "To logowanie wygasło.",
            unreachable: "Serwer jest nieosiągalny.",
            failed: "Nie udało się połączyć skrzynki.",
            cancel: "Anuluj",
            reopen: "Otwórz ponownie",
        },
    ),
    (
        "ja",
        Texts {
            waiting: "サインイン画面で続けてください。",
            apart: "サインイン画面を待っています。キャンセルまたは開き直しができます。",
            finishing: "メールボックスを確認しています…",
            admin: "先に組織の管理者の承認が必要です。",
            agreed: "承認されました。サインイン画面をもう一度開いてください。",
            admin_link: "管理者用リンク",
            reconnecting: "接続できません。再試行しています…",
            stopping: "キャンセルしています…",
            connected: "メールボックスを接続しました。",
            cancelled: "サインインはキャンセルされました。",
            expired: "このサインインは期限切れです。",
            unreachable: "サーバーに接続できません。",
            failed: "メールボックスを接続できませんでした。",
            cancel: "キャンセル",
            reopen: "開き直す",
        },
    ),
    (
        "zh",
        Texts {
            waiting: "请在登录窗口中继续。",
            apart: "正在等待登录窗口。您可以取消或重新打开。",
            finishing: "正在检查邮箱…",
            admin: "需要您组织的管理员先批准。",
            agreed: "已获批准。请重新打开登录窗口以完成。",
            admin_link: "管理员链接",
            reconnecting: "没有连接，正在重试…",
            stopping: "正在取消…",
            connected: "邮箱已连接。",
            cancelled: "登录已取消。",
            expired: "此次登录已过期。",
            unreachable: "无法连接服务器。",
            failed: "无法连接邮箱。",
            cancel: "取消",
            reopen: "重新打开",
        },
    ),
    (
        "ar",
        Texts {
            waiting: "تابِع في نافذة تسجيل الدخول.",
            apart: "بانتظار نافذة تسجيل الدخول. يمكنك الإلغاء أو فتحها من جديد.",
            finishing: "جارٍ التحقق من صندوق البريد…",
            admin: "يجب أن يوافق مسؤول في مؤسستك أولاً.",
            agreed: "تمت الموافقة. افتح نافذة تسجيل الدخول من جديد للإكمال.",
            admin_link: "رابط للمسؤول",
            reconnecting: "لا يوجد اتصال. جارٍ إعادة المحاولة…",
            stopping: "جارٍ الإلغاء…",
            connected: "تم ربط صندوق البريد.",
            cancelled: "أُلغي تسجيل الدخول.",
            expired: "انتهت صلاحية تسجيل الدخول هذا.",
            unreachable: "تعذّر الوصول إلى الخادم.",
            failed: "تعذّر ربط صندوق البريد.",
            cancel: "إلغاء",
            reopen: "فتح من جديد",
        },
    ),
    (
        "he",
        Texts {
            waiting: "המשיכו בחלון הכניסה.",
            apart: "ממתינים לחלון הכניסה. אפשר לבטל או לפתוח אותו שוב.",
            finishing: "תיבת הדואר נבדקת…",
            admin: "מנהל בארגון שלכם צריך לאשר תחילה.",
            agreed: "האישור ניתן. פתחו שוב את חלון הכניסה כדי לסיים.",
            admin_link: "קישור למנהל",
            reconnecting: "אין חיבור. מנסים שוב…",
            stopping: "מבטלים…",
            connected: "תיבת הדואר חוברה.",
            cancelled: "הכניסה בוטלה.",
            expired: "תוקף הכניסה פג.",
            unreachable: "אין גישה לשרת.",
            failed: "לא ניתן היה לחבר את תיבת הדואר.",
            cancel: "ביטול",
            reopen: "פתיחה מחדש",
        },
    ),
];

#[cfg(test)]
mod tests {
    use super::{ENGLISH, LANGUAGES, Texts};

    #[test]
    fn tags_are_matched_by_their_primary_subtag() {
        assert_eq!(Texts::of("pt-BR").cancel, "Cancelar");
        assert_eq!(Texts::of("ZH_Hant").cancel, "取消");
        for tag in ["", "-", "x", "en-GB"] {
            assert_eq!(Texts::of(tag).cancel, ENGLISH.cancel, "{tag}");
        }
    }

    #[test]
    fn nothing_was_left_in_english() {
        for (language, texts) in &LANGUAGES {
            for (text, english) in [
                (texts.waiting, ENGLISH.waiting),
                (texts.apart, ENGLISH.apart),
                (texts.failed, ENGLISH.failed),
                (texts.cancel, ENGLISH.cancel),
            ] {
                assert!(!text.is_empty() && text != english, "{language}: {text}");
            }
        }
    }
}
