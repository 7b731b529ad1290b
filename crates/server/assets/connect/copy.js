// The buttons that copy what a field holds.
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
