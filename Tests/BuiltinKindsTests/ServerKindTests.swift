import APIModel
import Testing
import Values

@testable import BuiltinKinds

/// Each rule of the kinds by which API servers and the network keep themselves, with what breaks it.
@Suite struct ServerKindTests {
    static let cases = [apiServices, flows, levels, addresses, candidates, capacities, drivers, nodes, migrations, groups, workloads]

    private static let apiServices = Case(
        "apiservices.apiregistration.k8s.io",
        "{metadata: {name: v1.g.io}, spec: {group: g.io, version: v1, groupPriorityMinimum: 100, versionPriority: 10, service: {name: s, namespace: ns}}}",
        [
            Broken("metadata.name", "x", "metadata.name: Invalid value: \"x\": must be `spec.version+\".\"+spec.group`: \"v1.g.io\""),
            Broken(
                "spec",
                ["version": "v2", "groupPriorityMinimum": 1, "versionPriority": 1],
                "spec.group: Required value: only v1 may have an empty group and it better be legacy kube"
            ),
            Broken(
                "spec.version",
                "1",
                "spec.version: Invalid value: \"1\": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
            ),
            Broken(
                "spec.groupPriorityMinimum",
                20001,
                "spec.groupPriorityMinimum: Invalid value: 20001: must be positive and less than 20000"
            ),
            Broken("spec.versionPriority", 0, "spec.versionPriority: Invalid value: 0: must be positive and less than 1000"),
            Broken("spec.service.namespace", "", "spec.service.namespace: Required value"),
            Broken("spec.service.name", "", "spec.service.name: Required value"),
            Broken(
                "spec.service.port",
                -1,
                "spec.service.port: Invalid value: -1: port is not valid: must be between 1 and 65535, inclusive"
            ),
            Broken(
                "spec",
                [
                    "group": "g.io", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1, "caBundle": "YWJj",
                    "insecureSkipTLSVerify": true,
                ],
                "spec.caBundle: Invalid value: \"3 bytes\": local APIServices may not have a caBundle"
            ),
            Broken(
                "spec",
                [
                    "group": "g.io", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1, "caBundle": "YWJj",
                    "insecureSkipTLSVerify": true, "service": ["name": "s", "namespace": "ns"],
                ],
                "spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present"
            ),
        ]
    )

    private static let flows = Case(
        "flowschemas.flowcontrol.apiserver.k8s.io",
        "{metadata: {name: f}, spec: {matchingPrecedence: 500, priorityLevelConfiguration: {name: p}, rules: [{subjects: [{kind: User, user: {name: u}}], resourceRules: [{verbs: [get], apiGroups: [''], resources: [pods], namespaces: ['*']}], nonResourceRules: [{verbs: ['*'], nonResourceURLs: [/healthz]}]}]}}",
        [
            Broken("spec.matchingPrecedence", -1, "spec.matchingPrecedence: Invalid value: -1: must be a positive value"),
            Broken("spec.matchingPrecedence", 10001, "spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000"),
            Broken(
                "spec.matchingPrecedence",
                1,
                "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1"
            ),
            Broken(
                "spec.distinguisherMethod",
                ["type": "ByMood"],
                "spec.distinguisherMethod.type: Unsupported value: {\"Type\":\"ByMood\"}: supported values: \"ByNamespace\", \"ByUser\""
            ),
            Broken(
                "spec.priorityLevelConfiguration.name",
                "",
                "spec.priorityLevelConfiguration.name: Required value: must reference a priority level"
            ),
            Broken("spec.rules.0.subjects", [], "spec.rules[0].subjects: Required value: subjects must contain at least one value"),
            Broken(
                "spec.rules.0.subjects.0.kind",
                "Robot",
                "spec.rules[0].subjects[0].kind: Unsupported value: \"Robot\": supported values: \"Group\", \"ServiceAccount\", \"User\""
            ),
            Broken(
                "spec.rules.0.subjects.0.kind",
                "Group",
                "spec.rules[0].subjects[0].group: Required value: group is required when subject kind is 'Group'"
            ),
            Broken(
                "spec.rules.0.subjects.0.group",
                ["name": "g"],
                "spec.rules[0].subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'"
            ),
            Broken(
                "spec.rules.0.subjects.0",
                ["kind": "ServiceAccount", "serviceAccount": ["name": "a"]],
                "spec.rules[0].subjects[0].serviceAccount.namespace: Required value: must specify namespace for service account"
            ),
            Broken(
                "spec.rules.0",
                ["subjects": [["kind": "User", "user": ["name": "u"]]]],
                "spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty"
            ),
            Broken(
                "spec.rules.0.resourceRules.0.verbs",
                ["look"],
                "spec.rules[0].resourceRules[0].verbs: Unsupported value: [\"look\"]: supported values: \"create\", \"delete\", \"deletecollection\", \"get\", \"list\", \"patch\", \"proxy\", \"update\", \"watch\""
            ),
            Broken(
                "spec.rules.0.resourceRules.0.verbs",
                ["*", "get"],
                "spec.rules[0].resourceRules[0].verbs: Invalid value: [\"*\",\"get\"]: if '*' is present, must not specify other verbs"
            ),
            Broken(
                "spec.rules.0.resourceRules.0.apiGroups",
                [],
                "spec.rules[0].resourceRules[0].apiGroups: Required value: resource rules must supply at least one api group"
            ),
            Broken(
                "spec.rules.0.resourceRules.0.resources",
                [],
                "spec.rules[0].resourceRules[0].resources: Required value: resource rules must supply at least one resource"
            ),
            Broken(
                "spec.rules.0.resourceRules.0.namespaces",
                [],
                "spec.rules[0].resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace"
            ),
            Broken(
                "spec.rules.0.nonResourceRules.0.nonResourceURLs",
                ["x"],
                "spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: \"x\": must start with slash"
            ),
            Broken(
                "spec.rules.0.nonResourceRules.0.nonResourceURLs",
                ["/a*"],
                "spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: \"/a*\": wildcard can only do suffix matching"
            ),
        ]
    )

