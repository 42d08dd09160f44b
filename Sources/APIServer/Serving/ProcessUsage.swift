#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What this process uses, read from the operating system.
enum ProcessUsage {
    /// The samples upstream's process collector has.
    static func append(to out: inout PrometheusText) {
        out.family("process_cpu_seconds_total", "counter", "User and system CPU time.")
        out.sample("process_cpu_seconds_total", [], "\(cpuSeconds)")
        out.family("process_resident_memory_bytes", "gauge", "Resident memory.")
        out.sample("process_resident_memory_bytes", [], "\(residentBytes)")
    }

    private static var cpuSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static var residentBytes: Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 256)
        guard fgets(&buffer, Int32(buffer.count), file) != nil else { return 0 }
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
