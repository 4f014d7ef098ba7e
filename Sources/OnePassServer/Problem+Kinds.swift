import Foundation
import HTTPTypes
import OnePassCore
import OnePassData
import OnePassService

extension Problem {
  // MARK: Access

  static func noToken(allowsBasic: Bool) -> Problem {
    var problem = Problem(
      "no-token", .unauthorized, "No valid token",
      "Send `Authorization: Bearer TOKEN` with a token of the service's file.")
    // Chromium regards only the first challenge of a field.
    let basic = allowsBasic ? "Basic realm=\"onepass\", " : ""
    problem.headers[.wwwAuthenticate] = "\(basic)Bearer realm=\"onepass\""
    return problem
  }

  static func noRole(_ role: Role) -> Problem {
    Problem(
      "no-role", .forbidden, "The token lacks a role",
      "This request needs a token with the role \(role.rawValue).")
  }

  static let foreignOrigin = Problem(
    "no-role", .forbidden, "A request of another site",
    "Without tokens, the service answers requests for a loopback name only, and none that another site has caused."
  )

  // MARK: Requests

  static func notFound(_ what: String) -> Problem { Problem("not-found", .notFound, "Not found", what) }

  static func methodNotAllowed(_ method: String, allowed: [String]) -> Problem {
    var problem = Problem(
      "method-not-allowed", .methodNotAllowed, "Method not allowed",
      "\(method) is not possible here; use \(allowed.joined(separator: ", ")).")
    problem.headers[.allow] = allowed.joined(separator: ", ")
    return problem
  }

  static func badRequest(_ detail: String) -> Problem {
    Problem("bad-request", .badRequest, "Bad request", detail)
  }

  static func tooLarge(limit: Int) -> Problem {
    Problem(
      "too-large", .contentTooLarge, "The body is too large",
      "A body may have at most \(limit) bytes, which is the body-limit of the service.",
      members: ["limit": .number(Double(limit))])
  }

  static func contentType(_ given: String?, allowed: [String]) -> Problem {
    Problem(
      "content-type", .unsupportedMediaType, "Unsupported content type",
      "The content type \(given.map { "\($0.prefix(100))" } ?? "is missing and") must be one of \(allowed.joined(separator: ", "))."
    )
  }

  static func contentEncoding(_ given: String) -> Problem {
    var problem = Problem(
      "content-encoding", .unsupportedMediaType, "Unsupported content encoding",
      "The body is encoded as \(given.prefix(50)); send it as it is.")
    problem.headers[.acceptEncoding] = "identity"
    return problem
  }

  static let noLabel = Problem(
    "no-label", .badRequest, "No label",
    "Give the label as `?label=` or as the header OnePass-Label: the name or the number of a class.")

  static func brokenImage(_ detail: String) -> Problem {
    Problem("broken-image", .badRequest, "The image cannot be decoded", detail)
  }

  static func unknownLabel(_ label: String, classes: [String]) -> Problem {
    Problem(
      "unknown-label", .unprocessableContent, "Unknown label",
      "The label \"\(label.prefix(100))\" is none of the \(classes.count) classes.",
      members: ["classes": .texts(classes)])
  }

  // MARK: State

  static func notReady(_ reason: String) -> Problem {
    Problem("not-ready", .serviceUnavailable, "Not ready", reason).retrying(after: 1)
  }

  static let unknownID = Problem(
    "unknown-id", .notFound, "Unknown prediction",
    "No image waits under this id: it is unknown, or has expired.")

  static let labelDiffers = Problem(
    "label-differs", .conflict, "Another label was given before",
    "This prediction has got another label, which is kept.")

  static let internalFailure = Problem(
    "internal", .internalServerError, "Internal error", "The request failed; the log of the service says why."
  )

  /// The answer to an error of the service; `nil` for one that is no fault of the request or the state.
  init?(_ error: any Error) {
    switch error {
    case let problem as Problem: self = problem
    case InboxProblem.full:
      self = Problem(
        "queue-full", .tooManyRequests, "The queue is full",
        "Examples arrive faster than they are trained; send this one again later."
      ).retrying(after: 5)
    case InboxProblem.keyReused:
      self = Problem(
        "key-reused", .unprocessableContent, "The key was used for another example",
        "An example with this Idempotency-Key had another image, label or subject.")
    case LabelProblem.malformed:
      self = .badRequest(
        "The label must be text of 1 to \(OpenClassName.mostBytes) bytes without control characters, and not negative."
      )
    case LabelProblem.tooMany(let limit):
      self = Problem(
        "too-many-classes", .unprocessableContent, "There are too many classes",
        "The label is a new class, and there are \(limit), which is the limit of `classes: open:LIMIT`.")
    case WaitingProblem.full(let until):
      let seconds = until.map { max(1, Int($0.timeIntervalSinceNow.rounded(.up))) } ?? 60
      self = Problem(
        "waiting-full", .tooManyRequests, "Too many images wait for a label",
        "The image is not kept; use /v1/predict, or send labels for earlier predictions."
      ).retrying(after: seconds)
    case PredictionProblem.busy:
      self = .notReady("Too many predictions wait.")
    case PredictionProblem.noClasses: self = .notReady("No class was trained yet.")
    case PredictionProblem.closed, ServiceProblem.draining: self = .notReady("The service is being stopped.")
    case ServiceProblem.notReady(let reason): self = .notReady(reason)
    case ServiceProblem.finished, InboxProblem.ended:
      self = Problem(
        "finished", .conflict, "The run is finished", "The model is not trained further; it only predicts.")
    case ServiceProblem.readsBroker:
      self = Problem(
        "reads-broker", .conflict, "Examples come from a broker",
        "Send this example to the stream that the service reads.")
    case ServiceProblem.noCoolDown:
      self = Problem(
        "no-cool-down", .conflict, "The schedule does not cool down",
        "Only a run with `schedule: on-demand` cools down on request.")
    case ServiceProblem.checkpointFailed(let reason): self = .notReady(reason)
    case let error as OnePassError where error.code == .diskFull:
      self = Problem(
        "disk-full", HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage"), "The disk is full",
        "The example is not kept; predictions continue. Free some space, and send it again."
      ).retrying(after: 30)
    case let error as OnePassError where error.code == .badData: self = .brokenImage(error.message)
    default: return nil
    }
  }
}
