"""Random bodies of some kinds: from small pools of names, so that what one step writes the next one meets again."""

CONTAINERS = ["c0", "c1", "c2"]


def maybe(r, chance, value):
    return value() if r.random() < chance else None


def mapping(r, **members):
    """A map of the members that are not None, each of them left out at times."""
    return {k: v for k, v in ((k, v) for k, v in members.items()) if v is not None}


def labels(r):
    return {k: r.choice(["x", "y", ""]) for k in r.sample(["a", "b", "example.com/c", "d"], r.randint(0, 3))}


def some(r, items, least=0, most=3):
    return r.sample(items, min(len(items), r.randint(least, most)))


def amount(r, kind):
    return r.choice(["100m", "0.1", "1", "1500m", 2] if kind == "cpu" else ["64Mi", "67108864", "1Gi", "128974848", "129e6", "1024Ki"])


def container(r, name, thin=False):
    return mapping(
        r, name=name,
        image=maybe(r, 0.3 if thin else 0.97, lambda: r.choice(["nginx", "nginx:1", "busybox:latest", "r.io/a@sha256:" + "0" * 64])),
        command=maybe(r, 0.2, lambda: some(r, ["sh", "-c", "x"])),
        env=maybe(r, 0.5, lambda: [env(r, n) for n in some(r, ["A", "B", "C", "A"] if r.random() < 0.1 else ["A", "B", "C"])]),
        ports=maybe(r, 0.5, lambda: [port(r, n) for n in some(r, [80, 81, 443])]),
        resources=maybe(r, 0.4, lambda: mapping(
            r, requests=maybe(r, 0.7, lambda: {k: amount(r, k) for k in some(r, ["cpu", "memory"])}),
            limits=maybe(r, 0.4, lambda: {k: amount(r, k) for k in some(r, ["cpu", "memory"])}))),
        volumeMounts=maybe(r, 0.3, lambda: [{"name": n, "mountPath": "/" + r.choice("xyz")} for n in some(r, ["v0", "v1"])]),
        imagePullPolicy=maybe(r, 0.2, lambda: r.choice(["Always", "Never", "IfNotPresent", "Odd"])),
        readinessProbe=maybe(r, 0.15, lambda: {r.choice(["httpGet", "tcpSocket"]): {"port": r.choice([80, "p80"])}, **maybe_period(r)}),
        securityContext=maybe(r, 0.2, lambda: mapping(
            r, runAsUser=maybe(r, 0.5, lambda: r.randint(0, 2)),
            capabilities=maybe(r, 0.5, lambda: {r.choice(["add", "drop"]): some(r, ["NET_ADMIN", "ALL", "SYS_TIME"])}))),
    )


def maybe_period(r):
    return {"periodSeconds": r.choice([1, 10, 0])} if r.random() < 0.5 else {}


def env(r, name):
    if r.random() < 0.2:
        return {"name": name, "valueFrom": {"configMapKeyRef": {"name": "a", "key": "k"}}}
    return {"name": name, "value": r.choice(["1", "2", "", "$(A)"])} if r.random() < 0.9 else {"name": name}


def port(r, number):
    return mapping(r, containerPort=number, name=maybe(r, 0.5, lambda: f"p{number}"), protocol=maybe(r, 0.4, lambda: r.choice(["TCP",
        "UDP"])))


def volume(r, name):
    return {"name": name, **r.choice([{"emptyDir": {}}, {"configMap": {"name": "a"}}, {"secret": {"secretName": "a"}},
        {"emptyDir": {"sizeLimit": "1Gi"}},
                                      {"hostPath": {"path": "/x"}}, {"projected": {"sources": [{"configMap": {"name": "a"}}]}}])}


