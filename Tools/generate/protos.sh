#!/usr/bin/env bash
# Regenerates Sources/RPC/Generated from Sources/RPC/Protos.
# Needs protoc (Debian: protobuf-compiler) and a directory with the two plugins, built from the versions that
# Package.resolved pins:  swift build -c release --product protoc-gen-swift        (swift-protobuf)
#                         swift build -c release --product protoc-gen-grpc-swift-2 (grpc-swift-protobuf)
# Usage: PLUGINS=/path/to/plugins Tools/generate/protos.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
PLUGINS=${PLUGINS:?directory that holds protoc-gen-swift and protoc-gen-grpc-swift-2}
OUT=Sources/RPC/Generated
mkdir -p "$OUT"
protoc --proto_path=Sources/RPC/Protos \
    --plugin=protoc-gen-swift="$PLUGINS/protoc-gen-swift" \
    --swift_out="$OUT" --swift_opt=Visibility=Public --swift_opt=UseAccessLevelOnImports=true \
    --plugin=protoc-gen-grpc-swift-2="$PLUGINS/protoc-gen-grpc-swift-2" \
    --grpc-swift-2_out="$OUT" --grpc-swift-2_opt=Visibility=Public,Server=false,UseAccessLevelOnImports=true \
    Sources/RPC/Protos/*.proto
