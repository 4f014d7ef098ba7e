import Foundation
import OnePass

/// An experiment on an MLflow server to which runs are logged.
///
/// ```swift
/// let logs = LogPlan([LogKind.jsonLines, try MLflowAddress("http://localhost:5000#photographs")])
/// ```
///
/// The output folder of a run stores the id of its MLflow run (`mlflow.json`), so that a resumed run is logged to the same one.
public struct MLflowAddress: Hashable, LogDestination {
  /// The URL of the server as in `MLFLOW_TRACKING_URI`, without a slash at the end: `http://localhost:5000`.
  public let server: String
  /// The name of the experiment, which is created if it does not exist.
  public let experiment: String

  /// The prefix on the command line.
  static let scheme = "mlflow:"
  /// The experiment that exists on every server.
  static let defaultExperiment = "Default"

  /// Parses `http://HOST:PORT` or `http://HOST:PORT#EXPERIMENT`; the default experiment is `Default`.
  /// - Parameter text: The address, such as `https://HOST/PATH#EXPERIMENT` for a server below a path. The name of the
  ///   experiment may be percent-encoded.
  /// - Throws: `OnePassError` (`usage`) if it is not an address, or contains a user name, a password or a query.
  public init(_ text: String) throws {
    let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let address = try? HTTPAddress(parts[0]),
      let components = URLComponents(url: address.url, resolvingAgainstBaseURL: false)
    else {
      throw OnePassError.invalidAddress(text)
    }
    guard components.user == nil, components.password == nil, components.query == nil else {
      throw OnePassError.addressWithCredentials(parts[0])
    }
    var server = address.url.absoluteString
    while server.hasSuffix("/") { server.removeLast() }
    self.server = server
    let name = parts.count > 1 ? parts[1].removingPercentEncoding ?? parts[1] : ""
    experiment = name.isEmpty ? Self.defaultExperiment : name
  }
}

extension MLflowAddress {
  /// The scheme of `--log mlflow:…` on the command line.
  public static let logScheme = LogScheme(prefix: scheme, form: "\(scheme)http://HOST:PORT#EXPERIMENT") {
    try MLflowAddress($0)
  }

  /// The name of the record in the output folder: `mlflow.json`.
  public var name: String { MLflowRecord.fileName }

  /// Creates a logger and checks that the server is available.
  /// - Parameter output: The output folder of the run, if any, which stores the id of the MLflow run.
  /// - Throws: `OnePassError`: `io` if the server cannot be used, `badData` if the record in the folder is damaged.
  public func makeLogger(in output: String?) throws -> any RunLogger {
    try MLflowLogger(to: self, in: output)
  }

  /// The address as on the command line: `mlflow:http://localhost:5000#photographs`.
  public var description: String {
    let name = experiment.addingPercentEncoding(withAllowedCharacters: .urlFragmentAllowed) ?? experiment
    return "\(Self.scheme)\(server)#\(name)"
  }
}
