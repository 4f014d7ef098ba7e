import Foundation
import OnePass
import OnePassCore

/// The late labels of an inbox: those of its messages, and those of segments that were removed, from a file.
struct LateLabelCounts {
  private struct Removed: Codable {
    /// The number of the first message that is not counted.
    var end: UInt64 = 0
    var labels = Inbox.LateLabels()
  }

  private static let name = "late-labels.json"
  private var removed = Removed()
  /// By the first number of their segment.
  private var segments: [UInt64: Inbox.LateLabels] = [:]

  /// - Parameter folder: The folder of the inbox.
  /// - Throws: `OnePassError` (`badData`) if the file is damaged.
  init(_ folder: String) throws {
    let path = "\(folder)/\(Self.name)"
    guard let data = FileManager.default.contents(atPath: path) else { return }
    do { removed = try JSONDecoder().decode(Removed.self, from: data) } catch {
      throw OnePassError.damagedJournal(path, at: 0)
    }
  }

  /// Those of the whole inbox, from its first message on.
  var sum: Inbox.LateLabels {
    segments.values.reduce(into: removed.labels) {
      $0.labelled += $1.labelled
      $0.correct += $1.correct
    }
  }

  mutating func add(isCorrect: Bool, at place: Journal.Place) {
    // A segment that a crash has left although it was counted.
    guard place.number >= removed.end else { return }
    segments[place.segment, default: .init()].labelled += 1
    segments[place.segment, default: .init()].correct += isCorrect ? 1 : 0
  }

  /// Saves those of the segments before a number, which can be removed then.
  mutating func save(before end: UInt64, in folder: String) throws {
    var rest = self
    rest.segments = segments.filter { $0.key >= end }
    var old = self
    old.segments = segments.filter { $0.key < end }
    rest.removed = Removed(end: end, labels: old.sum)
    try DurableFile.write(JSONEncoder().encode(rest.removed), to: "\(folder)/\(Self.name)")
    self = rest
  }
}