def pod_spec(r, thin=False):
    return mapping(
        r, containers=maybe(r, 0.5 if thin else 1, lambda: [container(r, n, thin) for n in some(r, CONTAINERS, 1)]),
        initContainers=maybe(r, 0.15, lambda: [container(r, n, thin) for n in some(r, ["i0", "i1"], 1)]),
        volumes=maybe(r, 0.5, lambda: [volume(r, n) for n in some(r, ["v0", "v1"])]),
        tolerations=maybe(r, 0.3, lambda: [{"key": k, "operator": "Exists"} for k in some(r, ["t0", "t1"])]),
        nodeSelector=maybe(r, 0.3, lambda: labels(r)),
        terminationGracePeriodSeconds=maybe(r, 0.3, lambda: r.choice([0, 1, 30])),
        imagePullSecrets=maybe(r, 0.2, lambda: [{"name": n} for n in some(r, ["s0", "s1"])]),
        hostAliases=maybe(r, 0.15, lambda: [{"ip": ip, "hostnames": some(r, ["h0", "h1"])} for ip in some(r, ["1.1.1.1", "2.2.2.2"])]),
        topologySpreadConstraints=maybe(r, 0.15, lambda: [
            {"maxSkew": r.randint(1, 2), "topologyKey": k, "whenUnsatisfiable": r.choice(["DoNotSchedule", "ScheduleAnyway"])}
                for k in some(r, ["k0", "k1"])]),
        restartPolicy=maybe(r, 0.1, lambda: r.choice(["Always", "Never"])),
        priority=maybe(r, 0.03, lambda: 7), hostNetwork=maybe(r, 0.05, lambda: r.random() < 0.5),
        activeDeadlineSeconds=maybe(r, 0.1, lambda: r.choice([5, 50])),
        schedulerName=maybe(r, 0.1, lambda: "other"),
    )


def template(r, thin=False):
    return {"metadata": {"labels": {"app": "a", **labels(r)}}, "spec": pod_spec(r, thin)}


def pods(r, thin=False):
    return {"spec": pod_spec(r, thin)}


def deployments(r, thin=False):
    return {"spec": mapping(
        r, replicas=maybe(r, 0.5, lambda: r.randint(0, 3)), selector=maybe(r, 0.3 if thin else 0.98,
            lambda: {"matchLabels": {"app": "a"}}),
        template=maybe(r, 0.6 if thin else 1, lambda: template(r, thin)), paused=maybe(r, 0.2, lambda: r.random() < 0.5),
        strategy=maybe(r, 0.3, lambda: r.choice([{"type": "Recreate"}, {"type": "RollingUpdate"},
            {"rollingUpdate": {"maxSurge": r.choice([1, "30%", 0])}}])),
        minReadySeconds=maybe(r, 0.2, lambda: r.randint(0, 9)), revisionHistoryLimit=maybe(r, 0.2, lambda: r.randint(0, 9)))}


def statefulsets(r, thin=False):
    return {"spec": mapping(
        r, replicas=maybe(r, 0.5, lambda: r.randint(0, 3)), selector=maybe(r, 0.3 if thin else 0.98,
            lambda: {"matchLabels": {"app": "a"}}),
        template=maybe(r, 0.6 if thin else 1, lambda: template(r, thin)), serviceName=maybe(r, 0.4, lambda: r.choice("ab")),
        volumeClaimTemplates=maybe(r, 0.3, lambda: [{"metadata": {"name": n}, **claims(r)} for n in some(r, ["v0", "v2"])]),
        updateStrategy=maybe(r, 0.3, lambda: r.choice([{"type": "OnDelete"}, {"rollingUpdate": {"partition": 1}}])))}


def daemonsets(r, thin=False):
    return {"spec": mapping(
        r, selector=maybe(r, 0.3 if thin else 0.98, lambda: {"matchLabels": {"app": "a"}}), template=maybe(r, 0.6 if thin else 1,
            lambda: template(r, thin)),
        updateStrategy=maybe(r, 0.3, lambda: r.choice([{"type": "OnDelete"}, {"rollingUpdate": {"maxUnavailable": r.choice([1,
            "20%"])}}])))}


def jobs(r, thin=False):
    body = template(r, thin)
    if not thin or r.random() < 0.5:
        body["spec"]["restartPolicy"] = r.choice(["Never", "OnFailure"])
    body["metadata"]["labels"].pop("app", None)
    return {"spec": mapping(
        r, template=maybe(r, 0.5 if thin else 1, lambda: body), parallelism=maybe(r, 0.4, lambda: r.randint(0, 3)), suspend=maybe(r, 0.4,
            lambda: r.random() < 0.5),
        completions=maybe(r, 0.3, lambda: r.randint(0, 3)), backoffLimit=maybe(r, 0.3, lambda: r.randint(0, 9)),
        completionMode=maybe(r, 0.2, lambda: r.choice(["Indexed", "NonIndexed"])), ttlSecondsAfterFinished=maybe(r, 0.2,
            lambda: r.randint(0, 9)))}


