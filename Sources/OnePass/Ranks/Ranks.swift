import Foundation
import OnePassCore
import OnePassTorch

/// The processes that train together, or a single process.
///
/// All ranks take the same steps and make the same choices. All of them take part in every exchange. A rank that is lost or
/// deviates ends the run on every rank, see `ProcessGroup`.
final class Ranks {
  /// `nil` for a single process, which opens no network connections.
  let group: ProcessGroup?
  let shares: BatchShares
  /// Bytes that this rank has sent, without gradients.
  private(set) var bytesSent = 0

  init(_ group: ProcessGroup?) {
    self.group = group
    shares = BatchShares(ranks: group?.size ?? 1)
  }

  var rank: Int { group?.rank ?? 0 }
  var count: Int { shares.ranks }
  /// Whether this is the rank that writes the run's files.
  var isFirst: Bool { rank == 0 }

  /// Returns the records of all ranks, in the order of ranks.
  func gather<Record: RankRecord>(_ records: [Record]) throws -> [Record] {
    guard let group else { return records }
    let mine = Record.encode(records)
    bytesSent += mine.count * (count - 1)
    return try group.gather(mine).enumerated().flatMap { rank, bytes in
      rank == group.rank ? records : try Record.decode(bytes, from: rank)
    }
  }

  /// Sends each rank its records, and returns the records from each rank.
  func exchange<Record: RankRecord>(_ parcels: [[Record]]) throws -> [[Record]] {
    guard let group else { return parcels }
    let encoded = parcels.map { Record.encode($0) }
    bytesSent += encoded.enumerated().reduce(0) { $0 + ($1.offset == group.rank ? 0 : $1.element.count) }
    return try group.exchange(encoded).enumerated().map { rank, bytes in
      try Record.decode(bytes, from: rank)
    }
  }

  /// Returns the sums over all ranks.
  func sum(_ values: [Double]) throws -> [Double] { try group?.sum(values) ?? values }

  /// Returns the first rank's time, on every rank.
  func agreedTime() throws -> Date {
    Date(timeIntervalSince1970: try sum([isFirst ? Date().timeIntervalSince1970 : 0])[0])
  }

  /// Waits until all ranks have called it.
  func barrier() throws { try group?.barrier() }
}
