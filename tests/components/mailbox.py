"""Changes one mailbox over XOAUTH2, as some other client of the person's would.

mailbox.py HOST PORT CA USER create|delete|append MAILBOX [FILE…], with the access token in TOKEN.
Files are appended in this order and byte for byte.
"""

import imaplib
import os
import pathlib
import ssl
import sys

host, port, ca, user, command, mailbox, *files = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
mail = imaplib.IMAP4_SSL(host, int(port), ssl_context=context)
initial = f"user={user}\x01auth=Bearer {os.environ['TOKEN']}\x01\x01"
mail.authenticate("XOAUTH2", lambda challenge: b"" if challenge else initial.encode())


def done(answer):
    status, text = answer
    if status != "OK":
        sys.exit(f"{command} {mailbox}: {text}")


if command == "create":
    done(mail.create(mailbox))
elif command == "delete":
    done(mail.delete(mailbox))
elif command == "append":
    for file in files:
        # imaplib's own append() mends line endings; these bytes are meant as they are.
        mail.literal = pathlib.Path(file).read_bytes()
        done(mail._simple_command("APPEND", mailbox))
else:
    sys.exit(f"unknown command {command}")
mail.logout()
