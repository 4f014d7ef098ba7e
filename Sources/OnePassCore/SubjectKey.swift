/// Where an example says whom it is about, so that all examples of a subject can be forgotten.
///
/// ```swift
/// try SubjectKey("folder")        // the folder that the file lies in
/// try SubjectKey("stem")          // the file's name without its extension; the key of a WebDataset sample
/// try SubjectKey("json:person")   // a field of a WebDataset sample's .json
/// ```
public enum SubjectKey: Hashable, Sendable, CustomStringConvertible {
  case folder
  case stem
  case field(String)

  /// - Throws: `OnePassError` (`usage`) if the text is none of them.
  public init(_ text: String) throws {
    if text == "folder" {
      self = .folder
    } else if text == "stem" {
      self = .stem
    } else if text.hasPrefix("json:"), text.count > 5 {
      self = .field(String(text.dropFirst(5)))
    } else {
      throw OnePassError(
        .usage,
        "The subject key \(text) is not known: write folder, stem or json:FIELD (a field of a sample's .json)."
      )
    }
  }

  public var description: String {
    switch self {
    case .folder: "folder"
    case .stem: "stem"
    case .field(let name): "json:\(name)"
    }
  }

  /// The subject that a path names; `nil` if it has no folder, or the key is a field.
  public func subject(inPath path: String) -> String? {
    let parts = path.split(separator: "/")
    guard let name = parts.last else { return nil }
    switch self {
    case .folder: return parts.dropLast().last.map(String.init)
    case .stem: return String(name.prefix { $0 != "." })
    case .field: return nil
    }
  }
}

extension SubjectKey: TextCoded {}
