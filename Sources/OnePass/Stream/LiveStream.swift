import Foundation
import OnePassBrokers
import OnePassCore
import OnePassData

extension RunConfiguration {
  /// Opens the training data, which may be a stream of a broker.
  /// - Throws: As ``SourceRegistry/open(_:seed:classNames:subjectKey:classCount:labelKey:imageColumn:labelColumn:)``; `usage` if
  ///   the stream of a broker lacks an option that it needs.
  func openLive() throws -> any ExampleSource {
    guard method != .multiEpoch else { throw OnePassError.liveStreamOfSeveralPasses() }
    guard data.classCount != nil || data.classNames != nil || data.openClasses != nil else {
      throw OnePassError.liveStreamWithoutClasses(SourceRegistry.withoutSecrets(data.source))
    }
    if data.limit == nil { try checkEndless() }
    var options = OnePassData.LiveOptions()
    (options.form, options.gaps, options.rejectedLimit) = (live.record, live.onGap, data.brokenLimit)
    if let limit = live.messageLimit { options.broker.messageBytes = limit.bytes }
    if let file = live.brokerConfig { options.broker.properties = try BrokerConfig(file: file).properties }
    options.broker.group = options.broker.take("group") ?? options.broker.group
    return try SourceRegistry.open(
      data.source,
      SourceRequest(
        data.source, seed: seedOfOrder, classNames: data.classNames, subjectKey: data.subjectKey,
        classCount: data.classCount, labelKey: data.labelKey, hasOpenClasses: data.openClasses != nil,
        live: options))
  }

  /// Checks that a run on a stream without a known length needs none.
  private func checkEndless() throws {
    guard recipe.schedule == .constant || recipe.schedule == .onDemand else {
      throw OnePassError.scheduleNeedsLength(recipe.schedule.rawValue)
    }
    if method == .replay, case .fraction = memory.storage {
      throw OnePassError.storageNeedsLength("\(memory.storage)")
    }
  }

  /// Whether the training data is a stream of a broker.
  var isLive: Bool { SourceRegistry.isLive((try? SourceRegistry.resolved(data.source)) ?? data.source) }
}

/// The file of `--broker-config`.
package struct BrokerConfig {
  package let properties: [String: String]

  /// - Throws: `OnePassError`: `io` if it cannot be read, `usage` for a line that is not `NAME = VALUE`.
  package init(file: String) throws {
    let text: String
    do { text = try String(contentsOfFile: file, encoding: .utf8) } catch {
      throw OnePassError.unreadableFile(file, cause: error)
    }
    var properties: [String: String] = [:]
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let line = line.trimmingCharacters(in: .whitespaces)
      guard !line.isEmpty, !line.hasPrefix("#") else { continue }
      guard let sign = line.firstIndex(of: "="), sign != line.startIndex else {
        throw OnePassError.brokerConfigLine(file, index + 1)
      }
      let name = line[..<sign].trimmingCharacters(in: .whitespaces)
      properties[name] = line[line.index(after: sign)...].trimmingCharacters(in: .whitespaces)
    }
    self.properties = properties
  }
}

/// The messages of a broker that held no example, in `rejected.jsonl`.
final class RejectedMessages {
  static let fileName = "rejected.jsonl"
  /// The maximum number of lines.
  static let mostLines = 1_000

  let file: AppendedFile
  private var lines = 0

  init(in folder: String) { file = AppendedFile(path: "\(folder)/\(Self.fileName)") }

  /// - Parameter count: The number of messages that were rejected before the checkpoint.
  init(in folder: String, resumingAfter count: Int) throws {
    let path = "\(folder)/\(Self.fileName)"
    let kept = (FileManager.default.contents(atPath: path) ?? Data())
      .split(separator: UInt8(ascii: "\n")).prefix(min(count, Self.mostLines))
    lines = kept.count
    let bytes = kept.reduce(0) { $0 + $1.count + 1 }
    file = bytes == 0 ? AppendedFile(path: path) : try AppendedFile(path: path, resumingAfter: bytes)
  }

  /// Whether there is a file.
  var isEmpty: Bool { lines == 0 }

  func append(_ messages: [RejectedMessage]) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    for message in messages.prefix(Self.mostLines - lines) {
      try file.append(Array(encoder.encode(message)) + [UInt8(ascii: "\n")])
      lines += 1
    }
  }
}
