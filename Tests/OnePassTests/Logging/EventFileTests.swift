import Foundation
import OnePassCore
import SwiftProtobuf
import TestSupport
import Testing

@testable import OnePass

@Suite("TensorBoard event files") struct EventFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// RFC 3720, appendix B.4, and the check value of the catalogue of CRCs.
  @Test("Checksums are CRC-32C")
  func checksumsAreThoseOfTheStandard() {
    #expect(RecordFile.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(RecordFile.checksum([UInt8](repeating: 255, count: 32)) == 0x62A8_AB43)
    #expect(RecordFile.checksum(0..<32) == 0x46DD_794E)
    #expect(RecordFile.checksum((0..<32).reversed()) == 0x113F_DB5C)
    #expect(RecordFile.checksum("123456789".utf8) == 0xE306_9283)
  }

  /// `Tools/reference_tensorboard.py` wrote the same values with Python's TensorBoard.
  @Test("A point has the same bytes as Python writes")
  func aPointHasTheBytesThatPythonWrites() throws {
    let fixtures = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    let python = try Data(contentsOf: fixtures.appendingPathComponent("python.tfevents"))
    let (records, bytes) = RecordFile.records(in: python)
    try #require(records.count == 2 && bytes == python.count)
    #expect(Data(records.flatMap(RecordFile.framed)) == python)

    let values = (0..<60).map { Double($0 * 37 % 101) / 8 }
    var point = LogPoint(step: 12, time: Date(timeIntervalSince1970: 1.5e9 + 0.25))
    point.scalars = [("loss/incoming", 2.3025851)]
    point.histograms = [("memory/priority", try #require(Histogram(spanning: values)))]
    let written = try write([point])
    try #require(written.count == 3)
    #expect(written[2] == records[1])
    // The same version record, with another time.
    #expect(Data(written[0].dropFirst(9)) == Data(records[0].dropFirst(9)))
  }

  /// Writes the events of a new run.
  func write(_ points: [LogPoint], stepsDone: Int = 0, pictures: Bool = true) throws -> [Data] {
    let events = EventFolder(of: folder.path)
    let logger = TensorBoardLogger(in: events, takesPictures: pictures)
    let plan = try TrainingPlan(
      RunConfiguration(data: "x"), streamExamples: 100, classes: 2, classNames: nil)
    try logger.begin(
      LoggedRun(configuration: RunConfiguration(data: "x"), plan: plan, stepsDone: stepsDone))
    for point in points { try logger.log(point) }
    let last = try #require(try eventFiles().last)
    return RecordFile.records(in: Data(try folder.bytes(of: "tensorboard/\(last)"))).records
  }

  func eventFiles() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.file("tensorboard")).sorted()
  }

  @Test("A truncated or damaged file ends with its last whole record")
  func everyBrokenOffOrDamagedFileEndsWithItsLastWholeRecord() {
    let records = (0..<3).map { Data(repeating: UInt8($0), count: 5 * $0) }
    let whole = Data(records.flatMap(RecordFile.framed))
    #expect(RecordFile.records(in: whole).records == records)
    for length in 0..<whole.count {
      let (found, bytes) = RecordFile.records(in: whole.prefix(length))
      #expect(found == Array(records.prefix(length < 16 ? 0 : length < 37 ? 1 : 2)), "\(length)")
      #expect(bytes == found.reduce(0) { $0 + $1.count + 16 })
    }
    for place in whole.indices {
      var damaged = whole
      damaged[place] ^= 4
      #expect(
        RecordFile.records(in: damaged).records == Array(records.prefix(place < 16 ? 0 : place < 37 ? 1 : 2)))
    }
  }

  func picture(step: Int) -> LogPoint {
    var point = LogPoint(step: step, time: Date())
    point.scalars = [("loss/incoming", Double(step))]
    point.pictures = [("memory/by_priority", Picture(width: 2, height: 1, channels: 1, pixels: [7, 9]))]
    return point
  }

  @Test("A resumed run writes a file that sorts later")
  func aRunThatGoesOnHasAFileThatComesLater() throws {
    _ = try write([picture(step: 1)])
    let records = try write([picture(step: 2)], stepsDone: 1)
    #expect(try eventFiles().count == 2)
    let events = try records.map { try ProtoEvent(serializedBytes: $0) }
    #expect(events.map(\.step) == [0, 2, 2])
    #expect(events[1].sessionLog.status == .start)
    #expect(try write([picture(step: 3)], stepsDone: 2, pictures: false).count == 3)
    #expect(try EventFolder(of: folder.path).pictures()?.count == 2)
  }

  @Test("Images can be removed, and everything else stays")
  func picturesGoAndTheRestStays() throws {
    let events = EventFolder(of: folder.path)
    #expect(try events.removePictures() == 0)
    let written = try write([picture(step: 1), picture(step: 2)])
    let name = try #require(try eventFiles().first)
    // The last record is truncated, and can be an image.
    let half = RecordFile.framed(written[3]).dropLast(3)
    try folder.write(try folder.bytes(of: "tensorboard/\(name)") + half, to: "tensorboard/\(name)")
    #expect(try folder.occurrences(of: "IHDR") == 3)
    #expect(try events.removePictures() == 2)
    #expect(try folder.occurrences(of: "IHDR") == 0 && eventFiles() == [name])
    let rest = try RecordFile.records(in: Data(try folder.bytes(of: "tensorboard/\(name)"))).records
      .map { try ProtoEvent(serializedBytes: $0) }
    #expect(rest.map(\.step) == [0, 0, 1, 2])
    #expect(rest.dropFirst(2).map { $0.summary.value.map(\.simpleValue) } == [[1], [2]])
    #expect(try events.pictures() == nil && events.removePictures() == 0)
  }

  /// The interruption comes before or after the file without images is complete.
  @Test("An interrupted removal is completed", arguments: [false, true])
  func aRemovalThatWasBrokenOffGoesOn(isWritten: Bool) throws {
    _ = try write([picture(step: 1)])
    let name = try #require(try eventFiles().first)
    let bytes = try folder.bytes(of: "tensorboard/\(name)")
    try folder.write(bytes, to: "tensorboard/.doomed.\(name)")
    if isWritten {
      try folder.write([], to: "tensorboard/\(name)")
    } else {
      try FileManager.default.removeItem(atPath: folder.file("tensorboard/\(name)"))
    }
    #expect(try EventFolder(of: folder.path).removePictures() == (isWritten ? 0 : 1))
    #expect(try folder.occurrences(of: "IHDR") == 0 && eventFiles() == [name])
  }

  @Test("Every value is in exactly one bucket")
  func everyValueIsInOneBucket() throws {
    var chance = SeededGenerator(seed: 1, .test)
    for count in 1...200 {
      let values = (0..<count).map { _ in (chance.nextUnit() * 20).rounded() / 7 }
      let histogram = try #require(Histogram(spanning: values))
      var lower = -Double.infinity
      for (limit, inBucket) in zip(histogram.limits, histogram.counts) {
        let isLast = limit == histogram.upper
        #expect(inBucket == values.count { $0 >= lower && (isLast ? $0 <= limit : $0 < limit) })
        lower = limit
      }
      #expect(histogram.counts.reduce(0, +) == count)
    }
    #expect(Histogram(spanning: []) == nil)
  }
}
