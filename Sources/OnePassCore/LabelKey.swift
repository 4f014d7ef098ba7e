/// Where the samples of WebDataset shards, or the messages of a broker, have their label.
///
/// ```swift
/// try LabelKey("cls")          // the .cls entry
/// try LabelKey("json:label")   // a field of the .json entry
/// try LabelKey("folder")       // the folder of the entries
/// try LabelKey("header:class") // a header of a message
/// ```
public enum LabelKey: Hashable, Sendable, CustomStringConvertible {
  /// The sample's `.cls` entry.
  case entry
  /// The name of the folder that directly contains the sample's entries.
  case folder
  /// The field with this name in the sample's `.json` entry, or in the message.
  case field(String)
  /// The header with this name of the message, or the attribute of a CloudEvent.
  case header(String)
  /// The key of the message.
  case messageKey

  /// Parses `cls`, `folder`, `json:FIELD`, `header:NAME` or `key`.
  /// - Throws: `OnePassError` (`usage`) for any other text.
  public init(_ text: String) throws {
    if text == "cls" {
      self = .entry
    } else if text == "folder" {
      self = .folder
    } else if text.hasPrefix("json:"), text.utf8.count > 5 {
      self = .field(String(text.dropFirst(5)))
    } else if text.hasPrefix("header:"), text.utf8.count > 7 {
      self = .header(String(text.dropFirst(7)))
    } else if text == "key" {
      self = .messageKey
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
    case .header(let name): "header:\(name)"
    case .messageKey: "key"
    }
  }
}

extension LabelKey: TextCoded {}
