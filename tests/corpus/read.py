"""Reads messages with Python's email package and prints one JSON object per line: the second reader of the corpus test.

usage: read.py DIRECTORY

Each file below DIRECTORY is a message (notes and licences left out). Line ends are turned into CRLF first, as mail
servers do. Selection of bodies and attachments is that of RFC 8621 section 4.1.4, written a second time here; everything
below it, from header fields to charsets, is Python's. Where policy=default raises, policy=compat32 is asked, and "notes"
says so.
"""

import datetime
import email
import email.errors
import email.generator
import email.header
import email.policy
import email.utils
import hashlib
import io
import json
import os
import re
import sys


def main(directory):
    for path in sorted(files(directory)):
        with open(path, "rb") as file:
            raw = re.sub(rb"\r\n|\r|\n", b"\r\n", file.read())
        print(json.dumps({"file": os.path.relpath(path, directory)} | Reading(raw).describe()))


def files(directory):
    for folder, folders, names in os.walk(directory):
        folders[:] = filter(is_mail, folders)
        yield from (os.path.join(folder, name) for name in filter(is_mail, names))


def is_mail(name):
    return not name.upper().startswith(("MANIFEST", "LICENSE", "LICENCE", "COPYING", "README"))


class Reading:
    def __init__(self, raw):
        self.notes = []
        self.message = email.message_from_bytes(raw, policy=email.policy.default)
        self.plain = email.message_from_bytes(raw, policy=email.policy.compat32)

    def describe(self):
        text, html, attachments = [], [], []
        root = self.message
        if parts(root):
            walk(root, subtype(root) == "alternative", True, True, text, html, attachments)
        else:
            leaf(root, "mixed", 0, False, [True, True], text, html, attachments)
        originals = dict(zip(map(id, self.message.walk()), self.plain.walk()))
        texts = [self.text(part) for part in text if content_type(part) == "text/plain"]
        htmls = [self.text(part) for part in html if content_type(part) == "text/html"]
        return {
            "subject": self.subject(),
            "from": self.addresses("From"),
            "to": self.addresses("To"),
            "cc": self.addresses("Cc"),
            "bcc": self.addresses("Bcc"),
            "replyTo": self.addresses("Reply-To"),
            "sentAt": self.date(),
            "messageId": self.message_id(),
            # Null where the text has to be made from HTML, which Python does not do.
            "textBody": join(texts) if len(texts) == len(text) else None,
            "htmlBody": join(htmls) if htmls else None,
            "hasMixedHtml": bool(htmls) and len(htmls) != len(html),
            "attachments": [self.attachment(part, originals.get(id(part), part)) for part in attachments],
            "notes": self.notes,
        }

    def last(self, name):
        """The last field of that name (RFC 8621 section 4.1.3) and the same field unparsed."""
        unparsed = (self.plain.get_all(name) or [None])[-1]
        try:
            return (self.message.get_all(name) or [None])[-1], unparsed
        except Exception as error:  # Python's parser raises whatever its internals raise.
            self.notes.append(f"{name}: {type(error).__name__}")
            return None, unparsed

    def subject(self):
        parsed, unparsed = self.last("Subject")
        if unparsed is None:
            return None
        try:
            return str(parsed if parsed is not None else decoded(unparsed)).strip()
        except Exception as error:
            self.notes.append(f"Subject: {type(error).__name__}")
            return str(unparsed)

    def addresses(self, name):
        parsed, unparsed = self.last(name)
        if unparsed is None:
            return []
        if parsed is None:
            return [{"name": decoded(n) or None, "email": a} for n, a in email.utils.getaddresses([str(unparsed)])]
        found = []
        for address in parsed.addresses:
            try:
                found.append({"name": address.display_name or None, "email": address.addr_spec})
            except Exception as error:
                self.notes.append(f"{name}: {type(error).__name__}")
                found.append({"name": address.display_name or None, "email": address.username or ""})
        return found

    def date(self):
        parsed, unparsed = self.last("Date")
        moment = getattr(parsed, "datetime", None)
        if moment is None and unparsed is not None:
            try:
                moment = email.utils.parsedate_to_datetime(str(unparsed))
            except (TypeError, ValueError, IndexError):
                return None
        if moment is None:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.timezone.utc)
        return moment.isoformat().replace("+00:00", "Z")

    def message_id(self):
        _, unparsed = self.last("Message-ID")
        return [] if unparsed is None else re.findall(r"<\s*([^<>]+?)\s*>", str(unparsed)) or str(unparsed).split()

    def text(self, part):
        try:
            content = part.get_content() if content_type(part).startswith("text/") else None
        except Exception as error:
            self.notes.append(f"{content_type(part)}: {type(error).__name__}")
            content = None
        if not isinstance(content, str):
            payload = part.get_payload(decode=True)
            content = part.get_payload() if payload is None else payload.decode("utf-8", "replace")
        return re.sub(r"\r+\n|\r", "\n", content)

    def attachment(self, part, original):
        content = octets(part, original)
        try:
            name = part.get_filename()
        except Exception as error:
            self.notes.append(f"name: {type(error).__name__}")
            name = None
        return {
            "name": name,
            "type": content_type(part),
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            # Python writes messages inside messages anew, with blank lines of its own.
            "isRewritten": part.get_content_maintype() == "message" and original.is_multipart(),
            "sha256WithoutBlanks": hashlib.sha256(b"".join(content.split())).hexdigest(),
        }


