import Foundation
import Logging
import OnePassService

/// Writes a log as one JSON object per line to standard error.
struct JSONLogHandler: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info
  let label: String

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var line = metadata.merging(event.metadata ?? [:]) { $1 }.mapValues { "\($0)" }
    line["time"] = Date().formatted(.iso8601)
    line["level"] = event.level.rawValue
    line["message"] = "\(event.message)"
    line["logger"] = label
    guard let data = try? ServiceReport.json(line) else { return }
    FileHandle.standardError.write(data + [UInt8(ascii: "\n")])
  }
}
