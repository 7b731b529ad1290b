#!/usr/bin/env bash
# A whole mailbox into a Maildir with mbsync (Debian: isync libsasl2-modules-kdexoauth2).
#   bash mbsync.sh
set -euo pipefail
get() { jq -r "$1" sandbox.json; }
application='.applications[] | select(.flow == "app_only") | '
mkdir -p mail

cat >get-token <<TOKEN
#!/bin/sh
curl -sS --cacert "$(get .ca_file)" "$(get .authority_tls)/$(get .tenant)/oauth2/v2.0/token" \
  -d grant_type=client_credentials -d "client_id=$(get "$application.client_id")" \
  --data-urlencode "client_secret=$(get "$application.client_secret")" \
  -d scope=https://outlook.office365.com/.default | jq -r .access_token
TOKEN
chmod 700 get-token

cat >mbsyncrc <<RC
IMAPAccount sandbox
Host localhost
Port $(get .imap.port)
User $(get '.users[0].address')
PassCmd "$PWD/get-token"
AuthMechs XOAUTH2
SSLType IMAPS
CertificateFile $(get .ca_file)

IMAPStore far
Account sandbox

MaildirStore near
Path $PWD/mail/
Inbox $PWD/mail/INBOX
SubFolders Verbatim

Channel everything
Far :far:
Near :near:
Patterns *
Create Near
SyncState *
RC
mbsync --config mbsyncrc --all
for folder in mail/*/; do echo "$folder: $(find "$folder"cur "$folder"new -type f | wc -l) messages"; done
