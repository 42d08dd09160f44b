import Channels

/// Why the kernel's rules could not be changed.
public struct NFTError: Error, Sendable, CustomStringConvertible {
    /// What nft said, shortened.
    public let description: String
}

/// The `nft` program: applies transactions. The script is given on standard input, never through a shell.
public struct NFTables: Sendable {
    /// The program with leading arguments; more than one to run it in another network namespace.
    public var command: [String]
    /// The most that is kept of an error text.
    private static let longestMessage = 2_000
    /// The longest that nft may work on one transaction.
    private static let deadline = Duration.seconds(30)

    /// `nft` from PATH unless given.
    public init(command: [String] = ["nft"]) { self.command = command }

    /// Applies a script; all of it or nothing.
    public func apply(_ script: String) async throws {
        guard !script.isEmpty else { return }
        let result = try await run(["-f", "-"], input: Array(script.utf8))
        guard result.succeeded else { throw NFTError(description: String(result.errorText.prefix(Self.longestMessage))) }
    }

    /// True when the table holds the chain.
    public func hasChain(_ chain: String, table: String, family: String = "ip") async throws -> Bool {
        try await run(["list", "chain", family, table, chain], input: []).succeeded
    }

    /// What a table holds; nil when there is no such table.
    public func names(table: String, family: String = "ip") async throws -> TableNames? {
        let result = try await run(["-t", "list", "table", family, table], input: [])
        return result.succeeded ? TableNames(listing: result.outputText) : nil
    }

    private func run(_ arguments: [String], input: [UInt8]) async throws -> ChildResult {
        do {
            return try await ChildProcess.run(command + arguments, input: input, deadline: Self.deadline)
        } catch let error as ChildProcessError where command == ["nft"] {
            // The PATH of a service may lack sbin.
            guard error.message.contains("No such file") else { throw error }
            return try await ChildProcess.run(["/usr/sbin/nft"] + arguments, input: input, deadline: Self.deadline)
        }
    }
}
