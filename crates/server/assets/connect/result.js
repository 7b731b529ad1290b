// Shown when an attempt has ended. The page that opened this window asks the gateway for the result by itself; the
// message only makes it ask sooner, and goes to the site of this session alone.
const { session, status, origin, return: returnUrl } = document.body.dataset;
const final = status === "connected" || status === "failed" || status === "expired";

let opened = false;
try {
  opened = Boolean(window.opener);
  window.opener?.postMessage({ type: "mailgrant:connect-session", connect_session: session, status }, origin);
} catch {
  // Cut off from the opener by its or the authority's Cross-Origin-Opener-Policy.
}

if (status === "connected" || (final && !opened && returnUrl)) {
  // A window that script may close closes here; what is still open after that is the person's own tab.
  if (status === "connected") window.close();
  setTimeout(() => {
    if (!window.closed && returnUrl && !opened) location.replace(returnUrl);
  }, 400);
}
