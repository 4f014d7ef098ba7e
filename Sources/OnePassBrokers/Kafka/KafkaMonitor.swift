import OnePassCore
import Synchronization

/// What a broker and the run report about the reading, on any thread.
final class KafkaMonitor: Sendable {
  /// The present client; it changes when the number of partitions grows.
  let client: Mutex<KafkaClient>
  private let partitions = Mutex<[Int: Partition]>([:])

  private struct Partition {
    var last: BrokerOffset?
    /// The offset after the last message and the gap behind it.
    var position: Int64?
    var ends: Range<Int64>?
    var askedAt: ContinuousClock.Instant?
  }

  init(_ client: KafkaClient) { self.client = Mutex(client) }

  /// Notes how far a partition was polled.
  func note(_ partition: KafkaPartition) {
    let (number, last, position) = (partition.number, partition.place?.last, partition.position)
    partitions.withLock {
      $0[number, default: Partition()].last = last
      $0[number, default: Partition()].position = position
    }
  }

  /// The offset after a place, behind markers of transactions where that is known.
  private func next(after place: PartitionPlace, in number: Int) -> Int64 {
    let known = partitions.withLock { $0[number] }
    let next = Int64(place.last.major) + 1
    return known?.last == place.last ? max(next, known?.position ?? next) : next
  }

  /// The number of offsets from a place to the end of what is committed. The broker is asked at most every two seconds.
  func lag(after place: PartitionPlace?, in number: Int) -> Int? {
    let known = partitions.withLock { $0[number] }
    var ends = known?.ends
    if known?.askedAt.map({ .now - $0 > .seconds(2) }) ?? true {
      let client = client.withLock { $0 }
      ends = try? client.watermarks(number, within: 1).get()
      partitions.withLock {
        $0[number, default: Partition()].ends = ends
        $0[number, default: Partition()].askedAt = .now
      }
    }
    guard let ends else { return nil }
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
    let client = client.withLock { $0 }
    return client.commit(offsets, within: 5).map {
      "\(client.address): the group's offsets cannot be stored (\($0.text))."
    }
  }
}
