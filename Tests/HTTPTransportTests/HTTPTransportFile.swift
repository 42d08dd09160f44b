import Glibc

/// The files the tests need.
enum HTTPTransportFile {
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func temporaryDirectory() throws -> String {
        var template = Array("/tmp/apus-http-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw TimedOut() }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func write(_ path: String, _ text: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0 else { throw TimedOut() }
        defer { close(file) }
        var text = text
        let count = text.withUTF8 { Glibc.write(file, $0.baseAddress, $0.count) }
        guard count == text.utf8.count else { throw TimedOut() }
    }

    static func remove(_ directory: String, _ names: [String]) {
        for name in names { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }
}
