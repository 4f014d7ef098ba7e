import Foundation

/// A training event as a line of JSON, for programs that watch a run.
///
/// ```
/// {"event":"step","step":{"step":12,"steps":79,"loss":2.1,…}}
/// ```
public struct ProgressLine: Codable, Sendable {
  /// What happened; of the other members, those are there that belong to it.
  public enum Event: String, Codable, Sendable {
    case notice, started, step, evaluated
  }

  public var event: Event
  /// What a notice says.
  public var message: String?
  public var plan: TrainingPlan?
  public var step: StepReport?
  /// Examples evaluated so far.
  public var examples: Int?
  /// Examples to evaluate, where that is known.
  public var total: Int?

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
