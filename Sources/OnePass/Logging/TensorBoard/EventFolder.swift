import Foundation
import OnePassCore
import SwiftProtobuf

/// The folder with the event files of a run, which TensorBoard reads in the order of their names.
struct EventFolder {
  static let name = "tensorboard"
  let path: String

  private static let doomed = ".doomed."

  /// - Parameter output: The folder of the run.
  init(of output: String) { path = "\(output)/\(Self.name)" }

  /// Creates the folder and chooses the path of the next file, whose name sorts after the existing ones.
  /// - Throws: `OnePassError` (`io`) if the folder cannot be created.
  func nextFile() throws -> String {
    do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
      throw OnePassError.folderNotCreated(path, cause: error)
    }
    let last = try files().compactMap { name in Int(name.split(separator: ".")[3]) }.max() ?? 0
    let number = String(max(Int(Date().timeIntervalSince1970), last + 1))
    return
      "\(path)/events.out.tfevents.\(String(repeating: "0", count: max(0, 10 - number.count)))\(number).onepass"
  }

  /// The number and size of pictures in all files; `nil` if there are none.
  /// - Throws: `OnePassError` (`io`) if a file cannot be read.
  func pictures() throws -> RunResult.LoggedPictures? {
    var pictures = RunResult.LoggedPictures(count: 0, bytes: 0)
    for name in try files() {
      for event in Self.events(in: try read(name)).events {
        for case .image(let image)? in event.summary.value.map(\.value) {
          pictures.count += 1
          pictures.bytes += image.encodedImageString.count
        }
      }
    }
    return pictures.count > 0 ? pictures : nil
  }

  /// Removes all pictures from the files, and overwrites their bytes.
  ///
  /// After an interruption, a second call completes the removal.
  /// - Returns: The number of pictures that were removed.
  /// - Throws: `OnePassError` (`io`) if a file cannot be changed.
  func removePictures() throws -> Int {
    try endRemoval()
    return try files().reduce(0) { sum, name in
      let (events, isWhole) = Self.events(in: try read(name))
      var (removed, kept) = (0, [UInt8]())
      for var event in events {
        if case .summary(var summary)? = event.what {
          let before = summary.value.count
          summary.value.removeAll { if case .image = $0.value { true } else { false } }
          removed += before - summary.value.count
          guard !summary.value.isEmpty else { continue }
          event.summary = summary
        }
        kept += RecordFile.framed(try event.serializedData())
      }
      // A truncated last record may be a picture too.
      guard removed > 0 || !isWhole else { return sum }
      try reporting(name) {
        try FileManager.default.moveItem(atPath: "\(path)/\(name)", toPath: "\(path)/\(Self.doomed)\(name)")
      }
      try DurableFile.write(Data(kept), to: "\(path)/\(name)")
      try endRemoval()
      return sum + removed
    }
  }

  /// Completes an interrupted removal: erases old files that have been replaced, and restores the others.
  private func endRemoval() throws {
    for name in try names() where name.hasPrefix(Self.doomed) {
      let (doomed, place) = ("\(path)/\(name)", "\(path)/\(name.dropFirst(Self.doomed.count))")
      try reporting(name) {
        guard FileManager.default.fileExists(atPath: place) else {
          return try FileManager.default.moveItem(atPath: doomed, toPath: place)
        }
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: doomed))
        let size = try file.seekToEnd()
        try file.seek(toOffset: 0)
        try file.write(contentsOf: Data(count: Int(size)))
        try file.synchronize()
        try file.close()
        try FileManager.default.removeItem(atPath: doomed)
      }
    }
  }

  /// The events of a file, and whether they are its whole content.
  private static func events(in file: Data) -> (events: [ProtoEvent], isWhole: Bool) {
    let (records, bytes) = RecordFile.records(in: file)
    let events = records.compactMap { try? ProtoEvent(serializedBytes: $0) }
    return (events, bytes == file.count && events.count == records.count)
  }

  /// The names of the event files, in order.
  private func files() throws -> [String] { try names().filter { $0.hasPrefix("events.out.tfevents.") } }

  private func names() throws -> [String] {
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    return try reporting("") { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }

  private func read(_ name: String) throws -> Data {
    try reporting(name) { try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")) }
  }

  private func reporting<Result>(_ name: String, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch {
      throw OnePassError.inaccessibleEventFile(name.isEmpty ? path : "\(path)/\(name)", cause: error)
    }
  }
}
