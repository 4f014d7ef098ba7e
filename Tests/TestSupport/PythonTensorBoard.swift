import Foundation

public enum PythonTensorBoard {
  /// The path of a Python with TensorBoard and Pillow (`Tools/requirements.txt`), from `ONEPASS_TENSORBOARD_PYTHON`.
  public static let path: String? = {
    let path = ProcessInfo.processInfo.environment["ONEPASS_TENSORBOARD_PYTHON"] ?? ""
    return path.isEmpty ? nil : path
  }()

  public static let reason = "ONEPASS_TENSORBOARD_PYTHON names no Python with TensorBoard and Pillow."
}
