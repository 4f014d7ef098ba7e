import Foundation
import OnePassCore

/// A folder for the file that is being read. If the process ends meanwhile, the file stays there.
final class WorkFolder {
  let path: String

  init() throws {
    let root = ProcessInfo.processInfo.environment["ONEPASS_FUZZ_FOLDER"] ?? NSTemporaryDirectory()
    path = "\(root)/onepass-fuzz-\(ProcessInfo.processInfo.processIdentifier)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  /// Writes a file in the folder, and replaces the previous one.
  @discardableResult
  func write(_ bytes: [UInt8], to name: String) throws -> String {
    let place = "\(path)/\(name)"
    let file = open(place, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw OnePassError(.io, "\(place) cannot be written.") }
    defer { close(file) }
    let written = bytes.withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) }
    guard written == bytes.count else { throw OnePassError(.io, "\(place) cannot be written.") }
    return place
  }

  func removeFile(_ name: String) { unlink("\(path)/\(name)") }
  func remove() { try? FileManager.default.removeItem(atPath: path) }
}
