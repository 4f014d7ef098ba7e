import OnePassCore

/// An alarm of a detector of drift.
///
/// ```swift
/// let result = try TrainingRun(configuration).start { event in
///   if case .drift(let alarm) = event { print(alarm) }
/// }
/// ```
public struct DriftAlarm: Codable, Hashable, Sendable {
  /// The position in the stream of the example whose prediction raised it.
  public var position: Int
  /// The label of the class whose predictions changed; `nil` for all classes together.
  public var label: Int?
  /// The name of that class, which is its number if the stream has no names.
  public var className: String?
  /// Whether the rate of errors rose or fell.
  public var errors: DriftDirection
}

extension DriftAlarm: CustomStringConvertible {
  /// The text of its notice.
  public var description: String {
    let of = className.map { " of class \($0)" } ?? ""
    return "Drift at example \(Figures.count(position)): the rate of errors\(of) \(errors.rawValue)."
  }
}

/// Watches the errors of the predictions for incoming examples, of all classes together and of each class, with a detector each.
final class DriftWatch: StepObserver {
  struct State: Codable {
    fileprivate var method: DriftMethod
    fileprivate var all: AnyDriftDetector
    /// By label.
    fileprivate var classes: [Int: AnyDriftDetector] = [:]
    /// The last alarms.
    fileprivate(set) var alarms: [DriftAlarm] = []
  }

  private(set) var state: State
  private let method: DriftMethod
  private let seed: UInt64
  private let classNames: [String]?
  private let report: (DriftAlarm) -> Void
  private static let mostAlarms = 1_000

  /// - Parameters:
  ///   - classNames: The names of the classes in label order, if they are known ahead.
  ///   - report: Receives each alarm.
  init(
    _ method: DriftMethod, seed: UInt64, classNames: [String]?, _ report: @escaping (DriftAlarm) -> Void
  ) {
    (self.method, self.seed, self.classNames, self.report) = (method, seed, classNames, report)
    state = State(method: method, all: AnyDriftDetector(method, seed: seed))
  }

  /// Continues from the state of another watch, unless it had another method.
  func restore(_ state: State?) {
    if let state, state.method == method { self.state = state }
  }

  func observe(_ step: StepRecord, of loop: TrainingLoop) {
    guard step.isFirstPass else { return }
    for var alarm in step.predictions.flatMap(add) {
      if alarm.label != nil {
        let arrival = step.arrivals.first { $0.id == alarm.position }
        alarm.className = arrival?.classNamed(in: classNames)
      }
      if state.alarms.count == Self.mostAlarms { state.alarms.removeFirst() }
      state.alarms.append(alarm)
      report(alarm)
    }
  }

  /// Adds a prediction.
  /// - Returns: The alarms that it raises, without names.
  func add(_ online: OnlinePrediction) -> [DriftAlarm] {
    let (isError, label) = (!online.isCorrect, online.label)
    let all = state.all.update(isError: isError)
    let own = state.classes[label, default: AnyDriftDetector(method, seed: seed)].update(isError: isError)
    return [(all, nil), (own, label)].compactMap { change, label in
      guard let change, change == .rose || method.reportsFalls else { return nil }
      return DriftAlarm(position: online.id, label: label, errors: change)
    }
  }
}

/// The detector of a method.
private struct AnyDriftDetector: DriftDetector {
  // One of them, as optional values: a copy for each prediction would take longer than its test.
  private var adaptiveWindow: AdaptiveWindow?
  private var pageHinkley: PageHinkley?
  private var kolmogorovSmirnov: KolmogorovSmirnovWindow?

  init(_ method: DriftMethod, seed: UInt64) {
    switch method.detector {
    case .adwin(let confidence): adaptiveWindow = AdaptiveWindow(confidence: confidence)
    case .pageHinkley(let threshold): pageHinkley = PageHinkley(threshold: threshold)
    case .kswin(let significance):
      kolmogorovSmirnov = KolmogorovSmirnovWindow(significance: significance, seed: seed)
    }
  }

  mutating func update(isError: Bool) -> DriftDirection? {
    adaptiveWindow?.update(isError: isError) ?? pageHinkley?.update(isError: isError)
      ?? kolmogorovSmirnov?.update(isError: isError)
  }
}
