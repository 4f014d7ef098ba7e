import OnePassCore
import Synchronization

/// What a broker and the run report about the reading, on any thread.
final class KafkaMonitor: Sendable {
  private struct Target {
    var client: KafkaClient
    var count: Int
  }

  /// The present client; it changes when the number of partitions grows.
  private let target: Mutex<Target>
  private let partitions = Mutex<[Int: Partition]>([:])

  private struct Partition {
    var last: BrokerOffset?
    /// The offset after the last message and the gap behind it.
    var position: Int64?
  }

  init(_ client: KafkaClient, count: Int) { target = Mutex(Target(client: client, count: count)) }

  /// Notes a new client and the number of partitions.
  func note(_ client: KafkaClient, count: Int) {
    target.withLock { $0 = Target(client: client, count: count) }
  }

  /// Notes how far a partition was polled.
  func note(_ partition: KafkaPartition) {
    let (number, last, position) = (partition.number, partition.place?.last, partition.position)
    partitions.withLock { $0[number] = Partition(last: last, position: position) }
  }

  /// The offset after a place, behind markers of transactions where that is known.
  private func next(after place: PartitionPlace, in number: Int) -> Int64 {
    let known = partitions.withLock { $0[number] }
    let next = Int64(place.last.major) + 1
    return known?.last == place.last ? max(next, known?.position ?? next) : next
  }

  /// The ends of all partitions; `nil` if the broker does not answer.
  func ends() -> [Range<Int64>]? {
    let (client, count) = target.withLock { ($0.client, $0.count) }
    var ends: [Range<Int64>] = []
    for number in 0..<count {
      guard case .success(let end) = client.watermarks(number, within: 1) else { return nil }
      ends.append(end)
    }
    return ends
  }

  /// The number of offsets from a place to the end of what is committed.
  func lag(after place: PartitionPlace?, in number: Int, of ends: Range<Int64>) -> Int {
    let start = place.map { next(after: $0, in: number) } ?? ends.lowerBound
    return Int(max(0, ends.upperBound - max(start, ends.lowerBound)))
  }

  /// Stores places as offsets of the group.
  /// - Returns: The reason of a failure.
  func confirm(_ places: [PartitionPlace?]) -> String? {
    let offsets = places.enumerated().compactMap { number, place in
      place.map { (partition: number, next: next(after: $0, in: number)) }
    }
    guard !offsets.isEmpty else { return nil }
    let client = target.withLock { $0.client }
    return client.commit(offsets, within: 5).map {
      "\(client.address): the group's offsets cannot be stored (\($0.text))."
    }
  }
}
