import OnePassCore
import OnePassData

/// What is logged of a run while it trains, and where to.
///
/// ```swift
/// var logs = LogPlan([LogKind.tensorBoard(pictures: true)])
/// logs.loggers = [printedLosses]  // a custom RunLogger
/// let result = try TrainingRun(configuration).start(output: "runs/first", logs: logs)
/// ```
public struct LogPlan {
  /// Where the run is logged to; ``LogKind/standard`` if `nil` and there is an output folder.
  public var destinations: [any LogDestination]?
  /// Custom loggers.
  public var loggers: [any RunLogger]

  /// - Parameters:
  ///   - destinations: Where the run is logged to; ``LogKind/standard`` if `nil` and there is an output folder.
  ///   - loggers: Custom loggers.
  public init(_ destinations: [any LogDestination]? = nil, loggers: [any RunLogger] = []) {
    self.destinations = destinations
    self.loggers = loggers
  }

  /// Every logger of a run.
  /// - Parameter output: The folder of the run.
  /// - Throws: `OnePassError`: `usage` if a log was asked for that needs a folder, and there is none; `io` if a server does not
  ///   answer.
  func makeLoggers(in output: String?) throws -> [any RunLogger] {
    let standard: [any LogDestination] = output == nil ? [] : LogKind.standard
    return try (destinations ?? standard).map { try $0.makeLogger(in: output) } + loggers
  }
}

/// Somewhere that a run can be logged to: a kind of file beside the run, or a service.
public protocol LogDestination: Sendable, CustomStringConvertible {
  /// Its file or folder beside the run. A run is logged to each once.
  var name: String { get }

  /// - Parameter output: The folder of the run, if it has one.
  /// - Throws: `OnePassError`: `usage` if it needs a folder, and there is none; `io` if a server does not answer.
  func makeLogger(in output: String?) throws -> any RunLogger
}

/// A log that OnePass writes beside a run.
public enum LogKind: Hashable, LogDestination {
  /// Event files that TensorBoard reads, in `tensorboard`.
  ///
  /// Pictures show images that the memory holds. They are copies that outlast the memory: a run with a time to live
  /// writes none, and forgetting removes them all.
  case tensorBoard(pictures: Bool)
  /// An object on each line of `metrics.jsonl`.
  case jsonLines

  /// What is written where nothing is said.
  public static let standard: [LogKind] = [.tensorBoard(pictures: false), .jsonLines]

  /// Each kind by its name on the command line.
  private static let named: [(text: String, kind: LogKind)] = [
    ("tensorboard", .tensorBoard(pictures: false)), ("tensorboard:pictures", .tensorBoard(pictures: true)),
    // What earlier versions called the first.
    ("tensorboard:no-pictures", .tensorBoard(pictures: false)), ("jsonl", .jsonLines),
  ]

  init?(_ text: String) {
    guard let kind = Self.named.first(where: { $0.text == text })?.kind else { return nil }
    self = kind
  }

  /// As the command line takes it.
  public var description: String { Self.named.first { $0.kind == self }?.text ?? name }

  public var name: String {
    switch self {
    case .tensorBoard: EventFolder.name
    case .jsonLines: JSONLinesLogger.fileName
    }
  }

  public func makeLogger(in output: String?) throws -> any RunLogger {
    guard let output else {
      throw OnePassError(
        .usage, "--log \(self) writes into the folder of the run: say with --output in which.")
    }
    return switch self {
    case .tensorBoard(let pictures):
      TensorBoardLogger(in: EventFolder(of: output), takesPictures: pictures)
    case .jsonLines: JSONLinesLogger(path: "\(output)/\(name)")
    }
  }
}

/// A service that runs can be logged to, as the command line names it.
public struct LogScheme: Sendable {
  /// What its addresses start with: `mlflow:`.
  public let prefix: String
  /// How one is written: `mlflow:http://HOST:PORT#EXPERIMENT`.
  public let form: String
  /// Reads what follows the prefix; throws `OnePassError` (`usage`) if it is no address.
  public let read: @Sendable (String) throws -> any LogDestination

  public init(prefix: String, form: String, read: @escaping @Sendable (String) throws -> any LogDestination) {
    (self.prefix, self.form, self.read) = (prefix, form, read)
  }
}

extension LogPlan {
  /// What a command line asks for.
  /// - Parameters:
  ///   - texts: `tensorboard`, `tensorboard:pictures`, `jsonl`, an address of one of the schemes; or `none` alone.
  ///   - schemes: The services that are known.
  /// - Returns: `nil` if there are none.
  /// - Throws: `OnePassError` (`usage`) if a text is none of them, or two contradict each other.
  public static func destinations(
    _ texts: [String], _ schemes: [LogScheme] = []
  ) throws -> [any LogDestination]? {
    guard !texts.isEmpty else { return nil }
    if texts.allSatisfy({ $0 == "none" }) { return [] }
    let destinations = try texts.map { try destination($0, schemes) }
    guard Set(destinations.map(\.name)).count == destinations.count else {
      throw OnePassError(
        .usage, "--log \(texts.joined(separator: " --log ")) names a log twice: give each once.")
    }
    return destinations
  }

  private static func destination(_ text: String, _ schemes: [LogScheme]) throws -> any LogDestination {
    if text == "none" {
      throw OnePassError(.usage, "--log none stands alone: leave it out, or the other logs.")
    }
    if let scheme = schemes.first(where: { text.hasPrefix($0.prefix) }) {
      return try scheme.read(String(text.dropFirst(scheme.prefix.count)))
    }
    guard let kind = LogKind(text) else {
      let known = ["tensorboard", "tensorboard:pictures", "jsonl"] + schemes.map(\.form)
      throw OnePassError(
        .usage,
        "--log \(SourceRegistry.withoutSecrets(text)) is not known: use \(known.joined(separator: ", ")) or none."
      )
    }
    return kind
  }
}