def cronjobs(r, thin=False):
    return {"spec": mapping(r, schedule=maybe(r, 0.3 if thin else 0.97, lambda: r.choice(["* * * * *", "@daily", "61 * * * *"])),
                            jobTemplate=maybe(r, 0.5 if thin else 1, lambda: jobs(r, thin)), suspend=maybe(r, 0.4, lambda: True),
                            concurrencyPolicy=maybe(r, 0.3, lambda: r.choice(["Allow", "Forbid"])), timeZone=maybe(r, 0.2,
                                lambda: "Etc/UTC"))}


def services(r, thin=False):
    return {"spec": mapping(
        r, ports=maybe(r, 0.5 if thin else 0.95, lambda: [
            mapping(r, port=n, name=maybe(r, 0.85, lambda: f"p{n}"), protocol=maybe(r, 0.4, lambda: r.choice(["TCP", "UDP"])),
                    targetPort=maybe(r, 0.5, lambda: r.choice([8080, "p80"]))) for n in some(r, [80, 81, 443], 1)]),
        selector=maybe(r, 0.5, lambda: labels(r)), type=maybe(r, 0.4, lambda: r.choice(["ClusterIP", "NodePort", "LoadBalancer",
            "ExternalName"])),
        clusterIP=maybe(r, 0.15, lambda: r.choice(["None", ""])), externalName=maybe(r, 0.1, lambda: "e.com"),
        sessionAffinity=maybe(r, 0.2, lambda: r.choice(["None", "ClientIP"])), externalIPs=maybe(r, 0.2, lambda: some(r, ["1.1.1.1",
            "2.2.2.2"])),
        externalTrafficPolicy=maybe(r, 0.15, lambda: r.choice(["Local", "Cluster"])), publishNotReadyAddresses=maybe(r, 0.1,
            lambda: True))}


def configmaps(r, thin=False):
    return mapping(r, data=maybe(r, 0.8, lambda: labels_like(r)), immutable=maybe(r, 0.07, lambda: r.random() < 0.5),
                   binaryData=maybe(r, 0.2, lambda: {k: r.choice(["AAAA", "", "QQ=="]) for k in some(r, ["e", "f", "a"])}))


def labels_like(r):
    return {k: r.choice(["x", "y", ""]) for k in some(r, ["a", "b", "c", "d"])}


def secrets(r, thin=False):
    return mapping(r, data=maybe(r, 0.6, lambda: {k: r.choice(["AAAA", "", "QQ=="]) for k in some(r, ["e", "f", "a"])}),
                   stringData=maybe(r, 0.4, lambda: labels_like(r)), type=maybe(r, 0.2, lambda: r.choice(["Opaque", "x/y",
                       "kubernetes.io/tls"])))


def claims(r, thin=False):
    return {"spec": mapping(
        r, accessModes=maybe(r, 0.5 if thin else 0.97, lambda: some(r, ["ReadWriteOnce", "ReadOnlyMany"], 1)),
        resources=maybe(r, 0.5 if thin else 0.97, lambda: {"requests": {"storage": r.choice(["1Gi", "2Gi", "1024Mi", "1"])}}),
        storageClassName=maybe(r, 0.4, lambda: r.choice(["", "s"])), volumeName=maybe(r, 0.2, lambda: "v"))}


def ingresses(r, thin=False):
    backend = {"service": {"name": "s", "port": r.choice([{"number": 80}, {"name": "p80"}])}}
    return {"spec": mapping(
        r, defaultBackend=maybe(r, 0.5, lambda: backend), ingressClassName=maybe(r, 0.3, lambda: r.choice("ab")),
        rules=maybe(r, 0.7, lambda: [{"host": h, "http": {"paths": [{"path": "/" + p, "pathType": "Prefix", "backend": backend}
            for p in some(r, list("xy"), 1)]}}
                                     for h in some(r, ["a.com", "*.b.com", "a.com"])]),
        tls=maybe(r, 0.3, lambda: [{"hosts": some(r, ["a.com", "b.com"]), "secretName": r.choice("ab")} for _ in range(r.randint(0,
            2))]))}


