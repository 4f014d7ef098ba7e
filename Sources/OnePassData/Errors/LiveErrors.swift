import OnePassCore

// Errors about streams of brokers.
extension OnePassError {
  static func labelKeyOfMessages(_ key: String, form: MessageForm) -> OnePassError {
    let keys =
      switch form {
      case .image: "header:NAME or key"
      case .json: "json:FIELD"
      case .cloudevents: "header:NAME, an attribute"
      case .tar: "cls, folder or json:FIELD"
      }
    return OnePassError(
      .usage, "--label-key \(key): messages with --record \(form.rawValue) have no such label; use \(keys).")
  }

  static func subjectKeyOfMessages(_ key: SubjectKey, form: MessageForm) -> OnePassError {
    OnePassError(
      .usage,
      "--subject-key \(key): messages with --record \(form.rawValue) have no file names; use json:NAME, the name of a "
        + "header or field.")
  }

  package static func liveStreamHasNoEnd(_ source: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(source): a broker's stream has no end, so it can only be the --data of `onepass train`; use files here."
    )
  }

  static func labelKeyOfShards(_ key: String) -> OnePassError {
    OnePassError(
      .usage, "--label-key \(key): WebDataset samples have no such label; use cls, folder or json:FIELD.")
  }

  /// - Parameter last: The place of the last one and the reason.
  static func tooManyRejected(_ count: Int, of seen: Int, in source: String, limit: Double, last: String)
    -> OnePassError
  {
    OnePassError(
      .badData,
      "\(source): \(count) of \(seen) messages hold no example (--broken-limit \(limit)), the last one at \(last); "
        + "pass the --record and the --label-key of these messages.")
  }

  static func cannotRecordOrder(_ path: String, cause: (any Error)? = nil) -> OnePassError {
    OnePassError(.io, "\(path): cannot be written; free space or pass another --output.", cause: cause)
  }

  static func noStreamMark(_ source: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(source): the run was started with other data, so its place in this stream is unknown; "
        + "resume it with the same --data.")
  }

  static func partitionsMissing(_ source: String, _ before: Int, _ now: Int) -> OnePassError {
    OnePassError(
      .badData,
      "\(source): has \(now) partitions, and had \(before) before; it was created again, so it cannot be continued."
    )
  }

  static func otherStream(_ source: String, at offset: String) -> OnePassError {
    OnePassError(
      .badData,
      "\(source): the message at \(offset) is not the one that was read there; the stream was created again or its "
        + "server lost messages, so it cannot be continued.")
  }
}

// MARK: Options

extension OnePassError {
  static func isNoMessageLimit(_ text: String) -> OnePassError {
    OnePassError(
      .usage,
      "--message-limit must be a number of bytes with its unit, such as 64MB (got \(String(escaping: text.utf8)))."
    )
  }

  static func isNoStreamEnd(_ text: String) -> OnePassError {
    OnePassError(
      .usage,
      "--until must be a time such as 2026-12-01T18:30, with a Z for UTC (got \(String(escaping: text.utf8)))."
    )
  }
}
