import Foundation
import OnePass

/// Sends the logged values of a run to an MLflow server on a separate thread; training waits only at the end of the run.
///
/// Values are queued until the server accepts them. After each failure the sender asks the server for the last step of each
/// metric, so that no value is sent twice.
///
/// `@unchecked Sendable` because mutable state is accessed either with `condition` locked or only on the sending thread.
final class MLflowSender: @unchecked Sendable {
  /// The name, tags and parameters with which the MLflow run is created.
  struct Description: Sendable {
    var name: String?
    var tags: [MLflowServer.Entry]
    var parameters: [MLflowServer.Entry]
    /// Milliseconds since 1970.
    var start: Int
  }

  /// The state at the end of a run.
  struct Outcome: Equatable {
    /// The number of values that the server has not confirmed, including dropped ones.
    var missing: Int
    /// The last failure; `nil` if the server has confirmed all values and the status.
    var problem: String?
  }

  /// The maximum number of queued points; beyond it the oldest are dropped.
  static let maximumQueueLength = 4_096

  private let server: MLflowServer
  private let limits: HTTPLimits
  private let description: Description

  private let condition = NSCondition()
  private var record: MLflowRecord
  /// The number of points removed from `record.unsent`.
  private var removed = 0
  /// The number of values dropped from the queue.
  private var dropped = 0
  private var ending: MLflowServer.Status?
  private var isAbandoned = false
  private var isDone = false
  private var rejection: String?
  private var lastFailure: String?

  /// The last step of each metric on the server; `nil` if unknown. Used only on the sending thread.
  private var lastSteps: [String: Int]?
  /// Whether the run may exist on the server although its id is unknown. Used only on the sending thread.
  private var mayHaveRun: Bool

  /// - Parameters:
  ///   - record: The known state of the MLflow run, with the unsent points.
  ///   - limits: The maximum time for a response (`idle`), the pauses after failures, and the maximum time at the end of the
  ///     run (`overall`), in seconds.
  init(
    to server: MLflowServer, _ record: MLflowRecord, isResumed: Bool, limits: HTTPLimits,
    description: Description
  ) {
    self.server = server
    self.record = record
    self.limits = limits
    self.description = description
    mayHaveRun = isResumed
    let thread = Thread { [self] in work() }
    thread.name = "mlflow"
    thread.start()
  }

  // MARK: Called by the training thread

  /// Queues a point.
  /// - Returns: The reason if the server has rejected a request, after which nothing more is sent.
  func add(_ point: MLflowRecord.Point) -> String? {
    condition.withLock {
      guard rejection == nil else { return rejection }
      record.unsent.append(point)
      if record.unsent.count > Self.maximumQueueLength {
        dropped += record.unsent.removeFirst().values.count
        removed += 1
      }
      condition.signal()
      return nil
    }
  }

  /// The record from which a resumed run continues.
  var state: MLflowRecord { condition.withLock { record } }

  /// Sends the remaining points and the status of the run; after a failure it makes one more attempt.
  func end(_ status: MLflowServer.Status) -> Outcome {
    condition.withLock {
      ending = status
      condition.broadcast()
      let deadline = Date() + limits.overall
      while !isDone, condition.wait(until: deadline) {}
      isAbandoned = true
      let missing = dropped + record.unsent.reduce(0) { $0 + $1.values.count }
      let timeout = isDone ? nil : Self.noResponse(within: limits.overall)
      return Outcome(missing: missing, problem: rejection ?? lastFailure ?? timeout)
    }
  }

  // MARK: Called on the sending thread

  /// Seconds between two requests, so that points are sent in batches.
  private static let interval = 1.0

