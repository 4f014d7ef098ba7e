import Foundation
import Synchronization

/// A fake MLflow server with the calls that OnePass uses. Tests can make it fail.
public final class MLflowStandIn: Sendable {
  public struct Metric: Sendable, Hashable {
    public let key: String
    public let step: Int
    public let value: String
  }

  public struct Run: Sendable {
    public var name: String?
    public var status = "RUNNING"
    public var tags: [String: String] = [:]
    public var parameters: [String: String] = [:]
    /// In order of arrival.
    public var metrics: [Metric] = []
  }

  /// The response to a call.
  public enum Behaviour: Sendable {
    case answer
    case status(Int)
    /// Ignores the call, and closes the connection.
    case close
    /// Carries out the call, and closes the connection without an answer.
    case loseAnswer
    /// Ignores the call, and stays silent for a number of seconds.
    case stall(Double)
  }

  private struct State {
    var experiments: [String] = ["Default"]
    var runs: [Run] = []
    var calls: [String] = []
    var credentials: Set<String> = []
    var largestBatch = (metrics: 0, parameters: 0)
    var behaviour: @Sendable (String, Int) -> Behaviour
  }

  private let server: LoopbackServer
  private let state: SharedState

  private final class SharedState: Sendable {
    let value: Mutex<State>
    init(_ state: State) { value = Mutex(state) }
  }

  /// - Parameter behaviour: Returns the response to a call such as `runs/log-batch`. The number counts calls of that name, from 0.
  public init(
    _ behaviour: @escaping @Sendable (_ call: String, _ number: Int) -> Behaviour = { _, _ in .answer }
  ) throws {
    let state = SharedState(State(behaviour: behaviour))
    self.state = state
    server = try LoopbackServer { request, _, connection in
      let path = request.target.split(separator: "?").first.map(String.init) ?? ""
      let call = path.replacingOccurrences(of: "/api/2.0/mlflow/", with: "")
      let behaviour = state.value.withLock { state in
        state.calls.append(call)
        state.credentials.insert(request.headers["authorization"] ?? "none")
        return state.behaviour(call, state.calls.count { $0 == call } - 1)
      }
      func answer() -> (String, Any) {
        state.value.withLock { Self.answer(call, request, &$0) }
      }
      switch behaviour {
      case .answer:
        let (status, json) = answer()
        let body = (try? JSONSerialization.data(withJSONObject: json)) ?? Data()
        connection.answer(status, ["Content-Type": "application/json"], body: Array(body))
      case .status(let status): connection.answer("\(status) No")
      case .close: break
      case .loseAnswer: _ = answer()
      case .stall(let seconds): Thread.sleep(forTimeInterval: seconds)
      }
    }
  }

  /// The value for `--log`.
  public func address(_ experiment: String = "") -> String { "http://127.0.0.1:\(server.port)#\(experiment)" }

  public var runs: [Run] { state.value.withLock { $0.runs } }
  public var experiments: [String] { state.value.withLock { $0.experiments } }
  public var calls: [String] { state.value.withLock { $0.calls } }
  /// All received `Authorization` headers.
  public var credentials: Set<String> { state.value.withLock { $0.credentials } }
  /// The maximum numbers of metrics and parameters in one call.
  public var largestBatch: (metrics: Int, parameters: Int) { state.value.withLock { $0.largestBatch } }

  public func behave(_ behaviour: @escaping @Sendable (String, Int) -> Behaviour) {
    state.value.withLock { $0.behaviour = behaviour }
  }

  private static func answer(
    _ call: String, _ request: LoopbackServer.Request, _ state: inout State
  ) -> (String, Any) {
    let json = (try? JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any]) ?? [:]
    let query = URLComponents(string: request.target)?.queryItems?.first?.value ?? ""
    func missing() -> (String, Any) {
      ("404 Not Found", ["error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no \(query)"])
    }
    func pairs(_ value: Any?) -> [String: String] {
      let entries = value as? [[String: String]] ?? []
      return Dictionary(entries.map { ($0["key"] ?? "", $0["value"] ?? "") }) { $1 }
    }
    switch call {
    case "experiments/get-by-name":
      guard let index = state.experiments.firstIndex(of: query) else { return missing() }
      return ("200 OK", ["experiment": ["experiment_id": "\(index)", "lifecycle_stage": "active"]])
    case "experiments/create":
      state.experiments.append(json["name"] as? String ?? "")
      return ("200 OK", ["experiment_id": "\(state.experiments.count - 1)"])
    case "runs/create":
      state.runs.append(Run(name: json["run_name"] as? String, tags: pairs(json["tags"])))
      return ("200 OK", ["run": description(of: state.runs.count - 1, state)])
    case "runs/get":
      guard let index = Int(query), state.runs.indices.contains(index) else { return missing() }
      return ("200 OK", ["run": description(of: index, state)])
    case "runs/search":
      let filter = json["filter"] as? String ?? ""
      let found = state.runs.indices.filter {
        filter.contains("'\(state.runs[$0].tags["onepass.key"] ?? "-")'")
      }
      return ("200 OK", ["runs": found.map { description(of: $0, state) }])
    case "runs/log-batch", "runs/update":
      guard let index = (json["run_id"] as? String).flatMap(Int.init), state.runs.indices.contains(index)
      else {
        return missing()
      }
      let metrics = json["metrics"] as? [[String: Any]] ?? []
      let parameters = pairs(json["params"])
      state.runs[index].metrics += metrics.map {
        Metric(
          key: $0["key"] as? String ?? "", step: $0["step"] as? Int ?? -1,
          value: ($0["value"] as? NSNumber).map { "\($0.doubleValue)" } ?? $0["value"] as? String ?? "")
      }
      state.runs[index].parameters.merge(parameters) { $1 }
      state.largestBatch = (
        max(state.largestBatch.metrics, metrics.count), max(state.largestBatch.parameters, parameters.count)
      )
      if let status = json["status"] as? String { state.runs[index].status = status }
      return ("200 OK", [String: String]())
    default: return ("404 Not Found", [String: String]())
    }
  }

  private static func description(of index: Int, _ state: State) -> [String: Any] {
    let run = state.runs[index]
    let last = Dictionary(run.metrics.map { ($0.key, $0.step) }, uniquingKeysWith: max)
    return [
      "info": ["run_id": "\(index)", "status": run.status, "lifecycle_stage": "active"],
      "data": [
        "metrics": last.map { ["key": $0, "step": $1, "value": 0, "timestamp": 0] as [String: Any] },
        "params": run.parameters.map { ["key": $0, "value": $1] },
      ],
    ]
  }
}
