import Foundation
import TestSupport

/// A simulated disk that is full, fails or loses power; see `Tests/FaultyFiles/faulty_files.c`.
struct FaultyDisk {
  let library: String
  let roots: [String]

  init(in folder: TemporaryFolder, roots: [String]) throws {
    let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("FaultyFiles/faulty_files.c").path
    library = folder.file("faulty_files.so")
    self.roots = roots
    let outcome = try Program(path: Self.compiler ?? "").run([
      "-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-o", library, source,
    ])
    guard outcome.status == 0 else { throw Failure(description: outcome.errors) }
  }

  static var isAvailable: Bool { compiler != nil }
  static let reason = "Faulty disks need Linux and a C compiler in PATH."

  private static let compiler: String? = {
    #if os(Linux)
      ["clang", "cc"].lazy.compactMap(find).first
    #else
      nil
    #endif
  }()

  struct Failure: Error, CustomStringConvertible { let description: String }

  private static func find(_ name: String) -> String? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// The environment variables that preload the simulated disk into a program.
  func environment(_ plan: String, report: String? = nil) -> [String: String] {
    var variables = [
      "LD_PRELOAD": library, "FAULTY_ROOTS": roots.joined(separator: ":"), "FAULTY_PLAN": plan,
    ]
    if let report { variables["FAULTY_REPORT"] = report }
    return variables
  }
}
