import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// An error as an answer, in the one format of the service (RFC 9457).
struct Problem: Error {
  /// The last part of its type, `urn:onepass:problem:NAME`.
  let name: String
  let status: HTTPResponse.Status
  let title: String
  /// What happened in this case, and what to do.
  let detail: String
  /// Further members.
  var members: [String: JSONValue] = [:]
  var headers = HTTPFields()

  init(
    _ name: String, _ status: HTTPResponse.Status, _ title: String, _ detail: String,
    members: [String: JSONValue] = [:]
  ) {
    (self.name, self.status, self.title, self.detail, self.members) = (name, status, title, detail, members)
  }

  /// The same with a time after which the client may try again.
  func retrying(after seconds: Int) -> Problem {
    var problem = self
    problem.headers[.retryAfter] = "\(seconds)"
    return problem
  }

  var response: Response {
    var body = members
    body["type"] = .text("urn:onepass:problem:\(name)")
    body["title"] = .text(title)
    body["status"] = .number(Double(status.code))
    body["detail"] = .text(detail)
    var response = Response.json(body, status: status, type: "application/problem+json")
    for field in headers { response.headers[field.name] = field.value }
    return response
  }
}

/// A value of a JSON answer.
enum JSONValue: Encodable, Sendable {
  case text(String)
  case number(Double)
  case texts([String])

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .text(let text): try container.encode(text)
    case .number(let number):
      // Whole numbers without a fraction.
      if let integer = Int(exactly: number) {
        try container.encode(integer)
      } else {
        try container.encode(number)
      }
    case .texts(let texts): try container.encode(texts)
    }
  }
}
