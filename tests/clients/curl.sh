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
mail() { curl -sS --cacert "$ca" --user "$mailbox" "$@"; }

echo "IMAP, TLS from the first byte"
mail --oauth2-bearer "$token" "imaps://localhost:$(get .imap.port)/" -X 'STATUS INBOX (MESSAGES UNSEEN)'
echo "IMAP, STARTTLS"
mail --oauth2-bearer "$token" --ssl-reqd "imap://localhost:$(get .imap.starttls_port)/" -X 'STATUS INBOX (MESSAGES UNSEEN)'
echo "the first message"
mail --oauth2-bearer "$token" "imaps://localhost:$(get .imap.port)/INBOX;MAILINDEX=1;SECTION=HEADER.FIELDS%20(SUBJECT)"
echo "a letter to oneself by SMTP"
printf 'From: %s\r\nSubject: Sent by curl\r\n\r\nHello.\r\n' "$mailbox" |
  mail --oauth2-bearer "$token" --ssl-reqd "smtp://localhost:$(get .smtp.port)" --mail-from "$mailbox" --mail-rcpt "$mailbox" -T -
mail --oauth2-bearer "$token" "imaps://localhost:$(get .imap.port)/INBOX?SUBJECT%20%22Sent%20by%20curl%22"
echo "POP3"
mail --oauth2-bearer "$token" "pop3s://localhost:$(get .pop3.port)/" | tail -n 1
mail --oauth2-bearer "$token" "pop3s://localhost:$(get .pop3.port)/1" | grep -i '^Subject:'

for url in "imaps://localhost:$(get .imap.port)/" "smtp://localhost:$(get .smtp.port)" "pop3s://localhost:$(get .pop3.port)/"; do
  echo "a token that is none, at ${url%%:*}"
  mail --oauth2-bearer not-a-token --ssl-reqd "$url" --mail-rcpt "$mailbox" || echo "curl ended with $?"
done
