import APIModel
import APITypes
import Access
import HTTPTransport
import Negotiation
import Store
import Units
import Values

extension APIServer {
    /// Serves a path that names no resource.
    func respondToPath(_ request: HTTPRequest, _ info: RequestInfo, _ user: UserIdentity) async throws(APIError) -> HTTPResponse {
        let path = request.path.count > 1 && request.path.hasSuffix("/") ? String(request.path.dropLast()) : request.path
        let isHealth = ["/healthz", "/livez", "/readyz"].contains { path == $0 || path.hasPrefix($0 + "/") }
        // Upstream answers HEAD only where its handlers are plain, not below its API.
        let takesHead = path == "/apis" || !["/api", "/apis/", "/version"].contains { path.hasPrefix($0) }
        guard request.method == "GET" || isHealth || (request.method == "HEAD" && takesHead) else { throw .methodNotAllowed() }
        if let merged = try await mergedDocument(path, request) { return merged }
        switch path {
        case "/", "/index.html": return Responses.value(["paths": JSONValue(discovery.paths)], form: ResponseForm(isPretty: true))
        case "/version": return Responses.value(version, form: ResponseForm(isPretty: true))
        case "/metrics": return try await metricsResponse()
        case "/metrics/slis": return await indicatorsResponse()
        case "/api":
            return try aggregatable(request) {
                $0.core
            } legacy: {
                $0.legacyCore
            }
        case "/apis":
            return try aggregatable(request) {
                $0.groups
            } legacy: {
                $0.legacyGroups
            }
        case "/openapi/v2": return try await document { openAPI.v2(request, $0) }
        case "/openapi/v3": return openAPI.v3Index(request, resources)
        case "/.well-known/openid-configuration": return try openIDConfiguration()
        case "/openid/v1/jwks": return try keySet()
        default: break
        }
        if isHealth {
            guard path == request.path else { throw .unknownPath }
            return try await healthResponse(path, request)
        }
        let flowControl = "/debug/api_priority_and_fairness/"
        if path.hasPrefix(flowControl) { return try flowControlReport(String(path.dropFirst(flowControl.count))) }
        if path.hasPrefix("/openapi/v3/") { return try await document { openAPI.v3(String(path.dropFirst(12)), request, $0) } }
        if let document = discovery.resources(path) {
            return Responses.value(document, form: try discoveryForm(request))
        }
        throw .unknownPath
    }

    /// Renders a document of the kinds as they are; while a definition changes, of those that come of it.
    func document(_ render: (ServedResources) -> HTTPResponse?) async throws(APIError) -> HTTPResponse {
        if let response = render(resources) { return response }
        await customResources.settle()
        guard let response = render(resources) else { throw .serviceUnavailable("definitions are changing, try again") }
        return response
    }

    private var version: JSONValue {
        let git = environment.configuration.gitVersion
        let numbers = git.drop { !$0.isNumber }.split(separator: ".")
        #if arch(arm64)
            let platform = "linux/arm64"
        #else
            let platform = "linux/amd64"
        #endif
        return [
            "major": .string(numbers.first.map(String.init) ?? "1"),
            "minor": .string(numbers.count > 1 ? String(numbers[1]) : "36"),
            "emulationMajor": "1", "emulationMinor": "36", "minCompatibilityMajor": "1", "minCompatibilityMinor": "35",
            "gitVersion": .string(git), "gitCommit": .string(environment.configuration.gitCommit),
            "gitTreeState": "clean", "buildDate": .string(environment.configuration.buildDate),
            "goVersion": "swift6.3", "compiler": "swiftc", "platform": .string(platform),
        ]
    }

    private func aggregatable(
        _ request: HTTPRequest,
        _ aggregated: (DiscoveryDocuments) -> AggregatedDiscovery,
        legacy: (DiscoveryDocuments) -> JSONValue
    ) throws(APIError) -> HTTPResponse {
        let documents = discovery
        if let version = AggregatedDiscovery.version(asked: request) {
            return aggregated(documents).response(version, request)
        }
        return Responses.value(legacy(documents), form: try discoveryForm(request))
    }

    private func discoveryForm(_ request: HTTPRequest) throws(APIError) -> ResponseForm {
        try ResponseForm.checkRoute(request, isStreamed: false)
        return try ResponseForm.negotiate(request)
    }

    private func openIDConfiguration() throws(APIError) -> HTTPResponse {
        guard let tokens else { throw .unknownPath }
        var response = Responses.value([
            "issuer": .string(tokens.issuer), "jwks_uri": .string("\(tokens.issuer)/openid/v1/jwks"),
            "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [.string(tokens.algorithm)],
        ])
        response.headers = ["Content-Type": "application/json", "Cache-Control": "public, max-age=3600"]
        return response
    }

    private func keySet() throws(APIError) -> HTTPResponse {
        guard let tokens else { throw .unknownPath }
        var response = Responses.value(tokens.keySet)
        response.headers = ["Content-Type": "application/jwk-set+json", "Cache-Control": "public, max-age=3600"]
        return response
    }

    private func metricsResponse() async throws(APIError) -> HTTPResponse {
        var out = PrometheusText()
        out.family("apiserver_storage_objects", "gauge", "Objects stored by resource.")
        for engine in resources.engines.values {
            out.sample("apiserver_storage_objects", [("resource", engine.resource.description)], "\(engine.cache.count)")
        }
        if let size = try? await environment.store.size() {
            out.family("apiserver_storage_size_bytes", "gauge", "Size of the store.")
            out.sample("apiserver_storage_size_bytes", [("storage_cluster_id", "apus")], "\(size.bytes)")
        }
        if let revision = try? await environment.store.currentRevision() {
            out.family("etcd_debugging_mvcc_current_revision", "gauge", "The newest revision.")
            out.sample("etcd_debugging_mvcc_current_revision", [], "\(revision)")
        }
        flowControlMetrics(&out)
        ProcessUsage.append(to: &out)
        let text = environment.metrics.text() + out.text + environment.metrics.othersText()
        return ProcessUsage.response(text)
    }
}
