#!/usr/bin/env bash
# Adds the report to the job's summary. Where there is none the gate says why.
set -euo pipefail

if [[ -f "${MARKDOWN_FILE:-}" ]]; then cat -- "$MARKDOWN_FILE" >> "$GITHUB_STEP_SUMMARY"; fi
