import Foundation
import OnePassCore

/// A failure after which the connection is opened again.
struct ConnectionLost: Error {
  /// The words of the library.
  let reason: String
}

extension ContinuousClock.Instant {
  /// The time from now on, at least 0.
  var secondsLeft: Double { max(0, (self - ContinuousClock.now) / .seconds(1)) }
}

/// A connection that is opened again after it was lost, for as long as the broker may be out of reach.
final class Reconnecting<Connection: AnyObject> {
  private let address: BrokerAddress
  private let patience: Double
  private let open: () throws -> Connection
  private var connection: Connection?
  private var lostSince: ContinuousClock.Instant?
  private var hasBeenUsed = false

  /// Opens the connection.
  /// - Parameter open: Throws `ConnectionLost` if the broker is out of reach. A connection closes itself when it is released.
  init(_ address: BrokerAddress, patience: Double, open: @escaping () throws -> Connection) throws {
    (self.address, self.patience, self.open) = (address, patience, open)
    do {
      connection = try open()
    } catch let lost as ConnectionLost {
      throw OnePassError.brokerUnreachable(address, reason: lost.reason)
    }
  }

  /// Uses the connection, and repeats that with a new one if it is lost.
  /// - Returns: `nil` if the broker was out of reach until `deadline`.
  /// - Throws: `OnePassError` (`io`) once it was out of reach for longer than the patience.
  func use<Result>(until deadline: ContinuousClock.Instant, _ body: (Connection) throws -> Result) throws
    -> Result?
  {
    while true {
      do {
        let used = try connection ?? open()
        connection = used
        let result = try body(used)
        (lostSince, hasBeenUsed) = (nil, true)
        return result
      } catch let lost as ConnectionLost {
        try wait(orThrow: .brokerUnreachable(address, reason: lost.reason))
      } catch let error as OnePassError where error.code == .denied && hasBeenUsed {
        // A server that starts may refuse what it accepts later.
        try wait(orThrow: error)
      }
      if ContinuousClock.now >= deadline { return nil }
    }
  }

  /// Uses the connection, however long that takes within the patience.
  func use<Result>(_ body: (Connection) throws -> Result) throws -> Result {
    while true {
      if let result = try use(until: .now + .seconds(patience), body) { return result }
    }
  }

  private func wait(orThrow error: OnePassError) throws {
    connection = nil
    let now = ContinuousClock.now
    let since = lostSince ?? now
    lostSince = since
    // A stream that cannot be used at all is reported soon.
    let limit = hasBeenUsed ? patience : min(5, patience)
    if (now - since) / .seconds(1) >= limit { throw error }
    Thread.sleep(forTimeInterval: 0.1)
  }

  /// Ends the connection.
  func close() { connection = nil }
}
