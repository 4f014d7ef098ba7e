import Foundation
import OnePassCore
import OnePassReplay

/// The results of a rank's part of a step, which it sends to all ranks.
struct RankOutcome {
  /// ℓ_i of its part of the incoming mini-batch, without images that could not be decoded.
  var losses: [Float] = []
  /// The prediction for each of these.
  var predictions: [ClassPrediction] = []
  /// The size of each in the memory's image format, in bytes.
  var storedBytes: [Int] = []
  /// ℓ_i of its part of each replayed mini-batch.
  var replayLosses: [[Float]] = []
  /// The notes of its part of the incoming mini-batch; empty if the memory stores none.
  var notes: [ItemNote] = []
  /// The notes of its part of each replayed mini-batch; empty for a mini-batch whose notes do not change.
  var replayNotes: [[ItemNote]] = []
  var requests = StepRequests()
}

extension RankOutcome: RankRecord {
  static let leastBytes = 7 * 8 + 1

  func write(to data: inout Data) {
    data.append(floats: losses)
    data.append(integer: UInt64(predictions.count))
    for prediction in predictions {
      data.append(integer: UInt64(prediction.label))
      data.append(integer: prediction.probability.bitPattern)
    }
    data.append(integer: UInt64(storedBytes.count))
    for bytes in storedBytes { data.append(integer: UInt64(bytes)) }
    data.append(integer: UInt64(replayLosses.count))
    for losses in replayLosses { data.append(floats: losses) }
    data.append(notes: notes)
    data.append(integer: UInt64(replayNotes.count))
    for notes in replayNotes { data.append(notes: notes) }
    data.append(
      integer: UInt8((requests.stop ? 1 : 0) + (requests.save ? 2 : 0) + (requests.coolDown ? 4 : 0)))
  }

  init(from reader: inout ByteReader) throws {
    losses = try reader.floats()
    predictions = try (0..<reader.count(of: 12)).map { _ in
      ClassPrediction(
        label: Int(clamping: try reader.integer() as UInt64),
        probability: Float(bitPattern: try reader.integer()))
    }
    storedBytes = try (0..<reader.count(of: 8)).map { _ in Int(clamping: try reader.integer() as UInt64) }
    replayLosses = try (0..<reader.count(of: 8)).map { _ in try reader.floats() }
    notes = try reader.notes()
    replayNotes = try (0..<reader.count(of: 16)).map { _ in try reader.notes() }
    let flags: UInt8 = try reader.integer()
    requests = StepRequests(stop: flags & 1 != 0, coolDown: flags & 4 != 0, save: flags & 2 != 0)
  }
}

extension Data {
  fileprivate mutating func append(floats: [Float]) {
    append(integer: UInt64(floats.count))
    for float in floats { append(integer: float.bitPattern) }
  }

  /// Appends notes of the same size: count, size, bytes.
  fileprivate mutating func append(notes: [ItemNote]) {
    append(integer: UInt64(notes.count))
    append(integer: UInt64(notes.first?.bytes.count ?? 0))
    for note in notes { append(contentsOf: note.bytes) }
  }
}

extension ByteReader {
  fileprivate mutating func floats() throws -> [Float] {
    try (0..<count(of: 4)).map { _ in Float(bitPattern: try integer()) }
  }

  fileprivate mutating func notes() throws -> [ItemNote] {
    let count = try count(of: 1)
    let size = Int(clamping: try integer() as UInt64)
    guard count == 0 || size > 0 else { throw damage }
    return try (0..<count).map { _ in ItemNote(try bytes(size)) }
  }
}
