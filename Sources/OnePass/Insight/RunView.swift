import Foundation
import OnePassCore

/// All that a page about one run shows, read from its files. Reading changes nothing, and the run may be training.
package struct RunView {
  /// The folder of the run, as passed.
  package let path: String
  package let stage: RunStage
  package let configuration: RunConfiguration
  package let plan: TrainingPlan
  package let card: ModelCard
  /// The result; `nil` of an unfinished run.
  package let result: RunResult?
  package let summary: RunSummary
  /// The rows of `curve.csv` with a header.
  package let curve: String
  /// The accuracy by class and by pair of classes, without images; `nil` if it was not recorded.
  package let evaluation: Evaluation?
  /// The memory; `nil` without one.
  package let memory: StoredMemory?

  /// Reads a finished run, or the last checkpoint of an unfinished one.
  /// - Parameters:
  ///   - path: The folder of the run.
  ///   - location: Where the memory on disk and the key file are, if they were moved.
  /// - Throws: `OnePassError`: `io` if there is no run, `badData` if it is damaged.
  package init(of path: String, at location: MemoryLocation = .init()) throws {
    self.path = path
    summary = try RunSummary(of: path)
    stage = summary.stage
    if let last = try UnfinishedRun.lastCheckpoint(of: path) {
      (configuration, plan, card) = (last.state.configuration, last.state.plan, last.state.card)
      (result, evaluation, curve) = (nil, nil, last.state.curve.csv)
    } else {
      let result = try RunFiles.result(in: path)
      (configuration, plan, card) = (result.configuration, result.plan, try RunFiles(path).modelCard())
      self.result = result
      evaluation = try result.accuracy.flatMap { [card] in try Evaluation(recordedIn: path, card, $0) }
      curve = (try? String(contentsOfFile: "\(path)/curve.csv", encoding: .utf8)) ?? ""
    }
    memory = configuration.method == .replay ? try StoredMemory(of: path, at: location) : nil
  }
}

extension Evaluation {
  /// The name of the file in the folder of a run.
  static let fileName = "evaluation.json"

  private struct Record: Decodable {
    struct Class: Decodable {
      let label, examples, correct: Int
      let correctTop5: Int?
      let loss: Double?
    }
    let source: String
    let classes: [Class]
    let confusion: [ConfusionMatrix.Entry]
  }

  /// Reads the evaluation at the end of a run; `nil` if it is not recorded, as with several ranks.
  /// - Throws: `OnePassError` (`badData`) if the file is damaged.
  init?(recordedIn path: String, _ card: ModelCard, _ accuracy: RunResult.Accuracy) throws {
    let file = "\(path)/\(Self.fileName)"
    guard let data = FileManager.default.contents(atPath: file) else { return nil }
    let record: Record
    do { record = try JSONDecoder().decode(Record.self, from: data) } catch {
      throw OnePassError.damagedFile(file, cause: error)
    }
    let range = 0..<card.classes
    guard record.classes.map(\.label) == Array(range),
      record.confusion.allSatisfy({ range.contains($0.label) && range.contains($0.predicted) && $0.count > 0 }
      )
    else { throw OnePassError.damagedFile(file) }
    self.init(
      source: record.source, card: card, accuracy: accuracy,
      classes: record.classes.map {
        ClassResult(
          label: $0.label, examples: $0.examples, correct: $0.correct, correctTop5: $0.correctTop5,
          lossSum: ($0.loss ?? 0) * Double($0.examples))
      },
      confusion: ConfusionMatrix(classes: card.classes, record.confusion), mistakes: [])
  }
}
