"""Manifests of 2016 to 2020, as people still have them, applied unchanged by the newest and the oldest kubectl."""

import json

import pytest

from cluster import eventually, new_namespace

INGRESS = """
apiVersion: extensions/v1beta1
kind: Ingress
metadata:
  name: shop
  annotations:
    nginx.ingress.kubernetes.io/proxy-body-size: "20M"
    nginx.ingress.kubernetes.io/rewrite-target: /$1
spec:
  rules:
  - host: shop.example
    http:
      paths:
      - path: /gateway/(.*)
        backend:
          serviceName: gateway
          servicePort: 8097
      - path: /
        backend:
          serviceName: front
          servicePort: http
"""

DEPLOYMENT = """
apiVersion: {version}
kind: Deployment
metadata:
  name: {name}
spec:
  replicas: 2
  template:
    metadata:
      labels:
        app: {name}
    spec:
      containers:
      - name: main
        image: registry.example/main:1.0
        ports:
        - containerPort: 8080
"""

OTHERS = """
apiVersion: extensions/v1beta1
kind: DaemonSet
metadata: {name: agent}
spec:
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: agent, image: agent}]}
---
apiVersion: apps/v1beta1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: db}]}
---
apiVersion: batch/v1beta1
kind: CronJob
metadata: {name: hello}
spec:
  schedule: "*/5 * * * *"
  jobTemplate:
    spec: {template: {spec: {restartPolicy: OnFailure, containers: [{name: hello, image: busybox}]}}}
---
apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata: {name: db}
spec: {minAvailable: 1, selector: {matchLabels: {app: db}}}
---
apiVersion: autoscaling/v2beta1
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  maxReplicas: 4
  metrics: [{type: Resource, resource: {name: cpu, targetAverageUtilization: 80}}]
---
apiVersion: rbac.authorization.k8s.io/v1beta1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1beta1
kind: RoleBinding
metadata: {name: reader}
subjects: [{kind: User, name: jane}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
---
apiVersion: networking.k8s.io/v1beta1
kind: Ingress
metadata: {name: plain}
spec: {backend: {serviceName: front, servicePort: 80}}
"""

CLUSTER_WIDE = """
apiVersion: storage.k8s.io/v1beta1
kind: StorageClass
metadata: {name: old-e2e}
provisioner: example.com/none
---
apiVersion: scheduling.k8s.io/v1beta1
kind: PriorityClass
metadata: {name: old-e2e}
value: 100
---
apiVersion: apiextensions.k8s.io/v1beta1
kind: CustomResourceDefinition
metadata: {name: crontabs.old.example.com}
spec:
  group: old.example.com
  version: v1
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab, shortNames: [ct]}
  validation:
    openAPIV3Schema:
      properties:
        spec: {properties: {cronSpec: {type: string}, replicas: {type: integer, minimum: 1}}}
"""

# What people keep beside them, in versions that are still served.
CURRENT = """
apiVersion: v1
kind: PersistentVolume
metadata:
  name: old-e2e
  namespace: {namespace}
  labels: {{pv: old-e2e}}
spec:
  capacity: {{storage: 1Gi}}
  accessModes: [ReadWriteOnce]
  rbd:
    monitors: ["10.0.0.1:6789"]
    pool: pool
    image: image
    user: admin
    secretRef: {{name: ceph}}
    fsType: ext4
    readOnly: false
  persistentVolumeReclaimPolicy: Recycle
"""


@pytest.fixture
def client(kubectl):
    with new_namespace(kubectl) as name:
        yield kubectl, name


def get(c, *args):
    return json.loads(c.kubectl("get", *args, "-o", "json").stdout)


def generations(c, namespace):
    """How often what is asked for has changed; kinds that do not count it show their version."""
    kinds = "daemonsets,statefulsets,cronjobs,poddisruptionbudgets,roles,rolebindings,ingresses"
    items = get(c, kinds, "-n", namespace)["items"]
    return {
        (o["kind"], o["metadata"]["name"]): o["metadata"].get("generation") or o["metadata"]["resourceVersion"] for o in items
    }


