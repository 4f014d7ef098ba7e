import Foundation
import OnePass

/// Logs the options and the scalars of a run to an MLflow server.
///
/// The training thread only enqueues values. A server that does not respond is an error before training starts. Later it does
/// not delay training, and a notice at the end reports the values that it has not confirmed.
final class MLflowLogger: RunLogger {
  let name = "mlflow"
  private let server: MLflowServer
  private let output: String?
  private let limits: HTTPLimits
  private var record: MLflowRecord
  private let isResumed: Bool
  private var sender: MLflowSender?
  private var written: MLflowRecord?

  /// The maximum durations of a request and of the end of a run, in seconds.
  static let limits = HTTPLimits(idle: 10, attempts: 3, overall: 30)

  /// Checks that the server responds, and reads the record of an earlier process.
  ///
  /// A resumed run continues without a response, so that a restart does not depend on the server.
  /// - Parameters:
  ///   - output: The folder of the run, which stores the id of the MLflow run.
  ///   - environment: The environment variables, which contain any credentials.
  /// - Throws: `OnePassError`: `io` if the server does not respond or rejects a request, `badData` if the record is damaged.
  init(
    to address: MLflowAddress, in output: String?, limits: HTTPLimits = MLflowLogger.limits,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws {
    server = MLflowServer(address, limits: limits, environment: environment)
    self.output = output
    self.limits = limits
    let earlier = try output.flatMap { try MLflowRecord(in: $0, of: address) }
    record = earlier ?? MLflowRecord(address)
    isResumed = earlier != nil
    try check()
  }

  private func check() throws {
    var attempt = 0
    while true {
      attempt += 1
      do throws(MLflowServer.Problem) {
        if let run = record.run { _ = try server.run(run) } else { _ = try server.experiment() }
        return
      } catch {
        if case .temporary(_, let delay, let remedy) = error {
          if isResumed { return }
          if remedy == nil, attempt < limits.attempts {
            Thread.sleep(forTimeInterval: limits.pause(before: attempt, asked: delay))
            continue
          }
        }
        throw OnePassError.serverUnusable(server.address, error, output: output)
      }
    }
  }

  func begin(_ run: LoggedRun) {
    if run.stepsDone == 0 { record.unsent = [] }
    // Steps after the checkpoint are repeated and logged again.
    record.unsent.removeAll { $0.step > run.stepsDone }
    if run.isTrained {
      record.unsent.removeAll { $0.step == run.stepsDone && $0.values["evaluation/top1"] != nil }
    }
    sender = MLflowSender(
      to: server, record, isResumed: isResumed, limits: limits,
      description: description(of: run.configuration))
  }

  func log(_ point: LogPoint) throws {
    guard !point.scalars.isEmpty else { return }
    if let rejection = sender?.add(MLflowRecord.Point(point)) {
      throw OnePassError.requestRejected(server.address, rejection)
    }
  }

  func makeDurable() throws {
    guard let output, let sender else { return }
    let state = sender.state
    guard state != written else { return }
    try state.write(in: output)
    written = state
  }

  func end(_ outcome: RunOutcome) throws {
    guard let sender else { return }
    let status: MLflowServer.Status =
      switch outcome {
      case .finished: .finished
      case .stopped: .killed
      case .failed: .failed
      }
    let end = sender.end(status)
    try makeDurable()
    guard
      let problem = end.problem ?? (end.missing > 0 ? MLflowSender.unreachableForTooLong : nil)
    else { return }
    throw OnePassError.logIncomplete(
      server.address, missing: end.missing, problem, outcome: outcome, output: output)
  }

  // MARK: The description of a run

  /// The maximum length of a parameter's value that old and new servers accept.
  private static let longestValue = 500

  private func description(of configuration: RunConfiguration) -> MLflowSender.Description {
    // The number of classes and their names are the same option on the command line.
    let options = Dictionary(configuration.options.map { ($0.name, $0.value) }) { $1 == "none" ? $0 : $1 }
    let parameters = options.sorted { $0.key < $1.key }.map { name, value in
      MLflowServer.Entry(
        key: name,
        value: value.count <= Self.longestValue ? value : "\(value.prefix(Self.longestValue - 1))…")
    }
    // MLflow's user interface shows this tag as the version of the source.
    let commit = SourceRevision.current.map { [("mlflow.source.git.commit", $0.commit)] } ?? []
    let tags =
      [
        ("mlflow.source.name", "onepass"), ("mlflow.source.type", "LOCAL"),
        ("mlflow.user", ProcessInfo.processInfo.userName), ("onepass.version", onePassVersion),
        ("onepass.method", configuration.title),
      ] + commit
    return .init(
      name: output.map { URL(fileURLWithPath: $0).standardizedFileURL.lastPathComponent },
      tags: tags.map { MLflowServer.Entry(key: $0.0, value: $0.1) }, parameters: parameters,
      start: MLflowRecord.Point.timestamp(Date()))
  }
}
