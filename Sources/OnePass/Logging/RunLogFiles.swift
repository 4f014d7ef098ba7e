import Foundation

/// The logs beside a run, as they lie in its folder.
package enum RunLogFiles {
  /// What may be there before the run has come to its end.
  package static let names = [EventFolder.name, JSONLinesLogger.fileName, mlflow]

  /// What the logger of ``OnePassMLflow`` keeps of its run on the server.
  package static let mlflow = "mlflow.json"

  /// Removes those of a run that left nothing else.
  static func remove(in output: String) {
    for name in names { try? FileManager.default.removeItem(atPath: "\(output)/\(name)") }
  }
}
