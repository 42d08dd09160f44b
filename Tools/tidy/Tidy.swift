import Glibc
import TidyRules

/// Checks the house rules of a source tree: `apus-tidy [directory]`. Exit code 1 when something breaks one.
@main
enum Tidy {
    static func main() {
        let root = CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : "."
        guard let manifest = read(root + "/Package.swift") else {
            report(["\(root)/Package.swift cannot be read"])
            exit(2)
        }
        let table = LayerTable(manifest: manifest)
        var issues = table.issues()
        var files = 0
        for path in swiftFiles(root + "/Sources") + swiftFiles(root + "/Tests") {
            guard let text = read(path) else { continue }
            files += 1
            issues += check(String(path.dropFirst(root.count + 1)), text, table)
        }
        report(issues)
        report(["tidy: \(files) files, \(issues.count) issues"])
        exit(issues.isEmpty ? 0 : 1)
    }

    private static func check(_ path: String, _ text: String, _ table: LayerTable) -> [String] {
        let rules = HouseRules()
        if path.hasPrefix("Tests/") { return rules.issues(inTest: path, text: text) }
        let target = path.split(separator: "/").dropFirst().first.map(String.init) ?? ""
        let layering = table.issues(inFile: path, of: target, text: text)
        return path.contains("/Generated/") ? layering : layering + rules.issues(inSource: path, text: text)
    }

    private static func report(_ lines: [String]) {
        for line in lines { puts(line) }
    }

    private static func read(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[0..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func swiftFiles(_ directory: String) -> [String] {
        guard let handle = opendir(directory) else { return [] }
        defer { closedir(handle) }
        var found: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard !name.hasPrefix(".") else { continue }
            let path = directory + "/" + name
            if entry.pointee.d_type == UInt8(DT_DIR) {
                found += swiftFiles(path)
            } else if name.hasSuffix(".swift") {
                found.append(path)
            }
        }
        return found.sorted()
    }
}
