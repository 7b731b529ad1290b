#!/usr/bin/env bash
# mutt: searches a mailbox and saves what it finds; the keys are typed by a macro, in a terminal that script(1) makes.
#   bash mutt.sh
set -euo pipefail
get() { jq -r "$1" sandbox.json; }
application='.applications[] | select(.flow == "app_only") | '

cat >get-token <<TOKEN
#!/bin/sh
curl -sS --cacert "$(get .ca_file)" "$(get .authority_tls)/$(get .tenant)/oauth2/v2.0/token" \
  -d grant_type=client_credentials -d "client_id=$(get "$application.client_id")" \
  --data-urlencode "client_secret=$(get "$application.client_secret")" \
  -d scope=https://outlook.office365.com/.default | jq -r .access_token
TOKEN
chmod 700 get-token

cat >muttrc <<RC
set folder = "imaps://localhost:$(get .imap.port)/"
set spoolfile = "+INBOX"
set imap_user = "support@tarnbrook.test"
set imap_authenticators = "xoauth2"
set imap_oauth_refresh_command = "$PWD/get-token"
set ssl_ca_certificates_file = "$(get .ca_file)"
set confirmappend = no
set confirmcreate = no
set quit = yes
set sleep_time = 0
set wait_key = no
push "<tag-pattern>~s internship<enter><tag-prefix><copy-message>$PWD/found.mbox<enter><exit>"
RC
rm -f found.mbox
TERM=xterm script -qec "mutt -F muttrc" /dev/null </dev/null >mutt.screen
echo "found $(grep -c '^From ' found.mbox) letters:"
grep '^Subject:' found.mbox
