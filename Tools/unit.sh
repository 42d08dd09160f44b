#!/usr/bin/env bash
# Runs the suites of one target after another: many keep real deadlines on real sockets and containers, and starve
# each other when all run at once on two cores. A target that fails is run again, twice at most, which tells a starved test from
# a defect; every run is shown, and what failed is shown once more at the end, where a cut record of the output still has it.
set -uo pipefail

bundle=$(ls .build/debug/*PackageTests.xctest | head -n 1)
passed=0
failed=()
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
for directory in Tests/*Tests; do
    target=$(basename "$directory")
    log=$logs/$target
    for attempt in 1 2 3; do
        timeout 450 "$bundle" --testing-library swift-testing --filter "^$target\\." >"$log" 2>&1
        status=$?
        grep -aE '✘|Test run with' "$log" | sed "s/^/$target: /"
        if [ $status = 0 ]; then break; fi
        echo "$target: attempt $attempt ended with $status"
    done
    if [ $status = 0 ]; then passed=$((passed + 1)); else failed+=("$target"); fi
done
for target in ${failed[@]+"${failed[@]}"}; do
    echo "FAILED: $target"
    grep -aE -A 5 '✘|[Ff]atal error|Crash' "$logs/$target" | cut -c 1-400 | head -n 40
    tail -n 10 "$logs/$target" | cut -c 1-400
done
echo "targets: $passed passed, ${#failed[@]} failed"
[ ${#failed[@]} = 0 ]
