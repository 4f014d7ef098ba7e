import Foundation

/// A training event as a line of JSON, for programs that monitor a run.
///
/// ```
/// {"event":"step","step":{"step":12,"steps":79,"loss":2.1,…}}
/// ```
///
/// ```swift
/// let result = try TrainingRun(configuration).start { event in
///   if let line = try? ProgressLine(event).text { print(line) }
/// }
/// ```
public struct ProgressLine: Codable, Sendable {
  /// The kind of an event.
  public enum Event: String, Codable, Sendable {
    case notice, started, step, evaluated
  }

  /// The kind of the event. Members of other kinds are `nil`.
  public var event: Event
  /// The text of a notice.
  public var message: String?
  /// The plan of a run that starts.
  public var plan: TrainingPlan?
  /// The state after a step.
  public var step: StepReport?
  /// The number of examples evaluated so far.
  public var examples: Int?
  /// The number of examples to evaluate; `nil` if it is unknown.
  public var total: Int?

  /// Creates the line of an event.
  public init(_ event: TrainingEvent) {
    switch event {
    case .notice(let text): (self.event, message) = (.notice, text)
    case .started(let plan): (self.event, self.plan) = (.started, plan)
    case .step(let report): (self.event, step) = (.step, report)
    case .evaluated(let examples, let total):
      (self.event, self.examples, self.total) = (.evaluated, examples, total)
    }
  }

  /// The line, without a line break.
  public var text: String {
    get throws { String(decoding: try JSONEncoder().encode(self), as: UTF8.self) }
  }
}
