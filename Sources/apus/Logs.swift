import Channels
import Glibc
import Logging
import Synchronization
import Units
import Values

/// The log: one line a message on standard error, as text or JSON.
enum Logs {
    /// Sets the log up; once in a process.
    static func start(_ configuration: ClusterConfiguration) {
        start(level: Logger.Level(rawValue: configuration.logLevel) ?? .info, format: configuration.logFormat)
    }

    /// Sets the log up at a level; once in a process.
    static func start(level: Logger.Level, format: ClusterConfiguration.LogFormat = .text) {
        LoggingSystem.bootstrap { label in LineLogHandler(label: label, format: format, logLevel: level) }
    }
}

/// Writes a line with one write(2), so that lines of several threads never mix.
struct LineLogHandler: LogHandler {
    let label: String
    let format: ClusterConfiguration.LogFormat
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    init(label: String, format: ClusterConfiguration.LogFormat, logLevel: Logger.Level) {
        self.label = label
        self.format = format
        self.logLevel = logLevel
    }

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let time = SystemClock().now.rfc3339Micro
        switch format {
        case .text: Terminal.error(text(time, event, all))
        case .json: Terminal.error(json(time, event, all))
        }
    }

    private func text(_ time: String, _ event: LogEvent, _ metadata: [(key: String, value: Logger.MetadataValue)]) -> String {
        let rest = metadata.map { " \($0.key)=\(quoted("\($0.value)"))" }.joined()
        return "\(time) \(event.level.rawValue) [\(label)] \(escaped("\(event.message)"))\(rest)"
    }

    private func json(_ time: String, _ event: LogEvent, _ metadata: [(key: String, value: Logger.MetadataValue)]) -> String {
        var object: JSONObject = ["ts": .string(time), "level": .string(event.level.rawValue), "logger": .string(label)]
        for (key, value) in metadata { object[key] = .string("\(value)") }
        object["msg"] = .string("\(event.message)")
        return String(decoding: JSONValue.object(object).encoded(), as: UTF8.self)
    }

    private func quoted(_ text: String) -> String {
        text.contains { $0 == " " || $0 == "\"" || $0.isNewline }
            ? String(decoding: JSONValue.string(text).encoded(), as: UTF8.self) : text
    }

    /// A message never starts a line of its own: what others write into it cannot pass for ours.
    private func escaped(_ text: String) -> String {
        text.contains(where: \.isNewline) ? text.split(whereSeparator: \.isNewline).joined(separator: "\\n") : text
    }
}
