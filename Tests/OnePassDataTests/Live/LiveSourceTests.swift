import Foundation
import OnePassBrokers
import OnePassCore
import TestSupport
import Testing

@testable import OnePassData

@Suite("Streams of brokers") struct LiveSourceTests: LiveChecks {
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
      let second = try resumed(broker, at: position, saved)
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
    for message in 0..<4 { broker.append(try tar(message, samples: 3), label: nil) }
    let all = whole(try read(try broker.source(.tar), 12))
    let expected = (0..<12).map { index -> [UInt8] in
      let sample = UInt8(index % 3)
      return [UInt8(index / 3), sample, sample]
    }
    #expect(all == expected)
    for position in 0...12 {
      let first = try broker.source(.tar)
      _ = try read(first, position)
      let second = try resumed(broker, at: position, of: first, .tar)
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
      let second = try resumed(broker, at: 0, of: first)
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
    let second = try resumed(broker, at: 1, of: first)
    #expect(whole(try read(second, 1)) == [[2, 2]])
  }

  @Test("Messages that were removed stop the run, or are counted and passed")
  func gaps() throws {
    let broker = filled(10)
    let first = try broker.source()
    _ = try read(first, 3)
    let mark = first.mark(at: 3)
    broker.partitions[0].removeFirst(3)
    let intact = try resumed(broker, at: 3, mark)
    #expect(whole(try read(intact, 1)) == [[3, 1]])

    broker.partitions[0].removeFirst(2)
    let error = #expect(throws: OnePassError.self) { try resumed(broker, at: 3, mark) }
    #expect(
      error?.message
        == "kafka://stub:9092/t: 2 messages after 2 were removed before they were read; keep messages for "
        + "longer, or pass --on-gap continue to train on what is left.")
    let passing = try resumed(broker, at: 3, mark, gaps: .continue)
    let left = (5..<10).map { index -> [UInt8] in [UInt8(index), 1] }
    #expect(whole(try read(passing, 5)) == left)
    #expect(passing.mark(at: 8).lost == 2)
    #expect(passing.report.counts == ["removed before it was read": 2])
  }

  @Test("A stream that ends before the mark, or has other messages there, is refused")
  func otherStream() throws {
    let broker = filled(10)
    let first = try broker.source()
    _ = try read(first, 8)
    func problem(of other: StubBroker) throws -> OnePassError? {
      #expect(throws: OnePassError.self) { try resumed(other, at: 8, of: first) }
    }
    let short = filled(6)
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
    let compacted = filled(10)
    compacted.partitions[0].remove(at: 5)
    let source = try resumed(compacted, at: 8, of: first)
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
}
