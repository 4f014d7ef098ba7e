import Foundation
import TestSupport

/// Client libraries of Python that are not ours.
public enum ForeignClients {
  /// The virtual environment that scripts/brokers makes.
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent(".build/broker-clients").path

  private static let python: String? = {
    let own = "\(folder)/bin/python3"
    return FileManager.default.isExecutableFile(atPath: own) ? own : TestServer.path(of: "python3")
  }()

  /// Whether that `python3`, or else the one in PATH, has a package.
  public static func has(_ package: String) -> Bool {
    guard let python else { return false }
    return (try? Program(path: python).run(["-c", "import \(package)"]))?.status == 0
  }

  public static func run(_ script: String, _ arguments: [String]) throws -> Program.Outcome {
    try Program(path: python ?? "python3").run(["-c", script] + arguments)
  }
}
