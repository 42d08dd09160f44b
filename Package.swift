// swift-tools-version: 6.1
import Foundation
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    // Every target is compiled with its tests in debug, where accesses are checked; the release need not do it again.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

func nio(_ name: String) -> Target.Dependency { .product(name: name, package: "swift-nio") }

let nioCore: [Target.Dependency] = [nio("NIOCore"), nio("NIOPosix"), nio("NIOConcurrencyHelpers"), nio("NIOFoundationEssentialsCompat")]
let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let x509: [Target.Dependency] = [
    .product(name: "X509", package: "swift-certificates"),
    .product(name: "SwiftASN1", package: "swift-asn1"),
    .product(name: "Crypto", package: "swift-crypto"),
    .product(name: "_CryptoExtras", package: "swift-crypto"),
]
let grpc: [Target.Dependency] = [
    .product(name: "GRPCCore", package: "grpc-swift-2"),
    .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
    .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
    .product(name: "SwiftProtobuf", package: "swift-protobuf"),
]
let http: [Target.Dependency] = [
    nio("NIOHTTP1"), nio("NIOTLS"),
    .product(name: "NIOHTTP2", package: "swift-nio-http2"),
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
]
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let collections: [Target.Dependency] = [
    .product(name: "OrderedCollections", package: "swift-collections"),
    .product(name: "DequeModule", package: "swift-collections"),
    .product(name: "HeapModule", package: "swift-collections"),
]

func layer(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

func tests(_ subject: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(subject)Tests",
        dependencies: [.init(stringLiteral: subject)] + dependencies,
        swiftSettings: settings
    )
}

/// A binding to a C library that Debian ships as a static archive, so that the binary needs nothing at run time.
func library(_ name: String, archive: String) -> Target {
    .target(name: name, linkerSettings: [.linkedLibrary(":\(archive)")])
}

// One row a layer, in the order of docs/ARCHITECTURE.md: a target imports only what stands above it.
let layers: [Target] = [
    library("CYAML", archive: "libyaml.a"),
    library("CSQLite", archive: "libsqlite3.a"),
    library("CZlib", archive: "libz.a"),
    .target(name: "CSyscalls"),
    .target(name: "CSchemaData", exclude: ["schema.bin"]),
    .target(name: "CPause"),
    .target(name: "CAllocator"),
    layer("Values", ["CYAML"]),
    layer("Units", ["Values"]),
    layer("Channels", ["Units", "CSyscalls"] + collections),
    layer("Schema", ["Values", "Units"]),
    layer("CEL", ["Schema", "Units", "Values"] + collections),
    layer("APIModel", ["Schema", "Units", "Values", "Channels"]),
    layer("APITypes", ["APIModel", "Schema", "Units", "Values", "CSchemaData"]),
    layer("Store", ["Values", "Units", "Channels", log] + collections),
    layer("SQLiteStore", ["Store", "Channels", "CSQLite", log] + collections),
    layer("HTTPTransport", ["Values", "Units", "Channels", "CZlib", log] + nioCore + http + x509 + collections),
    layer(
        "RPC",
        ["Channels", log] + grpc + [nio("NIOCore"), nio("NIOPosix"), .product(name: "NIOHTTP2", package: "swift-nio-http2")],
        exclude: ["Protos"]
    ),
    layer("Quota", ["APIModel", "Units", "Values"]),
    layer("Access", ["Quota", "HTTPTransport", "APITypes", "APIModel", "Schema", "Units", "Values", "Channels", log] + x509),
    layer("PodKinds", ["APITypes", "APIModel", "Schema", "Units", "Values", "Channels"] + collections),
    layer("BuiltinKinds", ["PodKinds", "CEL", "APITypes", "APIModel", "Schema", "Units", "Values", "Channels"] + collections + x509),
    layer("LegacyKinds", ["BuiltinKinds", "PodKinds", "APITypes", "APIModel", "Schema", "Units", "Values"]),
    layer("CustomResources", ["APITypes", "APIModel", "CEL", "Schema", "Units", "Values", "Channels"] + collections),
    layer("Negotiation", ["HTTPTransport", "Store", "APITypes", "APIModel", "Schema", "Units", "Values"]),
    layer("Proxying", ["CustomResources", "Access", "HTTPTransport", "APIModel", "Schema", "Units", "Values", "Channels"]),
    layer("DynamicAdmission", ["CEL", "Access", "APITypes", "APIModel", "Schema", "Units", "Values", "Channels", log]),
    layer(
        "APIServer",
        [
            "DynamicAdmission", "Proxying", "Negotiation", "CustomResources", "LegacyKinds", "CEL", "Access", "BuiltinKinds", "PodKinds",
            "HTTPTransport", "SQLiteStore", "Store", "APITypes", "APIModel", "Schema", "Units", "Values",
            "Channels", log,
        ] + collections
    ),
    layer("APIClient", ["HTTPTransport", "APITypes", "APIModel", "Schema", "Units", "Values", "Channels", log]),
    layer("ControllerRuntime", ["APIClient", "APITypes", "APIModel", "HTTPTransport", "Units", "Values", "Channels", log] + collections),
    layer(
        "Controllers",
        ["Quota", "ControllerRuntime", "APIClient", "APITypes", "APIModel", "Units", "Values", "Channels", log] + collections
    ),
    layer("Scheduler", ["ControllerRuntime", "APIClient", "APITypes", "APIModel", "Units", "Values", "Channels", log] + collections),
    layer("PodRuntime", ["RPC", "APITypes", "APIModel", "Units", "Values", "Channels", log] + grpc + collections),
    layer(
        "Kubelet",
        [
            "PodRuntime", "RPC", "ControllerRuntime", "APIClient", "Access", "HTTPTransport", "APITypes", "APIModel", "Units", "Values",
            "Channels",
            "CSyscalls", log,
        ] + collections + nioCore
    ),
    layer(
        "KubeProxy",
        ["ControllerRuntime", "APIClient", "APITypes", "APIModel", "Units", "Values", "Channels", "CSyscalls", log] + collections
    ),
    layer(
        "ClusterDNS",
        ["ControllerRuntime", "APIClient", "APITypes", "APIModel", "Units", "Values", "Channels", "CSyscalls", log] + nioCore + collections
    ),
    layer(
        "ClusterNetwork",
        ["ControllerRuntime", "APIClient", "APITypes", "APIModel", "Units", "Values", "Channels", "CSyscalls", log] + collections
    ),
    layer("Containerd", ["Channels", "Values", "Units", "CPause", "CSyscalls", log] + x509),
    layer(
        "Bootstrap",
        ["Access", "ControllerRuntime", "APIClient", "APITypes", "APIModel", "HTTPTransport", "Units", "Values", "Channels", log] + x509
    ),
]

