import HTTPTypes
import Hummingbird
import OnePassService

/// Checkpoints and the end of the training.
enum ManageRoutes {
  static let all = [
    Route("/v1/checkpoint", .manage, [.post: { try await checkpoint($0) }]),
    Route("/v1/subjects/{id}", .manage, [.delete: { try await forget($0) }]),
    Route("/v1/cool-down", .manage, [.post: { try coolDown($0) }]),
  ]

  private struct Saved: Encodable {
    let step: Int
    let position: Int
    let seconds: Double
  }

  private static func checkpoint(_ exchange: Exchange) async throws -> Response {
    let saved = try await exchange.service.checkpoint()
    return .json(
      Saved(step: saved.step, position: saved.position, seconds: saved.seconds))
  }

  private static func forget(_ exchange: Exchange) async throws -> Response {
    guard let subject = try exchange.bounded(exchange.parameter, "The subject", atMost: 256) else {
      throw Problem.unknownID
    }
    return .json(try await exchange.service.forget(subject))
  }

  private struct Requested: Encodable {
    let state = "cooling down"
  }

  private static func coolDown(_ exchange: Exchange) throws -> Response {
    try exchange.service.coolDown()
    return .json(Requested(), status: .accepted)
  }
}
