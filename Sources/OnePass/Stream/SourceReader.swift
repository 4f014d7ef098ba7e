import Foundation
import OnePassCore

/// A thread that carries out one task at a time.
///
/// When it is released, the thread ends after its task, which may never end.
final class SourceReader: Sendable {
  private let tasks = TaskSlot()

  init() {
    let tasks = tasks
    let thread = Thread {
      while let task = tasks.next() { task() }
    }
    thread.name = "onepass reader"
    // Like the main thread's, since sources of users run here.
    thread.stackSize = 8 << 20
    thread.start()
  }

  deinit { tasks.close() }

  /// Carries out a task after the present one.
  func start(_ task: @escaping @Sendable () -> Void) { tasks.put(task) }
}

/// The next task of a thread.
private final class TaskSlot: @unchecked Sendable {
  private let condition = NSCondition()
  private var tasks: [@Sendable () -> Void] = []
  private var isClosed = false

  func put(_ task: @escaping @Sendable () -> Void) {
    condition.withLock {
      tasks.append(task)
      condition.signal()
    }
  }

  func close() {
    condition.withLock {
      isClosed = true
      condition.signal()
    }
  }

  func next() -> (@Sendable () -> Void)? {
    condition.withLock {
      while tasks.isEmpty, !isClosed { condition.wait() }
      return isClosed || tasks.isEmpty ? nil : tasks.removeFirst()
    }
  }
}

/// The result of a task on another thread.
final class Outcome<Value>: @unchecked Sendable {
  private let condition = NSCondition()
  private var result: Result<Value, any Error>?

  func set(_ result: Result<Value, any Error>) {
    condition.withLock {
      self.result = result
      condition.signal()
    }
  }

  /// The result; `nil` if there is none within this time.
  func wait(seconds: Double) -> Result<Value, any Error>? {
    condition.withLock {
      let end = Date(timeIntervalSinceNow: seconds)
      while result == nil, condition.wait(until: end) {}
      return result
    }
  }
}

/// Examples that one thread reads and another takes.
final class ReadExamples: @unchecked Sendable {
  enum Taken {
    case example(Example, SourceReport)
    case end
    case failure(any Error)
    /// Nothing arrived within the time.
    case nothing
  }

  private let condition = NSCondition()
  private var count: Int
  private var examples: [(Example, SourceReport)] = []
  private var taken = 0
  private var end: Taken?

  /// - Parameter count: The number of examples to read.
  init(count: Int) { self.count = count }

  /// Reads the examples, until the source ends or fails.
  /// - Parameter next: Returns an example, with the report of the source after it.
  func fill(_ next: () throws -> (Example, SourceReport)?) {
    for _ in 0..<count {
      do {
        guard let example = try next() else { return finish(.end) }
        condition.withLock {
          examples.append(example)
          condition.signal()
        }
      } catch { return finish(.failure(error)) }
    }
  }

  private func finish(_ end: Taken) {
    condition.withLock {
      self.end = end
      condition.signal()
    }
  }

  /// Takes the next example.
  /// - Parameter seconds: The longest wait for it.
  func take(within seconds: Double) -> Taken {
    condition.withLock {
      let limit = Date(timeIntervalSinceNow: seconds)
      while taken == examples.count {
        if let end { return end }
        guard condition.wait(until: limit) else { return .nothing }
      }
      defer { taken += 1 }
      return .example(examples[taken].0, examples[taken].1)
    }
  }

  /// Whether all examples have been taken.
  var isDelivered: Bool { condition.withLock { taken == count } }

  /// The examples that have been read and not been taken.
  var waiting: [Example] { condition.withLock { examples[taken...].map(\.0) } }
}
