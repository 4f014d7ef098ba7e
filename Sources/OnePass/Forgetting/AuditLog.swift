import Foundation
import OnePassCore
import OnePassReplay

/// The requests to forget that a run has carried out: a JSON object per line of `forgotten.jsonl`.
///
/// It contains no subjects but their hashes, so that a known subject can be looked up.
struct AuditLog {
  static let fileName = "forgotten.jsonl"
  let path: String

  private struct Entry: Encodable {
    let time: String
    let reference: String?
    /// XXH3-128 of each subject.
    let subjects: [String]
    let className: String?
    let before: String?
    /// The requested positions, if any; `positions` are those of the removed items.
    let requestedPositions: [Int]?
    let items: Int
    let positions: [Int]
    let checkpoints: [String]
    /// The number of memory images that were removed from the event files.
    let pictures: Int
    let keysDestroyed: Int?
    let firstUse: Int?
    let version: String
  }

  init(of run: String) { path = "\(run)/\(Self.fileName)" }

  /// Appends an entry, and makes it durable.
  /// - Throws: `OnePassError` (`io`) if the file cannot be read or written.
  func append(_ request: ForgetRequest, _ forgetting: Forgetting) throws {
    let dates = ISO8601DateFormatter()
    let before: String? =
      switch request.before {
      case .position(let position): "\(position)"
      case .time(let time): dates.string(from: time)
      case nil: nil
      }
    let entry = Entry(
      time: dates.string(from: Date()), reference: request.reference,
      subjects: request.subjects.map { subject in
        Array(subject.utf8).withUnsafeBytes { "\(ContentHash(of: $0))" }
      }.sorted(),
      className: request.className, before: before,
      requestedPositions: request.positions.isEmpty ? nil : request.positions.sorted(),
      items: forgetting.positions.count,
      positions: forgetting.positions, checkpoints: forgetting.checkpoints, pictures: forgetting.pictures,
      keysDestroyed: forgetting.keysDestroyed, firstUse: forgetting.firstUse,
      version: onePassVersion)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let exists = FileManager.default.fileExists(atPath: path)
    let earlier: Data
    do { earlier = try exists ? Data(contentsOf: URL(fileURLWithPath: path)) : Data() } catch {
      throw OnePassError.unreadableFile(path, cause: error)
    }
    try DurableFile.write(earlier + encoder.encode(entry) + Data("\n".utf8), to: path)
  }
}
