#!/bin/sh
# Chromium as people run it: Playwright's own flags allow every popup and switch storage partitioning off, which hides
# exactly the failures that a sign-in widget has to survive. Only the command line itself tells which flags those are.
for flag; do
  shift
  case $flag in
    --disable-popup-blocking) ;;
    --disable-features=*) set -- "$@" "$(printf %s "$flag" | sed 's/,\{0,1\}ThirdPartyStoragePartitioning//')" ;;
    *) set -- "$@" "$flag" ;;
  esac
done
exec "${CHROMIUM:-/usr/bin/chromium}" "$@"
