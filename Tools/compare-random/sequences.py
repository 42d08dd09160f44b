"""The steps of a seed: what is asked of the objects of some kinds, in which order, by whom."""

import random

import objects
from objects import KINDS, some

STEPS = 14
MERGE, STRATEGIC, JSON_PATCH, APPLY = (
    f"application/{t}" for t in ("merge-patch+json", "strategic-merge-patch+json", "json-patch+json", "apply-patch+yaml")
)


class Sequence:
    """The steps of one seed."""

    def __init__(self, seed, kinds):
        self.r = random.Random(seed)
        self.namespace = "$ns"
        self.kinds = some(self.r, kinds, 1, 3)
        self.steps = [self.step() for _ in range(STEPS)]
        for kind in self.kinds:
            self.steps.append(self.watch(kind))
            self.steps.append(
                {"method": "GET", "path": self.path(kind), "query": {"labelSelector": "seq=$ns"} if kind in objects.CLUSTER_WIDE else {}}
            )

    def path(self, kind, name=None, sub=None, version=None):
        version = version or self.r.choice(KINDS[kind][1])
        place = "" if kind in objects.CLUSTER_WIDE else "/namespaces/$ns"
        if name and kind in objects.CLUSTER_WIDE:
            name = "$ns-" + name
        return (
            ("/api/" if version == "v1" else "/apis/")
            + version
            + place
            + "/"
            + kind
            + (f"/{name}" if name else "")
            + (f"/{sub}" if sub else "")
        )

    def body(self, kind, name, version, thin=False):
        r = self.r
        if version == "autoscaling/v1":
            content = objects.autoscalers_v1(r, thin)
        else:
            content = KINDS[kind][2](r, thin)
        meta = {"name": "$ns-" + name if kind in objects.CLUSTER_WIDE else name}
        if r.random() < 0.5:
            meta["labels"] = objects.labels(r)
        if r.random() < 0.3:
            meta["annotations"] = objects.labels(r)
        if r.random() < 0.15:
            meta["finalizers"] = ["example.com/" + f for f in some(r, ["f", "g", "f"])]
        if r.random() < 0.08:
            meta["ownerReferences"] = [{"apiVersion": "v1", "kind": "ConfigMap", "name": n, "uid": n} for n in some(r, ["o", "p", "o"])]
        if kind in objects.CLUSTER_WIDE:
            meta.setdefault("labels", {})["seq"] = "$ns"
        return {"apiVersion": version, "kind": KINDS[kind][0], "metadata": meta, **content}

    def options(self, kinds_of=("dryRun", "fieldManager", "fieldValidation", "pretty")):
        r, query = self.r, {}
        if r.random() < 0.12:
            query["dryRun"] = r.choice(["All", "All", "All", "Some"])
        if r.random() < 0.4:
            query["fieldManager"] = r.choice(["m1", "m2", "m3"])
        if r.random() < 0.25:
            query["fieldValidation"] = r.choice(["Strict", "Warn", "Ignore"])
        return query

    def step(self):
        r = self.r
        kind = r.choice(self.kinds)
        name = r.choice(["a", "a", "a", "b", "c"])
        version = r.choice(KINDS[kind][1])
        choices = [
            (self.create, 18),
            (self.apply, 24),
            (self.patch, 20),
            (self.update, 10),
            (self.status, 8),
            (self.delete, 7),
            (self.read, 4),
            (self.list, 5),
            (self.delete_all, 2),
            (self.scale, 5 if KINDS[kind][4] else 0),
            (self.odd, 4),
        ]
        make = r.choices([c for c, _ in choices], [w for _, w in choices])[0]
        step = make(kind, name, version)
        if r.random() < 0.08:
            step["accept"] = r.choice(
                [
                    "application/json;as=Table;g=meta.k8s.io;v=v1",
                    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
                    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
                    "application/yaml",
                ]
            )
        return step

    def create(self, kind, name, version):
        body = self.body(kind, name, version)
        if self.r.random() < 0.08:
            body["metadata"]["generateName"] = "gen-"
            del body["metadata"]["name"]
        return {"method": "POST", "path": self.path(kind, version=version), "query": self.options(), "body": self.spoiled(body)}

    def spoiled(self, body):
        """At times with something wrong in it."""
        r = self.r
        if r.random() < 0.1:
            where = r.choice([body, body["metadata"], body.get("spec") or body])
            where[r.choice(["unknown", "name", "kind", "labels", "replicas", "apiVersion", "uid", "resourceVersion"])] = r.choice(
                [1, "x", None, {}, [], True]
            )
        return body

    def apply(self, kind, name, version):
        query = self.options()
        query["fieldManager"] = self.r.choice(["m1", "m1", "m2", "m3"])
        if self.r.random() < 0.4:
            query["force"] = self.r.choice(["true", "true", "false"])
        return {
            "method": "PATCH",
            "path": self.path(kind, name, version=version),
            "query": query,
            "type": APPLY,
            "body": self.spoiled(self.body(kind, name, version, thin=self.r.random() < 0.6)),
        }

    def patch(self, kind, name, version):
        r = self.r
        type = r.choice([MERGE, STRATEGIC, STRATEGIC, STRATEGIC, JSON_PATCH] if kind != "widgets" else [MERGE, MERGE, JSON_PATCH])
        body = self.body(kind, name, version, thin=True)
        for key in some(r, ["apiVersion", "kind"]):
            body.pop(key)
        if type == JSON_PATCH:
            body = [self.operation(body) for _ in range(r.randint(1, 3))]
        elif type == MERGE:
            body = self.nulled(body)
        else:
            body = self.directed(self.nulled(body), "")
        return {"method": "PATCH", "path": self.path(kind, name, version=version), "query": self.options(), "type": type, "body": body}

    def operation(self, body):
        r = self.r
        pointer, value = "", body
        while isinstance(value, (dict, list)) and value and (pointer.count("/") < 1 or r.random() < 0.75):
            if isinstance(value, list):
                key = r.choice([0, 0, 1, "-", 5])
                value = r.choice(value)
            else:
                key = r.choice(sorted(value))
                value = value[key]
            pointer += "/" + str(key).replace("~", "~0").replace("/", "~1")
        op = {"op": r.choice(["add", "add", "replace", "remove", "test", "copy", "move"]), "path": pointer}
        if op["op"] in ("copy", "move"):
            op["from"] = r.choice(
                ["/metadata/labels", "/metadata/annotations", "/spec/template/metadata/labels/app", "/metadata/name", pointer]
            )
        elif op["op"] != "remove" or r.random() < 0.1:
            op["value"] = value if r.random() < 0.9 else None
        return op

    def nulled(self, value):
        r = self.r
        if isinstance(value, dict):
            return {k: None if k not in ("name", "metadata", "spec") and r.random() < 0.1 else self.nulled(v) for k, v in value.items()}
        return [self.nulled(v) for v in value] if isinstance(value, list) else value

    # What tells the items of a list apart; None for lists that are replaced.
    KEYS = {
        "env": "name",
        "volumeMounts": "mountPath",
        "hostAliases": "ip",
        "conditions": "type",
        "taints": None,
        "tolerations": None,
        "addresses": "type",
        "topologySpreadConstraints": "topologyKey",
        "volumes": "name",
        "containers": "name",
        "initContainers": "name",
        "imagePullSecrets": "name",
    }

    def directed(self, value, field):
        r = self.r
        if isinstance(value, list):
            result = [self.directed(v, "[]") for v in value]
            if r.random() < 0.06:
                result.insert(r.randint(0, len(result)), {"$patch": r.choice(["replace", "delete", "merge", "odd"])})
            return result
        if not isinstance(value, dict):
            return value
        result = {k: self.directed(v, k) for k, v in value.items()}
        for key, inner in list(result.items()):
            if isinstance(inner, list) and r.random() < 0.2:
                items = [v for v in inner if not (isinstance(v, dict) and "$patch" in v)]
                order = [
                    (
                        {
                            k: v.get(k)
                            for k in [
                                self.KEYS.get(key) or ("containerPort" if "containerPort" in v else "port" if "port" in v else "name")
                            ]
                        }
                        if isinstance(v, dict)
                        else v
                    )
                    for v in items
                ]
                r.shuffle(order)
                if key == "finalizers" and r.random() < 0.5:
                    result["$deleteFromPrimitiveList/finalizers"] = ["example.com/f"]
                else:
                    result["$setElementOrder/" + key] = order if r.random() < 0.8 else order[1:]
        if r.random() < 0.05:
            result["$retainKeys"] = some(r, sorted(result), 0, 9)
        if r.random() < 0.04:
            result["$patch"] = r.choice(["replace", "delete", "merge"])
        return result

    def update(self, kind, name, version):
        return {
            "method": "PUT",
            "path": self.path(kind, name, version=version),
            "query": self.options(),
            "base": self.body(kind, name, version, thin=True),
            "version": self.r.choice(["current"] * 4 + ["stale", "none", "0", "x"]),
            "replace": self.r.random() < 0.3,
        }

    def status(self, kind, name, version):
        r = self.r
        sub = "status"
        if kind == "pods" and r.random() < 0.35:
            sub = r.choice(["ephemeralcontainers", "resize"])
            content = {
                "spec": (
                    {"ephemeralContainers": [{"name": "e" + str(r.randint(0, 1)), "image": "x", "terminationMessagePolicy": "File"}]}
                    if sub[0] == "e"
                    else {
                        "containers": [
                            {"name": c, "resources": {"requests": {"cpu": r.choice(["1", "2"])}}} for c in some(r, objects.CONTAINERS, 1)
                        ]
                    }
                )
            }
        else:
            content = objects.statuses(r, kind)
        body = {**self.body(kind, name, version, thin=True), **content}
        if r.random() < 0.7:
            body.pop("spec" if "spec" not in content else "status", None)
        body.pop("data", None)
        path, query = self.path(kind, name, sub, version), self.options()
        how = r.choice(["apply", "apply", "merge", "strategic", "put"])
        if how == "put":
            return {
                "method": "PUT",
                "path": path,
                "query": query,
                "base": body,
                "version": "current",
                "get": self.path(kind, name, None, version),
            }
        if how == "apply":
            query["fieldManager"] = r.choice(["m1", "m2"])
            if r.random() < 0.5:
                query["force"] = "true"
            return {"method": "PATCH", "path": path, "query": query, "type": APPLY, "body": body}
        return {
            "method": "PATCH",
            "path": path,
            "query": query,
            "type": MERGE if how == "merge" or kind == "widgets" else STRATEGIC,
            "body": self.nulled(body),
        }

    def scale(self, kind, name, version):
        r = self.r
        path = self.path(kind, name, "scale", version)
        body = {
            "apiVersion": "autoscaling/v1",
            "kind": "Scale",
            "metadata": {"name": name},
            "spec": {"replicas": r.choice([0, 1, 2, 3, -1])},
        }
        how = r.choice(["GET", "PUT", APPLY, APPLY, MERGE])
        if how == "GET":
            return {"method": "GET", "path": path, "query": {}}
        if how == "PUT":
            return {
                "method": "PUT",
                "path": path,
                "query": self.options(),
                "base": body,
                "version": r.choice(["current", "none", "stale"]),
                "get": path,
            }
        query = self.options()
        if how == APPLY:
            query["fieldManager"] = r.choice(["m1", "m2", "m4"])
            if r.random() < 0.5:
                query["force"] = "true"
        return {"method": "PATCH", "path": path, "query": query, "type": how, "body": body}

    def delete_options(self):
        r = self.r
        body = {}
        if r.random() < 0.3:
            body["propagationPolicy"] = r.choice(["Orphan", "Foreground", "Background", "Odd"])
        if r.random() < 0.3:
            body["gracePeriodSeconds"] = r.choice([0, 0, 1, 30, -1])
        if r.random() < 0.1:
            body["orphanDependents"] = r.random() < 0.5
        if r.random() < 0.15:
            body["dryRun"] = ["All"]
        return body

    def delete(self, kind, name, version):
        body = self.delete_options()
        if self.r.random() < 0.25:
            body["preconditions"] = self.r.choice([{"resourceVersion": "$rv"}, {"uid": "$uid"}, {"uid": "x"}, {"resourceVersion": "1"}, {}])
        query = (
            {k: str(v).lower() if isinstance(v, bool) else v for k, v in self.delete_options().items() if k != "dryRun"}
            if self.r.random() < 0.2
            else {}
        )
        return {"method": "DELETE", "path": self.path(kind, name, version=version), "query": query, "body": body or None}

    def delete_all(self, kind, name, version):
        query = self.selectors(kind)
        if kind in objects.CLUSTER_WIDE:
            query["labelSelector"] = "seq=$ns"
        return {"method": "DELETE", "path": self.path(kind, version=version), "query": query, "body": self.delete_options() or None}

    def selectors(self, kind):
        r, query = self.r, {}
        if r.random() < 0.5:
            query["labelSelector"] = r.choice(
                ["a=x", "a", "!a", "a in (x,y)", "a notin (x)", "example.com/c=", "a==y,b!=x", "a>1", "bad value!", "seq=$ns"]
            )
        if r.random() < 0.4:
            fields = [
                "metadata.name=a",
                "metadata.name!=a",
                "metadata.namespace=$ns",
                "metadata.name=a,metadata.name=b",
                "odd=1",
                "spec.name=n",
                "status.phase=Running",
                "type=Opaque",
                "spec.nodeName=",
                "status.phase!=Running",
                "metadata.name==b",
            ]
            query["fieldSelector"] = r.choice(fields)
        return query

    def read(self, kind, name, version):
        query = {} if self.r.random() < 0.8 else {"resourceVersion": self.r.choice(["0", "x", "$rv"])}
        return {"method": "GET", "path": self.path(kind, name, version=version), "query": query}

    def list(self, kind, name, version):
        r = self.r
        query = self.selectors(kind)
        if kind in objects.CLUSTER_WIDE:
            query["labelSelector"] = "seq=$ns"
        if r.random() < 0.4:
            query["limit"] = r.choice([1, 2, 0, -1, "x"])
        if r.random() < 0.2:
            query["resourceVersion"] = r.choice(["$rv", "0", "x", "99999999999"])
            if query["resourceVersion"] == "99999999999":
                query["timeoutSeconds"] = 1
        if r.random() < 0.15:
            query["resourceVersionMatch"] = r.choice(["Exact", "NotOlderThan", "Odd"])
        return {"method": "GET", "path": self.path(kind, version=version), "query": query, "follow": True}

    def watch(self, kind):
        query = {
            **({} if kind in objects.CLUSTER_WIDE else self.selectors(kind)),
            "watch": "1",
            "timeoutSeconds": 1,
            "resourceVersion": "$start",
        }
        if kind in objects.CLUSTER_WIDE:
            query["labelSelector"] = "seq=$ns"
        return {"method": "GET", "path": self.path(kind), "query": query, "watch": True}

    def odd(self, kind, name, version):
        r = self.r
        if kind == "pods":
            return r.choice(
                [
                    {
                        "method": "POST",
                        "path": self.path(kind, name, "binding"),
                        "query": {},
                        "body": {"metadata": {"name": name}, "target": {"kind": "Node", "name": r.choice(["n", ""])}},
                    },
                    {
                        "method": "POST",
                        "path": self.path(kind, name, "eviction"),
                        "query": {},
                        "body": {
                            "apiVersion": "policy/v1",
                            "kind": "Eviction",
                            "metadata": {"name": name},
                            "deleteOptions": self.delete_options(),
                        },
                    },
                ]
            )
        return r.choice(
            [
                {"method": "POST", "path": self.path(kind, name), "query": {}, "body": {}},
                {"method": "PUT", "path": self.path(kind), "query": {}, "body": self.body(kind, name, version)},
                {
                    "method": "PATCH",
                    "path": self.path(kind, name, version=version),
                    "query": self.options(),
                    "type": r.choice([APPLY, MERGE, STRATEGIC, JSON_PATCH]),
                    "body": r.choice([{}, [], "x", 1, None]),
                },
                {
                    "method": "PUT",
                    "path": self.path(kind, name, version=version),
                    "query": self.options(),
                    "body": self.body(kind, r.choice(["a", "b"]), version),
                },
            ]
        )