  private func work() {
    var attempt = 0
    while true {
      let isLast = condition.withLock { ending != nil }
      do throws(MLflowServer.Problem) {
        let isEnd = try send()
        attempt = 0
        condition.withLock { lastFailure = nil }
        if isEnd || !wait(Self.interval) { break }
      } catch {
        // The server may or may not have processed the request.
        lastSteps = nil
        attempt += 1
        let pause: Double? =
          if case .temporary(_, let delay, _) = error { limits.pause(before: attempt, asked: delay) } else {
            nil
          }
        let retries = condition.withLock {
          lastFailure = error.detail
          if pause == nil { rejection = error.detail }
          return !isLast
        }
        guard retries, let pause, wait(pause) else { break }
      }
    }
    condition.withLock {
      isDone = true
      condition.broadcast()
    }
  }

  /// Waits for `seconds` or the end of the run, and then until there is something to send.
  /// - Returns: Whether the run still waits for the result or continues.
  private func wait(_ seconds: Double) -> Bool {
    condition.withLock {
      let end = Date() + seconds
      while ending == nil, condition.wait(until: end) {}
      while ending == nil, record.unsent.isEmpty, lastFailure == nil { condition.wait() }
      return !isAbandoned
    }
  }

  /// Sends the queued points in requests of limited size.
  /// - Returns: Whether everything was sent and the run has ended.
  private func send() throws(MLflowServer.Problem) -> Bool {
    let run = try connect()
    while true {
      let (points, first, status) = condition.withLock { (nextPoints, removed, ending) }
      guard !points.isEmpty else {
        guard let status else { return false }
        try server.update(run, to: status, end: MLflowRecord.Point.timestamp(Date()))
        return true
      }
      let metrics = points.flatMap { point in
        point.values.sorted { $0.key < $1.key }.compactMap { name, value in
          lastSteps?[name] ?? -1 >= point.step
            ? nil
            : MLflowServer.Metric(key: name, value: value, timestamp: point.timestamp, step: point.step)
        }
      }
      if !metrics.isEmpty { try server.log(metrics, to: run) }
      for metric in metrics { lastSteps?[metric.key] = metric.step }
      let continues = condition.withLock {
        // Some of these points may have been dropped in the meantime.
        let left = max(0, first + points.count - removed)
        record.unsent.removeFirst(left)
        removed += left
        return !isAbandoned
      }
      guard continues else { return true }
    }
  }

  /// The complete points of the next request, at least one if there are any. Requires `condition` to be locked.
  private var nextPoints: [MLflowRecord.Point] {
    var count = 0
    return Array(
      record.unsent.prefix { point in
        let isFirst = count == 0
        count += point.values.count
        return isFirst || count <= MLflowServer.maximumMetrics
      })
  }

  /// Finds or creates the MLflow run, and reads which values the server already has.
  private func connect() throws(MLflowServer.Problem) -> String {
    let (known, key) = condition.withLock {
      (record.run, MLflowServer.Entry(key: "onepass.key", value: record.key))
    }
    if let known, lastSteps != nil { return known }
    let run: MLflowServer.Run
    if let known {
      run = try server.run(known)
    } else {
      let experiment = try server.experimentOrNew()
      let found = mayHaveRun ? try server.run(in: experiment, tagged: key) : nil
      mayHaveRun = true
      if let found {
        run = found
      } else {
        run = try server.makeRun(
          in: experiment, name: description.name, start: description.start, tags: description.tags + [key])
      }
      condition.withLock { record.run = run.info.runId }
    }
    guard run.info.lifecycleStage != "deleted" else {
      throw .deletedRun(run.info.runId)
    }
    if run.info.status != MLflowServer.Status.running.rawValue {
      try server.update(run.info.runId, to: .running)
    }
    let present = Set(run.data?.params?.map(\.key) ?? [])
    let parameters = description.parameters.filter { !present.contains($0.key) }
    for start in stride(from: 0, to: parameters.count, by: MLflowServer.maximumParameters) {
      let part = parameters[start...].prefix(MLflowServer.maximumParameters)
      try server.log(parameters: Array(part), to: run.info.runId)
    }
    lastSteps = run.lastSteps
    return run.info.runId
  }
}
