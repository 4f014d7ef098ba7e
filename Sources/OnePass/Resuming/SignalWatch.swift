import Foundation

/// Hears signals in place of the process, until it is cancelled.
package final class SignalWatch {
  private let sources: [any DispatchSourceSignal]

  /// - Parameters:
  ///   - numbers: Which signals.
  ///   - handler: Called on a thread of its own with the signal's number.
  package init(_ numbers: [Int32] = [SIGINT, SIGTERM], _ handler: @escaping @Sendable (Int32) -> Void) {
    sources = numbers.map { number in
      #if canImport(Darwin)
        // There a source is given only what the process ignores; on Linux it takes over by itself.
        signal(number, SIG_IGN)
      #endif
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { handler(number) }
      source.resume()
      return source
    }
  }

  package func cancel() { for source in sources { source.cancel() } }
}
