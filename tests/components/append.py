"""Appends every file of a folder to INBOX over XOAUTH2 and reads back what the server then holds.

append.py HOST PORT CA USER FOLDER HELD, with the access token in TOKEN; prints "UID NAME" a line.
"""

import imaplib
import os
import pathlib
import re
import ssl
import sys

host, port, ca, user, folder, held = sys.argv[1:]
imaplib._MAXLINE = 10_000_000
context = ssl.create_default_context(cafile=ca)
mail = imaplib.IMAP4_SSL(host, int(port), ssl_context=context)
initial = f"user={user}\x01auth=Bearer {os.environ['TOKEN']}\x01\x01"
mail.authenticate("XOAUTH2", lambda challenge: b"" if challenge else initial.encode())

# Beside the messages' folders stand a list and the licences.
messages = [entry for entry in pathlib.Path(folder).iterdir() if entry.is_dir() and entry.name != "LICENSES"]
files = sorted(path for entry in messages for path in entry.rglob("*") if path.is_file())
for path in files:
    data = re.sub(rb"\r\n|\r|\n", b"\r\n", path.read_bytes())
    status, answer = mail.append("INBOX", None, None, data)
    if status != "OK":
        sys.exit(f"{path.name}: {answer}")
    uid = re.search(rb"APPENDUID \d+ (\d+)", answer[0])
    print(uid.group(1).decode(), path.relative_to(folder))

mail.select("INBOX", readonly=True)
_, answer = mail.uid("SEARCH", None, "ALL")
for uid in answer[0].split():
    _, parts = mail.uid("FETCH", uid, "(BODY.PEEK[])")
    (pathlib.Path(held) / uid.decode()).write_bytes(parts[0][1])
mail.logout()
