/// How a message of a broker holds examples (`--record`).
///
/// ```swift
/// for form in MessageForm.allCases { print(form.rawValue) }  // image, json, cloudevents, tar
/// ```
public enum MessageForm: String, Codable, CaseIterable, Sendable {
  /// The body is an image file; headers, or the key, have the rest.
  case image
  /// The body is a JSON object with the image in base64.
  case json
  /// The message is a CloudEvent, in binary or structured mode.
  case cloudevents
  /// The body is a tar file of WebDataset samples.
  case tar
}

/// What a run does if messages were removed before it could read them (`--on-gap`).
///
/// ```swift
/// for policy in GapPolicy.allCases { print(policy.rawValue) }  // stop, continue
/// ```
public enum GapPolicy: String, Codable, CaseIterable, Sendable {
  /// The run stops with an error.
  case stop
  /// The run continues with the first message that is left, and reports the number of those that are lost.
  case `continue`
}
