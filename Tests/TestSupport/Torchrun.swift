import Foundation

public enum Torchrun {
  /// The launcher of PyTorch's Python package, from `ONEPASS_TORCHRUN` or PATH.
  public static let path: String? = {
    let environment = ProcessInfo.processInfo.environment
    if let path = environment["ONEPASS_TORCHRUN"], !path.isEmpty { return path }
    return (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/torchrun" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  public static let reason = "There is no torchrun in PATH, and ONEPASS_TORCHRUN names none."
}
