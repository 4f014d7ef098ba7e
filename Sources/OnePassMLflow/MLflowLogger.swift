import Foundation
import OnePass

/// Logs the options and the scalars of a run to an MLflow server.
///
/// The thread that trains only hands over what there is. A server that does not answer is told at once before anything is
/// trained; later it keeps nobody waiting, and a notice at the end says what it lacks.
final class MLflowLogger: RunLogger {
  let name = "mlflow"
  private let server: MLflowServer
  private let output: String?
  private let limits: HTTPLimits
  private var record: MLflowRecord
  private let isResumed: Bool
  private var sender: MLflowSender?
  private var written: MLflowRecord?

  /// How long a call, and the end of a run, may take.
  static let limits = HTTPLimits(idle: 10, attempts: 3, overall: 30)

  /// Asks the server whether it is there, and takes what this run has to say.
  ///
  /// A run that has begun goes on without an answer: whatever started it again would have to wait for the server.
  /// - Parameters:
  ///   - output: The folder of the run, which keeps what the run is called on the server.
  ///   - environment: Where the credentials are.
  /// - Throws: `OnePassError`: `io` if the server does not answer or refuses, `badData` if the folder's record is damaged.
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
        if case .passing(_, let asked, let remedy) = error {
          if isResumed { return }
          if remedy == nil, attempt < limits.attempts {
            Thread.sleep(forTimeInterval: limits.pause(before: attempt, asked: asked))
            continue
          }
        }
        throw OnePassError(
          .io,
          "The MLflow server \(server.address.server) cannot be used: \(error.detail). \(remedy(for: error))",
          cause: error)
      }
    }
  }

  private func remedy(for problem: MLflowServer.Problem) -> String {
    switch problem {
    case .passing(_, _, let remedy): remedy ?? "Start it, or leave out --log \(server.address)."
    case .refused(401, _, _), .refused(403, _, _):
      "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN."
    case .refused(_, "RESOURCE_DOES_NOT_EXIST", _):
      "Its run has gone: remove \(output ?? "")/\(MLflowRecord.fileName), and the rest is logged to a new one."
    case .refused:
      "Write its address, and the experiment behind #: \(MLflowAddress.scheme)http://localhost:5000#photographs."
    }
  }

  func begin(_ run: LoggedRun) {
    if run.stepsDone == 0 { record.unsent = [] }
    // What comes after the checkpoint comes again.
    record.unsent.removeAll { $0.step > run.stepsDone }
    sender = MLflowSender(
      to: server, record, isResumed: isResumed, limits: limits,
      description: description(of: run.configuration))
  }

  func log(_ point: LogPoint) throws {
    guard !point.scalars.isEmpty else { return }
    if let refusal = sender?.add(MLflowRecord.Point(point)) { throw OnePassError(.io, "\(refusal).") }
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
    guard let problem = end.problem ?? (end.missing > 0 ? "it was away for too long" : nil) else { return }
    let what =
      end.missing > 0
      ? "has not confirmed \(Figures.count(end.missing, "value"))"
      : "was not told that the run \(outcome.rawValue)"
    let place =
      switch (output, outcome) {
      case (nil, _): ""
      case (_, .stopped): " It will hear of it when the run goes on."
      case (let output?, _): end.missing > 0 ? " They are in \(output)/\(MLflowRecord.fileName)." : ""
      }
    throw OnePassError(.io, "The server \(server.address.server) \(what): \(problem).\(place)")
  }

  // MARK: What a run is called

  /// The longest value that servers of every age take.
  private static let longestValue = 500

  private func description(of configuration: RunConfiguration) -> MLflowSender.Description {
    // The number of classes and their names have one name on the command line.
    let options = Dictionary(configuration.options.map { ($0.name, $0.value) }) { $1 == "none" ? $0 : $1 }
    let parameters = options.sorted { $0.key < $1.key }.map { name, value in
      MLflowServer.Entry(
        key: name,
        value: value.count <= Self.longestValue ? value : "\(value.prefix(Self.longestValue - 1))…")
    }
    // What MLflow's own pages show as the version of the source.
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
