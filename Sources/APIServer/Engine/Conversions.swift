import APIModel

/// Which conversion leads from a stored version to a served one.
enum Conversions {
    /// Nil when the version served is the version stored.
    static func between(_ version: KindVersion, _ descriptor: KindDescriptor) -> (any VersionConversion)? {
        if let own = version.conversion { return own }
        guard version.name != descriptor.storageVersion else { return nil }
        return RenamedVersion(
            served: GroupVersion(group: descriptor.group, version: version.name).apiVersion,
            stored: GroupVersion(group: descriptor.group, version: descriptor.storageVersion).apiVersion
        )
    }
}
