"""Admission policies as people use them, with kubectl: limits from parameters, warnings, type checks, labels and sidecars."""

import pytest

from cluster import eventually, new_namespace

GROUP = "admissionregistration.k8s.io"


@pytest.fixture
def space(kubectl):
    with new_namespace(kubectl) as name:
        yield name


def rules(group, *resources, operations=("CREATE", "UPDATE")):
    return {"resourceRules": [
        {"apiGroups": [group], "apiVersions": ["v1"], "operations": list(operations), "resources": list(resources)}]}


class Policy:
    """A policy with a binding for one namespace; both go at the end."""

    def __init__(self, c, space, kind, name, spec, **binding):
        self.c, self.kind, self.name = c, kind, f"{name}-{space}"
        self.prefix = kind.lower() + "admissionpolicy"
        c.apply({"apiVersion": f"{GROUP}/v1", "kind": f"{kind}AdmissionPolicy", "metadata": {"name": self.name}, "spec": spec})
        bound = {"policyName": self.name,
                 "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": space}}}, **binding}
        if kind == "Validating":
            bound.setdefault("validationActions", ["Deny"])
        c.apply({"apiVersion": f"{GROUP}/v1", "kind": f"{kind}AdmissionPolicyBinding", "metadata": {"name": self.name}, "spec": bound})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for kind in (f"{self.prefix}binding", self.prefix):
            self.c.kubectl("delete", kind, self.name, check=False)


def deployment(space, name="web", replicas=1, labels=None):
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": space, "labels": labels or {}},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": {
            "metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}}}


def refusal(c, manifest):
    """What kubectl says when it is refused; an empty text when it is not. Nothing is stored."""
    done = c.apply(manifest, "--dry-run=server", check=False)
    return "" if done.returncode == 0 else done.stderr


def test_a_limit_of_replicas(kubectl, space):
    spec = {"matchConstraints": rules("apps", "deployments"), "validations": [
        {"expression": "object.spec.replicas <= 5", "messageExpression": "'at most 5 replicas, not ' + string(object.spec.replicas)"}]}
    with Policy(kubectl, space, "Validating", "replicas", spec) as policy:
        eventually(lambda: refusal(kubectl, deployment(space, replicas=6)), 10)
        said = refusal(kubectl, deployment(space, replicas=6))
        assert (f"ValidatingAdmissionPolicy '{policy.name}' with binding '{policy.name}' denied request: "
                "at most 5 replicas, not 6") in said
        kubectl.apply(deployment(space, replicas=5))
        scaled = kubectl.kubectl("scale", "deployment/web", "-n", space, "--replicas=7", check=False)
        assert scaled.returncode == 0, "a scale is another resource"
        edited = kubectl.kubectl("patch", "deployment/web", "-n", space, "-p", '{"spec":{"replicas":8}}', check=False)
        assert "at most 5 replicas, not 8" in edited.stderr
    kubectl.kubectl("patch", "deployment/web", "-n", space, "-p", '{"spec":{"replicas":8}}')


def test_parameters_from_a_config_map_and_from_a_custom_resource(kubectl, space):
    kubectl.apply({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "limits.policy.apus.test"},
        "spec": {"group": "policy.apus.test", "scope": "Cluster", "names": {"plural": "limits", "kind": "Limit"}, "versions": [
            {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                "most": {"type": "integer"}}}}}]}})
    kubectl.kubectl("wait", "--for=condition=Established", "crd/limits.policy.apus.test", "--timeout=60s")
    kubectl.apply({"apiVersion": "policy.apus.test/v1", "kind": "Limit", "metadata": {"name": "few"}, "most": 2})
    kubectl.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "limit", "namespace": space}, "data": {"most": "3"}})

    def spec(kind, most):
        return {"paramKind": kind, "matchConstraints": rules("apps", "deployments"), "validations": [
            {"expression": f"object.spec.replicas <= {most}", "message": "too many"}]}
    one = spec({"apiVersion": "v1", "kind": "ConfigMap"}, "int(params.data.most)")
    with Policy(kubectl, space, "Validating", "map", one, paramRef={"name": "limit", "parameterNotFoundAction": "Deny"}):
        eventually(lambda: "too many" in refusal(kubectl, deployment(space, replicas=4)), 10)
        assert refusal(kubectl, deployment(space, replicas=3)) == ""
        kubectl.kubectl("patch", "configmap/limit", "-n", space, "-p", '{"data":{"most":"4"}}')
        eventually(lambda: refusal(kubectl, deployment(space, replicas=4)) == "", 10)
        kubectl.kubectl("delete", "configmap/limit", "-n", space)
        eventually(lambda: "no params found for policy binding" in refusal(kubectl, deployment(space)), 10)
    other = spec({"apiVersion": "policy.apus.test/v1", "kind": "Limit"}, "params.most")
    with Policy(kubectl, space, "Validating", "custom", other, paramRef={"name": "few", "parameterNotFoundAction": "Deny"}):
        eventually(lambda: "too many" in refusal(kubectl, deployment(space, replicas=3)), 10)
        assert refusal(kubectl, deployment(space, replicas=2)) == ""


