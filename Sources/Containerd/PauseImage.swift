import CPause
import Crypto
import Values

/// The image of the sandbox container, made here from `CPause` so that a cluster starts with nothing to pull.
public enum PauseImage {
    /// The name the container runtime knows it by. The registry part cannot resolve, so it is never pulled.
    public static let reference = "apus.local/pause:1"

    /// The image as an archive that `ctr image import` takes (the docker-archive form).
    public static func archive() -> [UInt8] {
        var layer = TarArchive()
        layer.addFile("pause", program(), mode: 0o755)
        let layerBytes = layer.finished()
        let configuration = JSONValue.object([
            "architecture": .string(architecture),
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": ["Entrypoint": ["/pause"], "User": "65535:65535"],
            "rootfs": ["type": "layers", "diff_ids": [.string("sha256:" + digest(layerBytes))]],
            "history": [["created": "1970-01-01T00:00:00Z", "created_by": "apus"]],
        ]).encoded()
        let configurationName = digest(configuration) + ".json"
        let manifest = JSONValue.array([
            ["Config": .string(configurationName), "RepoTags": [.string(reference)], "Layers": ["layer.tar"]]
        ]).encoded()
        var image = TarArchive()
        image.addFile(configurationName, configuration)
        image.addFile("layer.tar", layerBytes)
        image.addFile("manifest.json", manifest)
        return image.finished()
    }

    /// The program as an ELF executable: one loadable segment, no sections.
    static func program() -> [UInt8] {
        let code = pauseCode()
        let base: UInt64 = 0x400000
        let headerSize: UInt64 = 64 + 56
        var elf = ByteWriter()
        elf.raw([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])  // ELF64, little endian, System V
        elf.u16(2)  // ET_EXEC
        elf.u16(machine)
        elf.u32(1)
        elf.u64(base + headerSize)  // entry
        elf.u64(64)  // program headers follow
        elf.u64(0)
        elf.u32(0)
        for size in [64, 56, 1, 0, 0, 0] as [UInt16] { elf.u16(size) }
        elf.u32(1)  // PT_LOAD
        elf.u32(5)  // readable, executable
        elf.u64(0)
        elf.u64(base)
        elf.u64(base)
        elf.u64(headerSize + UInt64(code.count))
        elf.u64(headerSize + UInt64(code.count))
        elf.u64(0x1000)
        elf.raw(code)
        return elf.bytes
    }

    private static func pauseCode() -> [UInt8] {
        let start = apus_pause_code()
        return Array(UnsafeRawBufferPointer(start: start, count: apus_pause_size()))
    }

    private static func digest(_ bytes: [UInt8]) -> String {
        SHA256.hash(data: bytes).map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }

    #if arch(arm64)
        private static let architecture = "arm64"
        private static let machine: UInt16 = 183
    #else
        private static let architecture = "amd64"
        private static let machine: UInt16 = 62
    #endif
}

/// Little-endian fields of an ELF header.
private struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func raw(_ more: [UInt8]) { bytes += more }
    mutating func u16(_ value: UInt16) { append(value) }
    mutating func u32(_ value: UInt32) { append(value) }
    mutating func u64(_ value: UInt64) { append(value) }

    private mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
    }
}
