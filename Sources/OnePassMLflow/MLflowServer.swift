import Foundation
import OnePass

/// A blocking client of MLflow's REST API 2.0.
struct MLflowServer: Sendable {
  let address: MLflowAddress
  private let limits: HTTPLimits
  /// The header `Authorization`; it comes from the environment and is never stored.
  private let authorisation: String?

  /// The failure of a request.
  enum Problem: Error {
    /// Another attempt may succeed, after a number of seconds if the server announced it. `remedy` is present if the cause is
    /// on this machine.
    case temporary(String, after: Double? = nil, remedy: String? = nil)
    /// The server rejected the request, or the request is invalid.
    case rejected(status: Int, code: String?, message: String)
  }

  /// - Parameters:
  ///   - limits: The maximum time for a response (`idle`), in seconds.
  ///   - environment: The environment variables, with any credentials under the names that MLflow's clients read.
  init(_ address: MLflowAddress, limits: HTTPLimits, environment: [String: String]) {
    self.address = address
    self.limits = limits
    func variable(_ name: String) -> String? {
      environment["MLFLOW_TRACKING_\(name)"].flatMap { $0.isEmpty ? nil : $0 }
    }
    if let user = variable("USERNAME"), let password = variable("PASSWORD") {
      authorisation = "Basic \(Data("\(user):\(password)".utf8).base64EncodedString())"
    } else {
      authorisation = variable("TOKEN").map { "Bearer \($0)" }
    }
  }

  // MARK: Experiments

  /// Returns the id of the address's experiment; `nil` if it does not exist.
  func experiment() throws(Problem) -> String? {
    struct Answer: Decodable {
      struct Experiment: Decodable {
        let experimentId: String
        let lifecycleStage: String?
      }
      let experiment: Experiment
    }
    let answer: Answer
    do throws(Problem) {
      answer = try get("experiments/get-by-name", ["experiment_name": address.experiment])
    } catch {
      if case .rejected(404, "RESOURCE_DOES_NOT_EXIST", _) = error { return nil }
      throw error
    }
    guard answer.experiment.lifecycleStage != "deleted" else {
      throw .deletedExperiment(address.experiment)
    }
    return answer.experiment.experimentId
  }

  /// Returns the id of the address's experiment, which is created if it does not exist.
  func experimentOrNew() throws(Problem) -> String {
    struct Request: Encodable { let name: String }
    struct Answer: Decodable { let experimentId: String }
    if let present = try experiment() { return present }
    do throws(Problem) {
      let answer: Answer = try post("experiments/create", Request(name: address.experiment))
      return answer.experimentId
    } catch {
      // Another process may create the experiment at the same time, for example another cell of a grid.
      guard case .rejected(_, "RESOURCE_ALREADY_EXISTS", _) = error, let present = try experiment() else {
        throw error
      }
      return present
    }
  }

  // MARK: Runs

  /// A tag or a parameter.
  struct Entry: Codable, Hashable {
    let key: String
    let value: String
  }

  /// The value of a metric after a step.
  struct Metric: Encodable {
    let key: String
    let value: Double
    /// Milliseconds since 1970.
    let timestamp: Int
    let step: Int
  }

  enum Status: String, Codable {
    case running = "RUNNING"
    case finished = "FINISHED"
    case failed = "FAILED"
    case killed = "KILLED"
  }

  /// A run on the server.
  struct Run: Decodable {
    struct Info: Decodable {
      let runId: String
      let status: String
      let lifecycleStage: String?
    }
    struct Contents: Decodable {
      struct Last: Decodable {
        let key: String
        let step: Int
      }
      let metrics: [Last]?
      let params: [Entry]?
    }
    let info: Info
    let data: Contents?

    /// The last step of each metric on the server.
    var lastSteps: [String: Int] {
      Dictionary(data?.metrics?.map { ($0.key, $0.step) } ?? [], uniquingKeysWith: max)
    }
  }

  private struct RunAnswer: Decodable { let run: Run }

  func run(_ id: String) throws(Problem) -> Run {
    let answer: RunAnswer = try get("runs/get", ["run_id": id])
    return answer.run
  }

