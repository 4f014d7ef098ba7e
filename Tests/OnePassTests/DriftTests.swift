import Foundation
import OnePassCore
import Testing

@testable import OnePass

@Suite("Drift") struct DriftTests {
  /// A sequence of errors with the alarms of River's detectors (Tools/reference_drift.py).
  struct Sequence: Decodable, CustomTestStringConvertible {
    struct Alarms: Decodable {
      let detector: String
      let positions: [Int]
    }
    let name: String
    let count: Int
    let errors: String
    let alarms: [Alarms]
    var testDescription: String { name }

    var isError: [Bool] {
      errors.flatMap { digit in (0..<4).map { Int(String(digit), radix: 16)! >> (3 - $0) & 1 == 1 } }
        .prefix(count) + []
    }

    static func all() throws -> [Sequence] {
      let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
      return try JSONDecoder().decode(
        [Sequence].self, from: Data(contentsOf: folder.appendingPathComponent("drift.json")))
    }
  }

  private func prediction(_ id: Int, isError: Bool, label: Int = 0) -> OnlinePrediction {
    OnlinePrediction(
      id: id, label: label, prediction: ClassPrediction(label: isError ? label + 1 : label, probability: 0.5),
      loss: 1)
  }

  private func watch(_ method: DriftMethod, seed: UInt64 = 7) -> DriftWatch {
    DriftWatch(method, seed: seed, classNames: nil) { _ in }
  }

  private func alarms(_ method: DriftMethod, _ errors: [Bool]) -> [DriftAlarm] {
    let watch = watch(method)
    return errors.enumerated().flatMap { watch.add(prediction($0, isError: $1)) }
  }

  @Test("Alarms are at the positions of River's", arguments: try Sequence.all())
  func river(_ sequence: Sequence) throws {
    #expect(sequence.alarms.count == 6)
    for reference in sequence.alarms {
      let found = alarms(try DriftMethod("\(reference.detector):both"), sequence.isError)
      // A single class changes with all.
      for label in [nil, 0] {
        #expect(
          found.filter { $0.label == label }.map(\.position) == reference.positions, "\(reference.detector)")
      }
    }
  }

  @Test(
    "An alarm states whether the rate rose or fell", arguments: ["adwin", "page-hinkley", "kswin:0.0001"])
  func direction(method: String) throws {
    let sequences = try Sequence.all()
    for (name, direction) in [("abrupt rise", DriftDirection.rose), ("abrupt fall", .fell)] {
      let sequence = try #require(sequences.first { $0.name == name })
      let found = alarms(try DriftMethod("\(method):both"), sequence.isError)
      #expect(found.count == 2 && found.allSatisfy { $0.errors == direction }, "\(name)")
      #expect(alarms(try DriftMethod(method), sequence.isError) == (direction == .rose ? found : []))
    }
  }

  @Test("The change of one class is an alarm of that class")
  func classes() throws {
    let watch = watch(try DriftMethod("adwin"))
    var chance = SeededGenerator(seed: 3, .test)
    var found: [DriftAlarm] = []
    for id in 0..<30_000 {
      let label = id % 10
      let rate = label == 4 && id >= 15_000 ? 0.7 : 0.2
      found += watch.add(prediction(id, isError: chance.nextUnit() < rate, label: label))
    }
    #expect(found.compactMap(\.label) == [4])
    let alarm = try #require(found.first { $0.label == 4 })
    #expect(alarm.errors == .rose && (15_000..<17_000).contains(alarm.position))
  }

  /// δ bounds the probability of a false alarm of one test, and every 32nd prediction is a test (theorem 3.1).
  @Test("While the rate stays the same, ADWIN raises fewer alarms than its confidence allows")
  func stationary() throws {
    let (count, confidence) = (10_000, 0.002)
    let found = try (0..<100).map { number in
      var chance = SeededGenerator(seed: 4, .test, number)
      let rate = Double(number) / 100
      return alarms(
        try DriftMethod("adwin:\(confidence):both"), (0..<count).map { _ in chance.nextUnit() < rate }
      )
      .count
    }
    #expect(Double(found.reduce(0, +) / 2) <= confidence * Double(100 * count / 32))
    #expect(found.count { $0 > 0 } <= 3)
  }

  @Test(
    "A watch that is saved and restored has the same alarms",
    arguments: ["adwin:0.1:both", "page-hinkley:10:both", "kswin:both"])
  func restored(method: String) throws {
    let method = try DriftMethod(method)
    let sequence = try #require(Sequence.all().first { $0.name == "recurring" })
    let whole = alarms(method, sequence.isError)
    var (current, found) = (watch(method), [DriftAlarm]())
    for (position, isError) in sequence.isError.enumerated() {
      if position % 611 == 0 {
        let state = try JSONDecoder().decode(
          DriftWatch.State.self, from: JSONEncoder().encode(current.state))
        current = watch(method)
        current.restore(state)
      }
      found += current.add(prediction(position, isError: isError))
    }
    #expect(found == whole && whole.count > 10)
    let other = watch(try DriftMethod("adwin:0.5"))
    other.restore(current.state)
    #expect(
      sequence.isError.enumerated().flatMap { other.add(prediction($0, isError: $1)) }
        == alarms(try DriftMethod("adwin:0.5"), sequence.isError))
  }

  @Test("Texts of detectors have defaults, ranges and a canonical form")
  func texts() throws {
    for (text, canonical) in [
      ("adwin", "adwin:0.002"), ("page-hinkley", "page-hinkley:50"), ("kswin", "kswin:0.005"),
      ("adwin:1e-3", "adwin:0.001"), ("page-hinkley:2.5", "page-hinkley:2.5"),
      ("kswin:both", "kswin:0.005:both"),
    ] {
      #expect(try DriftMethod(text).description == canonical)
      #expect(try DriftMethod(canonical) == DriftMethod(text))
    }
    for text in [
      "", "ddm", "adwin:", "adwin:0", "adwin:1", "adwin:nan", "page-hinkley:0", "page-hinkley:inf",
      "kswin:-1", "kswin:1:2", "both", "adwin:both:both",
    ] {
      #expect(throws: OnePassError.self) { try DriftMethod(text) }
    }
  }
}
