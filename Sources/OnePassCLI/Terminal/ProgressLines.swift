import ArgumentParser
import OnePass

/// The format of the progress of `train`.
enum ProgressStyle: String, CaseIterable, ExpressibleByArgument {
  /// A status line on a terminal; nothing elsewhere.
  case auto
  /// A line every ten seconds, also into a file or a pipe, each with the time.
  case lines
  /// JSON Lines.
  case json
}

extension ProgressStyle {
  /// The form of all lines on standard error.
  /// - Parameter rank: The rank of this process; `nil` for a single one.
  func form(rank: Int?) -> Console.Form {
    switch self {
    case .auto: .plain
    case .lines: .timed
    case .json: .json(rank: rank)
    }
  }

  /// The style in arguments that may not be parsable.
  init(unparsed arguments: [String]) {
    let values = zip(arguments, arguments.dropFirst()).filter { $0.0 == "--progress" }.map(\.1)
    let joined = arguments.filter { $0.hasPrefix("--progress=") }.map { String($0.dropFirst(11)) }
    self = (values + joined).last.flatMap(ProgressStyle.init) ?? .auto
  }
}

/// Writes the progress of a run to standard error as JSON Lines, at most twice a second.
final class ProgressLines: TrainingObserver {
  private let clock = ContinuousClock()
  private var lastShown: ContinuousClock.Instant?

  func show(_ event: TrainingEvent) {
    if isDue(event) { Console.write(ProgressLine(event)) }
  }

  func closeLine() {}
  let showsWaits = true

  private func isDue(_ event: TrainingEvent) -> Bool {
    switch event {
    case .notice, .drift, .started, .resumed, .checkpoint, .measured: return true
    case .step(let report) where report.step == report.steps: return true
    case .evaluated(let examples, let total) where examples == total: return true
    case .step, .evaluated:
      let now = clock.now
      if let lastShown, now - lastShown < .milliseconds(500) { return false }
      lastShown = now
      return true
    }
  }
}
