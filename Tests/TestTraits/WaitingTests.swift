import Foundation
import Testing

/// A trait of tests that wait for other programs most of the time.
///
/// The threads of Swift's pool, one per processor, run all tests. A test that waits for a program blocks its thread, so that the
/// processors idle while the programs start, write to disk or wait for each other. With this trait the tests have threads of
/// their own, beside the pool.
///
/// A test with a time limit must not have this trait, since its time would include its waiting for a thread.
public struct WaitingTests: SuiteTrait, TestTrait, TestScoping {
  public let isRecursive = true

  /// Around each test case; or around a serialised suite as a whole. What is between the tests of such a suite then does not wait
  /// in the queue of the pool, behind all other tests.
  public func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? {
    let isHere = test.isSuite ? isInSeries(test) : !isInSeries(test) && testCase != nil
    return isHere ? self : nil
  }

  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await withTaskExecutorPreference(isInSeries(test) ? TestThreads.first : TestThreads.last) {
      try await function()
    }
  }

  private func isInSeries(_ test: Test) -> Bool { test.traits.contains { $0 is ParallelizationTrait } }
}

extension Trait where Self == WaitingTests {
  public static var waitsForPrograms: Self { Self() }
}

/// Threads for tests, as an executor of tasks.
final class TestThreads: TaskExecutor {
  /// Executors on the same threads. Jobs of the first one precede those of the last one.
  static let (first, last) = (TestThreads(isFirst: true), TestThreads(isFirst: false))
  private static let queue = JobQueue(threads: ProcessInfo.processInfo.activeProcessorCount + 2)

  private let isFirst: Bool

  private init(isFirst: Bool) { self.isFirst = isFirst }

  func enqueue(_ job: consuming ExecutorJob) {
    Self.queue.add(UnownedJob(job), isFirst: isFirst, of: asUnownedTaskExecutor())
  }
}

/// Jobs that threads of the queue run.
private final class JobQueue: @unchecked Sendable {
  private typealias Entry = (job: UnownedJob, executor: UnownedTaskExecutor)

  private let condition = NSCondition()
  /// Protected by the condition, in the order of their arrival.
  private var (first, last): ([Entry], [Entry]) = ([], [])

  init(threads: Int) {
    for number in 0..<threads {
      let thread = Thread { [self] in
        while true {
          let (job, executor) = next()
          job.runSynchronously(on: executor)
        }
      }
      thread.name = "tests-\(number)"
      // As the threads of the main program have, since tests write large arrays on the stack.
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  func add(_ job: UnownedJob, isFirst: Bool, of executor: UnownedTaskExecutor) {
    condition.withLock {
      if isFirst { first.append((job, executor)) } else { last.append((job, executor)) }
      condition.signal()
    }
  }

  private func next() -> Entry {
    condition.withLock {
      while first.isEmpty && last.isEmpty { condition.wait() }
      return first.isEmpty ? last.removeFirst() : first.removeFirst()
    }
  }
}
