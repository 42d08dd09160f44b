import Values

/// Turns objects of one version of a kind into another. Pure; never fails, since what a version cannot say is kept in
/// annotations or left out.
public protocol VersionConversion: Sendable {
    /// From the version served to the version stored.
    func toStorage(_ object: JSONValue) -> JSONValue
    /// From the version stored to the version served.
    func fromStorage(_ object: JSONValue) -> JSONValue
}

/// Versions that differ in their name only.
public struct RenamedVersion: VersionConversion {
    private let served: String
    private let stored: String

    /// Both as `apiVersion` has them, such as `apps/v1`.
    public init(served: String, stored: String) {
        self.served = served
        self.stored = stored
    }

    /// Renames to the version stored.
    public func toStorage(_ object: JSONValue) -> JSONValue { with(object, stored) }
    /// Renames to the version served.
    public func fromStorage(_ object: JSONValue) -> JSONValue { with(object, served) }

    private func with(_ object: JSONValue, _ version: String) -> JSONValue {
        var object = object
        object["apiVersion"] = .string(version)
        return object
    }
}
