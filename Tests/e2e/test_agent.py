"""Three nodes on one machine: the server, an agent on its link, and an agent behind a router."""

import json
import os
import subprocess
import urllib.request

import pytest

from agents import AgentNode, run
from cluster import APUS, Cluster, Failure, container_ids, eventually, unused_ranges

pytestmark = pytest.mark.root

HELLO = "bjrdc206:443/bjrdc-dev/hello-node:v1.0.0"
BUSYBOX = "docker.io/library/busybox:1"
NODES = ("srv", "near", "far")
# `far` is on another link than the server's address and `near`: packets between its pods and theirs go in VXLAN envelopes.
LINKS, PODS, SERVICES = unused_ranges(3)
SERVER, NEAR, FAR = f"{LINKS}.1.1", f"{LINKS}.1.2", f"{LINKS}.2.2"


def join_command(cluster, *flags):
    out = cluster.apus("token", "create", "--data-dir", cluster.data, *flags).stdout.split()
    assert out[:2] == ["apus", "agent"], out
    return out[2:]


def node_ready(cluster, name):
    conditions = cluster.json("get", "node", name)["status"]["conditions"]
    return next(c["status"] for c in conditions if c["type"] == "Ready")


@pytest.fixture(scope="module")
def nodes(archives):
    near = AgentNode("near", SERVER, NEAR)
    far = AgentNode("far", f"{LINKS}.2.1", FAR)
    c = Cluster("agents", extra=["--node-ip", SERVER, "--node-name", "srv"],
                cluster_cidr=f"{PODS}.0.0/16", service_cidr=f"{SERVICES}.0.0/16", dns=f"{SERVICES}.0.10")
    try:
        near.connect()
        far.connect()
        # A host whose own filter forwards nothing, as Docker leaves it.
        near.run("iptables", "-P", "FORWARD", "DROP")
        c.up()
        for node in (near, far):
            node.start(*join_command(c))
        for name in NODES:
            try:
                eventually(lambda: node_ready(c, name) == "True", 90, what=f"node {name} to be Ready")
            except Failure as failure:
                raise Failure(f"{failure}\n{near.log()}\n---\n{far.log()}\n---\n{c.log_tail()}")
        c.import_image(archives["v1"])
        c.import_image(archives["busybox"])
        for node in (near, far):
            for archive in (archives["v1"], archives["busybox"]):
                c.apus("image", "import", archive, "--data-dir", node.data)
        eventually(lambda: c.kubectl("get", "serviceaccount", "default", check=False).returncode == 0, 20)
        for name in NODES:
            c.apply(web(name))
            c.apply(shell(name))
        c.kubectl("create", "service", "nodeport", "web", "--tcp=80:8080")
        for name in NODES:
            c.wait_pod("default", f"shell-{name}", "Running", 90)
        c.wait_ready("default", "app=web", 3, 90)
        yield c, near, far
    finally:
        for node in (near, far):
            node.close()
        c.close()


def web(node):
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"web-{node}", "namespace": "default", "labels": {"app": "web"}},
        "spec": {"nodeName": node, "terminationGracePeriodSeconds": 1, "containers": [{"name": "web", "image": HELLO,
                 "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1}}]},
    }


def shell(node):
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"shell-{node}", "namespace": "default"},
        "spec": {"nodeName": node, "terminationGracePeriodSeconds": 1,
                 "containers": [{"name": "shell", "image": BUSYBOX, "command": ["sleep", "100000"]}]},
    }


def test_each_node_has_a_range_of_its_own(nodes):
    c, _, _ = nodes
    items = c.json("get", "nodes")["items"]
    assert sorted(n["metadata"]["name"] for n in items) == sorted(NODES)
    assert len({n["spec"]["podCIDR"] for n in items}) == 3
    pods = {p["metadata"]["name"]: p["status"]["podIP"] for p in c.pods("default")}
    assert len(set(pods.values())) == len(pods)


def test_pods_of_all_nodes_reach_one_another_by_address(nodes):
    c, near, far = nodes
    addresses = {name: c.json("get", "pod", f"web-{name}")["status"]["podIP"] for name in NODES}
    for source in NODES:
        for target in NODES:
            out = eventually(lambda: c.out("exec", f"shell-{source}", "--", "timeout", "3", "wget", "-q", "-O", "-", f"http://{addresses[target]}:8080/"), 30,
                             what=f"{source} to reach {target}")
            assert out == f"hello v1.0.0 from web-{target}\n"
    assert "dev eth0" in near.run("ip", "route", "show", c.json("get", "node", "srv")["spec"]["podCIDR"])
    assert "onlink" in far.run("ip", "route", "show", c.json("get", "node", "near")["spec"]["podCIDR"])


