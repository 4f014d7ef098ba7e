/// Where the samples of WebDataset shards have their label.
///
/// ```swift
/// try LabelKey("cls")          // the .cls entry
/// try LabelKey("json:label")   // a field of the .json entry
/// try LabelKey("folder")       // the folder of the entries
/// ```
public enum LabelKey: Hashable, Sendable, CustomStringConvertible {
  /// The sample's `.cls` entry.
  case entry
  /// The name of the folder that directly contains the sample's entries.
  case folder
  /// The field with this name in the sample's `.json` entry.
  case field(String)

  /// Parses `cls`, `folder` or `json:FIELD`.
  /// - Throws: `OnePassError` (`usage`) for any other text.
  public init(_ text: String) throws {
    if text == "cls" {
      self = .entry
    } else if text == "folder" {
      self = .folder
    } else if text.hasPrefix("json:"), text.utf8.count > 5 {
      self = .field(String(text.dropFirst(5)))
    } else {
      throw OnePassError.unknownLabelKey(text)
    }
  }

  /// The key in the form that ``init(_:)`` parses.
  public var description: String {
    switch self {
    case .entry: "cls"
    case .folder: "folder"
    case .field(let name): "json:\(name)"
    }
  }
}

extension LabelKey: TextCoded {}
