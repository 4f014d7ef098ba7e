import Foundation

/// Arrival times of examples, and which examples have exceeded their time to live (`--time-to-live`).
struct Expiry {
  private let timeToLive: TimeToLive?
  private let ranks: Ranks
  var arrivals = ArrivalLog()

  /// - Parameter timeToLive: How long an example may stay in the memory; `nil` for no limit.
  init(_ timeToLive: TimeToLive?, ranks: Ranks) {
    self.timeToLive = timeToLive
    self.ranks = ranks
  }

  /// The position before which all examples have expired; `nil` without a time to live.
  /// - Parameter taken: The number of examples taken from the stream.
  func horizon(taken: Int) throws -> Int? {
    switch timeToLive {
    case .examples(let count): taken - count
    case .seconds(let seconds): arrivals.position(before: try now() - seconds)
    case nil: nil
    }
  }

  /// The current time. It is the first rank's where expiry depends on time, so that all ranks remove the same items.
  func now() throws -> Date {
    guard case .seconds = timeToLive else { return Date() }
    return try ranks.agreedTime()
  }
}
