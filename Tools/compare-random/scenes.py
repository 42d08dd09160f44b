"""What goes on around a sequence: admission webhooks and policies, a namespace or a definition that goes, tokens, watches.

A scene puts steps of its own among those of a sequence. `pause` is a step that lets the servers learn of what was configured.
"""

import objects

ADMISSION = "admissionregistration.k8s.io/v1"
ADMISSION_PATH = "/apis/" + ADMISSION
SELECTED = {"matchLabels": {"kubernetes.io/metadata.name": "$ns"}}
# What is in no namespace belongs to other sequences, too.
RULES = [{"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"], "operations": ["*"], "scope": "Namespaced"}]


def post(path, body):
    return {"method": "POST", "path": path, "query": {}, "body": body, "setting": True}


def drop(path):
    return {"method": "DELETE", "path": path, "query": {}, "body": None, "setting": True}


def plain(sequence, r):
    pass


def webhooks(sequence, r):
    """One to three webhooks, of what the small server of webhooks.py can answer."""
    begin, end = [], []
    for number in range(r.randint(1, 3)):
        kind = r.choice(["Mutating", "Mutating", "Validating"])
        answer = r.choice(
            ["label", "label", "pull", "finalizer", "warn", "replicas", "remove-spec", "bad-patch"]
            if kind == "Mutating"
            else ["allow", "deny-deletes", "warn", "deny-b", "deny-code"]
        )
        if r.random() < 0.12:
            answer = r.choice(["garbage", "wrong-uid", "status-500", "empty"])
        hook = {
            "name": f"w{number}.$ns.example.com",
            "clientConfig": {"url": f"$webhooks/$server/$ns/{answer}", "caBundle": "$ca"},
            "rules": r.choice([RULES, [{**RULES[0], "operations": r.choice([["CREATE"], ["UPDATE", "DELETE"]])}]]),
            "sideEffects": r.choice(["None", "NoneOnDryRun"]),
            "admissionReviewVersions": ["v1"],
            "namespaceSelector": SELECTED,
            "failurePolicy": r.choice(["Fail", "Ignore"]),
            "timeoutSeconds": 10,
        }
        if r.random() < 0.25:
            hook["objectSelector"] = {"matchExpressions": [{"key": "a", "operator": r.choice(["Exists", "DoesNotExist"])}]}
        if r.random() < 0.25:
            expression = r.choice(["request.operation != 'DELETE'", "object.metadata.name == 'a'", "has(object.metadata.labels)"])
            hook["matchConditions"] = [{"name": "c", "expression": expression}]
        if r.random() < 0.3:
            hook["matchPolicy"] = r.choice(["Exact", "Equivalent"])
        if kind == "Mutating":
            hook["reinvocationPolicy"] = r.choice(["Never", "IfNeeded"])
        place = f"{ADMISSION_PATH}/{kind.lower()}webhookconfigurations"
        body = {"apiVersion": ADMISSION, "kind": kind + "WebhookConfiguration", "metadata": {"name": f"$ns-{number}"}, "webhooks": [hook]}
        begin.append(post(place, body))
        end.append(drop(f"{place}/$ns-{number}"))
    sequence.steps = begin + [{"pause": 1.0}] + sequence.steps + end + [{"reviews": True}]


