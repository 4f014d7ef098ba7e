import Foundation

public enum PythonMLflow {
  /// A Python with MLflow, as in `Tools/requirements.txt`: `ONEPASS_MLFLOW` names it.
  public static let path: String? = {
    let path = ProcessInfo.processInfo.environment["ONEPASS_MLFLOW"] ?? ""
    return path.isEmpty ? nil : path
  }()

  public static let reason = "ONEPASS_MLFLOW names no Python with MLflow."
}
