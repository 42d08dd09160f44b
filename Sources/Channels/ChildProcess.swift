import CSyscalls
import Glibc

/// Why a child process could not be run to its end.
public struct ChildProcessError: Error, Sendable, CustomStringConvertible {
    /// The program's path or name.
    public let command: String
    /// What went wrong, in words.
    public let message: String

    /// An error of `command`.
    public init(command: String, message: String) {
        self.command = command
        self.message = message
    }

    /// `command: message`.
    public var description: String { "\(command): \(message)" }
}

/// How a child process ended, and what it wrote.
public struct ChildResult: Sendable {
    /// The exit code, or 128 + n for a child ended by signal n, as shells count.
    public let exitCode: Int32
    /// What it wrote to standard output, up to the limit given to `ChildProcess.run`.
    public let output: [UInt8]
    /// What it wrote to standard error, up to the same limit.
    public let errors: [UInt8]

    /// Whether the exit code is zero.
    public var succeeded: Bool { exitCode == 0 }
    /// Standard output as text.
    public var outputText: String { String(decoding: output, as: UTF8.self) }
    /// Standard error as text, without the last line's end.
    public var errorText: String {
        var text = String(decoding: errors, as: UTF8.self)
        while text.hasSuffix("\n") { text.removeLast() }
        return text
    }
}

/// Programs of the host (nft, ip, ctr) run by argument vector: never through a shell.
public enum ChildProcess {
    /// The most that is kept of each of a child's output streams, in bytes.
    public static let defaultOutputLimit = 4 << 20

    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - arguments: the program (searched in PATH when it has no slash) and its arguments.
    ///   - input: what the child reads from standard input.
    ///   - environment: variables set on top of this process's own.
    ///   - deadline: after it the child is killed and an error thrown.
    /// - Throws: `ChildProcessError` when the program cannot be started, or has not ended in time.
    public static func run(
        _ arguments: [String],
        input: [UInt8] = [],
        environment: [String: String] = [:],
        deadline: Duration = .seconds(30),
        outputLimit: Int = defaultOutputLimit
    ) async throws -> ChildResult {
        try await onDedicatedThread {
            let child = try SpawnedChild(arguments: arguments, environment: environment)
            return try child.communicate(input: input, deadline: deadline, outputLimit: outputLimit)
        }
    }

    /// Starts a program that outlives the call, in a session of its own, its output appended to a file.
    ///
    /// - Returns: the process id. The caller reaps it (`waitpid`) or leaves that to init.
    public static func startDetached(
        _ arguments: [String],
        environment: [String: String] = [:],
        logFile: String
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, logFile, O_WRONLY | O_CREAT | O_APPEND, 0o640)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        return try spawn(arguments, environment: environment, actions: &actions, newSession: true)
    }

    /// Starts `arguments` with prepared file actions. The child gets no other descriptor: ours are close-on-exec, but a
    /// library's may not be, and a listening socket in a child that outlives us would keep the port for ever.
    fileprivate static func spawn(
        _ arguments: [String],
        environment: [String: String],
        actions: inout posix_spawn_file_actions_t,
        newSession: Bool
    ) throws -> pid_t {
        guard let program = arguments.first else { throw ChildProcessError(command: "", message: "no program given") }
        _ = apus_spawn_close_from(&actions, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        var flags = Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF)
        if newSession { flags |= 0x80 }  // POSIX_SPAWN_SETSID, which the importer does not see
        posix_spawnattr_setflags(&attributes, flags)

        let argv = CStringArray(arguments)
        let envp = CStringArray(mergedEnvironment(environment))
        var pid = pid_t()
        let status = posix_spawnp(&pid, program, &actions, &attributes, argv.pointers, envp.pointers)
        guard status == 0 else { throw ChildProcessError(command: program, message: describe(errno: status)) }
        return pid
    }

    private static func mergedEnvironment(_ changes: [String: String]) -> [String] {
        var result: [String] = []
        var entry = environ
        while let pointer = entry.pointee {
            let text = String(cString: pointer)
            let name = text.prefix { $0 != "=" }
            if changes[String(name)] == nil { result.append(text) }
            entry += 1
        }
        return result + changes.map { "\($0.key)=\($0.value)" }
    }
}

/// A NULL-terminated array of C strings, alive as long as this object.
private final class CStringArray {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ strings: [String]) {
        count = strings.count
        pointers = .allocate(capacity: count + 1)
        for (index, string) in strings.enumerated() { pointers[index] = strdup(string) }
        pointers[count] = nil
    }

    deinit {
        for index in 0..<count { free(pointers[index]) }
        pointers.deallocate()
    }
}

