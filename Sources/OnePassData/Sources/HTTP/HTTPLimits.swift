/// How long a server may take to answer, and how often it is asked again.
package struct HTTPLimits: Sendable {
  /// Seconds without a byte after which a connection counts as dead.
  package var idle: Double
  /// Attempts in a row, each without a byte, after which the server counts as gone.
  package var attempts: Int
  /// Seconds without a byte, all attempts together, after which the server counts as gone.
  package var overall: Double
  /// Seconds before the second attempt, at most; it doubles with each further one.
  package var firstPause: Double
  /// Seconds before any attempt, at most, also where the server asks for more.
  package var longestPause: Double
  /// Redirects from one address to the next.
  package var redirects: Int

  package init(
    idle: Double = 60, attempts: Int = 8, overall: Double = 600, firstPause: Double = 0.5,
    longestPause: Double = 30, redirects: Int = 5
  ) {
    (self.idle, self.attempts, self.overall) = (idle, attempts, overall)
    (self.firstPause, self.longestPause, self.redirects) = (firstPause, longestPause, redirects)
  }

  /// Seconds to wait before an attempt: uniformly from none to what doubles each time, so that many clients of a server that
  /// comes back do not all come back with it ("full jitter", M. Brooker, AWS 2015).
  ///
  /// This chance decides nothing of a result and needs no seed.
  package func pause(before attempt: Int, asked: Double?) -> Double {
    let most = min(longestPause, firstPause * Double(1 << min(attempt - 1, 20)))
    return max(min(asked ?? 0, longestPause), .random(in: 0...most))
  }
}
