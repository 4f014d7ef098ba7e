import Foundation
import OnePass

/// The record of a run's MLflow run in its output folder, from which a resumed run continues it.
struct MLflowRecord: Codable, Equatable {
  static let fileName = RunLogFiles.mlflow

  /// The scalars logged after a step.
  struct Point: Codable, Equatable {
    var step: Int
    /// Milliseconds since 1970.
    var timestamp: Int
    var values: [String: Double]

    init(_ point: LogPoint) {
      step = point.step
      timestamp = Self.timestamp(point.time)
      values = Dictionary(point.scalars.map { ($0.name, $0.value) }) { $1 }
    }

    static func timestamp(_ time: Date) -> Int { Int((time.timeIntervalSince1970 * 1_000).rounded()) }
  }

  var server: String
  var experiment: String
  /// A unique tag of the MLflow run, which identifies it if the response to its creation was lost.
  var key = UUID().uuidString
  /// The id of the MLflow run, once known.
  var run: String?
  /// The points that the server has not confirmed, in the order of steps.
  var unsent: [Point] = []

  init(_ address: MLflowAddress) { (server, experiment) = (address.server, address.experiment) }

  /// Reads the record of an earlier process; `nil` if there is none, or it is for another server or experiment.
  /// - Throws: `OnePassError`: `badData` if it is damaged, `io` if it cannot be read.
  init?(in output: String, of address: MLflowAddress) throws {
    let path = "\(output)/\(Self.fileName)"
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      self = try Self.decoder.decode(Self.self, from: data)
    } catch let error as DecodingError {
      throw OnePassError.damagedRecord(path, cause: error)
    } catch {
      throw OnePassError.unreadableRecord(path, cause: error)
    }
    guard server == address.server, experiment == address.experiment else { return nil }
  }

  /// Writes the record to the folder of a run.
  /// - Throws: `OnePassError` (`io`) if the file cannot be written.
  func write(in output: String) throws {
    let path = "\(output)/\(Self.fileName)"
    let data: Data
    do { data = try Self.encoder.encode(self) } catch {
      throw OnePassError.recordNotEncodable(path, cause: error)
    }
    try DurableFile.write(data, to: path)
  }

  private static let (infinity, minusInfinity, nan) = ("Infinity", "-Infinity", "NaN")

  private static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: infinity, negativeInfinity: minusInfinity, nan: nan)
    return encoder
  }

  private static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: infinity, negativeInfinity: minusInfinity, nan: nan)
    return decoder
  }
}
