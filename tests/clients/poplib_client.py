"""An application's mailbox in Python's poplib: statistics, a message, a deletion; and a bad token.

    python3 poplib_client.py [starttls]
"""
import base64
import json
import poplib
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


def connect(token):
    pop3 = sandbox["pop3"]
    if "starttls" in sys.argv:
        connection = poplib.POP3(pop3["host"], pop3["starttls_port"])
        connection.stls(trust)
    else:
        connection = poplib.POP3_SSL(pop3["host"], pop3["port"], context=trust)
    # poplib knows no AUTH; Exchange wants it in two lines.
    response = base64.b64encode(f"user={mailbox}\1auth=Bearer {token}\1\1".encode()).decode()
    connection._shortcmd("AUTH XOAUTH2")
    connection._shortcmd(response)
    return connection


connection = connect(token)
print("greeting", connection.getwelcome().decode())
print("offers", " ".join(sorted(connection.capa())))
count, octets = connection.stat()
print("holds", count, "messages,", octets, "octets")
_, lines, size = connection.retr(1)
print("first", next(line.decode() for line in lines if line.lower().startswith(b"subject:")), "|", size, "octets")
uid = connection.uidl(count).split()[2].decode()
print("deletes", uid, connection.dele(count).decode())
connection.quit()

connection = connect(token)
print("left", connection.stat()[0], uid in [line.split()[1].decode() for line in connection.uidl()[1]])
connection.quit()

try:
    connect("not-a-token")
except poplib.error_proto as error:
    print("refused", error)