    private static let levels = Case(
        "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
        "{metadata: {name: p}, spec: {type: Limited, limited: {limitResponse: {type: Queue, queuing: {}}}}}",
        [
            Broken("spec.type", "Exempt", "spec.type: Invalid value: \"Exempt\": must be 'Exempt' if and only if `name` is 'exempt'"),
            Broken("spec.type", "Free", "spec.type: Unsupported value: \"Free\": supported values: \"Exempt\", \"Limited\""),
            Broken("spec.exempt", [:], "spec.exempt: Forbidden: must be nil if the type is Limited"),
            Broken("spec.limited", nil, "spec.limited: Required value: must not be empty when type is Limited"),
            Broken(
                "spec.limited.nominalConcurrencyShares",
                -1,
                "spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer"
            ),
            Broken(
                "spec.limited.lendablePercent",
                101,
                "spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive"
            ),
            Broken(
                "spec.limited.borrowingLimitPercent",
                -1,
                "spec.limited.borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer"
            ),
            Broken(
                "spec.limited.limitResponse.queuing",
                nil,
                "spec.limited.limitResponse.queuing: Required value: must not be empty if limited.limitResponse.type is Limited"
            ),
            Broken(
                "spec.limited.limitResponse.type",
                "Reject",
                "spec.limited.limitResponse.queuing: Forbidden: must be nil if limited.limitResponse.type is not Limited"
            ),
            Broken(
                "spec.limited.limitResponse.type",
                "Wait",
                "spec.limited.limitResponse.type: Unsupported value: \"Wait\": supported values: \"Queue\", \"Reject\""
            ),
            Broken(
                "spec.limited.limitResponse.queuing.handSize",
                65,
                "spec.limited.limitResponse.queuing.handSize: Invalid value: 65: should not be greater than queues (64)"
            ),
            Broken(
                "spec.limited.limitResponse.queuing.handSize",
                11,
                "spec.limited.limitResponse.queuing.handSize: Invalid value: 11: required entropy bits of deckSize 64 and handSize 11 should not be greater than 60"
            ),
            Broken(
                "spec.limited.limitResponse.queuing.queues",
                10_000_001,
                "spec.limited.limitResponse.queuing.queues: Invalid value: 10000001: must not be greater than 10000000"
            ),
            Broken(
                "spec.limited.limitResponse.queuing.queueLengthLimit",
                -1,
                "spec.limited.limitResponse.queuing.queueLengthLimit: Invalid value: -1: must be positive"
            ),
        ]
    )