def test_an_ingress_of_2018(client):
    c, namespace = client
    applied = c.kubectl("apply", "-n", namespace, "-f", "-", input=INGRESS)
    assert "ingress.extensions/shop created" in applied.stdout
    assert (
        "Warning: extensions/v1beta1 Ingress is deprecated in v1.14+, unavailable in v1.22+; use networking.k8s.io/v1 Ingress"
        in applied.stderr
    )
    ingress = get(c, "ingress", "shop", "-n", namespace)
    # kubectl sees the default of a list's element and sends a patch; the server sees that nothing changes.
    c.kubectl("apply", "-n", namespace, "-f", "-", input=INGRESS)
    assert get(c, "ingress", "shop", "-n", namespace)["metadata"]["resourceVersion"] == ingress["metadata"]["resourceVersion"]
    assert ingress["apiVersion"] == "networking.k8s.io/v1"
    backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]
    assert backend == {"service": {"name": "gateway", "port": {"number": 8097}}}
    changed = INGRESS.replace("8097", "9000")
    assert "configured" in c.kubectl("apply", "-n", namespace, "-f", "-", input=changed).stdout
    old = get(c, "ingresses.v1beta1.extensions", "shop", "-n", namespace)
    assert old["spec"]["rules"][0]["http"]["paths"][0]["backend"] == {"serviceName": "gateway", "servicePort": 9000}
    assert "serviceName" in c.kubectl("explain", "ingress.spec.backend", "--api-version=extensions/v1beta1").stdout
    assert "deleted" in c.kubectl("delete", "-n", namespace, "-f", "-", input=changed).stdout


@pytest.mark.parametrize("version", ["extensions/v1beta1", "apps/v1beta1"])
def test_a_deployment_runs(client, version):
    c, namespace = client
    name = version.split("/")[0]
    manifest = DEPLOYMENT.format(version=version, name=name)
    c.kubectl("apply", "-n", namespace, "-f", "-", input=manifest)
    c.kubectl("rollout", "status", f"deployment/{name}", "-n", namespace, "--timeout=60s", timeout=70)
    assert len(c.pods(namespace)) >= 2
    assert "unchanged" in c.kubectl("apply", "-n", namespace, "-f", "-", input=manifest).stdout
    shown = c.out("get", "all", "-n", namespace)
    assert shown.count(f"deployment.apps/{name} ") == 1 and "extensions" not in shown.replace("deployment.apps/extensions", "").replace(
        "pod/extensions", "").replace("replicaset.apps/extensions", "")
    c.kubectl("delete", "-n", namespace, "-f", "-", input=manifest)
    eventually(lambda: not [p for p in c.pods(namespace) if p["metadata"]["name"].startswith(name)], 60)


def test_the_other_kinds(client):
    c, namespace = client
    applied = c.kubectl("apply", "-n", namespace, "-f", "-", input=OTHERS)
    assert applied.stdout.count("created") == 8, applied.stdout
    assert get(c, "daemonset", "agent", "-n", namespace)["spec"]["updateStrategy"]["type"] == "OnDelete"
    assert get(c, "statefulset", "db", "-n", namespace)["spec"]["selector"] == {"matchLabels": {"app": "db"}}
    metric = get(c, "hpa", "web", "-n", namespace)["spec"]["metrics"][0]["resource"]
    assert metric == {"name": "cpu", "target": {"averageUtilization": 80, "type": "Utilization"}}
    before = generations(c, namespace)
    c.kubectl("apply", "-n", namespace, "-f", "-", input=OTHERS)
    assert generations(c, namespace) == before


def test_cluster_wide_kinds(client):
    c, namespace = client
    c.kubectl("apply", "-f", "-", input=CLUSTER_WIDE)
    definition = get(c, "crd", "crontabs.old.example.com")
    assert definition["apiVersion"] == "apiextensions.k8s.io/v1"
    assert definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["type"] == "object"
    eventually(lambda: "crontabs" in c.out("api-resources"), 30)
    object_ = 'apiVersion: old.example.com/v1\nkind: CronTab\nmetadata: {name: a}\nspec: {cronSpec: "x", extra: kept}\n'
    c.kubectl("apply", "-n", namespace, "-f", "-", input=object_)
    assert get(c, "crontab", "a", "-n", namespace)["spec"]["extra"] == "kept"
    assert "unchanged" in c.kubectl("apply", "-f", "-", input=CLUSTER_WIDE).stdout
    c.kubectl("delete", "-f", "-", input=CLUSTER_WIDE)


def test_a_namespace_on_a_cluster_wide_kind_is_ignored(client):
    c, namespace = client
    manifest = CURRENT.format(namespace=namespace)
    c.kubectl("apply", "-f", "-", input=manifest)
    assert "namespace" not in get(c, "pv", "old-e2e")["metadata"]
    c.kubectl("delete", "-f", "-", input=manifest)


def test_a_namespace_with_old_objects_goes_away(client):
    c, namespace = client
    name = f"{namespace}-gone"
    c.kubectl("create", "namespace", name)
    c.kubectl("apply", "-n", name, "-f", "-", input=INGRESS)
    c.kubectl("apply", "-n", name, "-f", "-", input=DEPLOYMENT.format(version="extensions/v1beta1", name="web"))
    c.kubectl("delete", "namespace", name, "--timeout=60s", timeout=70)
