import Foundation

public enum PythonTensorBoard {
  /// A Python with TensorBoard and Pillow, as in `Tools/requirements.txt`: `ONEPASS_TENSORBOARD_PYTHON` names it.
  public static let path: String? = {
    let path = ProcessInfo.processInfo.environment["ONEPASS_TENSORBOARD_PYTHON"] ?? ""
    return path.isEmpty ? nil : path
  }()

  public static let reason = "ONEPASS_TENSORBOARD_PYTHON names no Python with TensorBoard and Pillow."
}
