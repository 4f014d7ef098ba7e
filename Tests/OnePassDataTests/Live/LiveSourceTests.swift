import Foundation
import OnePassBrokers
import OnePassCore
import TestSupport
import Testing

@testable import OnePassData

@Suite("Streams of brokers") struct LiveSourceTests {
  /// Two partitions of unequal length, with messages that hold no example among them.
  private func broker(messages: Int = 30) -> StubBroker {
    let broker = StubBroker(partitions: 2)
    for index in 0..<messages {
      let partition = index % 3 == 0 ? 1 : 0
      broker.append([UInt8(index), 1], label: index % 7 == 3 ? nil : "\(index % 10)", to: partition)
      if index % 5 == 0 { broker.skipOffsets(2, in: partition) }
    }
    return broker
  }

  private func read(_ source: LiveSource, _ count: Int) throws -> [Example] {
    try (0..<count).map { _ in try #require(try source.next()) }
  }

  private func whole(_ examples: [Example]) -> [[UInt8]] {
    examples.map { $0.image.bytes + [UInt8($0.label)] }
  }

  @Test("Partitions take turns, each in its order, and a message without a label is left out and counted")
  func turns() throws {
    let broker = broker()
    let source = try broker.source()
    let examples = try read(source, 26)
    #expect(examples.map(\.id) == Array(0..<26))
    let labelled = (0..<30).filter { $0 % 7 != 3 }
    #expect(examples.map { Int($0.image.bytes[0]) }.sorted() == labelled)
    // 3 has no label and takes the second turn of partition 1.
    #expect(examples.prefix(4).map { $0.image.bytes[0] } == [1, 0, 2, 4])
    #expect(source.report.leftOut.map(\.count) == [4])
    let rejected = source.settle(upTo: 26)
    #expect(rejected.count == 4)
    #expect(rejected.allSatisfy { $0.reason == "no label" && $0.partition != nil })
    #expect(source.rejectedText()?.hasPrefix("4 messages hold none, the last one at partition ") == true)
  }

  @Test("A source that resumes at any mark delivers what is left, bit for bit")
  func resumes() throws {
    let broker = broker()
    let all = whole(try read(try broker.source(), 26))
    for position in 0...26 {
      let first = try broker.source()
      _ = try read(first, min(26, position + 5))
      let mark = first.mark(at: position)
      let saved = try JSONDecoder().decode(StreamMark.self, from: JSONEncoder().encode(mark))
      #expect(saved == mark)
      let second = try broker.source()
      second.prepareToRestore(saved, at: position)
      try second.restore(position: position)
      #expect(whole(try read(second, 26 - position)) == Array(all[position...]), "at \(position)")
    }
  }

  @Test("Settled marks are forgotten, and later ones stay the same")
  func settles() throws {
    let broker = broker()
    let (one, other) = (try broker.source(), try broker.source())
    _ = (try read(one, 20), try read(other, 20))
    _ = other.settle(upTo: 13)
    for position in 13...20 { #expect(one.mark(at: position) == other.mark(at: position)) }
  }

  @Test("A message of several examples is resumed within it")
  func tarBodies() throws {
    let broker = StubBroker()
    for message in 0..<4 {
      let files = (0..<3).flatMap { index -> [(name: String, body: [UInt8])] in
        [("\(index).jpg", [UInt8(message), UInt8(index)]), ("\(index).cls", Array("\(index)".utf8))]
      }
      broker.append(try TarWriter.bytes(of: files), label: nil)
    }
    let all = whole(try read(try broker.source(.tar), 12))
    let expected = (0..<12).map { index -> [UInt8] in
      let sample = UInt8(index % 3)
      return [UInt8(index / 3), sample, sample]
    }
    #expect(all == expected)
    for position in 0...12 {
      let first = try broker.source(.tar)
      _ = try read(first, position)
      let second = try broker.source(.tar)
      second.prepareToRestore(first.mark(at: position), at: position)
      try second.restore(position: position)
      #expect(whole(try read(second, 12 - position)) == Array(all[position...]), "at \(position)")
    }
  }

  @Test("A resumed source repeats the order in which messages had arrived")
  func repeatsOrder() throws {
    let folder = try TemporaryFolder()
    let broker = StubBroker(partitions: 2)
    for index in 0..<4 { broker.append([UInt8(index)], label: "1", to: 0) }
    let first = try broker.source()
    try first.recordOrder(in: "\(folder.path)/order")
    let early = whole(try read(first, 4))
    // The other partition's messages came later. Without the record, they would take the second turn.
    for index in 10..<14 { broker.append([UInt8(index)], label: "1", to: 1) }
    let late = whole(try read(first, 4))
    for (repeats, expected) in [(true, early + late), (false, [])] {
      let second = try broker.source()
      second.prepareToRestore(first.mark(at: 0), at: 0)
      try second.restore(position: 0)
      if repeats { try second.recordOrder(in: "\(folder.path)/order") }
      let again = whole(try read(second, 8))
      if repeats { #expect(again == expected) } else { #expect(again != early + late) }
    }
  }

  @Test("Partitions that are added are read from their start")
  func grows() throws {
    let broker = StubBroker()
    broker.append([1], label: "1")
    let first = try broker.source()
    _ = try read(first, 1)
    broker.addPartition()
    broker.append([2], label: "2", to: 1)
    let second = try broker.source()
    second.prepareToRestore(first.mark(at: 1), at: 1)
    try second.restore(position: 1)
    #expect(whole(try read(second, 1)) == [[2, 2]])
  }

  @Test("Messages that were removed stop the run, or are counted and passed")
  func gaps() throws {
    let broker = StubBroker()
    for index in 0..<10 { broker.append([UInt8(index)], label: "1") }
    let first = try broker.source()
    _ = try read(first, 3)
    let mark = first.mark(at: 3)
    broker.partitions[0].removeFirst(3)
    let intact = try broker.source()
    intact.prepareToRestore(mark, at: 3)
    try intact.restore(position: 3)
    #expect(whole(try read(intact, 1)) == [[3, 1]])

    broker.partitions[0].removeFirst(2)
    let stopped = try broker.source()
    stopped.prepareToRestore(mark, at: 3)
    let error = #expect(throws: OnePassError.self) { try stopped.restore(position: 3) }
    #expect(
      error?.message
        == "kafka://stub:9092/t: 2 messages after 2 were removed before they were read; keep messages for "
        + "longer, or pass --on-gap continue to train on what is left.")
    let passing = try broker.source(gaps: .continue)
    passing.prepareToRestore(mark, at: 3)
    try passing.restore(position: 3)
    let left = (5..<10).map { index -> [UInt8] in [UInt8(index), 1] }
    #expect(whole(try read(passing, 5)) == left)
    #expect(passing.mark(at: 8).lost == 2)
    #expect(passing.report.counts == ["removed before it was read": 2])
  }

  @Test("A stream that ends before the mark, or has other messages there, is refused")
  func otherStream() throws {
    let broker = StubBroker()
    for index in 0..<10 { broker.append([UInt8(index)], label: "1") }
    let first = try broker.source()
    _ = try read(first, 8)
    func problem(of other: StubBroker) throws -> OnePassError? {
      let source = try other.source()
      source.prepareToRestore(first.mark(at: 8), at: 8)
      return #expect(throws: OnePassError.self) { try source.restore(position: 8) }
    }
    let short = StubBroker()
    for index in 0..<6 { short.append([UInt8(index)], label: "1") }
    #expect(
      try problem(of: short)?.message.hasPrefix(
        "kafka://stub:9092/t: the stream ends at 5, before 7, which was read")
        == true)
    let other = StubBroker()
    for index in 0..<10 { other.append([UInt8(index == 5 ? 99 : index)], label: "1") }
    #expect(
      try problem(of: other)?.message.hasPrefix(
        "kafka://stub:9092/t: the message at 5 is not the one that was read")
        == true)
    // A message that compaction has removed since is no difference.
    let compacted = StubBroker()
    for index in 0..<10 { compacted.append([UInt8(index)], label: "1") }
    compacted.partitions[0].remove(at: 5)
    let source = try compacted.source()
    source.prepareToRestore(first.mark(at: 8), at: 8)
    try source.restore(position: 8)
    #expect(whole(try read(source, 2)) == [[8, 1], [9, 1]])
  }

