import Foundation

/// The log files in the output folder of a run.
package enum RunLogFiles {
  /// The names of files and folders that may exist before the run has finished.
  package static let names = [EventFolder.name, JSONLinesLogger.fileName, mlflow]

  /// The file in which the logger of ``OnePassMLflow`` records its run on the server.
  package static let mlflow = "mlflow.json"

  /// Removes the logs of a run that has no other files.
  static func remove(in output: String) {
    for name in names { try? FileManager.default.removeItem(atPath: "\(output)/\(name)") }
  }
}
