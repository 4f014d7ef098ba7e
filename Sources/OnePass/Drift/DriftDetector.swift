/// Whether a rate of errors has risen or fallen.
///
/// ```swift
/// let alarms = try RunFiles.result(in: "runs/first").drift
/// print(alarms?.count { $0.errors == .rose } ?? 0)
/// ```
public enum DriftDirection: String, Codable, Hashable, Sendable {
  case rose, fell
}

/// A detector of changes in the rate of errors of a sequence of predictions.
///
/// After an alarm it restarts with the next prediction, as the detectors of River do.
protocol DriftDetector: Codable, Sendable {
  /// Adds a prediction.
  /// - Returns: How the rate has changed, if this prediction raises an alarm.
  mutating func update(isError: Bool) -> DriftDirection?
}
