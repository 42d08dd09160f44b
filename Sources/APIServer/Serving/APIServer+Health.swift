import APIModel
import HTTPTransport
import Negotiation
import Store

/// What `/healthz`, `/livez` and `/readyz` say, check by check. Monitoring asks for upstream's checks by name: each of those
/// stands here, also where what it watches over begins with the process.
enum HealthChecks {
    static let endpoints = ["healthz", "livez", "readyz"]

    /// What follows the start of the server, in upstream's order; upstream has a hook each for it.
    static let begins: [String] =
        [
            "start-apiserver-admission-initializer", "generic-apiserver-start-informers", "priority-and-fairness-config-consumer",
            "priority-and-fairness-filter", "storage-object-count-tracker-hook", "start-apiextensions-informers",
            "start-apiextensions-controllers", "crd-informer-synced", "start-system-namespaces-controller",
            "peer-endpoint-reconciler-controller", "start-cluster-authentication-info-controller",
            "start-kube-apiserver-identity-lease-controller", "start-kube-apiserver-identity-lease-garbage-collector",
            "storage-readiness", "start-legacy-token-tracking-controller", "start-service-ip-repair-controllers",
            "rbac/bootstrap-roles", "scheduling/bootstrap-system-priority-classes", "priority-and-fairness-config-producer",
            "bootstrap-controller", "start-kubernetes-service-cidr-controller", "aggregator-reload-proxy-client-cert",
            "start-kube-aggregator-informers", "apiservice-status-local-available-controller",
            "apiservice-status-remote-available-controller", "apiservice-registration-controller",
            "apiservice-wait-for-first-sync", "apiservice-discovery-controller", "kube-apiserver-autoregistration",
        ].map { "poststarthook/\($0)" } + [
            "autoregister-completion", "poststarthook/apiservice-openapi-controller",
            "poststarthook/apiservice-openapiv3-controller",
        ]

    /// The names of an endpoint's checks, in upstream's order.
    static func names(of endpoint: String) -> [String] {
        var names = ["ping", "log", "loopback-serving-certificate", "etcd"]
        if endpoint == "readyz" { names = ["ping", "log", "etcd", "etcd-readiness", "informer-sync"] }
        return names + begins + (endpoint == "readyz" ? ["shutdown"] : [])
    }

    /// The paths of all checks.
    static var paths: [String] {
        endpoints.flatMap { endpoint in ["/\(endpoint)"] + names(of: endpoint).map { "/\(endpoint)/\($0)" } }
    }
}

extension APIServer {
    func healthResponse(_ path: String, _ request: HTTPRequest) async throws(APIError) -> HTTPResponse {
        let parts = path.split(separator: "/").map(String.init)
        guard let endpoint = parts.first, ["healthz", "livez", "readyz"].contains(endpoint) else { throw .unknownPath }
        let checks = await healthChecks(endpoint)
        if parts.count > 1 {
            let name = parts.dropFirst().joined(separator: "/")
            guard let check = checks.first(where: { $0.name == name }) else { throw .unknownPath }
            guard let problem = check.problem else {
                // As upstream writes it; what all checks say together, and what fails, is marked.
                var passed = Responses.text("ok")
                passed.headers.remove("X-Content-Type-Options")
                return passed
            }
            return Responses.text("internal server error: \(problem)\n", status: 500)
        }
        let excluded = Set(request.query.all("exclude"))
        let unknown = excluded.subtracting(checks.map(\.name))
        var lines = ""
        var isFailed = false
        for check in checks {
            if excluded.contains(check.name) {
                lines += "[+]\(check.name) excluded: ok\n"
            } else if check.problem == nil {
                lines += "[+]\(check.name) ok\n"
            } else {
                isFailed = true
                lines += "[-]\(check.name) failed: reason withheld\n"
            }
        }
        if !unknown.isEmpty {
            let names = unknown.sorted().map { "\"\($0)\"" }.joined(separator: ",")
            lines += "warn: some health checks cannot be excluded: no matches for \(names)\n"
        }
        if isFailed { return Responses.text(lines + "\(endpoint) check failed\n", status: 500) }
        guard request.query.contains("verbose") else { return Responses.text("ok") }
        return Responses.text(lines + "\(endpoint) check passed\n")
    }

    private struct Check {
        let name: String
        let problem: String?
    }

    private func healthChecks(_ endpoint: String) async -> [Check] {
        let storage = await storeProblem()
        let late = resources.engines.values.filter { !$0.cache.isReady }.count
        let checks = HealthChecks.names(of: endpoint).map { name in
            let problem: String? =
                switch name {
                case "etcd", "etcd-readiness": storage
                case "informer-sync": late == 0 ? nil : "\(late) caches are not filled yet"
                case "shutdown": health.isStopping ? "process is shutting down" : nil
                case _ where HealthChecks.begins.contains(name): health.isStarted ? nil : "not finished"
                default: nil
                }
            return Check(name: name, problem: problem)
        }
        health.note(endpoint, checks.map { ($0.name, $0.problem == nil) })
        return checks
    }

    /// `/metrics/slis`: what the checks said, for alerts on how well the server does. Made first where nobody asked yet.
    func indicatorsResponse() async -> HTTPResponse {
        if health.results.isEmpty { _ = await healthChecks("livez") }
        let results = health.results.sorted { $0.key < $1.key }.flatMap { endpoint, tallies in
            tallies.sorted { $0.key < $1.key }.map { (labels: [("name", $0.key), ("type", endpoint)], tally: $0.value) }
        }
        var out = PrometheusText()
        out.family("kubernetes_healthcheck", "gauge", "[STABLE] This metric records the result of a single healthcheck.")
        for (labels, tally) in results { out.sample("kubernetes_healthcheck", labels, tally.isPassing ? "1" : "0") }
        out.family("kubernetes_healthchecks_total", "counter", "[STABLE] This metric records the results of all healthcheck.")
        for (labels, tally) in results {
            for (status, count) in [("error", tally.failed), ("success", tally.passed)] where count > 0 {
                out.sample("kubernetes_healthchecks_total", [labels[0], ("status", status), labels[1]], "\(count)")
            }
        }
        return ProcessUsage.response(out.text)
    }

    private func storeProblem() async -> String? {
        do throws(StoreError) {
            _ = try await environment.store.currentRevision()
            return nil
        } catch {
            return error.message
        }
    }
}
