import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging

/// Fills secrets of type `kubernetes.io/service-account-token` with a token of the service account that they name, and takes
/// them away with the account.
final class TokenSecretController: KeyedController {
    static let type = "kubernetes.io/service-account-token"
    static let accountAnnotation = "kubernetes.io/service-account.name"
    static let uidAnnotation = "kubernetes.io/service-account.uid"

    /// Of a secret `namespace/name`; of one that is gone `namespace/name/account`.
    let queue: WorkQueue<String>
    private let context: ControllerContext
    private let sign: ControllerConfiguration.TokenSigning
    private let secrets: Cache<Secret>
    private let accounts: Cache<ServiceAccount>

    init(_ context: ControllerContext, sign: @escaping ControllerConfiguration.TokenSigning) {
        self.context = context
        self.sign = sign
        queue = context.queue("serviceaccount_tokens_service")
        secrets = context.cache(Secret.self)
        accounts = context.cache(ServiceAccount.self)
    }

    var workers: Int { context.configuration.workers }
    var synced: [any SyncedCache] { [secrets, accounts] }

    func start() {
        secrets.observe { [weak self] change in
            guard let secret = change.latest, secret.type == Self.type else { return }
            guard change.isDeletion else {
                self?.queue.add(change.key)
                return
            }
            guard let account = secret.annotations[Self.accountAnnotation], !account.isEmpty else { return }
            self?.queue.add("\(change.key)/\(account)")
        }
        accounts.observe { [weak self] change in
            guard let old = change.old, change.isDeletion || old.metadata.uid != change.new?.metadata.uid else { return }
            self?.enqueueSecrets(of: old)
        }
    }

    private func enqueueSecrets(of account: ServiceAccount) {
        for secret in secrets.list(namespace: account.namespace)
        where secret.type == Self.type && secret.annotations[Self.accountAnnotation] == account.name {
            queue.add("\(secret.namespace)/\(secret.name)")
        }
    }

    func reconcile(_ key: String) async throws -> ReconcileResult {
        let parts = key.split(separator: "/").map(String.init)
        if parts.count == 3 {
            try await forget(secret: parts[1], in: parts[0], account: parts[2])
            return .done
        }
        guard let secret = secrets.get(key), secret.type == Self.type else { return .done }
        guard let name = secret.annotations[Self.accountAnnotation], !name.isEmpty else { return .done }
        let uid = secret.annotations[Self.uidAnnotation] ?? ""
        guard let account = try await account(name, in: secret.namespace, uid: uid) else {
            try await delete(secret)
            return .done
        }
        try await fill(secret, account)
        return .done
    }

    /// The account, looked up anew before it is said to be missing; nil as well when it is another of the same name.
    private func account(_ name: String, in namespace: String, uid: String) async throws -> ServiceAccount? {
        func isWanted(_ account: ServiceAccount) -> Bool { uid.isEmpty || uid == account.metadata.uid }
        if let known = accounts.get("\(namespace)/\(name)"), isWanted(known) { return known }
        do {
            let stored = try await context.client.get(ServiceAccount.self, namespace: namespace, name: name)
            return isWanted(stored) ? stored : nil
        } catch let error as APIError where error.isNotFound {
            return nil
        }
    }

    private func delete(_ secret: Secret) async throws {
        let options = DeleteOptions { $0.preconditions = Preconditions(fields: ["uid": .string(secret.metadata.uid)]) }
        do {
            try await context.client.delete(Secret.self, namespace: secret.namespace, name: secret.name, options: options)
        } catch let error as APIError where error.isNotFound || error.isConflict {}
    }

    private func fill(_ secret: Secret, _ account: ServiceAccount) async throws {
        var secret = secret
        let authority = Array(context.configuration.rootCA.utf8)
        var isFull = true
        if !authority.isEmpty, secret.data["ca.crt"] != authority {
            secret.data["ca.crt"] = authority
            isFull = false
        }
        if secret.data["namespace", default: []].isEmpty {
            secret.data["namespace"] = Array(secret.namespace.utf8)
            isFull = false
        }
        if secret.data["token", default: []].isEmpty {
            secret.data["token"] = Array(try sign(secret.namespace, account.name, account.metadata.uid, secret.name).utf8)
            isFull = false
        }
        guard !isFull else { return }
        secret.metadata.annotations[Self.accountAnnotation] = account.name
        secret.metadata.annotations[Self.uidAnnotation] = account.metadata.uid
        do {
            try await context.client.update(secret)
        } catch let error as APIError where error.isConflict || error.isNotFound {
            // Whoever was faster is told of.
        }
    }

    /// Takes a secret that is gone off its account's list.
    private func forget(secret: String, in namespace: String, account: String) async throws {
        guard let known = accounts.get("\(namespace)/\(account)"), known.secrets.contains(where: { $0.name == secret }) else { return }
        do {
            _ = try await context.client.retryOnConflict {
                var fresh = try await self.context.client.get(ServiceAccount.self, namespace: namespace, name: account)
                guard fresh.secrets.contains(where: { $0.name == secret }) else { return }
                fresh.secrets.removeAll { $0.name == secret }
                try await self.context.client.update(fresh)
            }
        } catch let error as APIError where error.isNotFound {}
    }
}
