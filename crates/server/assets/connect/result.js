// Shown when an attempt has ended. The page that opened this window asks the gateway for the result by itself; the
// message only makes it ask sooner, and goes to the site of this session alone.
const { session, status, origin, return: returnUrl } = document.body.dataset;

let opened = false;
try {
  opened = Boolean(window.opener);
  window.opener?.postMessage({ type: "mailgrant:connect-session", connect_session: session, status }, origin);
} catch {
  // Cut off from the opener by its or the authority's Cross-Origin-Opener-Policy.
}

// A failure stays on the screen to be read; its page has the way back as a button.
if (status === "connected") {
  // A window that script may close closes here; what is still open after that is the person's own tab.
  window.close();
  setTimeout(() => {
    if (!window.closed && returnUrl && !opened) location.replace(returnUrl);
  }, 400);
}
