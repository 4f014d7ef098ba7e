// swift-tools-version: 6.1
import Foundation
import PackageDescription

// The libtorch that OnePass is built and tested with. This is its only place: `scripts/setup`, which holds the checksums of its
// wheels, reads it here. (The other way round SwiftPM would not notice a change, since it caches the evaluated manifest.)
let libtorchVersion = "2.11.0"

// libtorch: `scripts/setup` links the pinned one as `.deps/site`; LIBTORCH names another copy (a directory with `lib/` and
// `include/`, such as site-packages/torch). A package that depends on OnePass has a copy of this folder without `.deps`;
// it finds what `scripts/setup` of any copy has put into the user's cache.
let libtorch: String = {
  let environment = ProcessInfo.processInfo.environment
  if let named = environment["LIBTORCH"] { return named }
  #if os(macOS)
    let caches = "Library/Caches"
  #else
    let caches = ".cache"
  #endif
  let cache =
    environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
    ?? "\(environment["HOME"] ?? "")/\(caches)"
  let link = "\(Context.packageDirectory)/.deps/site"
  let cached = "\(cache)/onepass/libtorch-\(libtorchVersion)/torch"
  // The link counts, wherever it leads: it is made before what it leads to, and meanwhile the rest is built.
  let isLinked = (try? FileManager.default.destinationOfSymbolicLink(atPath: link)) != nil
  return isLinked ? "\(link)/torch" : cached
}()

// One list of settings for every Swift target.
let swift: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

// Optimising the tests themselves would take longer than it saves: half of a release build.
let tests = swift + [.unsafeFlags(["-Onone"], .when(configuration: .release))]

// The inner loops in C and C++ are of no use without, also while debugging Swift.
let optimised = ["-O3"]

let torchHeaders: [CXXSetting] = [
  .unsafeFlags(
    optimised + [
      // Not for the whole package: the symbols of a C target cannot be extracted with it.
      "-std=c++20",
      "-isystem", "\(libtorch)/include",
      "-isystem", "\(libtorch)/include/torch/csrc/api/include",
    ])
]

// An installed program and the engine have their libraries in this folder (`make install`), and need no checkout.
#if os(macOS)
  let installedLibraries = "@executable_path/../lib/onepass"
#else
  let installedLibraries = "$ORIGIN/../lib/onepass"
#endif

func searching(_ folders: String...) -> [String] {
  folders.flatMap { ["-Xlinker", "-rpath", "-Xlinker", $0] }
}

let torchLibraries: [LinkerSetting] = [
  .unsafeFlags(["-L\(libtorch)/lib"] + searching("\(libtorch)/lib")),
  .linkedLibrary("torch_cpu"),
  .linkedLibrary("c10"),
]

func benchmark(_ name: String, of dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, path: "Benchmarks/Sources/\(name)", swiftSettings: swift)
}

// The HTTP server of `onepass serve` has some twenty packages of dependencies. They are fetched and built only with
// ONEPASS_SERVICE=1, so that who only trains pays nothing for them. (Not a trait: it would change the flags of every module.)
let isServiceIncluded = ProcessInfo.processInfo.environment["ONEPASS_SERVICE"] == "1"

let serviceDependencies: [Package.Dependency] = [
  // HTTP, TLS and the life cycle of the process, over SwiftNIO.
  .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
  .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  // Types of these appear in its interface.
  .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
  .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
  .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
  .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
  .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
]

let serviceTargets: [Target] = [
  .target(
    name: "OnePassServer",
    dependencies: [
      "CCrypto", "OnePass", "OnePassCLI", "OnePassCore", "OnePassData", "OnePassExperiments",
      "OnePassService",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
      .product(name: "Hummingbird", package: "hummingbird"),
      .product(name: "HummingbirdTLS", package: "hummingbird"),
      .product(name: "HTTPTypes", package: "swift-http-types"),
      .product(name: "Logging", package: "swift-log"),
      .product(name: "NIOCore", package: "swift-nio"),
      .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
      .product(name: "NIOSSL", package: "swift-nio-ssl"),
      .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      .product(name: "UnixSignals", package: "swift-service-lifecycle"),
    ],
    resources: [.embedInCode("Resources/index.html"), .embedInCode("Resources/openapi.json")],
    swiftSettings: swift),
  .executableTarget(
    name: "onepass-serve",
    dependencies: ["OnePassServer"], path: "Sources/OnePassServeProgram", swiftSettings: swift,
    linkerSettings: [.unsafeFlags(searching(installedLibraries))], plugins: ["SourceRevisionPlugin"]),
  .testTarget(
    name: "ServerTests", dependencies: ["onepass-serve", "OnePassServer", "TestSupport", "TestTraits"],
    swiftSettings: tests),
]

