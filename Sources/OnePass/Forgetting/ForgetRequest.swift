import Foundation
import OnePassCore
import OnePassReplay

/// A request to remove examples from the memory of a run.
///
/// It selects the examples to which all of its criteria apply.
///
/// ```swift
/// let request = ForgetRequest(subjects: ["patient-17"], reference: "ticket 204")
/// let forgetting = try Forgetting(request, in: "runs/scans")
/// print(forgetting.positions.count)
/// ```
public struct ForgetRequest: Sendable {
  /// The upper bound of arrival: a position or a time.
  public enum Bound: Hashable, Sendable {
    /// Examples before this position of the stream.
    case position(Int)
    /// Examples that arrived before this time.
    case time(Date)

    /// Parses `50000` (a position), `2026-11-24` (a day in UTC) or `2026-11-24T18:30:00Z`.
    /// - Throws: `OnePassError` (`usage`) if the text has none of these forms.
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
        throw OnePassError.valueOutOfRange(
          "--before",
          mustBe: "a position (50000), a day in UTC (2026-11-24) or a time (2026-11-24T18:30:00Z)",
          got: text)
      }
    }
  }

  /// The subjects of the examples; empty for any.
  public var subjects: Set<String>
  /// The name or label of their class; `nil` for any.
  public var className: String?
  /// The bound before which they arrived; `nil` for none.
  public var before: Bound?
  /// The positions of the examples in the stream; empty for any.
  public var positions: Set<Int>
  /// A reference for the audit log, such as a ticket number. The log does not contain the subject itself.
  public var reference: String?

  /// Creates a request from the criteria that the examples must meet.
  ///
  /// A request without any criterion is rejected when it is carried out.
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

  /// Whether the request selects all examples of its subjects.
  var isAboutSubjectsOnly: Bool { className == nil && before == nil && positions.isEmpty }

  /// Returns the predicate that selects the items of a saved state.
  /// - Parameter passed: The positions of the subjects' examples, which select items without a recorded subject.
  /// - Throws: `OnePassError` (`usage`) if the request does not apply to the run.
  func matches(
    _ run: StoredRun, _ point: StoredRun.Point, passed: Set<Int>
  ) throws -> (MemoryItem) -> Bool {
    guard !subjects.isEmpty || className != nil || before != nil || !positions.isEmpty else {
      throw OnePassError.nothingToForget
    }
    let taken = run.points.last?.examples ?? 0
    if let position = positions.first(where: { !(0..<taken).contains($0) }) {
      throw OnePassError.positionNotTaken(position, run: run.path, taken: taken)
    }
    if !subjects.isEmpty, run.configuration.data.subjectKey == nil {
      throw OnePassError.subjectsNotRecorded(run.path)
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
        && (subjects.isEmpty || item.subject.map(subjects.contains) ?? passed.contains(item.id))
        && (label == nil || item.label == label) && (bound == nil || item.id < bound ?? 0)
    }
  }

  private static func position(before time: Date, in run: StoredRun, _ point: StoredRun.Point) throws -> Int {
    guard let arrivals = point.arrivals else { throw OnePassError.arrivalTimesNotRecorded(run.path) }
    return arrivals.position(before: time)
  }

  private static func label(_ name: String, of run: StoredRun) throws -> Int {
    if let label = run.classNames?.firstIndex(of: name) { return label }
    if let label = Int(name), (0..<run.plan.classes).contains(label) { return label }
    throw OnePassError.unknownClass(name, run: run.path)
  }
}
