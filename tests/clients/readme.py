import imaplib, json, smtplib, ssl
import msal

sandbox = json.load(open("sandbox.json"))
registered = next(a for a in sandbox["applications"] if a["flow"] == "app_only")
user = "support@tarnbrook.test"

application = msal.ConfidentialClientApplication(
    registered["client_id"],
    client_credential=registered["client_secret"],
    authority=f"{sandbox['authority_tls']}/{sandbox['tenant']}",  # in earnest: https://login.microsoftonline.com/TENANT
    instance_discovery=False, verify=sandbox["ca_file"],  # in earnest: neither
)
token = application.acquire_token_for_client(["https://outlook.office365.com/.default"])["access_token"]
xoauth2 = f"user={user}\1auth=Bearer {token}\1\1"
trust = ssl.create_default_context(cafile=sandbox["ca_file"])

imap = imaplib.IMAP4_SSL("localhost", sandbox["imap"]["port"], ssl_context=trust)
imap.authenticate("XOAUTH2", lambda challenge: xoauth2.encode())
imap.select("INBOX", readonly=True)
print(imap.fetch("1:3", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))

smtp = smtplib.SMTP("localhost", sandbox["smtp"]["port"])
smtp.starttls(context=trust)
smtp.ehlo()
smtp.auth("XOAUTH2", lambda challenge=None: xoauth2)
smtp.sendmail(user, ["ada.finch@tarnbrook.test"], f"From: {user}\r\nSubject: Hello\r\n\r\nHello.\r\n")
