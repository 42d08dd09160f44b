"""The images that upstream's end-to-end suite starts, put together from programs on this machine: nothing is pulled.

The Go programs (agnhost, sample-apiserver, nnp, regression, consumer) are built from upstream's tree beforehand; shells
and network tools are Debian's, with the libraries they need.
"""

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../e2e"))
import images  # noqa: E402

# Programs that the suite calls inside its containers and that busybox lacks or has with other options.
TOOLS = ["bash", "curl", "nc", "dig", "getent", "ss", "ipcs", "iperf", "printenv"]
PASSWD = """root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
user-defined-in-image:x:1000:1000::/:/bin/sh
"""
GROUP = """root:x:0:
nogroup:x:65534:
user-defined-in-image:x:1000:
group-defined-in-image:x:50000:user-defined-in-image
"""
E2E = "registry.k8s.io/e2e-test-images"
EPOCH = "1970-01-01T00:00:00Z"


def libraries(program):
    """The shared libraries of a program, its loader among them."""
    result = subprocess.run(["ldd", program], capture_output=True, text=True)
    return [path for path in re.findall(r"(/\S+) \(0x", result.stdout) if os.path.exists(path)]


class Layer:
    """One layer of an image, put together in memory."""

    def __init__(self):
        self.out = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.out, mode="w")
        self.known = set()

    def directory(self, path, mode=0o755):
        if path in self.known:
            return
        self.known.add(path)
        info = tarfile.TarInfo(path)
        info.type, info.mode = tarfile.DIRTYPE, mode
        self.tar.addfile(info)

    def text(self, path, text, mode=0o644):
        info = tarfile.TarInfo(path)
        data = text.encode()
        info.size, info.mode = len(data), mode
        self.tar.addfile(info, io.BytesIO(data))

    def program(self, source, path, mode=0o755):
        path = path.lstrip("/")
        if path in self.known:
            return
        self.known.add(path)
        with open(os.path.realpath(source), "rb") as f:
            data = f.read()
        info = tarfile.TarInfo(path)
        info.size, info.mode = len(data), mode
        self.tar.addfile(info, io.BytesIO(data))
        for library in libraries(source):
            self.program(library, library)

    def link(self, path, target):
        info = tarfile.TarInfo(path)
        info.type, info.linkname = tarfile.SYMTYPE, target
        self.tar.addfile(info)

    def bytes(self):
        self.tar.close()
        return self.out.getvalue()


def base():
    """Busybox with all its applets, and the tools in their full versions."""
    layer = Layer()
    for path in ("bin", "usr", "usr/bin", "usr/local", "usr/local/bin", "sbin", "usr/sbin", "etc", "root", "var", "proc", "sys",
                 "dev", "home", "opt", "run", "mnt", "lib", "lib64", "uploads"):
        layer.directory(path)
    for path in ("tmp", "var/tmp"):
        layer.directory(path, 0o1777)
    layer.program("/bin/busybox", "bin/busybox")
    # Not busybox's own shell: it runs its applets whatever lies in the path, and the suite wants OpenBSD's nc; it also
    # drops variables whose names are none to it, as dash does.
    found = {"sh": shutil.which("bash")} | {tool: shutil.which(tool) for tool in TOOLS}
    for tool, source in found.items():
        if source:
            layer.program(source, f"bin/{tool}")
    for applet in subprocess.check_output(["/bin/busybox", "--list"], text=True).split():
        if applet != "busybox" and not found.get(applet):
            layer.link(f"bin/{applet}", "/bin/busybox")
    layer.link("usr/bin/env", "/bin/busybox")
    layer.text("etc/passwd", PASSWD)
    layer.text("etc/group", GROUP)
    layer.text("etc/nsswitch.conf", "hosts: files dns\n")
    return layer.bytes()


def write(path, references, layers, config):
    """Writes a docker archive with one image under several names."""
    hashes = [hashlib.sha256(layer).hexdigest() for layer in layers]
    document = json.dumps({
        "architecture": {"aarch64": "arm64"}.get(os.uname().machine, "amd64"), "os": "linux", "created": EPOCH,
        "config": {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], **config},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hash}" for hash in hashes]},
        "history": [{"created": EPOCH, "created_by": "suite"} for _ in layers],
    }).encode()
    name = hashlib.sha256(document).hexdigest() + ".json"
    entries = [(name, document)] + [(f"{hash}.tar", layer) for hash, layer in dict(zip(hashes, layers)).items()]
    manifest = [{"Config": name, "RepoTags": references, "Layers": [f"{hash}.tar" for hash in hashes]}]
    with tarfile.open(path, "w") as tar:
        for entry, data in entries + [("manifest.json", json.dumps(manifest).encode())]:
            info = tarfile.TarInfo(entry)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def application(files, text=None):
    """A layer with programs at their paths, and small texts."""
    layer = Layer()
    for source, path, mode in files:
        layer.program(source, path, mode)
    for path, content in (text or {}).items():
        layer.text(path, content)
    return layer.bytes()


