import OnePassReplay

/// Where the parts of a run's memory are that it keeps outside of its own folder, if they were moved after the run.
///
/// ```swift
/// let memory = try StoredMemory(of: "runs/scans", at: MemoryLocation(key: "/secure/scans.keys"))
/// print(memory.items.count)
/// ```
public struct MemoryLocation: Hashable, Sendable {
  /// The folder of a memory on disk; the recorded one if `nil`.
  public var directory: String?
  /// The key file of an encrypted memory; the recorded one if `nil`.
  public var key: String?

  /// Creates a location; the recorded one without arguments.
  public init(directory: String? = nil, key: String? = nil) { (self.directory, self.key) = (directory, key) }

  /// This location, with what the run recorded in place of what was not moved.
  func completed(by memory: RunConfiguration.MemoryOptions?) -> MemoryLocation {
    MemoryLocation(directory: directory ?? memory?.directory, key: key ?? memory?.key)
  }

  /// Opens the keys for reading; `nil` if the memory is not encrypted.
  /// - Throws: `OnePassError`: `io` if the file is missing or cannot be read, `badData` if it is no key file.
  func readKeys() throws -> MemoryKeys? { try key.map { try MemoryKeys(reading: $0) } }
}
