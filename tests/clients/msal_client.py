"""MSAL for Python: a person by code and PKCE with a silent refresh, an application by its secret.

    python3 msal_client.py
"""
import http.server
import json
from urllib.parse import parse_qsl, urlsplit

import msal

with open("sandbox.json") as file:
    sandbox = json.load(file)


def application(flow, secret=None):
    registered = next(a for a in sandbox["applications"] if a["flow"] == flow)
    return msal.ConfidentialClientApplication(
        registered["client_id"],
        client_credential=secret or registered["client_secret"],
        authority=f"{sandbox['authority_tls']}/{sandbox['tenant']}",
        instance_discovery=False,
        verify=sandbox["ca_file"],
    )


class Callback(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.answer = dict(parse_qsl(urlsplit(self.path).query))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Signed in; this window may be closed.")

    def log_message(self, *_):
        pass


mail = ["https://outlook.office.com/IMAP.AccessAsUser.All"]
server = http.server.HTTPServer(("localhost", 0), Callback)
delegated = application("delegated")
flow = delegated.initiate_auth_code_flow(mail, redirect_uri=f"http://localhost:{server.server_port}")
print("sign in at", flow["auth_uri"], flush=True)
server.handle_request()
answer = delegated.acquire_token_by_auth_code_flow(flow, server.answer)
print("by code:", answer["id_token_claims"]["preferred_username"], answer["token_source"], answer["scope"])
[account] = delegated.get_accounts()
print("account", account["username"], account["home_account_id"])
renewed = delegated.acquire_token_silent(mail, account, force_refresh=True)
print("refreshed:", renewed["token_source"], renewed["access_token"] != answer["access_token"])

answer = application("app_only").acquire_token_for_client(["https://outlook.office365.com/.default"])
print("application:", answer["token_type"], answer["expires_in"])
answer = application("app_only", "not-the-secret").acquire_token_for_client(["https://outlook.office365.com/.default"])
print("refused:", answer["error"], answer["error_codes"], answer["error_description"].splitlines()[0])
