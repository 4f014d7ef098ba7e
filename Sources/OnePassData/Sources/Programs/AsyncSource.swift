import Dispatch
import OnePassCore
import Synchronization

/// A custom live stream: an asynchronous sequence, read ahead by a task while a thread trains.
///
/// ```swift
/// let stream = AsyncSource("camera", frames, classNames: ["empty", "occupied"])
/// ```
///
/// ``next()`` blocks the training thread until an example arrives. It must not be called inside a task, where it would
/// block one of the few threads of Swift concurrency; it then throws an error. Examples that have arrived wait in a
/// buffer. While the buffer is full, no more are requested. A run resumes as with ``SequenceSource``.
public final class AsyncSource: ExampleSource {
  private let taken: SequenceSource
  private let queue: AsyncQueue
  private let reading: ReadingTask

  /// Creates a stream of an asynchronous sequence.
  /// - Parameters:
  ///   - specification: The name for records and messages.
  ///   - sequence: The examples. A separate task reads them from the first ``next()`` until the end or until the source
  ///     is released. An error that it throws ends the run, which can resume from its last checkpoint.
  ///   - buffering: The maximum number of examples in the buffer, 1 or more.
  ///   - count: The number of examples. If it is not known, a run needs a `limit`.
  ///   - classNames: The names of the classes in label order.
  ///   - classCount: The number of classes; by default the number of names.
  public init<Examples: AsyncSequence & Sendable>(
    _ specification: String, _ sequence: Examples, buffering: Int = 256, count: Int? = nil,
    classNames: [String]? = nil, classCount: Int? = nil
  ) where Examples.Element == LabelledImage {
    precondition(buffering > 0, "The buffer of a live stream needs room for at least one example.")
    let queue = AsyncQueue(capacity: buffering)
    let reading = ReadingTask {
      do {
        for try await example in sequence {
          await queue.append(example)
          if Task.isCancelled { break }
        }
        queue.finish(throwing: nil)
      } catch { queue.finish(throwing: error) }
    }
    (self.queue, self.reading) = (queue, reading)
    taken = SequenceSource(specification, count: count, classNames: classNames, classCount: classCount) {
      reading.start()
      return try queue.next()
    }
  }

  deinit {
    reading.cancel()
    queue.abandon()
  }

  /// The name for records and messages.
  public var specification: String { taken.specification }
  /// The number of examples; `nil` if it is not known in advance.
  public var knownCount: Int? { taken.knownCount }
  /// The names of the classes in label order; `nil` if they have none.
  public var classNames: [String]? { taken.classNames }
  /// The number of classes; `nil` if it is not known in advance.
  public var knownClassCount: Int? { taken.knownClassCount }
  /// Always `true`: a run resumes by reading the stream from the start.
  public var readsAgainToRestore: Bool { taken.readsAgainToRestore }
  /// The number of examples delivered.
  public var position: Int { taken.position }

  /// Waits for the next example; `nil` at the end.
  /// - Throws: `OnePassError`: `usage` inside a task, `io` if the sequence throws another error than `OnePassError`.
  public func next() throws -> Example? {
    guard withUnsafeCurrentTask(body: { $0 == nil }) else {
      throw OnePassError.awaitedInTask(specification)
    }
    do { return try taken.next() } catch let error as OnePassError { throw error } catch {
      throw OnePassError.streamFailed(specification, after: position, cause: error)
    }
  }

  /// Continues at a position by skipping all earlier examples.
  /// - Throws: `OnePassError` (`badData`) if the stream is shorter; the errors of ``next()``.
  public func restore(position: Int) throws { try readAgain(self, upTo: position) }
}

/// The task that reads a sequence, started with the first request. Owned by one thread.
private final class ReadingTask {
  private let read: @Sendable () async -> Void
  private var task: Task<Void, Never>?

  init(_ read: @escaping @Sendable () async -> Void) { self.read = read }

  func start() {
    if task == nil { task = Task.detached { [read] in await read() } }
  }

  func cancel() { task?.cancel() }
}

/// A bounded queue of examples from one task to one thread.
private final class AsyncQueue: Sendable {
  private struct State {
    var waiting: [LabelledImage] = []
    var end: Result<Void, any Error>?
    /// The suspended task, while the queue is full.
    var producer: CheckedContinuation<Void, Never>?
    var isAbandoned = false
  }

  private let capacity: Int
  private let state = Mutex(State())
  /// Counts the examples in the queue, and the end.
  private let available = DispatchSemaphore(value: 0)

  init(capacity: Int) { self.capacity = capacity }

  /// Appends an example, and returns when there is room for another.
  func append(_ example: LabelledImage) async {
    await withCheckedContinuation { continuation in
      let isRoom = state.withLock { state in
        state.waiting.append(example)
        guard state.waiting.count >= capacity, !state.isAbandoned else { return true }
        state.producer = continuation
        return false
      }
      available.signal()
      if isRoom { continuation.resume() }
    }
  }

  func finish(throwing error: (any Error)?) {
    state.withLock { $0.end = error.map { .failure($0) } ?? .success(()) }
    available.signal()
  }

  /// Waits for the next example; `nil` at the end. Must not be called after the end or an error.
  func next() throws -> LabelledImage? {
    available.wait()
    return try state.withLock { state in
      guard !state.waiting.isEmpty else {
        try state.end?.get()
        return nil
      }
      defer {
        state.producer?.resume()
        state.producer = nil
      }
      return state.waiting.removeFirst()
    }
  }

  /// Resumes a task that waits for room.
  func abandon() {
    state.withLock { state in
      state.isAbandoned = true
      state.producer?.resume()
      state.producer = nil
    }
  }
}
