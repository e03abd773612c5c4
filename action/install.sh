#!/usr/bin/env bash
# Puts the program at hand and says where: $AIRGATE_BIN if it is set, a released version if one is asked for, else the
# source that came with this action.
set -euo pipefail

if [[ -n "${AIRGATE_BIN:-}" ]]; then
  bin=$AIRGATE_BIN
else
  root=${RUNNER_TEMP:?}/airgate
  if [[ -n "${INPUT_VERSION:-}" ]]; then
    if [[ ! "$INPUT_VERSION" =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]]; then
      echo "::error::version must be like 0.1.0" >&2
      exit 2
    fi
    cargo install --locked --git https://github.com/airgate/airgate --tag "v$INPUT_VERSION" --root "$root" airgate
  else
    cargo install --locked --path "${GITHUB_ACTION_PATH:?}" --root "$root"
  fi
  bin=$root/bin/airgate
fi

"$bin" --version
echo "bin=$bin" >> "$GITHUB_OUTPUT"
