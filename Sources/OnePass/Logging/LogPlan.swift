import OnePassCore
import OnePassData

/// The destinations and loggers of a run.
///
/// ```swift
/// var logs = LogPlan([LogKind.tensorBoard(pictures: true)])
/// logs.loggers = [printedLosses]  // a custom RunLogger
/// let result = try TrainingRun(configuration).start(output: "runs/first", logs: logs)
/// ```
public struct LogPlan {
  /// The destinations; ``LogKind/standard`` if `nil` and there is an output folder.
  public var destinations: [any LogDestination]?
  /// Custom loggers.
  public var loggers: [any RunLogger]

  /// Creates a plan.
  /// - Parameters:
  ///   - destinations: The destinations; ``LogKind/standard`` if `nil` and there is an output folder.
  ///   - loggers: Custom loggers.
  public init(_ destinations: [any LogDestination]? = nil, loggers: [any RunLogger] = []) {
    self.destinations = destinations
    self.loggers = loggers
  }

  /// Creates all loggers of a run.
  /// - Parameter output: The output folder of the run, if it has one.
  /// - Throws: `OnePassError`: `usage` if a destination requires an output folder and there is none; `io` if a server does
  ///   not answer.
  func makeLoggers(in output: String?) throws -> [any RunLogger] {
    let standard: [any LogDestination] = output == nil ? [] : LogKind.standard
    return try (destinations ?? standard).map { try $0.makeLogger(in: output) } + loggers
  }
}

/// A destination of logs: a kind of file in the output folder, or a service.
///
/// ```swift
/// struct PrintedLosses: LogDestination {
///   let name = "printed losses"
///   var description: String { name }
///   func makeLogger(in output: String?) throws -> any RunLogger { Printer() }
/// }
/// final class Printer: RunLogger {
///   let name = "printed losses"
///   func log(_ point: LogPoint) { print(point.scalars) }
/// }
/// ```
public protocol LogDestination: Sendable, CustomStringConvertible {
  /// The name of its file or folder in the output folder. A run has at most one destination of each name.
  var name: String { get }

  /// Creates the logger of a run.
  /// - Parameter output: The output folder of the run, if it has one.
  /// - Throws: `OnePassError`: `usage` if an output folder is required and there is none; `io` if a server does not answer.
  func makeLogger(in output: String?) throws -> any RunLogger
}

/// A log file in the output folder of a run.
///
/// ```swift
/// let logs = LogPlan([LogKind.jsonLines])
/// let result = try TrainingRun(configuration).start(output: "runs/first", logs: logs)
/// ```
public enum LogKind: Hashable, LogDestination {
  /// Event files for TensorBoard, in the folder `tensorboard`.
  ///
  /// Pictures show images of the memory. They are copies that outlive the memory, so a run with a time to live writes none,
  /// and forgetting removes them all.
  case tensorBoard(pictures: Bool)
  /// A JSON object per line of `metrics.jsonl`.
  case jsonLines

  /// The default logs: TensorBoard without pictures, and JSON lines.
  public static let standard: [LogKind] = [.tensorBoard(pictures: false), .jsonLines]

  /// The kinds by their names on the command line.
  private static let named: [(text: String, kind: LogKind)] = [
    ("tensorboard", .tensorBoard(pictures: false)), ("tensorboard:pictures", .tensorBoard(pictures: true)),
    // The name of the first kind in earlier versions.
    ("tensorboard:no-pictures", .tensorBoard(pictures: false)), ("jsonl", .jsonLines),
  ]

  init?(_ text: String) {
    guard let kind = Self.named.first(where: { $0.text == text })?.kind else { return nil }
    self = kind
  }

  /// The name on the command line.
  public var description: String { Self.named.first { $0.kind == self }?.text ?? name }

  /// The name of the file or folder.
  public var name: String {
    switch self {
    case .tensorBoard: EventFolder.name
    case .jsonLines: JSONLinesLogger.fileName
    }
  }

  /// Creates the logger of a run.
  /// - Throws: `OnePassError` (`usage`) without an output folder.
  public func makeLogger(in output: String?) throws -> any RunLogger {
    guard let output else { throw OnePassError.optionRequires("--log \(self)", "--output") }
    return switch self {
    case .tensorBoard(let pictures):
      TensorBoardLogger(in: EventFolder(of: output), takesPictures: pictures)
    case .jsonLines: JSONLinesLogger(path: "\(output)/\(name)")
    }
  }
}

/// A scheme of addresses for `--log`, as `mlflow:`, that names a service.
///
/// ```swift
/// let scheme = LogScheme(prefix: "jsonl:", form: "jsonl:") { _ in LogKind.jsonLines }
/// let destinations = try LogPlan.destinations(["jsonl:"], [scheme])
/// ```
public struct LogScheme: Sendable {
  /// The prefix of addresses: `mlflow:`.
  public let prefix: String
  /// The form of an address, for error messages: `mlflow:http://HOST:PORT#EXPERIMENT`.
  public let form: String
  /// Parses the address after the prefix; throws `OnePassError` (`usage`) if it is malformed.
  public let read: @Sendable (String) throws -> any LogDestination

  /// Creates a scheme.
  /// - Parameters:
  ///   - prefix: The prefix of addresses.
  ///   - form: The form of an address, for error messages.
  ///   - read: Parses the address after the prefix; throws `OnePassError` (`usage`) if it is malformed.
  public init(prefix: String, form: String, read: @escaping @Sendable (String) throws -> any LogDestination) {
    (self.prefix, self.form, self.read) = (prefix, form, read)
  }
}

extension LogPlan {
  /// Parses the values of `--log`.
  /// - Parameters:
  ///   - texts: `tensorboard`, `tensorboard:pictures`, `jsonl` or an address of one of the schemes; or only `none`.
  ///   - schemes: The schemes of services.
  /// - Returns: The destinations; `nil` if there are no values.
  /// - Throws: `OnePassError` (`usage`) if a value is unknown, or values contradict each other.
  public static func destinations(
    _ texts: [String], _ schemes: [LogScheme] = []
  ) throws -> [any LogDestination]? {
    guard !texts.isEmpty else { return nil }
    if texts.allSatisfy({ $0 == "none" }) { return [] }
    let destinations = try texts.map { try destination($0, schemes) }
    guard Set(destinations.map(\.name)).count == destinations.count else {
      throw OnePassError.logRepeated(texts)
    }
    return destinations
  }

  private static func destination(_ text: String, _ schemes: [LogScheme]) throws -> any LogDestination {
    if text == "none" { throw OnePassError.noLogAmongOthers }
    if let scheme = schemes.first(where: { text.hasPrefix($0.prefix) }) {
      return try scheme.read(String(text.dropFirst(scheme.prefix.count)))
    }
    guard let kind = LogKind(text) else {
      let known = ["tensorboard", "tensorboard:pictures", "jsonl"] + schemes.map(\.form)
      throw OnePassError.unknownLog(SourceRegistry.withoutSecrets(text), known: known)
    }
    return kind
  }
}