def test_a_pod_sees_who_calls(nodes):
    """Packets between pods keep their source: nothing is masqueraded on the way to another node."""
    c, _, _ = nodes
    caller = c.json("get", "pod", "shell-near")["status"]["podIP"]
    target = c.json("get", "pod", "shell-far")["status"]["podIP"]
    listener = c.start("exec", "shell-far", "--", "timeout", "25", "httpd", "-f", "-v", "-p", "9000", "-h", "/tmp")
    try:
        fetch = ("exec", "shell-near", "--", "timeout", "3", "wget", "-q", "-O", "-", f"http://{target}:9000/none")
        eventually(lambda: "404" in c.kubectl(*fetch, check=False).stderr, 20)
        output = listener.communicate(timeout=40)[0]
    finally:
        listener.kill()
    assert caller in output, output


def test_large_packets_pass_in_envelopes(nodes):
    c, _, _ = nodes
    target = c.json("get", "pod", "shell-far")["status"]["podIP"]
    for size in ("1400", "1472", "4000"):
        assert "0% packet loss" in c.out("exec", "shell-near", "--", "ping", "-c", "2", "-W", "3", "-s", size, target)


@pytest.mark.parametrize("source", NODES)
def test_services_and_names_work_on_every_node(nodes, source):
    c, _, _ = nodes

    def answers(count):
        script = f"for i in $(seq {count}); do timeout 3 wget -q -O - http://web.default.svc.cluster.local/ || exit 1; done"
        return set(c.out("exec", f"shell-{source}", "--", "sh", "-c", script).split("\n"))
    seen = set()

    def all_seen():
        seen.update(x for x in answers(10) if x)
        return len(seen) == 3
    eventually(all_seen, 30, what=f"all three endpoints from {source}")
    assert f"{SERVICES}.0.1" in c.out("exec", f"shell-{source}", "--", "nslookup", "-type=a", "kubernetes.default.svc.cluster.local")


def test_node_ports_answer_on_every_node(nodes):
    c, _, _ = nodes
    port = c.json("get", "service", "web")["spec"]["ports"][0]["nodePort"]
    for address in (SERVER, NEAR, FAR):
        answer = eventually(lambda: urllib.request.urlopen(f"http://{address}:{port}/", timeout=3).read().decode(), 20)
        assert answer.startswith("hello v1.0.0 from web-")


def test_policy_local_answers_only_where_an_endpoint_is_and_keeps_the_source(nodes):
    c, _, _ = nodes
    c.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "local", "namespace": "default"},
             "spec": {"type": "NodePort", "externalTrafficPolicy": "Local", "selector": {"only": "near"},
                      "ports": [{"port": 80, "targetPort": 8080}]}})
    c.kubectl("label", "pod", "web-near", "only=near")
    port = c.json("get", "service", "local")["spec"]["ports"][0]["nodePort"]
    answer = eventually(lambda: urllib.request.urlopen(f"http://{NEAR}:{port}/", timeout=2).read().decode(), 20)
    assert answer == "hello v1.0.0 from web-near\n"
    with pytest.raises(OSError):
        urllib.request.urlopen(f"http://{FAR}:{port}/", timeout=2)


@pytest.mark.parametrize("name", ("near", "far"))
def test_logs_and_exec_reach_the_agents_node(nodes, name):
    c, _, _ = nodes
    assert "serving v1.0.0" in eventually(lambda: c.out("logs", f"web-{name}"), 30)
    assert c.out("exec", f"web-{name}", "--", "hostname").strip() == f"web-{name}"
    assert c.kubectl("exec", "-i", f"shell-{name}", "--", "cat", input="in and out").stdout == "in and out"


def test_the_host_s_filter_lets_pods_through(nodes):
    _, near, _ = nodes
    rules = near.run("iptables", "-S")
    assert "-P FORWARD DROP" in rules and "APUS-FORWARD" in rules


def test_requests_for_certificates_are_settled(nodes):
    c, _, _ = nodes
    requests = c.json("get", "certificatesigningrequests")["items"]
    signers = {r["spec"]["signerName"] for r in requests}
    assert {"kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/kubelet-serving"} <= signers
    assert all(r["status"].get("certificate") for r in requests)
    assert c.out("get", "csr").count("Approved,Issued") == len(requests)