/// A started child with pipes to its three streams. Used by one thread only.
private struct SpawnedChild {
    let command: String
    let pid: pid_t
    let inputEnd: Int32
    let outputEnd: Int32
    let errorEnd: Int32

    init(arguments: [String], environment: [String: String]) throws {
        command = arguments.first ?? ""
        var pipes: [Int32] = []
        for _ in 0..<3 {
            var ends: [Int32] = [-1, -1]
            guard apus_pipe_cloexec(&ends) == 0 else {
                let code = errno
                pipes.forEach { _ = close($0) }
                throw ChildProcessError(command: command, message: describe(errno: code))
            }
            pipes += ends
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, pipes[0], 0)
        posix_spawn_file_actions_adddup2(&actions, pipes[3], 1)
        posix_spawn_file_actions_adddup2(&actions, pipes[5], 2)
        do {
            pid = try ChildProcess.spawn(arguments, environment: environment, actions: &actions, newSession: false)
        } catch {
            pipes.forEach { _ = close($0) }
            throw error
        }
        for theirs in [pipes[0], pipes[3], pipes[5]] { close(theirs) }
        (inputEnd, outputEnd, errorEnd) = (pipes[1], pipes[2], pipes[4])
        for mine in [inputEnd, outputEnd, errorEnd] {
            _ = fcntl(mine, F_SETFL, O_NONBLOCK)
        }
    }

    /// Feeds the child and collects what it writes until it has ended.
    func communicate(input: [UInt8], deadline: Duration, outputLimit: Int) throws -> ChildResult {
        let end = ContinuousClock.now + deadline
        var streams = [ReadEnd(descriptor: outputEnd), ReadEnd(descriptor: errorEnd)]
        var writer: Int32 = inputEnd
        var written = 0
        defer {
            if writer >= 0 { close(writer) }
            for stream in streams where stream.descriptor >= 0 { close(stream.descriptor) }
        }
        if input.isEmpty {
            close(writer)
            writer = -1
        }
        while streams.contains(where: { $0.descriptor >= 0 }) {
            let left = end - ContinuousClock.now
            guard left > .zero else { throw kill(after: deadline) }
            var polled = streams.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
            polled.append(pollfd(fd: writer, events: Int16(POLLOUT), revents: 0))
            poll(&polled, nfds_t(polled.count), Int32(clamping: left.components.seconds * 1000 + 50))
            for index in streams.indices where polled[index].revents != 0 {
                streams[index].read(limit: outputLimit)
            }
            if writer >= 0, polled[2].revents != 0, !feed(input, &written, to: writer) {
                close(writer)
                writer = -1
            }
        }
        return ChildResult(exitCode: try wait(until: end, deadline), output: streams[0].bytes, errors: streams[1].bytes)
    }

    /// Writes what the pipe takes. False when there is nothing more to write, or nobody reads.
    private func feed(_ input: [UInt8], _ written: inout Int, to descriptor: Int32) -> Bool {
        let count = input.withUnsafeBytes { write(descriptor, $0.baseAddress.map { $0 + written }, input.count - written) }
        if count < 0 { return errno == EAGAIN || errno == EINTR }
        written += count
        return written < input.count
    }

    private func wait(until end: ContinuousClock.Instant, _ deadline: Duration) throws -> Int32 {
        var status: Int32 = 0
        while true {
            let result = waitpid(pid, &status, WNOHANG)
            if result == pid { break }
            if result < 0, errno != EINTR { throw ChildProcessError(command: command, message: describe(errno: errno)) }
            // It has closed its streams and is about to end; there is no descriptor left to wait on.
            guard ContinuousClock.now < end else { throw kill(after: deadline) }
            usleep(500)
        }
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal
    }

    private func kill(after deadline: Duration) -> ChildProcessError {
        _ = Glibc.kill(pid, SIGKILL)
        var status: Int32 = 0
        _ = waitpid(pid, &status, 0)
        return ChildProcessError(command: command, message: "did not end within \(deadline), killed")
    }
}

/// One of a child's output streams; the descriptor is -1 once it has ended.
private struct ReadEnd {
    var descriptor: Int32
    var bytes: [UInt8] = []

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Reads what is there. What passes `limit` is read and dropped, so the child never blocks on us.
    mutating func read(limit: Int) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        if count > 0 {
            bytes += buffer[0..<min(count, max(0, limit - bytes.count))]
        } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
            close(descriptor)
            descriptor = -1
        }
    }
}
