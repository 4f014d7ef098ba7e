import OnePassBrokers
import OnePassCore
import TestSupport
import Testing

@testable import OnePassData

@Suite("Messages of a broker that are removed, replaced or rejected") struct LiveGapTests: LiveChecks {
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
    let error = #expect(throws: OnePassError.self) { try second.next() }
    #expect(error?.message.contains("the message at 0 is not the one that was read") == true)
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
    let broker = filled(4)
    let first = try broker.source()
    try first.recordOrder(in: path)
    let early = whole(try read(first, 4))
    let mark = first.mark(at: 2)
    broker.addPartition()
    for index in 10..<14 { broker.append([UInt8(index)], label: "1", to: 1) }
    first.expireGrowth()
    let late = whole(try read(first, 4))
    broker.append([99], label: "1")
    let second = try resumed(broker, at: 2, mark)
    try second.recordOrder(in: path)
    #expect(whole(try read(second, 6)) == Array((early + late)[2...]))
  }

  @Test("A label that changed is another message")
  func labelIsRecognised() throws {
    let broker = filled(4)
    let first = try broker.source()
    _ = try read(first, 3)
    let other = StubBroker()
    for index in 0..<4 { other.append([UInt8(index)], label: index == 2 ? "2" : "1") }
    let error = #expect(throws: OnePassError.self) { try resumed(other, at: 3, of: first) }
    #expect(error?.message.contains("the message at 2 is not the one that was read") == true)
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
    let error = #expect(throws: OnePassError.self) { try resumed(other, at: 60, of: first) }
    #expect(error?.message.contains("the message at 2 is not the one that was read") == true)
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
    let broker = filled(10)
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
