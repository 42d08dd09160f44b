import APIClient
import Channels
import Glibc

/// Why the host's network could not be changed.
public struct NetworkError: Error, Sendable, CustomStringConvertible {
    /// What was tried and what was said.
    public let description: String
}

/// The host's programs and files that the network needs. All blocking work runs off the cooperative pool.
struct HostCommands: Sendable {
    /// Leading arguments of every command: empty, or those that enter another network namespace.
    var prefix: [String] = []

    /// Runs a program; throws with its words when it fails.
    @discardableResult
    func run(_ arguments: [String], input: String = "") async throws -> String {
        let result = try await ChildProcess.run(
            prefix + arguments,
            input: Array(input.utf8),
            environment: ["PATH": Self.path],
            deadline: .seconds(20)
        )
        guard result.succeeded else {
            throw NetworkError(description: "\(arguments.joined(separator: " ")): \(result.errorText)")
        }
        return result.outputText
    }

    /// The PATH of a service may lack sbin.
    private static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// Sees to it that a setting below /proc/sys has a value; false when it has another and is not ours to write.
    func set(_ setting: String, _ value: String) async -> Bool {
        let path = "/proc/sys/\(setting)"
        if let current = try? await run(["cat", path]), current.split(whereSeparator: \.isWhitespace).first == value[...] { return true }
        return (try? await run(["tee", path], input: value)) != nil
    }

    /// Replaces a file at once: readers see the old or the new content.
    static func writeFile(_ path: String, _ bytes: [UInt8]) async throws {
        try await onDedicatedThread {
            try AtomicFile.makeDirectory(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]), mode: 0o755)
            try AtomicFile.write(path, bytes, mode: 0o644)
        }
    }

    /// Removes a file or an empty directory, there or not.
    static func removeFile(_ path: String) { remove(path) }

    /// Removes a directory that holds only files.
    static func removeFlatDirectory(_ path: String) async throws {
        try await onDedicatedThread {
            guard let directory = opendir(path) else { return }
            var names: [String] = []
            while let entry = readdir(directory) {
                names.append(
                    withUnsafePointer(to: &entry.pointee.d_name) {
                        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                    }
                )
            }
            closedir(directory)
            for name in names where name != "." && name != ".." { unlink("\(path)/\(name)") }
            rmdir(path)
        }
    }
}
