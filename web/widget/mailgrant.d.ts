/** `<mailgrant-connect>`: a button with which a person connects their mailbox. */

export interface MailgrantStart {
  flow: "auto" | "popup" | "redirect";
}

/** Ask your own backend (which asks the gateway) what was connected; nothing a browser says is proof. */
export interface MailgrantSuccess {
  /** Public id of the connect session, `cs_…`. */
  connectSession?: string;
  /** Public id of the account, `acc_…`, where the gateway tells it to the page. */
  accountId?: string;
}

export interface MailgrantExit {
  reason: "popup_closed" | "cancelled" | "returned";
}

export interface MailgrantError {
  /**
   * A diagnosis code of the gateway, or one of the widget's own: `unreachable`, `expired`, `session_unknown`,
   * `popup_blocked`, `engine_unavailable`, `no_session`, `refused`, `failed`.
   */
  code: string;
  title: string;
  detail: string;
  /** Whether the same connect session can be tried again. Otherwise set a fresh `client-token`. */
  retry: boolean;
}

export interface MailgrantNotice {
  name: "phase" | "severed" | "awaiting_admin_consent" | "unreachable" | "redirect";
  /** The phase, or the link for the administrator. */
  value?: string;
}

export interface MailgrantEventMap {
  /** Cancelable: `preventDefault()` keeps the sign-in from beginning. A fresh token may be set while handling it. */
  "mailgrant-start": CustomEvent<MailgrantStart>;
  "mailgrant-success": CustomEvent<MailgrantSuccess>;
  "mailgrant-exit": CustomEvent<MailgrantExit>;
  "mailgrant-error": CustomEvent<MailgrantError>;
  "mailgrant-event": CustomEvent<MailgrantNotice>;
}

export declare class MailgrantConnect extends HTMLElement {
  static readonly formAssociated: true;
  /** The id of the connected session, submitted with a form under this element's `name`. */
  readonly value: string;
  /** Where the sign-in begins, as far as it is known. */
  readonly connectUrl: string | null;
  /** Begins, as the click does. Call it from a click of your own. */
  start(): void;
  /** Gives up; the terminal event says how it ended. */
  cancel(): void;
  addEventListener<K extends keyof MailgrantEventMap>(
    type: K,
    listener: (this: MailgrantConnect, event: MailgrantEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<K extends keyof MailgrantEventMap>(
    type: K,
    listener: (this: MailgrantConnect, event: MailgrantEventMap[K]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | EventListenerOptions): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "mailgrant-connect": MailgrantConnect;
  }
  interface HTMLElementEventMap extends MailgrantEventMap {}
}
