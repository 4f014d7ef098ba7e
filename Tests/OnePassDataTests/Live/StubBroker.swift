import OnePassBrokers
import OnePassCore
import TestSupport
import Testing

@testable import OnePassData

/// A stream in memory, whose messages are numbered from 0 in each partition.
final class StubBroker {
  struct Stored {
    var offset: UInt64
    var message: BrokerMessage
  }

  var partitions: [[Stored]]
  private var next: [UInt64]
  var confirmed: [PartitionPlace?] = []

  init(partitions count: Int = 1) {
    partitions = Array(repeating: [], count: count)
    next = Array(repeating: 0, count: count)
  }

  /// Removes the messages before an offset, as retention does.
  func remove(before offset: UInt64, in partition: Int = 0) {
    partitions[partition].removeAll { $0.offset < offset }
  }

  func append(_ body: [UInt8], label: String?, to partition: Int = 0) {
    var message = BrokerMessage(offset: BrokerOffset(next[partition]), body: body)
    message.partition = partition
    if let label { message.headers = [BrokerHeader("label", label.utf8)] }
    partitions[partition].append(Stored(offset: next[partition], message: message))
    next[partition] += 1
  }

  func skipOffsets(_ count: UInt64, in partition: Int = 0) { next[partition] += count }

  func addPartition() {
    partitions.append([])
    next.append(0)
  }

  func newest(_ partition: Int) -> UInt64? { next[partition] == 0 ? nil : next[partition] - 1 }

  /// A source that reads it.
  func source(
    _ form: MessageForm = .image, gaps: GapPolicy = .stop, classCount: Int? = 10, classNames: [String]? = nil,
    labelKey: LabelKey? = nil, rejectedLimit: Double = 1
  ) throws -> LiveSource {
    let address = try BrokerAddress("kafka://stub/t")
    var options = LiveOptions()
    (options.form, options.gaps, options.rejectedLimit) = (form, gaps, rejectedLimit)
    let request = SourceRequest(
      "\(address)", seed: 1, classNames: classNames, subjectKey: nil, classCount: classCount,
      labelKey: labelKey,
      live: options)
    return LiveSource(
      StubReader(self), of: address, try MessageMapping(form, request), options, request)
  }
}

/// Reads a stub, at most three messages at a time.
private final class StubReader: BrokerReader {
  private let broker: StubBroker
  private var positions: [Int: UInt64] = [:]

  init(_ broker: StubBroker) { self.broker = broker }

  func partitionCount() -> Int { broker.partitions.count }

  func kept(_ partition: Int) -> KeptMessages {
    KeptMessages(
      first: broker.partitions[partition].first.map { BrokerOffset($0.offset) },
      newest: broker.newest(partition).map { BrokerOffset($0) })
  }

  func seek(_ partition: Int, after place: PartitionPlace?) {
    positions[partition] = place.map { $0.last.major + 1 } ?? 0
  }

  func poll(_ partition: Int, seconds: Double) throws -> PolledMessages {
    let start = positions[partition] ?? 0
    let place = start == 0 ? nil : PartitionPlace(BrokerOffset(start - 1))
    if let lost = kept(partition).lost(after: place), lost > 0 {
      throw OnePassError.messagesLost(try BrokerAddress("kafka://stub/t"), count: lost, after: place?.last)
    }
    let messages = broker.partitions[partition].filter { $0.offset >= start }.prefix(3).map(\.message)
    guard let last = messages.last else { return .end }
    positions[partition] = last.offset.major + 1
    return .messages(Array(messages))
  }

  func confirm(_ places: [PartitionPlace?]) -> String? {
    broker.confirmed = places
    return nil
  }

  func lag(after place: PartitionPlace?, in partition: Int) -> Int? {
    broker.newest(partition).map { Int($0) - (place.map { Int($0.last.major) } ?? -1) } ?? 0
  }

  func close() {}
}

/// What the tests of streams share.
protocol LiveChecks {}

extension LiveChecks {
  /// Two partitions of unequal length, with messages that hold no example among them.
  func broker(messages: Int = 30) -> StubBroker {
    let broker = StubBroker(partitions: 2)
    for index in 0..<messages {
      let partition = index % 3 == 0 ? 1 : 0
      broker.append([UInt8(index), 1], label: index % 7 == 3 ? nil : "\(index % 10)", to: partition)
      if index % 5 == 0 { broker.skipOffsets(2, in: partition) }
    }
    return broker
  }

  func read(_ source: LiveSource, _ count: Int) throws -> [Example] {
    try (0..<count).map { _ in try #require(try source.next()) }
  }

  func whole(_ examples: [Example]) -> [[UInt8]] {
    examples.map { $0.image.bytes + [UInt8($0.label)] }
  }

  /// A stream of one partition with small messages of class 1, numbered from 0.
  func filled(_ count: Int) -> StubBroker {
    let broker = StubBroker()
    for index in 0..<count { broker.append([UInt8(index)], label: "1") }
    return broker
  }

  /// A source that resumes at a position of another one.
  func resumed(
    _ broker: StubBroker, at position: Int, of source: LiveSource, gaps: GapPolicy = .stop,
    _ form: MessageForm = .image
  ) throws -> LiveSource {
    try resumed(broker, at: position, source.mark(at: position), gaps: gaps, form)
  }

  /// A source that resumes at a mark.
  func resumed(
    _ broker: StubBroker, at position: Int, _ mark: StreamMark, gaps: GapPolicy = .stop,
    _ form: MessageForm = .image
  ) throws -> LiveSource {
    let next = try broker.source(form, gaps: gaps)
    next.prepareToRestore(mark, at: position)
    try next.restore(position: position)
    return next
  }

  func tar(_ message: Int, samples: Int) throws -> [UInt8] {
    try TarWriter.bytes(
      of: (0..<samples).flatMap { index -> [(name: String, body: [UInt8])] in
        [("\(index).jpg", [UInt8(message), UInt8(index)]), ("\(index).cls", Array("\(index)".utf8))]
      })
  }
}
