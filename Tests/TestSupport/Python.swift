import Foundation

/// A Python with torchvision, for the comparison of weights.
public enum Python {
  /// The path, from `ONEPASS_PYTHON`, or of the `python3` in PATH if it has the packages.
  public static let path: String? = {
    let environment = ProcessInfo.processInfo.environment
    if let path = environment["ONEPASS_PYTHON"], !path.isEmpty { return path }
    let packages = ["torch", "torchvision", "safetensors", "PIL"]
    let check = "import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, \(packages))))"
    return (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/python3" }
      .filter { FileManager.default.isExecutableFile(atPath: $0) }.prefix(1)
      .first { (try? Program(path: $0).run(["-c", check]))?.status == 0 }
  }()

  public static let reason =
    "The python3 in PATH has no torch, torchvision, safetensors and Pillow, and ONEPASS_PYTHON names none that has."
}