/// Everything the one binary assembles.
let parts: [Target.Dependency] = [
    "Bootstrap", "Containerd", "ClusterNetwork", "ClusterDNS", "KubeProxy", "Kubelet", "PodRuntime", "Scheduler", "Controllers",
    "ControllerRuntime",
    "APIClient",
    "APIServer", "DynamicAdmission", "Proxying", "Negotiation", "CustomResources", "LegacyKinds", "BuiltinKinds", "PodKinds", "Access",
    "RPC", "HTTPTransport", "SQLiteStore", "Store", "APITypes", "APIModel", "CEL", "Schema", "Channels",
    "Units", "Values",
    "CSyscalls",
]

let programs: [Target] = [
    .executableTarget(
        name: "apus",
        dependencies: parts + ["CAllocator", log, arguments],
        swiftSettings: settings,
        // Nobody loads a library into apus, so its symbols need not be exported: 7 MB of names, and what only they keep.
        linkerSettings: [.unsafeFlags(["-Xlinker", "--no-export-dynamic"], .when(configuration: .release))]
    ),
    .executableTarget(
        name: "apus-bench",
        dependencies: parts + ["CAllocator", log, arguments],
        path: "Benchmarks",
        swiftSettings: settings
    ),
    .target(name: "TidyRules", path: "Tools/TidyRules", swiftSettings: settings),
    .executableTarget(name: "apus-tidy", dependencies: ["TidyRules"], path: "Tools/tidy", swiftSettings: settings),
]

