#!/usr/bin/env bash
# Ends the action with airgate's exit code. No code means that airgate did not run: the gate stays closed.
set -euo pipefail

case "${EXIT_CODE:-}" in
  0) exit 0 ;;
  1) echo "::error title=airgate::findings at or above the threshold; see the summary of the job" ;;
  3) echo "::error title=airgate::nothing to analyse" ;;
  [0-9]*) echo "::error title=airgate::the input could not be analysed as a whole" ;;
  *)
    echo "::error title=airgate::airgate did not run"
    exit 2
    ;;
esac
exit "$EXIT_CODE"
