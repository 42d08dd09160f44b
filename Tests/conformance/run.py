"""Runs upstream's end-to-end suite against a cluster of its own, and writes a list of every spec.

    APUS=dist/apus python3 Tests/conformance/run.py PROGRAMS OUT [--focus RE] [--skip RE] [--procs N] [--upstream TREE]

PROGRAMS holds what docs/conformance.md builds: e2e.test, ginkgo, kubectl and the programs of the images.
"""

import argparse
import glob
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../e2e"))
import suite_images  # noqa: E402
from agents import AgentNode  # noqa: E402
from cluster import Cluster, eventually, unused_ranges  # noqa: E402

# What no cluster of defaults on one machine can pass: features that upstream has off, programs restarted over ssh, upgrades,
# images that are only in a registry, alpha interfaces.
NEVER = [
    r"\[Alpha\]", r"\[Feature:OffByDefault\]", r"\[Flaky\]", r"DaemonRestart", r"Etcd failure", r"should persist after restart",
    r"\[Feature:StatefulSet\]", r"\[Feature:StatefulUpgrade\]", r"master upgrade", r"\[Feature:StorageVersionAPI\]",
]


def specs(report):
    """Every spec that ran, as (state, name, seconds, where, why)."""
    with open(report) as f:
        for suite in json.load(f):
            for spec in suite["SpecReports"] or []:
                if spec["LeafNodeType"] != "It" or spec["State"] == "skipped" and not spec.get("Failure"):
                    continue
                failure = spec.get("Failure") or {}
                place = failure.get("Location") or {}
                name = " ".join((spec.get("ContainerHierarchyTexts") or []) + [spec["LeafNodeText"]]).strip()
                where = f"{place.get('FileName', '')}:{place.get('LineNumber', '')}".split("/test/e2e/")[-1]
                why = " ".join((failure.get("Message") or "").split())[:300]
                yield spec["State"], name, spec["RunTime"] / 1e9, where if failure else "", why


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs")
    parser.add_argument("out")
    parser.add_argument("--focus", default=r"\[sig-api-machinery\].*\[Conformance\]")
    parser.add_argument("--skip", default="")
    parser.add_argument("--procs", default="4")
    parser.add_argument("--nodes", type=int, default=1, help="further nodes run in network namespaces of this machine")
    parser.add_argument("--images", default="", help="directory of image archives; made in OUT when left out")
    parser.add_argument("--upstream", default="/nonexistent", help="upstream's source tree, for the texts some images hold")
    options = parser.parse_args()
    programs, out = os.path.abspath(options.programs), os.path.abspath(options.out)
    os.makedirs(out, exist_ok=True)
    directory = os.path.abspath(options.images or f"{out}/images")
    archives = sorted(glob.glob(f"{directory}/*.tar")) or suite_images.build(directory, programs, options.upstream)
    pods, services, links = unused_ranges(3)
    # A second node is on a link of its own, whose end here is the server's address.
    agents = [AgentNode(f"two{n}", f"{links}.{n}.1", f"{links}.{n}.2") for n in range(1, options.nodes)]
    cluster = Cluster("suite", cluster_cidr=f"{pods}.0.0/16", service_cidr=f"{services}.0.0/16", dns=f"{services}.0.10",
                      extra=["--node-ip", f"{links}.1.1"] if agents else [])
    try:
        for agent in agents:
            agent.connect()
        cluster.up()
        for agent in agents:
            command = cluster.apus("token", "create", "--data-dir", cluster.data).stdout.split()
            agent.start(*command[2:])
        for archive in archives:
            cluster.import_image(archive)
        for agent in agents:
            eventually(lambda: cluster.kubectl("wait", "--for=condition=Ready", f"node/{agent.name}", "--timeout=5s"), 90)
            for archive in archives:
                cluster.apus("image", "import", archive, "--data-dir", agent.data)
        # Copied into pods as it is: a link would not do.
        kubectl = os.path.realpath(f"{programs}/kubectl")
        skip = "|".join(NEVER + ([options.skip] if options.skip else []))
        with open(f"{out}/log", "w") as log:
            subprocess.run(
                [f"{programs}/ginkgo", f"--procs={options.procs}", "--no-color", "--timeout=3h", f"--focus={options.focus}",
                 f"--skip={skip}", "--json-report=report.json", f"--output-dir={out}", f"{programs}/e2e.test", "--",
                 "--provider=skeleton", f"--kubeconfig={cluster.kubeconfig}", f"--kubectl-path={kubectl}"],
                stdout=log, stderr=subprocess.STDOUT, cwd=out, env=cluster.env(),
            )
    finally:
        for agent in agents:
            agent.close()
        cluster.close()
    found = sorted(specs(f"{out}/report.json"))
    with open(f"{out}/specs.txt", "w") as f:
        for state, name, seconds, where, why in found:
            f.write(f"{state}\t{seconds:.1f}\t{name}\t{where}\t{why}\n")
    counts = {state: sum(1 for spec in found if spec[0] == state) for state in sorted({spec[0] for spec in found})}
    print(counts)
    sys.exit(0 if set(counts) <= {"passed", "skipped"} else 1)


if __name__ == "__main__":
    main()
