import OnePass
import OnePassCore
import OnePassData
import Synchronization

/// The classes of a service: known ahead, or open.
///
/// A class has a text, which accepted examples and waiting predictions record: its number, or its name if the classes are open.
final class ServiceClasses: Sendable {
  /// The names of classes that are known ahead; `nil` if they are open.
  private let known: [String]?
  private let limit: Int
  /// The open classes of accepted examples.
  private let accepted: Mutex<Set<String>>

  /// - Parameter accepted: The labels of the examples that were accepted before.
  /// - Throws: `OnePassError` (`usage`) if the classes are neither known nor open.
  init(_ data: RunConfiguration.DataOptions, accepted: Set<String>) throws {
    limit = data.openClasses?.limit ?? 0
    self.accepted = Mutex(data.openClasses == nil ? [] : accepted)
    guard data.openClasses == nil else {
      known = nil
      return
    }
    guard let count = data.classNames?.count ?? data.classCount else {
      throw OnePassError(
        .usage,
        "--classes is required for a service; pass the number of classes, a file with their names, or open.")
    }
    known = data.classNames ?? (0..<count).map { "\($0)" }
  }

  var isOpen: Bool { known == nil }

  /// The names of the classes in label order.
  /// - Parameter card: The model, which has the open ones.
  func names(_ card: ModelCard?) -> [String] { known ?? card?.classNames ?? [] }

  /// The text of the class that a user names, by its name or its number.
  /// - Throws: ``LabelProblem``.
  func text(of label: String) throws -> String {
    guard let known else {
      guard let name = OpenClassName.name(of: Array(label.utf8)) else { throw LabelProblem.malformed }
      return name
    }
    if let index = known.firstIndex(of: label) { return "\(index)" }
    guard let index = Int(label), known.indices.contains(index) else { throw LabelProblem.unknown }
    return "\(index)"
  }

  /// Notes the class of an example that is about to be accepted.
  /// - Throws: ``LabelProblem/tooMany(limit:)``.
  func note(_ text: String, _ card: ModelCard?) throws {
    guard isOpen else { return }
    let isRefused = accepted.withLock { accepted in
      guard !accepted.contains(text) else { return false }
      accepted.formUnion(card?.classNames ?? [])
      guard accepted.count < limit || accepted.contains(text) else { return true }
      accepted.insert(text)
      return false
    }
    if isRefused { throw LabelProblem.tooMany(limit: limit) }
  }

  /// The text of a predicted class.
  func text(of predicted: Prediction.Class) -> String { isOpen ? predicted.name : "\(predicted.label)" }

  /// The name of a class by its text.
  func name(of text: String) -> String {
    guard let known else { return text }
    return Int(text).flatMap { known.indices.contains($0) ? known[$0] : nil } ?? text
  }
}

/// Why a label is refused.
package enum LabelProblem: Error, Hashable, Sendable {
  /// It is none of the classes.
  case unknown
  /// It cannot be the name of a class.
  case malformed
  /// It would be a further open class, beyond the limit.
  case tooMany(limit: Int)
}
