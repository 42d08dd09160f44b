"""Every exchange of the corpus in Tests/wire, answered as upstream's API server answers it.

The golden answers are recorded from a kube-apiserver by `Tools/compare record`; `Tests/wire/known.yaml` names those that differ, and
why.
"""

import os
import sys

import pytest

from cluster import Cluster

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../wire"))
import exchanges  # noqa: E402


@pytest.fixture(scope="module")
def server():
    cluster = Cluster("golden", extra=["--hollow-nodes", "1"])
    try:
        cluster.up()
        yield exchanges.Server(cluster.kubeconfig)
    finally:
        cluster.close()


@pytest.mark.parametrize("corpus", exchanges.corpora())
def test_answers_are_upstreams(server, corpus):
    golden, known = exchanges.golden(corpus), exchanges.known().get(corpus, {})
    answers = exchanges.run(server, corpus)
    assert list(answers) == list(golden), "the corpus has changed: record it again"
    wrong = []
    for label, answer in answers.items():
        found = exchanges.differences(golden[label], answer)
        # A known difference excuses words and headers, never a failure of the server.
        failed = answer.startswith("5") and not golden[label].startswith("5")
        if found and (failed or label not in known):
            wrong.append("\n    ".join([label, *found]))
    strangers = sorted(set(known) - set(golden))
    assert not strangers, f"known.yaml names exchanges that are not in the corpus: {strangers}"
    assert not wrong, f"{len(wrong)} of {len(answers)} exchanges:\n" + "\n".join(wrong)


def test_a_difference_is_told():
    expected = '404\nno Audit-Id\n{"kind":"Status","message":"a","code":404}'
    assert exchanges.differences(expected, expected) == []
    assert exchanges.differences(expected, expected.replace("404\n", "403\n")) == ["status: 404, not 403"]
    assert exchanges.differences(expected, expected.replace('"a"', '"b"')) == ['.message: "a"\n          not "b"']
    assert exchanges.differences(expected, '404\nno Audit-Id\n{"message":"a","kind":"Status","code":404}')[0].startswith("order of keys")
    assert exchanges.differences(expected, expected.replace("no Audit-Id\n", "")) == ["header expected: no Audit-Id"]
