#!/usr/bin/env bash
# A whole Dask cluster on this machine, as a job of four processes.
set -euo pipefail
. "$(dirname "$0")/setup.sh"

if [ -z "$PYTHON" ]; then exit 1; fi
node scripts/build.mjs
exec node dist/cli.js local -n 4 --python "$PYTHON" -- "$PYTHON" examples/demo.py
