import Foundation
import HTTPTypes
import Hummingbird
import OnePassService

/// Examples and late labels.
enum LearnRoutes {
  static let all = [
    Route("/v1/examples", .learn, [.post: { try await learn($0) }]),
    Route("/v1/labels/{id}", .learn, [.put: { try await label($0) }]),
  ]

  private struct Position: Encodable {
    let position: Int
  }

  private struct Positions: Encodable {
    let positions: [Int]
  }

  // MARK: Examples

  private static func learn(_ exchange: Exchange) async throws -> Response {
    // With a key, the answer to an earlier request may be due.
    if try key(exchange) == nil { try exchange.service.checkLearning() }
    if exchange.mediaType == Multipart.type { return try await learnAll(exchange) }
    let label = try labelText(exchange).map { try classOf($0, exchange) }
    let subject = try exchange.bounded(exchange.query("subject"), "subject", atMost: 256)
    let key = try key(exchange)
    guard let type = exchange.mediaType, ImageCheck.types.contains(type) else {
      throw Problem.contentType(exchange.mediaType, allowed: ImageCheck.types + [Multipart.type])
    }
    guard let label else { throw Problem.noLabel }
    let image = try await exchange.image()
    let accepted = try await exchange.service.learn(
      .init(image: image, label: label, subject: subject, key: key))
    return .json(Position(position: accepted.position), status: accepted.isRepeated ? .ok : .created)
  }

  private static func labelText(_ exchange: Exchange) throws -> String? {
    let (query, header) = (try exchange.query("label"), exchange.header("OnePass-Label"))
    guard query == nil || header == nil || query == header else {
      throw Problem.badRequest("The label of the query and that of the header differ.")
    }
    return try exchange.bounded(
      exchange.query("label") ?? exchange.header("OnePass-Label"), "label", atMost: 256)
  }

  private static func classOf(_ text: String, _ exchange: Exchange) throws -> String {
    do { return try exchange.service.text(ofLabel: text) } catch LabelProblem.unknown {
      throw Problem.unknownLabel(text, classes: exchange.service.classes)
    }
  }

  /// The key of the request: `Idempotency-Key`, or source and id of a CloudEvent.
  private static func key(_ exchange: Exchange) throws -> String? {
    let source = try exchange.bounded(exchange.header("ce-source"), "ce-source", atMost: 1_024)
    if let key = try exchange.bounded(exchange.header("Idempotency-Key"), "Idempotency-Key", atMost: 255) {
      return "key/\(key)"
    }
    guard let id = try exchange.bounded(exchange.header("ce-id"), "ce-id", atMost: 255) else { return nil }
    // With its length, since both may contain slashes.
    return "event/\(source?.count ?? 0)/\(source ?? "")/\(id)"
  }

  /// Several examples in one body: each part `image` with a header OnePass-Label, or followed by a part `label`.
  private static func learnAll(_ exchange: Exchange) async throws -> Response {
    let subject = try exchange.bounded(exchange.query("subject"), "subject", atMost: 256)
    let key = try key(exchange)
    let common = try labelText(exchange)
    guard
      let parts = Multipart.parts(
        try await exchange.body(), contentType: exchange.headers[.contentType] ?? "")
    else { throw Problem.badRequest("The body is not a whole multipart/form-data body.") }
    var examples: [Inbox.NewExample] = []
    for (index, part) in parts.enumerated() where part.disposition("name") != "label" {
      let next = parts.indices.contains(index + 1) ? parts[index + 1] : nil
      let following =
        next?.disposition("name") == "label" ? next.map { String(decoding: $0.body, as: UTF8.self) } : nil
      let own = part.headers["onepass-label"]
      guard own == nil || following == nil || own == following else {
        throw Problem.badRequest(
          "The header OnePass-Label of part \(index + 1) and the label after it differ.")
      }
      guard let label = own ?? following ?? common else { throw Problem.noLabel }
      let image = Array(part.body)
      try exchange.images.check(image)
      examples.append(
        .init(
          image: image, label: try classOf(label, exchange), subject: subject,
          key: key.map { "part/\(examples.count)/\($0)" }))
    }
    guard !examples.isEmpty else { throw Problem.badRequest("The body has no part with an image.") }
    // All are checked before the first is accepted.
    var (positions, isRepeated): ([Int], Bool) = ([], true)
    for example in examples {
      let accepted = try await exchange.service.learn(example)
      positions.append(accepted.position)
      isRepeated = isRepeated && accepted.isRepeated
    }
    return .json(Positions(positions: positions), status: isRepeated ? .ok : .created)
  }

  // MARK: Late labels

  private struct LabelAnswer: Encodable {
    let position: Int
    @OrNull var predicted: String?
    @OrNull var correct: Bool?
  }

  private static func label(_ exchange: Exchange) async throws -> Response {
    guard exchange.mediaType == "application/json" else {
      throw Problem.contentType(exchange.mediaType, allowed: ["application/json"])
    }
    let label = try classOf(try labelMember(of: await exchange.body()), exchange)
    let answer: Service.Labelled?
    do { answer = try await exchange.service.label(exchange.parameter, label) } catch InboxProblem.keyReused {
      throw Problem.labelDiffers
    }
    guard let answer else { throw Problem.unknownID }
    var body = LabelAnswer(position: answer.accepted.position)
    body.predicted = answer.predicted.map { exchange.service.name(ofClass: $0) }
    body.correct = answer.predicted.map { $0 == label }
    return .json(body, status: answer.accepted.isRepeated ? .ok : .created)
  }

  private static func labelMember(of body: [UInt8]) throws -> String {
    guard let object = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any],
      object.count == 1
    else {
      throw Problem.badRequest("The body must be a JSON object with the member label alone.")
    }
    if let text = object["label"] as? String, (1...256).contains(text.count) { return text }
    if let number = object["label"] as? NSNumber, !["c", "B"].contains(String(cString: number.objCType)),
      let integer = Int(exactly: number.doubleValue), integer >= 0
    {
      return "\(integer)"
    }
    throw Problem.badRequest("label must be the name or the number of a class.")
  }
}