    private static let addresses = Case(
        "ipaddresses.networking.k8s.io",
        "{metadata: {name: 10.0.0.1}, spec: {parentRef: {resource: services, namespace: default, name: s}}}",
        [
            Broken(
                "metadata.name",
                "10.0.0.300",
                "metadata.name: Invalid value: \"10.0.0.300\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
            ),
            Broken(
                "metadata.name",
                "2001:DB8::1",
                "metadata.name: Invalid value: \"2001:DB8::1\": must be in canonical form (\"2001:db8::1\")"
            ),
            Broken("spec.parentRef", nil, "spec.parentRef: Required value"),
            Broken("spec.parentRef.resource", "", "spec.parentRef.resource: Required value"),
            Broken("spec.parentRef.name", "", "spec.parentRef.name: Required value"),
            Broken("spec.parentRef.name", "a/b", "spec.parentRef.name: Invalid value: \"a/b\": may not contain '/'"),
        ]
    )

    private static let candidates = Case(
        "leasecandidates.coordination.k8s.io",
        "{metadata: {name: c}, spec: {leaseName: l, binaryVersion: 1.36.2, emulationVersion: 1.36.0, strategy: OldestEmulationVersion}}",
        [
            Broken("spec.leaseName", "", "spec.leaseName: Required value"),
            Broken("spec.binaryVersion", "", "spec.binaryVersion: Required value"),
            Broken("spec.binaryVersion", "1.36", "spec.binaryVersion: Invalid value: \"1.36\": must be a valid semantic version"),
            Broken("spec.emulationVersion", "one", "spec.emulationVersion: Invalid value: \"one\": must be a valid semantic version"),
            Broken(
                "spec.emulationVersion",
                "1.37.0",
                "spec.binaryVersion: Invalid value: \"1.36.2\": must be greater than or equal to `emulationVersion`"
            ),
            Broken("spec.strategy", "", "spec.strategy: Required value"),
            Broken(
                "spec.strategy",
                "Newest",
                "spec.strategy.strategy: Unsupported value: \"Newest\": supported values: \"OldestEmulationVersion\""
            ),
            Broken(
                "spec.emulationVersion",
                nil,
                "spec.emulationVersion: Required value: must be specified when `strategy` is 'OldestEmulationVersion'"
            ),
        ]
    )

    private static let capacities = Case(
        "csistoragecapacities.storage.k8s.io",
        "{metadata: {name: c}, storageClassName: s, capacity: 1Gi}",
        [
            Broken("capacity", "-1", "capacity: Invalid value: \"-1\": must be greater than or equal to 0"),
            Broken(
                "nodeTopology",
                ["matchExpressions": [["key": "a", "operator": "Like"]]],
                "nodeTopology.matchExpressions[0].operator: Invalid value: \"Like\": not a valid selector operator"
            ),
            Broken(
                "storageClassName",
                "A",
                "storageClassName: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
                    .replacing("\\\\", with: "\\")
            ),
        ]
    )

    private static let drivers = Case(
        "csidrivers.storage.k8s.io",
        "{metadata: {name: d}, spec: {}}",
        [
            Broken(
                "spec.fsGroupPolicy",
                "Some",
                "spec.fsGroupPolicy: Unsupported value: \"Some\": supported values: \"File\", \"None\", \"ReadWriteOnceWithFSType\""
            ),
            Broken(
                "spec.volumeLifecycleModes",
                ["Brief"],
                "spec.volumeLifecycleModes: Unsupported value: \"Brief\": supported values: \"Persistent\", \"Ephemeral\""
            ),
            Broken(
                "spec.tokenRequests",
                [["audience": "a"], ["audience": "a"]],
                "spec.tokenRequests[1].audience: Duplicate value: \"a\""
            ),
            Broken(
                "spec.tokenRequests",
                [["audience": "a", "expirationSeconds": 1]],
                "spec.tokenRequests[0].expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes"
            ),
            Broken(
                "spec.nodeAllocatableUpdatePeriodSeconds",
                9,
                "spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: must be greater than or equal to 10 seconds"
            ),
            Broken(
                "spec.serviceAccountTokenInSecrets",
                true,
                "spec.serviceAccountTokenInSecrets: Invalid value: true: serviceAccountTokenInSecrets is set but no tokenRequests are specified"
            ),
        ]
    )

