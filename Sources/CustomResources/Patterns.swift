import CEL
import Synchronization

/// The regular expressions of schemas (RE2), compiled once. Guarded by its mutex.
enum Patterns {
    /// Why a text is no expression.
    struct Failure: Error {
        var message: String
    }

    private enum Entry: Sendable {
        case compiled(TextPattern)
        case broken(String)
    }

    /// So many expressions are kept compiled.
    private static let capacity = 256
    private static let known = Mutex<[String: Entry]>([:])

    /// Whether a pattern matches somewhere in a text.
    static func matches(_ text: String, _ pattern: String) -> Result<Bool, Failure> {
        switch entry(pattern) {
        case .compiled(let pattern):
            do throws(TextPattern.Failure) {
                return .success(try pattern.matches(text))
            } catch {
                return .failure(Failure(message: error.message))
            }
        case .broken(let message): return .failure(Failure(message: message))
        }
    }

    /// What is wrong with a pattern.
    static func problem(_ pattern: String) -> String? {
        if case .broken(let message) = entry(pattern) { message } else { nil }
    }

    private static func entry(_ pattern: String) -> Entry {
        if let found = known.withLock({ $0[pattern] }) { return found }
        let made: Entry
        do throws(TextPattern.Failure) {
            made = .compiled(try TextPattern(pattern))
        } catch {
            made = .broken(error.message)
        }
        known.withLock { known in
            if known.count >= capacity { known.removeAll() }
            known[pattern] = made
        }
        return made
    }
}
