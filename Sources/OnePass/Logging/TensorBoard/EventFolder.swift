import Foundation
import OnePassCore
import SwiftProtobuf

/// The event files of a run, which TensorBoard reads in the order of their names.
struct EventFolder {
  static let name = "tensorboard"
  let path: String

  private static let doomed = ".doomed."

  /// - Parameter output: The folder of the run.
  init(of output: String) { path = "\(output)/\(Self.name)" }

  /// Makes room for another file, which comes after those that are there.
  /// - Returns: Where it is to be.
  /// - Throws: `OnePassError` (`io`).
  func nextFile() throws -> String {
    do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
      throw OnePassError(.io, "The folder \(path) cannot be made: see that the disk has room.", cause: error)
    }
    let last = try files().compactMap { name in Int(name.split(separator: ".")[3]) }.max() ?? 0
    let number = String(max(Int(Date().timeIntervalSince1970), last + 1))
    return
      "\(path)/events.out.tfevents.\(String(repeating: "0", count: max(0, 10 - number.count)))\(number).onepass"
  }

  /// The pictures in the files; `nil` if there are none.
  /// - Throws: `OnePassError` (`io`).
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

  /// Takes all pictures out of the files, and overwrites their bytes.
  ///
  /// Given again after it was broken off, it goes on.
  /// - Returns: How many they were.
  /// - Throws: `OnePassError` (`io`).
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
      // What was broken off in the middle of a record may be a picture as well.
      guard removed > 0 || !isWhole else { return sum }
      try reporting(name) {
        try FileManager.default.moveItem(atPath: "\(path)/\(name)", toPath: "\(path)/\(Self.doomed)\(name)")
      }
      try DurableFile.write(Data(kept), to: "\(path)/\(name)")
      try endRemoval()
      return sum + removed
    }
  }

  /// Overwrites and removes files of which there is one without pictures; brings others back.
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

  /// The events of a file, and whether these are all of it.
  private static func events(in file: Data) -> (events: [ProtoEvent], isWhole: Bool) {
    let (records, bytes) = RecordFile.records(in: file)
    let events = records.compactMap { try? ProtoEvent(serializedBytes: $0) }
    return (events, bytes == file.count && events.count == records.count)
  }

  /// The event files, in their order.
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
      throw OnePassError(.io, "\(path)/\(name) cannot be read or changed: check the disk.", cause: error)
    }
  }
}
