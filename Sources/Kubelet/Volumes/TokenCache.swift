import APITypes
import Channels
import Synchronization
import Units

/// Tokens of service accounts, kept until they are due for renewal: after 80 % of their life, or a day.
///
/// Guarded by `tokens`.
final class TokenCache: Sendable {
    private struct Key: Hashable {
        var podUID: String
        var audience: String
        var seconds: Int
    }

    private struct Token {
        var text: String
        var issuedAt: Timestamp
        var expiresAt: Timestamp
    }

    private static let longestUse: Duration = .seconds(24 * 3600)
    private let tokens = Mutex<[Key: Token]>([:])
    private let clock: any ClusterClock

    init(clock: any ClusterClock) {
        self.clock = clock
    }

    /// The token in use, or a new one from `request`; a failed renewal keeps the old one until it expires.
    func token(
        podUID: String,
        audience: String,
        seconds: Int,
        request: () async throws -> (text: String, expiresAt: Timestamp)
    ) async throws -> String {
        let key = Key(podUID: podUID, audience: audience, seconds: seconds)
        let held = tokens.withLock { $0[key] }
        let now = clock.now
        if let held, !Self.isDue(held, now) { return held.text }
        do {
            let (text, expiresAt) = try await request()
            tokens.withLock { $0[key] = Token(text: text, issuedAt: now, expiresAt: expiresAt) }
            return text
        } catch {
            if let held, held.expiresAt > now { return held.text }
            throw error
        }
    }

    func forget(podUID: String) {
        tokens.withLock { tokens in tokens = tokens.filter { $0.key.podUID != podUID } }
    }

    private static func isDue(_ token: Token, _ now: Timestamp) -> Bool {
        let age = now - token.issuedAt
        let life = token.expiresAt - token.issuedAt
        return age > life * 0.8 || age > longestUse
    }
}
