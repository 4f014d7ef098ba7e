import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import OnePassService

/// A request to a route, with what the route needs to answer it.
struct Exchange: Sendable {
  let request: Request
  /// The part of the path in braces, decoded.
  let parameter: String
  let service: Service
  let images: ImageCheck

  var headers: HTTPFields { request.headers }

  /// A parameter of the query, decoded; `nil` if it is missing.
  func query(_ name: String) throws -> String? {
    guard let value = request.uri.queryParameters[Substring(name)] else { return nil }
    guard let text = value.replacing("+", with: " ").removingPercentEncoding else {
      throw Problem.badRequest("The parameter \(name) is not percent-encoded text.")
    }
    return text
  }

  func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }

  /// A text within bounds, as subjects and keys are.
  func bounded(_ text: String?, _ name: String, atMost limit: Int) throws -> String? {
    guard let text else { return nil }
    guard (1...limit).contains(text.count) else {
      throw Problem.badRequest("\(name) must have 1 to \(limit) characters (got \(text.count)).")
    }
    return text
  }

  /// The number of classes of an answer, 1 … 1000; 5 without the parameter.
  func top() throws -> Int {
    guard let text = try query("top") else { return 5 }
    guard let value = Int(text), (1...1_000).contains(value) else {
      throw Problem.badRequest("top must be 1 to 1000 (got \(text.prefix(20))).")
    }
    return value
  }

  /// The media type of the body in lower case, without parameters.
  var mediaType: String? {
    headers[.contentType].map {
      String($0.prefix { $0 != ";" }).trimmingCharacters(in: .whitespaces).lowercased()
    }
  }

  /// The whole body.
  /// - Throws: ``Problem`` if it is larger than the service accepts.
  func body() async throws -> [UInt8] {
    if let encoding = headers[.contentEncoding], encoding.lowercased() != "identity" {
      throw Problem.contentEncoding(encoding)
    }
    let limit = service.options.bodyBytes
    if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit {
      throw Problem.tooLarge(limit: limit)
    }
    var bytes: [UInt8] = []
    do {
      for try await part in request.body {
        guard bytes.count + part.readableBytes <= limit else { throw Problem.tooLarge(limit: limit) }
        bytes += part.readableBytesView
      }
    } catch let error where !(error is Problem || error is CancellationError) {
      throw Problem.badRequest("The body has ended early, or its chunks are malformed.")
    }
    return bytes
  }

  /// The body, which is an image.
  /// - Throws: ``Problem`` for another content type, or an image that cannot be decoded.
  func image() async throws -> [UInt8] {
    guard let type = mediaType, ImageCheck.types.contains(type) else {
      throw Problem.contentType(mediaType, allowed: ImageCheck.types)
    }
    let bytes = try await body()
    try images.check(bytes)
    return bytes
  }
}

extension Response {
  /// An answer in JSON.
  static func json(
    _ value: some Encodable, status: HTTPResponse.Status = .ok, type: String = "application/json"
  ) -> Response {
    guard let data = try? ServiceReport.json(value) else {
      preconditionFailure("An answer must be encodable.")
    }
    return Response(
      status: status, headers: [.contentType: type, .cacheControl: "no-store"],
      body: .init(byteBuffer: ByteBuffer(bytes: data)))
  }

  static func bytes(_ bytes: [UInt8], type: String) -> Response {
    Response(
      status: .ok, headers: [.contentType: type, .cacheControl: "no-store"],
      body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
  }
}
