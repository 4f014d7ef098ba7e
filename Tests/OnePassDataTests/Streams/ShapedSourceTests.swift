import Foundation
import OnePassCore
import TestSupport
import Testing

@testable import OnePassData

@Suite("Shapes of a stream") struct ShapedSourceTests {
  /// The label of each example, and its position in the source as its image.
  private func source(_ labels: [Int], classes: Int) -> IndexedSource {
    IndexedSource("labels", count: labels.count, classCount: classes) { position in
      LabelledImage(
        EncodedImage(bytes: withUnsafeBytes(of: UInt32(position)) { Array($0) }), label: labels[position])
    }
  }

  private func balanced(_ count: Int, _ classes: Int) -> [Int] { (0..<count).map { $0 % classes } }

  /// The labels of the stream and the positions of its examples in the source.
  private func stream(
    _ shape: String, _ labels: [Int], classes: Int, seed: UInt64 = 1, limit: Int = .max
  ) throws -> (labels: [Int], rows: [Int], groups: [[Int]]) {
    let shaped = try ShapedSource(
      source(labels, classes: classes), StreamShape(shape), seed: seed, limit: limit)
    var (found, rows): ([Int], [Int]) = ([], [])
    while let example = try shaped.next() {
      #expect(example.id == found.count)
      #expect(try shaped.label(at: example.id) == example.label)
      found.append(example.label)
      rows.append(example.image.bytes.withUnsafeBytes { Int($0.loadUnaligned(as: UInt32.self)) })
    }
    return (found, rows, shaped.groups)
  }

  @Test(
    "Shapes that are an order deliver every example once, and depend on the seed",
    arguments: [
      "shuffled", "by-class:3", "blurred:3:0.2", "blurred:2:1e300", "bursts:5", "bursts:1e300",
      "recurring:40", "recurring:9223372036854775807",
    ])
  func permutation(shape: String) throws {
    let labels = balanced(300, 7)
    let (found, rows, _) = try stream(shape, labels, classes: 7)
    #expect(rows.sorted() == Array(0..<300) && found == rows.map { labels[$0] })
    #expect(try stream(shape, labels, classes: 7).rows == rows)
    #expect(try stream(shape, labels, classes: 7, seed: 2).rows != rows)
    #expect(try stream(shape, labels, classes: 7, limit: 100).rows.sorted() == Array(0..<100))
  }

  @Test("Groups of classes come one after the other, in random order within")
  func groups() throws {
    let (found, rows, groups) = try stream("by-class:3", balanced(700, 7), classes: 7)
    #expect(groups.map(\.count) == [2, 2, 3] && groups.flatMap(\.self).sorted() == Array(0..<7))
    let expected = groups.enumerated().flatMap { index, members in
      Array(repeating: index, count: 100 * members.count)
    }
    #expect(found.map { label in groups.firstIndex { $0.contains(label) } } == expected)
    // Neighbours of the same class in a random order of two classes: 99.5 ± 7.
    let equal = zip(found[..<200], found[1..<200]).count { $0 == $1 }
    #expect((65...134).contains(equal))
    #expect(rows.prefix(200) != rows.prefix(200).sorted()[...])
  }

  /// The place of an example is u + g + σ z with u uniform on a group's length: its standard deviation is √(1/12 + σ²).
  @Test("Blurred groups overlap by a normal deviation", arguments: [0.1, 0.5])
  func blurred(overlap: Double) throws {
    let (found, _, groups) = try stream("blurred:5:\(overlap)", balanced(20_000, 10), classes: 10)
    // Of the middle group, whose place is not cut at the ends.
    let places = found.indices.filter { groups[2].contains(found[$0]) }.map { Double($0) / 4_000 }
    let mean = places.reduce(0, +) / Double(places.count)
    let variance = places.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(places.count)
    #expect(abs(mean - 2.5) < 0.05)
    // Ranks equal places where the groups around are complete, which holds for the smaller overlap.
    let expected = (1.0 / 12 + overlap * overlap).squareRoot()
    #expect(abs(variance.squareRoot() / expected - 1) < (overlap < 0.2 ? 0.03 : 0.12))
  }

