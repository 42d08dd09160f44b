"""logs, exec, attach, cp and port-forward, by old (SPDY) and new (WebSocket) kubectl."""

import os
import pty
import select
import subprocess
import time
import urllib.request

import pytest

from cluster import eventually
from test_kubectl import IMAGE, pod

pytestmark = pytest.mark.root


@pytest.fixture
def shell(any_kubectl, namespace):
    any_kubectl.apply(pod("shell", namespace))
    any_kubectl.wait_pod(namespace, "shell", "Running")
    return any_kubectl, namespace


def test_exec_runs_a_command_and_returns_its_exit_code(shell):
    c, ns = shell
    result = c.kubectl("exec", "shell", "-n", ns, "--", "sh", "-c", "echo out; echo err >&2; exit 7", check=False)
    assert (result.stdout, result.returncode) == ("out\n", 7)
    assert "err\n" in result.stderr


def test_exec_with_input_that_ends(shell):
    c, ns = shell
    assert c.kubectl("exec", "-i", "shell", "-n", ns, "--", "wc", "-c", input="x" * 100_000).stdout.strip() == "100000"


def test_exec_of_a_program_that_is_not_there(shell):
    c, ns = shell
    result = c.kubectl("exec", "shell", "-n", ns, "--", "no-such-program", check=False)
    assert result.returncode != 0 and "no-such-program" in result.stderr


def test_exec_on_a_terminal(shell):
    c, ns = shell
    mine, theirs = pty.openpty()
    process = subprocess.Popen([c.kubectl_path, "exec", "-it", "shell", "-n", ns, "--", "sh"], env=c.env(),
                               stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True)
    os.close(theirs)
    seen = b""

    def until(text, timeout=60):
        nonlocal seen
        end = time.monotonic() + timeout
        while text not in seen:
            assert time.monotonic() < end, seen
            if select.select([mine], [], [], 0.2)[0]:
                try:
                    seen += os.read(mine, 4096)
                except OSError:
                    break
        return seen
    try:
        until(b"#")
        os.write(mine, b"tty && echo sum=$((40+2))\n")
        until(b"sum=42")
        assert b"/dev/pts/" in seen
        os.write(mine, b"exit 4\n")
        assert process.wait(60) == 4
    finally:
        process.kill()
        os.close(mine)


def test_cp_both_ways(shell, tmp_path):
    c, ns = shell
    source = tmp_path / "source.bin"
    source.write_bytes(os.urandom(300_000))
    c.kubectl("cp", str(source), f"{ns}/shell:/tmp/copied.bin")
    c.kubectl("cp", f"{ns}/shell:/tmp/copied.bin", str(tmp_path / "back.bin"))
    assert (tmp_path / "back.bin").read_bytes() == source.read_bytes()


def test_attach_sees_output_and_gives_input(any_kubectl, namespace):
    c = any_kubectl
    manifest = pod("echo", namespace, command=("sh", "-c", "while read line; do echo got $line; done; echo ended; sleep 3600"))
    manifest["spec"]["containers"][0].update(stdin=True, stdinOnce=True)
    c.apply(manifest)
    c.wait_pod(namespace, "echo", "Running")
    process = c.start("attach", "-i", "echo", "-n", namespace, stdin=subprocess.PIPE)
    try:
        process.stdin.write("one\n")
        process.stdin.flush()
        line = process.stdout.readline()
        while "got one" not in line:
            assert line, "attach ended"
            line = process.stdout.readline()
    finally:
        process.kill()
        process.wait()


def test_port_forward(any_kubectl, namespace):
    c = any_kubectl
    c.kubectl("run", "web", "-n", namespace, "--image=bjrdc206:443/bjrdc-dev/hello-node:v1.0.0")
    c.wait_pod(namespace, "web", "Running")
    # A container runs before its program listens, and a forwarder may give up when it is refused.
    eventually(lambda: "hello" in c.out("get", "--raw", f"/api/v1/namespaces/{namespace}/pods/web:8080/proxy/"))
    process = c.start("port-forward", "pod/web", "-n", namespace, ":8080")
    try:
        line = process.stdout.readline()
        port = int(line.split("127.0.0.1:")[1].split(" ")[0])
        for _ in range(3):
            assert urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30).read() == b"hello v1.0.0 from web\n"
    finally:
        process.kill()
        process.wait()


def test_logs(any_kubectl, namespace):
    c = any_kubectl
    manifest = pod("talk", namespace, command=("sh", "-c", "for i in 1 2 3 4 5; do echo line $i; done; sleep 3600"))
    manifest["spec"]["containers"].append({"name": "other", "image": IMAGE, "command": ["sh", "-c", "echo other; sleep 3600"]})
    c.apply(manifest)
    c.wait_pod(namespace, "talk", "Running")
    everything = "".join(f"line {i}\n" for i in range(1, 6))
    assert eventually(lambda: c.out("logs", "talk", "-n", namespace, "-c", "main") == everything, 10)
    assert c.out("logs", "talk", "-n", namespace, "-c", "main", "--tail=2") == "line 4\nline 5\n"
    assert eventually(lambda: c.out("logs", "talk", "-n", namespace, "-c", "other") == "other\n")
    assert c.out("logs", "talk", "-n", namespace, "-c", "main", "--since=1h") == everything
    stamped = c.out("logs", "talk", "-n", namespace, "-c", "main", "--timestamps", "--tail=1")
    assert stamped[:2] == "20" and stamped.endswith("line 5\n")
    missing = c.kubectl("logs", "talk", "-n", namespace, "-c", "absent", check=False)
    assert missing.returncode == 1 and "container absent is not valid for pod talk" in missing.stderr


def test_logs_follow_until_the_container_ends(any_kubectl, namespace):
    c = any_kubectl
    manifest = pod("count", namespace, command=("sh", "-c", "for i in 1 2 3 4; do echo $i; sleep 0.3; done"), restartPolicy="Never")
    c.apply(manifest)
    eventually(lambda: c.json("get", "pod", "count", "-n", namespace)["status"]["phase"] in ("Running", "Succeeded"), 30)
    assert c.out("logs", "-f", "count", "-n", namespace, timeout=60) == "1\n2\n3\n4\n"


def test_logs_of_the_previous_container(any_kubectl, namespace):
    c = any_kubectl
    manifest = pod("again", namespace, command=("sh", "-c", "echo run; test -e /keep/ran || { touch /keep/ran; exit 1; }; echo second; sleep 3600"),
                   volumes=[{"name": "keep", "emptyDir": {}}])
    manifest["spec"]["containers"][0]["volumeMounts"] = [{"name": "keep", "mountPath": "/keep"}]
    c.apply(manifest)
    eventually(lambda: c.out("logs", "again", "-n", namespace) == "run\nsecond\n", 40)
    assert c.out("logs", "again", "-n", namespace, "--previous") == "run\n"
