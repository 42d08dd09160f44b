#!/usr/bin/env bash
# Builds the fuzzer of all parsers with libFuzzer and the address sanitizer, outside SwiftPM: its builds are not instrumented.
# Usage: Tools/fuzz/build.sh [DIRECTORY]; then DIRECTORY/fuzz DIRECTORY/corpus -max_total_time=300
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
out=${1:-$root/.build/fuzz}
mkdir -p "$out/corpus"
# The compiler leaves files where it is run.
out=$(cd "$out" && pwd)
cd "$out"

for library in CYAML CSchemaData; do
    cat > "$out/$library.modulemap" <<MAP
module $library { header "$root/Sources/$library/include/$library.h" export * }
MAP
done
clang -std=gnu23 -I "$root/Sources/CSchemaData/include" -c "$root/Sources/CSchemaData/CSchemaData.c" -o "$out/CSchemaData.o"

flags=(-swift-version 6 -package-name apus -enable-upcoming-feature ExistentialAny
    -enable-upcoming-feature NonisolatedNonsendingByDefault
    -enable-upcoming-feature InferIsolatedConformances -parse-as-library -wmo -O -g -sanitize=fuzzer,address -I "$out"
    -Xcc "-fmodule-map-file=$out/CYAML.modulemap" -Xcc "-fmodule-map-file=$out/CSchemaData.modulemap")

module() {
    local name=$1
    shift
    swiftc "${flags[@]}" -module-name "$name" -emit-module -emit-module-path "$out/$name.swiftmodule" \
        -emit-object -o "$out/$name.o" "$@"
}

sources() { find "$root/Sources/$1" -name '*.swift'; }

module Values $(sources Values)
module Units $(sources Units)
module Schema $(sources Schema)
module CEL $(sources CEL)
# The embedded schema only: the rest of that target needs more layers and parses nothing.
module APITypes "$root/Sources/APITypes/BuiltinSchema.swift"
swiftc "${flags[@]}" -module-name Fuzz -emit-executable -o "$out/fuzz" "$root"/Tools/fuzz/*.swift \
    "$out"/{Values,Units,Schema,CEL,APITypes,CSchemaData}.o -l:libyaml.a
"$root/Tools/fuzz/corpus.py" "$out/corpus"
echo "$out/fuzz"
