import Values

/// A typed view over a JSON object. The object is the state: fields the view does not know are kept as they are, so a
/// read-modify-write never loses them.
///
/// Reading never fails: a field that is absent, null or of another type reads as its zero value. Writing a zero value
/// follows the Go encoder: a field that upstream leaves out when empty is removed.
public protocol Lens: Sendable, Hashable {
    /// The JSON object looked at.
    var fields: JSONObject { get set }
    /// Looks at an object.
    init(fields: JSONObject)
}

extension Lens {
    /// An empty value.
    public init() { self.init(fields: [:]) }

    /// An empty value that `build` fills.
    public init(_ build: (inout Self) -> Void) {
        self.init(fields: [:])
        build(&self)
    }

    /// Looks at a JSON value; anything but an object reads as an empty one.
    public init(value: JSONValue?) {
        if case .object(let object)? = value {
            self.init(fields: object)
        } else {
            self.init(fields: [:])
        }
    }

    /// The JSON value looked at.
    public var value: JSONValue { .object(fields) }

    /// Lenses are equal when their objects are.
    public static func == (left: Self, right: Self) -> Bool { left.fields == right.fields }

    /// Hashes the object.
    public func hash(into hasher: inout Hasher) { hasher.combine(fields) }
}
