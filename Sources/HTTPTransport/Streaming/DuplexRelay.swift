/// Joins two byte streams: what one says, the other hears.
public enum DuplexRelay {
    /// Copies both ways until both have ended, then closes both.
    ///
    /// - Parameter keepsHalfClosed: one side's end is passed on as a half-close and the other may go on; otherwise
    ///   the first end closes everything, as for protocols that have no half-close of their connection.
    public static func run(
        _ left: any DuplexByteStream,
        _ right: any DuplexByteStream,
        keepsHalfClosed: Bool = false
    ) async {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { await copy(left, right) }
            group.addTask { await copy(right, left) }
            let endedWell = await group.next() ?? false
            if endedWell, keepsHalfClosed { _ = await group.next() }
            group.cancelAll()
            await left.close()
            await right.close()
        }
    }

    /// Copies one direction; false when it broke.
    private static func copy(_ source: any DuplexByteStream, _ target: any DuplexByteStream) async -> Bool {
        do {
            while let bytes = try await source.read() { try await target.write(bytes) }
            await target.closeWrite()
            return true
        } catch {
            return false
        }
    }
}