def test_warnings_instead_of_refusals(kubectl, space):
    spec = {"matchConstraints": rules("", "configmaps"), "validations": [{"expression": "has(object.data)", "message": "no data"}]}
    with Policy(kubectl, space, "Validating", "warn", spec, validationActions=["Warn", "Audit"]) as policy:
        words = f"Warning: Validation failed for ValidatingAdmissionPolicy '{policy.name}' with binding '{policy.name}': no data"

        def warned():
            done = kubectl.kubectl("create", "configmap", "a", "-n", space, "--dry-run=server")
            return words in done.stderr
        eventually(warned, 10)


def test_mistakes_of_types_are_told_in_the_status(kubectl, space):
    spec = {"matchConstraints": rules("apps", "deployments"), "validations": [{"expression": "object.spec.replicas > '1'"}]}
    with Policy(kubectl, space, "Validating", "types", spec) as policy:
        def status():
            return kubectl.json("get", "validatingadmissionpolicy", policy.name).get("status", {})
        eventually(lambda: status().get("observedGeneration") == 1, 20)
        (warning,) = status()["typeChecking"]["expressionWarnings"]
        assert warning["fieldRef"] == "spec.validations[0].expression"
        assert warning["warning"].startswith(
            "apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_>_' applied to '(int, string)'")


def test_a_label_and_a_sidecar(kubectl, space):
    part = "Object.spec.template"
    spec = {"reinvocationPolicy": "Never", "matchConstraints": rules("apps", "deployments", operations=["CREATE"]), "mutations": [
        {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": f"""
            Object{{metadata: Object.metadata{{labels: {{"team": namespaceObject.metadata.name}}}},
                    spec: Object.spec{{template: {part}{{spec: {part}.spec{{containers: [
                        {part}.spec.containers{{name: "side", image: "side:1"}}]}}}}}}}}"""}},
        {"patchType": "JSONPatch", "jsonPatch": {"expression": """
            [JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("a.b/c"), value: "d"}]"""}}]}
    with Policy(kubectl, space, "Mutating", "side", spec):
        def changed():
            kubectl.kubectl("delete", "deployment/web", "-n", space, "--ignore-not-found")
            kubectl.apply(deployment(space))
            return kubectl.json("get", "deployment/web", "-n", space)["metadata"]["labels"].get("team") == space
        eventually(changed, 20)
        made = kubectl.json("get", "deployment/web", "-n", space)
        assert made["metadata"]["labels"] == {"team": space, "a.b/c": "d"}
        assert [(c["name"], c["imagePullPolicy"]) for c in made["spec"]["template"]["spec"]["containers"]] == [
            ("c", "IfNotPresent"), ("side", "IfNotPresent")]


def test_mistakes_are_refused_when_a_policy_is_written(kubectl, space):
    policy = {"apiVersion": f"{GROUP}/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": f"bad-{space}"}, "spec": {
        "matchConstraints": rules("apps", "deployments"), "variables": [{"name": "a", "expression": "1"}],
        "validations": [{"expression": "variables.a == 'x'"}]}}
    said = kubectl.apply(policy, check=False).stderr
    assert "spec.validations[0].expression: Invalid value: \"variables.a == 'x'\": compilation failed: ERROR: <input>:1:13: " in said
    assert "found no matching overload for '_==_' applied to '(int, string)'" in said
