mailgrant sandbox --ready-file sandbox.json &
until [ -e sandbox.json ]; do sleep 0.1; done # it appears whole, when every port answers
control=$(jq -r .control sandbox.json)
sandbox() { curl -sSf -H "X-Sandbox-Control: 1" -H "Content-Type: application/json" "$control/$1" "${@:2}"; }

sandbox clock -d '{"advance_seconds": 3600}'                    # every access token has expired
sandbox revoke -d '{"user": "ada.finch@tarnbrook.test"}'        # AADSTS50173 at the next refresh
sandbox deliver -d '{"mailbox": "ada.finch@tarnbrook.test", "from": "you@else.test", "subject": "Hi", "text": "Hello."}'
sandbox faults -d '{"authority": {"status": 503, "retry_after": 30, "path": "/token", "times": 2}}'
sandbox requests                                                # what your program asked, and why it was refused
kill %1
