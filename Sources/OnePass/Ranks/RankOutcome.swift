import Foundation
import OnePassCore
import OnePassReplay

/// What a rank found in a step, sent to all at its end.
struct RankOutcome {
  /// ℓ_i of its part of the incoming mini-batch, those that could be decoded.
  var losses: [Float] = []
  /// How many of these were classified correctly.
  var correct = 0
  /// What the stored form of each takes, where the memory may take it in.
  var storedBytes: [Int] = []
  /// ℓ_i of its part of each replayed mini-batch.
  var replayLosses: [[Float]] = []
  /// What the memory is to keep of each prediction for its part of the incoming mini-batch.
  var predictions: [StoredPrediction] = []
  /// The same for its part of each replayed mini-batch; empty for one whose images were mixed.
  var replayPredictions: [[StoredPrediction]] = []
  var requests = StepRequests()
}

extension RankOutcome: RankRecord {
  static let leastBytes = 6 * 8 + 1

  func write(to data: inout Data) {
    data.append(floats: losses)
    data.append(integer: UInt64(correct))
    data.append(integer: UInt64(storedBytes.count))
    for bytes in storedBytes { data.append(integer: UInt64(bytes)) }
    data.append(integer: UInt64(replayLosses.count))
    for losses in replayLosses { data.append(floats: losses) }
    data += StoredPrediction.encode(predictions)
    data.append(integer: UInt64(replayPredictions.count))
    for predictions in replayPredictions { data += StoredPrediction.encode(predictions) }
    data.append(
      integer: UInt8((requests.stop ? 1 : 0) + (requests.save ? 2 : 0) + (requests.coolDown ? 4 : 0)))
  }

  init(from reader: inout ByteReader) throws {
    losses = try reader.floats()
    correct = Int(clamping: try reader.integer() as UInt64)
    storedBytes = try (0..<reader.count(of: 8)).map { _ in Int(clamping: try reader.integer() as UInt64) }
    replayLosses = try (0..<reader.count(of: 8)).map { _ in try reader.floats() }
    predictions = try reader.predictions()
    replayPredictions = try (0..<reader.count(of: 8)).map { _ in try reader.predictions() }
    let flags: UInt8 = try reader.integer()
    requests = StepRequests(stop: flags & 1 != 0, coolDown: flags & 4 != 0, save: flags & 2 != 0)
  }
}

extension Data {
  fileprivate mutating func append(floats: [Float]) {
    append(integer: UInt64(floats.count))
    for float in floats { append(integer: float.bitPattern) }
  }
}

extension ByteReader {
  fileprivate mutating func floats() throws -> [Float] {
    try (0..<count(of: 4)).map { _ in Float(bitPattern: try integer()) }
  }

  fileprivate mutating func predictions() throws -> [StoredPrediction] {
    try (0..<count(of: StoredPrediction.bytes)).map { _ in try StoredPrediction(from: &self) }
  }
}
