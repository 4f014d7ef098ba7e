import Foundation

/// The arrival times of examples, with a resolution of ten seconds.
///
/// It converts a time to a position of the stream, so that items of the memory need no time of their own.
struct ArrivalLog: Codable, Hashable {
  /// Examples from `position` up to the next entry arrived at `time` or up to ten seconds later.
  private struct Entry: Codable, Hashable {
    var position: Int
    /// Seconds since 1970.
    var time: Double
  }

  private var entries: [Entry] = []
  private static let resolution = 10.0

  /// Records that the example at `position` arrives at `time`.
  mutating func note(_ position: Int, at time: Date = Date()) {
    let seconds = time.timeIntervalSince1970
    guard entries.last.map({ abs(seconds - $0.time) >= Self.resolution }) ?? true else { return }
    entries.append(Entry(position: position, time: seconds))
  }

  /// A position such that all examples that arrived before `time` are in front of it.
  ///
  /// Examples of the ten seconds after `time` may be in front of it too.
  func position(before time: Date) -> Int {
    let seconds = time.timeIntervalSince1970
    guard let last = entries.lastIndex(where: { $0.time < seconds }) else { return 0 }
    return last + 1 < entries.count ? entries[last + 1].position : .max
  }
}