    private static let nodes = Case(
        "csinodes.storage.k8s.io",
        "{metadata: {name: node}, spec: {drivers: [{name: a.b, nodeID: x}]}}",
        [
            Broken("spec.drivers.0.name", "", "spec.drivers[0].name: Required value"),
            Broken("spec.drivers.0.nodeID", "", "spec.drivers[0].nodeID: Required value"),
            Broken("spec.drivers.0.topologyKeys", ["k", "k"], "spec.drivers[0]: Duplicate value: \"k\""),
            Broken(
                "spec.drivers.0.allocatable",
                ["count": -1],
                "spec.drivers[0].allocatable.count: Invalid value: -1: must be greater than or equal to 0"
            ),
            Broken(
                "spec.drivers",
                [["name": "a.b", "nodeID": "x"], ["name": "a.b", "nodeID": "x"]],
                "spec.drivers[1].name: Duplicate value: \"a.b\""
            ),
        ]
    )

    private static let migrations = Case(
        "storageversionmigrations.storagemigration.k8s.io",
        "{metadata: {name: m}, spec: {resource: {resource: secrets}}}",
        [
            Broken("spec.resource.resource", "", "spec.resource.resource: Required value: resource is required to be set"),
            Broken(
                "spec.resource.resource",
                "1",
                "spec.resource.resource: Invalid value: \"1\": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
            ),
        ]
    )

    private static let groups = Case(
        "podgroups.scheduling.k8s.io",
        "{metadata: {name: g}, spec: {schedulingPolicy: {gang: {minCount: 2}}}}",
        [
            Broken("spec.schedulingPolicy", [:], "spec.schedulingPolicy: Invalid value: \"\": must specify one of: `basic`, `gang`"),
            Broken(
                "spec.schedulingPolicy.basic",
                [:],
                "spec.schedulingPolicy: Invalid value: \"{basic, gang}\": must specify exactly one of: `basic`, `gang`"
            ),
            Broken("spec.schedulingPolicy.gang.minCount", nil, "spec.schedulingPolicy.gang.minCount: Required value"),
            Broken(
                "spec.schedulingPolicy.gang.minCount",
                -1,
                "spec.schedulingPolicy.gang.minCount: Invalid value: -1: must be greater than or equal to 1"
            ),
            Broken(
                "spec.podGroupTemplateRef",
                ["workload": ["podGroupTemplateName": "t"]],
                "spec.podGroupTemplateRef.workload.workloadName: Required value"
            ),
            Broken("spec.podGroupTemplateRef", [:], "spec.podGroupTemplateRef: Invalid value: \"\": must specify one of: `workload`"),
        ]
    )

    private static let workloads = Case(
        "workloads.scheduling.k8s.io",
        "{metadata: {name: w}, spec: {podGroupTemplates: [{name: a, schedulingPolicy: {basic: {}}}]}}",
        [
            Broken("spec.podGroupTemplates", [], "spec.podGroupTemplates: Required value"),
            Broken(
                "spec.podGroupTemplates",
                .array((0..<9).map { ["name": .string("t\($0)"), "schedulingPolicy": ["basic": [:]]] }),
                "spec.podGroupTemplates: Too many: 9: must have at most 8 items"
            ),
            Broken("spec.podGroupTemplates.0.name", "", "spec.podGroupTemplates[0].name: Required value"),
            Broken("spec.controllerRef", ["name": "x"], "spec.controllerRef.kind: Required value"),
        ]
    )

    @Test(arguments: cases) func `a sound object passes, a broken one is refused in upstream's words`(_ one: Case) throws {
        let subject = try Subject(one.resource)
        let object = try yaml(one.object)
        #expect(subject.problems(object) == [])
        for broken in one.broken {
            let found = subject.problems(with(object, broken.path, broken.value))
            #expect(found.contains(broken.message), "\(broken.path): \(found)")
        }
    }

