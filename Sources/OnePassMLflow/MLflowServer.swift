import Foundation
import OnePass

/// What is said to an MLflow server, by its REST API 2.0. Each call waits for its answer.
struct MLflowServer: Sendable {
  let address: MLflowAddress
  private let limits: HTTPLimits
  /// The header `Authorization`, from the environment alone: it is written nowhere.
  private let authorisation: String?

  /// Why a call came to nothing.
  enum Problem: Error {
    /// Another attempt may succeed; the server may say after how many seconds. It needs a remedy where something here is wrong.
    case passing(String, after: Double? = nil, remedy: String? = nil)
    /// The server has understood, and does not do it.
    case refused(status: Int, code: String?, message: String)
  }

  /// - Parameters:
  ///   - limits: How long the server may take for an answer (`idle`).
  ///   - environment: Where the credentials are, under the names that MLflow's own clients read.
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

  /// The experiment that the address names; `nil` if there is none yet.
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
      if case .refused(404, "RESOURCE_DOES_NOT_EXIST", _) = error { return nil }
      throw error
    }
    guard answer.experiment.lifecycleStage != "deleted" else {
      throw .refused(
        status: 400, code: nil,
        message: "the experiment \(address.experiment) is deleted: restore it, or name another")
    }
    return answer.experiment.experimentId
  }

  /// The experiment that the address names, made where there is none.
  func experimentOrNew() throws(Problem) -> String {
    struct Request: Encodable { let name: String }
    struct Answer: Decodable { let experimentId: String }
    if let present = try experiment() { return present }
    do throws(Problem) {
      let answer: Answer = try post("experiments/create", Request(name: address.experiment))
      return answer.experimentId
    } catch {
      // Somebody else was faster, as the cells of a grid may be.
      guard case .refused(_, "RESOURCE_ALREADY_EXISTS", _) = error, let present = try experiment() else {
        throw error
      }
      return present
    }
  }

  // MARK: Runs

  /// A name with a value, as MLflow has tags and parameters.
  struct Entry: Codable, Hashable {
    let key: String
    let value: String
  }

  /// A number that was found after a step.
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

  /// What the server has of a run.
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

    /// The last step that it has of each metric.
    var lastSteps: [String: Int] {
      Dictionary(data?.metrics?.map { ($0.key, $0.step) } ?? [], uniquingKeysWith: max)
    }
  }

  private struct RunAnswer: Decodable { let run: Run }

  func run(_ id: String) throws(Problem) -> Run {
    let answer: RunAnswer = try get("runs/get", ["run_id": id])
    return answer.run
  }

  /// The run with a tag; `nil` if there is none.
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

  /// The most metrics that a call takes.
  static let mostMetrics = 1_000
  /// The most parameters that a call takes.
  static let mostParameters = 100

  func log(_ metrics: [Metric] = [], parameters: [Entry] = [], to run: String) throws(Problem) {
    struct Request: Encodable {
      let runId: String
      let metrics: [Metric]
      let params: [Entry]
    }
    let _: Nothing = try post("runs/log-batch", Request(runId: run, metrics: metrics, params: parameters))
  }

  /// - Parameter end: In milliseconds since 1970, where the run has ended.
  func update(_ run: String, to status: Status, end: Int? = nil) throws(Problem) {
    struct Request: Encodable {
      let runId: String
      let status: Status
      let endTime: Int?
    }
    let _: Nothing = try post("runs/update", Request(runId: run, status: status, endTime: end))
  }

  private struct Nothing: Decodable {}

  private struct Refusal: Decodable {
    let errorCode: String
    let message: String?
  }

  // MARK: Calls

  private func get<Answer: Decodable>(_ call: String, _ query: [String: String]) throws(Problem) -> Answer {
    var components = URLComponents()
    components.queryItems = query.map { URLQueryItem(name: $0, value: $1) }
    // A plus is a space to a server, and none to URLComponents.
    let query = components.percentEncodedQuery?.replacing("+", with: "%2B") ?? ""
    return try ask("\(call)?\(query)", .get)
  }

  private func post<Answer: Decodable>(_ call: String, _ request: some Encodable) throws(Problem) -> Answer {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    // As protocol buffers write them in JSON.
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    let body: Data
    do { body = try encoder.encode(request) } catch {
      throw .refused(status: 0, code: nil, message: "what was to be sent is no JSON: \(error)")
    }
    return try ask(call, .post(Array(body)))
  }

  private func ask<Answer: Decodable>(
    _ call: String, _ method: HTTPExchange.Method
  ) throws(Problem) -> Answer {
    var headers = [("Content-Type", "application/json")]
    if let authorisation { headers.append(("Authorization", authorisation)) }
    guard let place = try? HTTPAddress("\(address.server)/api/2.0/mlflow/\(call)") else {
      throw .refused(status: 0, code: nil, message: "\(address.server) is no address")
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let head: HTTPExchange.Head
    let body: Data
    do throws(HTTPExchange.Broken) {
      let exchange = try HTTPExchange(place, method, headers: headers)
      head = try exchange.head(within: limits.idle)
      body = Data(try exchange.body(atMost: 8 << 20, within: limits.idle))
    } catch { throw .passing(error.detail, remedy: error.remedy) }
    switch head.status {
    case 200:
      guard let answer = try? decoder.decode(Answer.self, from: body) else {
        throw .refused(status: 200, code: nil, message: "its answer is not one of MLflow")
      }
      return answer
    case 408, 425, 429, 500...599:
      throw .passing(
        "the server answers \(head.status)", after: head["Retry-After"].flatMap { Double($0) })
    default:
      let refusal = try? decoder.decode(Refusal.self, from: body)
      let moved = head["Location"].map { "it sends us to \(HTTPAddress.shown($0)): name that address" }
      throw .refused(
        status: head.status, code: refusal?.errorCode,
        message: moved ?? refusal?.message ?? "it says nothing that MLflow would say")
    }
  }
}

extension MLflowServer.Problem {
  /// In words, after "the server".
  var detail: String {
    switch self {
    case .passing(let detail, _, _): return detail
    case .refused(let status, let code, let message):
      let first = message.split(whereSeparator: \.isNewline).first.map(String.init) ?? message
      let short = first.count > 300 ? "\(first.prefix(300))…" : first
      return status == 0 ? short : "the server answers \(status)\(code.map { " \($0)" } ?? ""): \(short)"
    }
  }
}
