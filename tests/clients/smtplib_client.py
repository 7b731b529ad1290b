"""Sends mail from an application's mailbox with Python's smtplib; then as somebody it may not be, and with a bad token.

    python3 smtplib_client.py
"""
import json
import smtplib
import ssl
import urllib.parse
import urllib.request
from email.message import EmailMessage

with open("sandbox.json") as file:
    sandbox = json.load(file)
mailbox = "support@tarnbrook.test"
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


def connect(token):
    connection = smtplib.SMTP(sandbox["smtp"]["host"], sandbox["smtp"]["port"])
    connection.starttls(context=trust)
    connection.ehlo()
    connection.auth("XOAUTH2", lambda challenge=None: "" if challenge else f"user={mailbox}\1auth=Bearer {token}\1\1")
    return connection


message = EmailMessage()
message["From"] = mailbox
message["To"] = "ada.finch@tarnbrook.test"
message["Subject"] = "Größe: ein ü"
message.set_content("Hello,\n.a line that begins with a dot\n")

with connect(token) as connection:
    print("offers", " ".join(sorted(connection.esmtp_features)))
    print("refused recipients", connection.send_message(message))
with connect(token) as connection:
    message.replace_header("From", "ada.finch@tarnbrook.test")
    try:
        connection.send_message(message)
    except smtplib.SMTPResponseException as error:
        print(f"as another: {type(error).__name__} {error.smtp_code} {error.smtp_error.decode()}")
try:
    connect("not-a-token")
except smtplib.SMTPAuthenticationError as error:
    print(f"with a bad token: {type(error).__name__} {error.smtp_code} {error.smtp_error.decode()}")
