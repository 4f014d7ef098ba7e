import Foundation
import OnePassCore

/// The order of a shaped stream. It depends on the labels, the shape and the seed only.
struct ShapedOrder {
  /// The position in the source of each position in the stream.
  private(set) var rows: [UInt32] = []
  /// The classes of each group, for shapes with groups.
  private(set) var groups: [[Int]] = []
  private let labels: [Int32]
  private let classes: Int
  private var generator: SeededGenerator

  /// - Parameters:
  ///   - labels: The class of each example of the source.
  ///   - classes: The number of classes; greater than every label.
  /// - Throws: `OnePassError` (`usage`) if there are fewer classes than groups.
  init(_ shape: StreamShape, labels: [Int32], classes: Int, seed: UInt64) throws {
    (self.labels, self.classes) = (labels, classes)
    generator = SeededGenerator(seed: seed, .streamShape)
    rows = randomOrder(of: labels.count, using: &generator)
    switch shape {
    case .shuffled, .labelNoise: break
    case .byClass(let count): try sortByGroup(of: count, overlap: 0, shape)
    case .blurred(let count, let overlap): try sortByGroup(of: count, overlap: overlap, shape)
    case .longTailed(let imbalance): keepTail(imbalance)
    case .bursts(let mean): formBursts(mean)
    case .recurring(let period): recur(period)
    }
  }

  // MARK: Groups

  private mutating func sortByGroup(of count: Int, overlap: Double, _ shape: StreamShape) throws {
    guard count <= classes else { throw OnePassError.moreGroupsThanClasses(shape, classes: classes) }
    let order = randomOrder(of: classes, using: &generator).map(Int.init)
    groups = (0..<count).map { Array(order[$0 * classes / count..<($0 + 1) * classes / count]) }
    var group = [Double](repeating: 0, count: classes)
    for (index, members) in groups.enumerated() { for label in members { group[label] = Double(index) } }
    // The place of an example in its group is uniform, and moved by a normal deviation.
    let keys = rows.map { row in
      group[Int(labels[Int(row)])] + generator.nextUnit() + (overlap > 0 ? overlap * nextNormal() : 0)
    }
    rows = rows.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }.map { rows[$0] }
  }

  /// Box and Muller 1958.
  private mutating func nextNormal() -> Double {
    (-2 * log(1 - generator.nextUnit())).squareRoot() * cos(2 * .pi * generator.nextUnit())
  }

  // MARK: Other shapes

  /// Cui et al. 2019, section 5.1: n_r = n · R^(−r / (C − 1)), rounded down, at least 1.
  private mutating func keepTail(_ imbalance: Double) {
    var left = counts.enumerated().map { label, count in
      let share = pow(imbalance, -Double(label) / Double(max(1, classes - 1)))
      return min(count, max(1, Int((Double(count) * share).rounded(.down))))
    }
    rows = rows.filter { row in
      let label = Int(labels[Int(row)])
      left[label] -= 1
      return left[label] >= 0
    }
    // What is kept of a small class came first.
    rows = randomOrder(of: rows.count, using: &generator).map { rows[Int($0)] }
  }

  private var counts: [Int] {
    labels.reduce(into: [Int](repeating: 0, count: classes)) { $0[Int($1)] += 1 }
  }

  /// The next class is another one, with the probability of its examples that are left. Only the last runs can be longer.
  private mutating func formBursts(_ mean: Double) {
    var queues = ClassQueues(rows, labels, classes)
    rows = []
    var last: Int?
    while let label = queues.draw(using: &generator, weight: { $0 == last ? 0 : 1 }) ?? last,
      queues.left(of: label) > 0
    {
      // Geometric on 1, 2, …: P(L > l) = (1 − 1/M)^l.
      let length = 1 + Int(min(log(1 - generator.nextUnit()) / log1p(-1 / mean), Double(Int32.max)))
      for _ in 0..<min(length, queues.left(of: label)) { rows.append(queues.take(label)) }
      last = label
    }
  }

  private mutating func recur(_ period: Int) {
    var queues = ClassQueues(rows, labels, classes)
    let ranks = randomOrder(of: classes, using: &generator)
    let phases = ranks.map { 2 * Double.pi * Double($0) / Double(classes) }
    let (cosines, sines) = (phases.map { cos($0) }, phases.map { sin($0) })
    let count = rows.count
    rows = []
    while rows.count < count {
      let angle = 2 * Double.pi * Double(rows.count % period) / Double(period)
      let (c, s) = (cos(angle), sin(angle))
      // At the end, classes may be left whose time is not now.
      guard
        let label = queues.draw(
          using: &generator, weight: { 1 + c * cosines[$0] + s * sines[$0] })
          ?? queues.draw(using: &generator, weight: { _ in 1 })
      else { return }
      rows.append(queues.take(label))
    }
  }
}

/// The examples of each class that are left.
private struct ClassQueues {
  private var rows: [[UInt32]]

  init(_ order: [UInt32], _ labels: [Int32], _ classes: Int) {
    rows = Array(repeating: [], count: classes)
    for row in order.reversed() { rows[Int(labels[Int(row)])].append(row) }
  }

  func left(of label: Int) -> Int { rows[label].count }

  mutating func take(_ label: Int) -> UInt32 { rows[label].removeLast() }

  /// Draws a class in proportion to weight · examples left; `nil` if all are 0.
  func draw(using generator: inout SeededGenerator, weight: (Int) -> Double) -> Int? {
    var total = 0.0
    for label in rows.indices { total += Double(rows[label].count) * weight(label) }
    guard total > 1e-9 else { return nil }
    var place = generator.nextUnit() * total
    var last: Int?
    for label in rows.indices {
      let share = Double(rows[label].count) * weight(label)
      guard share > 0 else { continue }
      place -= share
      last = label
      if place < 0 { break }
    }
    return last
  }
}
