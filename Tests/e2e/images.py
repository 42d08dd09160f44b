"""Container images for the tests, made from Debian's busybox-static: nothing is pulled."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile

BUSYBOX = "/bin/busybox"

SERVE = """#!/bin/sh
# A small real HTTP server: busybox httpd forks a process per connection, so that requests in flight
# end well when the parent is told to leave.
mkdir -p /www
echo "hello {version} from $(hostname)" > /www/index.html
echo "{version}" > /www/version
echo ok > /www/healthz
httpd -f -p ${{PORT:-8080}} -h /www &
server=$!
echo "serving {version} on ${{PORT:-8080}}"
trap 'echo leaving; kill $server; exit 0' TERM INT
wait $server
"""


def _layer(files):
    """A layer of busybox with all its applets, and `files` (path to text or bytes)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        def directory(path, mode=0o755):
            info = tarfile.TarInfo(path)
            info.type, info.mode = tarfile.DIRTYPE, mode
            tar.addfile(info)

        def regular(path, data, mode):
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(data), mode
            tar.addfile(info, io.BytesIO(data))

        for path in ("bin", "etc", "root", "var", "proc", "sys", "dev"):
            directory(path)
        directory("tmp", 0o1777)
        with open(BUSYBOX, "rb") as f:
            regular("bin/busybox", f.read(), 0o755)
        for applet in subprocess.check_output([BUSYBOX, "--list"], text=True).split():
            if applet != "busybox":
                info = tarfile.TarInfo(f"bin/{applet}")
                info.type, info.linkname = tarfile.SYMTYPE, "/bin/busybox"
                tar.addfile(info)
        regular("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n", 0o644)
        regular("etc/group", b"root:x:0:\nnogroup:x:65534:\n", 0o644)
        for path, text in files.items():
            regular(path, text if isinstance(text, bytes) else text.encode(), 0o755)
    return out.getvalue()


def write(path, reference, files=None, config=None):
    """Writes a docker archive with one image."""
    layer = _layer(files or {})
    diff = hashlib.sha256(layer).hexdigest()
    document = {
        "architecture": {"aarch64": "arm64"}.get(os.uname().machine, "amd64"),
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {"Env": ["PATH=/bin"], **(config or {"Cmd": ["/bin/sh"]})},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff}"]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "tests"}],
    }
    encoded = json.dumps(document).encode()
    name = hashlib.sha256(encoded).hexdigest() + ".json"
    manifest = json.dumps([{"Config": name, "RepoTags": [reference], "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(path, "w") as tar:
        for entry, data in ((name, encoded), ("layer.tar", layer), ("manifest.json", manifest)):
            info = tarfile.TarInfo(entry)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


HELLO = "bjrdc206:443/bjrdc-dev/hello-node"
BUSYBOX_IMAGE = "docker.io/library/busybox:1"


def hello_node(path, version):
    """The notes' hello-node as a static HTTP server on 8080 that says its version and its pod."""
    return write(
        path, f"{HELLO}:{version}",
        files={"serve": SERVE.format(version=version)},
        config={"Entrypoint": ["/serve"], "ExposedPorts": {"8080/tcp": {}}},
    )


GRPC_IMAGE = "docker.io/library/grpc-health:1"


def grpc_health(path):
    """A real gRPC server with the standard health service (grpc_health.c), static like everything here."""
    source = os.path.join(os.path.dirname(__file__), "grpc_health.c")
    compiler = next(c for c in ("cc", "gcc", "clang") if shutil.which(c))
    with tempfile.TemporaryDirectory() as directory:
        program = f"{directory}/grpc-health"
        subprocess.run([compiler, "-static", "-O1", "-o", program, source], check=True)
        with open(program, "rb") as f:
            return write(path, GRPC_IMAGE, files={"grpc-health": f.read()}, config={"Entrypoint": ["/grpc-health", "50051"]})


def busybox(path):
    return write(path, BUSYBOX_IMAGE)


if __name__ == "__main__":
    import sys
    directory = sys.argv[1]
    os.makedirs(directory, exist_ok=True)
    hello_node(f"{directory}/hello-node-v1.0.0.tar", "v1.0.0")
    hello_node(f"{directory}/hello-node-v2.0.0.tar", "v2.0.0")
    busybox(f"{directory}/busybox.tar")
