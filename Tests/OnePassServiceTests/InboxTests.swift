import Foundation
import OnePassBrokers
import OnePassCore
import TestSupport
import Testing

@testable import OnePassService

@Suite("Inbox")
struct InboxTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open(_ change: (inout InboxLimits) -> Void = { _ in }) throws -> Inbox {
    var limits = InboxLimits()
    change(&limits)
    return try Inbox(folder.path, limits: limits)
  }

  private func example(_ number: Int, key: String? = nil, label: Int = 1) -> Inbox.NewExample {
    .init(image: noise(number, count: 30), label: "\(label)", key: key)
  }

  @Test("A repeated key has the position of the first request, also after the files were opened again")
  func repeatedKeys() async throws {
    let inbox = try open()
    let first = try await inbox.add(example(1, key: "a"))
    #expect(first == .init(position: 0, isRepeated: false))
    #expect(try await inbox.add(example(1, key: "a")) == .init(position: 0, isRepeated: true))
    #expect(try await inbox.add(example(2, key: "b")).position == 1)
    inbox.close()
    let again = try open()
    #expect(try await again.add(example(1, key: "a")) == .init(position: 0, isRepeated: true))
    #expect(again.accepted == 2)
    again.close()
  }

  @Test("A key with another image or label is refused")
  func reusedKeys() async throws {
    let inbox = try open()
    _ = try await inbox.add(example(1, key: "a"))
    await #expect(throws: InboxProblem.keyReused) { try await inbox.add(example(2, key: "a")) }
    await #expect(throws: InboxProblem.keyReused) { try await inbox.add(example(1, key: "a", label: 2)) }
    #expect(inbox.accepted == 1)
    inbox.close()
  }

  @Test("Requests with one key at the same time are one example")
  func concurrentKeys() async throws {
    let inbox = try open()
    let answers = try await withThrowingTaskGroup(of: Inbox.Accepted.self) { group in
      for number in 0..<100 {
        group.addTask { try await inbox.add(example(number % 5, key: "k\(number % 5)")) }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(inbox.accepted == 5)
    #expect(answers.count { !$0.isRepeated } == 5)
    #expect(Set(answers.map(\.position)) == Set(0..<5))
    inbox.close()
  }

  @Test("Keys of removed segments are known, up to the number that is remembered")
  func keysOfRemovedSegments() async throws {
    let inbox = try open { ($0.segmentBytes, $0.keys) = (100, 5) }
    for number in 0..<8 { _ = try await inbox.add(example(number, key: "k\(number)")) }
    inbox.note(trained: 8)
    try inbox.settle(before: 8)
    #expect((inbox.journal.first ?? 8) > 3)
    inbox.close()
    let again = try open { ($0.segmentBytes, $0.keys) = (100, 5) }
    for number in 3..<8 {
      #expect(
        try await again.add(example(number, key: "k\(number)")) == .init(position: number, isRepeated: true))
    }
    #expect(try await again.add(example(0, key: "k0")) == .init(position: 8, isRepeated: false))
    again.close()
  }

  @Test("A full queue refuses examples until some are trained")
  func fullQueue() async throws {
    let inbox = try open { $0.examples = 3 }
    for number in 0..<3 { _ = try await inbox.add(example(number)) }
    await #expect(throws: InboxProblem.full) { try await inbox.add(example(3)) }
    inbox.note(trained: 1)
    #expect(try await inbox.add(example(3)).position == 3)
    inbox.close()
    let small = try open { $0.bytes = 1_000 }
    await #expect(throws: InboxProblem.full) {
      try await small.add(.init(image: noise(1, count: 2_000), label: "1"))
    }
    small.close()
  }

  @Test("Late labels are counted over restarts and removed segments")
  func lateLabels() async throws {
    let inbox = try open { $0.segmentBytes = 100 }
    for number in 0..<6 {
      _ = try await inbox.add(
        .init(image: noise(number, count: 30), label: "1", key: "\(number)", predicted: "\(number % 3)"))
    }
    #expect(inbox.late == .init(labelled: 6, correct: 2))
    inbox.note(trained: 6)
    try inbox.settle(before: 6)
    inbox.close()
    let again = try open()
    #expect(again.late == .init(labelled: 6, correct: 2))
    again.close()
  }

  @Test("A reader delivers every example once, and waits for the next")
  func reader() async throws {
    let inbox = try open { $0.segmentBytes = 100 }
    for number in 0..<5 { _ = try await inbox.add(example(number)) }
    let reader = InboxReader(inbox, fetchBytes: 60)
    reader.seek(0, after: PartitionPlace(BrokerOffset(1)))
    var read: [BrokerMessage] = []
    while case .messages(let messages) = try reader.poll(0, seconds: 0) { read += messages }
    #expect(read.map(\.offset.major) == [2, 3, 4])
    #expect(reader.lag(after: PartitionPlace(BrokerOffset(1)), in: 0) == 3)
    async let accepted = inbox.add(example(5))
    guard case .messages(let next) = try reader.poll(0, seconds: 600) else {
      Issue.record("The reader must wait for the message.")
      return
    }
    #expect(next.map(\.offset.major) == [5])
    #expect(try await accepted.position == 5)
    #expect(reader.confirm([PartitionPlace(BrokerOffset(4))]) == nil)
    #expect(try #require(reader.kept(0).first).major > 0)
    inbox.close()
  }
}
