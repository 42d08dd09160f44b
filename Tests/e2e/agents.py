"""Further nodes on this machine: each in a network namespace of its own, with its own apus agent and containerd."""

import os
import shutil
import signal
import subprocess
import tempfile

from cluster import APUS, Failure


def run(*command, check=True):
    result = subprocess.run(command, capture_output=True, text=True)
    if check and result.returncode != 0:
        raise Failure(f"{' '.join(command)}: {result.returncode}\n{result.stdout}\n{result.stderr}")
    return result.stdout


class AgentNode:
    """A machine behind a veth pair: `gateway`/24 on the host's end, `address` on its own."""

    def __init__(self, name, gateway, address):
        self.name, self.gateway, self.address = name, gateway, address
        self.namespace = f"apt{os.getpid()}{name}"
        self.link = f"apt{os.getpid() % 100000}{name}"[:15]
        self.dir = tempfile.mkdtemp(prefix=f"apus-agent-{name}-")
        self.data = f"{self.dir}/data"
        self.process = None
        self.inside = ["nsenter", f"--net=/run/netns/{self.namespace}"]

    def connect(self):
        """Makes the machine: only loopback and the link to the host, whose end is its gateway."""
        run("ip", "netns", "add", self.namespace)
        run("ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.namespace)
        run("ip", "addr", "add", f"{self.gateway}/24", "dev", self.link)
        run("ip", "link", "set", self.link, "up")
        for command in (
            ["ip", "link", "set", "lo", "up"],
            ["ip", "addr", "add", f"{self.address}/24", "dev", "eth0"],
            ["ip", "link", "set", "eth0", "up"],
            ["ip", "route", "add", "default", "via", self.gateway],
            # A new namespace has the host's setting.
            ["sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward"],
        ):
            self.run(*command)

    def run(self, *command, check=True):
        return run(*self.inside, *command, check=check)

    def start(self, *flags):
        """Runs `apus agent` with the flags of a join command, or none for one that has joined before."""
        log = open(f"{self.dir}/agent.log", "ab")
        self.process = subprocess.Popen(
            [*self.inside, APUS, "agent", *flags, "--data-dir", self.data, "--node-name", self.name, "--node-ip", self.address],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
        )
        log.close()

    def kill9(self):
        # nsenter has become apus: it execs without a fork.
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def down(self, purge=True):
        result = subprocess.run([*self.inside, APUS, "down", "--data-dir", self.data, *(["--purge"] if purge else [])],
                                capture_output=True, text=True, timeout=120)
        if self.process:
            self.process.wait(timeout=30)
        return result

    def log(self, lines=40):
        with open(f"{self.dir}/agent.log") as f:
            return "".join(f.readlines()[-lines:])

    def traces(self):
        """What apus could have left in the machine's network and on the host."""
        links = {line.split(":")[1].strip().split("@")[0] for line in self.run("ip", "-o", "link").splitlines()} - {"eth0"}
        return (
            {x for x in links if x.startswith("apus") or x.startswith("veth")}
            | {x for x in self.run("nft", "list", "tables").splitlines() if "apus" in x}
            | {x for x in self.run("ip", "route").splitlines() if "proto 98" in x or "apus" in x}
            | {x for x in self.run("nft", "list", "ruleset").splitlines() if "APUS" in x}
            | {x for x in run("ps", "-eo", "args").splitlines() if self.dir in x}
            | {x for x in open("/proc/mounts").read().splitlines() if self.dir in x}
        )

    def close(self):
        if self.process and self.process.poll() is None:
            self.down()
        # The kernel takes its time to end a namespace; the link must not wait for that.
        run("ip", "link", "del", self.link, check=False)
        run("ip", "netns", "del", self.namespace, check=False)
        shutil.rmtree(self.dir, ignore_errors=True)
