import Dispatch
import OnePassCore
import Synchronization

/// A live stream of a program's own: an asynchronous sequence, read ahead by a task while a thread trains.
///
/// ```swift
/// let stream = AsyncSource("camera", frames, classNames: ["empty", "occupied"])
/// ```
///
/// The thread that trains waits in `next()` for what has not come yet. It must therefore not be one of Swift
/// concurrency's own, of which there are few: where that happens, `next()` refuses with a sentence. What has come and was not
/// taken waits in the buffer; when that is full, the sequence is not asked for more. Going on is as for ``SequenceSource``.
public final class AsyncSource: ExampleSource {
  private let taken: SequenceSource
  private let queue: AsyncQueue
  private let reading: ReadingTask

  /// - Parameters:
  ///   - specification: What records and messages call it.
  ///   - sequence: The examples. Taken by a task of the source's own from the first `next()` on, until the end or until
  ///     the source is let go. What it throws ends the run, which can go on from its last checkpoint.
  ///   - buffering: The most examples that wait to be taken, 1 or more.
  ///   - count: The number of examples, where it is known; else a run has to be told its `limit`.
  ///   - classNames: The names of the classes in label order, if they have names.
  ///   - classCount: The number of classes; that of the names if there are names.
  public init<Examples: AsyncSequence & Sendable>(
    _ specification: String, _ sequence: Examples, buffering: Int = 256, count: Int? = nil,
    classNames: [String]? = nil, classCount: Int? = nil
  ) where Examples.Element == LabelledImage {
    precondition(buffering > 0, "A stream waits in room for one example at least.")
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

  public var specification: String { taken.specification }
  public var knownCount: Int? { taken.knownCount }
  public var classNames: [String]? { taken.classNames }
  public var knownClassCount: Int? { taken.knownClassCount }
  public var readsAgainToRestore: Bool { taken.readsAgainToRestore }
  public var position: Int { taken.position }

  public func next() throws -> Example? {
    guard withUnsafeCurrentTask(body: { $0 == nil }) else {
      throw OnePassError(
        .usage,
        "\(specification) is waited for inside of a task, which could hold up the tasks that it comes from: train on a "
          + "thread of its own, as onTrainingThread does.")
    }
    do { return try taken.next() } catch let error as OnePassError { throw error } catch {
      throw OnePassError(
        .io,
        "\(specification) broke off after \(position) examples: \(error). Go on from the last checkpoint.",
        cause: error)
    }
  }

  public func restore(position: Int) throws { try readAgain(self, upTo: position) }
}

/// The task that reads a sequence, from the first time that an example is asked for. Belongs to one thread.
private final class ReadingTask {
  private let read: @Sendable () async -> Void
  private var task: Task<Void, Never>?

  init(_ read: @escaping @Sendable () async -> Void) { self.read = read }

  func start() {
    if task == nil { task = Task.detached { [read] in await read() } }
  }

  func cancel() { task?.cancel() }
}

/// Examples on their way from one task to one thread, no more than a fixed number of them.
private final class AsyncQueue: Sendable {
  private struct State {
    var waiting: [LabelledImage] = []
    var end: Result<Void, any Error>?
    /// The task, while there is no room.
    var producer: CheckedContinuation<Void, Never>?
    var isAbandoned = false
  }

  private let capacity: Int
  private let state = Mutex(State())
  /// Counts what can be taken: examples, and the end.
  private let available = DispatchSemaphore(value: 0)

  init(capacity: Int) { self.capacity = capacity }

  /// Appends, and returns when there is room for another.
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

  /// Waits for the next example; `nil` at the end. Not to be called after either end.
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

  /// Lets a task go that waits for room.
  func abandon() {
    state.withLock { state in
      state.isAbandoned = true
      state.producer?.resume()
      state.producer = nil
    }
  }
}
