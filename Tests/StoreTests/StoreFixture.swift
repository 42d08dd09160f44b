import Glibc
import SQLiteStore
import Store
import Synchronization
import Testing

/// The engines every part of the contract is run against.
enum Engine: String, CaseIterable, CustomTestStringConvertible {
    case memory, sqlite

    var testDescription: String { rawValue }
}

/// What a fresh store of an engine is made with.
struct StoreLimits: Sendable {
    var history = 10_000
    var recentEvents = 2_048
    var watchCapacity = 1_024
    var maximumSize: ByteCount?
}

/// A directory that vanishes at the end of the test.
final class ScratchDirectory: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/apus-store-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, let made = mkdtemp(base) else { return "/tmp/apus-store-failed" }
            return String(cString: made)
        }
    }

    deinit {
        Self.remove(path)
    }

    static func remove(_ path: String) {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != "." && name != ".." { Self.remove(path + "/" + name) }
            }
            closedir(directory)
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}

/// Runs a test body on a fresh store of the engine and closes it.
func withStore(
    _ engine: Engine,
    _ limits: StoreLimits = StoreLimits(),
    _ body: (any Store) async throws -> Void
) async throws {
    let directory = ScratchDirectory()
    let store = try await makeStore(engine, directory.path, limits)
    do { try await body(store) } catch {
        await store.close()
        throw error
    }
    await store.close()
}

func makeStore(_ engine: Engine, _ directory: String, _ limits: StoreLimits) async throws -> any Store {
    switch engine {
    case .memory:
        return MemoryStore(history: limits.history, watchCapacity: limits.watchCapacity, maximumSize: limits.maximumSize)
    case .sqlite:
        var options = SQLiteStore.Options()
        options.recentEvents = limits.recentEvents
        options.watchCapacity = limits.watchCapacity
        if let maximumSize = limits.maximumSize { options.maximumSize = maximumSize }
        return try await SQLiteStore.open(directory: directory, options: options)
    }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

/// The error an operation fails with.
func storeError(_ body: () async throws -> Void) async -> StoreError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? StoreError)?.code
    }
}

/// The operation fails with this error.
func expectError(
    _ code: StoreError.Code,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async {
    let failure = await storeError(body)
    #expect(failure == code, sourceLocation: sourceLocation)
}

extension StoreWatch {
    /// Takes events until there are `count`, skipping empty batches.
    func take(_ count: Int) async throws(StoreError) -> [StoreEvent] {
        var events: [StoreEvent] = []
        while events.count < count {
            guard let batch = try await next() else { return events }
            events += batch
        }
        return events
    }
}

/// Random numbers that a seed reproduces.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
