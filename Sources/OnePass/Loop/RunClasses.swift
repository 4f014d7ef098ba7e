import OnePassCore
import OnePassData

/// The classes of a run: those that are known ahead, or those that its images have had so far.
///
/// Open classes are numbered in the order in which an image of them was first taken that could be decoded, which is the same
/// over ranks and across resumptions.
struct RunClasses {
  /// A class that was found in the stream.
  struct Found: Codable, Hashable {
    let name: String
    /// The position of its first image.
    let position: Int
  }

  /// The number of classes.
  private(set) var count: Int
  /// The maximum number of open classes; `nil` if the classes are known ahead.
  let limit: Int?
  /// The open classes in label order.
  private(set) var found: [Found] = []
  private var labels: [String: Int] = [:]
  private let specification: String

  init(_ plan: TrainingPlan, of source: any ExampleSource) {
    (count, limit, specification) = (plan.classes, plan.classLimit, source.specification)
  }

  var isOpen: Bool { limit != nil }

  /// The names of open classes in label order; `nil` if the classes are known ahead.
  var names: [String]? { isOpen ? found.map(\.name) : nil }

  /// Restores the open classes of a checkpoint.
  mutating func restore(_ found: [Found]) {
    self.found = found
    count = found.count
    labels = Dictionary(uniqueKeysWithValues: found.enumerated().map { ($1.name, $0) })
  }

  /// Checks the label of an example that was read; that of open classes follows later.
  /// - Throws: `OnePassError` (`badData`).
  func check(_ example: Example) throws {
    if !isOpen { try checkLabel(of: example, classCount: count, in: specification) }
  }

  /// Returns arrivals with the labels of their classes, of which new ones are added.
  /// - Parameter names: The class names of the source in label order, if it has any.
  /// - Throws: `OnePassError` (`badData`) for more classes than the limit.
  mutating func labelled(_ arrivals: [Arrival], names: [String]?) throws -> [Arrival] {
    guard isOpen else { return arrivals }
    return try arrivals.map { arrival in
      let name = arrival.classNamed(in: names)
      if let label = labels[name] { return arrival.with(label: label) }
      // An image that cannot be decoded makes no class.
      guard arrival.problem == nil else { return arrival.with(label: -1) }
      return arrival.with(label: try add(name, at: arrival.id))
    }
  }

  private mutating func add(_ name: String, at position: Int) throws -> Int {
    guard let limit, count < limit else {
      throw OnePassError.tooManyClasses(name, at: position, in: specification, limit: count)
    }
    labels[name] = count
    found.append(Found(name: name, position: position))
    count += 1
    return count - 1
  }

  /// The open classes as a file.
  var csv: String {
    "label,name,first_position\n"
      + found.enumerated().map { CSV.row(["\($0)", $1.name, "\($1.position)"]) + "\n" }.joined()
  }

  static let fileName = "found-classes.csv"
}
