// swift-tools-version: 6.1
import PackageDescription

// A package of its own, so that nobody who only uses OnePass builds it.
let package = Package(
  name: "Benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "OnePass", path: "..")],
  targets: [
    .executableTarget(
      name: "ReplayMemoryBenchmark",
      dependencies: [.product(name: "OnePass", package: "OnePass")],
      swiftSettings: [.swiftLanguageMode(.v6)]),
    .executableTarget(
      name: "FullSizeMemory",
      dependencies: [.product(name: "OnePass", package: "OnePass")],
      swiftSettings: [.swiftLanguageMode(.v6)]),
    .target(name: "BareDecode", linkerSettings: [.linkedLibrary("jpeg")]),
    .executableTarget(
      name: "ImageBenchmark",
      dependencies: ["BareDecode", .product(name: "OnePass", package: "OnePass")],
      swiftSettings: [.swiftLanguageMode(.v6)]),
  ]
)
