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
from cluster import Cluster  # noqa: E402

NEVER = [r"\[Serial\]", r"\[Disruptive\]", r"\[Slow\]", r"\[Flaky\]", r"\[Feature:.+\]"]


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
    parser.add_argument("--upstream", default="/nonexistent", help="upstream's source tree, for the texts some images hold")
    options = parser.parse_args()
    programs, out = os.path.abspath(options.programs), os.path.abspath(options.out)
    os.makedirs(out, exist_ok=True)
    archives = sorted(glob.glob(f"{out}/images/*.tar")) or suite_images.build(f"{out}/images", programs, options.upstream)
    cluster = Cluster("suite", cluster_cidr="10.186.0.0/16", service_cidr="10.187.0.0/16", dns="10.187.0.10")
    try:
        cluster.up()
        for archive in archives:
            cluster.import_image(archive)
        skip = "|".join(NEVER + ([options.skip] if options.skip else []))
        with open(f"{out}/log", "w") as log:
            subprocess.run(
                [f"{programs}/ginkgo", f"--procs={options.procs}", "--no-color", "--timeout=3h", f"--focus={options.focus}",
                 f"--skip={skip}", "--json-report=report.json", f"--output-dir={out}", f"{programs}/e2e.test", "--",
                 "--provider=skeleton", f"--kubeconfig={cluster.kubeconfig}", f"--kubectl-path={programs}/kubectl"],
                stdout=log, stderr=subprocess.STDOUT, cwd=out, env=cluster.env(),
            )
    finally:
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
