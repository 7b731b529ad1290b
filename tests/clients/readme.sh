get() { jq -r "$1" sandbox.json; }
application='.applications[] | select(.flow == "app_only") | '
token=$(curl -sS --cacert "$(get .ca_file)" "$(get .authority_tls)/$(get .tenant)/oauth2/v2.0/token" \
  -d grant_type=client_credentials -d scope=https://outlook.office365.com/.default \
  -d "client_id=$(get "$application.client_id")" --data-urlencode "client_secret=$(get "$application.client_secret")" |
  jq -r .access_token)
curl -sS --cacert "$(get .ca_file)" "imaps://localhost:$(get .imap.port)/INBOX;MAILINDEX=1" \
  --user support@tarnbrook.test --oauth2-bearer "$token"
