import Foundation

/// Runs a training on a separate thread, from an asynchronous task.
///
/// Training is synchronous and may occupy a thread for days, while Swift concurrency has one thread per core. If the task is
/// cancelled, the run stops after its current step.
///
/// ```swift
/// let result = try await onTrainingThread { stop in
///   let stream = AsyncSource("camera", frames, count: 50_000, classCount: 2)
///   return try TrainingRun(configuration, source: stream).start(output: "runs/camera", stop: stop)
/// }
/// ```
/// - Parameter body: The training. It must create source, run and models itself, because they belong to the thread.
/// - Throws: The error that `body` throws; ``RunStopped`` after a cancellation.
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
