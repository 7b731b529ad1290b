if token=$(mailgrant token --account ada@contoso.example --format access-token --wait 60); then
  echo "a token of ${#token} characters"
else
  case $? in
    3) echo "the operator: a setting, a secret or the API key is wrong" ;;
    4) echo "nobody: try again later" ;;
    5) echo "the person: sign in again"; mailgrant accounts show ada@contoso.example ;;
  esac
fi
