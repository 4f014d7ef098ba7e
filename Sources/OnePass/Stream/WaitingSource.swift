import Foundation
import OnePassCore
import OnePassData

/// Thrown while a run trains if the stream has delivered nothing for a moment: the run answers requests and waits again.
struct SourcePause: Error {}

/// Thrown outside of the training if a stop was requested while a source was read.
struct ReadingStopped: Error {}

/// A source that is read on a thread of its own, so that a run can be stopped and saved while the stream is silent.
///
/// The two threads take turns: the other thread reads only what this one waits for. Only during a silence of the stream does the
/// run continue while a call of the source is in progress. A stopped run leaves that call behind.
///
/// Until ``begin(stop:)`` it reads directly.
final class WaitingSource: SurveyableSource {
  private let base: any ExampleSource
  private var reader: SourceReader?
  private var stop: StopRequest?
  private var read: ReadExamples?
  /// What the base had left out and chosen when the last delivered example had been read.
  private var delivered = SourceReport()
  private(set) var position = 0

  /// Whether the run trains, so that a silence is a ``SourcePause``.
  var isTraining = false
  /// The number of examples that are needed, for which the reader is started once.
  var needed = 1

  /// The time at which the stream ends; `nil` for none.
  var end: Date?

  /// How long a silence may last until it is a pause.
  private static let patience = Duration.milliseconds(250)

  init(_ base: any ExampleSource) { self.base = base }

  /// Reads on another thread from now on.
  /// - Parameter stop: Ends the wait for the stream.
  func begin(stop: StopRequest?) {
    delivered = base.report
    (self.stop, reader) = (stop, SourceReader())
  }

  /// The base, if it is a stream of a broker.
  var live: LiveSource? { base as? LiveSource }

  // MARK: Facts

  var specification: String { base.specification }
  var knownCount: Int? { base.knownCount }
  var classNames: [String]? { base.classNames }
  var knownClassCount: Int? { base.knownClassCount }
  var labelsFollowNames: Bool { base.labelsFollowNames }
  var orderDependsOnSeed: Bool? { base.orderDependsOnSeed }
  var readsAgainToRestore: Bool { base.readsAgainToRestore }
  func visitListing(_ visit: (ListedEntry) -> Void) -> Bool { base.visitListing(visit) }
  func location(of id: Int) -> String? { base.location(of: id) }
  var report: SourceReport { reader == nil ? base.report : delivered }

  /// The examples that the reader has read and that were not delivered.
  var undelivered: [Example] { read?.waiting ?? [] }

  // MARK: Reading

  func next() throws -> Example? {
    if let end, end <= .now { return nil }
    guard let reader else {
      let example = try base.next()
      position = base.position
      return example
    }
    let read = self.read ?? start(reader)
    self.read = read
    guard let (example, report) = try wait(for: read) else {
      // At the end, or an error was thrown before.
      if end == nil { delivered = base.report }
      self.read = nil
      return nil
    }
    if read.isDelivered { self.read = nil }
    delivered = report
    position += 1
    return example
  }

  private func start(_ reader: SourceReader) -> ReadExamples {
    let (base, read, isAhead) = (Unchecked(base), ReadExamples(count: needed), needed > 1)
    needed = 1
    reader.start {
      read.fill {
        try base.value.next().map { (isAhead ? try $0.waiting() : $0, base.value.report) }
      }
    }
    return read
  }

  private func wait(for read: ReadExamples) throws -> (Example, SourceReport)? {
    let start = ContinuousClock.now
    while true {
      switch read.take(within: 0.05) {
      case .example(let example, let report): return (example, report)
      case .end: return nil
      case .failure(let error):
        self.read = nil
        throw error
      case .nothing: break
      }
      if let end, end <= .now { return nil }
      if stop?.isStopping ?? false { throw isTraining ? SourcePause() : ReadingStopped() }
      if isTraining, ContinuousClock.now - start >= Self.patience { throw SourcePause() }
    }
  }

  func skip(_ count: Int) throws -> Int {
    let skipped = try perform { try $0.skip(count) }
    position += skipped
    return skipped
  }

  func restore(position: Int) throws {
    try perform { try $0.restore(position: position) }
    self.position = position
    delivered = base.report
  }

  func restore(report: SourceReport) {
    base.restore(report: report)
    delivered = base.report
  }

  func survey() throws -> Survey {
    let survey = try perform { try Survey.of($0) }
    delivered = base.report
    return survey
  }

  /// Calls `body` with the base, on the other thread if there is one.
  private func perform<Value>(_ body: @escaping (any ExampleSource) throws -> Value) throws -> Value {
    guard let reader else { return try body(base) }
    return try Self.perform(on: reader, stop: stop) { [base] in try body(base) }
  }

  /// Calls `body`, which may wait for a stream, on another thread.
  /// - Parameter stop: Ends the wait.
  /// - Throws: `ReadingStopped` if a stop was requested.
  static func reading<Value>(stop: StopRequest, _ body: @escaping () throws -> Value) throws -> Value {
    try perform(on: SourceReader(), stop: stop, body)
  }

  private static func perform<Value>(
    on reader: SourceReader, stop: StopRequest?, _ body: @escaping () throws -> Value
  ) throws -> Value {
    let (body, outcome) = (Unchecked(body), Outcome<Value>())
    reader.start { outcome.set(Result { try body.value() }) }
    while true {
      if let result = outcome.wait(seconds: 0.05) { return try result.get() }
      if stop?.isStopping ?? false { throw ReadingStopped() }
    }
  }
}

/// A value that two threads use in turns.
private struct Unchecked<Value>: @unchecked Sendable {
  let value: Value
  init(_ value: Value) { self.value = value }
}
