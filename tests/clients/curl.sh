#!/usr/bin/env bash
# A token and a mailbox with curl alone.
#   bash curl.sh
set -euo pipefail
get() { jq -r "$1" sandbox.json; }
ca=$(get .ca_file) mailbox=$(get '.users[0].address')
application='.applications[] | select(.flow == "app_only") | '

token=$(curl -sS --cacert "$ca" "$(get .authority_tls)/$(get .tenant)/oauth2/v2.0/token" \
  -d grant_type=client_credentials -d "client_id=$(get "$application.client_id")" \
  --data-urlencode "client_secret=$(get "$application.client_secret")" \
  -d scope=https://outlook.office365.com/.default | jq -r .access_token)
imap() { curl -sS --cacert "$ca" --user "$mailbox" "$@"; }

echo "TLS from the first byte"
imap --oauth2-bearer "$token" "imaps://localhost:$(get .imap.port)/" -X 'STATUS INBOX (MESSAGES UNSEEN)'
echo "STARTTLS"
imap --oauth2-bearer "$token" --ssl-reqd "imap://localhost:$(get .imap.starttls_port)/" -X 'STATUS INBOX (MESSAGES UNSEEN)'
echo "the first message"
imap --oauth2-bearer "$token" "imaps://localhost:$(get .imap.port)/INBOX;MAILINDEX=1;SECTION=HEADER.FIELDS%20(SUBJECT)"
echo "a token that is none"
imap --oauth2-bearer not-a-token "imaps://localhost:$(get .imap.port)/" || echo "curl ended with $?"
