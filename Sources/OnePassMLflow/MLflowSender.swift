import Foundation
import OnePass

/// Sends what is logged of a run to an MLflow server, on a thread of its own: nobody waits for the server but at the end.
///
/// What the server does not take now waits, and is sent when it answers. After each interruption it is asked what it has, so that
/// nothing comes twice.
///
/// `@unchecked Sendable` because what changes is touched only with `condition` locked, or by the thread that sends alone.
final class MLflowSender: @unchecked Sendable {
  /// What the run is on the server when it is made.
  struct Description: Sendable {
    var name: String?
    var tags: [MLflowServer.Entry]
    var parameters: [MLflowServer.Entry]
    /// Milliseconds since 1970.
    var start: Int
  }

  /// What became of it all.
  struct Outcome: Equatable {
    /// What the server has not confirmed, with what was given up before.
    var missing: Int
    /// Why; `nil` if nothing is missing, and the server knows how the run ended.
    var problem: String?
  }

  /// The points that wait at most: all of a run. Beyond it the oldest are given up.
  static let mostWaiting = 4_096

  private let server: MLflowServer
  private let limits: HTTPLimits
  private let description: Description

  private let condition = NSCondition()
  private var record: MLflowRecord
  /// Points that have left `record.unsent`.
  private var passed = 0
  /// Values that were given up.
  private var givenUp = 0
  private var ending: MLflowServer.Status?
  private var isAbandoned = false
  private var isDone = false
  private var refusal: String?
  private var trouble: String?

  /// What the server had of the run when it was asked last, and was sent since; only for the thread that sends.
  private var lastSteps: [String: Int]?
  /// Whether the server may have made the run without our knowing; only for the thread that sends.
  private var mayHaveRun: Bool

  /// - Parameters:
  ///   - record: What is known of the run, with what is still to be sent.
  ///   - limits: How long an answer may take (`idle`), the pauses after a failure, and how long the end may take (`overall`).
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

  // MARK: For the thread that trains

  /// - Returns: Why the server takes nothing more, if it has said so.
  func add(_ point: MLflowRecord.Point) -> String? {
    condition.withLock {
      guard refusal == nil else { return refusal }
      record.unsent.append(point)
      if record.unsent.count > Self.mostWaiting {
        givenUp += record.unsent.removeFirst().values.count
        passed += 1
      }
      condition.signal()
      return nil
    }
  }

  /// What a run needs to go on.
  var state: MLflowRecord { condition.withLock { record } }

  /// Sends what is left, and how the run ended. A server that does not answer is tried once more.
  func end(_ status: MLflowServer.Status) -> Outcome {
    condition.withLock {
      ending = status
      condition.broadcast()
      let deadline = Date() + limits.overall
      while !isDone, condition.wait(until: deadline) {}
      isAbandoned = true
      let missing = givenUp + record.unsent.reduce(0) { $0 + $1.values.count }
      let slow = isDone ? nil : "the server took more than \(Int(limits.overall)) s"
      return Outcome(missing: missing, problem: refusal ?? trouble ?? slow)
    }
  }

  // MARK: For the thread that sends

  /// Seconds between two calls while the server answers: what comes meanwhile is sent together.
  private static let interval = 1.0

  private func work() {
    var attempt = 0
    while true {
      let isLast = condition.withLock { ending != nil }
      do throws(MLflowServer.Problem) {
        let isEnd = try send()
        attempt = 0
        condition.withLock { trouble = nil }
        if isEnd || !wait(Self.interval) { break }
      } catch {
        // What it has is unknown now.
        lastSteps = nil
        attempt += 1
        let pause: Double? =
          if case .passing(_, let asked, _) = error { limits.pause(before: attempt, asked: asked) } else {
            nil
          }
        let goesOn = condition.withLock {
          trouble = error.detail
          if pause == nil { refusal = error.detail }
          return !isLast
        }
        guard goesOn, let pause, wait(pause) else { break }
      }
    }
    condition.withLock {
      isDone = true
      condition.broadcast()
    }
  }

  /// Waits so long, or until the run ends, and then until there is something to send.
  /// - Returns: Whether anybody still wants it sent.
  private func wait(_ seconds: Double) -> Bool {
    condition.withLock {
      let end = Date() + seconds
      while ending == nil, condition.wait(until: end) {}
      while ending == nil, record.unsent.isEmpty, trouble == nil { condition.wait() }
      return !isAbandoned
    }
  }

  /// Sends what waits, as much as a call takes.
  /// - Returns: Whether that was all, and the run has ended.
  private func send() throws(MLflowServer.Problem) -> Bool {
    let run = try connect()
    while true {
      let (points, first, status) = condition.withLock { (nextPoints, passed, ending) }
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
      let isWanted = condition.withLock {
        // The oldest may have been given up meanwhile.
        let left = max(0, first + points.count - passed)
        record.unsent.removeFirst(left)
        passed += left
        return !isAbandoned
      }
      guard isWanted else { return true }
    }
  }

  /// Whole points, at least one if there is one; with `condition` locked.
  private var nextPoints: [MLflowRecord.Point] {
    var count = 0
    return Array(
      record.unsent.prefix { point in
        let isFirst = count == 0
        count += point.values.count
        return isFirst || count <= MLflowServer.mostMetrics
      })
  }

  /// Finds or makes the run, and finds out what the server has of it.
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
      throw .refused(status: 0, code: nil, message: "the run \(run.info.runId) was deleted on the server")
    }
    if run.info.status != MLflowServer.Status.running.rawValue {
      try server.update(run.info.runId, to: .running)
    }
    let present = Set(run.data?.params?.map(\.key) ?? [])
    let parameters = description.parameters.filter { !present.contains($0.key) }
    for start in stride(from: 0, to: parameters.count, by: MLflowServer.mostParameters) {
      let part = parameters[start...].prefix(MLflowServer.mostParameters)
      try server.log(parameters: Array(part), to: run.info.runId)
    }
    lastSteps = run.lastSteps
    return run.info.runId
  }
}
