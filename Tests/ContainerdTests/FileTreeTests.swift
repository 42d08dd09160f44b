import Glibc
import Testing

@testable import Containerd

@Suite struct FileTreeTests {
    private func scratch() throws -> String {
        var template = Array("/tmp/apus-tree-XXXXXX".utf8CString)
        let path = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        return try #require(path)
    }

    private func make(_ path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT, 0o400)
        #expect(descriptor >= 0)
        close(descriptor)
    }

    @Test func `a tree goes with all in it, and what a link leads to stays`() throws {
        let (root, outside) = (try scratch(), try scratch())
        try make("\(outside)/kept")
        for path in ["\(root)/a", "\(root)/a/b", "\(root)/a/b/..", "\(root)/empty"] { mkdir(path, 0o700) }
        try make("\(root)/a/b/file\nwith a line")
        #expect(symlink(outside, "\(root)/a/link") == 0)
        #expect(symlink("/nowhere", "\(root)/dangling") == 0)
        #expect(mkfifo("\(root)/fifo", 0o600) == 0)
        try FileTree.remove(root)
        #expect(access(root, F_OK) != 0)
        #expect(access("\(outside)/kept", F_OK) == 0)
        try FileTree.remove(root)
        try FileTree.remove("\(outside)/kept")
        try FileTree.remove(outside)
        #expect(access(outside, F_OK) != 0)
    }

    @Test func `paths longer than the kernel takes are no obstacle`() throws {
        let root = try scratch()
        let name = String(repeating: "d", count: 200)
        var parent = open(root, O_RDONLY | O_DIRECTORY)
        for _ in 0..<40 {
            #expect(mkdirat(parent, name, 0o700) == 0)
            let next = openat(parent, name, O_RDONLY | O_DIRECTORY)
            close(parent)
            parent = next
        }
        close(parent)
        try FileTree.remove(root)
        #expect(access(root, F_OK) != 0)
    }

    @Test(.enabled(if: geteuid() == 0, "mounts")) func `what is mounted below is not touched, all else goes`() throws {
        let root = try scratch()
        mkdir("\(root)/mounted", 0o700)
        mkdir("\(root)/other", 0o700)
        try #require(mount("tmpfs", "\(root)/mounted", "tmpfs", 0, nil) == 0)
        try make("\(root)/mounted/kept")
        let problem = #expect(throws: FileTree.Problem.self) { try FileTree.remove(root) }
        #expect(problem?.path == "\(root)/mounted")
        #expect(access("\(root)/mounted/kept", F_OK) == 0)
        #expect(access("\(root)/other", F_OK) != 0)
        #expect(umount2("\(root)/mounted", Int32(MNT_DETACH)) == 0)
        try FileTree.remove(root)
        #expect(access(root, F_OK) != 0)
    }

    @Test func `directories without files go, those with files stay`() throws {
        let root = try scratch()
        for path in ["\(root)/a", "\(root)/a/b", "\(root)/c"] { mkdir(path, 0o700) }
        try make("\(root)/c/file")
        FileTree.removeDirectories(root)
        #expect(access("\(root)/a", F_OK) != 0)
        #expect(access("\(root)/c/file", F_OK) == 0)
        try FileTree.remove(root)
    }
}
