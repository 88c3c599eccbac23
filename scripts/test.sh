#!/usr/bin/env bash
# All checks and tests; with arguments only vitest, which gets them. The last line counts the tests, the one before says what
# is left to npm run matrix.
set -euo pipefail
. "$(dirname "$0")/setup.sh"

if [ -n "$PYTHON" ]; then
  export DASK_HPC_RUNNER_TEST_PYTHON=$PYTHON
elif [ "${CI:-}" = true ]; then
  echo 'Cannot test without Dask in CI' >&2
  exit 1
fi

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# The tests mostly wait, and the checks of the source compute: they run side by side. What the tests run is built first.
checking=
built=passed
if [ $# -eq 0 ]; then
  npm run --silent build || built=failed
  export DASK_HPC_RUNNER_TEST_BUILT=$built
  npm run --silent check:source >"$results/checks" 2>&1 &
  checking=$!
fi

tests=passed
node_modules/.bin/vitest run --reporter=default --reporter=json --outputFile.json="$results/tests.json" "$@" || tests=failed

checks=$built
if [ -n "$checking" ]; then
  wait "$checking" || checks=failed
  cat "$results/checks"
fi

if [ $# -eq 0 ]; then
  echo 'left to npm run matrix: other versions of Dask, Python, Slurm, MPI and Node, and other filesystems (docs/measured/matrix.md)'
fi
node scripts/test-summary.mjs "$results/tests.json" "$checks" "$tests"
