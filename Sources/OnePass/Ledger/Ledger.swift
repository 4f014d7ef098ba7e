import OnePassCore
import OnePassReplay

/// How much of a ledger counts.
public struct LedgerMark: Codable, Hashable, Sendable {
  public var examples: Int
  /// The XXH3-128 of these entries, in hexadecimal digits.
  public var hash: String
}

/// Writes down each example that is taken from the stream, in the order in which it is taken.
///
/// The file only grows; a checkpoint says how much of it counts, and what that hashes to. What a run that was broken off
/// had taken beyond its last checkpoint is cut off when it goes on, and taken again. Where examples have subjects, a
/// second file says whom each was about, as a hash; see ``SubjectLog``.
final class Ledger {
  static let fileName = "ledger"

  private let entries: AppendedFile
  private let subjects: AppendedFile?
  private(set) var examples = 0
  private let hash = RunningHash()

  /// - Parameters:
  ///   - folder: Where the files lie.
  ///   - withSubjects: Whether examples have subjects.
  init(in folder: String, withSubjects: Bool) {
    entries = AppendedFile(path: "\(folder)/\(Self.fileName)")
    subjects = withSubjects ? AppendedFile(path: "\(folder)/\(SubjectLog.fileName)") : nil
  }

  /// Goes on after the entries that count, and cuts off what was written later.
  /// - Throws: `OnePassError` (`io`) if a file cannot be written.
  init(resuming passed: LedgerFile, in folder: String, withSubjects: Bool) throws {
    let hash = hash
    passed.withBytes { hash.update($0) }
    examples = passed.count
    entries = try AppendedFile(path: passed.path, resumingAfter: passed.count * LedgerEntry.bytes)
    subjects =
      withSubjects
      ? try AppendedFile(
        path: "\(folder)/\(SubjectLog.fileName)", resumingAfter: passed.count * SubjectLog.entryBytes) : nil
  }

  /// The files, as they are called.
  var files: [(name: String, path: String)] {
    [(Self.fileName, entries.path)] + (subjects.map { [(SubjectLog.fileName, $0.path)] } ?? [])
  }

  /// Counts examples that were taken from the stream, and whose turn has come.
  /// - Throws: `OnePassError` (`io`) if a file cannot be written.
  func append(_ arrivals: [Arrival]) throws {
    var bytes: [UInt8] = []
    for arrival in arrivals { arrival.entry.write(to: &bytes) }
    bytes.withUnsafeBytes { hash.update($0) }
    try entries.append(bytes)
    try subjects?.append(arrivals.flatMap { SubjectLog.bytes(of: SubjectLog.hash(of: $0.subject)) })
    examples += arrivals.count
  }

  /// Brings everything that counts to the disk.
  /// - Throws: `OnePassError` (`io`).
  func makeDurable() throws -> LedgerMark {
    try entries.makeDurable()
    try subjects?.makeDurable()
    return LedgerMark(examples: examples, hash: "\(hash.value)")
  }
}
