import Foundation

/// When the examples of a stream came, to ten seconds.
///
/// It turns a time into a position of the stream, so that items need not carry one.
struct ArrivalLog: Codable, Hashable {
  /// The examples from `position` on, up to the next entry, came at `time` or up to ten seconds later.
  private struct Entry: Codable, Hashable {
    var position: Int
    /// Seconds since 1970.
    var time: Double
  }

  private var entries: [Entry] = []
  private static let resolution = 10.0

  /// Notes that the example at `position` comes now.
  mutating func note(_ position: Int, at time: Date = Date()) {
    let seconds = time.timeIntervalSince1970
    guard entries.last.map({ abs(seconds - $0.time) >= Self.resolution }) ?? true else { return }
    entries.append(Entry(position: position, time: seconds))
  }

  /// The position before which every example that came before `time` lies; some ten seconds' worth may have come later.
  func position(before time: Date) -> Int {
    let seconds = time.timeIntervalSince1970
    guard let last = entries.lastIndex(where: { $0.time < seconds }) else { return 0 }
    return last + 1 < entries.count ? entries[last + 1].position : .max
  }
}
