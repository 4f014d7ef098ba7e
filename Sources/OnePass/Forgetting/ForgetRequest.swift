import Foundation
import OnePassCore
import OnePassReplay

/// Which examples a run has to forget: those to which everything that is given applies.
public struct ForgetRequest: Sendable {
  /// Up to when examples came.
  public enum Bound: Hashable, Sendable {
    /// Before this position of the stream.
    case position(Int)
    case time(Date)

    /// `50000` (a position), `2026-11-24` or `2026-11-24T18:30:00Z`.
    /// - Throws: `OnePassError` (`usage`) if the text is none of them.
    public init(_ text: String) throws {
      let day = ISO8601DateFormatter()
      day.formatOptions = [.withFullDate]
      if let position = Int(text), position >= 0 {
        self = .position(position)
      } else if let date = ISO8601DateFormatter().date(from: text)
        ?? (text.count == 10 ? day.date(from: text) : nil)
      {
        self = .time(date)
      } else {
        throw OnePassError(
          .usage,
          "--before \(text) is not possible: give a position of the stream (50000), a day (2026-11-24, in UTC) or a time "
            + "(2026-11-24T18:30:00Z).")
      }
    }
  }

  /// Whom they are about: any of these.
  public var subjects: Set<String>
  /// Their class, by name or number.
  public var className: String?
  public var before: Bound?
  /// Their positions in the stream: any of these.
  public var positions: Set<Int>
  /// What the audit log says of the request: a ticket's number, say. The subject itself is not written there.
  public var reference: String?

  public init(
    subjects: Set<String> = [], className: String? = nil, before: Bound? = nil, positions: Set<Int> = [],
    reference: String? = nil
  ) {
    self.subjects = subjects
    self.className = className
    self.before = before
    self.positions = positions
    self.reference = reference
  }

  /// Whether all that passed of the subjects is meant.
  var isAboutSubjectsOnly: Bool { className == nil && before == nil && positions.isEmpty }

  /// What has to go of a saved state.
  /// - Throws: `OnePassError` (`usage`) if the request makes no sense for the run.
  func matches(_ run: StoredRun, _ point: StoredRun.Point) throws -> (MemoryItem) -> Bool {
    guard !subjects.isEmpty || className != nil || before != nil || !positions.isEmpty else {
      throw OnePassError(
        .usage, "There is nothing to forget: say --subject, --class, --before or --position.")
    }
    let taken = run.points.last?.examples ?? 0
    if let impossible = positions.first(where: { !(0..<taken).contains($0) }) {
      throw OnePassError(
        .usage, "The run in \(run.path) has taken no example \(impossible): give a position below \(taken).")
    }
    if !subjects.isEmpty, run.configuration.data.subjectKey == nil {
      throw OnePassError(
        .usage, "The run in \(run.path) knows no subjects: it was trained without --subject-key.")
    }
    let label = try className.map { try Self.label($0, of: run) }
    let bound: Int? =
      switch before {
      case .position(let position): position
      case .time(let time): try Self.position(before: time, in: run, point)
      case nil: nil
      }
    let (subjects, positions) = (subjects, positions)
    return { item in
      (positions.isEmpty || positions.contains(item.id))
        && (subjects.isEmpty || item.subject.map(subjects.contains) ?? false)
        && (label == nil || item.label == label) && (bound == nil || item.id < bound ?? 0)
    }
  }

  private static func position(before time: Date, in run: StoredRun, _ point: StoredRun.Point) throws -> Int {
    guard let arrivals = point.arrivals else {
      throw OnePassError(
        .usage, "The run in \(run.path) does not know when its examples came: give a position with --before.")
    }
    return arrivals.position(before: time)
  }

  private static func label(_ name: String, of run: StoredRun) throws -> Int {
    if let label = run.classNames?.firstIndex(of: name) { return label }
    if let label = Int(name), (0..<run.plan.classes).contains(label) { return label }
    throw OnePassError(.usage, "The run in \(run.path) has no class \(name): give its name or its number.")
  }
}
