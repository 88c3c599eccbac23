# Sourced by test.sh and demo.sh: the packages, and a Python with Dask as $PYTHON (empty where there
# is none). Works in a fresh clone with nothing but Node and npm.
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo 'Installing the packages of package-lock.json' >&2
  npm ci --no-audit --no-fund >&2
  touch node_modules/.package-lock.json
fi

PYTHON=$(node scripts/find-dask.mjs) || PYTHON=
