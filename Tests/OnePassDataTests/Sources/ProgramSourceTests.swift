import Foundation
import OnePassCore
import OnePassData
import Synchronization
import Testing

@Suite("Custom sources") struct ProgramSourceTests {
  static func image(_ position: Int) -> LabelledImage {
    LabelledImage(
      EncodedImage(bytes: [UInt8(position), 7]), label: position % 3, subject: position == 4 ? "four" : nil)
  }

  static let images = (0..<9).map(image)

  @Test("An indexed source conforms to the requirements of a source")
  func anIndexedSourceIsASource() throws {
    try checkConformance(count: 9, isShuffled: false) { _ in
      IndexedSource("mine", count: 9, classNames: ["a", "b", "c"], example: Self.image)
    }
    let source = IndexedSource("mine", count: 9, classCount: 3, example: Self.image)
    #expect(source.knownClassCount == 3 && source.classNames == nil && source.specification == "mine")
    #expect(try source.example(at: 4).subject == "four" && source.example(at: 5).subject == nil)
  }

  @Test("A sequence conforms to the requirements of a source")
  func aSequenceIsASource() throws {
    for count in [nil, 9] {
      try checkConformance(count: 9, isShuffled: false) { _ in
        SequenceSource("mine", Self.images, count: count, classCount: 3)
      }
    }
    let endless = SequenceSource("mine", sequence(first: Self.images[0]) { $0 }, count: 5)
    #expect(try takeAll(endless).map(\.id) == [0, 1, 2, 3, 4])
  }

  /// The closure is not called after the end, and its errors are thrown unchanged.
  @Test("A generator conforms to the requirements of a source")
  func aGeneratorIsASource() throws {
    struct Broken: Error {}
    var calls = 0
    let ending = SequenceSource("mine") {
      calls += 1
      return calls < 3 ? Self.images[0] : nil
    }
    #expect(try takeAll(ending).count == 2)
    #expect(try ending.next() == nil && calls == 3)
    let breaking = SequenceSource("mine") { throw Broken() }
    #expect(throws: Broken.self) { try breaking.next() }
    #expect(breaking.position == 0)
  }

  /// Runs on a separate thread, because a test is a task.
  static func onThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
  }

  static func stream() -> AsyncStream<LabelledImage> {
    AsyncStream { continuation in
      for image in images { continuation.yield(image) }
      continuation.finish()
    }
  }

  @Test("An asynchronous sequence conforms to the requirements of a source", arguments: [1, 4, 256])
  func anAsynchronousSequenceIsASource(buffering: Int) async throws {
    let (whole, ends, rest) = try await Self.onThread {
      let source = AsyncSource("live", Self.stream(), buffering: buffering, classCount: 3)
      let whole = try takeAll(source)
      let ends = try [source.next(), source.next()].allSatisfy { $0 == nil }
      let resumed = AsyncSource("live", Self.stream(), buffering: buffering, classCount: 3)
      try resumed.restore(position: 6)
      return (whole, ends, try takeAll(resumed))
    }
    #expect(whole.map(\.id) == Array(0..<9) && ends)
    #expect(zip(whole, Self.images).allSatisfy { $0.image == $1.image && $0.label == $1.label })
    #expect(rest.map(\.id) == [6, 7, 8] && zip(rest, whole[6...]).allSatisfy(same))
    let early = try await Self.onThread {
      do {
        try AsyncSource("live", Self.stream()).restore(position: 10)
        return ""
      } catch { return "\(error)" }
    }
    #expect(early.contains("live: cannot resume at example 10 of a stream of 9"))
  }

  /// Counts the requested elements of a sequence.
  struct Counted: AsyncSequence, AsyncIteratorProtocol, Sendable {
    final class Count: Sendable {
      let requested = Atomic(0)
      let isCancelled = Atomic(false)
    }
    struct Broken: Error, CustomStringConvertible { let description = "the lens is dirty" }

    let count = Count()
    var breaksAfter = Int.max

    func makeAsyncIterator() -> Counted { self }

    func next() async throws -> LabelledImage? {
      let requested = count.requested.add(1, ordering: .relaxed).newValue
      if requested > breaksAfter { throw Broken() }
      if Task.isCancelled {
        count.isCancelled.store(true, ordering: .relaxed)
        return nil
      }
      return image(requested - 1)
    }
  }

  static func wait(until condition: () -> Bool) -> Bool {
    for _ in 0..<24_000 where !condition() { Thread.sleep(forTimeInterval: 0.005) }
    return condition()
  }

  /// No further elements are requested once the source is released.
  @Test("A live stream is read ahead by its buffer and no further")
  func aLiveStreamIsReadAheadByTheBufferAndNoFurther() async throws {
    let frames = Counted()
    let requested = try await Self.onThread {
      let source = AsyncSource("live", frames, buffering: 3)
      let taken = try (0..<5).map { _ in try source.next()?.id }
      #expect(taken == [0, 1, 2, 3, 4])
      // Five were delivered and three are buffered; then the task waits.
      _ = Self.wait { frames.count.requested.load(ordering: .relaxed) >= 8 }
      Thread.sleep(forTimeInterval: 0.05)
      return frames.count.requested.load(ordering: .relaxed)
    }
    #expect(requested == 8)
    try await Task.sleep(for: .milliseconds(50))
    #expect(frames.count.requested.load(ordering: .relaxed) <= 9, "the source was released")
  }

  @Test("A failure of a live stream is reported with the number of examples")
  func failuresOfLiveStreamsAreReported() async throws {
    var frames = Counted()
    frames.breaksAfter = 2
    let broken = frames
    let outcome = try await Self.onThread {
      let source = AsyncSource("live", broken)
      let taken = [try source.next()?.id, try source.next()?.id]
      do {
        _ = try source.next()
        return (taken, nil as OnePassError?, false)
      } catch let error as OnePassError { return (taken, error, try source.next() == nil) }
    }
    #expect(outcome.0 == [0, 1] && outcome.1?.code == .io && outcome.2)
    #expect(outcome.1?.message.contains("live: failed after 2 examples: the lens is dirty") == true)
  }

  /// A test is a task, where waiting could block the task that produces the examples.
  @Test("A live stream must not be awaited inside a task")
  func aLiveStreamIsNotWaitedForInATask() async {
    expectError(.usage, naming: ["live", "inside a task", "onTrainingThread"]) {
      _ = try AsyncSource("live", Self.stream()).next()
    }
  }
}
