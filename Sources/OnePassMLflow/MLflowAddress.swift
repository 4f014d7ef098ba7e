import Foundation
import OnePass

/// An experiment of an MLflow server, to which runs are logged.
///
/// ```swift
/// let logs = LogPlan([LogKind.jsonLines, try MLflowAddress("http://localhost:5000#photographs")])
/// ```
///
/// The output folder of the run, where there is one, keeps which run it is on the server (`mlflow.json`), so that a resumed
/// run is logged to the same.
public struct MLflowAddress: Hashable, LogDestination {
  /// Where the server is, as `MLFLOW_TRACKING_URI` has it, without a slash at its end: `http://localhost:5000`.
  public let server: String
  /// The name of the experiment, which is made where there is none.
  public let experiment: String

  /// What stands before it on a command line.
  static let scheme = "mlflow:"
  /// The experiment that every server has.
  static let defaultExperiment = "Default"

  /// Reads `http://HOST:PORT` or `http://HOST:PORT#EXPERIMENT`; the experiment is the server's `Default` if none is named.
  /// - Parameter text: The address; a server below a path is `https://HOST/PATH#EXPERIMENT`. In the name of the experiment
  ///   `%20` and the like are read as in other addresses.
  /// - Throws: `OnePassError` (`usage`) if it is no address, or has a name and password in it.
  public init(_ text: String) throws {
    let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let address = try? HTTPAddress(parts[0]),
      let components = URLComponents(url: address.url, resolvingAgainstBaseURL: false)
    else {
      throw OnePassError(
        .usage,
        "--log \(Self.scheme)\(HTTPAddress.shown(text)) names no MLflow server: write "
          + "\(Self.scheme)http://HOST:PORT#EXPERIMENT.")
    }
    guard components.user == nil, components.password == nil, components.query == nil else {
      throw OnePassError(
        .usage,
        "The address \(HTTPAddress.shown(parts[0])) came with a name, a password or a query, which would be kept where it "
          + "is written: give MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, in the "
          + "environment.")
    }
    var server = address.url.absoluteString
    while server.hasSuffix("/") { server.removeLast() }
    self.server = server
    let name = parts.count > 1 ? parts[1].removingPercentEncoding ?? parts[1] : ""
    experiment = name.isEmpty ? Self.defaultExperiment : name
  }
}

extension MLflowAddress {
  /// `--log mlflow:…` of the command line.
  public static let logScheme = LogScheme(prefix: scheme, form: "\(scheme)http://HOST:PORT#EXPERIMENT") {
    try MLflowAddress($0)
  }

  public var name: String { MLflowRecord.fileName }

  public func makeLogger(in output: String?) throws -> any RunLogger {
    try MLflowLogger(to: self, in: output)
  }

  /// As the command line takes it: `mlflow:http://localhost:5000#photographs`.
  public var description: String {
    let name = experiment.addingPercentEncoding(withAllowedCharacters: .urlFragmentAllowed) ?? experiment
    return "\(Self.scheme)\(server)#\(name)"
  }
}
