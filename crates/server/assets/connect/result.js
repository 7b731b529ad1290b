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

for (const button of document.querySelectorAll("button[data-copies]")) {
  const field = document.getElementById(button.dataset.copies);
  const told = document.getElementById(button.dataset.tells);
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      // Needs a secure context and the person's leave; without either the field is marked, to be copied by hand.
      await navigator.clipboard.writeText(field.value);
      told.textContent = "Copied: paste it into a message to your administrator.";
    } catch {
      field.focus();
      field.select();
      told.textContent = "The link is marked: copy it by Ctrl+C, or by holding it.";
    }
  });
}