def test_a_node_may_not_touch_another(nodes):
    c, near, _ = nodes
    config = f"{near.data}/kubelet.conf"
    result = subprocess.run([c.kubectl_path, "--kubeconfig", config, "label", "node", "far", "a=b"], capture_output=True, text=True)
    assert result.returncode == 1 and 'node "near" is not allowed to modify node "far"' in result.stderr
    result = subprocess.run([c.kubectl_path, "--kubeconfig", config, "get", "secrets", "-A"], capture_output=True, text=True)
    assert result.returncode == 1 and "forbidden" in result.stderr.lower()


def test_tokens_are_listed_and_deleted(nodes):
    c, _, _ = nodes
    token = c.apus("token", "create", "--token-only", "--ttl", "2h", "--description", "for a test", "--data-dir", c.data).stdout.strip()
    out = c.apus("token", "list", "--data-dir", c.data).stdout
    assert out.startswith("TOKEN") and token in out and "for a test" in out and "authentication,signing" in out
    c.apus("token", "delete", token, "--data-dir", c.data)
    assert token not in c.apus("token", "list", "--data-dir", c.data).stdout


def test_a_wrong_hash_and_bad_flags_are_refused(nodes, tmp_path):
    c, near, _ = nodes
    flags = join_command(c)
    flags[flags.index("--discovery-token-ca-cert-hash") + 1] = "sha256:" + "0" * 64
    data = ["--data-dir", str(tmp_path / "d")]
    result = subprocess.run([*near.inside, APUS, "agent", *flags, *data], capture_output=True, text=True, timeout=60)
    assert result.returncode == 1 and "has the hash sha256:" in result.stderr
    assert not os.path.exists(tmp_path / "d" / "kubelet.conf")
    for arguments, word in ((["--token", "short"], "--token"), (["--server", "http://x"], "--server"),
                            (["--token", "abcdef.0123456789abcdef", "--server", "https://x"], "ca-cert-hash"), ([], "--server and --token")):
        result = subprocess.run([*near.inside, APUS, "agent", *arguments, *data], capture_output=True, text=True, timeout=60)
        assert result.returncode != 0 and word in result.stderr, (arguments, result.stderr)


def test_cordon_and_drain(nodes):
    c, _, _ = nodes
    c.kubectl("create", "deployment", "spread", f"--image={HELLO}", "--replicas=3")
    c.wait_ready("default", "app=spread", 3, 60)
    c.kubectl("delete", "pod", "web-far", "--wait=true")
    c.kubectl("cordon", "far")
    assert c.json("get", "node", "far")["spec"]["unschedulable"] is True
    c.kubectl("drain", "far", "--force", "--ignore-daemonsets", "--delete-emptydir-data", timeout=90)

    def moved():
        pods = c.ready_pods("default", "app=spread", 3)
        return pods and all(p["spec"]["nodeName"] != "far" for p in pods)
    eventually(moved, 60, what="the drained node's pods to run elsewhere")
    c.kubectl("uncordon", "far")
    c.kubectl("delete", "deployment", "spread")
    for manifest in (web("far"), shell("far")):
        c.apply(manifest)
    c.wait_ready("default", "app=web", 3, 60)


def test_a_killed_agent_comes_back_and_adopts_its_containers(nodes):
    c, near, _ = nodes
    before = container_ids(c.wait_pod("default", "web-near", "Running"))
    address = c.json("get", "pod", "web-near")["status"]["podIP"]
    near.kill9()
    eventually(lambda: node_ready(c, "near") == "Unknown", 120, 1, "the node to be NotReady")
    # Its containers and their network go on without it.
    assert urllib.request.urlopen(f"http://{address}:8080/", timeout=5).read().decode() == "hello v1.0.0 from web-near\n"
    near.start()
    eventually(lambda: node_ready(c, "near") == "True", 60, what="the node to be Ready again")
    pod = c.wait_pod("default", "web-near", "Running")
    assert container_ids(pod) == before
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 0
    eventually(lambda: c.out("exec", "web-near", "--", "hostname").strip() == "web-near", 30)
    eventually(lambda: c.ready_pods("default", "app=web", 3), 30)


def test_down_leaves_nothing_of_a_node(nodes):
    c, near, far = nodes
    assert any("apusv" in x for x in far.traces()), "the overlay's device"
    for node in (near, far):
        result = node.down()
        assert result.returncode == 0, result.stderr
        assert node.traces() == set()
        assert node.run("cat", "/proc/sys/net/ipv4/ip_forward").strip() == "0"
        assert not os.path.exists(node.data)
    assert "-P FORWARD DROP" in near.run("iptables", "-S")
    c.kubectl("delete", "node", "far")
    eventually(lambda: "kube-dns-far" not in c.out("get", "endpointslices", "-n", "kube-system"), 30, what="the node's DNS endpoint to go")
