import OnePassData

/// How far a run is behind a broker's stream, asked at most once a second.
final class LagWatch {
  private let stream: RunStream
  private let clock = ContinuousClock()
  private var last: (lag: Int?, time: ContinuousClock.Instant)?

  init(_ stream: RunStream) { self.stream = stream }

  /// The number of messages after the first `taken` examples; `nil` if it is unknown, and with other data.
  func value(after taken: Int) -> Int? {
    guard let live = stream.live else { return nil }
    if let last, clock.now - last.time < .seconds(1) { return last.lag }
    let lag = stream.mark(taken: taken).flatMap { live.lag(after: $0) }
    last = (lag, clock.now)
    return lag
  }
}
