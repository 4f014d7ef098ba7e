import Foundation
import HTTPTypes
import Hummingbird
import OnePass
import OnePassCore
import OnePassService

/// Predictions with an image as body.
enum PredictRoutes {
  static let all = [
    Route("/v1/predict", .predict, [.post: { try await predict($0) }]),
    Route("/v1/predictions", .predict, [.post: { try await predictForLater($0) }]),
    Route("/v1/model", .predict, [.get: { try await model($0) }]),
  ]

  private struct ClassAnswer: Encodable {
    let label: Int
    let name: String
    let probability: Double
  }

  private struct Answer: Encodable {
    var id: String?
    let classes: [ClassAnswer]
    let weightsStep: Int
    var expiresAt: Date?

    init(_ answer: PredictionQueue.Answer, top: Int, of service: Service) {
      classes = answer.classes.prefix(top).map {
        ClassAnswer(label: $0.label, name: service.name(of: $0), probability: $0.probability)
      }
      weightsStep = answer.step
    }
  }

  private static func predict(_ exchange: Exchange) async throws -> Response {
    let top = try exchange.top()
    let image = try await exchange.image()
    let answer = try await exchange.service.predict(EncodedImage(bytes: image))
    return .json(Answer(answer, top: top, of: exchange.service))
  }

  private static func predictForLater(_ exchange: Exchange) async throws -> Response {
    let top = try exchange.top()
    let subject = try exchange.bounded(exchange.query("subject"), "subject", atMost: 256)
    let image = try await exchange.image()
    let (answer, kept) = try await exchange.service.predict(EncodedImage(bytes: image), keepingFor: subject)
    var body = Answer(answer, top: top, of: exchange.service)
    (body.id, body.expiresAt) = (kept.id, kept.expires)
    var response = Response.json(body, status: .created)
    response.headers[.location] = "/v1/labels/\(kept.id)"
    return response
  }

  /// The weights that predict, as a safetensors file.
  private static func model(_ exchange: Exchange) async throws -> Response {
    let path = FileManager.default.temporaryDirectory.appending(
      path: "onepass-\(UUID().uuidString).safetensors"
    ).path
    defer { unlink(path) }
    try await exchange.service.writeModel(to: path)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    var response = Response.bytes(Array(bytes), type: "application/octet-stream")
    response.headers[.contentDisposition] =
      "attachment; filename=\"\(exchange.service.options.name).safetensors\""
    return response
  }
}
