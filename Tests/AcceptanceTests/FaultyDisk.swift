import Foundation
import TestSupport

/// A disk that is full, broken, or loses power, laid under a program; see `Tests/FaultyFiles/faulty_files.c`.
struct FaultyDisk {
  let library: String
  let roots: [String]

  /// - Returns: `nil` where it cannot be had: it is written for Linux, and needs a C compiler.
  init?(in folder: TemporaryFolder, roots: [String]) throws {
    #if os(Linux)
      let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("FaultyFiles/faulty_files.c").path
      guard let compiler = ["clang", "cc"].lazy.compactMap(Self.find).first else { return nil }
      library = folder.file("faulty_files.so")
      self.roots = roots
      let outcome = try Program(path: compiler).run([
        "-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-o", library, source,
      ])
      guard outcome.status == 0 else { throw Failure(description: outcome.errors) }
    #else
      return nil
    #endif
  }

  struct Failure: Error, CustomStringConvertible { let description: String }

  private static func find(_ name: String) -> String? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// The variables with which a program finds it below itself.
  func environment(_ plan: String, report: String? = nil) -> [String: String] {
    var variables = [
      "LD_PRELOAD": library, "FAULTY_ROOTS": roots.joined(separator: ":"), "FAULTY_PLAN": plan,
    ]
    if let report { variables["FAULTY_REPORT"] = report }
    return variables
  }
}
