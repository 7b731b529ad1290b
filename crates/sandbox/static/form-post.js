// Sends the answer of response_mode=form_post. Without script, the button does.
document.forms[0].submit();