def join(texts):
    """Texts below one another, each on a line of its own."""
    joined = ""
    for text in texts:
        joined += ("\n" if joined and not joined.endswith("\n") else "") + text
    return joined


def octets(part, original):
    if part.get_content_maintype() == "message" and original.is_multipart():
        written = io.BytesIO()
        policy = email.policy.compat32.clone(linesep="\r\n", max_line_length=0)
        generator = email.generator.BytesGenerator(written, mangle_from_=False, maxheaderlen=0, policy=policy)
        for inner in original.get_payload():
            generator.flatten(inner)
        return written.getvalue()
    payload = part.get_payload(decode=True)
    return payload if payload is not None else str(part.get_payload()).encode("utf-8", "surrogateescape")


def decoded(value):
    return str(email.header.make_header(email.header.decode_header(str(value))))


def content_type(part):
    """A multipart in which no part was found is the text it holds."""
    found = part.get_content_type()
    return "text/plain" if found.startswith("multipart/") and not parts(part) else found


def subtype(part):
    return part.get_content_subtype()


def parts(part):
    return part.get_payload() if part.is_multipart() and part.get_content_maintype() == "multipart" else []


def walk(part, in_alternative, into_text, into_html, text, html, attachments):
    into = [into_text, into_html]
    texts, htmls = len(text), len(html)
    for position, child in enumerate(parts(part)):
        if parts(child):
            walk(child, in_alternative or subtype(child) == "alternative", *into, text, html, attachments)
        else:
            leaf(child, subtype(part), position, in_alternative, into, text, html, attachments)
    if subtype(part) == "alternative" and all(into):
        if len(text) == texts:
            text.extend(html[htmls:])
        elif len(html) == htmls:
            html.extend(text[texts:])


def leaf(part, parent, position, in_alternative, into, text, html, attachments):
    kind = content_type(part)
    try:
        disposition, name = part.get_content_disposition(), part.get_filename()
    except Exception:
        disposition, name = None, None
    is_body = (
        kind in ("text/plain", "text/html")
        and disposition != "attachment"
        and (position == 0 or (parent != "related" and not name))
    )
    if not is_body:
        attachments.append(part)
    elif parent == "alternative":
        (text if kind == "text/plain" else html).append(part)
    else:
        if in_alternative:
            into[1 if kind == "text/plain" else 0] = False
        if into[0]:
            text.append(part)
        if into[1]:
            html.append(part)


if __name__ == "__main__":
    main(sys.argv[1])