  /// The sizes of CIFAR-10-LT with imbalance 100, as Cao et al. 2019 and Cui et al. 2019 use them.
  @Test("Long-tailed streams have the published sizes of classes")
  func longTailed() throws {
    let (found, rows, _) = try stream("long-tailed:100", balanced(50_000, 10), classes: 10)
    let counts = (0..<10).map { label in found.count { $0 == label } }
    #expect(counts == [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50])
    #expect(Set(rows).count == rows.count)
    // The rest is in random order: the first class is 0.4 of each part.
    let first = Double(found.prefix(2_000).count { $0 == 0 }) / 2_000
    #expect(abs(first - 5_000.0 / 12_406) < 0.05)
  }

  /// Lengths are geometric with mean M; the 4.5-sigma band of the mean of 900 of them.
  @Test("Bursts are runs of one class with a geometric length")
  func bursts() throws {
    let (found, _, _) = try stream("bursts:20", balanced(20_000, 10), classes: 10)
    var lengths: [Int] = []
    var start = 0
    for place in 1..<18_000 where found[place] != found[place - 1] {
      lengths.append(place - start)
      start = place
    }
    let mean = Double(lengths.reduce(0, +)) / Double(lengths.count)
    let deviation = (20.0 * 19).squareRoot()
    let error = deviation / Double(lengths.count).squareRoot()
    #expect(abs(mean - 20) < 4.5 * error)
    // P(L > 20) = (19 / 20)^20 = 0.358.
    let longer = Double(lengths.count { $0 > 20 }) / Double(lengths.count)
    let sigma = (0.358 * 0.642 / Double(lengths.count)).squareRoot()
    #expect(abs(longer - 0.358) < 4.5 * sigma)
  }

  /// The rate of a class is proportional to 1 + cos: over a period, its first harmonic is half of its mean.
  @Test("Recurring classes come and go with the period")
  func recurring() throws {
    let (found, _, _) = try stream("recurring:1000", balanced(20_000, 8), classes: 8)
    var phases: [Double] = []
    for label in 0..<8 {
      // The first half, while all classes are left.
      let places = found[..<10_000].indices.filter { found[$0] == label }
      let angles = places.map { 2 * Double.pi * Double($0 % 1_000) / 1_000 }
      let (c, s) = (angles.reduce(0) { $0 + cos($1) }, angles.reduce(0) { $0 + sin($1) })
      let strength = (c * c + s * s).squareRoot() / Double(places.count)
      #expect(abs(strength - 0.5) < 0.08, "class \(label): \(strength)")
      phases.append((atan2(s, c) / (2 * .pi) * 8).rounded())
    }
    #expect(Set(phases.map { (Int($0) + 8) % 8 }).count == 8)
  }

  /// Each of 10,000 labels is noise with probability 0.2; then each other class is as likely.
  @Test("Noisy labels are another class, chosen uniformly")
  func labelNoise() throws {
    let labels = balanced(10_000, 5)
    let (found, rows, _) = try stream("label-noise:0.2", labels, classes: 5)
    let changed = zip(found, rows).filter { $0 != labels[$1] }
    let sigma = (10_000 * 0.2 * 0.8).squareRoot()
    #expect(abs(Double(changed.count) - 2_000) < 4.5 * sigma)
    let shifts = changed.map { ($0.0 - labels[$0.1] + 5) % 5 }
    for shift in 1..<5 {
      let expected = Double(changed.count) / 4
      let count = Double(shifts.count { $0 == shift })
      #expect(abs(count - expected) < 4.5 * (expected * 0.75).squareRoot())
    }
    #expect(try stream("label-noise:1", labels, classes: 5).labels.count == 10_000)
  }

  @Test(
    "Texts that are no shape are refused",
    arguments: [
      "", "random", "by-class", "by-class:1", "by-class:x", "by-class:2:3", "blurred:2", "blurred:2:0",
      "blurred:1:1", "long-tailed:1", "bursts:1", "bursts:nan", "recurring:1", "recurring:1.5",
      "label-noise:0",
      "label-noise:1.1", "long-tailed:inf",
    ])
  func malformed(text: String) {
    let error = #expect(throws: OnePassError.self) { try StreamShape(text) }
    #expect(error?.code == .usage && error?.message.hasPrefix("--stream ") == true)
  }

  @Test("A shape is written as it is read, and needs as many classes as groups")
  func texts() throws {
    for text in [
      "shuffled", "by-class:5", "blurred:5:0.25", "long-tailed:100", "bursts:50", "recurring:1000",
      "label-noise:0.4",
    ] { #expect(try StreamShape(text).description == text) }
    let error = #expect(throws: OnePassError.self) { try stream("by-class:8", balanced(70, 7), classes: 7) }
    #expect(error?.message.contains("needs more classes than the data has, 7") == true)
  }
}