let suites: [Target] = [
    tests("TidyRules"),
    tests("Values"), tests("Units", ["Values"]), tests("Channels", ["Units"]),
    tests("Schema", ["Values", "Units", "APITypes", "APIModel"]),
    tests("CEL", ["Schema", "Values", "Units"]),
    tests("APIModel", ["Schema", "Values", "Units"]),
    tests("APITypes", ["APIModel", "Schema", "Values", "Units"]),
    tests("Store", ["SQLiteStore", "Channels", "Values"]),
    tests("HTTPTransport", ["Channels", "Values", log] + nioCore + x509),
    tests("Quota", ["APIModel", "Units", "Values"]),
    tests("Access", ["HTTPTransport", "APIModel", "APITypes", "Values", "Units", "Channels"] + x509),
    tests("BuiltinKinds", ["PodKinds", "CEL", "APITypes", "APIModel", "Schema", "Values", "Units", "Channels"] + x509),
    tests("LegacyKinds", ["BuiltinKinds", "APITypes", "APIModel", "Schema", "Values", "Units", "Channels"]),
    tests("CustomResources", ["APITypes", "APIModel", "CEL", "Schema", "Values", "Units", "Channels"]),
    tests(
        "DynamicAdmission",
        ["CustomResources", "CEL", "Access", "HTTPTransport", "APITypes", "APIModel", "Schema", "Values", "Units", "Channels"]
    ),
    tests(
        "APIServer",
        [
            "DynamicAdmission", "Proxying", "Negotiation", "CustomResources", "LegacyKinds", "CEL", "BuiltinKinds", "Access", "SQLiteStore",
            "Store", "HTTPTransport", "APITypes",
            "APIModel", "Schema", "Values", "Units",
            "Channels",
        ] + x509
    ),
    tests("APIClient", ["HTTPTransport", "APITypes", "APIModel", "Values", "Channels"]),
    tests("ControllerRuntime", ["APIClient", "HTTPTransport", "APITypes", "APIModel", "Values", "Units", "Channels"]),
    tests("Controllers", ["ControllerRuntime", "APIClient", "HTTPTransport", "APITypes", "APIModel", "Values", "Units", "Channels"]),
    tests("Scheduler", ["ControllerRuntime", "APIClient", "HTTPTransport", "APITypes", "APIModel", "Values", "Units", "Channels"]),
    tests(
        "Kubelet",
        ["PodRuntime", "RPC", "ControllerRuntime", "APIClient", "HTTPTransport", "APITypes", "APIModel", "Values", "Units", "Channels"]
    ),
    tests("KubeProxy", ["APITypes", "APIModel", "Values", "Units", "Channels"]),
    tests("ClusterDNS", ["APITypes", "APIModel", "Values", "Units", "Channels"]),
    tests("ClusterNetwork", ["APITypes", "APIModel", "Values", "Units", "Channels"]),
    tests("Containerd", ["Channels", "Values"]),
    tests(
        "Bootstrap",
        ["Access", "ControllerRuntime", "APITypes", "APIModel", "HTTPTransport", "APIClient", "Values", "Units", "Channels"] + x509
    ),
    .testTarget(name: "SimulationTests", dependencies: parts, swiftSettings: settings),
    .target(name: "CAllocationCount", path: "Tests/Support/CAllocationCount"),
    .testTarget(
        name: "AllocationTests",
        dependencies: [
            "CAllocationCount", "APIServer", "Negotiation", "BuiltinKinds", "Access", "Store", "HTTPTransport", "APIModel", "Values",
            "Units", "Channels",
        ],
        swiftSettings: settings
    ),
]

/// `APUS_TESTS=Schema,Store` builds only those suites and what they need: the inner loop takes seconds, not minutes.
let chosen: [Target] = {
    let all = layers + programs + suites
    guard let names = ProcessInfo.processInfo.environment["APUS_TESTS"], !names.isEmpty else { return all }
    let wanted = Set(names.split(separator: ",").map { "\($0)Tests" })
    guard suites.contains(where: { wanted.contains($0.name) }) else { return layers + programs }
    var needed = wanted
    // Rows stand in order, so one pass from the top finds all that is needed.
    for target in all.reversed() where needed.contains(target.name) {
        for case .byNameItem(let name, _) in target.dependencies { needed.insert(name) }
    }
    return all.filter { needed.contains($0.name) }
}()

let package = Package(
    name: "apus",
    platforms: [.macOS(.v15)],
    products: chosen.contains { $0.name == "apus" } ? [.executable(name: "apus", targets: ["apus"])] : [],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.1"),
        // Without its traits: BinaryDelimitedStreams alone would bring in full Foundation, 48 MB.
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    ],
    targets: chosen
)
