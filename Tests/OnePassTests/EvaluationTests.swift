import Foundation
import OnePassCore
import OnePassData
import OnePassTorch
import Testing

@testable import OnePass

@Suite("Evaluation by class, by pair of classes, and of the worst errors") struct EvaluationTests {
  /// Values of scikit-learn (Tools/reference_evaluation.py).
  struct Reference: Decodable {
    struct ByClass: Decodable {
      let examples: Int
      let recall, top5, loss: Double?
    }
    struct Mistake: Decodable {
      let example, predicted: Int
      let loss, probability: Double
    }
    let labels: [Int]
    let logits: [[Float]]
    let top1, top5, loss: Double
    let confusion: [[Int]]
    let classes: [ByClass]
    let errors: [Mistake]
  }

  func reference() throws -> Reference {
    let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    return try JSONDecoder().decode(
      Reference.self, from: Data(contentsOf: folder.appendingPathComponent("evaluation.json")))
  }

  /// The details of logits and labels, in mini-batches of different sizes.
  func details(
    _ logits: [[Float]], _ labels: [Int], mistakes: Int, batchSize: Int = 25
  ) throws -> EvaluationDetails {
    let classes = logits[0].count
    var details = EvaluationDetails(classes: classes, mistakes: mistakes)
    for start in stride(from: 0, to: logits.count, by: batchSize) {
      let range = start..<min(start + batchSize, logits.count)
      try details.update(
        logits: Tensor(logits[range].flatMap { $0 }, shape: [range.count, classes]),
        labels: Tensor(labels[range].map(Int64.init), shape: [range.count]),
        examples: range.map { Example(id: $0, label: labels[$0], image: EncodedImage(bytes: [UInt8($0)])) },
        locate: { $0 == 3 ? nil : "\($0).png" })
    }
    return details
  }

  @Test("Accuracy, loss and confusion by class equal those of scikit-learn")
  func figuresAreThoseOfScikitLearn() throws {
    let expected = try reference()
    let found = try details(expected.logits, expected.labels, mistakes: 50)
    let count = Double(expected.labels.count)
    #expect(Double(found.correct) / count == expected.top1)
    #expect(found.correctTop5.map { Double($0) / count } == expected.top5)
    #expect(abs(found.lossSum / count - expected.loss) < 1e-6)
    for (result, reference) in zip(found.classes, expected.classes) {
      #expect(result.examples == reference.examples)
      #expect(result.top1 == reference.recall && result.top5 == reference.top5, "class \(result.label)")
      #expect(abs((result.loss ?? 0) - (reference.loss ?? 0)) < 1e-6)
      #expect((result.loss == nil) == (reference.examples == 0))
      for predicted in found.classes.indices {
        #expect(found.confusion[result.label, predicted] == expected.confusion[result.label][predicted])
      }
    }
  }

  @Test("The errors with the highest losses are kept, with class, probability and name")
  func worstErrorsAreKept() throws {
    let expected = try reference()
    for limit in [0, 1, 7, 1_000] {
      let found = try details(expected.logits, expected.labels, mistakes: limit).mistakes
      #expect(found.map(\.position) == expected.errors.prefix(limit).map(\.example))
      for (mistake, reference) in zip(found, expected.errors) {
        #expect(mistake.predicted == reference.predicted)
        #expect(mistake.label == expected.labels[mistake.position])
        #expect(abs(mistake.loss - reference.loss) < 1e-5)
        #expect(abs(mistake.probability - reference.probability) < 1e-6)
        #expect(abs(mistake.labelProbability - exp(-reference.loss)) < 1e-6)
        #expect(mistake.location == (mistake.position == 3 ? nil : "\(mistake.position).png"))
        #expect(mistake.image.bytes == [UInt8(mistake.position)])
      }
    }
  }

  /// Equal losses are frequent in untrained models. The memory holds the first of them, whatever the mini-batches.
  @Test("Of equal losses, the first are kept")
  func tiesAreInOrder() throws {
    let logits = (0..<40).map { _ in [Float](repeating: 0, count: 4) }
    let labels = (0..<40).map { $0 % 4 }
    for batchSize in [1, 7, 40] {
      let found = try details(logits, labels, mistakes: 5, batchSize: batchSize)
      let best = try topClasses(Tensor(logits[0], shape: [1, 4]), count: 1).integers()[0]
      #expect(found.mistakes.map(\.position) == Array((0..<40).filter { labels[$0] != Int(best) }.prefix(5)))
    }
  }

