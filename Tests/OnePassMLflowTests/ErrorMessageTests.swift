import OnePass
import OnePassCore
import Testing

@testable import OnePassMLflow

/// An error whose text does not matter here.
private struct Cause: Error {}

@Suite("Error messages of OnePassMLflow") struct ErrorMessageTests {
  typealias Message = (error: OnePassError, code: OnePassError.Code, text: String)

  static func address() throws -> MLflowAddress { try MLflowAddress("http://h:5000#photos") }

  static func messages() throws -> [Message] {
    let address = try address()
    return [
      (
        .invalidAddress("h:5000"), .usage,
        "--log mlflow:h:5000 is not the address of an MLflow server; use mlflow:http://HOST:PORT#EXPERIMENT."
      ),
      (
        .addressWithCredentials("http://ann:s3cr3t@h"), .usage,
        "--log mlflow:http://h contains a user name, a password or a query, which would be stored in records; "
          + "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN."
      ),
      (
        .requestRejected(address, "the run 7 was deleted on the server"), .io,
        "MLflow server http://h:5000: the run 7 was deleted on the server."
      ),
      (
        .logIncomplete(address, missing: 1_234, "timeout", outcome: .stopped, output: "out"), .io,
        "MLflow server http://h:5000: 1,234 values not confirmed (timeout); the rest is sent when the run is resumed."
      ),
      (
        .logIncomplete(address, missing: 1, "timeout", outcome: .failed, output: "out"), .io,
        "MLflow server http://h:5000: 1 value not confirmed (timeout); they are stored in out/mlflow.json."
      ),
      (
        .logIncomplete(address, missing: 0, "timeout", outcome: .finished, output: nil), .io,
        "MLflow server http://h:5000: status \"finished\" not confirmed (timeout)."
      ),
      (
        .damagedRecord("out/mlflow.json", cause: Cause()), .badData,
        "out/mlflow.json: damaged; remove it to log the rest to a new MLflow run."
      ),
      (
        .unreadableRecord("out/mlflow.json", cause: Cause()), .io,
        "out/mlflow.json: cannot be read; check the disk."
      ),
      (
        .recordNotEncodable("out/mlflow.json", cause: Cause()), .engine,
        "out/mlflow.json: cannot be encoded as JSON."
      ),
    ]
  }

  @Test("A failure of a log is reported with the server or file and the remedy", arguments: try messages())
  func failure(error: OnePassError, code: OnePassError.Code, text: String) {
    #expect(error.message == text)
    #expect(error.code == code)
  }

  static let problems: [(problem: MLflowServer.Problem, text: String)] = [
    (
      .unavailable(status: 503, after: 2),
      "the server returned status 503; start it, or omit --log mlflow:http://h:5000#photos."
    ),
    (
      .temporary("the certificate has expired", remedy: "check this machine's clock"),
      "the certificate has expired; check this machine's clock."
    ),
    (
      .rejected(status: 401, code: nil, message: "not authenticated\nsee the manual"),
      "the server returned status 401: not authenticated; "
        + "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN."
    ),
    (
      .rejected(status: 404, code: "RESOURCE_DOES_NOT_EXIST", message: "no run 7"),
      "the server returned status 404 RESOURCE_DOES_NOT_EXIST: no run 7; "
        + "remove out/mlflow.json to log the rest to a new run."
    ),
    (
      .deletedExperiment("photos"),
      "the experiment photos was deleted on the server; "
        + "pass its address, and the experiment after #, as in mlflow:http://localhost:5000#photographs."
    ),
    (
      .notMLflow(status: 200),
      "the server returned status 200: the response is not from an MLflow server; "
        + "pass its address, and the experiment after #, as in mlflow:http://localhost:5000#photographs."
    ),
    (
      .redirected(status: 302, code: nil, to: "http://ann:s3cr3t@other/login"),
      "the server returned status 302: it redirects to http://other/login; "
        + "pass its address, and the experiment after #, as in mlflow:http://localhost:5000#photographs."
    ),
  ]

  @Test("A server that cannot be used is reported with its response and the remedy", arguments: problems)
  func unusableServer(problem: MLflowServer.Problem, text: String) throws {
    let error = OnePassError.serverUnusable(try Self.address(), problem, output: "out")
    #expect(error.message == "MLflow server http://h:5000: \(text)")
    #expect(error.code == .io)
  }

  @Test("A problem without a response is described in one clause")
  func problemsWithoutAResponse() {
    #expect(MLflowServer.Problem.deletedRun("7").detail == "the run 7 was deleted on the server")
    #expect(MLflowServer.Problem.invalidURL("h").detail == "h is not a valid address")
    #expect(
      MLflowServer.Problem.requestNotEncodable(Cause()).detail
        == "the request cannot be encoded as JSON (Cause())")
    #expect(MLflowSender.noResponse(within: 30) == "the server did not respond within 30 s")
    #expect(MLflowSender.unreachableForTooLong == "the server was unreachable for too long")
  }
}
