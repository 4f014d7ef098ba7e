import Foundation

public enum PythonMLflow {
  /// The path of a Python with MLflow (`Tools/requirements.txt`), from `ONEPASS_MLFLOW`.
  public static let path: String? = {
    let path = ProcessInfo.processInfo.environment["ONEPASS_MLFLOW"] ?? ""
    return path.isEmpty ? nil : path
  }()

  public static let reason = "ONEPASS_MLFLOW names no Python with MLflow."
}
