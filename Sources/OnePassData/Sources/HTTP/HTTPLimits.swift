/// How long a download may take to deliver, and how often it is begun again.
struct HTTPLimits {
  /// Seconds without a byte after which a connection counts as dead.
  var idle = 60.0
  /// Attempts in a row, each without a byte, after which the server counts as gone.
  var attempts = 8
  /// Seconds without a byte, all attempts together, after which the server counts as gone.
  var overall = 600.0
  /// Seconds before the second attempt, at most; it doubles with each further one.
  var firstPause = 0.5
  /// Seconds before any attempt, at most, also where the server asks for more.
  var longestPause = 30.0
  /// Redirects from one address to the next.
  var redirects = 5

  /// Seconds to wait before an attempt: uniformly from none to what doubles each time, so that many clients of a server that
  /// comes back do not all come back with it ("full jitter", M. Brooker, AWS 2015).
  ///
  /// This chance decides nothing of a result and needs no seed.
  func pause(before attempt: Int, asked: Double?) -> Double {
    let most = min(longestPause, firstPause * Double(1 << min(attempt - 1, 20)))
    return max(min(asked ?? 0, longestPause), .random(in: 0...most))
  }
}
