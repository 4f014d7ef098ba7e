/// The part of an example that names its subject, so that all examples of a subject can be forgotten.
///
/// ```swift
/// try SubjectKey("folder")        // the folder of the file
/// try SubjectKey("stem")          // the file name up to its first dot; the key of a WebDataset sample
/// try SubjectKey("json:person")   // a field of a WebDataset sample's .json
/// ```
public enum SubjectKey: Hashable, Sendable, CustomStringConvertible {
  /// The name of the folder that directly contains the file.
  case folder
  /// The file name up to its first dot; the key of a WebDataset sample.
  case stem
  /// The field with this name in a WebDataset sample's `.json`.
  case field(String)

  /// Parses `folder`, `stem` or `json:FIELD`.
  /// - Throws: `OnePassError` (`usage`) for any other text.
  public init(_ text: String) throws {
    if text == "folder" {
      self = .folder
    } else if text == "stem" {
      self = .stem
    } else if text.hasPrefix("json:"), text.count > 5 {
      self = .field(String(text.dropFirst(5)))
    } else {
      throw OnePassError.unknownSubjectKey(text)
    }
  }

  /// The key in the form that ``init(_:)`` parses.
  public var description: String {
    switch self {
    case .folder: "folder"
    case .stem: "stem"
    case .field(let name): "json:\(name)"
    }
  }

  /// Returns the subject named by a relative path; `nil` if the path has no folder or the key is a field.
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
