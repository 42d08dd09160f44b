import CSyscalls
import Channels
import Glibc
import Testing

@Suite struct SyscallTests {
    @Test func `reads the size of a file system and the bytes in a pipe`() {
        var result = apus_fs_stat()
        #expect(apus_statfs("/", &result) == 0)
        #expect(result.total >= result.available && result.total > 0)
        #expect(apus_statfs("/does/not/exist", &result) == -1)
        var ends: [Int32] = [0, 0]
        #expect(apus_pipe_cloexec(&ends) == 0)
        #expect(write(ends[1], "abc", 3) == 3)
        var count: Int32 = 0
        #expect(apus_readable_bytes(ends[0], &count) == 0 && count == 3)
        close(ends[0])
        close(ends[1])
    }

    @Test(.enabled(if: geteuid() == 0, "needs root"))
    func `makes and removes a network namespace`() async throws {
        let path = "/tmp/apus-netns-test-\(getpid())"
        let code = try await onDedicatedThread { apus_netns_create(path) }
        #expect(code == 0)
        #expect(access(path, F_OK) == 0)
        #expect(try await onDedicatedThread { apus_setns_path(path, 0) } == 0)
        #expect(apus_netns_delete(path) == 0)
        #expect(access(path, F_OK) != 0)
        #expect(apus_netns_delete(path) == 0)
    }
}
