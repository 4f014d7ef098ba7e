/// Time limits and numbers of attempts for HTTP requests.
///
/// ```
/// let limits = HTTPLimits(idle: 5, attempts: 3)
/// ```
package struct HTTPLimits: Sendable {
  /// Seconds without data after which a connection is given up.
  package var idle: Double
  /// Consecutive attempts without data after which reading fails.
  package var attempts: Int
  /// Seconds without data, over all attempts, after which reading fails.
  package var overall: Double
  /// The maximum pause in seconds before the second attempt. It doubles with each further attempt.
  package var firstPause: Double
  /// The maximum pause in seconds before any attempt, even if the server requests a longer one.
  package var longestPause: Double
  /// The maximum number of redirects of one request.
  package var redirects: Int

  /// Creates limits; the defaults suit downloads over the internet.
  package init(
    idle: Double = 60, attempts: Int = 8, overall: Double = 600, firstPause: Double = 0.5,
    longestPause: Double = 30, redirects: Int = 5
  ) {
    (self.idle, self.attempts, self.overall) = (idle, attempts, overall)
    (self.firstPause, self.longestPause, self.redirects) = (firstPause, longestPause, redirects)
  }

  /// A random pause in seconds before the next attempt, uniform from 0 to a bound that doubles with each attempt.
  ///
  /// Many clients of a restarted server then do not return at the same time ("full jitter", M. Brooker, AWS 2015). The
  /// pause has no influence on results, so it needs no seed.
  /// - Parameters:
  ///   - attempt: The number of failed attempts, 1 or more.
  ///   - asked: The pause in seconds that the server requested.
  package func pause(before attempt: Int, asked: Double?) -> Double {
    let most = min(longestPause, firstPause * Double(1 << min(attempt - 1, 20)))
    return max(min(asked ?? 0, longestPause), .random(in: 0...most))
  }
}
