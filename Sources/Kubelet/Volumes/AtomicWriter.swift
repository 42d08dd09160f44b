import Glibc

/// One file of a volume whose content comes from the API.
struct PayloadFile: Sendable, Hashable {
    var content: [UInt8]
    var mode: UInt32
    /// The user that owns it; nil: root.
    var owner: UInt32?
}

/// Writes a volume's files so that readers see the old set or the new set, never a mixture: the files live in a
/// directory named after the time, `..data` links to it, and every name in the volume links through `..data`.
struct AtomicWriter {
    static let dataName = "..data"
    private static let newDataName = "..data_tmp"

    let directory: String
    /// The group that owns the files, if the pod asks for one.
    var group: gid_t?

    /// Makes the volume show exactly `files` (relative paths). Returns whether anything changed.
    @discardableResult
    func write(_ files: [String: PayloadFile], stamp: String) throws -> Bool {
        for path in files.keys { try Self.check(path) }
        let old = HostFiles.target(of: "\(directory)/\(Self.dataName)")
        if let old, isUnchanged("\(directory)/\(old)", files) { return false }
        let fresh = "..\(stamp)"
        let target = "\(directory)/\(fresh)"
        try HostFiles.makeDirectories(target, mode: 0o755)
        try HostFiles.changeMode(target, 0o755)
        for (path, file) in files.sorted(by: { $0.key < $1.key }) { try writeFile("\(target)/\(path)", file) }
        let link = "\(directory)/\(Self.newDataName)"
        try HostFiles.remove(link)
        try HostFiles.link(fresh, at: link)
        try HostFiles.rename(link, "\(directory)/\(Self.dataName)")
        try linkNames(files)
        if let old, old != fresh { try HostFiles.removeTree("\(directory)/\(old)") }
        return true
    }

    private func writeFile(_ path: String, _ file: PayloadFile) throws {
        if let slash = path.lastIndex(of: "/") { try HostFiles.makeDirectories(String(path[..<slash])) }
        try HostFiles.write(path, file.content)
        var mode = mode_t(file.mode)
        if let owner = file.owner, chown(path, owner, gid_t.max) != 0 {
            throw FileError(operation: "chown", path: path, code: errno)
        }
        if let group {
            if chown(path, uid_t.max, group) != 0 { throw FileError(operation: "chown", path: path, code: errno) }
            mode |= 0o440
        }
        try HostFiles.changeMode(path, mode)
    }

    /// Every first path component gets a link in the volume; links to what is gone are removed.
    private func linkNames(_ files: [String: PayloadFile]) throws {
        let names = Set(files.keys.map { String($0.prefix { $0 != "/" }) })
        for name in HostFiles.list(directory) where !name.hasPrefix("..") && !names.contains(name) {
            try HostFiles.remove("\(directory)/\(name)")
        }
        for name in names {
            let path = "\(directory)/\(name)"
            let target = "\(Self.dataName)/\(name)"
            if HostFiles.target(of: path) == target { continue }
            try HostFiles.link(target, at: path)
        }
    }

    private func isUnchanged(_ root: String, _ files: [String: PayloadFile]) -> Bool {
        guard Set(Self.paths(root, prefix: "")) == Set(files.keys) else { return false }
        return files.allSatisfy { path, file in
            (try? HostFiles.read("\(root)/\(path)")) == file.content
        }
    }

    private static func paths(_ directory: String, prefix: String) -> [String] {
        HostFiles.list(directory).flatMap { name in
            HostFiles.isDirectory("\(directory)/\(name)")
                ? paths("\(directory)/\(name)", prefix: "\(prefix)\(name)/")
                : ["\(prefix)\(name)"]
        }
    }

    private static func check(_ path: String) throws {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !path.isEmpty, !path.hasPrefix("/"), !parts.contains(".."), parts.first?.hasPrefix("..") != true else {
            throw ContainerConfigError(message: "invalid path: must be relative path: \(path)")
        }
    }
}
