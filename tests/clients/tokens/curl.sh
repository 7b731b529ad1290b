# bash: the token goes through a pipe, where `ps` does not show it
bearer() {
  printf 'oauth2-bearer = "%s"\n' "$(mailgrant token --account ada@contoso.example --format access-token "$@")"
}
curl -sS -K <(bearer) --user ada@contoso.example "imaps://outlook.office365.com/INBOX;MAILINDEX=1"
curl -sS -K <(bearer --protocol smtp) --user ada@contoso.example --ssl-reqd smtp://smtp.office365.com:587 \
  --mail-from ada@contoso.example --mail-rcpt bruno@contoso.example --upload-file letter.eml
