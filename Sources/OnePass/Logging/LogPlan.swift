import OnePassCore
import OnePassData

/// What is logged of a run while it trains, and where to.
///
/// ```swift
/// var logs = LogPlan()
/// logs.kinds = [.tensorBoard(pictures: false)]
/// logs.loggers = [printedLosses]  // a RunLogger of one's own
/// let result = try TrainingRun(configuration).start(output: "runs/first", logs: logs)
/// ```
public struct LogPlan {
  /// The logs that OnePass writes; ``LogKind/standard`` where there is an output folder if `nil`.
  public var kinds: [LogKind]?
  /// Loggers of one's own.
  public var loggers: [any RunLogger]

  /// - Parameters:
  ///   - kinds: The logs that OnePass writes; ``LogKind/standard`` where there is an output folder if `nil`.
  ///   - loggers: Loggers of one's own.
  public init(_ kinds: [LogKind]? = nil, loggers: [any RunLogger] = []) {
    self.kinds = kinds
    self.loggers = loggers
  }

  /// Every logger of a run.
  /// - Parameter output: The folder of the run.
  /// - Throws: `OnePassError`: `usage` if a log was asked for that needs a folder, and there is none; `io` if a server does not
  ///   answer.
  func makeLoggers(in output: String?) throws -> [any RunLogger] {
    let own: [any RunLogger] = try (kinds ?? (output == nil ? [] : LogKind.standard)).map {
      try $0.makeLogger(in: output)
    }
    return own + loggers
  }
}

/// A log that OnePass writes of a run.
public enum LogKind: Hashable, Sendable {
  /// Event files that TensorBoard reads, in `tensorboard`.
  ///
  /// Pictures show images that the memory holds. They are copies that outlast the memory: a run with a time to live
  /// writes none, and forgetting removes them all.
  case tensorBoard(pictures: Bool)
  /// An object on each line of `metrics.jsonl`.
  case jsonLines
  /// The options and the scalars, on an MLflow server. The output folder, where there is one, keeps which run it is there
  /// (`mlflow.json`), so that one that goes on does so there as well.
  case mlflow(MLflowAddress)

  /// What is written where nothing is said.
  public static let standard: [LogKind] = [.tensorBoard(pictures: true), .jsonLines]

  private static let inFolder: [LogKind] = [
    .tensorBoard(pictures: true), .tensorBoard(pictures: false), .jsonLines,
  ]

  /// What a command line asks for.
  /// - Parameter texts: `tensorboard`, `tensorboard:no-pictures`, `jsonl`, `mlflow:http://HOST:PORT#EXPERIMENT`; or `none` alone.
  /// - Returns: `nil` if there are none.
  /// - Throws: `OnePassError` (`usage`) if a text is none of them, or two contradict each other.
  public static func list(_ texts: [String]) throws -> [LogKind]? {
    guard !texts.isEmpty else { return nil }
    if texts.allSatisfy({ $0 == "none" }) { return [] }
    let kinds = try texts.map { (text) -> LogKind in
      if text == "none" {
        throw OnePassError(.usage, "--log none stands alone: leave it out, or the other logs.")
      }
      if text.hasPrefix(MLflowAddress.scheme) {
        return .mlflow(try MLflowAddress(String(text.dropFirst(MLflowAddress.scheme.count))))
      }
      guard let kind = inFolder.first(where: { $0.description == text }) else {
        throw OnePassError(
          .usage,
          "--log \(SourceRegistry.withoutSecrets(text)) is not known: use "
            + "\(inFolder.map(\.description).joined(separator: ", ")), \(MLflowAddress.scheme)http://HOST:PORT#EXPERIMENT "
            + "or none.")
      }
      return kind
    }
    guard Set(kinds.map(\.name)).count == kinds.count else {
      throw OnePassError(
        .usage, "--log \(texts.joined(separator: " --log ")) names a log twice: give each once.")
    }
    return kinds
  }

  /// Its file or folder beside the run.
  var name: String {
    switch self {
    case .tensorBoard: EventFolder.name
    case .jsonLines: JSONLinesLogger.fileName
    case .mlflow: MLflowRecord.fileName
    }
  }

  /// - Throws: `OnePassError`: `usage` if it needs a folder, and there is none; `io` if a server does not answer.
  func makeLogger(in output: String?) throws -> any RunLogger {
    func folder() throws -> String {
      guard let output else {
        throw OnePassError(
          .usage, "--log \(self) writes into the folder of the run: say with --output in which.")
      }
      return output
    }
    return switch self {
    case .tensorBoard(let pictures):
      TensorBoardLogger(in: EventFolder(of: try folder()), takesPictures: pictures)
    case .jsonLines: JSONLinesLogger(path: "\(try folder())/\(name)")
    case .mlflow(let address): try MLflowLogger(to: address, in: output)
    }
  }
}

extension LogKind: CustomStringConvertible {
  /// As the command line takes it.
  public var description: String {
    switch self {
    case .tensorBoard(let pictures): pictures ? "tensorboard" : "tensorboard:no-pictures"
    case .jsonLines: "jsonl"
    case .mlflow(let address): address.description
    }
  }
}
