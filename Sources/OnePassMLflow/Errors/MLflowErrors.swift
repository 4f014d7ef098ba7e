import Foundation
import OnePass

// Addresses, servers and records of `--log mlflow:`.
extension OnePassError {
  // MARK: Addresses

  static func invalidAddress(_ text: String) -> OnePassError {
    OnePassError(
      .usage,
      "--log \(MLflowAddress.scheme)\(HTTPAddress.shown(text)) is not the address of an MLflow server; "
        + "use \(MLflowAddress.scheme)http://HOST:PORT#EXPERIMENT.")
  }

  static func addressWithCredentials(_ text: String) -> OnePassError {
    OnePassError(
      .usage,
      "--log \(MLflowAddress.scheme)\(HTTPAddress.shown(text)) contains a user name, a password or a query, which would be "
        + "stored in records; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN."
    )
  }

  // MARK: Servers

  /// - Parameter output: The folder of the run, if any.
  static func serverUnusable(
    _ address: MLflowAddress, _ problem: MLflowServer.Problem, output: String?
  ) -> OnePassError {
    let remedy =
      switch problem {
      case .temporary(_, _, let remedy): remedy ?? "start it, or omit --log \(address)"
      case .rejected(401, _, _), .rejected(403, _, _):
        "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
      case .rejected(_, "RESOURCE_DOES_NOT_EXIST", _):
        "remove \(output ?? "")/\(MLflowRecord.fileName) to log the rest to a new run"
      case .rejected:
        "pass its address, and the experiment after #, as in \(MLflowAddress.scheme)http://localhost:5000#photographs"
      }
    return OnePassError(
      .io, "MLflow server \(address.server): \(problem.detail); \(remedy).", cause: problem)
  }

  static func requestRejected(_ address: MLflowAddress, _ detail: String) -> OnePassError {
    OnePassError(.io, "MLflow server \(address.server): \(detail).")
  }

  /// - Parameters:
  ///   - missing: The number of values that the server has not confirmed; 0 if only the final status is missing.
  ///   - outcome: How the run ended.
  ///   - output: The folder of the run, if any.
  static func logIncomplete(
    _ address: MLflowAddress, missing: Int, _ detail: String, outcome: RunOutcome, output: String?
  ) -> OnePassError {
    let what =
      missing > 0
      ? "\(Figures.count(missing, "value")) not confirmed" : "status \"\(outcome.rawValue)\" not confirmed"
    let rest =
      switch (output, outcome) {
      case (nil, _): ""
      case (_, .stopped): "; the rest is sent when the run is resumed"
      case (let output?, _): missing > 0 ? "; they are stored in \(output)/\(MLflowRecord.fileName)" : ""
      }
    return OnePassError(.io, "MLflow server \(address.server): \(what) (\(detail))\(rest).")
  }

  // MARK: Records

  static func damagedRecord(_ path: String, cause: any Error) -> OnePassError {
    OnePassError(
      .badData, "\(path): damaged; remove it to log the rest to a new MLflow run.", cause: cause)
  }

  static func unreadableRecord(_ path: String, cause: any Error) -> OnePassError {
    OnePassError(.io, "\(path): cannot be read; check the disk.", cause: cause)
  }

  static func recordNotEncodable(_ path: String, cause: any Error) -> OnePassError {
    OnePassError(.engine, "\(path): cannot be encoded as JSON.", cause: cause)
  }
}

extension MLflowServer.Problem {
  static func deletedExperiment(_ name: String) -> Self {
    .rejected(status: 0, code: nil, message: "the experiment \(name) was deleted on the server")
  }

  static func deletedRun(_ id: String) -> Self {
    .rejected(status: 0, code: nil, message: "the run \(id) was deleted on the server")
  }

  static func invalidURL(_ server: String) -> Self {
    .rejected(status: 0, code: nil, message: "\(server) is not a valid address")
  }

  static func requestNotEncodable(_ error: any Error) -> Self {
    .rejected(status: 0, code: nil, message: "the request cannot be encoded as JSON (\(error))")
  }

  static func notMLflow(status: Int, code: String? = nil) -> Self {
    .rejected(status: status, code: code, message: "the response is not from an MLflow server")
  }

  static func redirected(status: Int, code: String?, to location: String) -> Self {
    .rejected(status: status, code: code, message: "it redirects to \(HTTPAddress.shown(location))")
  }

  /// - Parameter delay: Seconds until the server accepts requests again, if it announced them.
  static func unavailable(status: Int, after delay: Double?) -> Self {
    .temporary("the server returned status \(status)", after: delay)
  }

  /// The facts, as a clause that follows the name of the server.
  var detail: String {
    switch self {
    case .temporary(let detail, _, _): return detail
    case .rejected(let status, let code, let message):
      let first = message.split(whereSeparator: \.isNewline).first.map(String.init) ?? message
      let short = first.count > 300 ? "\(first.prefix(300))…" : first
      return status == 0
        ? short : "the server returned status \(status)\(code.map { " \($0)" } ?? ""): \(short)"
    }
  }
}

extension MLflowSender {
  static func noResponse(within seconds: Double) -> String {
    "the server did not respond within \(Int(seconds)) s"
  }

  static let unreachableForTooLong = "the server was unreachable for too long"
}
