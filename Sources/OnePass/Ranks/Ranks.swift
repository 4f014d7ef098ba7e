import Foundation
import OnePassCore
import OnePassTorch

/// The processes that train together, or this one alone.
///
/// All of them take the same steps and make the same choices. What they tell each other is told to all; whoever is lost or
/// does something else ends the run on every rank, see `ProcessGroup`.
final class Ranks {
  /// `nil` where there is one process, which opens no network.
  let group: ProcessGroup?
  let shares: BatchShares
  /// What this rank has sent so far, gradients aside.
  private(set) var bytesSent = 0

  init(_ group: ProcessGroup?) {
    self.group = group
    shares = BatchShares(ranks: group?.size ?? 1)
  }

  var rank: Int { group?.rank ?? 0 }
  var count: Int { shares.ranks }
  /// Whether this one keeps the records: folder, ledger, result.
  var isFirst: Bool { rank == 0 }

  /// The records of all ranks, in the order of ranks.
  func gather<Record: RankRecord>(_ records: [Record]) throws -> [Record] {
    guard let group else { return records }
    let mine = Record.encode(records)
    bytesSent += mine.count * (count - 1)
    return try group.gather(mine).enumerated().flatMap { rank, bytes in
      rank == group.rank ? records : try Record.decode(bytes, from: rank)
    }
  }

  /// Sends each rank records of its own, and receives what each has for this one.
  func exchange<Record: RankRecord>(_ parcels: [[Record]]) throws -> [[Record]] {
    guard let group else { return parcels }
    let encoded = parcels.map { Record.encode($0) }
    bytesSent += encoded.enumerated().reduce(0) { $0 + ($1.offset == group.rank ? 0 : $1.element.count) }
    return try group.exchange(encoded).enumerated().map { rank, bytes in
      try Record.decode(bytes, from: rank)
    }
  }

  /// The sums over all ranks.
  func sum(_ values: [Double]) throws -> [Double] { try group?.sum(values) ?? values }

  /// The first rank's time, on every rank.
  func agreedTime() throws -> Date {
    Date(timeIntervalSince1970: try sum([isFirst ? Date().timeIntervalSince1970 : 0])[0])
  }

  /// Waits until all have come here.
  func barrier() throws { try group?.barrier() }
}