def horizontalpodautoscalers(r, thin=False):
    return {"spec": mapping(
        r, scaleTargetRef=maybe(r, 0.4 if thin else 0.97, lambda: {"kind": "Deployment", "name": "a", "apiVersion": "apps/v1"}),
        minReplicas=maybe(r, 0.5, lambda: r.randint(0, 3)), maxReplicas=maybe(r, 0.5 if thin else 0.97, lambda: r.randint(1, 5)),
        metrics=maybe(r, 0.6, lambda: [{"type": "Resource", "resource": {"name": n, "target": {"type": "Utilization",
            "averageUtilization": r.randint(1, 90)}}}
                                       for n in some(r, ["cpu", "memory"])]),
        behavior=maybe(r, 0.2, lambda: {r.choice(["scaleUp", "scaleDown"]): {"stabilizationWindowSeconds": r.randint(0, 60)}}))}


def autoscalers_v1(r, thin=False):
    return {"spec": mapping(
        r, scaleTargetRef=maybe(r, 0.4 if thin else 0.97, lambda: {"kind": "Deployment", "name": "a"}), minReplicas=maybe(r, 0.5,
            lambda: r.randint(0, 3)),
        maxReplicas=maybe(r, 0.5 if thin else 0.97, lambda: r.randint(1, 5)), targetCPUUtilizationPercentage=maybe(r, 0.5,
            lambda: r.randint(1, 90)))}


def roles(r, thin=False):
    return mapping(r, rules=maybe(r, 0.9, lambda: [
        mapping(r, apiGroups=[""], resources=some(r, ["pods", "secrets"], 1), verbs=some(r, ["get", "list", "*"],
            0 if r.random() < 0.1 else 1))
        for _ in range(r.randint(0, 2))]))


def rolebindings(r, thin=False):
    return mapping(r, roleRef=maybe(r, 0.5 if thin else 0.98, lambda: {"kind": "Role", "name": r.choice(["a", "a", "b"]),
        "apiGroup": "rbac.authorization.k8s.io"}),
                   subjects=maybe(r, 0.8, lambda: [{"kind": "User", "name": n} for n in some(r, ["u", "v"])]))


def networkpolicies(r, thin=False):
    return {"spec": mapping(r, podSelector=maybe(r, 0.8, lambda: {"matchLabels": labels(r)}), policyTypes=maybe(r, 0.4, lambda: some(r,
        ["Ingress", "Egress"])),
                            ingress=maybe(r, 0.4, lambda: [mapping(r, ports=maybe(r, 0.6, lambda: [{"port": r.choice([80, "x"])}]))
                                for _ in range(r.randint(0, 2))]))}


def poddisruptionbudgets(r, thin=False):
    return {"spec": mapping(r, minAvailable=maybe(r, 0.5, lambda: r.choice([0, 1, "50%"])), maxUnavailable=maybe(r, 0.3, lambda: 1),
                            selector=maybe(r, 0.9, lambda: {"matchLabels": labels(r)}))}


def endpointslices(r, thin=False):
    return mapping(r, addressType=maybe(r, 0.3 if thin else 0.97, lambda: "IPv4"),
                   endpoints=maybe(r, 0.4 if thin else 0.97, lambda: [
                       mapping(r, addresses=[a], conditions=maybe(r, 0.5, lambda: {"ready": True})) for a in some(r, ["1.1.1.1",
                           "2.2.2.2"])]),
                   ports=maybe(r, 0.6, lambda: [mapping(r, name=n, port=80, protocol=maybe(r, 0.5, lambda: "UDP")) for n in some(r, ["",
                       "x"])]))


def endpoints(r, thin=False):
    return mapping(r, subsets=maybe(r, 0.9, lambda: [
        mapping(r, addresses=[{"ip": a} for a in some(r, ["1.1.1.1", "2.2.2.2", "1.1.1.1"])], ports=[{"port": 80, "name": n}
            for n in some(r, ["", "x"])])
        for _ in range(r.randint(0, 2))]))


