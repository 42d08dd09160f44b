import Glibc
import Testing
import Values

@testable import APIClient

@Suite struct KubeconfigTests {
    static let existing = """
        apiVersion: v1
        kind: Config
        current-context: work
        clusters:
        - name: work
          cluster:
            server: https://work.example:443
            proxy-url: http://proxy:1
            extensions:
            - name: x
              extension: {a: 1}
        contexts:
        - name: work
          context: {cluster: work, user: me, namespace: team}
        users:
        - name: me
          user:
            exec: {command: aws, apiVersion: client.authentication.k8s.io/v1}
        preferences: {colors: true}
        """

    @Test func `merging keeps everything that is not ours`() throws {
        var config = try Kubeconfig(parsing: Array(Self.existing.utf8))
        let ours = Kubeconfig(
            name: "apus",
            cluster: Kubeconfig.Cluster(server: "https://127.0.0.1:6443", caPEM: "CA"),
            user: Kubeconfig.User(clientCertificatePEM: "C", clientKeyPEM: "K")
        )
        config.merge(ours)
        let again = try Kubeconfig(parsing: config.encoded())
        #expect(again.document == config.document)
        #expect(again.currentContext == "apus")
        #expect(again.contextNames == ["work", "apus"])
        #expect(again.context("work")?.namespace == "team")
        #expect(again.document["preferences"]?["colors"] == true)
        #expect(again.document["users"]?[0]?["user"]?["exec"]?["command"] == "aws")
        #expect(again.document["clusters"]?[0]?["cluster"]?["proxy-url"] == "http://proxy:1")
        #expect(try again.cluster("apus")?.caPEM == "CA")
        #expect(try again.user("apus")?.clientKeyPEM == "K")

        var back = again
        back.removeContext("apus")
        back.currentContext = "work"
        #expect(back == (try Kubeconfig(parsing: Array(Self.existing.utf8))))
    }

    @Test func `merging twice changes nothing`() throws {
        let ours = Kubeconfig(name: "apus", cluster: Kubeconfig.Cluster(server: "https://a:1"), user: Kubeconfig.User())
        var config = try Kubeconfig(parsing: Array(Self.existing.utf8))
        config.merge(ours)
        let once = config
        config.merge(ours)
        #expect(config == once)
    }

    @Test(arguments: ["- a", "clusters: {a: b}", "users:\n- noname: 1", "a: [", "\u{0}"])
    func `a broken file is an error that names it`(_ text: String) {
        #expect {
            try Kubeconfig(parsing: Array(text.utf8), path: "/home/x/.kube/config")
        } throws: { ($0 as? FileError)?.path == "/home/x/.kube/config" }
    }

    @Test func `files are replaced in one step, private, and a link stays a link`() throws {
        var template = Array("/tmp/apus-client-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let path = "\(directory)/deep/config"
        let config = Kubeconfig(name: "a", cluster: Kubeconfig.Cluster(server: "https://a:1"), user: Kubeconfig.User(token: "t"))
        try config.write(to: path)
        var information = stat()
        try #require(stat(path, &information) == 0)
        #expect(information.st_mode & 0o777 == 0o600)
        let link = "\(directory)/link"
        symlink(path, link)
        try AtomicFile.write(link, Array("x".utf8))
        #expect(try AtomicFile.read(path) == Array("x".utf8))
        lstat(link, &information)
        #expect(information.st_mode & S_IFMT == S_IFLNK)
        #expect(try Kubeconfig.load("\(directory)/none") == nil)
        #expect(throws: FileError.self) { try AtomicFile.makeDirectory("\(path)/below") }
        for name in ["link", "deep/config"] { unlink("\(directory)/\(name)") }
        rmdir("\(directory)/deep")
        rmdir(directory)
    }

    @Test func `a context that is not whole is an error`() throws {
        let config = try Kubeconfig(parsing: Array("contexts: [{name: a, context: {cluster: x, user: y}}]".utf8))
        #expect(throws: (any Error).self) { try config.makeTransport(context: "a") }
        #expect(throws: (any Error).self) { try config.makeTransport(context: "zzz") }
    }
}
