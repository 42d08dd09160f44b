import Glibc
import HTTPTransport
import Testing
import Units

@testable import Kubelet

/// A directory for one test.
func temporaryDirectory() throws -> String {
    var template = Array("/tmp/apus-kubelet-XXXXXX".utf8CString)
    let path = template.withUnsafeMutableBufferPointer { buffer in
        buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
    }
    return try #require(path)
}

@Suite struct FilesTests {
    @Test func `a token is its pod's user's, where all containers run as the same one`() throws {
        func user(_ pod: String, _ first: String, _ second: String) throws -> UInt32? {
            let spec = "securityContext: \(pod)\n  containers: [{name: a, image: x, securityContext: \(first)}]"
            let more = "\n  initContainers: [{name: b, image: x, securityContext: \(second)}]"
            return ContentVolumes.user(of: try Samples.pod("metadata: {name: p}\nspec:\n  \(spec)\(more)"))
        }
        #expect(try user("{runAsUser: 7}", "{}", "{}") == 7)
        #expect(try user("{runAsUser: 7}", "{runAsUser: 8}", "{runAsUser: 8}") == 8)
        #expect(try user("{runAsUser: 7}", "{runAsUser: 8}", "{}") == nil)
        #expect(try user("{}", "{runAsUser: 8}", "{}") == nil)
        #expect(try user("{}", "{}", "{}") == nil)
    }

    @Test(.enabled(if: geteuid() == 0, "gives files to others")) func `a file belongs to its owner and to the pod's group`() throws {
        let directory = try temporaryDirectory()
        defer { try? HostFiles.removeTree(directory) }
        func look(_ path: String) -> [UInt32] {
            var status = stat()
            return stat("\(directory)/\(path)", &status) == 0 ? [status.st_uid, status.st_gid, status.st_mode & 0o777] : []
        }
        let token = PayloadFile(content: [1], mode: 0o600, owner: 1234)
        _ = try AtomicWriter(directory: directory, group: nil).write(["token": token, "ca": file("x")], stamp: "one")
        #expect(look("token") == [1234, 0, 0o600] && look("ca") == [0, 0, 0o644])
        let other = PayloadFile(content: [2], mode: 0o600, owner: 1234)
        _ = try AtomicWriter(directory: directory, group: 77).write(["token": other], stamp: "two")
        #expect(look("token") == [1234, 77, 0o640])
    }

    private func file(_ text: String) -> PayloadFile { PayloadFile(content: Array(text.utf8), mode: 0o644) }

    @Test func `a volume's files change all at once`() throws {
        let directory = try temporaryDirectory()
        defer { try? HostFiles.removeTree(directory) }
        let writer = AtomicWriter(directory: directory, group: nil)
        #expect(try writer.write(["a": file("1"), "sub/b": file("2")], stamp: "one"))
        #expect(HostFiles.text("\(directory)/a") == "1")
        #expect(HostFiles.text("\(directory)/sub/b") == "2")
        #expect(HostFiles.target(of: "\(directory)/a") == "..data/a")
        #expect(try writer.write(["a": file("1"), "sub/b": file("2")], stamp: "two") == false)
        #expect(try writer.write(["a": file("3"), "c": file("4")], stamp: "three"))
        #expect(HostFiles.text("\(directory)/a") == "3")
        #expect(HostFiles.list(directory) == ["..data", "..three", "a", "c"])
    }

