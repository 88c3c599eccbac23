#!/usr/bin/env bash
# A whole Dask cluster on this machine, as a job of four processes.
set -euo pipefail
. "$(dirname "$0")/setup.sh"

if [ -z "$PYTHON" ]; then exit 1; fi
node scripts/build.mjs
# Dask tells a lot about a start and an end.
export DASK_DISTRIBUTED__LOGGING__DISTRIBUTED=warning
exec node dist/cli.cjs local -n 4 --python "$PYTHON" -- "$PYTHON" examples/demo.py
