import OnePassCore
import OnePassReplay

/// The length and hash of the valid part of a ledger.
///
/// ```swift
/// let mark = try RunFiles("runs/first").position().ledger
/// print(mark?.examples ?? 0, mark?.hash ?? "no ledger")
/// ```
public struct LedgerMark: Codable, Hashable, Sendable {
  /// The number of valid entries.
  public var examples: Int
  /// The XXH3-128 of these entries, in hexadecimal digits.
  public var hash: String
}

/// A log of each example that is taken from the stream, in order.
///
/// The file is append-only. A checkpoint records the length and hash of its valid part. Entries after the last checkpoint of
/// an interrupted run are truncated when it resumes, and their examples are taken again. If examples have subjects, a second
/// file has a hash of each subject; see ``SubjectLog``.
final class Ledger {
  static let fileName = "ledger"

  private let entries: AppendedFile
  private let subjects: AppendedFile?
  private(set) var examples = 0
  private let hash = RunningHash()

  /// - Parameters:
  ///   - folder: The folder of the files.
  ///   - withSubjects: Whether examples have subjects.
  init(in folder: String, withSubjects: Bool) {
    entries = AppendedFile(path: "\(folder)/\(Self.fileName)")
    subjects = withSubjects ? AppendedFile(path: "\(folder)/\(SubjectLog.fileName)") : nil
  }

  /// Resumes after the valid entries, and truncates later ones.
  /// - Throws: `OnePassError` (`io`) if a file cannot be written.
  init(resuming passed: LedgerFile, in folder: String, withSubjects: Bool) throws {
    let hash = hash
    try passed.forEachChunk { hash.update($0) }
    examples = passed.count
    entries = try AppendedFile(path: passed.path, resumingAfter: passed.count * LedgerEntry.bytes)
    subjects =
      withSubjects
      ? try AppendedFile(
        path: "\(folder)/\(SubjectLog.fileName)", resumingAfter: passed.count * SubjectLog.entryBytes) : nil
  }

  /// The files with their names in a finished run.
  var files: [(name: String, path: String)] {
    [(Self.fileName, entries.path)] + (subjects.map { [(SubjectLog.fileName, $0.path)] } ?? [])
  }

  /// The size of all entries, in bytes.
  var bytes: Int { examples * (LedgerEntry.bytes + (subjects == nil ? 0 : SubjectLog.entryBytes)) }

  /// Appends the examples of a mini-batch.
  /// - Throws: `OnePassError` (`io`) if a file cannot be written.
  func append(_ arrivals: [Arrival]) throws {
    var bytes: [UInt8] = []
    for arrival in arrivals { arrival.entry.write(to: &bytes) }
    bytes.withUnsafeBytes { hash.update($0) }
    try entries.append(bytes)
    try subjects?.append(arrivals.flatMap { SubjectLog.bytes(of: SubjectLog.hash(of: $0.subject)) })
    examples += arrivals.count
  }

  /// Waits until all entries are on disk.
  /// - Returns: The mark of all entries.
  /// - Throws: `OnePassError` (`io`).
  func makeDurable() throws -> LedgerMark {
    try entries.makeDurable()
    try subjects?.makeDurable()
    return LedgerMark(examples: examples, hash: "\(hash.value)")
  }
}