    @Test(arguments: ["../x", "/etc/x", "a/../../x", "..data"])
    func `a file name that leaves the volume is refused`(name: String) throws {
        let directory = try temporaryDirectory()
        defer { try? HostFiles.removeTree(directory) }
        #expect(throws: (any Error).self) {
            try AtomicWriter(directory: directory, group: nil).write([name: file("1")], stamp: "one")
        }
    }

    @Test func `removing a tree does not follow links out of it`() throws {
        let outside = try temporaryDirectory()
        let directory = try temporaryDirectory()
        defer { try? HostFiles.removeTree(outside) }
        try HostFiles.write("\(outside)/keep", "x")
        try HostFiles.link(outside, at: "\(directory)/link")
        try HostFiles.removeTree(directory)
        #expect(HostFiles.exists("\(outside)/keep"))
        #expect(!HostFiles.exists(directory))
    }

    @Test(.enabled(if: geteuid() == 0, "needs root"))
    func `a subPath never leads out of its volume`() throws {
        let directory = try temporaryDirectory()
        defer {
            for point in Mounts.below(directory) { try? Mounts.unmount(point) }
            try? HostFiles.removeTree(directory)
        }
        let volume = "\(directory)/volume"
        try HostFiles.makeDirectories("\(volume)/inner")
        try HostFiles.write("\(volume)/inner/file", "hello")
        try HostFiles.link("/etc", at: "\(volume)/escape")
        try HostFiles.link("inner", at: "\(volume)/alias")
        try SubPath.bind(volume: volume, subPath: "inner/file", target: "\(directory)/t1")
        #expect(HostFiles.text("\(directory)/t1") == "hello")
        try SubPath.bind(volume: volume, subPath: "alias", target: "\(directory)/t2")
        #expect(HostFiles.text("\(directory)/t2/file") == "hello")
        try SubPath.bind(volume: volume, subPath: "made/new", target: "\(directory)/t3")
        #expect(HostFiles.isDirectory("\(volume)/made/new"))
        for bad in ["escape", "escape/passwd", "../volume", "/etc"] {
            #expect(throws: (any Error).self) {
                try SubPath.bind(volume: volume, subPath: bad, target: "\(directory)/t4")
            }
        }
    }

    @Test func `host paths are checked as their type asks`() throws {
        let directory = try temporaryDirectory()
        defer { try? HostFiles.removeTree(directory) }
        try HostPathVolume.check("\(directory)/made", "DirectoryOrCreate")
        try HostPathVolume.check("\(directory)/file", "FileOrCreate")
        #expect(HostFiles.kind("\(directory)/file") == S_IFREG)
        #expect { try HostPathVolume.check("\(directory)/file", "Directory") } throws: {
            "\($0)" == "hostPath type check failed: \(directory)/file is not a directory"
        }
        #expect(throws: (any Error).self) { try HostPathVolume.check("\(directory)/none", "File") }
    }

    // MARK: Logs

    private func log(_ lines: [String]) throws -> String {
        let directory = try temporaryDirectory()
        let path = "\(directory)/0.log"
        try HostFiles.write(path, lines.map { $0 + "\n" }.joined())
        return path
    }

    private func read(_ path: String, _ query: QueryItems) throws -> String {
        let options = try LogOptions(query, now: Samples.now)
        let file = try LogFile(path)
        if let tail = options.tailLines { file.seekToTail(tail) }
        var formatter = LogFormatter(options)
        var output: [UInt8] = []
        while true {
            let lines = try file.nextLines()
            if lines.isEmpty { break }
            for line in lines { formatter.append(line, to: &output) }
        }
        return String(decoding: output, as: UTF8.self)
    }

    @Test func `a log shows its text, its tail, its times and what is new`() throws {
        let path = try log([
            "2026-01-01T00:00:01.5Z stdout F one", "2026-01-01T00:00:02Z stderr F two", "2026-01-01T00:00:03Z stdout P thr",
            "2026-01-01T00:00:03Z stdout F ee", "nonsense", "2026-01-01T00:00:04Z stdout F ",
        ])
        defer { try? HostFiles.removeTree(String(path.dropLast("/0.log".count))) }
        #expect(try read(path, [:]) == "one\ntwo\nthree\n\n")
        #expect(try read(path, ["tailLines": "1"]) == "\n")
        #expect(try read(path, ["tailLines": "0"]) == "")
        #expect(try read(path, ["tailLines": "100"]) == "one\ntwo\nthree\n\n")
        #expect(try read(path, ["sinceTime": "2026-01-01T00:00:03Z"]) == "three\n\n")
        #expect(try read(path, ["limitBytes": "5"]) == "one\nt")
        #expect(try read(path, ["timestamps": "true", "tailLines": "4"]).hasPrefix("2026-01-01T00:00:03Z three\n"))
        #expect(try read(path, ["stream": "Stderr"]) == "two\n")
        #expect(throws: LogOptions.BadRequest.self) { try read(path, ["tailLines": "-1"]) }
    }

    @Test func `a rotated log goes on in the new file`() throws {
        let path = try log(["2026-01-01T00:00:01Z stdout F one"])
        defer { try? HostFiles.removeTree(String(path.dropLast("/0.log".count))) }
        let file = try LogFile(path)
        #expect(try file.nextLines().count == 1)
        #expect(file.reopenIfRotated() == false)
        try HostFiles.rename(path, path + ".old")
        #expect(file.reopenIfRotated() == false)
        try HostFiles.write(path, "2026-01-01T00:00:02Z stdout F two\n")
        #expect(file.reopenIfRotated())
        #expect(try file.nextLines().count == 1)
    }
}
