import Glibc
import Testing

/// Compares with a file under Tests/Golden; `APUS_REWRITE_GOLDEN=1` writes the file instead.
func expectGolden(_ text: String, _ name: String, _ location: SourceLocation = #_sourceLocation) {
    let directory = String(#filePath).split(separator: "/").dropLast(2).map { "/" + $0 }.joined() + "/Golden/KubeProxy"
    let path = "\(directory)/\(name)"
    if getenv("APUS_REWRITE_GOLDEN") != nil {
        guard let file = fopen(path, "w") else { return }
        defer { fclose(file) }
        fputs(text, file)
        return
    }
    var content: [UInt8] = []
    if let file = fopen(path, "r") {
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { content += buffer[..<count] }
    }
    #expect(text == String(decoding: content, as: UTF8.self), "\(name) differs", sourceLocation: location)
}
