"""Helm, unchanged, against a cluster of pretended nodes: what it installs, merges, rolls back and takes away."""

import os
import re
import subprocess

import pytest

from cluster import PYTHON, new_namespace

HELM = os.path.join(os.path.dirname(PYTHON), "helm")
needs_helm = pytest.mark.skipif(not os.access(HELM, os.X_OK), reason="no Helm: Tools/deps.sh test")
pytestmark = needs_helm

CHART = {
    "Chart.yaml": """
apiVersion: v2
name: palette
version: 0.1.0
kubeVersion: ">=1.25.0-0"
""",
    "values.yaml": """
replicas: 1
color: blue
""",
    "crds/colors.yaml": """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: colors.helm.apus.test}
spec:
  group: helm.apus.test
  scope: Namespaced
  names: {plural: colors, kind: Color}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {name: {type: string, enum: [blue, red]}}}}
""",
    "templates/all.yaml": """
{{- $old := lookup "v1" "Secret" .Release.Namespace "kept" }}
apiVersion: v1
kind: Secret
metadata: {name: kept, annotations: {"helm.sh/resource-policy": keep}}
stringData:
  password: {{ if $old }}{{ index $old.data "password" | b64dec }}{{ else }}{{ randAlphaNum 12 }}{{ end }}
---
apiVersion: helm.apus.test/v1
kind: Color
metadata: {name: c}
spec: {name: {{ .Values.color }}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: d}}
  template:
    metadata: {labels: {app: d}}
    spec: {containers: [{name: c, image: any, env: [{name: COLOR, value: {{ .Values.color }}}]}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: facts}
data:
  kube: {{ .Capabilities.KubeVersion.Version }}
  policy: {{ .Capabilities.APIVersions.Has "policy/v1/PodDisruptionBudget" | quote }}
  none: {{ .Capabilities.APIVersions.Has "none/v1" | quote }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: hook, annotations: {"helm.sh/hook": "pre-install,pre-upgrade", "helm.sh/hook-delete-policy": before-hook-creation}}
data: {color: {{ .Values.color }}}
""",
}


@pytest.fixture(scope="module")
def chart(tmp_path_factory):
    directory = tmp_path_factory.mktemp("chart")
    for name, text in CHART.items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.lstrip())
    return str(directory)


@pytest.fixture
def space(hollow):
    with new_namespace(hollow) as name:
        yield name


@pytest.fixture
def helm(hollow, space):
    def run(*arguments, check=True):
        done = subprocess.run([HELM, *arguments, "-n", space], capture_output=True, text=True, env=hollow.env(), timeout=120)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done
    return run


def color_and_replicas(c, space):
    spec = c.json("get", "deployment", "d", "-n", space)["spec"]
    return spec["template"]["spec"]["containers"][0]["env"], spec["replicas"]


def test_a_release_from_install_to_uninstall(hollow, helm, space, chart):
    c = hollow
    helm("install", "a", chart, "--wait", "--timeout", "60s")
    assert c.json("get", "colors", "c", "-n", space)["spec"] == {"name": "blue"}
    facts = c.json("get", "configmap", "facts", "-n", space)["data"]
    assert facts["kube"].startswith("v1.36.") and (facts["policy"], facts["none"]) == ("true", "false")
    password = c.json("get", "secret", "kept", "-n", space)["data"]["password"]

    # What others changed of the fields of the chart goes back, as Helm's three-way merge wants it.
    c.kubectl("set", "env", "deployment/d", "COLOR=pink", "-n", space)
    c.kubectl("scale", "deployment", "d", "--replicas=2", "-n", space)
    helm("upgrade", "a", chart, "--set", "color=red", "--wait", "--timeout", "60s")
    assert color_and_replicas(c, space) == ([{"name": "COLOR", "value": "red"}], 1)
    assert c.json("get", "configmap", "hook", "-n", space)["data"] == {"color": "red"}
    assert c.json("get", "secret", "kept", "-n", space)["data"]["password"] == password, "lookup found it"

    helm("rollback", "a", "1", "--wait", "--timeout", "60s")
    assert color_and_replicas(c, space)[0] == [{"name": "COLOR", "value": "blue"}]
    history = re.findall(r"^(\d)\s.*\s(superseded|deployed)\s", helm("history", "a").stdout, re.M)
    assert history == [("1", "superseded"), ("2", "superseded"), ("3", "deployed")]

    helm("uninstall", "a", "--wait", "--cascade", "foreground")
    left = c.json("get", "deployments,replicasets,pods,colors,secrets", "-n", space)["items"]
    assert [o["metadata"]["name"] for o in left] == ["kept"]


def test_what_the_server_refuses_fails_the_release(hollow, helm, chart):
    helm("install", "a", chart)
    refused = helm("upgrade", "a", chart, "--set", "color=green", check=False)
    words = 'Color.helm.apus.test "c" is invalid: spec.name: Unsupported value: "green": supported values: "blue", "red"'
    assert refused.returncode == 1 and words in refused.stderr
    mistyped = helm("upgrade", "a", chart, "--set", "replicas=many", check=False)
    assert mistyped.returncode == 1
    assert "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32" in mistyped.stderr
    assert re.search(r"^3\s.*\sfailed\s", helm("history", "a").stdout, re.M)
    helm("upgrade", "a", chart, "--set", "color=red", "--wait", "--timeout", "60s")
    dry = helm("upgrade", "a", chart, "--dry-run=server", "--set", "color=blue").stdout
    assert "name: blue" in dry and hollow.json("get", "secrets", "-l", "owner=helm,version=5", "-A")["items"] == []


def test_unknown_fields_and_missing_kinds_are_told_before_anything_is_made(hollow, helm, space, tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: wrong\nversion: 0.1.0\n")
    template = tmp_path / "templates" / "it.yaml"
    for text, words in [
        ("apiVersion: none.apus.test/v1\nkind: None\nmetadata: {name: thing}\n", 'no matches for kind "None" in version "none.apus.test/v1"'),
        ("apiVersion: v1\nkind: Service\nmetadata: {name: thing}\nspec: {prts: []}\n", 'unknown field "spec.prts"'),
    ]:
        template.write_text(text)
        refused = helm("install", "w", str(tmp_path), check=False)
        assert refused.returncode == 1 and words in refused.stderr, refused.stderr
    assert hollow.kubectl("get", "service", "thing", "-n", space, check=False).returncode == 1
