import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import OnePassService
import Synchronization

/// A path of the service, with a handler for each method.
struct Route: Sendable {
  typealias Handler = @Sendable (Exchange) async throws -> Response

  /// `/v1/labels/{id}`
  let path: String
  /// The role that it needs; `nil` for none.
  let role: Role?
  let handlers: [HTTPRequest.Method: Handler]
  fileprivate let parts: [Substring]

  init(_ path: String, _ role: Role?, _ handlers: [HTTPRequest.Method: Handler]) {
    (self.path, self.role, self.handlers) = (path, role, handlers)
    parts = path.split(separator: "/")
  }

  /// The part of a path in braces, or an empty text; `nil` if the path is another.
  fileprivate func parameter(in path: [Substring]) -> String? {
    guard path.count == parts.count else { return nil }
    var parameter = ""
    for (pattern, part) in zip(parts, path) where pattern != part {
      guard pattern.hasPrefix("{"), let text = part.removingPercentEncoding else { return nil }
      parameter = text
    }
    return parameter
  }

  fileprivate var methods: [String] {
    (handlers.keys.map(\.rawValue) + (handlers[.get] == nil ? [] : ["HEAD"])).sorted()
  }
}

/// Answers requests: finds the route, checks access, and turns errors into answers.
struct Dispatcher: HTTPResponder {
  typealias Context = BasicRequestContext

  let routes: [Route]
  let access: Access
  let service: Service
  let images: ImageCheck
  let counts: RequestCounts

  func respond(to request: Request, context: Context) async throws -> Response {
    let path = request.uri.path.split(separator: "/", omittingEmptySubsequences: true)
    let match = routes.lazy.compactMap { route in route.parameter(in: path).map { (route, $0) } }.first
    var response: Response
    do {
      guard let (route, parameter) = match else {
        throw Problem.notFound("The service has no path \(request.uri.path.prefix(100)).")
      }
      response = try await respond(to: request, route, parameter)
    } catch {
      response = answer(to: error, request, context.logger)
    }
    counts.add(route: match?.0.path ?? "other", method: request.method, status: response.status)
    log(request, response, context.logger)
    response.headers[.xContentTypeOptions] = "nosniff"
    return request.method == .head ? response.createHeadResponse() : response
  }

  private func respond(to request: Request, _ route: Route, _ parameter: String) async throws -> Response {
    let method = request.method == .head ? .get : request.method
    let isReading = request.method == .get || request.method == .head
    try access.check(request.head, needs: route.role, allowsBasic: route.role == .see && isReading)
    guard let handler = route.handlers[method] else {
      throw Problem.methodNotAllowed(request.method.rawValue, allowed: route.methods)
    }
    return try await handler(
      Exchange(request: request, parameter: parameter, service: service, images: images))
  }

  private func answer(to error: any Error, _ request: Request, _ logger: Logger) -> Response {
    if var problem = Problem(error) {
      // Clients of the Open Inference Protocol show this member.
      if request.uri.path.hasPrefix("/v2") { problem.members["error"] = .text(problem.detail) }
      if request.method == .post || request.method == .put,
        request.uri.path.hasPrefix("/v1/examples") || request.uri.path.hasPrefix("/v1/labels")
      {
        service.noteRefused(problem.name)
      }
      return problem.response
    }
    logger.error("request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
    return Problem.internalFailure.response
  }

  private func log(_ request: Request, _ response: Response, _ logger: Logger) {
    let level: Logger.Level = response.status.code == 500 ? .error : .debug
    var metadata: Logger.Metadata = [
      "method": "\(request.method.rawValue)", "path": "\(request.uri.path)",
      "status": "\(response.status.code)",
    ]
    if let trace = HTTPField.Name("traceparent").flatMap({ request.headers[$0] }) {
      metadata["traceparent"] = "\(trace.prefix(200))"
    }
    logger.log(level: level, "request", metadata: metadata)
  }
}

/// The answers by route, method and status.
final class RequestCounts: Sendable {
  struct Key: Hashable, Comparable {
    let route: String
    let method: String
    let status: Int

    static func < (a: Key, b: Key) -> Bool { (a.route, a.method, a.status) < (b.route, b.method, b.status) }
  }

  private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "DELETE"]
  private let counts = Mutex<[Key: Int]>([:])

  func add(route: String, method: HTTPRequest.Method, status: HTTPResponse.Status) {
    // Unknown methods are one, so that a client cannot make new series.
    let method = Self.methods.contains(method.rawValue) ? method.rawValue : "other"
    counts.withLock { $0[Key(route: route, method: method, status: status.code), default: 0] += 1 }
  }

  var all: [(Key, Int)] { counts.withLock { $0.sorted { $0.key < $1.key } } }
}
