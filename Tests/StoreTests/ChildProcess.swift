import Glibc
import Testing

/// This test binary, started again to play the part of a server that can be killed.
final class Child {
    let pid: pid_t
    private let output: Int32

    /// Starts the binary so that only the test whose name contains `role` runs, with `environment` added.
    ///
    /// - Parameter wrapper: A command line to run the binary under, for example `unshare --mount`.
    init?(role: String, environment: [String: String], wrapper: [String] = []) {
        var pipes: [Int32] = [0, 0]
        guard pipe(&pipes) == 0 else { return nil }
        for end in pipes { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, pipes[1], 3)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var binary = [CChar](repeating: 0, count: 4096)
        let length = readlink("/proc/self/exe", &binary, binary.count - 1)
        guard length > 0 else { return nil }
        let path = String(decoding: binary[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let arguments = wrapper + [path, "--testing-library", "swift-testing", "--filter", role]
        var variables: [String] = []
        var next = environ
        while let variable = next.pointee {
            variables.append(String(cString: variable))
            next += 1
        }
        variables += environment.map { "\($0.key)=\($0.value)" }
        let argv = arguments.map { strdup($0) } + [nil]
        let envp = variables.map { strdup($0) } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        var pid = pid_t()
        let status = posix_spawnp(&pid, arguments[0], &actions, nil, argv, envp)
        Glibc.close(pipes[1])
        guard status == 0 else {
            Glibc.close(pipes[0])
            return nil
        }
        self.pid = pid
        output = pipes[0]
    }

    deinit {
        Glibc.close(output)
    }

    /// The next bytes the child wrote to descriptor 3; empty at the end. Blocks.
    func read() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(output, &buffer, buffer.count)
        return count > 0 ? Array(buffer[..<count]) : []
    }

    /// All the child wrote until it ended.
    func readToEnd() -> String {
        var all: [UInt8] = []
        while true {
            let part = read()
            if part.isEmpty { return String(decoding: all, as: UTF8.self) }
            all += part
        }
    }

    func kill() {
        Glibc.kill(pid, SIGKILL)
    }

    @discardableResult
    func wait() -> Int32 {
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        return status
    }

    /// What the parent told this process, if it is a child.
    static func parameter(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    /// Reports a line to the parent.
    static func report(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = Glibc.write(3, bytes, bytes.count)
    }
}