def limitranges(r, thin=False):
    return {"spec": mapping(r, limits=maybe(r, 0.95, lambda: [
        mapping(r, type=t, default=maybe(r, 0.5, lambda: {"cpu": "1"}), defaultRequest=maybe(r, 0.5, lambda: {"memory": "64Mi"}),
                max=maybe(r, 0.4, lambda: {"cpu": "2"})) for t in some(r, ["Container", "Container",
                    "Pod"] if r.random() < 0.2 else ["Container"])]))}


def resourcequotas(r, thin=False):
    hard = {k: r.choice(["1", "2", 3, "1Gi"]) for k in some(r, ["pods", "cpu", "configmaps", "count/widgets.rand.example.com",
        "requests.memory", "services"])}
    return mapping(r, spec=maybe(r, 0.8, lambda: {"hard": hard}), status=maybe(r, 0.7, lambda: {"hard": hard, "used": {k: "0"
        for k in hard}}))


def serviceaccounts(r, thin=False):
    return mapping(r, secrets=maybe(r, 0.5, lambda: [{"name": n} for n in some(r, ["s0", "s1"])]), automountServiceAccountToken=maybe(r,
        0.3, lambda: False),
                   imagePullSecrets=maybe(r, 0.5, lambda: [{"name": n} for n in some(r, ["s0", "s1"])]))


def leases(r, thin=False):
    return {"spec": mapping(r, holderIdentity=maybe(r, 0.6, lambda: r.choice("ab")), leaseDurationSeconds=maybe(r, 0.5,
        lambda: r.randint(0, 5)),
                            renewTime=maybe(r, 0.4, lambda: "2020-01-01T00:00:00.000000Z"), leaseTransitions=maybe(r, 0.3,
                                lambda: r.randint(0, 2)))}


def nodes(r, thin=False):
    return mapping(r, spec=maybe(r, 0.8, lambda: mapping(
        r, taints=maybe(r, 0.6, lambda: [{"key": k, "effect": e} for k in some(r, ["k0", "k1"]) for e in some(r, ["NoSchedule",
            "NoExecute"])]),
        unschedulable=maybe(r, 0.4, lambda: r.random() < 0.5), podCIDR=maybe(r, 0.2, lambda: r.choice(["10.9.0.0/24", "10.8.0.0/24"])))),
        status=maybe(r, 0.4, lambda: node_status(r)))


def node_status(r):
    return mapping(r, conditions=maybe(r, 0.7, lambda: conditions(r, ["Ready", "MemoryPressure"])), capacity=maybe(r, 0.5,
        lambda: {"cpu": amount(r, "cpu")}),
                   addresses=maybe(r, 0.6, lambda: [{"type": t, "address": r.choice(["1.1.1.1", "2.2.2.2"])} for t in some(r,
                       ["InternalIP", "Hostname", "InternalIP"])]))


def conditions(r, types):
    return [mapping(r, type=t, status=r.choice(["True", "False"]), reason=maybe(r, 0.6, lambda: r.choice(["R", "S"])), message=maybe(r,
        0.4, lambda: "m"),
                    lastTransitionTime=maybe(r, 0.7, lambda: "2020-01-01T00:00:00Z")) for t in some(r, types)]