  /// Returns the run with the given tag; `nil` if there is none.
  func run(in experiment: String, tagged tag: Entry) throws(Problem) -> Run? {
    struct Request: Encodable {
      let experimentIds: [String]
      let filter: String
      let maxResults = 1
    }
    struct Answer: Decodable { let runs: [Run]? }
    let answer: Answer = try post(
      "runs/search",
      Request(experimentIds: [experiment], filter: "tags.`\(tag.key)` = '\(tag.value)'"))
    return answer.runs?.first
  }

  func makeRun(in experiment: String, name: String?, start: Int, tags: [Entry]) throws(Problem) -> Run {
    struct Request: Encodable {
      let experimentId: String
      let runName: String?
      let startTime: Int
      let tags: [Entry]
    }
    let answer: RunAnswer = try post(
      "runs/create", Request(experimentId: experiment, runName: name, startTime: start, tags: tags))
    return answer.run
  }

  /// The maximum number of metrics per request.
  static let maximumMetrics = 1_000
  /// The maximum number of parameters per request.
  static let maximumParameters = 100

  func log(_ metrics: [Metric] = [], parameters: [Entry] = [], to run: String) throws(Problem) {
    struct Request: Encodable {
      let runId: String
      let metrics: [Metric]
      let params: [Entry]
    }
    let _: Nothing = try post("runs/log-batch", Request(runId: run, metrics: metrics, params: parameters))
  }

  /// - Parameter end: The end of the run in milliseconds since 1970, if it has ended.
  func update(_ run: String, to status: Status, end: Int? = nil) throws(Problem) {
    struct Request: Encodable {
      let runId: String
      let status: Status
      let endTime: Int?
    }
    let _: Nothing = try post("runs/update", Request(runId: run, status: status, endTime: end))
  }

  private struct Nothing: Decodable {}

  private struct Rejection: Decodable {
    let errorCode: String
    let message: String?
  }

  // MARK: Calls

  private func get<Answer: Decodable>(_ call: String, _ query: [String: String]) throws(Problem) -> Answer {
    var components = URLComponents()
    components.queryItems = query.map { URLQueryItem(name: $0, value: $1) }
    // Servers decode a plus as a space, and URLComponents does not encode it.
    let query = components.percentEncodedQuery?.replacing("+", with: "%2B") ?? ""
    return try ask("\(call)?\(query)", .get)
  }

  private func post<Answer: Decodable>(_ call: String, _ request: some Encodable) throws(Problem) -> Answer {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    // As in the JSON encoding of protocol buffers.
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    let body: Data
    do { body = try encoder.encode(request) } catch {
      throw .requestNotEncodable(error)
    }
    return try ask(call, .post(Array(body)))
  }

  private func ask<Answer: Decodable>(
    _ call: String, _ method: HTTPExchange.Method
  ) throws(Problem) -> Answer {
    var headers = [("Content-Type", "application/json")]
    if let authorisation { headers.append(("Authorization", authorisation)) }
    guard let url = try? HTTPAddress("\(address.server)/api/2.0/mlflow/\(call)") else {
      throw .invalidURL(address.server)
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let head: HTTPExchange.Head
    let body: Data
    do throws(HTTPExchange.Broken) {
      let exchange = try HTTPExchange(url, method, headers: headers)
      head = try exchange.head(within: limits.idle)
      body = Data(try exchange.body(atMost: 8 << 20, within: limits.idle))
    } catch { throw .temporary(error.detail, remedy: error.remedy) }
    switch head.status {
    case 200:
      guard let answer = try? decoder.decode(Answer.self, from: body) else {
        throw .notMLflow(status: head.status)
      }
      return answer
    case 408, 425, 429, 500...599:
      throw .unavailable(status: head.status, after: head["Retry-After"].flatMap { Double($0) })
    default:
      let rejection = try? decoder.decode(Rejection.self, from: body)
      if let location = head["Location"] {
        throw .redirected(status: head.status, code: rejection?.errorCode, to: location)
      }
      guard let message = rejection?.message else {
        throw .notMLflow(status: head.status, code: rejection?.errorCode)
      }
      throw .rejected(status: head.status, code: rejection?.errorCode, message: message)
    }
  }
}
