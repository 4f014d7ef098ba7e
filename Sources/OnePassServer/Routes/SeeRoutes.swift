import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import OnePassService
import ServiceLifecycle
import Synchronization

/// The page, what it shows, and the metrics.
struct SeeRoutes: Sendable {
  let metrics: Metrics
  let page: Page
  let streams: EventStreams

  var all: [Route] {
    [
      Route("/", .see, [.get: { _ in page.response }]),
      Route("/v1/status", .see, [.get: { .json($0.service.report) }]),
      Route("/v1/history", .see, [.get: { try Self.history($0) }]),
      Route("/v1/events", .see, [.get: { try events($0) }]),
      Route("/v1/mistakes/{id}", .see, [.get: { try Self.picture($0) }]),
      Route("/metrics", .see, [.get: { metrics.response(for: $0.service) }]),
      // Browsers ask for it.
      Route("/favicon.ico", nil, [.get: { _ in Response(status: .noContent) }]),
      Route(
        "/openapi.json", nil, [.get: { _ in .bytes(PackageResources.openapi_json, type: "application/json") }]
      ),
    ]
  }

  private static func history(_ exchange: Exchange) throws -> Response { .json(exchange.service.history) }

  private static func picture(_ exchange: Exchange) throws -> Response {
    guard let image = exchange.service.picture(of: exchange.parameter) else {
      throw Problem.notFound("No recent mistake has this id.")
    }
    return .bytes(image, type: ImageCheck.type(of: image))
  }

  /// The status each second, until the client leaves or the service ends.
  private func events(_ exchange: Exchange) throws -> Response {
    let service = exchange.service
    guard !streams.isFull else {
      throw Problem.notReady("Too many clients follow the events; use /v1/status.")
    }
    let isHead = exchange.request.method == .head
    return Response(
      status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
      body: isHead
        ? .init()
        : .init { [streams] writer in
          streams.begin()
          defer { streams.end() }
          while service.state.state != .draining, !Task.isShuttingDownGracefully {
            let data = String(decoding: try ServiceReport.json(service.report), as: UTF8.self)
            try await writer.write(ByteBuffer(string: "event: status\ndata: \(data)\n\n"))
            try await Task.sleep(for: .seconds(1))
          }
          try await writer.finish(nil)
        })
  }
}

/// The clients that follow the events, each of which keeps a connection: at most a quarter of all.
final class EventStreams: Sendable {
  private let count = Atomic<Int>(0)
  private let limit: Int

  init(connections: Int) { limit = max(1, connections / 4) }

  var isFull: Bool { count.load(ordering: .relaxed) >= limit }
  func begin() { count.add(1, ordering: .relaxed) }
  func end() { count.subtract(1, ordering: .relaxed) }
}

/// The page of a service, with the hashes of its script and style in its policy.
struct Page: Sendable {
  let response: Response

  init() {
    let html = PackageResources.index_html
    var response = Response.bytes(html, type: "text/html; charset=utf-8")
    let text = String(decoding: html, as: UTF8.self)
    let policy =
      "default-src 'none'; style-src 'sha256-\(Self.hash(of: "style", in: text))'; script-src 'sha256-\(Self.hash(of: "script", in: text))'; "
      + "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    response.headers[.contentSecurityPolicy] = policy
    self.response = response
  }

  private static func hash(of tag: String, in text: String) -> String {
    guard let start = text.firstRange(of: "<\(tag)>"), let end = text.firstRange(of: "</\(tag)>") else {
      preconditionFailure("The page must have one \(tag).")
    }
    return SHA256Digest.base64(of: Array(text[start.upperBound..<end.lowerBound].utf8))
  }
}
