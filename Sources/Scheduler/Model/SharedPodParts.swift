import Synchronization

/// What replicas have alike. Equal values of pods become one: it is a fifth of what the scheduler keeps of a pod.
enum SharedPodParts {
    static let names = SharedValues<String>()
    static let tolerations = SharedValues<[PodToleration]>()
    static let images = SharedValues<[String]>()
}

/// Equal values become one. Guarded by its mutex; bounded: a value that meets another in its place takes the place over.
final class SharedValues<Value: Hashable & Sendable>: Sendable {
    private static var places: UInt { 512 }
    private let values = Mutex<[UInt: Value]>([:])

    /// A value equal to this one, the same for all who ask as long as it is remembered.
    func shared(_ value: Value) -> Value {
        let place = UInt(bitPattern: value.hashValue) % Self.places
        return values.withLock { values in
            if let known = values[place], known == value { return known }
            values[place] = value
            return value
        }
    }
}