let package = Package(
  name: "OnePass",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "onepass", targets: ["OnePassProgram"]),
    // What `onepass` loads when it first needs libtorch. Programs that depend on OnePass contain the engine instead.
    .library(name: "OnePassEngine", type: .dynamic, targets: ["CTorchEngine"]),
    .library(
      name: "OnePass",
      targets: [
        "OnePass", "OnePassCore", "OnePassReplay", "OnePassData", "OnePassTorch", "OnePassModels",
        "CTorchEngine",
      ]),
    .library(name: "OnePassMLflow", targets: ["OnePassMLflow", "CTorchEngine"]),
    // The replay memory for other trainers: neither libtorch nor image libraries.
    .library(name: "OnePassReplay", targets: ["OnePassCore", "OnePassReplay"]),
  ],
  dependencies: [
    // Arguments, help texts and shell completion: Apple's own, kept in step with the compiler.
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // Grid files: libyaml behind a Swift interface that reports the line of every value.
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    // The records of TensorBoard's event files: Apple's own, so that no wire format is written by hand.
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
  ] + (isServiceIncluded ? serviceDependencies : []),
  targets: [
    // The interface to libtorch, which loads the engine at its first use.
    .target(name: "CTorch", exclude: ["Functions.h"]),
    .target(
      // The units include the other files (Units/Engine.cpp says why); Kernels has what is compiled for several processors.
      // Not a dependency of OnePassTorch, so that `onepass` starts without libtorch; an image that contains it uses it directly.
      name: "CTorchEngine", exclude: ["GlooDeclarations/README.md"], sources: ["Kernels", "Units"],
      cxxSettings: torchHeaders + [
        .headerSearchPath("GlooDeclarations"), .headerSearchPath("../CTorch/include"),
      ],
      linkerSettings: torchLibraries),
    .systemLibrary(
      name: "CLibJPEG", pkgConfig: "libjpeg",
      providers: [.apt(["libjpeg62-turbo-dev"]), .brew(["jpeg-turbo"])]),
    .systemLibrary(
      name: "CSpng", pkgConfig: "spng",
      providers: [.apt(["libspng-dev"]), .brew(["libspng"])]),
    .systemLibrary(
      name: "CWebP", pkgConfig: "libwebpdemux",
      providers: [.apt(["libwebp-dev"]), .brew(["webp"])]),
    // 4.5 is the first version that reports errors per file instead of printing them.
    .systemLibrary(
      name: "CLibTIFF", pkgConfig: "libtiff-4",
      providers: [.apt(["libtiff-dev"]), .brew(["libtiff"])]),
    .systemLibrary(
      name: "CArchive", pkgConfig: "libarchive",
      providers: [.apt(["libarchive-dev"]), .brew(["libarchive"])]),
    // Compressions of Parquet files.
    .systemLibrary(
      name: "CBrotli", pkgConfig: "libbrotlidec",
      providers: [.apt(["libbrotli-dev"]), .brew(["brotli"])]),
    .systemLibrary(
      name: "CLZ4", pkgConfig: "liblz4",
      providers: [.apt(["liblz4-dev"]), .brew(["lz4"])]),
    .systemLibrary(
      name: "CCurl", pkgConfig: "libcurl",
      providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]),

    .systemLibrary(
      name: "CSQLite", pkgConfig: "sqlite3",
      providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])]),
    // Encryption of images on disk. 3.0 is the first version in which algorithms are fetched.
    .systemLibrary(
      name: "CCrypto", pkgConfig: "libcrypto",
      providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
    .systemLibrary(
      name: "CXXHash", pkgConfig: "libxxhash",
      providers: [.apt(["libxxhash-dev"]), .brew(["xxhash"])]),

    .target(
      name: "CImages", dependencies: ["CLibJPEG", "CLibTIFF", "CWebP"], cSettings: [.unsafeFlags(optimised)]),
    // The client libraries of brokers, loaded at their first use.
    .target(name: "CBrokers"),
    .target(name: "OnePassCore", swiftSettings: swift),
    .target(
      name: "OnePassBrokers", dependencies: ["OnePassCore", "CBrokers", "CCurl"], swiftSettings: swift),
    .target(
      name: "OnePassReplay", dependencies: ["OnePassCore", "CCrypto", "CSQLite", "CXXHash"],
      swiftSettings: swift),
    .target(
      name: "OnePassData",
      dependencies: [
        "OnePassCore", "OnePassBrokers", "CImages", "CSpng", "CArchive", "CBrotli", "CLZ4", "CCurl",
        "CXXHash",
      ],
      swiftSettings: swift),
    .target(name: "OnePassTorch", dependencies: ["OnePassCore", "CTorch"], swiftSettings: swift),
    .target(
      name: "OnePassModels", dependencies: ["OnePassCore", "OnePassTorch"], swiftSettings: swift),
    .target(
      name: "OnePass",
      dependencies: [
        "OnePassCore", "OnePassBrokers", "OnePassReplay", "OnePassData", "OnePassTorch", "OnePassModels",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      swiftSettings: swift),
    // Logs runs to MLflow servers. Apart, so that who does not log there does not build it.
    .target(name: "OnePassMLflow", dependencies: ["OnePass"], swiftSettings: swift),
    // What `onepass serve` does, apart from HTTP: the queue of examples, late labels, predictions during the training.
    .target(
      name: "OnePassService",
      dependencies: [
        "OnePass", "OnePassBrokers", "OnePassCore", "OnePassData", "OnePassModels", "OnePassReplay",
        "OnePassTorch", "CXXHash",
      ],
      swiftSettings: swift),
    .target(
      name: "OnePassExperiments",
      dependencies: [
        "OnePass", "OnePassCore", "OnePassData", "OnePassReplay", .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: swift),
    .target(
      name: "OnePassCLI",
      dependencies: [
        "OnePass", "OnePassExperiments", "OnePassBrokers", "OnePassCore", "OnePassData", "OnePassMLflow",
        "OnePassModels",
        "OnePassReplay",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swift),
    .plugin(name: "SourceRevisionPlugin", capability: .buildTool()),
    .executableTarget(
      name: "OnePassProgram", dependencies: ["OnePassCLI"], swiftSettings: swift,
      linkerSettings: [.unsafeFlags(searching(installedLibraries))],
      plugins: ["SourceRevisionPlugin"]),

    .target(
      name: "TestSupport", dependencies: ["CStarter", "OnePassCore"], path: "Tests/TestSupport",
      swiftSettings: tests),
    .target(name: "CStarter", path: "Tests/CStarter"),
    .executableTarget(
      name: "PreloadedProgram", dependencies: ["CStarter", "OnePassCLI", "OnePassTorch"],
      path: "Tests/PreloadedProgram", swiftSettings: tests,
      linkerSettings: [.unsafeFlags(searching(installedLibraries))],
      plugins: ["SourceRevisionPlugin"]),
    .target(name: "TestTraits", path: "Tests/TestTraits", swiftSettings: tests),
    .testTarget(
      name: "OnePassCoreTests", dependencies: ["OnePassCore", "TestSupport"], swiftSettings: tests),
    .target(
      name: "BrokerServers", dependencies: ["CBrokers", "TestSupport"], path: "Tests/BrokerServers",
      swiftSettings: tests),
    .testTarget(
      name: "OnePassBrokersTests",
      dependencies: ["BrokerServers", "OnePassBrokers", "CBrokers", "TestSupport", "TestTraits"],
      swiftSettings: tests),
    .testTarget(
      name: "OnePassReplayTests", dependencies: ["OnePassReplay", "TestSupport"], swiftSettings: tests),
    .testTarget(
      name: "OnePassDataTests", dependencies: ["OnePassData", "OnePassBrokers", "CArchive", "TestSupport"],
      resources: [.copy("Fixtures")], swiftSettings: tests),
    .executableTarget(
      name: "RankProgram",
      dependencies: ["CTorchEngine", "OnePassCore", "OnePassModels", "OnePassTorch", "TestSupport"],
      path: "Tests/RankProgram", swiftSettings: tests),
    // Without the engine, as `onepass` is.
    .executableTarget(
      name: "EngineProgram", dependencies: ["OnePassTorch"], path: "Tests/EngineProgram", swiftSettings: tests
    ),
    .executableTarget(
      name: "FuzzProgram",
      dependencies: [
        "CTorchEngine", "OnePass", "OnePassCore", "OnePassData", "OnePassExperiments", "OnePassTorch",
      ],
      path: "Tests/FuzzProgram", exclude: ["Findings", "Seeds"], swiftSettings: swift),
    .testTarget(
      name: "OnePassTorchTests", dependencies: ["CTorchEngine", "OnePassTorch", "TestSupport"],
      resources: [.copy("Fixtures")], swiftSettings: tests),
    .testTarget(
      name: "DistributedTests", dependencies: ["OnePassTorch", "RankProgram", "TestSupport", "TestTraits"],
      resources: [.copy("Fixtures")], swiftSettings: tests),
    .testTarget(
      name: "OnePassModelsTests", dependencies: ["OnePassModels", "TestSupport"],
      resources: [.copy("Fixtures")], swiftSettings: tests),
    .testTarget(
      name: "OnePassTests",
      dependencies: ["OnePass", "TestSupport", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
      resources: [.copy("Fixtures")], swiftSettings: tests),
    .testTarget(
      name: "OnePassServiceTests",
      dependencies: [
        "CTorchEngine", "OnePass", "OnePassBrokers", "OnePassCore", "OnePassService", "TestSupport",
      ],
      swiftSettings: tests),
    .testTarget(
      name: "OnePassMLflowTests", dependencies: ["OnePassMLflow", "TestSupport"], swiftSettings: tests),
    .testTarget(
      name: "OnePassExperimentsTests", dependencies: ["OnePassExperiments", "TestSupport"],
      resources: [.copy("Fixtures")], swiftSettings: tests),
    .testTarget(
      name: "OnePassCLITests", dependencies: ["OnePassCLI", "OnePassCore", "TestSupport"],
      swiftSettings: tests),
    .testTarget(
      name: "AcceptanceTests",
      dependencies: [
        "BrokerServers", "EngineProgram", "FuzzProgram", "OnePassCLI", "OnePassProgram", "OwnPriority",
        "PreloadedProgram", "WatchedRun",
        "MemoryAlone",
        "TestSupport", "TestTraits",
      ],
      swiftSettings: tests),

    // What `make bench` measures beside the program itself. Here, and not in a package of its own, they are built from what is
    // built already; a package that depends on OnePass does not build them.
    benchmark("ReplayMemoryBenchmark", of: ["OnePassCore", "OnePassReplay"]),
    benchmark("FullSizeMemory", of: ["CTorchEngine", "OnePassCore", "OnePassReplay", "OnePassTorch"]),
    benchmark("ImageBenchmark", of: ["BareDecode", "OnePassCore", "OnePassData"]),
    benchmark("StreamBenchmark", of: ["OnePassBrokers", "OnePassCore", "OnePassData"]),
    benchmark("PredictionBenchmark", of: ["CTorchEngine", "OnePassModels", "OnePassTorch"]),
    .target(name: "BareDecode", dependencies: ["CLibJPEG"], path: "Benchmarks/Sources/BareDecode"),

    // Programs that use the library, one idea each; the acceptance tests run them.
    .executableTarget(
      name: "OwnPriority", dependencies: ["CTorchEngine", "OnePass"], path: "Examples/OwnPriority",
      swiftSettings: swift),
    .executableTarget(
      name: "WatchedRun", dependencies: ["CTorchEngine", "OnePass"], path: "Examples/WatchedRun",
      swiftSettings: swift),
    .executableTarget(
      name: "MemoryAlone", dependencies: ["OnePassCore", "OnePassReplay"], path: "Examples/MemoryAlone",
      swiftSettings: swift),
  ] + (isServiceIncluded ? serviceTargets : [])
)
