import Foundation
import Testing

@testable import OnePass

@Suite("Measures of predictions made before training") struct OnlineMeasuresTests {
  /// Predictions, and their measures by River and torchmetrics (Tools/reference_online.py).
  private struct Reference: Decodable {
    struct Point: Decodable {
      let count: Int
      let accuracy, loss, windowAccuracy, windowLoss, calibrationError, windowCalibrationError: Double
    }
    let labels, classes: [Int]
    let probabilities, losses: [UInt32]
    let points: [Point]

    var predictions: [OnlinePrediction] {
      labels.indices.map {
        OnlinePrediction(
          id: $0, label: labels[$0],
          prediction: ClassPrediction(label: classes[$0], probability: Float(bitPattern: probabilities[$0])),
          loss: Float(bitPattern: losses[$0]))
      }
    }

    init() throws {
      let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
      self = try JSONDecoder().decode(
        Self.self, from: Data(contentsOf: folder.appendingPathComponent("online.json")))
    }
  }

  private func expectNear(_ a: Double?, _ b: Double, _ tolerance: Double = 1e-6) {
    #expect(abs((a ?? .infinity) - b) < tolerance)
  }

  @Test("Accuracy, loss and calibration are those of River and torchmetrics, of all and of the last 1,000")
  func references() throws {
    let reference = try Reference()
    var (measures, checked) = (OnlineMeasures(), 0)
    for (index, prediction) in reference.predictions.enumerated() {
      measures.add(prediction)
      guard let point = reference.points.first(where: { $0.count == index + 1 }) else { continue }
      // A checkpoint between predictions changes nothing.
      let saved = try JSONDecoder().decode(OnlineMeasures.self, from: JSONEncoder().encode(measures))
      #expect(saved == measures)
      measures = saved
      let result = try #require(measures.result)
      #expect(result.examples == point.count && result.window?.examples == min(point.count, 1_000))
      expectNear(result.top1, point.accuracy, 1e-12)
      expectNear(result.window?.top1, point.windowAccuracy, 1e-12)
      // torchmetrics adds in float32; River takes the logarithm of a float32 probability.
      expectNear(result.loss, point.loss)
      expectNear(result.window?.loss, point.windowLoss)
      expectNear(result.calibrationError, point.calibrationError)
      expectNear(result.window?.calibrationError, point.windowCalibrationError)
      checked += 1
    }
    #expect(checked == 7)
  }

  @Test("Fading values are the sums of their definition")
  func fading() throws {
    let predictions = try Reference().predictions
    var measures = OnlineMeasures()
    for prediction in predictions { measures.add(prediction) }
    let weights = predictions.indices.map { pow(0.999, Double(predictions.count - 1 - $0)) }
    let total = weights.reduce(0, +)
    let fading = try #require(measures.result?.fading)
    #expect(fading.factor == 0.999)
    expectNear(
      fading.top1, zip(weights, predictions).reduce(0) { $0 + ($1.1.isCorrect ? $1.0 : 0) } / total, 1e-9)
    expectNear(
      fading.loss, zip(weights, predictions).reduce(0) { $0 + $1.0 * Double($1.1.loss) } / total, 1e-9)
  }

  @Test("Classes are counted apart, and a point is not repeated")
  func classesAndPoints() throws {
    let predictions = try Reference().predictions
    var measures = OnlineMeasures()
    #expect(measures.result == nil)
    measures.addPoint(after: 0)
    for (index, prediction) in predictions.enumerated() {
      measures.add(prediction)
      if index % 400 == 399 { for _ in 0..<2 { measures.addPoint(after: index + 1) } }
    }
    #expect(measures.points.map(\.step) == [400, 800, 1_200, 1_600])
    for label in 0..<5 {
      let own = predictions.filter { $0.label == label }
      #expect(measures.classes[label] == .init(examples: own.count, correct: own.count(where: \.isCorrect)))
    }
    let rows = measures.csv.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false)
    }
    #expect(rows.count == 5 && rows.allSatisfy { $0.count == rows[0].count })
    #expect(rows[4].first == "1600" && Double(rows[4][2]) == measures.result?.top1)
  }
}
