import Foundation
import TestSupport

/// Client libraries of Python that are not ours.
enum ForeignClients {
  private static let python = TestServer.path(of: "python3")

  /// Whether the `python3` in PATH has a package.
  static func has(_ package: String) -> Bool {
    guard let python else { return false }
    return (try? Program(path: python).run(["-c", "import \(package)"]))?.status == 0
  }

  static func run(_ script: String, _ arguments: [String]) throws -> Program.Outcome {
    try Program(path: python ?? "python3").run(["-c", script] + arguments)
  }
}