def widgets(r, thin=False):
    return mapping(
        r, spec=maybe(r, 0.9, lambda: mapping(
            r, size=maybe(r, 0.6, lambda: r.choice([1, 2, 3, 10, 11, "s", 2.0, 2.5, -1])), replicas=maybe(r, 0.5, lambda: r.randint(0,
                4)), name=maybe(r, 0.4, lambda: r.choice(["n", "m", "toolong-toolong"])),
            parts=maybe(r, 0.6, lambda: [mapping(r, id=i, kind=maybe(r, 0.4, lambda: r.choice("kl")), weight=maybe(r, 0.5,
                lambda: r.choice([1, 5, 99])),
                                                 extra=maybe(r, 0.1, lambda: 1)) for i in some(r, ["p0", "p1", "p2", "p0"])]),
            tags=maybe(r, 0.5, lambda: some(r, ["t0", "t1", "t2", "t0"])), ordered=maybe(r, 0.4, lambda: some(r, [1, 2, 3])),
            free=maybe(r, 0.4, lambda: r.choice([{"x": 1, "y": {"z": [1, None, "a"]}}, {"x": None}, {}, {"n": 1.5e3,
                "big": 9007199254740993}])),
            atom=maybe(r, 0.3, lambda: {k: r.choice("xy") for k in some(r, ["m", "n"])}), port=maybe(r, 0.4, lambda: r.choice([80,
                "http", "80%"])),
            fixed=maybe(r, 0.3, lambda: r.choice("fg")), nothing=maybe(r, 0.2, lambda: r.choice([None, "x"])), unknown=maybe(r, 0.1,
                lambda: {"a": 1}),
            template=maybe(r, 0.2, lambda: {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": r.choice(["ok", "No"])},
                "spec": {"x": 1}}))),
        status=maybe(r, 0.3, lambda: widget_status(r)))


def widget_status(r):
    return mapping(r, phase=maybe(r, 0.6, lambda: r.choice(["P", "Q"])), replicas=maybe(r, 0.4, lambda: r.randint(0, 4)),
                   conditions=maybe(r, 0.6, lambda: conditions(r, ["Ready", "Done"])), observed=maybe(r, 0.2, lambda: {"a": 1}))


def statuses(r, resource):
    """A body of /status."""
    if resource == "nodes":
        return {"status": node_status(r)}
    if resource == "widgets":
        return {"status": widget_status(r)}
    if resource == "pods":
        return {"status": mapping(r, phase=maybe(r, 0.5, lambda: r.choice(["Running", "Pending", "Succeeded"])), conditions=maybe(r, 0.7,
            lambda: conditions(r, ["Ready", "x/y"])),
                                  podIP=maybe(r, 0.3, lambda: r.choice(["1.1.1.1", "2.2.2.2"])), podIPs=maybe(r, 0.2,
                                      lambda: [{"ip": "1.1.1.1"}]),
                                  containerStatuses=maybe(r, 0.3, lambda: [{"name": n, "image": "x", "imageID": "", "ready": True,
                                      "restartCount": r.randint(0, 2)} for n in some(r, CONTAINERS)]))}
    if resource == "services":
        return {"status": {"loadBalancer": {"ingress": [{"ip": a} for a in some(r, ["1.1.1.1", "2.2.2.2"])]}}}
    if resource == "resourcequotas":
        return {"status": {"hard": {"pods": "2", "configmaps": "1"}, "used": {"pods": r.choice("012"), "configmaps": "0"}}}
    return {"status": mapping(r, replicas=maybe(r, 0.5, lambda: r.randint(0, 4)), observedGeneration=maybe(r, 0.5, lambda: r.randint(0,
        4)),
                              conditions=maybe(r, 0.6, lambda: conditions(r, ["Available", "x/Y"])), phase=maybe(r, 0.1,
                                  lambda: "Bound"))}


