import Foundation
import OnePass

/// SIGINT and SIGTERM: the first asks the run to stop and to be saved, the second ends the program at once.
final class StopSignals {
  private let sources: [any DispatchSourceSignal]

  init(_ request: StopRequest) {
    sources = [SIGINT, SIGTERM].map { number in
      #if canImport(Darwin)
        // There a source is given only what the process ignores; on Linux it takes over by itself.
        signal(number, SIG_IGN)
      #endif
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        // What was saved last is whole: checkpoints get their names when they are complete.
        if request.isStopping { _exit(128 + number) }
        request.stop()
        Console.error("Stopping after this step; again to stop at once.")
      }
      source.resume()
      return source
    }
  }

  func cancel() { for source in sources { source.cancel() } }
}
