#!/usr/bin/env bash
# Runs the suites of one target after another: many keep real deadlines on real sockets and containers, and starve
# each other when all run at once on two cores. A target that fails is run again, twice at most, which tells a starved test from
# a defect; every run is shown.
set -uo pipefail

bundle=$(ls .build/debug/*PackageTests.xctest | head -n 1)
passed=0
failed=()
for directory in Tests/*Tests; do
    target=$(basename "$directory")
    log=$(mktemp)
    for attempt in 1 2 3; do
        timeout 300 "$bundle" --testing-library swift-testing --filter "^$target\\." >"$log" 2>&1
        status=$?
        grep -aE '✘|Test run with' "$log" | sed "s/^/$target: /"
        if [ $status = 0 ]; then break; fi
        echo "$target: attempt $attempt ended with $status"
    done
    if [ $status = 0 ]; then passed=$((passed + 1)); else failed+=("$target"); tail -n 40 "$log"; fi
    rm -f "$log"
done
for target in ${failed[@]+"${failed[@]}"}; do echo "FAILED: $target"; done
echo "targets: $passed passed, ${#failed[@]} failed"
[ ${#failed[@]} = 0 ]
