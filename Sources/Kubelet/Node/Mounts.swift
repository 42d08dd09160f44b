import Glibc

/// Mounting and unmounting. Blocking: call on a blocking thread.
enum Mounts {
    private static let bindFlag: UInt = 4096
    private static let remountFlag: UInt = 32
    private static let readOnlyFlag: UInt = 1
    private static let recursiveFlag: UInt = 16384
    private static let detach: Int32 = 2
    private static let noFollow: Int32 = 8

    static func tmpfs(at path: String, options: String) throws(FileError) {
        if mount("tmpfs", path, "tmpfs", 0, options) != 0 {
            throw FileError(operation: "mount", path: path, code: errno)
        }
    }

    static func bind(_ source: String, at path: String) throws(FileError) {
        if mount(source, path, nil, bindFlag | recursiveFlag, nil) != 0 {
            throw FileError(operation: "mount", path: path, code: errno)
        }
    }

    static func unmount(_ path: String) throws(FileError) {
        if umount2(path, noFollow) == 0 { return }
        if errno == EBUSY, umount2(path, detach | noFollow) == 0 { return }
        if errno == EINVAL || errno == ENOENT { return }
        throw FileError(operation: "umount", path: path, code: errno)
    }

    /// Mount points at or below `path`, deepest first.
    static func below(_ path: String) -> [String] {
        guard let table = HostFiles.text("/proc/self/mountinfo") else { return [] }
        var found: [String] = []
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 4 else { continue }
            let point = unescaped(fields[4])
            if point == path || point.hasPrefix("\(path)/") { found.append(point) }
        }
        return found.sorted { $0.utf8.count > $1.utf8.count }
    }

    /// mountinfo writes blanks as `\040`.
    private static func unescaped(_ text: Substring) -> String {
        guard text.utf8.contains(UInt8(ascii: "\\")) else { return String(text) }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\\"), index + 3 < bytes.count,
                let value = UInt8(String(decoding: bytes[(index + 1)...(index + 3)], as: UTF8.self), radix: 8)
            {
                result.append(value)
                index += 4
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
