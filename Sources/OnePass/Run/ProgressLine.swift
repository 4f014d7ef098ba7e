import Foundation

/// An event of a run as a line of JSON, for programs that monitor it.
///
/// ```
/// {"event":"step","step":{"step":12,"steps":79,"loss":2.1,…},"time":"2026-11-30T06:59:01.123Z"}
/// ```
///
/// ```swift
/// let result = try TrainingRun(configuration).start { event in
///   if let line = try? ProgressLine(event).text { print(line) }
/// }
/// ```
public struct ProgressLine: Codable, Sendable {
  /// The kind of an event.
  public enum Event: String, Codable, Sendable, CaseIterable {
    case notice, waiting, started, resumed, step, drift, checkpoint, evaluated, stopped, finished, failed
  }

  /// The kind of the event. Members of other kinds are `nil`.
  public var event: Event
  /// The time of the event in UTC, in ISO 8601 with milliseconds; `nil` in lines of earlier versions.
  public var time: String?
  /// The rank that writes the line; `nil` for a single process.
  public var rank: Int?
  /// The text of a notice, a drift, a wait, a stop or a failure.
  public var message: String?
  /// The plan of a run that starts.
  public var plan: TrainingPlan?
  /// The state after a step.
  public var step: StepReport?
  /// The change of the rate of errors.
  public var drift: DriftAlarm?
  /// The number of steps done at a resumption, a checkpoint, a measured accuracy or a stop.
  public var stepsDone: Int?
  /// The number of steps of a run that was stopped.
  public var steps: Int?
  /// The number of examples evaluated so far, or at a resumption, of examples taken from the stream.
  public var examples: Int?
  /// The number of examples to evaluate; `nil` if it is unknown.
  public var total: Int?
  /// The accuracy at the end of an evaluation.
  public var accuracy: RunResult.Accuracy?
  /// The duration of a wait, or of the writing of a checkpoint, in seconds.
  public var seconds: Double?
  /// The output folder of a run that was stopped or is finished; `nil` if nothing was written.
  public var output: String?
  /// The result of a finished run.
  public var result: RunResult?
  /// The exit status of a run that was stopped or failed.
  public var status: Int32?

  /// Creates a line at the current time.
  public init(_ event: Event, message: String? = nil) {
    self.event = event
    self.message = message
    time = Self.time()
  }

  /// Creates the line of an event.
  public init(_ event: TrainingEvent) {
    switch event {
    case .notice(let text): self.init(.notice, message: text)
    case .started(let plan):
      self.init(.started)
      self.plan = plan
    case .resumed(let stepsDone, let examplesSeen):
      self.init(.resumed)
      (self.stepsDone, examples) = (stepsDone, examplesSeen)
    case .step(let report):
      self.init(.step)
      step = report
    case .drift(let alarm):
      self.init(.drift, message: alarm.description)
      drift = alarm
    case .checkpoint(let stepsDone, let seconds):
      self.init(.checkpoint)
      (self.stepsDone, self.seconds) = (stepsDone, seconds)
    case .evaluated(let examples, let total):
      self.init(.evaluated)
      (self.examples, self.total) = (examples, total)
    case .measured(let accuracy, let stepsDone):
      self.init(.evaluated)
      (self.accuracy, self.stepsDone, examples) = (accuracy, stepsDone, accuracy.examples)
    }
  }

  /// The line, without a line break: line breaks and control characters in texts are escaped.
  public var text: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
  }

  /// The current time as in ``time``: `2026-11-30T06:59:01.123Z`.
  package static func time() -> String {
    Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }
}