VALIDATIONS = [
    {"expression": "object == null || object.metadata.name != 'b'", "message": "no b"},
    {
        "expression": "!has(object.metadata.labels) || !('a' in object.metadata.labels)",
        "messageExpression": "'label ' + object.metadata.labels.a",
    },
    {"expression": "has(object.spec) && has(object.spec.replicas) ? object.spec.replicas <= 2 : true", "reason": "Forbidden"},
    {"expression": "oldObject == null || object == null || has(object.metadata.annotations) == has(oldObject.metadata.annotations)"},
    {"expression": "params.data.name != object.metadata.name", "message": "the name is taken"},
    {"expression": "namespaceObject.metadata.name == request.namespace && variables.short"},
    {"expression": "authorizer.group('').resource('pods').namespace(request.namespace).check('get').allowed()"},
    {"expression": "object.spec.nothing == 1"},
    {"expression": "request.options.dryRun == [] || !has(request.options.dryRun)", "message": "no dry runs"},
]
MUTATIONS = [
    {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": "Object{metadata: Object.metadata{labels: {'p': 'q'}}}"}},
    {
        "patchType": "ApplyConfiguration",
        "applyConfiguration": {"expression": "Object{metadata: Object.metadata{annotations: {'n': params.data.name}}}"},
    },
    {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": "Object{spec: Object.spec{replicas: 2}}"}},
    {"patchType": "JSONPatch", "jsonPatch": {"expression": "[JSONPatch{op: 'add', path: '/metadata/labels', value: {'j': 'k'}}]"}},
    {"patchType": "JSONPatch", "jsonPatch": {"expression": "[JSONPatch{op: 'remove', path: '/metadata/labels/a'}]"}},
    {
        "patchType": "JSONPatch",
        "jsonPatch": {
            "expression": "has(object.metadata.annotations) ? [] : "
            "[JSONPatch{op: 'add', path: '/metadata/annotations', value: {jsonpatch.escapeKey('a~b/c'): 'x'}}]"
        },
    },
]


def policies(sequence, r):
    """A policy or two with bindings, with parameters at times."""
    begin = [post("/api/v1/namespaces/$ns/configmaps", {"metadata": {"name": "params", "labels": {"params": "y"}}, "data": {"name": "a"}})]
    end = []
    for number in range(r.randint(1, 2)):
        kind = r.choice(["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"])
        has_params = r.random() < 0.5
        operations = r.choice([["CREATE", "UPDATE"], ["CREATE"], ["CREATE", "UPDATE", "DELETE"]])
        if kind[0] == "M":
            operations = [o for o in operations if o != "DELETE"]
        spec = {
            "failurePolicy": "Fail" if has_params else r.choice(["Fail", "Ignore"]),
            "matchConstraints": {
                "namespaceSelector": SELECTED,
                "resourceRules": [{**RULES[0], "resources": ["*"], "operations": operations}],
            },
            "variables": [{"name": "short", "expression": "request.name.size() < 20"}],
            "matchConditions": [{"name": "not-params", "expression": "request.name != 'params'"}],
        }
        if has_params:
            spec["paramKind"] = {"apiVersion": "v1", "kind": "ConfigMap"}

        def usable(text):
            return has_params or "params" not in text

        if kind[0] == "V":
            spec["validations"] = r.sample([v for v in VALIDATIONS if usable(str(v))], r.randint(1, 3))
            if r.random() < 0.3:
                spec["auditAnnotations"] = [{"key": "k", "valueExpression": "'v'"}]
        else:
            spec["mutations"] = r.sample([m for m in MUTATIONS if usable(str(m))], r.randint(1, 2))
            spec["reinvocationPolicy"] = r.choice(["Never", "IfNeeded"])
        binding = {"policyName": f"$ns-{number}"}
        if kind[0] == "V":
            binding["validationActions"] = r.choice([["Deny"], ["Deny"], ["Warn"], ["Warn", "Audit"]])
        if has_params:
            by = r.choice([{"name": "params"}, {"selector": {"matchLabels": {"params": "y"}}}, {"name": "absent"}])
            binding["paramRef"] = {**by, "parameterNotFoundAction": "Deny"}
        plural = kind[:-1].lower() + "ies"
        for name, what, body in ((plural, kind, spec), (kind.lower() + "bindings", kind + "Binding", binding)):
            meta = {"name": f"$ns-{number}"}
            begin.append(post(f"{ADMISSION_PATH}/{name}", {"apiVersion": ADMISSION, "kind": what, "metadata": meta, "spec": body}))
            end.append(drop(f"{ADMISSION_PATH}/{name}/$ns-{number}"))
    # Upstream starts to watch parameters when it has seen the policy, and at times does not find them for long.
    sequence.steps = begin + [{"pause": 3.0}] + sequence.steps + end


def namespace_goes(sequence, r):
    """The namespace is deleted while its objects are written, and at times finalized."""
    own = "/api/v1/namespaces/$ns"
    position = r.randint(4, 10)
    goes = [drop(own), {"pause": 0.4}, {"method": "GET", "path": own, "query": {}}]
    goes.append(
        {"method": "PATCH", "path": own, "query": {}, "type": "application/merge-patch+json", "body": {"metadata": {"labels": {"x": "y"}}}}
    )
    sequence.steps[position:position] = goes
    if r.random() < 0.4:
        sequence.steps.insert(
            position + r.randint(4, 6), {"method": "PUT", "path": own + "/finalize", "query": {}, "body": {"metadata": {"name": "$ns"}}}
        )


def tokens(sequence, r):
    """Tokens of accounts that come and go, and what a review says of them."""
    accounts = "/api/v1/namespaces/$ns/serviceaccounts"
    for _ in range(4):
        spec = {}
        if r.random() < 0.5:
            spec["expirationSeconds"] = r.choice([600, 3600, 86400, 599, 0, -1, 2**33])
        if r.random() < 0.4:
            spec["audiences"] = r.choice([["https://kubernetes.default.svc"], ["x"], ["x", "y"], [], [""]])
        if r.random() < 0.4:
            kind = r.choice(["Pod", "Secret", "Node", "ConfigMap"])
            spec["boundObjectRef"] = {"kind": kind, "apiVersion": "v1", "name": r.choice("ab")}
            if r.random() < 0.3:
                spec["boundObjectRef"]["uid"] = "x"
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        if r.random() < 0.2:
            body["metadata"] = {"name": r.choice(["a", "default"])}
        step = {
            "method": "POST",
            "path": f"{accounts}/{r.choice(['default', 'default', 'a'])}/token",
            "query": sequence.options(),
            "body": body,
        }
        if r.random() < 0.2:
            step["body"] = r.choice([{}, {"spec": None}, {"spec": {"audiences": "x"}}, {"kind": "Odd"}, None])
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": "$token"}}
        if r.random() < 0.3:
            review["spec"]["audiences"] = r.choice([["x"], ["https://kubernetes.default.svc"], ["z"]])
        position = r.randint(0, len(sequence.steps))
        sequence.steps[position:position] = [step, post("/apis/authentication.k8s.io/v1/tokenreviews", review)]


def watches(sequence, r):
    """Watches that run beside the sequence; what they were sent is compared at the end."""
    begin = []
    for kind in sequence.kinds:
        for _ in range(2):
            query = {"watch": "1", "timeoutSeconds": 60, **({} if kind in objects.CLUSTER_WIDE else sequence.selectors(kind))}
            if kind in objects.CLUSTER_WIDE:
                query["labelSelector"] = "seq=$ns"
            if r.random() < 0.4:
                query["resourceVersion"] = r.choice(["$start", "0"])
            if r.random() < 0.3:
                query.update({"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"})
            accept = r.choice(
                ["application/json"] * 3 + [f"application/json;as={k};g=meta.k8s.io;v=v1" for k in ("Table", "PartialObjectMetadata")]
            )
            begin.append({"method": "GET", "path": sequence.path(kind), "query": query, "accept": accept, "stream": True})
    sequence.steps = begin + sequence.steps + [{"streams": True}]


def definition_changes(sequence, r):
    """A definition of the sequence's own: changed, and deleted, while objects of it are written."""
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    name = "things.$ns.example.com"
    text, number = {"type": "string"}, {"type": "integer"}

    def schema(**properties):
        inner = {"type": "object", "properties": properties}
        return {
            "openAPIV3Schema": {"type": "object", "properties": {"spec": inner, "status": {"type": "object", "properties": {"n": number}}}}
        }

    def version(of, storage, served=True, **properties):
        more = {"subresources": {"status": {}}} if r.random() < 0.5 else {}
        return {"name": of, "served": served, "storage": storage, "schema": schema(**properties), **more}

    def definition(versions):
        names = {"plural": "things", "singular": "thing", "kind": "Thing"}
        spec = {"group": "$ns.example.com", "scope": "Namespaced", "names": names, "versions": versions}
        return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name}, "spec": spec}

    shapes = [
        lambda: [version("v1", True, a=text, b=number)],
        lambda: [version("v1", True, a={**text, "maxLength": 2, "default": "d"}, b=number)],
        lambda: [version("v1", True, a=text, c={"type": "array", "items": text, "x-kubernetes-list-type": "set"})],
        lambda: [version("v1", True, a=text), version("v2", False, a=text, b=number)],
        lambda: [version("v1", False, a=text), version("v2", True, a=text, b=number)],
        lambda: [version("v1", False, served=False, a=text), version("v2", True, a=text)],
        lambda: [version("v1", True, a=number), version("v1", False)],
        lambda: [version("v1", True, a={**text, "x-kubernetes-validations": [{"rule": "self == oldSelf || self.size() < 3"}]})],
    ]
    steps = [post(path, definition(shapes[r.choice([0, 0, 1, 3])]())), {"pause": 0.6}]
    for _ in range(10):
        served = r.choice(["v1", "v1", "v1", "v2"])
        things = f"/apis/$ns.example.com/{served}/namespaces/$ns/things"
        spec = {
            k: v
            for k, v in {"a": r.choice(["x", "xyz", 1, None]), "b": r.choice([1, "x"]), "c": r.choice([["x"], ["x", "x"]])}.items()
            if r.random() < 0.5
        }
        thing = {
            "apiVersion": "$ns.example.com/" + served,
            "kind": "Thing",
            "metadata": {"name": r.choice("ab")},
            "spec": spec,
            "status": {"n": 1},
        }
        one = things + "/" + thing["metadata"]["name"]
        choices = [
            (lambda: [{"method": "POST", "path": things, "query": sequence.options(), "body": thing}], 6),
            (
                lambda: [
                    {
                        "method": "PATCH",
                        "path": one,
                        "query": {"fieldManager": r.choice(["m1", "m2"])},
                        "type": "application/apply-patch+yaml",
                        "body": thing,
                    }
                ],
                6,
            ),
            (
                lambda: [
                    {
                        "method": "PATCH",
                        "path": one + r.choice(["", "/status"]),
                        "query": {},
                        "type": "application/merge-patch+json",
                        "body": {"spec": spec, "status": {"n": 2}},
                    }
                ],
                4,
            ),
            (lambda: [{"method": "GET", "path": things, "query": {}}], 3),
            (lambda: [{"method": "DELETE", "path": one, "query": {}, "body": None}], 2),
            (
                lambda: [
                    {
                        "method": "PUT",
                        "path": f"{path}/{name}",
                        "query": {},
                        "base": definition(r.choice(shapes)()),
                        "version": "current",
                        "get": f"{path}/{name}",
                    },
                    {"pause": 0.6},
                ],
                6,
            ),
            (lambda: [drop(f"{path}/{name}"), {"pause": 1.0}, {"method": "GET", "path": f"{path}/{name}", "query": {}}], 1),
        ]
        steps += r.choices([c for c, _ in choices], [w for _, w in choices])[0]()
    steps += [{"method": "GET", "path": f"{path}/{name}", "query": {}}, drop(f"{path}/{name}")]
    sequence.steps = steps


ALL = {f.__name__: f for f in (plain, webhooks, policies, namespace_goes, tokens, watches, definition_changes)}
