import Foundation

/// Handles signals of the process until it is cancelled.
package final class SignalWatch {
  private let sources: [any DispatchSourceSignal]

  /// Starts to handle signals.
  /// - Parameters:
  ///   - numbers: The signal numbers.
  ///   - handler: Called on another thread with the signal number.
  package init(_ numbers: [Int32] = [SIGINT, SIGTERM], _ handler: @escaping @Sendable (Int32) -> Void) {
    sources = numbers.map { number in
      #if canImport(Darwin)
        // On Darwin, a dispatch source receives only signals that the process ignores. On Linux it replaces the handler.
        signal(number, SIG_IGN)
      #endif
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { handler(number) }
      source.resume()
      return source
    }
  }

  /// SIGHUP, which a closing terminal sends, unless the process was started to ignore it, as by `nohup`.
  package static var hangUp: [Int32] {
    var action = sigaction()
    guard sigaction(SIGHUP, nil, &action) == 0 else { return [] }
    #if canImport(Darwin)
      let handler = action.__sigaction_u.__sa_handler
    #else
      let handler = action.__sigaction_handler.sa_handler
    #endif
    return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) ? [] : [SIGHUP]
  }

  /// Stops handling the signals.
  package func cancel() { for source in sources { source.cancel() } }
}
