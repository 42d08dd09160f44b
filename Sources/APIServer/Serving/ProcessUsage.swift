import HTTPTransport

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
        out.family("process_start_time_seconds", "gauge", "Start of the process since the epoch in seconds.")
        out.sample("process_start_time_seconds", [], "\(startSeconds)")
    }

    /// Metrics, with the headers that upstream gives them.
    static func response(_ metrics: String) -> HTTPResponse {
        HTTPResponse(
            status: 200,
            headers: [
                "Content-Type": "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
                "Process-Start-Time-Unix": "\(startSeconds)",
            ],
            body: .bytes(Array(metrics.utf8))
        )
    }

    /// When the process began, in seconds since the epoch. The system counts it in ticks since the machine's start.
    static let startSeconds: Int = {
        let fields = line(of: "/proc/self/stat")?.split(separator: ")").last?.split(separator: " ") ?? []
        let ticks = fields.count > 19 ? Double(fields[19]) ?? 0 : 0
        let age = seconds(CLOCK_BOOTTIME) - ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
        return Int(seconds(CLOCK_REALTIME) - age)
    }()

    private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static var cpuSeconds: Double { seconds(CLOCK_PROCESS_CPUTIME_ID) }

    private static var residentBytes: Int {
        let pages = line(of: "/proc/self/statm")?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// The first line of a file of the system.
    private static func line(of path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 1024)
        guard fgets(&buffer, Int32(buffer.count), file) != nil else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