def custom_schema():
    text, number = {"type": "string", "maxLength": 20}, {"type": "integer"}
    part = {"type": "object", "required": ["id"], "properties": {
        "id": text, "kind": {"type": "string", "default": "k", "maxLength": 9}, "weight": {"type": "integer", "maximum": 50}}}
    condition = {"type": "object", "required": ["type", "status"], "properties": {
        "type": text, "status": {"type": "string", "enum": ["True", "False", "Unknown"]}, "reason": text, "message": text,
            "lastTransitionTime": {"type": "string", "format": "date-time"}}}
    spec = {"type": "object", "default": {}, "properties": {
        "size": {"type": "integer", "minimum": 0, "default": 2, "x-kubernetes-validations": [{"rule": "self != 10", "message": "ten"}]},
        "replicas": number, "name": {"type": "string", "maxLength": 5, "pattern": "^[a-z-]+$"},
        "parts": {"type": "array", "items": part, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id", "kind"],
            "maxItems": 9,
                  "x-kubernetes-validations": [{"rule": "self.all(p, !has(p.weight) || p.weight != 5)", "messageExpression": "'five'"}]},
        "tags": {"type": "array", "items": text, "x-kubernetes-list-type": "set"}, "ordered": {"type": "array", "items": number,
            "maxItems": 2},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}, "atom": {"type": "object",
            "additionalProperties": text, "x-kubernetes-map-type": "atomic"},
        "port": {"x-kubernetes-int-or-string": True}, "fixed": {"type": "string", "maxLength": 9,
            "x-kubernetes-validations": [{"rule": "self == oldSelf", "reason": "FieldValueForbidden", "message": "is fixed"}]},
        "nothing": {"type": "string", "nullable": True, "default": "d"}, "template": {"type": "object",
            "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}},
        "x-kubernetes-validations": [{"rule": "!has(self.replicas) || !has(self.size) || self.replicas <= self.size",
            "fieldPath": ".replicas", "message": "too many"}]}
    status = {"type": "object", "properties": {"phase": text, "replicas": number, "selector": text, "conditions": {
        "type": "array", "items": condition, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}}}
    return {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": status}}}


def custom_definition():
    columns = [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}, {"name": "When", "type": "date",
        "jsonPath": ".metadata.creationTimestamp"},
               {"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type=='Ready')].status"}]
    version = {"served": True, "schema": custom_schema(), "additionalPrinterColumns": columns,
        "selectableFields": [{"jsonPath": ".spec.name"}],
               "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas",
                   "labelSelectorPath": ".status.selector"}}}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.rand.example.com"}, "spec": {
        "group": "rand.example.com", "scope": "Namespaced", "names": {"plural": "widgets", "singular": "widget", "kind": "Widget",
            "shortNames": ["wd"], "categories": ["all"]},
        "versions": [{"name": "v1", "storage": True, **version}, {"name": "v1beta1", "storage": False, "deprecated": True, **version}]}}


# resource: (kind, API versions, makes bodies, has a status, has a scale)
KINDS = {
    "pods": ("Pod", ["v1"], pods, True, False),
    "services": ("Service", ["v1"], services, True, False),
    "configmaps": ("ConfigMap", ["v1"], configmaps, False, False),
    "secrets": ("Secret", ["v1"], secrets, False, False),
    "persistentvolumeclaims": ("PersistentVolumeClaim", ["v1"], claims, True, False),
    "serviceaccounts": ("ServiceAccount", ["v1"], serviceaccounts, False, False),
    "limitranges": ("LimitRange", ["v1"], limitranges, False, False),
    "resourcequotas": ("ResourceQuota", ["v1"], resourcequotas, True, False),
    "endpoints": ("Endpoints", ["v1"], endpoints, False, False),
    "nodes": ("Node", ["v1"], nodes, True, False),
    "deployments": ("Deployment", ["apps/v1"], deployments, True, True),
    "statefulsets": ("StatefulSet", ["apps/v1"], statefulsets, True, True),
    "daemonsets": ("DaemonSet", ["apps/v1"], daemonsets, True, False),
    "jobs": ("Job", ["batch/v1"], jobs, True, False),
    "cronjobs": ("CronJob", ["batch/v1"], cronjobs, True, False),
    "ingresses": ("Ingress", ["networking.k8s.io/v1"], ingresses, True, False),
    "networkpolicies": ("NetworkPolicy", ["networking.k8s.io/v1"], networkpolicies, False, False),
    "horizontalpodautoscalers": ("HorizontalPodAutoscaler", ["autoscaling/v2", "autoscaling/v1"], horizontalpodautoscalers, True, False),
    "roles": ("Role", ["rbac.authorization.k8s.io/v1"], roles, False, False),
    "rolebindings": ("RoleBinding", ["rbac.authorization.k8s.io/v1"], rolebindings, False, False),
    "poddisruptionbudgets": ("PodDisruptionBudget", ["policy/v1"], poddisruptionbudgets, True, False),
    "endpointslices": ("EndpointSlice", ["discovery.k8s.io/v1"], endpointslices, False, False),
    "leases": ("Lease", ["coordination.k8s.io/v1"], leases, False, False),
    "widgets": ("Widget", ["rand.example.com/v1", "rand.example.com/v1beta1"], widgets, True, True),
}
CLUSTER_WIDE = {"nodes"}