  @Test("Equal logits count as in the overall accuracy")
  func tiedLogitsCountOnce() throws {
    let logits: [[Float]] = (0..<30).map { row in (0..<8).map { Float(($0 * row) % 3) } }
    let labels = (0..<30).map { ($0 * 5) % 8 }
    let found = try details(logits, labels, mistakes: 0, batchSize: 30)
    let tensors = try (
      Tensor(logits.flatMap { $0 }, shape: [30, 8]), Tensor(labels.map(Int64.init), shape: [30])
    )
    #expect(try found.correct == correctCount(tensors.0, labels: tensors.1, k: 1))
    #expect(try found.correctTop5 == correctCount(tensors.0, labels: tensors.1, k: 5))
    #expect(found.correct == (0..<8).reduce(0) { $0 + found.confusion[$1, $1] })
  }

  @Test("Pairs of different classes are sorted by their counts")
  func confusionsAreSorted() {
    var confusion = ConfusionMatrix(classes: 4)
    for (label, predicted, count) in [(0, 0, 9), (3, 1, 2), (0, 2, 3), (1, 0, 2), (2, 2, 1)] {
      for _ in 0..<count { confusion.add(label: label, predicted: predicted) }
    }
    typealias Entry = ConfusionMatrix.Entry
    #expect(
      confusion.mostFrequentErrors(2) == [
        Entry(label: 0, predicted: 2, count: 3), Entry(label: 1, predicted: 0, count: 2),
      ])
    #expect(confusion.mostFrequentErrors(9).map(\.label) == [0, 1, 3])
    #expect(confusion.entries.map(\.count) == [9, 3, 2, 1, 2] && confusion[2, 3] == 0)
  }
}

@Suite("Classes of evaluation data and of a model") struct ClassMappingTests {
  /// A table with an example of each class.
  struct Table: ExampleTable {
    let classNames: [String]?
    let classCount: Int
    let labelsFollowNames: Bool
    var count: Int { classCount }
    func label(at row: Int) -> Int { row }
    func image(at row: Int) -> EncodedImage { EncodedImage(bytes: [1, 2, 3]) }
  }

  /// The labels of the model for the classes of a source, in their order.
  func labels(
    _ found: [String]?, sorted: Bool = false, classes: Int, names: [String]? = nil
  ) throws -> [Int] {
    let table = Table(
      classNames: found, classCount: found?.count ?? classes, labelsFollowNames: sorted)
    let source = ShuffledSource(table, specification: "folder:zoo", seed: 1)
    let mapped = try ClassMapping.applied(to: source, classes: classes, names: names)
    var labels = Array(repeating: -1, count: table.count)
    while let original = try source.next(), let example = try mapped.next(at: original.id) {
      labels[original.label] = example.label
    }
    let isChanged = labels != Array(labels.indices)
    #expect(mapped.report.choices.map(\.what) == (isChanged ? ["the labels"] : []))
    return labels
  }

  @Test("Names that both have are matched")
  func namesAreMatched() throws {
    #expect(try labels(["dog", "cat"], classes: 3, names: ["ant", "cat", "dog"]) == [2, 1])
    #expect(try labels(["cat", "dog"], classes: 2, names: ["cat", "dog"]) == [0, 1])
    #expect(try labels(nil, classes: 3, names: ["a", "b", "c"]) == [0, 1, 2])
    #expect(throws: OnePassError.self) {
      try labels(["cat", "lion"], classes: 3, names: ["ant", "cat", "dog"])
    }
  }

  @Test("Names that are numbers are labels if the model's classes have no names")
  func numbersAreLabels() throws {
    let byText = (0..<12).map(String.init).sorted()
    #expect(byText[2] == "10")
    #expect(try labels(byText, sorted: true, classes: 12) == [0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9])
    #expect(try labels(["003", "007"], sorted: true, classes: 12) == [3, 7])
    #expect(try labels(["0", "1", "2"], sorted: true, classes: 12) == [0, 1, 2])
  }

  /// The second of the sorted numbers 1 to 12 is not class 1 of the model.
  @Test("A position among sorted names is never a label")
  func aRankIsNoLabel() throws {
    for names in [["cat", "dog"], ["100", "200"], (1...12).map(String.init), ["1", "two"]] {
      #expect(throws: OnePassError.self, "\(names)") { try labels(names, sorted: true, classes: 12) }
    }
    // The caller, or the data itself, numbers these classes.
    #expect(try labels(["cat", "dog"], classes: 12) == [0, 1])
    #expect(try labels(["100", "200"], classes: 12) == [0, 1])
  }

  @Test("Numbers of the data are the names of the model's classes, if those are numbers")
  func numbersAreNames() throws {
    #expect(try labels(nil, classes: 3, names: ["0", "1", "10", "2"]) == [0, 1, 3])
    #expect(try labels(nil, classes: 3, names: ["2", "0", "1"]) == [1, 2, 0])
    #expect(throws: OnePassError.self) { try labels(nil, classes: 3, names: ["1", "2", "3"]) }
  }
}

extension ExampleSource {
  /// The example of a source with random access at a position.
  fileprivate func next(at id: Int) throws -> Example? {
    try (self as? any RandomAccessSource)?.example(at: id)
  }
}