def agnhost(programs, upstream):
    layer = Layer()
    layer.program(f"{programs}/agnhost", "agnhost")
    layer.link("agnhost-2", "agnhost")
    porter = f"{upstream}/test/images/agnhost/porter"
    for name in ("localhost.crt", "localhost.key"):
        if os.path.exists(f"{porter}/{name}"):
            with open(f"{porter}/{name}") as f:
                layer.text(name, f.read())
    return layer.bytes()


def build(directory, programs, upstream):
    """Writes all archives for which there are programs; returns their paths."""
    os.makedirs(directory, exist_ok=True)
    ground = base()
    host = agnhost(programs, upstream)
    serve = {"Entrypoint": ["/agnhost"], "Cmd": ["pause"]}
    page = application([], {"usr/share/nginx/html/index.html": "<title>Welcome to nginx!</title>\n"})
    web = {"Cmd": ["httpd", "-f", "-p", "80", "-h", "/usr/share/nginx/html"]}
    made = [
        write(f"{directory}/agnhost.tar", [f"{E2E}/agnhost:2.63.0", f"{E2E}/agnhost:2.55"], [ground, host], serve),
        write(f"{directory}/pause.tar", ["registry.k8s.io/pause:3.10.2"], [ground, host], {"Entrypoint": ["/agnhost", "pause"]}),
        write(f"{directory}/busybox.tar", [f"{E2E}/busybox:1.37.0-1"], [ground], {"Cmd": ["sh"]}),
        write(f"{directory}/dns.tar", [f"{E2E}/glibc-dns-testing:2.0.0"], [ground], {"Cmd": ["sleep", "360000"]}),
        write(f"{directory}/perl.tar", [f"{E2E}/perl:5.26"], [ground, application([(shutil.which("perl"), "usr/bin/perl", 0o755)])],
              {"Cmd": ["perl"]}),
        write(f"{directory}/nonroot.tar", [f"{E2E}/nonroot:1.5"], [ground], {"User": "1234", "Cmd": ["sh"]}),
        write(f"{directory}/nginx.tar", [f"{E2E}/nginx:1.15-4", f"{E2E}/nginx:1.27-0"], [ground, page], web),
    ]
    for pet in ("kitten", "nautilus"):
        data = application([], {"data.json": json.dumps({"image": f"{pet}.jpg"}) + "\n", f"{pet}.jpg": pet})
        made.append(write(f"{directory}/{pet}.tar", [f"{E2E}/{pet}:1.8"], [ground, host, data],
                          {"Entrypoint": ["/agnhost"], "Cmd": ["test-webserver"]}))
    others = [
        ("etcd", shutil.which("etcd"), "usr/local/bin/etcd", "registry.k8s.io/etcd:3.6.8-0", 0o755, {}),
        ("sample-apiserver", f"{programs}/sample-apiserver", "sample-apiserver", f"{E2E}/sample-apiserver:1.29.2", 0o755,
         {"Entrypoint": ["/sample-apiserver"]}),
        ("nonewprivs", f"{programs}/nnp", "usr/local/bin/nnp", f"{E2E}/nonewprivs:1.4", 0o6755, {"Cmd": ["nnp"]}),
        ("regression", f"{programs}/regression", "regression", f"{E2E}/regression-issue-74839:1.5", 0o755,
         {"Entrypoint": ["/regression"]}),
        ("consumer", f"{programs}/consumer", "consumer", f"{E2E}/resource-consumer:1.14", 0o755, {"Entrypoint": ["/consumer"]}),
    ]
    for name, source, path, reference, mode, config in others:
        if source and os.path.exists(source):
            made.append(write(f"{directory}/{name}.tar", [reference], [ground, application([(source, path, mode)])], config))
    return made


if __name__ == "__main__":
    for archive in build(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "/nonexistent"):
        print(archive)
