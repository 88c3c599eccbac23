#!/usr/bin/env bash
# All checks and tests; with arguments only vitest, which gets them. The last line counts the tests.
set -euo pipefail
. "$(dirname "$0")/setup.sh"

if [ -n "$PYTHON" ]; then
  export DASK_HPC_RUNNER_TEST_PYTHON=$PYTHON
elif [ "${CI:-}" = true ]; then
  echo 'Cannot test without Dask in CI' >&2
  exit 1
fi

checks=passed
if [ $# -eq 0 ]; then
  npm run --silent check || checks=failed
fi

report=$(mktemp)
trap 'rm -f "$report"' EXIT
tests=passed
node_modules/.bin/vitest run --reporter=default --reporter=json --outputFile.json="$report" "$@" || tests=failed

node scripts/test-summary.mjs "$report" "$checks" "$tests"