  @Test("Too many messages without an example stop the run")
  func rejectedLimit() throws {
    let broker = StubBroker()
    for index in 0..<200 { broker.append([UInt8(index)], label: index % 4 == 0 ? nil : "1") }
    let source = try broker.source(rejectedLimit: 0.2)
    let error = #expect(throws: OnePassError.self) { _ = try read(source, 150) }
    #expect(error?.code == .badData)
    #expect(
      error?.message.hasPrefix(
        "kafka://stub:9092/t: 26 of 101 messages hold no example (--broken-limit 0.2), the last one at")
        == true)
  }

  @Test("The broker is notified of the places, and the lag is the sum over the partitions")
  func confirms() throws {
    let broker = broker()
    let source = try broker.source()
    _ = try read(source, 9)
    let mark = source.mark(at: 6)
    #expect(source.confirm(mark) == nil)
    #expect(broker.confirmed == mark.places)
    var expected = 0
    for partition in 0..<2 {
      let newest = try #require(broker.newest(partition))
      let place = try #require(mark.places[partition])
      expected += Int(newest) - Int(place.last.major)
    }
    #expect(source.lag(after: mark) == expected)
  }

  /// A source that resumes at a position of another one.
  private func resumed(
    _ broker: StubBroker, at position: Int, of source: LiveSource, gaps: GapPolicy = .stop,
    _ form: MessageForm = .image
  ) throws -> LiveSource {
    let next = try broker.source(form, gaps: gaps)
    next.prepareToRestore(source.mark(at: position), at: position)
    try next.restore(position: position)
    return next
  }

  private func tar(_ message: Int, samples: Int) throws -> [UInt8] {
    try TarWriter.bytes(
      of: (0..<samples).flatMap { index -> [(name: String, body: [UInt8])] in
        [("\(index).jpg", [UInt8(message), UInt8(index)]), ("\(index).cls", Array("\(index)".utf8))]
      })
  }

  @Test("If a message was removed after some of its examples, the next one is delivered whole")
  func begunMessageIsGone() throws {
    let broker = StubBroker()
    for message in 0..<3 { broker.append(try tar(message, samples: 3), label: nil) }
    let first = try broker.source(.tar)
    _ = try read(first, 4)
    // Compaction removes a message between others.
    broker.partitions[0].remove(at: 1)
    let second = try resumed(broker, at: 4, of: first, .tar)
    #expect(try read(second, 3).map { $0.image.bytes } == [[2, 0], [2, 1], [2, 2]])
    #expect(second.report.counts == ["rest of a message that was removed": 1])
  }

  @Test("A begun message that is another one now is refused")
  func begunMessageIsAnother() throws {
    let broker = StubBroker()
    broker.append(try tar(0, samples: 3), label: nil)
    let first = try broker.source(.tar)
    _ = try read(first, 1)
    let other = StubBroker()
    other.append(try tar(9, samples: 3), label: nil)
    let second = try resumed(other, at: 1, of: first, .tar)
    #expect(throws: OnePassError.self) { try second.next() }
  }

  @Test("Messages of a partition that was empty, or is new, are missed if they were removed unread")
  func gapsOfNewPartitions() throws {
    let broker = StubBroker(partitions: 2)
    for index in 0..<3 { broker.append([UInt8(index)], label: "1") }
    let first = try broker.source()
    _ = try read(first, 3)
    broker.addPartition()
    for partition in 1...2 {
      for index in 0..<5 { broker.append([UInt8(index)], label: "2", to: partition) }
      broker.remove(before: 3, in: partition)
    }
    let error = #expect(throws: OnePassError.self) { try resumed(broker, at: 3, of: first) }
    #expect(
      error?.message
        == "kafka://stub:9092/t: 3 messages at the start were removed before they were read; keep messages for "
        + "longer, or pass --on-gap continue to train on what is left.")
    let second = try resumed(broker, at: 3, of: first, gaps: .continue)
    #expect(try read(second, 4).map { $0.image.bytes[0] }.sorted() == [3, 3, 4, 4])
    #expect(second.lostCount == 6)
  }

  @Test("A gap while reading is passed and counted once, also if the run resumes before it or after it")
  func gapWhileReading() throws {
    let broker = StubBroker(partitions: 2)
    for index in 0..<20 { broker.append([UInt8(index)], label: "1", to: index % 2) }
    let first = try broker.source(gaps: .continue)
    _ = try read(first, 4)
    // Three messages of each partition are polled at a time.
    broker.remove(before: 6, in: 0)
    let rest = try read(first, 13)
    #expect(rest.filter { $0.image.bytes[0] % 2 == 0 }.map { $0.image.bytes[0] } == [4, 12, 14, 16, 18])
    #expect(first.lostCount == 3)
    let marks = (4...17).map { first.mark(at: $0).lost }
    #expect(marks == marks.sorted() && marks[0] == 0 && marks[13] == 3)
    // Before that, one that was taken from a queue is removed too.
    for position in 5...17 {
      let second = try resumed(broker, at: position, of: first, gaps: .continue)
      _ = try read(second, 17 - position)
      #expect(second.lostCount == 3 && first.mark(at: position).places.count == 2, "at \(position)")
    }
    let stopping = try broker.source()
    #expect(try read(stopping, 1).count == 1)
    broker.remove(before: 10, in: 0)
    let error = #expect(throws: OnePassError.self) { _ = try read(stopping, 12) }
    #expect(error?.code == .badData)
  }

  @Test("The order of partitions is recorded from the moment when a second one is added")
  func ordersGrowth() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/order"
    let broker = StubBroker()
    for index in 0..<4 { broker.append([UInt8(index)], label: "1") }
    let first = try broker.source()
    try first.recordOrder(in: path)
    let early = whole(try read(first, 4))
    let mark = first.mark(at: 2)
    broker.addPartition()
    for index in 10..<14 { broker.append([UInt8(index)], label: "1", to: 1) }
    first.expireGrowth()
    let late = whole(try read(first, 4))
    broker.append([99], label: "1")
    let second = try broker.source()
    second.prepareToRestore(mark, at: 2)
    try second.restore(position: 2)
    try second.recordOrder(in: path)
    #expect(whole(try read(second, 6)) == Array((early + late)[2...]))
  }

  @Test("A label that changed is another message")
  func labelIsRecognised() throws {
    let broker = StubBroker()
    for index in 0..<4 { broker.append([UInt8(index)], label: "1") }
    let first = try broker.source()
    _ = try read(first, 3)
    let other = StubBroker()
    for index in 0..<4 { other.append([UInt8(index)], label: index == 2 ? "2" : "1") }
    #expect(throws: OnePassError.self) { try resumed(other, at: 3, of: first) }
  }

  @Test("Each partition is recognised by its own messages, however many partitions there are")
  func recognisesEachPartition() throws {
    let broker = StubBroker(partitions: 20)
    for index in 0..<60 { broker.append([UInt8(index)], label: "1", to: index % 20) }
    let first = try broker.source()
    _ = try read(first, 60)
    let known = first.mark(at: 60).known
    #expect(Set(known.map(\.partition)).count == 20)
    #expect(known.count == 60)
    // A message of the first partition differs, whose messages are long past.
    let other = StubBroker(partitions: 20)
    for index in 0..<60 { other.append([index == 40 ? 99 : UInt8(index)], label: "1", to: index % 20) }
    #expect(throws: OnePassError.self) { try resumed(other, at: 60, of: first) }
  }

  @Test("Messages, not examples, are the base of the share that is rejected")
  func rejectedShareOfMessages() throws {
    let broker = StubBroker()
    for index in 0..<200 { broker.append(index % 4 == 0 ? [1] : try tar(0, samples: 5), label: nil) }
    let source = try broker.source(.tar, rejectedLimit: 0.2)
    let error = #expect(throws: OnePassError.self) { _ = try read(source, 700) }
    #expect(error?.message.contains("26 of 101 messages hold no example") == true)
  }

  @Test("An example is located by its partition and offset until it is settled")
  func locates() throws {
    let broker = broker()
    let source = try broker.source()
    let examples = try read(source, 9)
    for example in examples {
      let byte = example.image.bytes[0]
      let partition = byte % 3 == 0 ? 1 : 0
      let offset = try #require(
        broker.partitions[partition].first { $0.message.body[0] == byte }?.offset)
      #expect(source.location(of: example.id) == "partition \(partition), offset \(offset)")
    }
    _ = source.settle(upTo: 5)
    #expect(source.location(of: 4) == nil)
  }

  @Test("Rejected messages of many partitions take one step each")
  func rejectionsAreBounded() throws {
    var marks = StreamMarks(StreamMark(places: [nil, nil]), at: 0)
    for index in 0..<10_000 {
      marks.pass(index % 2, to: PartitionPlace(BrokerOffset(UInt64(index))), rejected: 1)
    }
    let known = StreamMark.Known(partition: 1, before: nil, offset: BrokerOffset(10_001), digest: 0)
    marks.note(known, PartitionPlace(BrokerOffset(10_001)), begun: 0)
    let mark = marks.mark(at: 1)
    #expect(mark.rejected == 10_000 && mark.messages == 10_001)
    #expect(mark.places == [PartitionPlace(BrokerOffset(9_998)), PartitionPlace(BrokerOffset(10_001))])
    #expect(marks.stepCount == 3)
  }

  @Test("The report of an earlier process and what happened while resuming are both kept")
  func restoresReports() throws {
    let broker = StubBroker()
    for index in 0..<10 { broker.append([UInt8(index)], label: "1") }
    let first = try broker.source()
    _ = try read(first, 2)
    broker.remove(before: 5)
    let second = try resumed(broker, at: 2, of: first, gaps: .continue)
    var earlier = SourceReport()
    earlier.leaveOut("no label", example: "offset 0")
    second.restore(report: earlier)
    #expect(second.report.counts == ["no label": 1, "removed before it was read": 3])
  }

  @Test("A stream of a broker is opened for training only")
  func opensForTrainingOnly() {
    let error = #expect(throws: OnePassError.self) {
      _ = try SourceRegistry.open("redis://localhost:1/s", seed: 1, classCount: 10)
    }
    #expect(
      error?.message
        == "redis://localhost:1/s: a broker's stream has no end, so it can only be the --data of `onepass train`; "
        + "use files here.")
  }
}