    @Test func `the networks of services: one a family, the second may come later`() throws {
        let subject = try Subject("servicecidrs.networking.k8s.io")
        let object = { (cidrs: JSONValue) -> JSONValue in ["metadata": ["name": "c"], "spec": ["cidrs": cidrs]] }
        let problems = { (cidrs: JSONValue) in subject.problems(object(cidrs)) }
        #expect(problems(["10.0.0.0/16"]) == [] && problems(["10.0.0.0/16", "fd00::/108"]) == [])
        #expect(problems([]) == ["spec.cidrs: Required value: at least one CIDR required"])
        #expect(
            problems(["10.0.0.1/16"]) == ["spec.cidrs[0]: Invalid value: \"10.0.0.1/16\": must not have bits set beyond the prefix length"]
        )
        #expect(problems(["FD00::/108"]) == ["spec.cidrs[0]: Invalid value: \"FD00::/108\": must be in canonical form (\"fd00::/108\")"])
        #expect(
            problems(["10.0.0.0/16", "10.1.0.0/16"]) == [
                "spec.cidrs: Invalid value: [\"10.0.0.0/16\",\"10.1.0.0/16\"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
            ]
        )
        let update = { (new: JSONValue, old: JSONValue) in subject.problems(object(new), from: object(old)) }
        #expect(update(["10.0.0.0/16", "fd00::/108"], ["10.0.0.0/16"]) == [])
        #expect(update(["10.1.0.0/16"], ["10.0.0.0/16"]) == ["spec.cidrs[0]: Invalid value: \"10.1.0.0/16\": field is immutable"])
        #expect(
            update(["10.0.0.0/16"], ["10.0.0.0/16", "fd00::/108"]) == ["spec.cidrs: Invalid value: [\"10.0.0.0/16\"]: field is immutable"]
        )
    }

    @Test func `what never changes`() throws {
        let unchanged = [
            ("ipaddresses.networking.k8s.io", Self.addresses.object, "spec.parentRef.name", "spec.parentRef: Invalid value: "),
            ("leasecandidates.coordination.k8s.io", Self.candidates.object, "spec.leaseName", "spec.leaseName: Invalid value: \"other\""),
            (
                "csistoragecapacities.storage.k8s.io", Self.capacities.object, "storageClassName",
                "storageClassName: Invalid value: \"other\""
            ),
            ("csinodes.storage.k8s.io", Self.nodes.object, "spec.drivers.0.nodeID", "spec.drivers: Invalid value: "),
            ("storageversionmigrations.storagemigration.k8s.io", Self.migrations.object, "spec.resource.resource", "spec: Invalid value: "),
            (
                "workloads.scheduling.k8s.io", Self.workloads.object, "spec.podGroupTemplates.0.name",
                "spec.podGroupTemplates: Invalid value: null"
            ),
            (
                "podgroups.scheduling.k8s.io", Self.groups.object, "spec.schedulingPolicy.gang.minCount",
                "spec.schedulingPolicy: Invalid value: null"
            ),
        ]
        for (resource, text, path, start) in unchanged {
            let subject = try Subject(resource)
            let object = try yaml(text)
            let value: JSONValue = path.hasSuffix("minCount") ? 3 : "other"
            let found = subject.problems(with(object, path, value), from: object)
            #expect(found.contains { $0.hasPrefix(start) && $0.hasSuffix("field is immutable") }, "\(resource): \(found)")
            #expect(subject.problems(object, from: object) == [])
        }
    }

    @Test func `mandatory objects of flow control stay as they are`() throws {
        let subject = try Subject("flowschemas.flowcontrol.apiserver.k8s.io")
        let rules =
            "[{subjects: [{kind: Group, group: {name: 'system:masters'}}], resourceRules: [{verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*']}], nonResourceRules: [{verbs: ['*'], nonResourceURLs: ['*']}]}]"
        let exempt = try yaml(
            "{metadata: {name: exempt}, spec: {matchingPrecedence: 1, priorityLevelConfiguration: {name: exempt}, rules: \(rules)}}"
        )
        #expect(subject.problems(exempt) == [])
        let changed = subject.problems(with(exempt, "spec.matchingPrecedence", 2))
        #expect(changed.first?.hasSuffix("spec of 'exempt' must equal the fixed value") == true)
        let levels = try Subject("prioritylevelconfigurations.flowcontrol.apiserver.k8s.io")
        let level = try yaml("{metadata: {name: exempt}, spec: {type: Exempt, exempt: {lendablePercent: 5}}}")
        #expect(levels.problems(level) == [])
        let catchAll = try yaml(
            "{metadata: {name: catch-all}, spec: {type: Limited, limited: {nominalConcurrencyShares: 5, limitResponse: {type: Reject}}}}"
        )
        #expect(levels.problems(catchAll) == [])
        #expect(levels.problems(with(catchAll, "spec.limited.nominalConcurrencyShares", 6)).count == 1)
    }

    @Test func `a migration's status goes one way`() throws {
        let subject = try Subject("storageversionmigrations.storagemigration.k8s.io")
        func status(_ version: String, _ conditions: [(String, String)]) -> JSONValue {
            let list: [JSONValue] = conditions.map {
                ["type": .string($0.0), "status": .string($0.1), "reason": "R", "lastTransitionTime": "2026-01-01T00:00:00Z"]
            }
            return ["status": ["resourceVersion": .string(version), "conditions": .array(list)]]
        }
        let done = status("5", [("Succeeded", "True")])
        #expect(subject.statusProblems(done, from: [:]) == [])
        #expect(
            subject.statusProblems(status("05", []), from: [:]) == [
                "status.resourceVersion: Invalid value: \"05\": resource version is not well formed: 05"
            ]
        )
        let found = subject.statusProblems(status("6", [("Succeeded", "False")]), from: done)
        #expect(found.contains("status.resourceVersion: Invalid value: \"6\": field is immutable"))
        #expect(found.contains { $0.hasSuffix("Success condition cannot be set to false once it is true") })
        let both = subject.statusProblems(status("", [("Succeeded", "True"), ("Failed", "True")]), from: [:])
        #expect(both.contains { $0.hasSuffix("Both success and failed conditions cannot be true at the same time") })
    }

    @Test func `storage versions agree with themselves`() throws {
        let subject = try Subject("storageversions.internal.apiserver.k8s.io")
        let sound = try yaml(
            "{status: {commonEncodingVersion: v1, storageVersions: [{apiServerID: a, encodingVersion: v1, decodableVersions: [v1], servedVersions: [v1]}]}}"
        )
        #expect(subject.statusProblems(sound, from: [:]) == [])
        let broken = [
            Broken(
                "status.commonEncodingVersion",
                nil,
                "status.commonEncodingVersion: Invalid value: null: the common encoding version is v1"
            ),
            Broken(
                "status.commonEncodingVersion",
                "v2",
                "status.commonEncodingVersion: Invalid value: \"v2\": the actual common encoding version is v1"
            ),
            Broken(
                "status.storageVersions.0.decodableVersions",
                ["v2"],
                "status.storageVersions[0].decodableVersions: Invalid value: [\"v2\"]: decodableVersions must include encodingVersion v1"
            ),
            Broken(
                "status.storageVersions.0.servedVersions",
                ["v3"],
                "status.storageVersions[0].servedVersions[0]: Invalid value: \"v3\": individual served version : v3 must be included in decodableVersions : [v1]"
            ),
            Broken("status.conditions", [["type": "T", "status": "True"]], "status[0].reason: Required value"),
        ]
        for one in broken {
            let found = subject.statusProblems(with(sound, one.path, one.value), from: [:])
            #expect(found.contains(one.message), "\(found)")
        }
        #expect(
            subject.problems(["metadata": ["name": "pods"]]) == [
                "metadata.name: Invalid value: \"pods\": name must be in the form of <group>.<resource>"
            ]
        )
    }

    @Test func `fields whose gates are off are dropped unless they were there`() throws {
        let groups = try Subject("podgroups.scheduling.k8s.io")
        let old = with(try yaml(Self.groups.object), "spec.priority", 5)
        #expect(groups.created(old).value(at: ["spec", "priority"]) == nil)
        var new = old
        groups.descriptor.hooks.prepareForUpdate(&new, old: old, groups.context())
        #expect(new.value(at: ["spec", "priority"]) == 5)
    }
}
