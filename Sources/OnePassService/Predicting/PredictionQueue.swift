import Foundation
import OnePass
import OnePassCore
import OnePassData

/// Predicts images that arrive at any time, in mini-batches, on a thread of its own.
///
/// What arrives while a mini-batch is computed forms the next one. Before each, the newest weights of the run are adopted.
///
/// `@unchecked Sendable`: `condition` guards the state.
package final class PredictionQueue: @unchecked Sendable {
  /// A prediction and the weights that made it.
  package struct Answer: Sendable {
    /// All classes, the most likely first.
    package let classes: [Prediction.Class]
    /// The number of steps of the weights.
    package let step: Int
  }

  private struct Request {
    let image: EncodedImage
    let finish: @Sendable (Result<Answer, any Error>) -> Void
  }

  private enum Work {
    case refresh
    case predict([Request])
    case write(String, @Sendable (Result<Void, any Error>) -> Void)
  }

  private let condition = NSCondition()
  private var queue: [Request] = []
  private var writes: [(path: String, finish: @Sendable (Result<Void, any Error>) -> Void)] = []
  private var isClosed = false
  private var wantsRefresh = false
  private var usedWeights: (step: Int, time: ContinuousClock.Instant)?
  private let limit: Int
  private static let mostImages = 32

  /// - Parameter limit: The maximum number of images that wait.
  package init(limit: Int = 1_024) { self.limit = limit }

  /// The step and the age of the weights in use; `nil` before the first.
  package var weights: (step: Int, time: ContinuousClock.Instant)? { condition.withLock { usedWeights } }

  /// Starts the thread. Until then, requests wait.
  package func start(_ mailbox: WeightsMailbox, threads: Int?) {
    let thread = Thread { [self] in
      do {
        let predictor = LivePredictor(mailbox, threads: threads, decodeThreads: 1)
        try predictor.update()
        note(predictor)
        while let work = next() { run(work, predictor) }
      } catch { fail(error) }
    }
    thread.name = "onepass predictions"
    // Frames of libtorch's operators are large.
    thread.stackSize = 8 << 20
    thread.start()
  }

  /// Predicts the classes of an image.
  /// - Throws: `OnePassError` (`badData`) if it cannot be decoded; ``PredictionProblem``.
  package func predict(_ image: EncodedImage) async throws -> Answer {
    try await withCheckedThrowingContinuation { continuation in
      add(Request(image: image) { continuation.resume(with: $0) })
    }
  }

  private func add(_ request: Request) {
    let problem: PredictionProblem? = condition.withLock {
      if isClosed { return .closed }
      if queue.count >= limit { return .busy }
      queue.append(request)
      condition.signal()
      return nil
    }
    if let problem { request.finish(.failure(problem)) }
  }

  /// Writes the weights in use to a safetensors file.
  package func write(to path: String) async throws {
    try await withCheckedThrowingContinuation { continuation in
      let isRefused = condition.withLock {
        if !isClosed { writes.append((path, { continuation.resume(with: $0) })) }
        condition.signal()
        return isClosed
      }
      if isRefused { continuation.resume(throwing: PredictionProblem.closed) }
    }
  }

  /// Adopts the newest weights, also while nothing is predicted.
  package func refresh() {
    condition.withLock {
      wantsRefresh = true
      condition.signal()
    }
  }

  private func next() -> Work? {
    condition.withLock {
      while queue.isEmpty, writes.isEmpty, !wantsRefresh, !isClosed { condition.wait() }
      if !writes.isEmpty {
        let write = writes.removeFirst()
        return .write(write.path, write.finish)
      }
      guard !queue.isEmpty else {
        defer { wantsRefresh = false }
        return wantsRefresh && !isClosed ? .refresh : nil
      }
      let images = Array(queue.prefix(Self.mostImages))
      queue.removeFirst(images.count)
      return .predict(images)
    }
  }

  private func run(_ work: Work, _ predictor: LivePredictor) {
    switch work {
    case .refresh:
      do {
        try predictor.update()
        note(predictor)
      } catch { fail(error) }
    case .write(let path, let finish):
      finish(
        Result {
          try predictor.update()
          try predictor.write(to: path)
        })
    case .predict(let requests):
      do {
        try predictor.update()
        note(predictor)
        guard predictor.classes > 0 else { throw PredictionProblem.noClasses }
        let outcomes = try predictor.predict(requests.map(\.image))
        for (request, outcome) in zip(requests, outcomes) {
          request.finish(
            Result { Answer(classes: try outcome.prediction.classes, step: predictor.weights?.step ?? 0) })
        }
      } catch { for request in requests { request.finish(.failure(error)) } }
    }
  }

  private func note(_ predictor: LivePredictor) { condition.withLock { usedWeights = predictor.weights } }

  private func fail(_ error: any Error) {
    let (requests, writes) = condition.withLock {
      defer { (queue, self.writes, isClosed) = ([], [], true) }
      return (queue, self.writes)
    }
    for request in requests { request.finish(.failure(error)) }
    for write in writes { write.finish(.failure(error)) }
  }

  /// Answers what waits and ends. Later requests are refused.
  package func close() {
    condition.withLock {
      isClosed = true
      condition.broadcast()
    }
  }
}

/// Why an image was not predicted.
package enum PredictionProblem: Error, Sendable {
  /// The service ends.
  case closed
  /// Too many images wait.
  case busy
  /// No class was trained yet, with open classes.
  case noClasses
}
