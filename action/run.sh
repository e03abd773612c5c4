#!/usr/bin/env bash
# Runs airgate once, with all its reports, and keeps its exit code for the last step: a failing gate must not keep the
# reports from being uploaded.
set -euo pipefail

# The lines of $1 that are not empty. (The bash of macOS is too old for anything neater.)
lines() {
  local line
  while IFS= read -r line || [[ -n "$line" ]]; do
    line=${line%$'\r'}
    if [[ -n "${line//[[:space:]]/}" ]]; then printf '%s\n' "$line"; fi
  done <<< "$1"
}

directory=${INPUT_WORKING_DIRECTORY:-.}
cd -- "$directory"

sarif=${INPUT_SARIF_FILE:-airgate.sarif}
json=${INPUT_JSON_FILE:-airgate.json}
markdown=${RUNNER_TEMP:?}/airgate-summary.md
# A report of an earlier run must not pass for one of this run.
rm -f -- "$sarif" "$json" "$markdown"

# The plan stands for the default path, not beside it: one change is not to be judged twice.
if [[ -n "${INPUT_PLAN_FILE:-}" && "${INPUT_PATH:-.}" = . ]]; then
  paths=("$INPUT_PLAN_FILE")
else
  paths=()
  while IFS= read -r line; do paths+=("$line"); done < <(lines "${INPUT_PATH:-.}")
  if [[ -n "${INPUT_PLAN_FILE:-}" ]]; then paths+=("$INPUT_PLAN_FILE"); fi
fi

arguments=(check --output "sarif=$sarif" --output "json=$json" --output "markdown=$markdown")
if [[ -n "${INPUT_FAIL_ON:-}" ]]; then arguments+=(--fail-on "$INPUT_FAIL_ON"); fi
if [[ -n "${INPUT_CONFIG:-}" ]]; then arguments+=(--config "$INPUT_CONFIG"); fi
while IFS= read -r line; do arguments+=("$line"); done < <(lines "${INPUT_ARGS:-}")

code=0
"${AIRGATE_BIN:?}" "${arguments[@]}" -- "${paths[@]:-.}" || code=$?

# Where a file can be found from the workspace, which is where later steps are.
from_workspace() {
  if [[ ! -f "$1" ]]; then return; fi
  if [[ "$1" = /* || "$directory" = . ]]; then echo "$1"; else echo "$directory/$1"; fi
}
{
  echo "exit-code=$code"
  echo "sarif-file=$(from_workspace "$sarif")"
  echo "json-file=$(from_workspace "$json")"
  echo "markdown-file=$markdown"
} >> "$GITHUB_OUTPUT"
