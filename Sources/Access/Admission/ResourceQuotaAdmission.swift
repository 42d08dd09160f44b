import APIModel
import Channels
import Quota
import Synchronization
import Units
import Values

/// Where the quotas of namespaces are kept.
public protocol QuotaLedger: Sendable {
    /// Whether a namespace has quotas, as far as is known; asked on every write, so it has to be cheap.
    func hasQuotas(_ namespace: String) -> Bool
    /// The quotas of a namespace as they are stored now.
    func quotas(_ namespace: String) async throws(APIError) -> [JSONValue]
    /// Notes what is used; a conflict when the quota is no longer the one that was read.
    func note(used: JSONValue, of quota: JSONValue) async throws(APIError)
    /// The resource under which objects of a resource are stored, which old versions share with the new.
    func storedResource(_ resource: GroupResource) -> GroupResource
}

/// Holds writes to the quotas of their namespace, and charges them. Has to be the last in the chain: what it admits is
/// charged for, whatever comes after.
///
/// The writes that wait are guarded by `waiting`. One task a namespace takes all that have gathered and settles them with
/// one write a quota, so that many writes at a time do not get in each other's way.
public final class ResourceQuotaAdmission: Admission {
    /// How often a charge that came too late is tried again.
    private static let retries = 3

    /// One write that waits to be charged.
    private struct Waiter: Sendable {
        let request: AdmissionRequest
        let charge: QuotaCharge
        let answer: CheckedContinuation<APIError?, Never>
    }

    private let ledger: any QuotaLedger
    private let clock: any ClusterClock
    private let surroundings: QuotaSurroundings
    private let waiting = Mutex<[String: [Waiter]]>([:])

    /// A plugin that keeps its accounts in `ledger`.
    public init(ledger: any QuotaLedger, lookup: any ClusterLookup, clock: any ClusterClock) {
        self.ledger = ledger
        self.clock = clock
        let classes = GroupResource(group: "resource.k8s.io", resource: "deviceclasses")
        let claims = GroupResource(group: "resource.k8s.io", resource: "resourceclaims")
        surroundings = QuotaSurroundings(
            deviceClasses: { QuotaSurroundings.extendedResources(lookup.objects(classes, namespace: nil)) },
            pod: { lookup.object(.core("pods"), namespace: $0, name: $1) },
            deviceClaims: { lookup.objects(claims, namespace: $0) }
        )
    }

    /// The plugin's name.
    public var name: String { "ResourceQuota" }

    /// Whether the plugin has anything to do with the request.
    public func handles(_ request: AdmissionRequest) -> Bool {
        guard request.operation == .create || request.operation == .update, !request.namespace.isEmpty else { return false }
        // A namespace is created in itself.
        if request.resource.resource == "namespaces", request.resource.group.isEmpty { return false }
        return ledger.hasQuotas(request.namespace)
    }

    /// Charges the write, or refuses it.
    public func validate(_ request: AdmissionRequest) async throws(APIError) {
        let resource = GroupResource(group: request.resource.group, resource: request.resource.resource)
        guard let measure = QuotaMeasure(ledger.storedResource(resource)), let object = request.object else { return }
        let old = request.operation == .update ? request.oldObject : nil
        let operation: QuotaMeasure.Operation = request.operation == .create ? .create : .update
        guard measure.handles(operation, subresource: request.subresource, object: object, old: old) else { return }
        let charge = QuotaCharge(measure, object: object, old: old, isStatus: request.subresource == "status")
        let refusal = await withCheckedContinuation { continuation in
            enqueue(Waiter(request: request, charge: charge, answer: continuation))
        }
        if let refusal { throw refusal }
    }

    private func enqueue(_ waiter: Waiter) {
        let namespace = waiter.request.namespace
        let isFirst = waiting.withLock { waiting in
            let isFirst = waiting[namespace] == nil
            waiting[namespace, default: []].append(waiter)
            return isFirst
        }
        guard isFirst else { return }
        // unstructured: it settles writes of several requests, and outlives the one that started it.
        Task { await self.work(namespace) }
    }

    /// Settles what waits until nothing does.
    private func work(_ namespace: String) async {
        while true {
            let batch = waiting.withLock { waiting -> [Waiter] in
                let batch = waiting[namespace] ?? []
                waiting[namespace] = batch.isEmpty ? nil : []
                return batch
            }
            if batch.isEmpty { return }
            let answers = await settle(batch, namespace)
            for (waiter, answer) in zip(batch, answers) { waiter.answer.resume(returning: answer) }
        }
    }

    /// What became of one write.
    private enum Verdict {
        /// Charged, once the quotas are written.
        case charged
        case allowed
        case refused(APIError)
    }

    private func settle(_ batch: [Waiter], _ namespace: String) async -> [APIError?] {
        do throws(APIError) {
            let quotas = try await ledger.quotas(namespace).map { NamespaceQuota($0) }
            return try await settle(batch, quotas, namespace)
        } catch {
            return batch.map { _ in error }
        }
    }

    private func settle(_ batch: [Waiter], _ read: [NamespaceQuota], _ namespace: String) async throws(APIError) -> [APIError?] {
        var verdicts: [Verdict] = batch.map { _ in .charged }
        var before = read
        for attempt in 0... {
            let after = charge(batch, to: before, &verdicts)
            var failed: Set<String> = []
            var failure: APIError?
            for (old, new) in zip(before, after) where old.used != new.used {
                do throws(APIError) {
                    try await ledger.note(used: new.used?.json ?? [:], of: old.object)
                } catch {
                    // A quota that is gone limits nothing any more.
                    if error.isNotFound { continue }
                    failed.insert(old.name)
                    failure = error
                }
            }
            guard let failure else { break }
            guard attempt < Self.retries else {
                return verdicts.map { if case .refused(let error) = $0 { error } else if case .charged = $0 { failure } else { nil } }
            }
            before = try await ledger.quotas(namespace).map { NamespaceQuota($0) }.filter { failed.contains($0.name) }
        }
        return verdicts.map { if case .refused(let error) = $0 { error } else { nil } }
    }

    /// Charges one write after the other to the quotas.
    private func charge(_ batch: [Waiter], to quotas: [NamespaceQuota], _ verdicts: inout [Verdict]) -> [NamespaceQuota] {
        var quotas = quotas
        let now = clock.now
        for (index, waiter) in batch.enumerated() {
            guard case .charged = verdicts[index] else { continue }
            do throws(QuotaCharge.Refusal) {
                let charged = try waiter.charge.charged(to: quotas, now: now, surroundings)
                let isUnchanged = zip(quotas, charged).allSatisfy { $0.used == $1.used }
                if isUnchanged || waiter.request.isDryRun {
                    verdicts[index] = .allowed
                } else {
                    quotas = charged
                }
            } catch {
                verdicts[index] = .refused(waiter.request.forbidden(error.message))
            }
        }
        return quotas
    }
}
