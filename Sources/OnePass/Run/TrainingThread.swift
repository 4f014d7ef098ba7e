import Foundation

/// Runs training on a thread of its own, while a task waits for it.
///
/// Training is synchronous: it may hold a thread for days, and Swift concurrency has only one for each core. A cancelled task
/// has the run stop after its current step.
///
/// ```swift
/// let result = try await onTrainingThread { stop in
///   let stream = AsyncSource("camera", frames, count: 50_000, classCount: 2)
///   return try TrainingRun(configuration, source: stream).start(output: "runs/camera", stop: stop)
/// }
/// ```
/// - Parameter body: Makes everything that belongs to the thread there: source, run, models.
/// - Throws: What `body` throws; ``RunStopped`` after a cancellation.
public func onTrainingThread<Value: Sendable>(
  _ body: @escaping @Sendable (_ stop: StopRequest) throws -> Value
) async throws -> Value {
  let stop = StopRequest()
  return try await withTaskCancellationHandler {
    try await withCheckedThrowingContinuation { continuation in
      let thread = Thread { continuation.resume(with: Result { try body(stop) }) }
      thread.name = "onepass training"
      thread.start()
    }
  } onCancel: {
    stop.stop()
  }
}
