#!/usr/bin/env bash
# Runs the end-to-end tests. Those that fail are run once more, on clusters of their own, which tells a starved test from a
# defect; both runs are shown. With arguments, those are given to pytest instead of the whole suite.
set -uo pipefail
cd "$(dirname "$0")/.."

python3 -m pytest -q -rs "${@:-Tests/e2e}" && exit
status=$?
# 1: tests failed. Anything else is no matter of a second try: interrupted, nothing collected, used wrongly.
[ $status = 1 ] || exit $status
echo "trying again those that failed"
exec python3 -m pytest -q -rs --last-failed --last-failed-no-failures none "${@:-Tests/e2e}"
