import Channels
import HTTPTransport
import Units

/// Sends a container's log to a client, and follows it if asked.
struct LogStream: Sendable {
    /// How often a followed log is looked at.
    static let pollPeriod: Duration = .milliseconds(100)

    let path: String
    let options: LogOptions
    let pool: BlockingPool
    let clock: any ClusterClock
    /// Whether the container may still write.
    let isRunning: @Sendable () async -> Bool

    func send(to stream: any ResponseStream) async throws {
        let path = path
        let file = try await pool.run { try LogFile(path) }
        if let lines = options.tailLines { try await pool.run { file.seekToTail(lines) } }
        var formatter = LogFormatter(options)
        while !formatter.isFull {
            // Asked before reading: what a container wrote before it ended is still found.
            let mayGrow = options.follow ? await isRunning() : false
            if try await drain(file, &formatter, stream) { return }
            if try await pool.run({ file.isRotated() }) {
                // What came between the last read and the switch is still in the old file.
                if try await drain(file, &formatter, stream) { return }
                if try await pool.run({ file.reopenIfRotated() }) { continue }
            }
            guard mayGrow, !stream.isClosed else { return }
            try await clock.sleep(for: Self.pollPeriod)
        }
    }

    /// Sends everything written so far; returns whether the limit is reached.
    private func drain(_ file: LogFile, _ formatter: inout LogFormatter, _ stream: any ResponseStream) async throws -> Bool {
        while true {
            let lines = try await pool.run { try file.nextLines() }
            if lines.isEmpty { return false }
            var output: [UInt8] = []
            for line in lines { formatter.append(line, to: &output) }
            if !output.isEmpty {
                try await stream.write(output)
                stream.flush()
            }
            if formatter.isFull { return true }
        }
    }
}
