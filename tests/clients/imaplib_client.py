"""An application's mailbox in Python's imaplib: the standard library and nothing else.

    python3 imaplib_client.py [starttls]
"""
import email
import email.policy
import imaplib
import json
import ssl
import sys
import urllib.parse
import urllib.request

with open("sandbox.json") as file:
    sandbox = json.load(file)
mailbox = sandbox["users"][0]["address"]
application = next(a for a in sandbox["applications"] if a["flow"] == "app_only")
trust = ssl.create_default_context(cafile=sandbox["ca_file"])

form = {
    "grant_type": "client_credentials",
    "client_id": application["client_id"],
    "client_secret": application["client_secret"],
    "scope": "https://outlook.office365.com/.default",
}
url = f"{sandbox['authority_tls']}/{sandbox['tenant']}/oauth2/v2.0/token"
with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode(), context=trust) as answer:
    token = json.load(answer)["access_token"]


def connect():
    imap = sandbox["imap"]
    if "starttls" in sys.argv:
        connection = imaplib.IMAP4(imap["host"], imap["starttls_port"])
        connection.starttls(trust)
        return connection
    return imaplib.IMAP4_SSL(imap["host"], imap["port"], ssl_context=trust)


def sign_in(connection, token):
    connection.authenticate("XOAUTH2", lambda challenge: b"" if challenge else f"user={mailbox}\1auth=Bearer {token}\1\1".encode())


def done(answer):
    status, data = answer
    if status != "OK":
        raise RuntimeError(f"{status} {data}")
    return data


connection = connect()
print("greeting", connection.welcome.decode())
sign_in(connection, token)
for line in done(connection.list()):
    print("folder", line.decode())
print("INBOX holds", done(connection.select("INBOX"))[0].decode())
print("unseen", len(done(connection.uid("SEARCH", "UNSEEN"))[0].split()))
(_, raw), *_ = done(connection.uid("FETCH", "1", "(UID BODY.PEEK[])"))
message = email.message_from_bytes(raw, policy=email.policy.default)
print("first", message["From"], "|", message["Subject"])

letter = f"From: shop@example.test\r\nTo: {mailbox}\r\nSubject: Invoice 4711\r\n\r\nHello.\r\n".encode()
done(connection.append("INBOX", r"(\Flagged)", None, letter))
[uid] = done(connection.uid("SEARCH", "SUBJECT", '"Invoice 4711"'))[0].split()
print("flags", done(connection.uid("STORE", uid, "+FLAGS", r"(\Seen)"))[0].decode())
done(connection.create("Invoices"))
done(connection.uid("MOVE", uid, "Invoices"))
print("Invoices", done(connection.status("Invoices", "(MESSAGES UNSEEN)"))[0].decode())
done(connection.delete("Invoices"))
connection.logout()

connection = connect()
try:
    sign_in(connection, "not-a-token")
except imaplib.IMAP4.error as error:
    print("refused", error)
connection.logout()
