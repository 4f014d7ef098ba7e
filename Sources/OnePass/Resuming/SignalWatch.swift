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

  /// Stops handling the signals.
  package func cancel() { for source in sources { source.cancel() } }
}
